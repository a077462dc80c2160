//! What a span says it used and cost, and what its counts include.

use serde_json::Value as JsonValue;

use super::{Field, claude_code, lookup::Fields};
use crate::model::ledger::{CountingRule, NanoUsd, TokenCounts};

/// The names of kinds of tokens and costs in an object, as Langfuse and MLflow send them.
const DETAILS: &[(Kind, &[&str])] = &[
    (Kind::Input, &["input", "input_tokens", "prompt_tokens", "promptTokens", "input_cost"]),
    (Kind::Output, &["output", "output_tokens", "completion_tokens", "completionTokens", "output_cost"]),
    (Kind::Total, &["total", "total_tokens", "totalTokens", "total_cost"]),
    (
        Kind::CacheRead,
        &[
            "cache_read_input_tokens",
            "input_cached_tokens",
            "input_cache_read",
            "cache_read",
            "cached_tokens",
        ],
    ),
    (
        Kind::CacheWrite,
        &["cache_creation_input_tokens", "input_cache_creation", "cache_write", "cache_creation"],
    ),
    (Kind::Reasoning, &["reasoning_tokens", "output_reasoning_tokens", "output_reasoning", "reasoning"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    Output,
    Total,
    CacheRead,
    CacheWrite,
    Reasoning,
}

/// The tokens that a span reports, and what the counts include; `None` where it reports none.
pub(super) fn tokens(name: &str, fields: &Fields<'_>) -> Option<(TokenCounts, CountingRule)> {
    let object = fields.parsed(Field::UsageDetails);
    let count =
        |field: Field, kind: Kind| fields.count(field).or_else(|| detail(object.as_ref()?, kind)?.as_u64());
    let tokens = TokenCounts {
        input: count(Field::InputTokens, Kind::Input),
        output: count(Field::OutputTokens, Kind::Output),
        cache_read: count(Field::CacheReadTokens, Kind::CacheRead),
        cache_write: count(Field::CacheWriteTokens, Kind::CacheWrite),
        reasoning: count(Field::ReasoningTokens, Kind::Reasoning),
        total: count(Field::TotalTokens, Kind::Total),
    };
    let shown = CountingRule::shown_by(&tokens);
    // Its input leaves out what was cached, however little that was.
    let excludes = name.starts_with(claude_code::NAME);
    let rule = if excludes { CountingRule::of(false, shown.output_includes_reasoning()) } else { shown };
    (tokens != TokenCounts::default()).then_some((tokens, rule))
}

/// The cost that a span reports; `None` where it reports none, or what is no amount of money.
pub(super) fn cost(fields: &Fields<'_>) -> Option<NanoUsd> {
    let object = fields.parsed(Field::CostDetails);
    let detail = |kind| detail(object.as_ref()?, kind)?.as_f64();
    let parts = |input: Option<f64>, output: Option<f64>| match (input, output) {
        (None, None) => None,
        (input, output) => Some(input.unwrap_or(0.0) + output.unwrap_or(0.0)),
    };
    let dollars = fields
        .number(Field::Cost)
        .or_else(|| parts(fields.number(Field::InputCost), fields.number(Field::OutputCost)))
        .or_else(|| detail(Kind::Total))
        .or_else(|| parts(detail(Kind::Input), detail(Kind::Output)))?;
    NanoUsd::from_dollars("cost", dollars).ok()
}

fn detail(object: &JsonValue, kind: Kind) -> Option<&JsonValue> {
    let names = DETAILS.iter().find(|(known, _)| *known == kind)?.1;
    names.iter().find_map(|name| object.get(name))
}
