//! Many writers at once.

use bytes::Bytes;
use dendro::engine::{Batch, EngineError, SharedEngine};

use super::subject::{Subject, all, get, tree};

const WRITERS: u32 = 8;
const ROUNDS: u32 = 25;

/// Each writer adds 1 to a counter by precondition, and tries again on a conflict.
pub async fn read_modify_write_loses_nothing(subject: &Subject) {
    let engine = subject.open();
    let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(add_to_counter(engine.clone()))).collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let expected = (WRITERS * ROUNDS).to_string();
    assert_eq!(get(&*engine, &tree("counters"), "counter").await, Some(expected));
}

async fn add_to_counter(engine: SharedEngine) {
    let counters = tree("counters");
    let mut done = 0;
    while done < ROUNDS {
        let found = get(&*engine, &counters, "counter").await;
        let number: u32 = found.as_deref().map_or(0, |text| text.parse().unwrap());
        let mut batch = Batch::default();
        batch.require(&counters, b"counter".to_vec(), found.map(Bytes::from));
        batch.put(&counters, b"counter".to_vec(), (number + 1).to_string());
        match engine.commit(batch).await {
            Ok(()) => done += 1,
            Err(EngineError::Conflict { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}

pub async fn writers_of_different_keys_all_land(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let (engine, rows) = (engine.clone(), rows.clone());
            tokio::spawn(async move {
                for round in 0..ROUNDS {
                    let mut batch = Batch::default();
                    batch.put(&rows, [round.to_be_bytes(), writer.to_be_bytes()].concat(), "value");
                    engine.commit(batch).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(all(&*engine, &rows).await.len(), (WRITERS * ROUNDS) as usize);
}
