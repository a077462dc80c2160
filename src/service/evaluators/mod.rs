//! Evaluators: making them, finding them, and having one judge a trace or a span of it.
//!
//! A judgement is kept as a score whose id follows from the evaluator's version and from what is judged: judged again,
//! it is replaced. What does not apply, and what fails, is answered and not kept.

mod budgets;
mod calls;
mod evaluate;
mod judge;
mod ready;
mod subject;
mod texts;
mod verdict;

use std::{num::NonZeroUsize, sync::Arc};

use lru::LruCache;
use parking_lot::Mutex;

pub use self::evaluate::{Evaluated, Judgements};
use self::ready::Ready;
use super::{
    Context, ServiceError, ServiceResult,
    agents::Agents,
    components::{Components, RegisteredVersion},
    scores::Scores,
    tracing::Tracing,
};
use crate::model::{
    Refusal,
    component::{ComponentRef, ComponentType, NewComponentVersion, VersionSelector},
    evaluator::{EvaluatorDefinition, EvaluatorSettings, is_evaluator_id},
    trace::Trace,
};

/// Evaluators that are kept ready: those with large schemas and expressions take a megabyte.
const READY: NonZeroUsize = NonZeroUsize::new(128).unwrap();

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

/// A refusal of a component, under the name that the field has for evaluators.
fn of_evaluator(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused(Refusal::NotFound { field, entity, id }) if field == "componentId" => {
            Refusal::NotFound { field: "evaluatorId".to_owned(), entity, id }.into()
        }
        other => other,
    }
}
