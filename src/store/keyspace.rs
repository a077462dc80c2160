//! The keyspace: every tree with its keys and values. Nothing is stored that is not declared here.
//!
//! A project's trees are named `<project>/<table>`. Keys are written as [`super::key`] says.
//!
//! | table | key | value |
//! |---|---|---|
//! | `conversation` | conversation | [`Conversation`] |
//! | `conversation_by_activity` | last activity, conversation | – |
//! | `conversation_by_creation` | creation, conversation | – |
//! | `conversation_by_user` | user, last activity, conversation | – |
//! | `conversation_by_tag` | tag, last activity, conversation | – |
//! | `conversation_by_parent` | parent conversation, creation, conversation | – |
//! | `lineage` | conversation | [`Lineage`]; only of branches |
//! | `message` | conversation, ordinal | [`Message`] |
//! | `message_by_revision` | conversation, revision, ordinal | – |
//! | `message_summary` | conversation, ordinal | –; only of messages that are summaries |
//! | `message_address` | message | conversation, ordinal |
//! | `tool_call` | conversation, the model's id of the call | ordinal of the message that makes it |
//! | `tool_result` | conversation of the result, the model's id of the call | ordinal and id of the message with the result |
//! | `plan` | plan | [`Plan`] with its steps |
//! | `plan_by_creation` | creation, plan | – |
//! | `plan_by_conversation` | conversation, creation, plan | – |
//! | `plan_by_status` | status, creation, plan | – |
//! | `plan_by_deadline` | deadline, plan | –; only of plans that run with a time-out |
//! | `trace` | trace | [`Trace`] with its summary |
//! | `trace_body` | trace, part (0: given at the start, 1: at the end; 2: input, 3: output, as spans tell them; 4: read when it started) | [`TraceBody`] |
//! | `trace_by_start` | start, trace | – |
//! | `trace_by_conversation` | conversation, start, trace | – |
//! | `trace_by_session` | session, start, trace | – |
//! | `trace_by_user` | user, start, trace | – |
//! | `trace_by_status` | status, start, trace | – |
//! | `trace_by_replayed` | trace that was replayed, start, trace | – |
//! | `trace_by_component` | component, version, start, trace | – |
//! | `span_head` | trace, revision | a block of [`SpanHead`](crate::model::span::SpanHead)s: see [`super::spans`] |
//! | `span_body` | trace, block address | a block of bodies |
//! | `component` | component | [`Component`] |
//! | `component_version` | component, version | [`ComponentVersion`] |
//! | `component_version_by_sequence` | component, sequence, version | – |
//! | `component_event` | component, when, a random number | [`ComponentEvent`]: what happened to its labels and versions |
//! | `component_by_type` | type (and once more with 0: any), component | – |
//! | `score` | trace or conversation, kind, span or message (or zeros), score | [`Score`] |
//! | `score_address` | score | the key in `score` |
//! | `dataset` | dataset | [`Dataset`] |
//! | `dataset_by_creation` | creation, dataset | – |
//! | `dataset_name` | name | the dataset that has it |
//! | `dataset_version` | dataset, number | [`DatasetVersion`] |
//! | `dataset_item` | dataset, place, version from which it stands so | [`DatasetItem`] |
//! | `dataset_item_address` | item | dataset, place, version from which it stands as it does last |
//! | `dataset_item_content` | dataset, hash of its content | the same with the item; only of items of the newest version |
//! | `experiment` | experiment | [`Experiment`] |
//! | `experiment_by_creation` | creation, experiment | – |
//! | `experiment_by_dataset` | dataset, creation, experiment | – |
//! | `experiment_item` | experiment, place of the item, repetition | [`ExperimentItem`]; only of runs that have begun |
//! | `experiment_item_by_revision` | experiment, revision, place, repetition | – |
//! | `evaluation` | evaluation | [`Evaluation`] |
//! | `evaluation_by_creation` | creation, evaluation | – |
//! | `evaluation_by_status` | status, creation, evaluation | – |
//! | `evaluation_rule` | its name | [`EvaluationRule`] |
//! | `evaluation_due` | trace | [`EvaluationDue`]; only while rules for new traces are still to judge it |
//! | `turn_due` | trace | [`TurnDue`]; only while messages of it are still to be made |
//! | `trace_facts` | trace | [`Facts`]: what it counts in `series`; only of traces that are over |
//! | `trace_found_by` | by what (model, tool, component, score), its value, start, trace | –; only of traces that are over |
//! | `trace_ranked` | by what (duration, cost, tokens), its value, start, trace | –; only of traces that are over |
//! | `series` | resolution, dimension, start of the stretch of time, value | [`Cell`] |
//! | `follow_due` | trace | [`FollowDue`]; only while what follows of the trace's end is still to be done |
//! | `follow_by_start` | start, trace | [`FollowDue`]; only while what can wait of it is still to be done |
//! | `follow_later` | trace | [`FollowDue`]; what an earlier program kept in place of `follow_by_start` |
//! | `follower` | code of a follower | [`FollowerState`] |
//! | `agent_run` | trace | [`AgentRun`]; only while an agent of this server runs it |
//! | `plan_run` | plan | [`PlanRun`]; only while an agent of this server carries it out |
//! | `experiment_run` | experiment | –; only while this server carries it out |
//! | `deletion` | kind (1: conversation, 2: trace, 3: dataset, 4: experiment), its id | what it was deleted with; only while parts of it are still to go: see [`Deleted`] |

use std::marker::PhantomData;

use super::{
    codec::{Record, records},
    key::KeyPart,
    older,
};
use crate::model::{
    ConversationId, DatasetId, DatasetItemId, EvaluationId, ExperimentId, MessageId, PlanId, ScoreId, StepId,
    Timestamp, TraceId, TurnId,
    component::{Component, ComponentEvent, ComponentRef, ComponentVersion, VersionHash},
    conversation::{Conversation, Lineage},
    dataset::{ContentHash, Dataset, DatasetItem, DatasetVersion, ItemState},
    evaluations::{Evaluation, EvaluationRule, EvaluationStatus},
    experiment::{Experiment, ExperimentItem},
    message::Message,
    plan::{Plan, PlanStatus},
    score::{Score, ScoreTarget},
    series::{Cell, Dimension, Facts, FoundBy, Ranking, Resolution},
    trace::{Trace, TraceBody, TraceStatus},
};

/// A tree with its types of keys and values.
#[derive(Debug)]
pub struct Table<K, V> {
    /// The name of its tree, without the project.
    pub name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K, V> Clone for Table<K, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, V> Copy for Table<K, V> {}

impl<K, V> Table<K, V> {
    const fn new(name: &'static str) -> Self {
        Self { name, types: PhantomData }
    }

    /// The table of this name, read with other types, as the check does.
    pub(super) const fn named(name: &'static str) -> Self {
        Self::new(name)
    }
}

/// The value of an index entry: everything is in the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct Nothing;

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct MessageAddress {
    /// The conversation that holds it.
    pub conversation_id: ConversationId,
    /// Its place there.
    pub ordinal: u64,
}

/// The message that makes a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct ToolCallAddress {
    /// The ordinal of the message.
    pub ordinal: u64,
}

/// The message with the result of a tool call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct ToolResultAddress {
    /// The ordinal of the message.
    pub ordinal: u64,
    /// Its id.
    pub message_id: MessageId,
}

/// Something whose record is gone, and whose parts still are to go.
///
/// What has many parts cannot go in one commit. The first one removes its record, so that it is there no
/// more, and leaves this mark; others remove its parts, and the last one the mark. A process that dies
/// in between leaves a mark by which the next one goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, bincode::Encode, bincode::Decode)]
pub enum Deleted {
    /// A conversation.
    Conversation(ConversationId),
    /// A trace.
    Trace(TraceId),
    /// A dataset.
    Dataset(DatasetId),
    /// An experiment.
    Experiment(ExperimentId),
}

/// What something was deleted with, whose deletion is finished only with its own: itself, or the
/// conversation that someone asked to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct DeletedWith(pub Deleted);

impl KeyPart for Deleted {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Conversation(id) => (1_u8, *id).write(out),
            Self::Trace(id) => (2_u8, *id).write(out),
            Self::Dataset(id) => (3_u8, *id).write(out),
            Self::Experiment(id) => (4_u8, *id).write(out),
        }
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        match u8::read(bytes)? {
            1 => ConversationId::read(bytes).map(Self::Conversation),
            2 => TraceId::read(bytes).map(Self::Trace),
            3 => DatasetId::read(bytes).map(Self::Dataset),
            4 => ExperimentId::read(bytes).map(Self::Experiment),
            _ => None,
        }
    }
}

/// Says that the messages of a trace are still to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct TurnDue {
    /// The trace's revision that brought something new.
    pub revision: u64,
}

/// Says that something of a trace that is over, or was, is new to those who follow traces: its spans, its
/// scores, or that it is gone.
///
/// What it says only tells one mark from another, so that a mark is not removed for what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct FollowDue {
    /// The trace's revision.
    pub revision: u64,
    /// When the trace was last written to: one that was deleted and made anew counts from 1 again.
    pub at: Timestamp,
    /// How often something beside the trace, a score, has been new since.
    pub more: u32,
}

/// What a follower has made of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct FollowerState {
    /// The format of what it keeps. With another one, all traces are followed again.
    pub format: u32,
    /// How far all traces are marked for it; `None`: they are.
    pub marked: Option<(Timestamp, TraceId)>,
}

/// Says that rules for new traces are still to judge a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct EvaluationDue {
    /// The trace's revision that is to be judged.
    pub revision: u64,
}

/// Says that an agent of this server runs a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct AgentRun {
    /// What it is for.
    pub task: RunTask,
}

/// What an agent runs for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub enum RunTask {
    /// To answer in a conversation.
    Talk {
        /// The conversation.
        conversation: ConversationId,
        /// The turn in it.
        turn: TurnId,
    },
    /// To carry out a step of a plan.
    Step {
        /// The plan.
        plan: PlanId,
        /// The step.
        step: StepId,
    },
    /// For itself: nothing outside of its trace waits for what comes of it.
    Alone,
}

/// Says that a plan is carried out by an agent of this server.
#[derive(Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct PlanRun {
    /// The version of the agent.
    pub agent: ComponentRef,
    /// Values of its instructions' variables.
    pub variables: Vec<(String, String)>,
}

/// A dataset that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct NamedDataset(pub DatasetId);

/// Where an item of a dataset is, as it stands last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct DatasetItemAddress {
    /// The item.
    pub item_id: DatasetItemId,
    /// Its dataset and its place there.
    pub state: ItemState,
}

/// The bytes of another key.
#[derive(Debug, Clone, PartialEq, Eq, bincode::Encode, bincode::Decode)]
pub struct KeyBytes(pub Vec<u8>);

records! {
    Dataset = 1, DatasetVersion = 1, NamedDataset = 1, DatasetItemAddress = 1, Experiment = 1, ExperimentItem = 1,
    Conversation = 1, Lineage = 1, MessageAddress = 1, ToolCallAddress = 1, ToolResultAddress = 1, Plan = 1, Component = 1, ComponentVersion = 1, ComponentEvent = 1, KeyBytes = 1, DeletedWith = 1,
    Nothing = 1, TurnDue = 1, FollowDue = 1, FollowerState = 1, AgentRun = 1, PlanRun = 1, EvaluationDue = 1,
}

impl Record for Trace {
    const VERSION: u8 = 3;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read_trace(version, payload)
    }
}

impl Record for TraceBody {
    const VERSION: u8 = 2;
    const PACKED: bool = true;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

impl Record for DatasetItem {
    const VERSION: u8 = 1;
    const PACKED: bool = true;
}

impl Record for Score {
    const VERSION: u8 = 3;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read_score(version, payload)
    }
}

impl Record for Evaluation {
    const VERSION: u8 = 2;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

impl Record for EvaluationRule {
    const VERSION: u8 = 2;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

impl Record for Facts {
    const VERSION: u8 = 1;
    const PACKED: bool = true;
}

impl Record for Cell {
    const VERSION: u8 = 1;
    const PACKED: bool = true;
}

impl Record for Message {
    const VERSION: u8 = 2;
    const PACKED: bool = true;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

macro_rules! tables {
    ($($(#[$doc:meta])* $table:ident: $key:ty => $value:ty = $name:literal;)+) => {
        $(
            $(#[$doc])*
            #[doc = concat!("The table `", $name, "`: see the module's table.")]
            pub const $table: Table<$key, $value> = Table::new($name);
        )+

        /// The names of all tables.
        pub const TABLES: &[&str] = &[$($name),+];
    };
}

/// Stands for every type of component in `component_by_type`: no type has this code.
pub const ANY_TYPE: u8 = 0;

/// What the keys of a target's scores begin with.
#[must_use]
pub const fn score_root(target: &ScoreTarget) -> ([u8; 16], u8, [u8; 16]) {
    const NONE: [u8; 16] = [0; 16];
    match target {
        ScoreTarget::Trace(trace) => (*trace.bytes(), 1, NONE),
        ScoreTarget::Span(trace, span) => (*trace.bytes(), 2, *span.bytes()),
        ScoreTarget::Conversation(conversation) => (*conversation.bytes(), 3, NONE),
        ScoreTarget::Message(conversation, message) => (*conversation.bytes(), 4, *message.bytes()),
    }
}

/// What the keys of the scores begin with that judge something or a part of it.
#[must_use]
pub fn score_roots(owner: &Deleted) -> Vec<([u8; 16], u8)> {
    match owner {
        Deleted::Trace(trace) => vec![(*trace.bytes(), 1), (*trace.bytes(), 2)],
        Deleted::Conversation(conversation) => vec![(*conversation.bytes(), 3), (*conversation.bytes(), 4)],
        Deleted::Dataset(_) | Deleted::Experiment(_) => Vec::new(),
    }
}

/// The key of an item of a dataset as it stands from a version on.
#[must_use]
pub const fn item_key(state: &ItemState) -> (DatasetId, u64, u64) {
    (state.dataset_id, state.place, state.since)
}

/// The key of a score.
#[must_use]
pub const fn score_key(target: &ScoreTarget, id: ScoreId) -> ScoreKey {
    let (root, kind, item) = score_root(target);
    (root, kind, item, id)
}

/// The key of a score: its root (trace or conversation), kind of target, span or message, own id.
pub type ScoreKey = ([u8; 16], u8, [u8; 16], ScoreId);

/// The key of a cell: how long its stretch of time is, what its traces have in common, when the stretch starts, and
/// the value that they have in common.
pub type SeriesKey = (Resolution, Dimension, Timestamp, String);

impl KeyPart for [u8; 16] {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<16>()?;
        *bytes = rest;
        Some(*head)
    }
}

tables! {
    CONVERSATION: ConversationId => Conversation = "conversation";
    CONVERSATION_BY_ACTIVITY: (Timestamp, ConversationId) => Nothing = "conversation_by_activity";
    CONVERSATION_BY_CREATION: (Timestamp, ConversationId) => Nothing = "conversation_by_creation";
    CONVERSATION_BY_USER: (String, Timestamp, ConversationId) => Nothing = "conversation_by_user";
    CONVERSATION_BY_TAG: (String, Timestamp, ConversationId) => Nothing = "conversation_by_tag";
    CONVERSATION_BY_PARENT: (ConversationId, Timestamp, ConversationId) => Nothing = "conversation_by_parent";
    LINEAGE: ConversationId => Lineage = "lineage";
    MESSAGE: (ConversationId, u64) => Message = "message";
    MESSAGE_BY_REVISION: (ConversationId, u64, u64) => Nothing = "message_by_revision";
    MESSAGE_SUMMARY: (ConversationId, u64) => Nothing = "message_summary";
    MESSAGE_ADDRESS: MessageId => MessageAddress = "message_address";
    TOOL_CALL: (ConversationId, String) => ToolCallAddress = "tool_call";
    TOOL_RESULT: (ConversationId, String) => ToolResultAddress = "tool_result";
    PLAN: PlanId => Plan = "plan";
    PLAN_BY_CREATION: (Timestamp, PlanId) => Nothing = "plan_by_creation";
    PLAN_BY_CONVERSATION: (ConversationId, Timestamp, PlanId) => Nothing = "plan_by_conversation";
    PLAN_BY_STATUS: (PlanStatus, Timestamp, PlanId) => Nothing = "plan_by_status";
    PLAN_BY_DEADLINE: (Timestamp, PlanId) => Nothing = "plan_by_deadline";
    TRACE: TraceId => Trace = "trace";
    TRACE_BODY: (TraceId, u8) => TraceBody = "trace_body";
    TRACE_BY_START: (Timestamp, TraceId) => Nothing = "trace_by_start";
    TRACE_BY_CONVERSATION: (ConversationId, Timestamp, TraceId) => Nothing = "trace_by_conversation";
    TRACE_BY_SESSION: (String, Timestamp, TraceId) => Nothing = "trace_by_session";
    TRACE_BY_USER: (String, Timestamp, TraceId) => Nothing = "trace_by_user";
    TRACE_BY_STATUS: (TraceStatus, Timestamp, TraceId) => Nothing = "trace_by_status";
    TRACE_BY_REPLAYED: (TraceId, Timestamp, TraceId) => Nothing = "trace_by_replayed";
    TRACE_BY_COMPONENT: ((String, VersionHash), Timestamp, TraceId) => Nothing = "trace_by_component";
    SPAN_HEAD: (TraceId, u64) => super::spans::HeadBlock = "span_head";
    SPAN_BODY: (TraceId, u64) => super::spans::BodyBlock = "span_body";
    COMPONENT: String => Component = "component";
    COMPONENT_VERSION: (String, VersionHash) => ComponentVersion = "component_version";
    COMPONENT_VERSION_BY_SEQUENCE: (String, u64, VersionHash) => Nothing = "component_version_by_sequence";
    COMPONENT_EVENT: (String, Timestamp, [u8; 16]) => ComponentEvent = "component_event";
    COMPONENT_BY_TYPE: (u8, String) => Nothing = "component_by_type";
    SCORE: ScoreKey => Score = "score";
    SCORE_ADDRESS: ScoreId => KeyBytes = "score_address";
    DATASET: DatasetId => Dataset = "dataset";
    DATASET_BY_CREATION: (Timestamp, DatasetId) => Nothing = "dataset_by_creation";
    DATASET_NAME: String => NamedDataset = "dataset_name";
    DATASET_VERSION: (DatasetId, u64) => DatasetVersion = "dataset_version";
    DATASET_ITEM: (DatasetId, u64, u64) => DatasetItem = "dataset_item";
    DATASET_ITEM_ADDRESS: DatasetItemId => DatasetItemAddress = "dataset_item_address";
    DATASET_ITEM_CONTENT: (DatasetId, ContentHash) => DatasetItemAddress = "dataset_item_content";
    EXPERIMENT: ExperimentId => Experiment = "experiment";
    EXPERIMENT_BY_CREATION: (Timestamp, ExperimentId) => Nothing = "experiment_by_creation";
    EXPERIMENT_BY_DATASET: (DatasetId, Timestamp, ExperimentId) => Nothing = "experiment_by_dataset";
    EXPERIMENT_ITEM: (ExperimentId, u64, u32) => ExperimentItem = "experiment_item";
    EXPERIMENT_ITEM_BY_REVISION: (ExperimentId, u64, u64, u32) => Nothing = "experiment_item_by_revision";
    EVALUATION: EvaluationId => Evaluation = "evaluation";
    EVALUATION_BY_CREATION: (Timestamp, EvaluationId) => Nothing = "evaluation_by_creation";
    EVALUATION_BY_STATUS: (EvaluationStatus, Timestamp, EvaluationId) => Nothing = "evaluation_by_status";
    EVALUATION_RULE: String => EvaluationRule = "evaluation_rule";
    EVALUATION_DUE: TraceId => EvaluationDue = "evaluation_due";
    AGENT_RUN: TraceId => AgentRun = "agent_run";
    PLAN_RUN: PlanId => PlanRun = "plan_run";
    EXPERIMENT_RUN: ExperimentId => Nothing = "experiment_run";
    TURN_DUE: TraceId => TurnDue = "turn_due";
    TRACE_FACTS: TraceId => Facts = "trace_facts";
    TRACE_FOUND_BY: (FoundBy, String, Timestamp, TraceId) => Nothing = "trace_found_by";
    TRACE_RANKED: (Ranking, u64, Timestamp, TraceId) => Nothing = "trace_ranked";
    SERIES: SeriesKey => Cell = "series";
    FOLLOW_DUE: TraceId => FollowDue = "follow_due";
    FOLLOW_BY_START: (Timestamp, TraceId) => FollowDue = "follow_by_start";
    FOLLOW_LATER: TraceId => FollowDue = "follow_later";
    FOLLOWER: u8 => FollowerState = "follower";
    DELETION: Deleted => DeletedWith = "deletion";
}
