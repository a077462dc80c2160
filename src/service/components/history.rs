//! What happened to a component's labels and versions: kept in the commit in which it happens.

use super::Components;
use crate::{
    model::{
        Timestamp,
        component::{ComponentChange, ComponentEvent, VersionHash, VersionState},
        page::{Cursor, ListId, Page, PageRequest},
    },
    service::{Context, ServiceResult},
    store::{Direction, StoreResult, Tx, key::Key, keyspace, prefix},
};

/// An event that is about to happen, with its place among the others.
pub(super) struct Event {
    component_id: String,
    at: Timestamp,
    number: [u8; 16],
}

impl Event {
    pub(super) fn new(context: &Context, component_id: &str) -> Self {
        let number: uuid::Uuid = context.new_id();
        Self { component_id: component_id.to_owned(), at: context.now(), number: *number.as_bytes() }
    }

    /// Notes that a label moved, or went.
    pub(super) fn label_moved(
        &self,
        tx: &mut Tx<'_>,
        label: &str,
        before: Option<VersionHash>,
        now: Option<VersionHash>,
    ) -> StoreResult<()> {
        let label = label.to_owned();
        match (before, now) {
            (before, Some(hash)) => self.put(tx, hash, ComponentChange::LabelSet { label, before }),
            (Some(hash), None) => self.put(tx, hash, ComponentChange::LabelRemoved { label }),
            (None, None) => Ok(()),
        }
    }

    /// Notes that a version moved to another state.
    pub(super) fn state_changed(
        &self,
        tx: &mut Tx<'_>,
        hash: VersionHash,
        before: VersionState,
        now: VersionState,
    ) -> StoreResult<()> {
        self.put(tx, hash, ComponentChange::StateChanged { before, now })
    }

    fn put(&self, tx: &mut Tx<'_>, version_hash: VersionHash, change: ComponentChange) -> StoreResult<()> {
        let event = ComponentEvent { at: self.at, version_hash, change };
        tx.put(keyspace::COMPONENT_EVENT, &(self.component_id.clone(), self.at, self.number), &event)
    }
}

impl Components {
    /// A page of what happened to a component, the last first.
    ///
    /// # Errors
    /// When the cursor is of another list, or the store fails.
    pub async fn history(
        &self,
        component_id: &str,
        page: &PageRequest,
    ) -> ServiceResult<Page<ComponentEvent>> {
        let id = component_id.to_owned();
        let list = ListId::of(&format!("history of {id}"));
        let mut range = prefix(&id);
        if let Some(after) = &page.after {
            range = range.before(&Cursor::decode(list, after)?);
        }
        let store = &self.context.store;
        let found = store.scan(keyspace::COMPONENT_EVENT, range, Direction::Backward, page.first).await?;
        let item = |found: crate::store::Found<(String, Timestamp, [u8; 16]), ComponentEvent>| {
            (Cursor::new(list, &found.key.encode()), found.record)
        };
        let items: Vec<_> = found.items.into_iter().map(item).collect();
        let end = items.last().map(|(cursor, _)| cursor.clone());
        Ok(Page { items, has_next: found.more, end })
    }
}
