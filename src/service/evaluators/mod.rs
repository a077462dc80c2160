//! Evaluators: making them, finding them, and having one judge a trace or a span of it.
//!
//! A judgement is kept as a score whose id follows from the evaluator's version and from what is judged: judged again,
//! it is replaced. What does not apply, and what fails, is answered and not kept.

mod budgets;
mod calls;
mod judge;
mod ready;
mod subject;
mod texts;
mod verdict;

use std::{num::NonZeroUsize, sync::Arc};

use lru::LruCache;
use parking_lot::Mutex;

use self::{ready::Ready, subject::Subject, verdict::Found};
use super::{
    Context, ServiceError, ServiceResult,
    agents::Agents,
    components::{Components, RegisteredVersion},
    scores::Scores,
    tracing::Tracing,
};
use crate::model::{
    Json, Refusal, ScoreId, SpanId, TraceId,
    component::{ComponentRef, ComponentType, NewComponentVersion, VersionSelector},
    evaluation::{EvaluationTarget, Outcome},
    evaluator::{EvaluatorDefinition, EvaluatorSettings, is_evaluator_id},
    refusal::Entity,
    score::{NewScore, ScoreSource, ScoreTarget},
    text::shortened,
    trace::Trace,
};

/// Evaluators that are kept ready: those with large schemas and expressions take a megabyte.
const READY: NonZeroUsize = NonZeroUsize::new(128).unwrap();

/// Bytes of a reason that are kept with a score.
const COMMENT_BYTES: usize = 64 << 10;

/// Use cases of evaluators. Cheap to clone.
#[derive(Clone)]
pub struct Evaluators {
    context: Context,
    components: Components,
    tracing: Tracing,
    scores: Scores,
    agents: Agents,
    ready: Arc<Mutex<LruCache<ComponentRef, Arc<Ready>>>>,
}

/// An evaluator that is to be made, or a new version of one.
#[derive(Debug, Clone)]
pub struct NewEvaluator {
    /// What it is.
    pub definition: EvaluatorDefinition,
    /// What people call the version.
    pub version_name: Option<String>,
    /// What changed, in words.
    pub description: Option<String>,
    /// Who makes it.
    pub created_by: Option<String>,
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

/// Whether a trace is of a judging by an evaluator: evaluators do not judge those. Such a trace has the name of the
/// evaluator's component, and its spans name a version of it; one that was stopped at once has no spans.
#[must_use]
pub fn is_judging(trace: &Trace) -> bool {
    let summary = &trace.summary;
    let name = trace.name.as_deref().filter(|name| is_evaluator_id(name));
    name.is_some_and(|name| {
        summary.span_count == 0 || summary.components.iter().any(|used| used.component_id == name)
    })
}

impl Evaluators {
    /// The use cases over one context. Judges ask the models that agents may ask.
    #[must_use]
    pub fn new(context: Context, agents: Agents) -> Self {
        Self {
            components: Components::new(context.clone()),
            tracing: Tracing::new(context.clone()),
            scores: Scores::new(context.clone()),
            agents,
            ready: Arc::new(Mutex::new(LruCache::new(READY))),
            context,
        }
    }

    /// Makes an evaluator, or a version of one that is there. The same content again is the same version. A judge's
    /// model must be known.
    pub async fn create(&self, new: NewEvaluator) -> ServiceResult<RegisteredVersion> {
        let NewEvaluator { definition, version_name, description, created_by } = new;
        definition.check(&self.context.limits)?;
        ready::check(&definition.kind).await.map_err(|refusal| refusal.below("kind"))?;
        if let EvaluatorSettings::Judge(judge) = &definition.kind {
            let known = self.agents.models().resolve(&judge.model.name);
            known.map_err(|error| Refusal::invalid("kind.judge.model.name", error.message))?;
        }
        let version = NewComponentVersion {
            component_id: definition.component_id(),
            component_type: ComponentType::Evaluator,
            version_name,
            definition: definition.to_json()?,
            created_by,
            description,
            tags: Vec::new(),
            state: None,
        };
        self.components.register(version).await.map_err(|error| match error {
            // The name is what was given.
            ServiceError::Refused(Refusal::Invalid { field, message }) if field == "componentType" => {
                Refusal::invalid("name", message).into()
            }
            other => other,
        })
    }

    /// The version of an evaluator that is meant, if it can be run.
    pub async fn resolve(
        &self,
        evaluator_id: &str,
        version: &VersionSelector,
    ) -> ServiceResult<(ComponentRef, EvaluatorDefinition)> {
        let found = self.components.resolve(evaluator_id, version).await.map_err(of_evaluator)?;
        if found.component_type != ComponentType::Evaluator {
            return Err(Refusal::invalid("evaluatorId", format!("`{evaluator_id}` is no evaluator")).into());
        }
        let definition = EvaluatorDefinition::read(&found.definition)?;
        let reference = ComponentRef { component_id: found.component_id, version_hash: found.version_hash };
        Ok((reference, definition))
    }

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
    ) -> ServiceResult<Vec<Evaluated>> {
        let subjects = match Subject::load(&self.tracing, trace).await? {
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
            for subject in subjects {
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
        };
        match self.scores.record(new).await {
            Ok(score) => Ok(Outcome::Scored { score, passed: verdict.passed }),
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

    /// An evaluator with what it needs, made ready once.
    async fn ready(&self, evaluator: &ComponentRef) -> ServiceResult<Arc<Ready>> {
        if let Some(ready) = self.ready.lock().get(evaluator) {
            return Ok(Arc::clone(ready));
        }
        let selector = VersionSelector::Hash(evaluator.version_hash);
        let (reference, definition) = self.resolve(&evaluator.component_id, &selector).await?;
        let ready = Arc::new(Ready::new(reference, definition)?);
        self.ready.lock().put(evaluator.clone(), Arc::clone(&ready));
        Ok(ready)
    }
}

fn gone() -> Outcome {
    Outcome::Skipped("the trace is not there any more".to_owned())
}

/// The id of the score that an evaluator gives to something.
#[must_use]
pub fn score_id(evaluator: &ComponentRef, target: &ScoreTarget) -> ScoreId {
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

/// A refusal of a component, under the name that the field has for evaluators.
fn of_evaluator(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused(Refusal::NotFound { field, entity, id }) if field == "componentId" => {
            Refusal::NotFound { field: "evaluatorId".to_owned(), entity, id }.into()
        }
        other => other,
    }
}
