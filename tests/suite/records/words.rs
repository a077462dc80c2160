//! The codes of enums in records and keys: a code is never given another meaning.

use std::fmt::Write as _;

use dendro::model::{
    component::{ComponentType, VersionState},
    evaluations::EvaluationStatus,
    experiment::{ExperimentStatus, ItemStatus},
    ledger::{CostSource, CountingRule},
    message::{MessageRole, MessageType},
    plan::{PlanStatus, StepStatus},
    score::ScoreSource,
    series::{Dimension, FoundBy, Ranking, Resolution},
    span::{OperationType, SpanStatus},
    trace::{TraceOrigin, TraceStatus},
};
use dendro::store::{codec::encode, key::Key, keyspace};

use super::{keys::digits, samples};

macro_rules! codes {
    ($($word:ident),+) => {
        [$({
            let codes = $word::ALL.iter().map(|word| format!(" {}={}", word.code(), word.text()));
            assert!($word::ALL.iter().all(|word| $word::from_code(word.code()) == Some(*word)));
            format!("{}:{}\n", stringify!($word), codes.collect::<String>())
        }),+]
        .concat()
    };
}

#[test]
fn codes_are_these() {
    let codes = codes!(
        ComponentType,
        VersionState,
        CostSource,
        CountingRule,
        MessageRole,
        MessageType,
        PlanStatus,
        StepStatus,
        ScoreSource,
        OperationType,
        SpanStatus,
        TraceStatus,
        TraceOrigin,
        ExperimentStatus,
        ItemStatus,
        EvaluationStatus,
        Dimension,
        Resolution,
        FoundBy,
        Ranking
    );
    insta::assert_snapshot!(codes, @r"
    ComponentType: 1=PROMPT 2=TOOL 3=MODEL_CONFIG 4=AGENT 5=RETRIEVER 6=EVALUATOR 7=GUARDRAIL 8=OTHER
    VersionState: 1=DRAFT 2=ACTIVE 3=DEPRECATED 4=RETIRED
    CostSource: 1=REPORTED 2=COMPUTED 3=UNKNOWN
    CountingRule: 1=INCLUSIVE 2=EXCLUSIVE 3=CACHE_EXCLUSIVE 4=REASONING_EXCLUSIVE
    MessageRole: 1=SYSTEM 2=USER 3=ASSISTANT 4=TOOL
    MessageType: 1=TEXT 2=THINKING 3=TOOL_CALL 4=TOOL_RESULT 5=PLAN 6=SUMMARY 7=ERROR
    PlanStatus: 1=PENDING 2=RUNNING 3=PAUSED 4=COMPLETED 5=FAILED 6=CANCELLED
    StepStatus: 1=PENDING 2=RUNNING 3=COMPLETED 4=FAILED 5=BLOCKED 6=SKIPPED 7=INTERRUPTED 8=CANCELLED
    ScoreSource: 1=HUMAN 2=RULE 3=MODEL 4=REPORTED
    OperationType: 1=LLM_CALL 2=TOOL_CALL 3=RETRIEVAL 4=AGENT 5=PLAN_STEP 6=MEMORY 7=EMBEDDING 8=RERANK 9=GUARDRAIL 10=EVALUATION 11=PLANNING 12=CHAIN 13=CUSTOM
    SpanStatus: 1=RUNNING 2=OK 3=ERROR 4=CANCELLED
    TraceStatus: 1=RUNNING 2=COMPLETED 3=FAILED 4=CANCELLED
    TraceOrigin: 1=STARTED 2=REPORTED
    ExperimentStatus: 1=RUNNING 2=COMPLETED 3=FAILED 4=CANCELLED
    ItemStatus: 1=RUNNING 2=COMPLETED 3=FAILED 4=CANCELLED
    EvaluationStatus: 1=PENDING 2=RUNNING 3=COMPLETED 4=CANCELLED 5=FAILED
    Dimension: 1=ALL 2=MODEL 3=OPERATION 4=COMPONENT 5=VERSION 6=USER 7=TAG 8=TOOL
    Resolution: 1=FIVE_MINUTES 2=HOUR 3=DAY 4=EVER
    FoundBy: 1=MODEL 2=TOOL 3=COMPONENT 4=SCORE
    Ranking: 1=DURATION 2=COST 3=TOKENS
    ");
}

/// What has a value of its own in each case, as records and keys tell the cases apart.
#[test]
fn cases_are_told_apart_like_this() {
    let mut cases = String::new();
    for score in samples::scores() {
        let key = keyspace::score_key(&score.target, score.id).encode();
        let bytes = encode("score", &score).unwrap();
        writeln!(cases, "{} -> {}", digits(&key), digits(&bytes)).unwrap();
    }
    for evaluation in samples::evaluations() {
        writeln!(cases, "{}", digits(&encode("evaluation", &evaluation).unwrap())).unwrap();
    }
    for deleted in samples::deleted() {
        let bytes = encode("deletion", &keyspace::DeletedWith(deleted)).unwrap();
        writeln!(cases, "{} -> {}", digits(&deleted.encode()), digits(&bytes)).unwrap();
    }
    insta::assert_snapshot!(cases, @r"
    (09*16)01(00*16)(0c*16) -> 03(0c*16)00(09*16)04746f6e65(00*7)e03f010377687903fdb43490b101d12c3001056167656e74(0d*32)01(09*16)01fc00000100
    (09*16)02(0a*16)(0c*16) -> 03(0c*16)01(09*16)(0a*16)04746f6e650106706f6c697465010377687903fdb43490b101d12c3001056167656e74(0d*32)01(09*16)01fc00000100
    (01*16)03(00*16)(0c*16) -> 03(0c*16)02(01*16)04746f6e650201010377687903fdb43490b101d12c3001056167656e74(0d*32)01(09*16)01fc00000100
    (01*16)04(03*16)(0c*16) -> 03(0c*16)03(01*16)(03*16)04746f6e650200010377687903fdb43490b101d12c3001056167656e74(0d*32)01(09*16)01fc00000100
    02(0f*16)01126265666f7265207468652072656c656173650001107b22757365724964223a22616461227dfbf4(01*5)057468696e6b(00*6)d03f05fdb4acd17c04d12c3001fdb44007f404d12c3001fdb4d43c6b05d12c3001026e6f01fb2c0107050301fb90010201085933567963323979000900
    02(0f*16)01126265666f7265207468652072656c65617365000001(09*16)(00*7)d03f05fdb4acd17c04d12c3001fdb44007f404d12c3001fdb4d43c6b05d12c3001026e6f01fb2c0107050301fb90010201085933567963323979000900
    (01*17) -> 0100(01*16)
    02(09*16) -> 0101(09*16)
    03(0f*16) -> 0102(0f*16)
    04(11*16) -> 0103(11*16)
    ");
}
