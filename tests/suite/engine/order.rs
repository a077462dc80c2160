//! Keys in byte order, in either direction, within bounds.

use std::ops::Bound::{self, Excluded, Included, Unbounded};

use dendro::engine::{Batch, Direction, Direction::Backward, Direction::Forward, Engine, KeyRange, Tree};

use super::subject::{Subject, keys, page, put, tree};

pub async fn keys_come_in_byte_order_both_ways(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut sorted: Vec<Vec<u8>> = vec![
        vec![0],
        vec![0, 0],
        vec![0, 255],
        vec![1],
        b"A".to_vec(),
        b"B".to_vec(),
        b"a".to_vec(),
        b"aa".to_vec(),
        b"ab".to_vec(),
        b"b".to_vec(),
        vec![127, 255],
        vec![128],
        vec![255],
        vec![255, 0],
        vec![255, 255],
    ];
    for key in sorted.iter().rev().step_by(2).chain(sorted.iter().rev().skip(1).step_by(2)) {
        let mut batch = Batch::default();
        batch.put(&rows, key.clone(), key.clone());
        engine.commit(batch).await.unwrap();
    }
    assert_eq!(raw_keys(&*engine, &rows, KeyRange::all(), Forward).await, sorted);
    sorted.reverse();
    assert_eq!(raw_keys(&*engine, &rows, KeyRange::all(), Backward).await, sorted);
}

pub async fn bounds_are_kept(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    put(&*engine, &rows, &[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")]).await;
    let cases: [(Bound<&str>, Bound<&str>, &[&str]); 8] = [
        (Unbounded, Unbounded, &["a", "b", "c", "d", "e"]),
        (Included("b"), Included("d"), &["b", "c", "d"]),
        (Included("b"), Excluded("d"), &["b", "c"]),
        (Excluded("b"), Included("d"), &["c", "d"]),
        (Excluded("b"), Excluded("d"), &["c"]),
        (Unbounded, Excluded("c"), &["a", "b"]),
        (Excluded("c"), Unbounded, &["d", "e"]),
        (Included("bb"), Included("cc"), &["c"]),
    ];
    for (start, end, expected) in cases {
        let range = || range(start, end);
        let forward = page(&*engine, &rows, range(), Forward, 10).await;
        assert_eq!(keys(&forward.entries), expected, "{start:?} {end:?}");
        let backward = page(&*engine, &rows, range(), Backward, 10).await;
        let mut reversed = keys(&backward.entries);
        reversed.reverse();
        assert_eq!(reversed, expected, "{start:?} {end:?}");
        assert!(!forward.more && !backward.more);
    }
}

pub async fn an_empty_or_inverted_range_finds_nothing(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    put(&*engine, &rows, &[("a", ""), ("b", ""), ("c", "")]).await;
    let ranges = [
        range(Included("c"), Included("a")),
        range(Excluded("b"), Excluded("b")),
        range(Included("b"), Excluded("b")),
        range(Excluded("b"), Included("b")),
        range(Excluded("c"), Unbounded),
        range(Unbounded, Excluded("a")),
        KeyRange::prefix(b"d"),
    ];
    for range in ranges {
        for direction in [Forward, Backward] {
            let found = page(&*engine, &rows, range.clone(), direction, 10).await;
            assert!(found.entries.is_empty() && !found.more, "{range:?} {direction:?}");
        }
    }
}

pub async fn a_prefix_of_the_highest_bytes_is_bounded_right(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let mut batch = Batch::default();
    for key in [&b"p"[..], b"p\xff", b"p\xff\xff", b"p\xff\xffz", b"q", b"\xff", b"\xff\xff", b"\xff\xffz"] {
        batch.put(&rows, key.to_vec(), "");
    }
    engine.commit(batch).await.unwrap();
    let under = |prefix: &'static [u8]| raw_keys(&*engine, &rows, KeyRange::prefix(prefix), Forward);
    assert_eq!(under(b"p\xff\xff").await, [&b"p\xff\xff"[..], b"p\xff\xffz"]);
    assert_eq!(under(b"p\xff").await.len(), 3);
    assert_eq!(under(b"p").await.len(), 4);
    assert_eq!(under(b"\xff\xff").await, [&b"\xff\xff"[..], b"\xff\xffz"]);
    assert_eq!(under(b"").await.len(), 8);
}

fn range(start: Bound<&str>, end: Bound<&str>) -> KeyRange {
    let owned = |bound: Bound<&str>| bound.map(|key| key.as_bytes().to_vec());
    KeyRange { start: owned(start), end: owned(end) }
}

async fn raw_keys(engine: &dyn Engine, tree: &Tree, range: KeyRange, direction: Direction) -> Vec<Vec<u8>> {
    let found = page(engine, tree, range, direction, usize::MAX).await;
    found.entries.iter().map(|entry| entry.key.to_vec()).collect()
}
