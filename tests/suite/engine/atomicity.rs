//! A batch is applied whole or not at all, and nobody sees it otherwise.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use dendro::engine::{Batch, Direction, Engine, KeyRange, ScanPage, ScanRequest};

use super::subject::{Subject, get, tree};

const TREES: [&str; 3] = ["heads", "bodies", "index/by_time"];
const KEYS: usize = 40;

pub async fn a_batch_reaches_all_its_trees(subject: &Subject) {
    let engine = subject.open();
    engine.commit(stamp(7)).await.unwrap();
    for name in TREES {
        assert_eq!(get(&*engine, &tree(name), "key-00").await.as_deref(), Some("7"));
        assert_eq!(get(&*engine, &tree(name), "key-39").await.as_deref(), Some("7"));
    }
}

/// Every batch writes one number to all keys of all trees, so a reader that finds two numbers saw a part.
pub async fn readers_see_a_batch_whole_or_not_at_all(subject: &Subject) {
    let engine = subject.open();
    engine.commit(stamp(0)).await.unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn({
        let (engine, done) = (engine.clone(), done.clone());
        async move {
            for number in 1..150 {
                engine.commit(stamp(number)).await.unwrap();
            }
            done.store(true, Ordering::Release);
        }
    });
    let readers = [false, true].map(|backward| {
        let (engine, done) = (engine.clone(), done.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::Acquire) {
                assert_one_number(&scan_all(&*engine, backward).await);
                assert_gets_agree(&*engine).await;
            }
        })
    });
    writer.await.unwrap();
    for reader in readers {
        reader.await.unwrap();
    }
}

fn stamp(number: u32) -> Batch {
    let mut batch = Batch::default();
    for name in TREES {
        for index in 0..KEYS {
            batch.put(&tree(name), key(index), number.to_string());
        }
    }
    batch
}

fn key(index: usize) -> Vec<u8> {
    format!("key-{index:02}").into_bytes()
}

async fn scan_all(engine: &dyn Engine, backward: bool) -> Vec<ScanPage> {
    let direction = if backward { Direction::Backward } else { Direction::Forward };
    let request = |name: &&str| ScanRequest {
        direction,
        ..ScanRequest::forward(&tree(name), KeyRange::all(), usize::MAX)
    };
    engine.scan_many(TREES.iter().map(request).collect()).await.unwrap()
}

fn assert_one_number(pages: &[ScanPage]) {
    let first = &pages[0].entries[0].value;
    for page in pages {
        assert_eq!(page.entries.len(), KEYS);
        assert!(page.entries.iter().all(|entry| entry.value == first), "a scan saw a part of a batch");
    }
}

async fn assert_gets_agree(engine: &dyn Engine) {
    let found = engine.get_many(&tree(TREES[1]), (0..KEYS).map(key).collect()).await.unwrap();
    assert!(found.iter().all(|value| *value == found[0]), "a get saw a part of a batch");
}
