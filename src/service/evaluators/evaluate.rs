//! Having evaluators look at a trace or at spans of it, and keeping what they say.

use futures_util::FutureExt;

use super::{Evaluators, budgets, ready::Ready, subject::Subject, verdict::Found};
use crate::{
    model::{
        Json, Refusal, ScoreId, SpanId, TraceId,
        component::ComponentRef,
        evaluations::{EvaluationTarget, Outcome},
        evaluator::EvaluatorSettings,
        refusal::Entity,
        score::{NewScore, ScoreSource, ScoreTarget},
        text::shortened,
    },
    service::{ServiceError, ServiceResult, agents::patiently},
};

/// Bytes of a reason that are kept with a score.
const COMMENT_BYTES: usize = 64 << 10;

/// Which judgements are made of what evaluators look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgements {
    /// All, in place of those that are there.
    All,
    /// Those that are not there, or older than what they are of. Nothing is answered of the others.
    Due,
}

/// What came of an evaluator that looked at a part of a trace.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The evaluator.
    pub evaluator: ComponentRef,
    /// The span that it looked at; `None`: the whole.
    pub span_id: Option<SpanId>,
    /// What came of it.
    pub outcome: Outcome,
}

impl Evaluators {
    /// Has an evaluator judge a trace; `expected` is what the example expects that the trace answers, where it is one.
    ///
    /// # Errors
    /// When there is no such evaluator, or the store fails. What goes wrong in judging is an outcome.
    pub async fn evaluate(
        &self,
        evaluator: &ComponentRef,
        trace: TraceId,
        expected: Option<&Json>,
    ) -> ServiceResult<Outcome> {
        let ready = self.ready(evaluator).await?;
        match Subject::load(&self.tracing, trace).await? {
            Some(subject) => self.judged(&ready, &subject, expected).await,
            None => Ok(gone()),
        }
    }

    /// Has evaluators judge a trace, or each of some spans of it. What they look at is read once.
    ///
    /// # Errors
    /// As [`Evaluators::evaluate`].
    pub async fn evaluate_all(
        &self,
        evaluators: &[ComponentRef],
        trace: TraceId,
        target: &EvaluationTarget,
        which: Judgements,
    ) -> ServiceResult<Vec<Evaluated>> {
        let subjects = match Subject::load(&self.tracing, trace).await? {
            // It is due again once it is over.
            Some(whole) if which == Judgements::Due && !whole.trace().status.is_final() => {
                return Ok(Vec::new());
            }
            Some(whole) => whole.parts(target, self.context.evaluation.spans),
            None => Err(Box::new(gone())),
        };
        let mut evaluated = Vec::new();
        for evaluator in evaluators {
            let subjects = match &subjects {
                Ok(subjects) => subjects,
                Err(outcome) => {
                    let (evaluator, outcome) = (evaluator.clone(), outcome.as_ref().clone());
                    evaluated.push(Evaluated { evaluator, span_id: None, outcome });
                    continue;
                }
            };
            let ready = self.ready(evaluator).await?;
            let due = match which {
                Judgements::All => subjects.iter().collect(),
                Judgements::Due => self.due(evaluator, subjects).await?,
            };
            for subject in due {
                let outcome = self.judged(&ready, subject, None).await?;
                evaluated.push(Evaluated {
                    evaluator: evaluator.clone(),
                    span_id: subject.span_id(),
                    outcome,
                });
            }
        }
        Ok(evaluated)
    }

    /// What of these an evaluator has not judged, or not as it is now.
    async fn due<'a>(
        &self,
        evaluator: &ComponentRef,
        subjects: &'a [Subject],
    ) -> ServiceResult<Vec<&'a Subject>> {
        let ids: Vec<_> = subjects.iter().map(|subject| score_id(evaluator, &subject.target())).collect();
        let scores = self.scores.get_many(&ids).await?;
        let pairs = subjects.iter().zip(scores);
        let due = pairs
            .filter(|(subject, score)| score.as_ref().is_none_or(|score| subject.has_changed_since(score)));
        Ok(due.map(|(subject, _)| subject).collect())
    }

    /// Has an evaluator judge something, and keeps what it says.
    async fn judged(
        &self,
        ready: &Ready,
        subject: &Subject,
        expected: Option<&Json>,
    ) -> ServiceResult<Outcome> {
        let found = match subject.reason_to_skip() {
            Some(reason) => Found::Skipped(reason.to_owned()),
            // What cannot be read because it is too much fails this judgement, and no other.
            None => match self.found(ready, subject, expected).await {
                Err(ServiceError::Refused(refusal)) => Found::Failed(refusal.to_string()),
                found => found?,
            },
        };
        let verdict = match found {
            Found::Verdict(verdict) => verdict,
            Found::Skipped(reason) => return Ok(Outcome::Skipped(reason)),
            Found::Failed(reason) => return Ok(Outcome::Failed(reason)),
        };
        let target = subject.target();
        let is_model = matches!(ready.definition.kind, EvaluatorSettings::Judge(_));
        let new = NewScore {
            id: Some(score_id(&ready.reference, &target)),
            target,
            name: ready.definition.name.clone(),
            value: verdict.value,
            comment: Some(shortened(&verdict.comment, COMMENT_BYTES)).filter(|comment| !comment.is_empty()),
            source: if is_model { ScoreSource::Model } else { ScoreSource::Rule },
            evaluator: Some(ready.reference.clone()),
            judged_in: verdict.judged_in,
            judged_revision: Some(subject.revision()),
        };
        // Where too much is going on, only this is done again: a judge has its price.
        match patiently(|| self.scores.record(new.clone()).boxed()).await {
            Ok(score) => Ok(Outcome::Scored { score: Box::new(score), passed: verdict.passed }),
            Err(ServiceError::Refused(Refusal::NotFound {
                entity: Entity::Trace | Entity::Span, ..
            })) => Ok(Outcome::Skipped("it was deleted while it was judged".to_owned())),
            Err(ServiceError::Refused(refusal)) => Ok(Outcome::Failed(refusal.to_string())),
            Err(error) => Err(error),
        }
    }

    async fn found(&self, ready: &Ready, subject: &Subject, expected: Option<&Json>) -> ServiceResult<Found> {
        match &ready.definition.kind {
            EvaluatorSettings::Exact(rule) => self.exact(rule, subject, expected).await,
            EvaluatorSettings::Contains(rule) => self.contains(rule, subject, expected).await,
            EvaluatorSettings::Regex(rule) => self.regex(rule, ready, subject).await,
            EvaluatorSettings::JsonSchema(rule) => self.json_schema(rule, ready, subject).await,
            EvaluatorSettings::Latency(rule) => Ok(budgets::latency(rule, subject)),
            EvaluatorSettings::Cost(rule) => Ok(budgets::cost(rule, subject)),
            EvaluatorSettings::Tokens(rule) => Ok(budgets::tokens(rule, subject)),
            EvaluatorSettings::ToolCalled(rule) => self.tool_called(rule, subject).await,
            EvaluatorSettings::NoErrors(rule) => Ok(budgets::no_errors(rule, subject)),
            EvaluatorSettings::Judge(judge) => self.ask_judge(judge, ready, subject, expected).await,
        }
    }
}

fn gone() -> Outcome {
    Outcome::Skipped("the trace is not there any more".to_owned())
}

/// The id of the score that an evaluator gives to something.
fn score_id(evaluator: &ComponentRef, target: &ScoreTarget) -> ScoreId {
    let mut name = evaluator.version_hash.bytes().to_vec();
    let span: &[u8] = match target {
        ScoreTarget::Span(_, span) => span.bytes(),
        ScoreTarget::Message(_, message) => message.bytes(),
        ScoreTarget::Trace(_) | ScoreTarget::Conversation(_) => &[],
    };
    let whole = match target {
        ScoreTarget::Trace(trace) | ScoreTarget::Span(trace, _) => trace.uuid(),
        ScoreTarget::Conversation(conversation) | ScoreTarget::Message(conversation, _) => {
            conversation.uuid()
        }
    };
    name.extend_from_slice(span);
    name.extend_from_slice(evaluator.component_id.as_bytes());
    uuid::Uuid::new_v5(&whole, &name).into()
}
