//! Keys in files beside the store, each readable by its owner alone.

use super::private;
use super::seal::{KEY_OCTETS, KeySource};
use crate::error::{Code, Error, Result};
use crate::secret::Secret;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// Keys as files `dmsc-NUMBER.key` of 32 octets in one directory.
#[derive(Clone, Debug)]
pub struct KeyFiles(PathBuf);

impl KeyFiles {
    /// The keys in `directory`, which is made with the first key if it is missing.
    pub fn new(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    /// Path of the file with this number.
    pub fn path(&self, number: u32) -> PathBuf {
        self.0.join(format!("dmsc-{number}.key"))
    }

    fn write(&self, number: u32, key: &Secret) -> io::Result<()> {
        private::directory(&self.0)?;
        let (path, draft) = (self.path(number), self.0.join(format!("dmsc-{number}.key.new")));
        // Left by a process that was killed here.
        private::remove(&draft)?;
        let mut file = private::options().create_new(true).open(&draft)?;
        file.write_all(key.expose())?;
        file.sync_all()?;
        fs::rename(&draft, &path)?;
        private::sync_directory(&self.0)
    }
}

impl KeySource for KeyFiles {
    fn load(&self, number: u32) -> Result<Option<Secret>> {
        let path = self.path(number);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        check_mode(&path, &file)?;
        let mut key = Vec::with_capacity(KEY_OCTETS + 1);
        let limit = KEY_OCTETS as u64 + 1;
        file.take(limit).read_to_end(&mut key).map_err(|error| failed(&path, &error))?;
        let key = Secret::new(key);
        if key.expose().len() != KEY_OCTETS {
            let what = format!("{}: a key has {KEY_OCTETS} octets", path.display());
            return Err(Error::new(Code::StorageKey, what));
        }
        Ok(Some(key))
    }

    fn make(&self, number: u32, random: Secret) -> Result<Secret> {
        self.write(number, &random).map_err(|error| failed(&self.path(number), &error))?;
        Ok(random)
    }

    fn remove(&self, number: u32) -> Result<()> {
        let path = self.path(number);
        private::remove(&path).map_err(|error| failed(&path, &error))
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    private::failed(error).context(path.display())
}

/// A key that others can read is none.
fn check_mode(path: &Path, file: &File) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = file.metadata().map_err(|error| failed(path, &error))?.permissions().mode();
        if mode & 0o077 != 0 {
            let what = format!("{}: mode {:04o}, must be 0600", path.display(), mode & 0o7777);
            return Err(Error::new(Code::StorageKey, what));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}
