//! A card that none of us wrote: the ISO 7816-4 operating system of vsmartcard (vicc), which knows neither
//! logical channels nor a toolkit.

use crate::support::daemon::{Daemon, PORT, alone, possible, until};
use dmsc::card::apdu::{Card, Mode};
use dmsc::card::pcsc::PcscTransport;
use dmsc::card::pkcs15::{Content, OID_DM_BOOTSTRAP, Options, read_objects};
use dmsc::card::uicc;
use dmsc::error::Code;
use std::process::{Child, Command, Stdio};

const PYTHON: &str = "/usr/bin/python3";
const LAUNCHER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pcscd/vicc/vicc.py");

/// The card's program; dropping it pulls the card.
struct Vicc(Child);

impl Vicc {
    fn start() -> Self {
        let mut program = Command::new(PYTHON);
        program.arg(LAUNCHER).arg(PORT.to_string());
        Self(program.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Vicc {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_vicc<F: FnOnce(Daemon)>(body: F) {
    let possible = || {
        let modules = "import sys; sys.path.insert(0, '/usr/lib/python3/site-packages')\n\
            import Cryptodome, virtualsmartcard";
        let asked = Command::new(PYTHON).args(["-c", modules]).stderr(Stdio::null()).status();
        match asked {
            Ok(status) if status.success() => possible(),
            _ => Err("vsmartcard-vpicc or python3-pycryptodome is missing".to_owned()),
        }
    };
    alone(std::any::type_name::<F>(), possible, || body(Daemon::start()));
}

/// What the launcher puts into EF DM_Bootstrap, without its fill octets.
fn document() -> Vec<u8> {
    let text = "WBXML bootstrap placeholder ".repeat(12);
    (0..=255).chain(text.bytes()).collect()
}

#[test]
fn the_bootstrap_object_of_a_card_of_others_is_read() {
    with_vicc(|_pcscd| {
        let _vicc = Vicc::start();
        let transport = until("the card is there", || PcscTransport::open(None).ok());
        let mut card = Card::new(Box::new(transport));
        let found = read_objects(&mut card, &[OID_DM_BOOTSTRAP], Options::default()).unwrap();
        assert_eq!(card.known_mode(), Some(Mode::Uicc));
        let [object] = &found.objects[..] else { panic!("{found:?}") };
        assert_eq!(object.path, "3F007F506433");
        assert_eq!(object.label.as_deref(), Some("OMA DM bootstrap"));
        match &object.content {
            Content::Octets(octets) => assert_eq!(octets.expose(), document()),
            other => panic!("{other:?}"),
        }
        // The DODF names the file in both forms.
        assert_eq!(found.faults.len(), 1, "{:?}", found.faults);
        assert!(found.faults[0].what().contains("named twice"), "{:?}", found.faults);
        let error = uicc::read_identity(&mut card).unwrap_err();
        assert_eq!(error.code(), Code::CardFileNotFound, "{error}");
    });
}
