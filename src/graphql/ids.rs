//! Global IDs: opaque texts that name any entity of any kind.
//!
//! An ID is the base64url form of a kind's byte and the raw bytes of what it names. Clients keep IDs,
//! so a kind's byte is never changed and never used again. Arguments take a global ID of the right
//! kind or the plain form: a UUID, or a component's own name.

use std::str::FromStr;

use async_graphql::ID;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::model::{
    ConversationId, DatasetId, DatasetItemId, Entity, EvaluationId, ExperimentId, MessageId, PlanId, Refusal,
    ScoreId, SpanId, StepId, TraceId,
    component::{ComponentRef, VersionHash},
    text::shortened,
};

/// What an ID names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum GlobalId {
    Conversation(ConversationId),
    Message(MessageId),
    Plan(PlanId),
    PlanStep(PlanId, StepId),
    Trace(TraceId),
    Span(TraceId, SpanId),
    Component(String),
    ComponentVersion(ComponentRef),
    Score(ScoreId),
    Dataset(DatasetId),
    DatasetItem(DatasetItemId),
    Experiment(ExperimentId),
    Evaluation(EvaluationId),
    EvaluationRule(String),
    Evaluator(ComponentRef),
}

/// The kinds with their bytes.
mod kind {
    pub const CONVERSATION: u8 = 1;
    pub const MESSAGE: u8 = 2;
    pub const PLAN: u8 = 3;
    pub const PLAN_STEP: u8 = 4;
    pub const TRACE: u8 = 5;
    pub const SPAN: u8 = 6;
    pub const COMPONENT: u8 = 7;
    pub const COMPONENT_VERSION: u8 = 8;
    pub const SCORE: u8 = 9;
    pub const DATASET: u8 = 16;
    pub const DATASET_ITEM: u8 = 17;
    pub const EXPERIMENT: u8 = 18;
    pub const EVALUATION: u8 = 20;
    pub const EVALUATION_RULE: u8 = 21;
    pub const EVALUATOR: u8 = 22;
    pub const PART: u8 = 32;
}

impl GlobalId {
    /// The ID as clients see it.
    pub(super) fn encode(&self) -> ID {
        match self {
            Self::Conversation(id) => joined(kind::CONVERSATION, &[id.bytes()]),
            Self::Message(id) => joined(kind::MESSAGE, &[id.bytes()]),
            Self::Plan(id) => joined(kind::PLAN, &[id.bytes()]),
            Self::PlanStep(plan, step) => joined(kind::PLAN_STEP, &[plan.bytes(), step.bytes()]),
            Self::Trace(id) => joined(kind::TRACE, &[id.bytes()]),
            Self::Span(trace, span) => joined(kind::SPAN, &[trace.bytes(), span.bytes()]),
            Self::Component(name) => joined(kind::COMPONENT, &[&check(name), name.as_bytes()]),
            Self::ComponentVersion(version) => joined_version(kind::COMPONENT_VERSION, version),
            Self::Evaluator(version) => joined_version(kind::EVALUATOR, version),
            Self::Score(id) => joined(kind::SCORE, &[id.bytes()]),
            Self::Dataset(id) => joined(kind::DATASET, &[id.bytes()]),
            Self::DatasetItem(id) => joined(kind::DATASET_ITEM, &[id.bytes()]),
            Self::Experiment(id) => joined(kind::EXPERIMENT, &[id.bytes()]),
            Self::Evaluation(id) => joined(kind::EVALUATION, &[id.bytes()]),
            Self::EvaluationRule(name) => joined(kind::EVALUATION_RULE, &[name.as_bytes()]),
        }
    }

    /// What a client's ID names, if it is one of ours.
    pub(super) fn decode(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (kind, rest) = bytes.split_first()?;
        Some(match *kind {
            kind::CONVERSATION => Self::Conversation(ConversationId::from_bytes(ids(rest)?)),
            kind::MESSAGE => Self::Message(MessageId::from_bytes(ids(rest)?)),
            kind::PLAN => Self::Plan(PlanId::from_bytes(ids(rest)?)),
            kind::PLAN_STEP => {
                let [plan, step] = pair(rest)?;
                Self::PlanStep(PlanId::from_bytes(plan), StepId::from_bytes(step))
            }
            kind::TRACE => Self::Trace(TraceId::from_bytes(ids(rest)?)),
            kind::SPAN => {
                let [trace, span] = pair(rest)?;
                Self::Span(TraceId::from_bytes(trace), SpanId::from_bytes(span))
            }
            kind::COMPONENT => {
                let (sum, name) = rest.split_first_chunk::<CHECK_BYTES>()?;
                let name = std::str::from_utf8(name).ok()?;
                (check(name) == *sum).then(|| Self::Component(name.to_owned()))?
            }
            kind::COMPONENT_VERSION => Self::ComponentVersion(version(rest)?),
            kind::EVALUATOR => Self::Evaluator(version(rest)?),
            kind::SCORE => Self::Score(ScoreId::from_bytes(ids(rest)?)),
            kind::DATASET => Self::Dataset(DatasetId::from_bytes(ids(rest)?)),
            kind::DATASET_ITEM => Self::DatasetItem(DatasetItemId::from_bytes(ids(rest)?)),
            kind::EXPERIMENT => Self::Experiment(ExperimentId::from_bytes(ids(rest)?)),
            kind::EVALUATION => Self::Evaluation(EvaluationId::from_bytes(ids(rest)?)),
            kind::EVALUATION_RULE => Self::EvaluationRule(std::str::from_utf8(rest).ok()?.to_owned()),
            _ => return None,
        })
    }

    /// What kind of thing it names.
    pub(super) fn entity(&self) -> Entity {
        match self {
            Self::Conversation(_) => Entity::Conversation,
            Self::Message(_) => Entity::Message,
            Self::Plan(_) => Entity::Plan,
            Self::PlanStep(..) => Entity::Step,
            Self::Trace(_) => Entity::Trace,
            Self::Span(..) => Entity::Span,
            Self::Component(_) => Entity::Component,
            Self::ComponentVersion(_) | Self::Evaluator(_) => Entity::ComponentVersion,
            Self::Score(_) => Entity::Score,
            Self::Dataset(_) => Entity::Dataset,
            Self::DatasetItem(_) => Entity::DatasetItem,
            Self::Experiment(_) => Entity::Experiment,
            Self::Evaluation(_) => Entity::Evaluation,
            Self::EvaluationRule(_) => Entity::EvaluationRule,
        }
    }
}

/// The ID of a part of an entity: it tells parts apart in client caches, and cannot be looked up.
pub(super) fn part(of: &GlobalId, name: &str, number: usize) -> ID {
    let whole = of.encode();
    joined(kind::PART, &[name.as_bytes(), &number.to_be_bytes(), whole.as_bytes()])
}

/// The ID of something that has no other name than its content.
pub(super) fn of_content(content: &str) -> ID {
    let hash = blake3::hash(content.as_bytes());
    joined(kind::PART, &[hash.as_bytes().first_chunk::<12>().map_or(&[], |bytes| bytes.as_slice())])
}

/// Bytes by which a component's global ID is told from a component's name that looks like one.
const CHECK_BYTES: usize = 4;

fn check(name: &str) -> [u8; CHECK_BYTES] {
    blake3::hash(name.as_bytes()).as_bytes().first_chunk().copied().unwrap_or_default()
}

fn joined(kind: u8, parts: &[&[u8]]) -> ID {
    let mut bytes = vec![kind];
    bytes.extend(parts.iter().flat_map(|part| part.iter()));
    ID(URL_SAFE_NO_PAD.encode(bytes))
}

fn joined_version(kind: u8, version: &ComponentRef) -> ID {
    joined(kind, &[version.version_hash.bytes(), version.component_id.as_bytes()])
}

fn version(bytes: &[u8]) -> Option<ComponentRef> {
    let (hash, name) = bytes.split_first_chunk::<32>()?;
    Some(ComponentRef {
        component_id: std::str::from_utf8(name).ok()?.to_owned(),
        version_hash: VersionHash::from_bytes(*hash),
    })
}

fn ids(bytes: &[u8]) -> Option<[u8; 16]> {
    bytes.try_into().ok()
}

fn pair(bytes: &[u8]) -> Option<[[u8; 16]; 2]> {
    let (first, second) = bytes.split_at_checked(16)?;
    Some([ids(first)?, ids(second)?])
}

/// Ids that an argument can carry in either form.
pub(super) trait Named: FromStr {
    /// What they name.
    const ENTITY: Entity;

    /// The id in a global one of the right kind.
    fn from_global(id: GlobalId) -> Option<Self>;
}

macro_rules! named {
    ($($id:ty => $entity:ident, $global:pat => $inner:expr;)+) => {$(
        impl Named for $id {
            const ENTITY: Entity = Entity::$entity;

            fn from_global(id: GlobalId) -> Option<Self> {
                match id { $global => Some($inner), _ => None }
            }
        }
    )+};
}

named! {
    ConversationId => Conversation, GlobalId::Conversation(id) => id;
    MessageId => Message, GlobalId::Message(id) => id;
    PlanId => Plan, GlobalId::Plan(id) => id;
    StepId => Step, GlobalId::PlanStep(_, id) => id;
    TraceId => Trace, GlobalId::Trace(id) => id;
    SpanId => Span, GlobalId::Span(_, id) => id;
    ScoreId => Score, GlobalId::Score(id) => id;
    DatasetId => Dataset, GlobalId::Dataset(id) => id;
    DatasetItemId => DatasetItem, GlobalId::DatasetItem(id) => id;
    ExperimentId => Experiment, GlobalId::Experiment(id) => id;
    EvaluationId => Evaluation, GlobalId::Evaluation(id) => id;
}

/// The id that the argument `field` names, given as a global ID or a UUID.
pub(super) fn read<T: Named>(field: &str, id: &ID) -> Result<T, Refusal> {
    if let Ok(id) = id.parse() {
        return Ok(id);
    }
    let global = decoded(field, id, T::ENTITY, "a UUID")?;
    let found = global.entity();
    T::from_global(global).ok_or_else(|| wrong_kind(field, found, T::ENTITY))
}

/// As [`read`], of an argument that may be missing.
pub(super) fn read_optional<T: Named>(field: &str, id: Option<&ID>) -> Result<Option<T>, Refusal> {
    id.map(|id| read(field, id)).transpose()
}

/// As [`read`], of a list; a refusal names the item.
pub(super) fn read_all<T: Named>(field: &str, ids: &[ID]) -> Result<Vec<T>, Refusal> {
    ids.iter().enumerate().map(|(index, id)| read(&format!("{field}.{index}"), id)).collect()
}

/// The trace and span that arguments name: the span's global ID is enough, its UUID needs the trace.
pub(super) fn read_span(
    (field, id): (&str, &ID),
    (trace_field, trace): (&str, Option<&ID>),
) -> Result<(TraceId, SpanId), Refusal> {
    let trace = read_optional::<TraceId>(trace_field, trace)?;
    match (GlobalId::decode(id), trace) {
        (Some(GlobalId::Span(of, span)), trace) if trace.is_none_or(|trace| trace == of) => Ok((of, span)),
        (Some(GlobalId::Span(of, _)), _) => Err(Refusal::invalid(
            trace_field,
            format!("the span that `{field}` names is of the trace `{of}`"),
        )),
        (_, Some(trace)) => Ok((trace, read(field, id)?)),
        (_, None) => {
            read::<SpanId>(field, id)?;
            Err(Refusal::invalid(
                trace_field,
                format!("must be given where `{field}` is a UUID: it is unique only within its trace"),
            ))
        }
    }
}

/// The plan and step that arguments name: the step's global ID is enough, its UUID needs the plan.
pub(super) fn read_step(
    (field, id): (&str, &ID),
    (plan_field, plan): (&str, Option<&ID>),
) -> Result<(PlanId, StepId), Refusal> {
    let plan = read_optional::<PlanId>(plan_field, plan)?;
    match (GlobalId::decode(id), plan) {
        (Some(GlobalId::PlanStep(of, step)), plan) if plan.is_none_or(|plan| plan == of) => Ok((of, step)),
        (Some(GlobalId::PlanStep(of, _)), _) => {
            Err(Refusal::invalid(plan_field, format!("the step that `{field}` names is of the plan `{of}`")))
        }
        (_, Some(plan)) => Ok((plan, read(field, id)?)),
        (_, None) => {
            read::<StepId>(field, id)?;
            let message =
                format!("must be given where `{field}` is a UUID: it is unique only within its plan");
            Err(Refusal::invalid(plan_field, message))
        }
    }
}

/// The component that the argument `field` names, by its global ID or its own id.
pub(super) fn read_component(field: &str, id: &ID) -> Result<String, Refusal> {
    match GlobalId::decode(id) {
        Some(GlobalId::Component(name)) => Ok(name),
        Some(GlobalId::ComponentVersion(_)) => {
            Err(wrong_kind(field, Entity::ComponentVersion, Entity::Component))
        }
        _ => Ok(id.to_string()),
    }
}

/// The component version that a global ID names.
pub(super) fn read_version(field: &str, id: &ID) -> Result<ComponentRef, Refusal> {
    match decoded(field, id, Entity::ComponentVersion, "a pair of `componentId` and `versionHash`")? {
        GlobalId::ComponentVersion(version) => Ok(version),
        other => Err(wrong_kind(field, other.entity(), Entity::ComponentVersion)),
    }
}

/// What the argument `field` names, whatever its kind.
pub(super) fn read_any(field: &str, id: &ID) -> Result<GlobalId, Refusal> {
    GlobalId::decode(id).ok_or_else(|| {
        let why = match Uuid::try_parse(id) {
            Ok(_) => "is a UUID, which does not say of what; ask the field for its kind, such as `trace`",
            Err(_) => "is not a global ID; one is the `id` of what it names",
        };
        Refusal::invalid(field, format!("`{}` {why}", shortened(id, 60)))
    })
}

fn decoded(field: &str, id: &ID, entity: Entity, plain: &str) -> Result<GlobalId, Refusal> {
    GlobalId::decode(id).ok_or_else(|| {
        let given = shortened(id, 60);
        Refusal::invalid(field, format!("`{given}` is neither the global ID of a {entity} nor {plain}"))
    })
}

fn wrong_kind(field: &str, found: Entity, wanted: Entity) -> Refusal {
    Refusal::invalid(field, format!("is the ID of a {found}, not of a {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: TraceId = TraceId::from_bytes([7; 16]);
    const SPAN: SpanId = SpanId::from_bytes([8; 16]);

    #[test]
    fn every_kind_survives_the_way_out_and_in() {
        let component_id = "prompts/planner".to_owned();
        let all = [
            GlobalId::Conversation(ConversationId::from_bytes([1; 16])),
            GlobalId::Message(MessageId::from_bytes([2; 16])),
            GlobalId::Plan(PlanId::from_bytes([3; 16])),
            GlobalId::PlanStep(PlanId::from_bytes([3; 16]), StepId::from_bytes([4; 16])),
            GlobalId::Trace(TRACE),
            GlobalId::Span(TRACE, SPAN),
            GlobalId::Component(component_id.clone()),
            GlobalId::ComponentVersion(ComponentRef {
                component_id,
                version_hash: VersionHash::from_bytes([5; 32]),
            }),
            GlobalId::Score(ScoreId::from_bytes([9; 16])),
            GlobalId::Dataset(DatasetId::from_bytes([10; 16])),
            GlobalId::DatasetItem(DatasetItemId::from_bytes([11; 16])),
            GlobalId::Experiment(ExperimentId::from_bytes([12; 16])),
            GlobalId::Evaluation(EvaluationId::from_bytes([10; 16])),
            GlobalId::EvaluationRule("every answer".to_owned()),
            GlobalId::Evaluator(ComponentRef {
                component_id: "evaluators/fast".to_owned(),
                version_hash: VersionHash::from_bytes([11; 32]),
            }),
        ];
        for id in all {
            assert_eq!(GlobalId::decode(&id.encode()), Some(id));
        }
    }

    #[test]
    fn ids_that_clients_kept_still_read() {
        assert_eq!(GlobalId::Trace(TRACE).encode().as_str(), "BQcHBwcHBwcHBwcHBwcHBwc");
        assert_eq!(GlobalId::Component("a".to_owned()).encode().as_str(), "Bxd2L91h");
    }

    #[test]
    fn arguments_take_either_form_and_no_other_kind() {
        let global = GlobalId::Trace(TRACE).encode();
        assert_eq!(read::<TraceId>("id", &global), Ok(TRACE));
        assert_eq!(read::<TraceId>("id", &ID(TRACE.to_string())), Ok(TRACE));
        let other = read::<TraceId>("id", &GlobalId::Plan(PlanId::from_bytes([3; 16])).encode()).unwrap_err();
        assert_eq!(other.to_string(), "id: is the ID of a plan, not of a trace");
        let bad = read_all::<TraceId>("ids", &[global, ID("nope".to_owned())]).unwrap_err();
        assert_eq!(bad.field(), Some("ids.1"));
    }

    #[test]
    fn a_span_by_uuid_needs_its_trace() {
        let uuid = ID(SPAN.to_string());
        let trace = ID(TRACE.to_string());
        let both = |id: &ID, trace: Option<&ID>| read_span(("spanId", id), ("traceId", trace));
        assert_eq!(both(&uuid, Some(&trace)), Ok((TRACE, SPAN)));
        assert_eq!(both(&GlobalId::Span(TRACE, SPAN).encode(), None), Ok((TRACE, SPAN)));
        assert_eq!(both(&uuid, None).unwrap_err().field(), Some("traceId"));
        let elsewhere = GlobalId::Span(TraceId::from_bytes([1; 16]), SPAN).encode();
        assert_eq!(both(&elsewhere, Some(&trace)).unwrap_err().field(), Some("traceId"));
        assert_eq!(both(&ID("x".to_owned()), None).unwrap_err().field(), Some("spanId"));
    }

    #[test]
    fn a_components_name_is_taken_as_it_is() {
        for name in ["prompts/planner", "planner", "Bxd2Ldtg", "agent_7"] {
            assert_eq!(read_component("id", &ID(name.to_owned())), Ok(name.to_owned()));
        }
        let global = GlobalId::Component("planner".to_owned()).encode();
        assert_eq!(read_component("id", &global), Ok("planner".to_owned()));
    }
}
