//! What no engine stores is refused by all of them alike.

use dendro::engine::{Batch, EngineError, MAX_KEY_BYTES, MAX_TREE_NAME_BYTES, Tree};

use super::subject::{Subject, all, tree};

pub async fn what_cannot_be_stored_is_refused_and_changes_nothing(subject: &Subject) {
    let (engine, rows) = (subject.open(), tree("rows"));
    let refused = [
        (tree("rows"), vec![]),
        (tree("rows"), vec![b'k'; MAX_KEY_BYTES + 1]),
        (tree(""), b"key".to_vec()),
        (tree("with space"), b"key".to_vec()),
        (tree("größe"), b"key".to_vec()),
        (tree("nul\0"), b"key".to_vec()),
        (Tree::new(&"n".repeat(MAX_TREE_NAME_BYTES + 1)), b"key".to_vec()),
    ];
    for (tree, key) in refused {
        let mut batch = Batch::default();
        batch.put(&rows, b"good".to_vec(), "value");
        batch.put(&tree, key, "value");
        assert!(matches!(engine.commit(batch).await, Err(EngineError::Invalid(_))), "tree `{tree}`");
        let mut deletion = Batch::default();
        deletion.delete(&tree, vec![]);
        assert!(matches!(engine.commit(deletion).await, Err(EngineError::Invalid(_))), "tree `{tree}`");
    }
    assert_eq!(all(&*engine, &rows).await, vec![]);
    assert_eq!(engine.get_many(&rows, vec![vec![], vec![b'k'; 70_000]]).await.unwrap(), vec![None, None]);
}

pub async fn the_longest_key_and_name_are_stored(subject: &Subject) {
    let engine = subject.open();
    let longest = Tree::new(&"n".repeat(MAX_TREE_NAME_BYTES));
    let key = |last: u8| [vec![0xff; MAX_KEY_BYTES - 1], vec![last]].concat();
    for last in 0..=255 {
        let mut batch = Batch::default();
        batch.put(&longest, key(last), vec![last]);
        engine.commit(batch).await.unwrap();
    }
    let found = all(&*engine, &longest).await;
    assert_eq!(found.len(), 256);
    for (entry, last) in found.iter().zip(0..=255) {
        assert_eq!((entry.key.to_vec(), entry.value.to_vec()), (key(last), vec![last]));
    }
    assert_eq!(engine.trees().await.unwrap(), vec![longest]);
}
