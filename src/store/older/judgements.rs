//! Scores, evaluations and rules as they were written before.

use bincode::Decode;

use super::{Older1, packed};
use crate::model::{
    EvaluationId, Json, ScoreId, Timestamp, TraceId,
    component::ComponentRef,
    evaluations::{
        Evaluation, EvaluationError, EvaluationRule, EvaluationStatus, EvaluationTarget, Selection, Tally,
    },
    score::{Score, ScoreSource, ScoreTarget, ScoreValue},
};

#[derive(Decode)]
struct Score1 {
    id: ScoreId,
    target: ScoreTarget,
    name: String,
    value: ScoreValue,
    comment: Option<String>,
    source: ScoreSource,
    created_at: Timestamp,
}

#[derive(Decode)]
struct Score2 {
    first: Score1,
    evaluator: Option<ComponentRef>,
    judged_in: Option<TraceId>,
}

#[derive(Decode)]
struct Evaluation1 {
    id: EvaluationId,
    name: Option<String>,
    evaluators: Vec<ComponentRef>,
    selection: Selection,
    target: EvaluationTarget,
    sample: f64,
    status: EvaluationStatus,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    error_message: Option<String>,
    selected: Option<u64>,
    done: u64,
    tally: Tally,
    cursor: Option<String>,
    errors: Vec<EvaluationError>,
    revision: u64,
}

#[derive(Decode)]
struct EvaluationRule1 {
    name: String,
    evaluators: Vec<ComponentRef>,
    filter: Json,
    target: EvaluationTarget,
    sample: f64,
    enabled: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
    done: u64,
    tally: Tally,
    errors: Vec<EvaluationError>,
}

/// Reads a score of an older version: the first did not say which evaluator judged, the second not what of the trace
/// it looked at.
pub(in crate::store) fn read_score(version: u8, payload: &[u8]) -> Result<Score, String> {
    match version {
        1 => packed::read::<Score1>(payload)
            .map(|first| Score2 { first, evaluator: None, judged_in: None }.into()),
        2 => packed::read::<Score2>(payload).map(Into::into),
        _ => Err(format!("format version {version} is not known")),
    }
}

impl From<Score2> for Score {
    fn from(score: Score2) -> Self {
        let Score2 { first, evaluator, judged_in } = score;
        let Score1 { id, target, name, value, comment, source, created_at } = first;
        Self {
            id,
            target,
            name,
            value,
            comment,
            source,
            created_at,
            evaluator,
            judged_in,
            judged_revision: None,
        }
    }
}

/// It did not say why evaluators did not apply.
impl Older1 for Evaluation {
    fn read1(payload: &[u8]) -> Result<Self, String> {
        let evaluation: Evaluation1 = packed::read(payload)?;
        Ok(Self {
            id: evaluation.id,
            name: evaluation.name,
            evaluators: evaluation.evaluators,
            selection: evaluation.selection,
            target: evaluation.target,
            sample: evaluation.sample,
            status: evaluation.status,
            created_at: evaluation.created_at,
            started_at: evaluation.started_at,
            ended_at: evaluation.ended_at,
            error_message: evaluation.error_message,
            selected: evaluation.selected,
            done: evaluation.done,
            tally: evaluation.tally,
            cursor: evaluation.cursor,
            errors: evaluation.errors,
            revision: evaluation.revision,
            skips: Vec::new(),
        })
    }
}

/// It did not say why evaluators did not apply.
impl Older1 for EvaluationRule {
    fn read1(payload: &[u8]) -> Result<Self, String> {
        let rule: EvaluationRule1 = packed::read(payload)?;
        Ok(Self {
            name: rule.name,
            evaluators: rule.evaluators,
            filter: rule.filter,
            target: rule.target,
            sample: rule.sample,
            enabled: rule.enabled,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            done: rule.done,
            tally: rule.tally,
            errors: rule.errors,
            skips: Vec::new(),
        })
    }
}
