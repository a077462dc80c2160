//! Any sequence of calls answers as an ordered map would.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;
use dendro::engine::{
    Batch, Direction, EngineError, EngineKind, Entry, KeyRange, ScanPage, ScanRequest, SharedEngine, Tree,
    scan,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use tokio::{runtime::Handle, task::block_in_place};

use super::subject::{Subject, tree};

const TREES: [&str; 3] = ["a", "a/b", "c"];

type Key = Vec<u8>;

#[derive(Debug, Clone)]
enum Step {
    Commit { requires: Vec<(usize, Key, Expected)>, writes: Vec<(usize, Key, Option<Bytes>)> },
    Scan(usize, KeyRange, Direction, usize, usize),
    Get(usize, Vec<Key>),
    DropTree(usize),
    Reopen,
}

/// What a precondition asks for: what is there, or anything.
#[derive(Debug, Clone)]
enum Expected {
    Current,
    Any(Option<Bytes>),
}

pub async fn any_sequence_of_calls_answers_as_a_map_would(subject: &Subject) {
    let kind = subject.config().kind;
    let on_disk = kind != EngineKind::Memory;
    // As many as take a second or two.
    let cases = match kind {
        EngineKind::Memory => 200,
        EngineKind::Sled => 40,
        EngineKind::Fjall => 10,
    };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let run = |steps: Vec<Step>| {
        block_in_place(|| Handle::current().block_on(follow(&subject.fresh(), steps, on_disk)));
        Ok(())
    };
    runner.run(&prop::collection::vec(step(), 1..40), run).unwrap();
}

#[derive(Default)]
struct Model(BTreeMap<Tree, BTreeMap<Key, Bytes>>);

async fn follow(subject: &Subject, steps: Vec<Step>, on_disk: bool) {
    let mut engine = subject.open();
    let mut model = Model::default();
    for step in steps {
        match step {
            Step::Commit { requires, writes } => commit(&engine, &mut model, requires, writes).await,
            Step::Scan(tree, range, direction, limit, max_bytes) => {
                let request = ScanRequest { tree: named(tree), range, direction, limit, max_bytes };
                let expected = model.scan(&request);
                assert_eq!(scan(&*engine, request.clone()).await.unwrap(), expected, "{request:?}");
            }
            Step::Get(tree, keys) => {
                let expected: Vec<_> = keys.iter().map(|key| model.get(tree, key)).collect();
                assert_eq!(engine.get_many(&named(tree), keys).await.unwrap(), expected);
            }
            Step::DropTree(tree) => {
                engine.drop_tree(&named(tree)).await.unwrap();
                model.0.remove(&named(tree));
            }
            Step::Reopen if on_disk => {
                drop(engine);
                engine = subject.open();
            }
            Step::Reopen => {}
        }
        assert_eq!(engine.trees().await.unwrap(), model.0.keys().cloned().collect::<Vec<_>>());
    }
}

async fn commit(
    engine: &SharedEngine,
    model: &mut Model,
    requires: Vec<(usize, Key, Expected)>,
    writes: Vec<(usize, Key, Option<Bytes>)>,
) {
    let mut batch = Batch::default();
    let mut holds = true;
    for (tree, key, expected) in requires {
        let current = model.get(tree, &key);
        let expected = match expected {
            Expected::Current => current.clone(),
            Expected::Any(value) => value,
        };
        holds &= expected == current;
        batch.require(&named(tree), key, expected);
    }
    for (tree, key, value) in &writes {
        match value {
            Some(value) => batch.put(&named(*tree), key.clone(), value.clone()),
            None => batch.delete(&named(*tree), key.clone()),
        }
    }
    match engine.commit(batch).await {
        Ok(()) => assert!(holds, "a precondition did not hold"),
        Err(EngineError::Conflict { .. }) => assert!(!holds, "all preconditions held"),
        Err(error) => panic!("{error}"),
    }
    if holds {
        model.apply(writes);
    }
}

impl Model {
    fn get(&self, tree: usize, key: &[u8]) -> Option<Bytes> {
        self.0.get(&named(tree))?.get(key).cloned()
    }

    fn apply(&mut self, writes: Vec<(usize, Key, Option<Bytes>)>) {
        let last: BTreeMap<(usize, Key), Option<Bytes>> =
            writes.into_iter().map(|(tree, key, value)| ((tree, key), value)).collect();
        for ((tree, key), value) in last {
            match value {
                Some(value) => {
                    self.0.entry(named(tree)).or_default().insert(key, value);
                }
                None => {
                    self.0.get_mut(&named(tree)).and_then(|entries| entries.remove(&key));
                }
            }
        }
    }

    fn scan(&self, request: &ScanRequest) -> ScanPage {
        let contains = |key: &Key| {
            let above = match &request.range.start {
                Bound::Included(start) => key >= start,
                Bound::Excluded(start) => key > start,
                Bound::Unbounded => true,
            };
            let below = match &request.range.end {
                Bound::Included(end) => key <= end,
                Bound::Excluded(end) => key < end,
                Bound::Unbounded => true,
            };
            above && below
        };
        let mut found: Vec<Entry> = self
            .0
            .get(&request.tree)
            .into_iter()
            .flatten()
            .filter(|(key, _)| contains(key))
            .map(|(key, value)| Entry { key: key.clone().into(), value: value.clone() })
            .collect();
        if request.direction == Direction::Backward {
            found.reverse();
        }
        let mut bytes = 0;
        let fits = found
            .iter()
            .take(request.limit)
            .take_while(|entry| {
                let fits = bytes < request.max_bytes.max(1);
                bytes += entry.key.len() + entry.value.len();
                fits
            })
            .count();
        let more = found.len() > fits;
        found.truncate(fits);
        ScanPage { entries: found, more }
    }
}

fn named(index: usize) -> Tree {
    tree(TREES[index])
}

fn step() -> impl Strategy<Value = Step> {
    let commit = (
        prop::collection::vec((0..TREES.len(), key(), expected()), 0..2),
        prop::collection::vec((0..TREES.len(), key(), prop::option::weighted(0.8, value())), 0..30),
    );
    let scan =
        (0..TREES.len(), range(), direction(), 0..40_usize, prop_oneof![Just(usize::MAX), 0..60_000_usize]);
    prop_oneof![
        6 => commit.prop_map(|(requires, writes)| Step::Commit { requires, writes }),
        6 => scan.prop_map(|(tree, range, direction, limit, bytes)| Step::Scan(tree, range, direction, limit, bytes)),
        2 => (0..TREES.len(), prop::collection::vec(key(), 0..6)).prop_map(|(tree, keys)| Step::Get(tree, keys)),
        1 => (0..TREES.len()).prop_map(Step::DropTree),
        1 => Just(Step::Reopen),
    ]
}

/// Few enough keys that they meet, of bytes and lengths at which orders go wrong.
fn key() -> impl Strategy<Value = Key> {
    prop::collection::vec(prop::sample::select(vec![0, 1, b'a', 254, 255]), 1..4)
}

fn value() -> impl Strategy<Value = Bytes> {
    let length = prop_oneof![8 => 0..40_usize, 2 => 900..1100_usize, 1 => 4_090..4_100_usize, 1 => 30_000..70_000_usize];
    (any::<u8>(), length).prop_map(|(byte, length)| vec![byte; length].into())
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![4 => Just(Expected::Current), 1 => prop::option::of(value()).prop_map(Expected::Any)]
}

fn direction() -> impl Strategy<Value = Direction> {
    prop::sample::select(vec![Direction::Forward, Direction::Backward])
}

fn range() -> impl Strategy<Value = KeyRange> {
    let bound = || {
        prop_oneof![Just(Bound::Unbounded), key().prop_map(Bound::Included), key().prop_map(Bound::Excluded),]
    };
    prop_oneof![
        1 => Just(KeyRange::all()),
        2 => key().prop_map(|prefix| KeyRange::prefix(&prefix)),
        4 => (bound(), bound()).prop_map(|(start, end)| KeyRange { start, end }),
    ]
}
