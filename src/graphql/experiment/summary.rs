//! What the runs of an experiment add up to.

use async_graphql::{ID, SimpleObject};

use super::fields::ExperimentCounts;
use crate::{
    graphql::{
        ids::{self, GlobalId},
        scalar::{BigInt, int},
        score::ScoreValueType,
    },
    model::{
        self,
        experiment::{Category, Distribution, Experiment, ScoreKind},
        ledger::NanoUsd,
    },
};

/// What the runs of an experiment add up to.
#[derive(SimpleObject)]
pub(super) struct ExperimentSummary {
    /// Tells summaries apart in client caches.
    id: ID,
    /// The runs by where they stand.
    counts: ExperimentCounts,
    /// How they were judged, by name and kind.
    scores: Vec<ScoreSummary>,
    /// How long the runs took that gave an answer; null where none did.
    latency: Option<LatencySummary>,
    /// Tokens that runs which are over read and wrote.
    total_tokens: BigInt,
    /// What runs that are over cost in US dollars, as far as it is known; null where it is known of none.
    total_cost_usd: Option<f64>,
    /// Runs of which it is known what they cost.
    costed_count: i32,
    /// Judgements that evaluators could not give: `evaluatorErrors` of the items name them. A run counts whatever its
    /// evaluators could not say of it.
    evaluator_error_count: i32,
}

/// Judgements of one name and kind.
#[derive(SimpleObject)]
struct ScoreSummary {
    /// Tells summaries apart in client caches.
    id: ID,
    /// What was judged.
    name: String,
    /// What kind of judgements they are.
    value_type: ScoreValueType,
    /// How many there are. Runs that failed are not judged by evaluators, and so are not among them.
    count: i32,
    /// The mean of numbers, or the share of yes; null of words, and where it is larger than a number can be.
    mean: Option<f64>,
    /// The words with how often each was said, the most frequent first.
    categories: Vec<ScoreCategory>,
}

/// A word that was said in judgement.
#[derive(SimpleObject)]
struct ScoreCategory {
    /// The word.
    value: String,
    /// How often it was said.
    count: i32,
}

/// How long runs took. A percentile is the shortest time that so many of all did not pass (nearest rank).
#[derive(SimpleObject)]
struct LatencySummary {
    /// Runs.
    count: i32,
    /// The mean, in milliseconds.
    mean_ms: f64,
    /// Half of them took no longer, in milliseconds.
    p50_ms: f64,
    /// 95 of 100 took no longer, in milliseconds.
    p95_ms: f64,
}

impl ExperimentSummary {
    pub(super) fn of(of: &Experiment, summary: model::experiment::ExperimentSummary) -> Self {
        let experiment = GlobalId::Experiment(of.id);
        let score = |(number, score): (usize, model::experiment::ScoreSummary)| ScoreSummary {
            id: ids::part(&experiment, "score", number),
            name: score.name,
            value_type: match score.kind {
                ScoreKind::Number => ScoreValueType::Number,
                ScoreKind::Category => ScoreValueType::Category,
                ScoreKind::Boolean => ScoreValueType::Boolean,
            },
            count: int(score.count),
            mean: score.mean,
            categories: score.categories.into_iter().map(Into::into).collect(),
        };
        Self {
            id: ids::part(&experiment, "summary", 0),
            counts: summary.counts.into(),
            scores: summary.scores.into_iter().enumerate().map(score).collect(),
            latency: summary.latency.map(Into::into),
            total_tokens: BigInt(summary.spent.tokens),
            total_cost_usd: summary.spent.cost.map(NanoUsd::dollars),
            costed_count: int(summary.spent.costed),
            evaluator_error_count: int(summary.evaluator_errors),
        }
    }
}

impl From<Category> for ScoreCategory {
    fn from(Category { value, count }: Category) -> Self {
        Self { value, count: int(count) }
    }
}

impl From<Distribution> for LatencySummary {
    fn from(Distribution { count, mean, p50, p95 }: Distribution) -> Self {
        Self { count: int(count), mean_ms: mean / 1e6, p50_ms: p50 / 1e6, p95_ms: p95 / 1e6 }
    }
}
