//! Pages: limits by entries and by bytes, and whether there is more.

use dendro::engine::{Batch, Direction, Engine, KeyRange, ScanRequest, Tree, scan};

use super::subject::{Subject, keys, page, put, tree};

pub async fn pages_join_without_gap_or_overlap_both_ways(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let expected = fill(&*engine, &rows, 103).await;
    for direction in [Direction::Forward, Direction::Backward] {
        let mut seen = Vec::new();
        let mut range = KeyRange::all();
        loop {
            let found = page(&*engine, &rows, range.clone(), direction, 10).await;
            assert!(found.entries.len() == 10 || !found.more);
            seen.extend(found.entries.iter().map(|entry| entry.key.to_vec()));
            if !found.more {
                break;
            }
            let last = seen.last().unwrap();
            range = match direction {
                Direction::Forward => range.after(last),
                Direction::Backward => range.before(last),
            };
        }
        if direction == Direction::Backward {
            seen.reverse();
        }
        assert_eq!(seen, expected);
    }
}

pub async fn more_is_exact(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    fill(&*engine, &rows, 20).await;
    for direction in [Direction::Forward, Direction::Backward] {
        for (limit, more) in [(0, true), (19, true), (20, false), (21, false)] {
            let found = page(&*engine, &rows, KeyRange::all(), direction, limit).await;
            assert_eq!((found.entries.len(), found.more), (limit.min(20), more), "{direction:?} {limit}");
        }
        let found = page(&*engine, &rows, KeyRange::prefix(b"key-0001"), direction, 10).await;
        assert_eq!((found.entries.len(), found.more), (10, false), "what lies outside the range is not more");
        let found = page(&*engine, &rows, KeyRange::prefix(b"none"), direction, 0).await;
        assert!(!found.more);
    }
}

pub async fn a_page_ends_with_the_entry_that_reaches_its_bytes(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut batch = Batch::default();
    for index in 0..8_u8 {
        batch.put(&rows, vec![index], vec![index; 99]);
    }
    engine.commit(batch).await.unwrap();
    for (max_bytes, entries) in [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (750, 8), (800, 8), (801, 8)] {
        let request = ScanRequest { max_bytes, ..ScanRequest::forward(&rows, KeyRange::all(), 100) };
        let found = scan(&*engine, request).await.unwrap();
        assert_eq!((found.entries.len(), found.more), (entries, entries < 8), "{max_bytes} bytes");
    }
}

pub async fn requests_are_answered_in_order(subject: &Subject) {
    let (engine, one, two) = (subject.open(), tree("one"), tree("two"));
    put(&*engine, &one, &[("a", "1"), ("b", "1")]).await;
    put(&*engine, &two, &[("c", "2")]).await;
    let requests = vec![
        ScanRequest::backward(&one, KeyRange::all(), 10),
        ScanRequest::forward(&two, KeyRange::all(), 10),
        ScanRequest::forward(&tree("none"), KeyRange::all(), 10),
        ScanRequest::forward(&one, KeyRange::all(), 1),
    ];
    let pages = engine.scan_many(requests).await.unwrap();
    let found: Vec<_> = pages.iter().map(|page| (keys(&page.entries), page.more)).collect();
    assert_eq!(found, [(vec!["b", "a"], false), (vec!["c"], false), (vec![], false), (vec!["a"], true)]);
    assert_eq!(engine.scan_many(vec![]).await.unwrap(), vec![]);
}

async fn fill(engine: &dyn Engine, tree: &Tree, count: usize) -> Vec<Vec<u8>> {
    let keys: Vec<Vec<u8>> = (0..count).map(|index| format!("key-{index:05}").into_bytes()).collect();
    let mut batch = Batch::default();
    for key in &keys {
        batch.put(tree, key.clone(), "value");
    }
    engine.commit(batch).await.unwrap();
    keys
}
