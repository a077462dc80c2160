//! Records in which every field says something, with their keys. What they say must never change: the
//! fixtures hold it.

use dendro::{
    model::{
        ConversationId, DatasetId, DatasetItemId, EvaluationId, ExperimentId, Json, MessageId, PlanId,
        ScoreId, SpanId, StepId, Timestamp, ToolCallId, TraceId, TurnId,
        component::{
            Component, ComponentChange, ComponentEvent, ComponentRef, ComponentType, ComponentVersion,
            VersionHash, VersionState,
        },
        conversation::{Conversation, Lineage, Segment},
        dataset::{
            ContentHash, Dataset, DatasetItem, DatasetVersion, ItemContent, ItemSource, ItemState, SetHash,
        },
        evaluations::{
            Evaluation, EvaluationError, EvaluationRule, EvaluationSkip, EvaluationStatus, EvaluationTarget,
            Selection, Tally,
        },
        evaluator::SpanSelector,
        experiment::{Experiment, ExperimentItem, ExperimentSetup, ExperimentStatus, ItemCounts, ItemStatus},
        ledger::{CostSource, CountingRule, Ledger, NanoUsd, TokenCounts, TokenTotals},
        message::{Message, MessageRole, MessageType, ToolCall},
        plan::{Plan, PlanStatus, PlanStep, StepAttempt, StepStatus},
        score::{Score, ScoreSource, ScoreTarget, ScoreValue},
        series::{Cell, Dimension, Facts, FoundBy, Ranking, Resolution},
        span::{Attached, OperationType, SpanBody, SpanDetails, SpanEvent, SpanHead, SpanLink, SpanStatus},
        summary::{RootSpan, Summary},
        trace::{Claims, Rank, Trace, TraceBody, TraceOrigin, TraceStatus},
    },
    store::{
        keyspace::{
            self, AgentRun, DatasetItemAddress, Deleted, DeletedWith, EvaluationDue, FollowDue,
            FollowerState, KeyBytes, MessageAddress, NamedDataset, Nothing, PlanRun, RunTask,
            ToolCallAddress, ToolResultAddress, TurnDue,
        },
        spans::{BodyBlock, HeadBlock},
    },
};

use super::Entry;

const CONVERSATION: ConversationId = ConversationId::from_bytes([0x01; 16]);
const PARENT: ConversationId = ConversationId::from_bytes([0x02; 16]);
const MESSAGE: MessageId = MessageId::from_bytes([0x03; 16]);
const RESULT: MessageId = MessageId::from_bytes([0x04; 16]);
const CALL: ToolCallId = ToolCallId::from_bytes([0x05; 16]);
const TURN: TurnId = TurnId::from_bytes([0x06; 16]);
const PLAN: PlanId = PlanId::from_bytes([0x07; 16]);
const STEP: StepId = StepId::from_bytes([0x08; 16]);
const TRACE: TraceId = TraceId::from_bytes([0x09; 16]);
const SPAN: SpanId = SpanId::from_bytes([0x0a; 16]);
const ABOVE: SpanId = SpanId::from_bytes([0x0b; 16]);
const SCORE: ScoreId = ScoreId::from_bytes([0x0c; 16]);
const DATASET: DatasetId = DatasetId::from_bytes([0x0f; 16]);
const ITEM: DatasetItemId = DatasetItemId::from_bytes([0x10; 16]);
const EXPERIMENT: ExperimentId = ExperimentId::from_bytes([0x11; 16]);
const CONTENT: ContentHash = ContentHash::from_bytes([0x12; 32]);
const SET: SetHash = SetHash::from_bytes([0x13; 32]);
const EVALUATION: EvaluationId = EvaluationId::from_bytes([0x0f; 16]);
const HASH: VersionHash = VersionHash::from_bytes([0x0d; 32]);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(1_735_689_600_000_000_000 + seconds * 1_000_000_000 + 90)
}

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An entry of every table, in the order of the keyspace.
pub fn entries() -> Vec<Entry> {
    [
        of_conversations(),
        of_plans(),
        of_traces(),
        of_components(),
        of_datasets(),
        of_experiments(),
        of_evaluations(),
        of_marks(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_conversations() -> Vec<Entry> {
    let (found, said) = (conversation(), message());
    let active = found.last_activity_at;
    let result = ToolResultAddress { ordinal: 301, message_id: RESULT };
    vec![
        Entry::of(keyspace::CONVERSATION, CONVERSATION, found.clone()),
        Entry::of(keyspace::CONVERSATION_BY_ACTIVITY, (active, CONVERSATION), Nothing),
        Entry::of(keyspace::CONVERSATION_BY_CREATION, (found.created_at, CONVERSATION), Nothing),
        Entry::of(keyspace::CONVERSATION_BY_USER, ("ada".to_owned(), active, CONVERSATION), Nothing),
        Entry::of(keyspace::CONVERSATION_BY_TAG, ("a\0b".to_owned(), active, CONVERSATION), Nothing),
        Entry::of(keyspace::CONVERSATION_BY_PARENT, (PARENT, found.created_at, CONVERSATION), Nothing),
        Entry::of(
            keyspace::LINEAGE,
            CONVERSATION,
            Lineage { segments: vec![Segment { conversation_id: PARENT, start: 3, end: 300 }] },
        ),
        Entry::of(keyspace::MESSAGE, (CONVERSATION, 300), said.clone()),
        Entry::of(keyspace::MESSAGE_BY_REVISION, (CONVERSATION, said.revision, 300), Nothing),
        Entry::of(keyspace::MESSAGE_SUMMARY, (CONVERSATION, 300), Nothing),
        Entry::of(
            keyspace::MESSAGE_ADDRESS,
            MESSAGE,
            MessageAddress { conversation_id: CONVERSATION, ordinal: 300 },
        ),
        Entry::of(keyspace::TOOL_CALL, (CONVERSATION, "call_1".to_owned()), ToolCallAddress { ordinal: 300 }),
        Entry::of(keyspace::TOOL_RESULT, (CONVERSATION, "call_1".to_owned()), result),
    ]
}

fn of_plans() -> Vec<Entry> {
    let found = plan();
    let created = found.created_at;
    vec![
        Entry::of(keyspace::PLAN, PLAN, found.clone()),
        Entry::of(keyspace::PLAN_BY_CREATION, (created, PLAN), Nothing),
        Entry::of(keyspace::PLAN_BY_CONVERSATION, (CONVERSATION, created, PLAN), Nothing),
        Entry::of(keyspace::PLAN_BY_STATUS, (found.status, created, PLAN), Nothing),
        Entry::of(keyspace::PLAN_BY_DEADLINE, (found.deadline().unwrap(), PLAN), Nothing),
    ]
}

fn of_traces() -> Vec<Entry> {
    let found = trace();
    let start = found.start_time;
    let body = TraceBody {
        user_input: some("Where is it?"),
        final_output: some("There."),
        initial_memory_state: Some(json("[1]")),
        initial_conversation_state: Some(json("{\"a\":2}")),
        system_config: Some(json("null")),
        metadata: Some(json("{\"b\":1.50}")),
    };
    vec![
        Entry::of(keyspace::TRACE, TRACE, found.clone()),
        Entry::of(keyspace::TRACE_BODY, (TRACE, 1), body),
        Entry::of(keyspace::TRACE_BY_START, (start, TRACE), Nothing),
        Entry::of(keyspace::TRACE_BY_CONVERSATION, (CONVERSATION, start, TRACE), Nothing),
        Entry::of(keyspace::TRACE_BY_SESSION, ("session".to_owned(), start, TRACE), Nothing),
        Entry::of(keyspace::TRACE_BY_USER, ("ada".to_owned(), start, TRACE), Nothing),
        Entry::of(keyspace::TRACE_BY_STATUS, (found.status, start, TRACE), Nothing),
        Entry::of(keyspace::TRACE_BY_REPLAYED, (TRACE, start, TRACE), Nothing),
        Entry::of(keyspace::TRACE_BY_COMPONENT, (("agent".to_owned(), HASH), start, TRACE), Nothing),
        Entry::of(keyspace::SPAN_HEAD, (TRACE, 65_537), HeadBlock(vec![head(); 3])),
        Entry::of(keyspace::SPAN_BODY, (TRACE, 65_537 << 16), BodyBlock(vec![(SPAN, body_of_span()); 3])),
    ]
}

fn of_components() -> Vec<Entry> {
    let score = score(ScoreTarget::Span(TRACE, SPAN), ScoreValue::Category("polite".to_owned()));
    let key = keyspace::score_key(&score.target, SCORE);
    vec![
        Entry::of(keyspace::COMPONENT, "agent".to_owned(), component()),
        Entry::of(keyspace::COMPONENT_VERSION, ("agent".to_owned(), HASH), version()),
        Entry::of(keyspace::COMPONENT_VERSION_BY_SEQUENCE, ("agent".to_owned(), 12, HASH), Nothing),
        Entry::of(
            keyspace::COMPONENT_EVENT,
            ("agent".to_owned(), at(3), [7; 16]),
            ComponentEvent {
                at: at(3),
                version_hash: HASH,
                change: ComponentChange::LabelSet { label: "production".to_owned(), before: Some(HASH) },
            },
        ),
        Entry::of(keyspace::COMPONENT_BY_TYPE, (4, "agent".to_owned()), Nothing),
        Entry::of(keyspace::SCORE, key, score),
        Entry::of(keyspace::SCORE_ADDRESS, SCORE, KeyBytes(vec![1, 2, 3])),
    ]
}

fn of_datasets() -> Vec<Entry> {
    let (found, item) = (dataset(), dataset_item());
    let address = DatasetItemAddress { item_id: ITEM, state: item.state };
    vec![
        Entry::of(keyspace::DATASET, DATASET, found.clone()),
        Entry::of(keyspace::DATASET_BY_CREATION, (found.created_at, DATASET), Nothing),
        Entry::of(keyspace::DATASET_NAME, "support".to_owned(), NamedDataset(DATASET)),
        Entry::of(keyspace::DATASET_VERSION, (DATASET, 300), dataset_version()),
        Entry::of(keyspace::DATASET_ITEM, keyspace::item_key(&item.state), item),
        Entry::of(keyspace::DATASET_ITEM_ADDRESS, ITEM, address),
        Entry::of(keyspace::DATASET_ITEM_CONTENT, (DATASET, CONTENT), address),
    ]
}

fn of_experiments() -> Vec<Entry> {
    let (found, item) = (experiment(), experiment_item());
    let created = found.created_at;
    let changed = (EXPERIMENT, item.revision, 400, 2);
    vec![
        Entry::of(keyspace::EXPERIMENT, EXPERIMENT, found),
        Entry::of(keyspace::EXPERIMENT_BY_CREATION, (created, EXPERIMENT), Nothing),
        Entry::of(keyspace::EXPERIMENT_BY_DATASET, (DATASET, created, EXPERIMENT), Nothing),
        Entry::of(keyspace::EXPERIMENT_ITEM, (EXPERIMENT, 400, 2), item),
        Entry::of(keyspace::EXPERIMENT_ITEM_BY_REVISION, changed, Nothing),
    ]
}

fn of_evaluations() -> Vec<Entry> {
    vec![
        Entry::of(keyspace::EVALUATION, EVALUATION, evaluation()),
        Entry::of(keyspace::EVALUATION_BY_CREATION, (at(15), EVALUATION), Nothing),
        Entry::of(keyspace::EVALUATION_BY_STATUS, (EvaluationStatus::Failed, at(15), EVALUATION), Nothing),
        Entry::of(keyspace::EVALUATION_RULE, "every run".to_owned(), evaluation_rule()),
        Entry::of(keyspace::EVALUATION_DUE, TRACE, EvaluationDue { revision: 7 }),
    ]
}

fn of_marks() -> Vec<Entry> {
    vec![
        Entry::of(
            keyspace::AGENT_RUN,
            TRACE,
            AgentRun { task: RunTask::Talk { conversation: CONVERSATION, turn: TURN } },
        ),
        Entry::of(
            keyspace::PLAN_RUN,
            PLAN,
            PlanRun {
                agent: ComponentRef { component_id: "agents/a".to_owned(), version_hash: HASH },
                variables: vec![("user".to_owned(), "Ada".to_owned())],
            },
        ),
        Entry::of(keyspace::EXPERIMENT_RUN, EXPERIMENT, Nothing),
        Entry::of(keyspace::TURN_DUE, TRACE, TurnDue { revision: 7 }),
        Entry::of(keyspace::TRACE_FACTS, TRACE, facts()),
        Entry::of(keyspace::TRACE_FOUND_BY, (FoundBy::Tool, "search".to_owned(), at(5), TRACE), Nothing),
        Entry::of(keyspace::TRACE_RANKED, (Ranking::Cost, 258, at(5), TRACE), Nothing),
        Entry::of(keyspace::SERIES, (Resolution::Day, Dimension::Model, at(0), "small-1".to_owned()), cell()),
        Entry::of(keyspace::FOLLOW_DUE, TRACE, FollowDue { revision: 7, at: at(5), more: 2 }),
        Entry::of(keyspace::FOLLOW_BY_START, (at(5), TRACE), FollowDue { revision: 7, at: at(5), more: 2 }),
        Entry::of(keyspace::FOLLOW_LATER, TRACE, FollowDue { revision: 7, at: at(5), more: 2 }),
        Entry::of(keyspace::FOLLOWER, 3, FollowerState { format: 4, marked: Some((at(1), TRACE)) }),
        Entry::of(
            keyspace::DELETION,
            Deleted::Trace(TRACE),
            DeletedWith(Deleted::Conversation(CONVERSATION)),
        ),
    ]
}

fn facts() -> Facts {
    let mut ended = head();
    ended.end_time = Some(at(9));
    Facts::of(
        &trace(),
        &[ended],
        &["beta".to_owned()],
        &[score(ScoreTarget::Trace(TRACE), ScoreValue::Number(0.5))],
    )
}

fn cell() -> Cell {
    let mut cell = Cell::default();
    let facts = facts();
    let model = facts.places().find(|(dimension, _)| *dimension == Dimension::Model);
    let (dimension, value) = model.unwrap();
    facts.count_in(&mut cell, dimension, value);
    cell
}

pub fn conversation() -> Conversation {
    Conversation {
        id: CONVERSATION,
        title: some("Flüge"),
        created_at: at(1),
        updated_at: at(2),
        last_activity_at: at(3),
        model_name: some("small-1"),
        system_prompt: some("Be kind."),
        temperature: 0.7,
        max_tokens: Some(70_000),
        metadata: json("{\"seat\":\"12A\"}"),
        tags: vec!["a\0b".to_owned(), "beta".to_owned()],
        user_id: some("ada"),
        parent_conversation_id: Some(PARENT),
        branched_from_message_id: Some(RESULT),
        branch_count: 2,
        revision: 400,
        first_ordinal: 300,
        next_ordinal: 302,
    }
}

pub fn message() -> Message {
    let call = ToolCall {
        id: CALL,
        call_id: "call_1".to_owned(),
        name: "search".to_owned(),
        arguments: json("{\"q\":[1,2.50]}"),
        created_at: at(4),
        result_message_id: Some(RESULT),
    };
    Message {
        id: MESSAGE,
        conversation_id: CONVERSATION,
        ordinal: 300,
        revision: 399,
        turn_id: Some(TURN),
        role: MessageRole::Assistant,
        message_type: MessageType::ToolCall,
        content: some("Let me look."),
        thinking: some("Hm."),
        confidence_score: Some(0.25),
        timestamp: at(4),
        model_name: some("small-1"),
        token_count: Some(5_000_000_000),
        processing_time_ms: Some(1_234),
        metadata: json("{}"),
        parent_message_id: Some(RESULT),
        references: vec![MESSAGE, RESULT],
        tool_calls: vec![call],
        tool_call_id: some("call_0"),
        trace_id: Some(TRACE),
    }
}

pub fn plan() -> Plan {
    let attempt = StepAttempt {
        number: 1,
        status: StepStatus::Failed,
        started_at: at(6),
        ended_at: Some(at(7)),
        error_message: some("nobody there"),
        span: Some((TRACE, SPAN)),
    };
    let step = PlanStep {
        id: STEP,
        order: 0,
        description: "look".to_owned(),
        status: StepStatus::Interrupted,
        result: some("here"),
        error_message: some("lost"),
        started_at: Some(at(6)),
        completed_at: Some(at(8)),
        dependencies: vec![StepId::from_bytes([0x0e; 16])],
        attempts: vec![attempt],
        revision: 5,
    };
    Plan {
        id: PLAN,
        conversation_id: CONVERSATION,
        title: "Find it".to_owned(),
        description: some("soon"),
        status: PlanStatus::Running,
        current_step_index: 1,
        context: json("{\"k\":[]}"),
        max_retries: 3,
        timeout_minutes: Some(90),
        created_at: at(5),
        updated_at: at(8),
        started_at: Some(at(6)),
        completed_at: Some(at(9)),
        error_message: some("late"),
        revision: 6,
        steps: vec![step],
    }
}

pub fn trace() -> Trace {
    let tokens = TokenTotals { input: 1_000, output: 200, cache_read: 300, cache_write: 40, reasoning: 50 };
    let summary = Summary {
        span_count: 7,
        running_count: 1,
        error_count: 2,
        llm_call_count: 3,
        tool_call_count: 4,
        tokens,
        cost: NanoUsd::from_nanos(250_000_001),
        cost_known: true,
        models: vec!["small-1".to_owned()],
        components: vec![used()],
        root: Some(RootSpan { id: SPAN, start_time: at(10), name: "support".to_owned() }),
        depth: 3,
        first_start: Some(at(10)),
        last_end: Some(at(11)),
    };
    Trace {
        id: TRACE,
        name: some("run"),
        conversation_id: Some(CONVERSATION),
        message_id: Some(MESSAGE),
        turn_id: Some(TURN),
        user_id: some("ada"),
        session_id: some("session"),
        status: TraceStatus::Failed,
        start_time: at(10),
        end_time: Some(at(11)),
        input_preview: some("Where"),
        output_preview: some("There"),
        last_activity_at: at(12),
        revision: 65_537,
        summary,
        block_count: 9,
        origin: TraceOrigin::Reported,
        settled: true,
        claims: Claims {
            name: Some(rank(1)),
            conversation: Some(rank(2)),
            session: Some(rank(3)),
            user: Some(rank(4)),
            input: Some(rank(5)),
            output: Some(rank(6)),
        },
        replay_of: Some(TRACE),
    }
}

fn rank(seconds: i64) -> Rank {
    Rank { has_parent: true, start_time: at(seconds), id: SPAN }
}

fn used() -> ComponentRef {
    ComponentRef { component_id: "agent".to_owned(), version_hash: HASH }
}

fn head() -> SpanHead {
    let details = SpanDetails {
        model: some("small-1"),
        provider: some("somebody"),
        finish_reason: some("stop"),
        time_to_first_token_nanos: Some(123_456_789),
        tool_name: some("search"),
        tool_call_id: some("call_1"),
        agent_name: some("helper"),
        plan_id: Some(PLAN),
        step_id: Some(STEP),
        document_count: Some(4),
        response_id: some("resp_1"),
    };
    let tokens = TokenCounts {
        input: Some(1_000),
        output: Some(200),
        cache_read: Some(300),
        cache_write: Some(40),
        reasoning: Some(50),
        total: Some(1_200),
    };
    let ledger = Ledger {
        tokens,
        rule: Some(CountingRule::Exclusive),
        cost: Some(NanoUsd::from_nanos(250_000_001)),
        source: Some(CostSource::Computed),
        price_version: some("2025-01"),
    };
    SpanHead {
        id: SPAN,
        parent_id: Some(ABOVE),
        operation_type: OperationType::Custom,
        name: "think".to_owned(),
        start_time: at(10),
        end_time: Some(at(11)),
        status: SpanStatus::Error,
        status_message: some("no"),
        details,
        ledger,
        components: vec![used()],
        event_count: 1,
        link_count: 1,
        revision: 65_537,
        body_blocks: vec![1 << 16, 65_537 << 16],
        attached: Attached { blocks: vec![2 << 16], fingerprints: vec![u64::MAX], event_count: 1 },
        announced: true,
        fingerprint: u64::MAX,
    }
}

fn body_of_span() -> SpanBody {
    SpanBody {
        inputs: Some(json("{\"q\":\"where\"}")),
        outputs: Some(json("[1,2.50,null]")),
        memory_snapshot: Some(json("\"text\"")),
        conversation_context: Some(json("{}")),
        error_details: Some(json("{\"message\":\"no\"}")),
        attributes: Some(json("{\"a\":true}")),
        events: vec![SpanEvent {
            name: "seen".to_owned(),
            time: at(10),
            attributes: Some(json("{\"x\":1}")),
        }],
        links: vec![SpanLink { trace_id: TRACE, span_id: Some(ABOVE), attributes: Some(json("{\"y\":2}")) }],
        origin: Some(json("{\"kind\":\"CLIENT\"}")),
        input_attribute: some("in"),
        output_attribute: some("out"),
    }
}

/// Scores of every kind of target, with values of every kind.
pub fn scores() -> Vec<Score> {
    vec![
        score(ScoreTarget::Trace(TRACE), ScoreValue::Number(0.5)),
        score(ScoreTarget::Span(TRACE, SPAN), ScoreValue::Category("polite".to_owned())),
        score(ScoreTarget::Conversation(CONVERSATION), ScoreValue::Boolean(true)),
        score(ScoreTarget::Message(CONVERSATION, MESSAGE), ScoreValue::Boolean(false)),
    ]
}

fn score(target: ScoreTarget, value: ScoreValue) -> Score {
    Score {
        id: SCORE,
        target,
        name: "tone".to_owned(),
        value,
        comment: some("why"),
        source: ScoreSource::Model,
        created_at: at(9),
        evaluator: Some(used()),
        judged_in: Some(TRACE),
        judged_revision: Some(65_536),
    }
}

/// What is deleted, of every kind.
pub fn deleted() -> [Deleted; 4] {
    [
        Deleted::Conversation(CONVERSATION),
        Deleted::Trace(TRACE),
        Deleted::Dataset(DATASET),
        Deleted::Experiment(EXPERIMENT),
    ]
}

pub fn evaluation() -> Evaluation {
    Evaluation {
        id: EVALUATION,
        name: some("before the release"),
        evaluators: vec![used()],
        selection: Selection::Filter { filter: json("{\"userId\":\"ada\"}"), limit: 500 },
        target: EvaluationTarget::Spans(SpanSelector {
            operation_type: Some(OperationType::LlmCall),
            name: some("think"),
        }),
        sample: 0.25,
        status: EvaluationStatus::Failed,
        created_at: at(15),
        started_at: Some(at(16)),
        ended_at: Some(at(17)),
        error_message: some("no"),
        selected: Some(300),
        done: 7,
        tally: tally(),
        cursor: some("Y3Vyc29y"),
        errors: vec![evaluation_error()],
        revision: 9,
        skips: vec![evaluation_skip()],
    }
}

/// Evaluations of every kind of selection and target.
pub fn evaluations() -> Vec<Evaluation> {
    let of_ids = Evaluation {
        selection: Selection::Traces(vec![TRACE]),
        target: EvaluationTarget::Trace,
        evaluators: Vec::new(),
        errors: Vec::new(),
        skips: Vec::new(),
        ..evaluation()
    };
    let of_spans =
        Evaluation { evaluators: Vec::new(), errors: Vec::new(), skips: Vec::new(), ..evaluation() };
    vec![of_spans, of_ids]
}

fn evaluation_rule() -> EvaluationRule {
    EvaluationRule {
        name: "every run".to_owned(),
        evaluators: vec![used()],
        filter: json("{}"),
        target: EvaluationTarget::Trace,
        sample: 0.5,
        enabled: true,
        created_at: at(15),
        updated_at: at(16),
        done: 300,
        tally: tally(),
        errors: vec![evaluation_error()],
        skips: vec![evaluation_skip()],
    }
}

const fn tally() -> Tally {
    Tally { scored: 5, passed: 3, failed: 1, skipped: 400, errors: 2 }
}

fn evaluation_error() -> EvaluationError {
    EvaluationError {
        trace_id: TRACE,
        span_id: Some(SPAN),
        evaluator: used(),
        message: "unavailable".to_owned(),
    }
}

fn evaluation_skip() -> EvaluationSkip {
    EvaluationSkip {
        evaluator: used(),
        reason: "it has no output".to_owned(),
        count: 300,
        trace_id: TRACE,
        span_id: Some(SPAN),
    }
}

pub fn component() -> Component {
    Component {
        id: "agent".to_owned(),
        component_type: ComponentType::Agent,
        created_at: at(13),
        updated_at: at(14),
        version_count: 12,
        newest: HASH,
        labels: vec![("production".to_owned(), HASH)],
    }
}

pub fn version() -> ComponentVersion {
    ComponentVersion {
        component_id: "agent".to_owned(),
        version_hash: HASH,
        sequence: 12,
        component_type: ComponentType::Agent,
        version_name: some("v12 shorter"),
        definition: json("{\"text\":\"Be kind.\"}"),
        created_at: at(14),
        created_by: some("ada"),
        description: some("Shorter."),
        tags: vec!["short".to_owned()],
        state: VersionState::Deprecated,
    }
}

pub fn dataset() -> Dataset {
    Dataset {
        id: DATASET,
        name: "support".to_owned(),
        description: some("Questions."),
        created_at: at(15),
        updated_at: at(16),
        version: 300,
        content_hash: SET,
        item_count: 250,
        next_place: 401,
    }
}

fn dataset_version() -> DatasetVersion {
    DatasetVersion {
        dataset_id: DATASET,
        number: 300,
        content_hash: SET,
        item_count: 250,
        added: 3,
        changed: 2,
        removed: 1,
        created_at: at(16),
    }
}

fn state() -> ItemState {
    ItemState { dataset_id: DATASET, place: 400, since: 299 }
}

fn dataset_item() -> DatasetItem {
    DatasetItem {
        id: ITEM,
        state: state(),
        until: Some(300),
        content: ItemContent {
            input: json("\"Where is it?\""),
            expected: Some(json("[1,2.50]")),
            metadata: json("{\"a\":1}"),
        },
        hash: CONTENT,
        source: Some(ItemSource::Span(TRACE, SPAN)),
        created_at: at(15),
    }
}

pub fn experiment() -> Experiment {
    Experiment {
        id: EXPERIMENT,
        name: "shorter".to_owned(),
        dataset_id: DATASET,
        dataset_version: 300,
        setup: ExperimentSetup {
            agent: used(),
            components: vec![used()],
            model: some("play/small"),
            variables: vec![("user".to_owned(), "Ada".to_owned())],
            evaluators: vec![used()],
            repetitions: 2,
            parallelism: 4,
            max_errors: Some(5),
        },
        status: ExperimentStatus::Failed,
        error: some("its dataset was deleted"),
        counts: ItemCounts { total: 500, running: 1, completed: 2, failed: 3, cancelled: 4 },
        created_at: at(17),
        ended_at: Some(at(18)),
        revision: 600,
    }
}

pub fn experiment_item() -> ExperimentItem {
    ExperimentItem {
        experiment_id: EXPERIMENT,
        item_id: ITEM,
        item: state(),
        repetition: 2,
        status: ItemStatus::Completed,
        attempt: 3,
        trace_id: TRACE,
        output_preview: some("There."),
        error: some("no"),
        evaluator_errors: vec!["judge: no".to_owned()],
        started_at: at(17),
        ended_at: Some(at(18)),
        revision: 599,
    }
}
