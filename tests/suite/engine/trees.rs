//! Trees: they come into being when written, keep apart, and can be dropped.

use dendro::engine::{Batch, Direction, KeyRange, Tree};

use super::subject::{Subject, all, get, keys, page, put, tree};

pub async fn a_tree_that_was_never_written_is_empty(subject: &Subject) {
    let (engine, none) = (subject.open(), tree("none"));
    assert_eq!(get(&*engine, &none, "a").await, None);
    let found = page(&*engine, &none, KeyRange::all(), Direction::Backward, 5).await;
    assert!(found.entries.is_empty() && !found.more);
    engine.drop_tree(&none).await.unwrap();
    assert_eq!(engine.trees().await.unwrap(), vec![], "reading makes no tree");
}

pub async fn trees_do_not_mix(subject: &Subject) {
    let engine = subject.open();
    let names = ["a", "a/b", "a.b", "a-b", "a_b", "A", "project/0190/heads", "t", "chunks"];
    for name in names {
        put(&*engine, &tree(name), &[("key", name)]).await;
    }
    for name in names {
        assert_eq!(get(&*engine, &tree(name), "key").await.as_deref(), Some(name));
        assert_eq!(keys(&all(&*engine, &tree(name)).await), ["key"]);
    }
    let mut expected: Vec<Tree> = names.iter().map(|name| tree(name)).collect();
    expected.sort();
    assert_eq!(engine.trees().await.unwrap(), expected);
}

pub async fn a_dropped_tree_is_gone_and_can_be_written_again(subject: &Subject) {
    let (engine, doomed, kept) = (subject.open(), tree("doomed"), tree("kept"));
    let mut batch = Batch::default();
    for index in 0..500_u32 {
        batch.put(&doomed, index.to_be_bytes().to_vec(), vec![7; 700]);
        batch.put(&kept, index.to_be_bytes().to_vec(), "kept");
    }
    batch.put(&doomed, b"large".to_vec(), vec![7; 1 << 20]);
    engine.commit(batch).await.unwrap();

    engine.drop_tree(&doomed).await.unwrap();
    engine.drop_tree(&doomed).await.unwrap();
    assert_eq!(all(&*engine, &doomed).await, vec![]);
    assert_eq!(engine.trees().await.unwrap(), vec![kept.clone()]);
    assert_eq!(all(&*engine, &kept).await.len(), 500);

    put(&*engine, &doomed, &[("again", "1")]).await;
    assert_eq!(keys(&all(&*engine, &doomed).await), ["again"]);
}

pub async fn a_hundred_trees_take_one_batch(subject: &Subject) {
    let engine = subject.open();
    let trees: Vec<Tree> = (0..100).map(|index| Tree::new(&format!("projects/{index:03}/rows"))).collect();
    let mut batch = Batch::default();
    for tree in &trees {
        batch.put(tree, b"name".to_vec(), tree.name().to_owned());
    }
    engine.commit(batch).await.unwrap();
    assert_eq!(engine.trees().await.unwrap(), trees);
    for tree in &trees {
        assert_eq!(get(&*engine, tree, "name").await.as_deref(), Some(tree.name()));
    }
}
