//! What clients write to evaluate traces.

use async_graphql::{ID, InputObject, OneofObject};

use crate::{
    graphql::{
        evaluator::{EvaluatorRefInput, SpanSelectorInput},
        ids,
        query::TraceWhere,
        scalar::{Given, OptionalGiven},
        trace::TraceFilterInput,
    },
    model::{EvaluationId, Refusal, evaluations::EvaluationTarget, query::TraceCondition},
    service::evaluations::{NewEvaluation, NewEvaluationRule, TraceSelection},
};

/// Evaluators over traces that are there.
#[derive(InputObject)]
pub(super) struct StartEvaluationInput {
    /// The ID, where the client chooses it: a UUID. A second evaluation with it is refused.
    evaluation_id: Option<ID>,
    /// What people call it.
    name: Option<String>,
    /// The evaluators.
    evaluators: Vec<EvaluatorRefInput>,
    /// Which traces.
    traces: EvaluatedTracesInput,
    /// What of each is judged; without it the whole.
    target: Option<EvaluationTargetInput>,
    /// The share of the traces that is evaluated, above 0 and up to 1, chosen by a hash of their IDs; all, where
    /// nothing is said.
    sample: Option<Given<f64>>,
}

/// Which traces are evaluated: one of the two.
#[derive(OneofObject)]
#[expect(clippy::large_enum_variant, reason = "it is read once, and then gone")]
enum EvaluatedTracesInput {
    /// These: their global IDs or UUIDs.
    Ids(Vec<ID>),
    /// Those that a filter or a condition means, the newest first.
    Filter(FilteredTracesInput),
}

/// Traces that a filter or a condition means, of those that have begun by now; where both are given, both must hold.
#[derive(InputObject)]
struct FilteredTracesInput {
    /// Which traces, by what stands in their rows.
    filter: Option<TraceFilterInput>,
    /// Which traces, by a condition as `queryTraces` takes it. One that would have to look at too much is refused.
    #[graphql(name = "where")]
    condition: Option<TraceWhere>,
    /// Traces at most.
    limit: Option<Given<u64>>,
}

/// What of a trace is judged: one of the two.
#[derive(OneofObject)]
enum EvaluationTargetInput {
    /// The whole. Give `true`.
    Trace(bool),
    /// Each of these spans, with what is below it.
    Spans(SpanSelectorInput),
}

/// Which evaluation.
#[derive(InputObject)]
pub(super) struct CancelEvaluationInput {
    /// The evaluation: its global ID or UUID.
    evaluation_id: ID,
}

/// An evaluation that is to go.
#[derive(InputObject)]
pub(super) struct DeleteEvaluationInput {
    /// The evaluation: its global ID or UUID.
    evaluation_id: ID,
}

/// A rule for new traces.
#[derive(InputObject)]
pub(super) struct SetEvaluationRuleInput {
    /// What people call it: it takes the place of the rule that has this name.
    name: String,
    /// The evaluators.
    evaluators: Vec<EvaluatorRefInput>,
    /// Which traces, by what stands in their rows; without it all.
    filter: Option<TraceFilterInput>,
    /// Which traces, by a condition as `queryTraces` takes it, but for `text`; it must hold when the trace is over, with
    /// the scores that it has by then. Where there is a filter too, both must hold.
    #[graphql(name = "where")]
    condition: Option<TraceWhere>,
    /// What of each is judged; without it the whole.
    target: Option<EvaluationTargetInput>,
    /// The share of the traces that is evaluated, above 0 and up to 1, chosen by a hash of their IDs; all, where
    /// nothing is said.
    sample: Option<Given<f64>>,
    /// Whether it is followed.
    #[graphql(default = true)]
    enabled: bool,
}

/// Which rule.
#[derive(InputObject)]
pub(super) struct DeleteEvaluationRuleInput {
    /// Its name.
    pub(super) name: String,
}

impl StartEvaluationInput {
    pub(super) fn into_model(self) -> Result<NewEvaluation, Refusal> {
        Ok(NewEvaluation {
            id: ids::read_optional("evaluationId", self.evaluation_id.as_ref())?,
            name: self.name,
            evaluators: EvaluatorRefInput::all(self.evaluators)?,
            traces: self.traces.into_model().map_err(|refusal| refusal.below("traces"))?,
            target: EvaluationTargetInput::read(self.target)?,
            sample: self.sample.read("sample")?.unwrap_or(1.0),
        })
    }
}

impl EvaluatedTracesInput {
    fn into_model(self) -> Result<TraceSelection, Refusal> {
        Ok(match self {
            Self::Ids(traces) => TraceSelection::Traces(ids::read_all("ids", &traces)?),
            Self::Filter(FilteredTracesInput { filter, condition, limit }) => {
                let condition = meant(filter, condition).map_err(|refusal| refusal.below("filter"))?;
                TraceSelection::Filter { condition, limit: limit.read("filter.limit")? }
            }
        })
    }
}

/// What a filter and a condition mean together.
fn meant(filter: Option<TraceFilterInput>, condition: Option<TraceWhere>) -> Result<TraceCondition, Refusal> {
    let filter = filter.unwrap_or_default().into_model()?;
    Ok(condition.unwrap_or_default().read("where")?.and(filter.into()))
}

impl EvaluationTargetInput {
    fn read(input: Option<Self>) -> Result<EvaluationTarget, Refusal> {
        match input {
            None | Some(Self::Trace(true)) => Ok(EvaluationTarget::Trace),
            Some(Self::Trace(false)) => {
                Err(Refusal::invalid("target.trace", "must be true, or left out where spans are judged"))
            }
            Some(Self::Spans(selector)) => Ok(EvaluationTarget::Spans(selector.into_model())),
        }
    }
}

impl CancelEvaluationInput {
    pub(super) fn into_model(self) -> Result<EvaluationId, Refusal> {
        ids::read("evaluationId", &self.evaluation_id)
    }
}

impl DeleteEvaluationInput {
    pub(super) fn into_model(self) -> Result<EvaluationId, Refusal> {
        ids::read("evaluationId", &self.evaluation_id)
    }
}

impl SetEvaluationRuleInput {
    pub(super) fn into_model(self) -> Result<NewEvaluationRule, Refusal> {
        Ok(NewEvaluationRule {
            name: self.name,
            evaluators: EvaluatorRefInput::all(self.evaluators)?,
            condition: meant(self.filter, self.condition)?,
            target: EvaluationTargetInput::read(self.target)?,
            sample: self.sample.read("sample")?.unwrap_or(1.0),
            enabled: self.enabled,
        })
    }
}
