//! The fields of an evaluator.

use async_graphql::{Context, ID, Object};

use crate::{
    graphql::{
        component::{Component, ComponentVersion},
        error::Result,
        ids::{self, GlobalId},
        page::Listed,
        scalar::Document,
    },
    model::{
        component::{self, ComponentRef},
        evaluator::{EvaluatorDefinition, EvaluatorKind},
    },
};

/// A version of an evaluator, with its content read, where it can be.
pub(super) struct Evaluator {
    version: component::ComponentVersion,
    definition: Option<EvaluatorDefinition>,
}

impl From<component::ComponentVersion> for Evaluator {
    fn from(version: component::ComponentVersion) -> Self {
        let definition = EvaluatorDefinition::read(&version.definition).ok();
        Self { version, definition }
    }
}

impl Listed for Evaluator {
    const CONNECTION: &'static str = "EvaluatorConnection";
    const EDGE: &'static str = "EvaluatorEdge";
}

/// A rule or a judge that says how good what an agent did is, in one of its versions.
#[Object]
impl Evaluator {
    /// Tells versions of evaluators apart in client caches.
    async fn id(&self) -> ID {
        let (component_id, version_hash) = (self.version.component_id.clone(), self.version.version_hash);
        ids::part(&GlobalId::ComponentVersion(ComponentRef { component_id, version_hash }), "evaluator", 0)
    }

    /// The ID of its component: `evaluators/` and its name.
    async fn evaluator_id(&self) -> &str {
        &self.version.component_id
    }

    /// What its scores are called; null where it cannot be run here, as one that another system reported.
    async fn name(&self) -> Option<&str> {
        self.definition.as_ref().map(|definition| definition.name.as_str())
    }

    /// What it does; null where it cannot be run here.
    async fn kind(&self) -> Option<EvaluatorKind> {
        self.definition.as_ref().map(|definition| definition.kind.kind())
    }

    /// What it is told: the content of the version.
    async fn definition(&self) -> Document {
        Document(self.version.definition.clone())
    }

    /// The version.
    async fn version(&self) -> ComponentVersion {
        self.version.clone().into()
    }

    /// The component with all versions.
    async fn component(&self, ctx: &Context<'_>) -> Result<Option<Component>> {
        Component::load(ctx, self.version.component_id.clone()).await
    }
}
