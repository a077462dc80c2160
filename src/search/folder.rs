//! The index's folder. What is in it can be made again from the store, so what is damaged, or of another format, is
//! thrown away.
//!
//! `FORMAT` says that the index is whole, in which format, and which generation it is: a number that changes when
//! the index is begun anew, by which others know that nothing of theirs is in it.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// The first line of `FORMAT`: raised when fields, or the rule by which texts are cut, change.
const LAYOUT: &str = "dendro search, format 1";

const FORMAT: &str = "FORMAT";

/// A folder that holds an index.
#[derive(Debug, Clone)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// The folder at this path, there or not.
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The generation of the index in it; `None` where there is no whole one of this format.
    pub fn generation(&self) -> Option<u32> {
        let text = fs::read_to_string(self.0.join(FORMAT)).ok()?;
        text.strip_prefix(LAYOUT)?.trim().strip_prefix("generation ")?.parse().ok()
    }

    /// Removes all that is in it.
    pub fn empty(&self) -> io::Result<()> {
        self.disown()?;
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        fs::create_dir_all(&self.0)
    }

    /// Says that the index is whole.
    pub fn declare(&self, generation: u32) -> io::Result<()> {
        let new = self.0.join("FORMAT.new");
        let mut file = File::create(&new)?;
        file.write_all(format!("{LAYOUT}\ngeneration {generation}\n").as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, self.0.join(FORMAT))?;
        self.sync()
    }

    /// Says that the index is not whole: whoever opens it next begins it anew.
    pub fn disown(&self) -> io::Result<()> {
        match fs::remove_file(self.0.join(FORMAT)) {
            Ok(()) => self.sync(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Makes the names in it durable.
    fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { File::open(&self.0)?.sync_all() } else { Ok(()) }
    }
}
