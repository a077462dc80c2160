//! fjall's journal after a loss of power: its last batch may be there in part, and fjall then refuses
//! to open the database when the part that is missing is not the end.
//!
//! Each batch is synced before the next begins, so only the last can be torn, and nobody was told that
//! it took place. fjall does drop a batch without an end, so the end is cut off here.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// Bytes that are read at once in search of the end.
const STRIDE: usize = 64 << 10;

/// A journal whose last batch was cut short, and what it takes to undo that.
#[derive(Debug)]
pub(super) struct CutJournal {
    path: PathBuf,
    length: u64,
    cut_at: u64,
    last_byte: u8,
}

impl CutJournal {
    /// Cuts the last byte of the last batch from the newest journal of `dir`; `None` if there is none.
    pub(super) fn cut(dir: &Path) -> io::Result<Option<Self>> {
        let Some(path) = newest_journal(dir)? else { return Ok(None) };
        let mut file = File::options().read(true).write(true).open(&path)?;
        let length = file.metadata()?.len();
        let Some((cut_at, last_byte)) = last_written_byte(&mut file, length)? else { return Ok(None) };
        file.set_len(cut_at)?;
        file.sync_all()?;
        Ok(Some(Self { path, length, cut_at, last_byte }))
    }

    /// Makes the journal what it was before.
    pub(super) fn restore(self) -> io::Result<()> {
        let mut file = File::options().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(self.cut_at))?;
        file.write_all(&[self.last_byte])?;
        file.set_len(self.length)?;
        file.sync_all()
    }
}

/// A journal is made 64 MB long before anything is in it. What stays empty is given back when this is
/// dropped, which must be after the database; all of it, where nothing needs it any more.
pub(super) struct Trimmed {
    dir: PathBuf,
    is_needed: AtomicBool,
}

impl Trimmed {
    /// That of a database's folder.
    pub(super) fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), is_needed: AtomicBool::new(true) }
    }

    /// Says whether something is in the journals that is not on the disk elsewhere.
    pub(super) fn set_needed(&self, is_needed: bool) {
        self.is_needed.store(is_needed, Ordering::Release);
    }

    fn trim(&self) -> io::Result<()> {
        let mut journals = journals(&self.dir)?;
        let Some((_, newest)) = journals.pop_last() else { return Ok(()) };
        let mut file = File::options().read(true).write(true).open(newest)?;
        let length = file.metadata()?.len();
        // An older one that is still there is read again before this one, which may take back what it says.
        let is_needed = self.is_needed.load(Ordering::Acquire) || !journals.is_empty();
        let end = if is_needed { written(&mut file, length)? } else { 0 };
        if end < length { file.set_len(end) } else { Ok(()) }
    }
}

impl Drop for Trimmed {
    fn drop(&mut self) {
        if let Err(error) = self.trim() {
            tracing::debug!(%error, "the journal stays as long as it is");
        }
    }
}

/// Bytes in all journals.
pub(super) fn written_bytes(dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for path in journals(dir)?.into_values() {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        bytes += written(&mut file, length)?;
    }
    Ok(bytes)
}

/// Bytes of a journal up to where it was written.
fn written(file: &mut File, length: u64) -> io::Result<u64> {
    Ok(last_written_byte(file, length)?.map_or(0, |(at, _)| at + 1))
}

/// The journal with the highest number, which is the one that was written to.
fn newest_journal(dir: &Path) -> io::Result<Option<PathBuf>> {
    Ok(journals(dir)?.pop_last().map(|(_, path)| path))
}

/// The journals by their numbers.
fn journals(dir: &Path) -> io::Result<BTreeMap<u64, PathBuf>> {
    let mut journals = BTreeMap::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name.and_then(|name| name.strip_suffix(".jnl")?.parse().ok());
        journals.extend(number.map(|number| (number, path)));
    }
    Ok(journals)
}

/// Where the last byte is that is not zero, and which. A journal is made longer than what is in it, and
/// a batch does not end with a zero.
fn last_written_byte(file: &mut File, length: u64) -> io::Result<Option<(u64, u8)>> {
    static ZEROS: [u8; STRIDE] = [0; STRIDE];
    let mut end = length;
    let mut bytes = Vec::with_capacity(STRIDE);
    while end > 0 {
        let start = end.saturating_sub(STRIDE as u64);
        bytes.clear();
        file.seek(SeekFrom::Start(start))?;
        file.take(end - start).read_to_end(&mut bytes)?;
        // Most of a journal is zeros, which are compared faster at once than one by one.
        if !ZEROS.starts_with(&bytes) {
            return Ok((start..).zip(bytes).filter(|(_, byte)| *byte != 0).last());
        }
        end = start;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_journal_is_cut_and_restored() {
        let dir = tempfile::tempdir().unwrap();
        assert!(CutJournal::cut(dir.path()).unwrap().is_none());
        let content = [vec![7; 100], vec![0; 200_000]].concat();
        fs::write(dir.path().join("9.jnl"), b"older").unwrap();
        fs::write(dir.path().join("10.jnl"), &content).unwrap();
        fs::write(dir.path().join("version"), b"other").unwrap();

        let cut = CutJournal::cut(dir.path()).unwrap().unwrap();
        assert_eq!(fs::read(dir.path().join("10.jnl")).unwrap(), vec![7; 99]);
        cut.restore().unwrap();
        assert_eq!(fs::read(dir.path().join("10.jnl")).unwrap(), content);
        assert_eq!(fs::read(dir.path().join("9.jnl")).unwrap(), b"older");
    }

    #[test]
    fn what_is_empty_of_a_journal_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let content = [vec![7; 70_001], vec![0; 3]].concat();
        fs::write(dir.path().join("9.jnl"), &content).unwrap();
        fs::write(dir.path().join("10.jnl"), [&content[..], &[7], &vec![0; 200_000]].concat()).unwrap();
        assert_eq!(written_bytes(dir.path()).unwrap(), 70_001 + content.len() as u64 + 1);
        drop(Trimmed::new(dir.path()));
        assert_eq!(fs::read(dir.path().join("9.jnl")).unwrap(), content);
        assert_eq!(fs::read(dir.path().join("10.jnl")).unwrap(), [&content[..], &[7]].concat());

        let newest = dir.path().join("10.jnl");
        let needs_nothing = || {
            Trimmed::new(dir.path()).set_needed(false);
            fs::metadata(&newest).unwrap().len()
        };
        assert_eq!(needs_nothing(), content.len() as u64 + 1, "an older journal is still there");
        fs::remove_file(dir.path().join("9.jnl")).unwrap();
        assert_eq!(needs_nothing(), 0);
    }

    #[test]
    fn an_empty_journal_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("0.jnl"), vec![0; 70_000]).unwrap();
        assert!(CutJournal::cut(dir.path()).unwrap().is_none());
        assert_eq!(fs::metadata(dir.path().join("0.jnl")).unwrap().len(), 70_000);
    }
}
