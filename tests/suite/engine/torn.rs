//! After a loss of power the end of a log may be there in part: some of its pages reached the disk and
//! some did not. That is the batch under way, which nobody was told of; all before it must be there.

use std::{
    fs::{self, File},
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use dendro::engine::{Batch, Engine, EngineKind, Tree};

use super::subject::{Subject, tree};

const TREES: [&str; 3] = ["one", "two", "three"];
const TORN_BYTES: usize = 512;

pub async fn a_torn_end_of_the_log_undoes_the_last_batch_alone(subject: &Subject) {
    let engine = subject.open();
    for number in 0..5 {
        engine.commit(numbered(number)).await.unwrap();
    }
    let mut undone = 0;
    for back in [0, 1, 300, 1000, 3000, 7000, 11_000] {
        let copy = subject.dir().join(format!("torn-{back}"));
        copy_dir(&subject.database(), &copy);
        tear(&log(subject.config().kind, &copy), back);

        let torn = subject.open_at(&copy).unwrap();
        let last = newest(&*torn, &tree(TREES[0])).await;
        assert!((3..=4).contains(&last), "torn {back} bytes from the end: {last} is the last batch");
        for name in TREES {
            assert_eq!(newest(&*torn, &tree(name)).await, last, "a batch is there in part");
        }
        undone += u8::from(last == 3);
        torn.commit(numbered(last + 1)).await.unwrap();
        drop(torn);
        assert_eq!(newest(&*subject.open_at(&copy).unwrap(), &tree(TREES[2])).await, last + 1);
    }
    assert!(undone >= 5, "the batch was torn only {undone} times");
}

fn numbered(number: u8) -> Batch {
    let mut batch = Batch::default();
    for name in TREES {
        batch.put(&tree(name), vec![number], vec![number + 1; 4000]);
        batch.put(&tree(name), b"newest".to_vec(), vec![number; 3]);
    }
    batch
}

/// The number of the newest batch in a tree, all of whose batches before must be there.
async fn newest(engine: &dyn Engine, tree: &Tree) -> u8 {
    let found = engine.get_many(tree, vec![b"newest".to_vec()]).await.unwrap();
    let newest = found[0].as_ref().unwrap()[0];
    let found = engine.get_many(tree, (0..=newest + 1).map(|number| vec![number]).collect()).await.unwrap();
    for (value, number) in found.iter().zip(0..=newest) {
        assert!(*value.as_ref().unwrap() == vec![number + 1; 4000], "batch {number}");
    }
    assert!(found.last().unwrap().is_none());
    newest
}

fn log(kind: EngineKind, database: &Path) -> PathBuf {
    match kind {
        EngineKind::Sled => database.join("sled/db"),
        EngineKind::Fjall => database.join("fjall/0.jnl"),
        EngineKind::Memory => unreachable!("it has no log"),
    }
}

/// Turns some bytes of a file to zero, `back` bytes before the last that is not zero already.
fn tear(log: &Path, back: u64) {
    let bytes = fs::read(log).unwrap();
    let written = bytes.chunks(4096).rposition(|chunk| *chunk != vec![0; chunk.len()]).unwrap() * 4096;
    let end = written + bytes[written..].iter().take(4096).rposition(|byte| *byte != 0).unwrap() + 1;
    let mut file = File::options().write(true).open(log).unwrap();
    file.seek(SeekFrom::Start((end - TORN_BYTES) as u64 - back)).unwrap();
    file.write_all(&[0; TORN_BYTES]).unwrap();
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), &to).unwrap();
        }
    }
}
