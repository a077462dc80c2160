//! The writes of a batch by tree and key, one for each key: the later of two writes wins. Libraries do
//! not promise that on their own.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Tree, Write};

/// The last write to each key of a tree, in the order of the keys.
pub(super) type TreeWrites = BTreeMap<Vec<u8>, Option<Bytes>>;

/// The last write to each key, by tree.
pub(super) fn by_tree(writes: Vec<Write>) -> BTreeMap<Tree, TreeWrites> {
    let mut trees = BTreeMap::<Tree, TreeWrites>::new();
    for Write { tree, key, value } in writes {
        trees.entry(tree).or_default().insert(key, value);
    }
    trees
}
