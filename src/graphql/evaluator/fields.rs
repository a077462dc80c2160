//! The fields of an evaluator.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use crate::{
    graphql::{
        component::{Component, ComponentVersion},
        error::Result,
        ids::GlobalId,
        page::Listed,
        request,
        scalar::Document,
    },
    model::{
        component::{self, ComponentRef, ComponentType},
        evaluator::{EvaluatorDefinition, EvaluatorKind},
    },
};

/// A version of an evaluator, with its content read, where it can be.
pub(in crate::graphql) struct Evaluator {
    version: Arc<component::ComponentVersion>,
    definition: Option<EvaluatorDefinition>,
}

impl Evaluator {
    /// The evaluator in this version, if it is there and is one.
    pub(in crate::graphql) async fn load(ctx: &Context<'_>, version: ComponentRef) -> Result<Option<Self>> {
        let found = request::of(ctx)?.versions.load(version).await?;
        Ok(found.filter(|version| version.component_type == ComponentType::Evaluator).map(Self::new))
    }

    fn new(version: impl Into<Arc<component::ComponentVersion>>) -> Self {
        let version = version.into();
        let definition = EvaluatorDefinition::read(&version.definition).ok();
        Self { version, definition }
    }
}

impl From<component::ComponentVersion> for Evaluator {
    fn from(version: component::ComponentVersion) -> Self {
        Self::new(version)
    }
}

impl Listed for Evaluator {
    const CONNECTION: &'static str = "EvaluatorConnection";
    const EDGE: &'static str = "EvaluatorEdge";
}

/// A rule or a judge that says how good what an agent did is, in one of its versions.
#[Object]
impl Evaluator {
    /// The global ID: of the evaluator in this version.
    async fn id(&self) -> ID {
        let (component_id, version_hash) = (self.version.component_id.clone(), self.version.version_hash);
        GlobalId::Evaluator(ComponentRef { component_id, version_hash }).encode()
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
        ComponentVersion::new(Arc::clone(&self.version))
    }

    /// The component with all versions.
    async fn component(&self, ctx: &Context<'_>) -> Result<Option<Component>> {
        Component::load(ctx, self.version.component_id.clone()).await
    }
}
