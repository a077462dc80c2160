//! Secondary indexes: an index key is one pure function of its record.
//!
//! A write deletes the old entry only where it differs and puts the new one, in the record's own
//! commit. `check` proves both ways that entries and records agree.

use super::{
    Store, StoreResult, codec,
    codec::Record,
    key::Key,
    keyspace::{self, Nothing, Table},
};
use crate::{
    engine::Batch,
    model::{
        component::{Component, ComponentVersion, VersionHash},
        conversation::Conversation,
        dataset::Dataset,
        evaluations::Evaluation,
        experiment::{Experiment, ExperimentItem},
        message::{Message, MessageType},
        plan::{Plan, PlanStatus},
        trace::Trace,
    },
};

/// One entry of an index: the table and the key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IndexEntry {
    /// The index.
    pub table: &'static str,
    /// The key.
    pub key: Vec<u8>,
}

impl IndexEntry {
    fn of<K: Key>(table: Table<K, Nothing>, key: &K) -> Self {
        Self { table: table.name, key: key.encode() }
    }
}

/// A record with secondary indexes.
pub trait Indexed: Record {
    /// The type of its key.
    type Key: Key + 'static;
    /// Where it is stored.
    const TABLE: Table<Self::Key, Self>;
    /// The indexes it appears in.
    const INDEXES: &'static [&'static str];

    /// Its key.
    fn key(&self) -> Self::Key;

    /// Its entries in all indexes.
    fn entries(&self) -> Vec<IndexEntry>;

    /// The key of the record that an index entry belongs to: here, what the entry ends with.
    fn record_key(entry: &[u8]) -> Option<Self::Key> {
        Self::Key::decode(entry.last_chunk::<16>()?)
    }
}

/// Writes what differs between the entries of `old` and of `new`.
pub(super) fn write_diff<E: Indexed>(
    store: &Store,
    batch: &mut Batch,
    old: Option<&E>,
    new: Option<&E>,
) -> StoreResult<()> {
    let old = old.map(Indexed::entries).unwrap_or_default();
    let new = new.map(Indexed::entries).unwrap_or_default();
    for gone in old.iter().filter(|entry| !new.contains(entry)) {
        batch.delete(&store.tree(gone.table), gone.key.clone());
    }
    let nothing = bytes::Bytes::from(codec::encode("index", &Nothing)?);
    for come in new.into_iter().filter(|entry| !old.contains(entry)) {
        batch.put(&store.tree(come.table), come.key, nothing.clone());
    }
    Ok(())
}

impl Indexed for Conversation {
    type Key = crate::model::ConversationId;
    const TABLE: Table<Self::Key, Self> = keyspace::CONVERSATION;
    const INDEXES: &'static [&'static str] = &[
        keyspace::CONVERSATION_BY_ACTIVITY.name,
        keyspace::CONVERSATION_BY_CREATION.name,
        keyspace::CONVERSATION_BY_USER.name,
        keyspace::CONVERSATION_BY_TAG.name,
        keyspace::CONVERSATION_BY_PARENT.name,
    ];

    fn key(&self) -> Self::Key {
        self.id
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let (id, active) = (self.id, self.last_activity_at);
        let mut entries = vec![
            IndexEntry::of(keyspace::CONVERSATION_BY_ACTIVITY, &(active, id)),
            IndexEntry::of(keyspace::CONVERSATION_BY_CREATION, &(self.created_at, id)),
        ];
        if let Some(user) = &self.user_id {
            entries.push(IndexEntry::of(keyspace::CONVERSATION_BY_USER, &(user.clone(), active, id)));
        }
        for tag in &self.tags {
            entries.push(IndexEntry::of(keyspace::CONVERSATION_BY_TAG, &(tag.clone(), active, id)));
        }
        if let Some(parent) = self.parent_conversation_id {
            entries.push(IndexEntry::of(keyspace::CONVERSATION_BY_PARENT, &(parent, self.created_at, id)));
        }
        entries
    }
}

impl Indexed for Message {
    type Key = (crate::model::ConversationId, u64);
    const TABLE: Table<Self::Key, Self> = keyspace::MESSAGE;
    const INDEXES: &'static [&'static str] =
        &[keyspace::MESSAGE_BY_REVISION.name, keyspace::MESSAGE_SUMMARY.name];

    fn key(&self) -> Self::Key {
        (self.conversation_id, self.ordinal)
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let key = (self.conversation_id, self.revision, self.ordinal);
        let mut entries = vec![IndexEntry::of(keyspace::MESSAGE_BY_REVISION, &key)];
        if self.message_type == MessageType::Summary {
            entries.push(IndexEntry::of(keyspace::MESSAGE_SUMMARY, &self.key()));
        }
        entries
    }

    fn record_key(entry: &[u8]) -> Option<Self::Key> {
        let by_revision = <(crate::model::ConversationId, u64, u64)>::decode(entry);
        by_revision.map(|(id, _, ordinal)| (id, ordinal)).or_else(|| Self::Key::decode(entry))
    }
}

impl Indexed for Plan {
    type Key = crate::model::PlanId;
    const TABLE: Table<Self::Key, Self> = keyspace::PLAN;
    const INDEXES: &'static [&'static str] = &[
        keyspace::PLAN_BY_CREATION.name,
        keyspace::PLAN_BY_CONVERSATION.name,
        keyspace::PLAN_BY_STATUS.name,
        keyspace::PLAN_BY_DEADLINE.name,
    ];

    fn key(&self) -> Self::Key {
        self.id
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let (id, created) = (self.id, self.created_at);
        let mut entries = vec![
            IndexEntry::of(keyspace::PLAN_BY_CREATION, &(created, id)),
            IndexEntry::of(keyspace::PLAN_BY_CONVERSATION, &(self.conversation_id, created, id)),
            IndexEntry::of(keyspace::PLAN_BY_STATUS, &(self.status, created, id)),
        ];
        if let (PlanStatus::Running | PlanStatus::Paused, Some(deadline)) = (self.status, self.deadline()) {
            entries.push(IndexEntry::of(keyspace::PLAN_BY_DEADLINE, &(deadline, id)));
        }
        entries
    }
}

impl Indexed for Trace {
    type Key = crate::model::TraceId;
    const TABLE: Table<Self::Key, Self> = keyspace::TRACE;
    const INDEXES: &'static [&'static str] = &[
        keyspace::TRACE_BY_START.name,
        keyspace::TRACE_BY_CONVERSATION.name,
        keyspace::TRACE_BY_SESSION.name,
        keyspace::TRACE_BY_USER.name,
        keyspace::TRACE_BY_STATUS.name,
        keyspace::TRACE_BY_REPLAYED.name,
        keyspace::TRACE_BY_COMPONENT.name,
    ];

    fn key(&self) -> Self::Key {
        self.id
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let (id, start) = (self.id, self.start_time);
        let mut entries = vec![
            IndexEntry::of(keyspace::TRACE_BY_START, &(start, id)),
            IndexEntry::of(keyspace::TRACE_BY_STATUS, &(self.status, start, id)),
        ];
        if let Some(conversation) = self.conversation_id {
            entries.push(IndexEntry::of(keyspace::TRACE_BY_CONVERSATION, &(conversation, start, id)));
        }
        if let Some(session) = &self.session_id {
            entries.push(IndexEntry::of(keyspace::TRACE_BY_SESSION, &(session.clone(), start, id)));
        }
        if let Some(user) = &self.user_id {
            entries.push(IndexEntry::of(keyspace::TRACE_BY_USER, &(user.clone(), start, id)));
        }
        if let Some(replayed) = self.replay_of {
            entries.push(IndexEntry::of(keyspace::TRACE_BY_REPLAYED, &(replayed, start, id)));
        }
        for component in &self.summary.components {
            let version = (component.component_id.clone(), component.version_hash);
            entries.push(IndexEntry::of(keyspace::TRACE_BY_COMPONENT, &(version, start, id)));
        }
        entries
    }
}

impl Indexed for Component {
    type Key = String;
    const TABLE: Table<Self::Key, Self> = keyspace::COMPONENT;
    const INDEXES: &'static [&'static str] = &[keyspace::COMPONENT_BY_TYPE.name];

    fn key(&self) -> Self::Key {
        self.id.clone()
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let entry = |code| IndexEntry::of(keyspace::COMPONENT_BY_TYPE, &(code, self.id.clone()));
        vec![entry(keyspace::ANY_TYPE), entry(self.component_type.code())]
    }

    fn record_key(entry: &[u8]) -> Option<Self::Key> {
        <(u8, String)>::decode(entry).map(|(_, id)| id)
    }
}

impl Indexed for ComponentVersion {
    type Key = (String, VersionHash);
    const TABLE: Table<Self::Key, Self> = keyspace::COMPONENT_VERSION;
    const INDEXES: &'static [&'static str] = &[keyspace::COMPONENT_VERSION_BY_SEQUENCE.name];

    fn key(&self) -> Self::Key {
        (self.component_id.clone(), self.version_hash)
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let key = (self.component_id.clone(), self.sequence, self.version_hash);
        vec![IndexEntry::of(keyspace::COMPONENT_VERSION_BY_SEQUENCE, &key)]
    }

    fn record_key(entry: &[u8]) -> Option<Self::Key> {
        <(String, u64, VersionHash)>::decode(entry).map(|(id, _, hash)| (id, hash))
    }
}

impl Indexed for Dataset {
    type Key = crate::model::DatasetId;
    const TABLE: Table<Self::Key, Self> = keyspace::DATASET;
    const INDEXES: &'static [&'static str] = &[keyspace::DATASET_BY_CREATION.name];

    fn key(&self) -> Self::Key {
        self.id
    }

    fn entries(&self) -> Vec<IndexEntry> {
        vec![IndexEntry::of(keyspace::DATASET_BY_CREATION, &(self.created_at, self.id))]
    }
}

impl Indexed for Experiment {
    type Key = crate::model::ExperimentId;
    const TABLE: Table<Self::Key, Self> = keyspace::EXPERIMENT;
    const INDEXES: &'static [&'static str] =
        &[keyspace::EXPERIMENT_BY_CREATION.name, keyspace::EXPERIMENT_BY_DATASET.name];

    fn key(&self) -> Self::Key {
        self.id
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let (id, created) = (self.id, self.created_at);
        vec![
            IndexEntry::of(keyspace::EXPERIMENT_BY_CREATION, &(created, id)),
            IndexEntry::of(keyspace::EXPERIMENT_BY_DATASET, &(self.dataset_id, created, id)),
        ]
    }
}

impl Indexed for ExperimentItem {
    type Key = (crate::model::ExperimentId, u64, u32);
    const TABLE: Table<Self::Key, Self> = keyspace::EXPERIMENT_ITEM;
    const INDEXES: &'static [&'static str] = &[keyspace::EXPERIMENT_ITEM_BY_REVISION.name];

    fn key(&self) -> Self::Key {
        (self.experiment_id, self.item.place, self.repetition)
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let key = (self.experiment_id, self.revision, self.item.place, self.repetition);
        vec![IndexEntry::of(keyspace::EXPERIMENT_ITEM_BY_REVISION, &key)]
    }

    fn record_key(entry: &[u8]) -> Option<Self::Key> {
        let by_revision = <(crate::model::ExperimentId, u64, u64, u32)>::decode(entry);
        by_revision.map(|(id, _, place, repetition)| (id, place, repetition))
    }
}

impl Indexed for Evaluation {
    type Key = crate::model::EvaluationId;
    const TABLE: Table<Self::Key, Self> = keyspace::EVALUATION;
    const INDEXES: &'static [&'static str] =
        &[keyspace::EVALUATION_BY_CREATION.name, keyspace::EVALUATION_BY_STATUS.name];

    fn key(&self) -> Self::Key {
        self.id
    }

    fn entries(&self) -> Vec<IndexEntry> {
        let (id, created) = (self.id, self.created_at);
        vec![
            IndexEntry::of(keyspace::EVALUATION_BY_CREATION, &(created, id)),
            IndexEntry::of(keyspace::EVALUATION_BY_STATUS, &(self.status, created, id)),
        ]
    }
}
