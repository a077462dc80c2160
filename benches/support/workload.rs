//! Traces as real agents make them: a tree of model calls, tools and retrievals, with texts of
//! repeating phrases. The same seed gives the same traces.

use dendro::model::{
    Json, SpanId, Timestamp, TraceId,
    component::{ComponentRef, VersionHash},
    ledger::{NanoUsd, TokenCounts},
    span::{NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanDetails, SpanOp, SpanStatus},
};
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::phrases::Phrases;

/// Levels that the tree of a trace has at most: what runs do has bounds, however long they go on.
pub const LEVELS: usize = 8;

/// Makes traces.
pub struct Workload {
    rng: StdRng,
    phrases: Phrases,
}

impl Workload {
    /// The workload of a seed.
    pub fn new(seed: u64) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), phrases: Phrases::new(1_500, 600) }
    }

    /// A new trace's id.
    pub fn trace_id(&mut self) -> TraceId {
        TraceId::from_bytes(self.rng.random())
    }

    fn text(&mut self, bytes: usize) -> String {
        self.phrases.text(&mut self.rng, bytes)
    }

    /// The spans of one trace, about 1.6 kB each, in the order they end: children before parents.
    pub fn spans(&mut self, count: usize) -> Vec<SpanOp> {
        let ids: Vec<SpanId> = (0..count).map(|_| SpanId::from_bytes(self.rng.random())).collect();
        let start = 1_780_000_000_000_000_000 + self.rng.random_range(0..1_000_000_000_000_i64);
        let mut open = vec![0_usize];
        let mut spans = Vec::with_capacity(count);
        for index in 0..count {
            let draw = self.rng.random_range(0..100);
            let kind = match draw {
                _ if index == 0 => OperationType::Agent,
                0..42 => OperationType::LlmCall,
                42..72 => OperationType::ToolCall,
                72..82 => OperationType::Retrieval,
                82..93 => OperationType::Chain,
                _ => OperationType::Agent,
            };
            if open.len() == LEVELS - 1 {
                open.truncate(self.rng.random_range(1..LEVELS - 1));
            }
            let above = open[open.len() - self.rng.random_range(1..=open.len().min(3))];
            if matches!(kind, OperationType::Chain | OperationType::Agent) && index > 0 {
                open.push(index);
            }
            let begin = start + index as i64 * 1_000_000;
            let end = begin + self.rng.random_range(5_000_000..900_000_000);
            spans.push(self.span(ids[index], (index > 0).then(|| ids[above]), kind, (begin, end)));
        }
        spans.reverse();
        spans
    }

    fn span(
        &mut self,
        id: SpanId,
        parent: Option<SpanId>,
        kind: OperationType,
        (begin, end): (i64, i64),
    ) -> SpanOp {
        let llm = kind == OperationType::LlmCall;
        let size = if self.rng.random_range(0..4) < 3 {
            self.rng.random_range(150..700)
        } else {
            self.rng.random_range(900..2_600)
        };
        let (input, output) = (self.text(size), self.text(size / 3));
        let attributes = serde_json::json!({
            "service.name": "bench-agent", "deployment.environment": "production",
            "session.id": format!("conv-{:010x}", self.rng.random::<u32>()),
            "thread.id": self.rng.random_range(0..64), "retry": false,
        });
        let changes = SpanChanges {
            details: SpanDetails {
                model: llm.then(|| {
                    ["gpt-4o-2024-08-06", "claude-sonnet-4-5"][self.rng.random_range(0..2)].to_owned()
                }),
                provider: llm.then(|| "openai".to_owned()),
                tool_name: (kind == OperationType::ToolCall).then(|| "search_direct_flight".to_owned()),
                ..SpanDetails::default()
            },
            tokens: llm.then(|| TokenCounts {
                input: Some(self.rng.random_range(100..9_000)),
                output: Some(self.rng.random_range(10..900)),
                ..TokenCounts::default()
            }),
            cost: llm.then(|| NanoUsd::from_nanos(self.rng.random_range(100_000..90_000_000))),
            components: if llm {
                let version_hash = VersionHash::from_bytes([self.rng.random_range(1..4); 32]);
                vec![ComponentRef { component_id: "prompts/planner".to_owned(), version_hash }]
            } else {
                Vec::new()
            },
            body: SpanBody {
                inputs: Some(
                    Json::from_value(
                        &serde_json::json!({ "messages": [{ "role": "user", "content": input }] }),
                    )
                    .unwrap(),
                ),
                outputs: Some(Json::from_value(&serde_json::json!({ "text": output })).unwrap()),
                attributes: Some(Json::from_value(&attributes).unwrap()),
                ..SpanBody::default()
            },
            ..SpanChanges::default()
        };
        let failed = self.rng.random_range(0..100) < 3;
        let span = NewSpan {
            id,
            parent_id: parent,
            operation_type: kind,
            name: format!("{} {}", kind.text().to_lowercase(), self.rng.random_range(0..40)),
            start_time: Some(Timestamp::from_nanos(begin)),
            end_time: Some(Timestamp::from_nanos(end)),
            status: Some(if failed { SpanStatus::Error } else { SpanStatus::Ok }),
            changes,
        };
        SpanOp { id, action: SpanAction::Record(Box::new(span)) }
    }
}
