//! What was acknowledged is there when the database is opened again.

use std::time::Duration;

use dendro::engine::{Batch, Direction, KeyRange};

use super::subject::{Subject, all, get, page, put, tree};

pub async fn everything_is_there_again(subject: &Subject) {
    let (rows, other) = (tree("rows"), tree("project/other"));
    for round in 0..4_u8 {
        let engine = subject.open();
        for earlier in 0..round {
            assert_eq!(get(&*engine, &rows, &format!("round-{earlier}")).await, Some(earlier.to_string()));
            let found = engine.get_many(&other, vec![vec![earlier]]).await.unwrap();
            assert!(found[0].as_ref().is_some_and(|value| *value == vec![earlier; 300_000]));
        }
        assert_eq!(get(&*engine, &rows, "deleted").await, None);
        let mut batch = Batch::default();
        batch.put(&rows, format!("round-{round}").into_bytes(), round.to_string());
        batch.put(&rows, b"deleted".to_vec(), "x");
        batch.put(&other, vec![round], vec![round; 300_000]);
        engine.commit(batch).await.unwrap();
        let mut deletion = Batch::default();
        deletion.delete(&rows, b"deleted".to_vec());
        engine.commit(deletion).await.unwrap();
        assert!(engine.size_on_disk().await.unwrap() > 300_000 * u64::from(round + 1));
    }
    let engine = subject.open();
    assert_eq!(engine.trees().await.unwrap(), vec![other, rows.clone()]);
    assert_eq!(all(&*engine, &rows).await.len(), 4);
}

/// Enough that engines rotate, compact and sum up what they wrote.
pub async fn a_long_log_opens_again(subject: &Subject) {
    let rows = tree("rows");
    let engine = subject.open();
    for round in 0..60_u32 {
        let mut batch = Batch::default();
        for index in 0..50_u32 {
            let key = [(index * 7919 % 50).to_be_bytes(), (round % 30).to_be_bytes()].concat();
            let value = [round.to_be_bytes().as_slice(), &vec![7; 10_000]].concat();
            batch.put(&rows, key, value);
        }
        engine.commit(batch).await.unwrap();
    }
    drop(engine);
    for _ in 0..2 {
        let engine = subject.open();
        let found = page(&*engine, &rows, KeyRange::all(), Direction::Backward, usize::MAX).await;
        assert_eq!(found.entries.len(), 1500);
        for entry in &found.entries {
            let round = u32::from_be_bytes(entry.value[..4].try_into().unwrap());
            assert_eq!(entry.key[4..], (round - 30).to_be_bytes());
            assert_eq!(entry.value.len(), 10_004);
        }
    }
}

pub async fn dropped_trees_stay_gone(subject: &Subject) {
    let (doomed, kept) = (tree("doomed"), tree("kept"));
    let engine = subject.open();
    let mut batch = Batch::default();
    batch.put(&doomed, b"large".to_vec(), vec![1; 200_000]);
    batch.put(&doomed, b"small".to_vec(), "1");
    batch.put(&kept, b"small".to_vec(), "1");
    engine.commit(batch).await.unwrap();
    engine.drop_tree(&doomed).await.unwrap();
    drop(engine);

    let engine = subject.open();
    assert_eq!(engine.trees().await.unwrap(), vec![kept.clone()]);
    assert_eq!(all(&*engine, &doomed).await, vec![]);
    put(&*engine, &doomed, &[("small", "2")]).await;
    drop(engine);

    let engine = subject.open();
    assert_eq!(all(&*engine, &doomed).await.len(), 1);
    assert_eq!(get(&*engine, &doomed, "small").await.as_deref(), Some("2"));
    assert_eq!(get(&*engine, &kept, "small").await.as_deref(), Some("1"));
}

/// More than an engine leaves in its log when it is closed: values, what was overwritten, deleted and dropped.
pub async fn much_that_was_just_written_is_there_again(subject: &Subject) {
    let (rows, doomed, index) = (tree("rows"), tree("doomed"), tree("index"));
    for round in 0..3_u8 {
        let engine = subject.open();
        for part in 0..4_u8 {
            let mut batch = Batch::default();
            for key in 0..100_u8 {
                batch.put(&rows, vec![key], vec![round.max(part); if key % 2 == 0 { 100 } else { 10_000 }]);
                batch.put(&doomed, vec![round, part, key], vec![7; 2_000]);
                batch.put(&index, vec![key, round, part], "");
            }
            engine.commit(batch).await.unwrap();
        }
        let mut batch = Batch::default();
        batch.delete(&rows, vec![round]);
        (0..100).for_each(|key| batch.delete(&index, vec![key, round, 0]));
        engine.commit(batch).await.unwrap();
        engine.drop_tree(&doomed).await.unwrap();
        engine.finish().await.unwrap();
        // Nobody promised to write nothing more.
        put(&*engine, &rows, &[("late", "1")]).await;
        if round == 1 {
            engine.finish().await.unwrap();
        }
        drop(engine);

        let engine = subject.open();
        assert_eq!(engine.trees().await.unwrap(), vec![index.clone(), rows.clone()]);
        assert_eq!(get(&*engine, &rows, "late").await.as_deref(), Some("1"));
        let found = engine.get_many(&rows, (0..100).map(|key| vec![key]).collect()).await.unwrap();
        for (key, value) in (0..100_u8).zip(found) {
            let size = if key % 2 == 0 { 100 } else { 10_000 };
            let expected = (key != round).then(|| vec![round.max(3); size]);
            assert_eq!(value.map(|value| value.to_vec()), expected, "{key} in round {round}");
        }
        let left = page(&*engine, &index, KeyRange::all(), Direction::Forward, usize::MAX).await;
        assert_eq!(left.entries.len(), 300 * (usize::from(round) + 1));
        assert!(left.entries.iter().all(|entry| entry.key[2] != 0));
        drop(engine);
    }
}

/// More than an engine leaves in memory when nothing is written any more.
pub async fn what_is_put_aside_is_there_at_once_and_again(subject: &Subject) {
    let rows = tree("rows");
    let value = |round: u8, key: u8| vec![round ^ key; if key.is_multiple_of(2) { 100 } else { 100_000 }];
    for round in 0..2_u8 {
        let engine = subject.open();
        for key in 0..200 {
            let mut batch = Batch::default();
            batch.put(&rows, vec![key], value(round, key));
            batch.delete(&rows, vec![key, 7]);
            batch.put(&rows, vec![key, round], "");
            engine.commit(batch).await.unwrap();
        }
        // Once more changes nothing, and whoever writes meanwhile writes as ever.
        for late in ["late", "later"] {
            engine.rest().await.unwrap();
            put(&*engine, &rows, &[(late, "1")]).await;
            let found = engine.get_many(&rows, (0..200).map(|key| vec![key]).collect()).await.unwrap();
            for (key, found) in (0..200).zip(found) {
                assert_eq!(found.map(|found| found.to_vec()), Some(value(round, key)), "{key}");
            }
        }
        // It may be closed before that is done.
        drop(engine);
        let engine = subject.open();
        assert_eq!(get(&*engine, &rows, "later").await.as_deref(), Some("1"));
        let found = page(&*engine, &rows, KeyRange::all(), Direction::Forward, usize::MAX).await;
        assert_eq!(found.entries.len(), 200 * (usize::from(round) + 2) + 2);
        drop(engine);
    }
}

/// The handle that is dropped last may be one that nobody thinks of.
pub async fn who_waits_for_it_can_open_it_at_once(subject: &Subject) {
    let rows = tree("rows");
    for round in 0..5_u8 {
        let engine = subject.open();
        put(&*engine, &rows, &[(&format!("{round}"), "1")]).await;
        let (let_go, other) = (engine.let_go(), engine.clone());
        let holder = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            drop(other);
        });
        drop(engine);
        tokio::time::timeout(Duration::from_secs(60), let_go).await.unwrap();
        let engine = subject.open();
        assert_eq!(all(&*engine, &rows).await.len(), usize::from(round) + 1);
        holder.join().unwrap();
    }
}
