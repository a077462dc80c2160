//! Taking a file's items into a dataset: as many in one version as are handled well at a time.

use super::FileItem;
use crate::{
    model::{DatasetId, dataset::Dataset},
    service::{
        ServiceResult,
        datasets::{AddedItem, Datasets, Placed},
    },
};

/// Bytes of items that are added at once: what they hold in memory.
const BYTES_AT_ONCE: usize = 8 << 20;

/// Items that are added at once.
const ITEMS_AT_ONCE: usize = 10_000;

/// What became of a file's items.
#[derive(Debug, Clone)]
pub struct ImportedItems {
    /// The dataset after it; `None` where the file has no items.
    pub dataset: Option<Dataset>,
    /// Items that are new.
    pub added: u64,
    /// Items that say the same as one that was there.
    pub unchanged: u64,
    /// Items that cannot be kept.
    pub refused: u64,
}

impl Datasets {
    /// Adds a file's items to a dataset; `refused` is told of those that cannot be kept: the place, and why.
    pub async fn import(
        &self,
        id: DatasetId,
        items: impl Iterator<Item = FileItem>,
        mut refused: impl FnMut(&str, &str),
    ) -> ServiceResult<ImportedItems> {
        let mut imported = ImportedItems { dataset: None, added: 0, unchanged: 0, refused: 0 };
        let mut items = items.peekable();
        while items.peek().is_some() {
            let (mut part, mut bytes) = (Vec::new(), 0);
            while let Some(item) = items.next_if(|_| bytes < BYTES_AT_ONCE && part.len() < ITEMS_AT_ONCE) {
                bytes += item.value.as_ref().map_or(0, |item| item.content.input.text().len());
                part.push(item);
            }
            let added = self.add_items(id, part).await?;
            imported.dataset = Some(added.dataset);
            for Placed { place, value } in added.outcomes {
                match value {
                    AddedItem::Added(_) => imported.added += 1,
                    AddedItem::Unchanged(_) => imported.unchanged += 1,
                    AddedItem::Refused(value) => {
                        imported.refused += 1;
                        let told = value.to_string();
                        // The refusal names its field below the place, which stands before it here.
                        let below = told.strip_prefix(&place).and_then(|rest| rest.strip_prefix('.'));
                        refused(&place, below.unwrap_or(&told));
                    }
                }
            }
        }
        Ok(imported)
    }
}
