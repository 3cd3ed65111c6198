//! Who the phone is: as the options say, else as its store says, else made up.

use clap::Args;
use dmsc::config::Config;
use dmsc::error::Result;
use dmsc::store::Store;
use dmsc::store::key_file::KeyFiles;
use dmsc::tree::{Actor, Answer, Query, Uri};
use std::path::Path;
use std::sync::Arc;

/// The test IMEI of an unknown phone.
const DEVICE_ID: &str = "IMEI:004999010640000";

/// The device's identity. What is not given stays as the store has it.
#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArguments {
    /// ./DevInfo/DevId [default: as in the store, else IMEI:004999010640000]
    #[arg(long, value_name = "URN")]
    device_id: Option<String>,
    /// ./DevInfo/Man [default: as in the store, else "libdmsc"]
    #[arg(long, value_name = "NAME")]
    manufacturer: Option<String>,
    /// ./DevInfo/Mod [default: as in the store, else "dmsc"]
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
}

impl DeviceArguments {
    /// The configuration of a client over `store`, which is in `directory`.
    pub(crate) fn config(&self, directory: &Path, store: &Arc<dyn Store>) -> Result<Config> {
        let mut config = kept(directory);
        let view = config.database(store.clone())?.read()?;
        let device = &mut config.device;
        let query = Query::new(&view, Actor::Host);
        for (uri, value) in [
            ("./DevInfo/DevId", &mut device.device_id),
            ("./DevInfo/Man", &mut device.manufacturer),
            ("./DevInfo/Mod", &mut device.model),
            ("./DevInfo/Lang", &mut device.language),
            ("./DevDetail/DevTyp", &mut device.device_type),
            ("./DevDetail/OEM", &mut device.oem),
            ("./DevDetail/FwV", &mut device.firmware),
            ("./DevDetail/SwV", &mut device.software),
            ("./DevDetail/HwV", &mut device.hardware),
        ] {
            if let Some(stored) = text(&query, uri)? {
                *value = stored;
            }
        }
        for (given, value) in [
            (&self.device_id, &mut device.device_id),
            (&self.manufacturer, &mut device.manufacturer),
            (&self.model, &mut device.model),
        ] {
            if let Some(given) = given {
                value.clone_from(given);
            }
        }
        Ok(config)
    }
}

/// The configuration of a client that keeps nothing.
pub(crate) fn anonymous() -> Config {
    let mut config = Config::new(DEVICE_ID);
    config.device.manufacturer = "libdmsc".into();
    config.device.oem = "libdmsc".into();
    config.device.model = "dmsc".into();
    config.device.software = env!("CARGO_PKG_VERSION").into();
    config
}

/// The configuration of a client that keeps its data in `directory`.
pub(crate) fn kept(directory: &Path) -> Config {
    Config { keys: Some(Arc::new(KeyFiles::new(directory))), ..anonymous() }
}

/// The text of a leaf, if it is there.
fn text(query: &Query<'_>, uri: &str) -> Result<Option<String>> {
    let uri = Uri::parse(uri)?;
    if !query.exists(&uri.path)? {
        return Ok(None);
    }
    Ok(match query.get(&uri)? {
        Answer::Leaf { value, .. } => String::from_utf8(value).ok(),
        _ => None,
    })
}
