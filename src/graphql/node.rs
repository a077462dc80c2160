//! The interface `Node`: whatever a global ID names.

use std::borrow::Cow;

use async_graphql::{
    Context, ContextSelectionSet, ID, Object, OutputType, Positioned, ServerResult, Value,
    indexmap::{IndexMap, IndexSet},
    parser::types::Field,
    registry::{MetaField, MetaType, MetaTypeId, Registry},
    resolver_utils::{ContainerType, Fields, resolve_container},
};

use super::{
    component::{Component, ComponentVersion},
    conversation::Conversation,
    dataset::{Dataset, DatasetItem},
    error::Result,
    evaluations::{Evaluation, EvaluationRule},
    evaluator::Evaluator,
    experiment::Experiment,
    ids::{self, GlobalId},
    message::Message,
    plan::{Plan, PlanStep},
    score::Score,
    span::{self, Span},
    trace::Trace,
};

/// Whatever a global ID names.
pub(super) enum Node {
    Conversation(Conversation),
    Message(Message),
    Plan(Plan),
    PlanStep(PlanStep),
    Component(Component),
    ComponentVersion(ComponentVersion),
    Score(Score),
    Dataset(Dataset),
    DatasetItem(DatasetItem),
    Experiment(Experiment),
    Evaluation(Evaluation),
    EvaluationRule(EvaluationRule),
    Evaluator(Evaluator),
    Trace(Trace),
    Span(Span),
}

/// Calls a method of the thing, whichever it is.
macro_rules! each {
    ($node:expr, $thing:ident => $call:expr) => {
        match $node {
            Self::Conversation($thing) => $call,
            Self::Message($thing) => $call,
            Self::Plan($thing) => $call,
            Self::PlanStep($thing) => $call,
            Self::Component($thing) => $call,
            Self::ComponentVersion($thing) => $call,
            Self::Score($thing) => $call,
            Self::Dataset($thing) => $call,
            Self::DatasetItem($thing) => $call,
            Self::Experiment($thing) => $call,
            Self::Evaluation($thing) => $call,
            Self::EvaluationRule($thing) => $call,
            Self::Evaluator($thing) => $call,
            Self::Trace($thing) => $call,
            Self::Span($thing) => $call,
        }
    };
}

impl Node {
    /// The things that these IDs name, in their order.
    async fn load(ctx: &Context<'_>, id: GlobalId) -> Result<Option<Self>> {
        Ok(match id {
            GlobalId::Conversation(id) => Conversation::load(ctx, id).await?.map(Self::Conversation),
            GlobalId::Message(id) => Message::load(ctx, id).await?.map(Self::Message),
            GlobalId::Plan(id) => Plan::load(ctx, id).await?.map(Self::Plan),
            GlobalId::PlanStep(plan, step) => PlanStep::load(ctx, plan, step).await?.map(Self::PlanStep),
            GlobalId::Trace(id) => Trace::load(ctx, id).await?.map(Self::Trace),
            GlobalId::Span(trace, span) => Span::load(ctx, trace, span).await?.map(Self::Span),
            GlobalId::Component(id) => Component::load(ctx, id).await?.map(Self::Component),
            GlobalId::ComponentVersion(version) => {
                ComponentVersion::load(ctx, version).await?.map(Self::ComponentVersion)
            }
            GlobalId::Score(id) => Score::load(ctx, id).await?.map(Self::Score),
            GlobalId::Dataset(id) => Dataset::load(ctx, id).await?.map(Self::Dataset),
            GlobalId::DatasetItem(id) => DatasetItem::load(ctx, id).await?.map(Self::DatasetItem),
            GlobalId::Experiment(id) => Experiment::load(ctx, id).await?.map(Self::Experiment),
            GlobalId::Evaluation(id) => Evaluation::load(ctx, id).await?.map(Self::Evaluation),
            GlobalId::EvaluationRule(name) => {
                EvaluationRule::load(ctx, name).await?.map(Self::EvaluationRule)
            }
            GlobalId::Evaluator(version) => Evaluator::load(ctx, version).await?.map(Self::Evaluator),
        })
    }
}

/// Written out because the library's derive takes `Span` for an object type, which it is not.
impl OutputType for Node {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed("Node")
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        each!(self, thing => thing.introspection_type_name())
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Interface, |registry| {
            let mut possible_types = IndexSet::new();
            let mut add = |registry: &mut Registry, name: Cow<'static, str>| {
                registry.add_implements(&name, &Self::type_name());
                possible_types.insert(name.into_owned());
            };
            for object in [
                object::<Conversation>,
                object::<Message>,
                object::<Plan>,
                object::<PlanStep>,
                object::<Component>,
                object::<ComponentVersion>,
                object::<Score>,
                object::<Dataset>,
                object::<DatasetItem>,
                object::<Experiment>,
                object::<Evaluation>,
                object::<EvaluationRule>,
                object::<Evaluator>,
                object::<Trace>,
            ] {
                let name = object(registry);
                add(registry, name);
            }
            Span::create_type_info(registry);
            for kind in span::kinds() {
                add(registry, kind.into());
            }
            let mut id = MetaField::new("id", <ID as OutputType>::create_type_info(registry));
            id.description = Some("The global ID.".to_owned());
            MetaType::Interface {
                name: Self::type_name().into_owned(),
                description: Some("Whatever has a global ID, by which it can be read again.".to_owned()),
                fields: IndexMap::from([("id".to_owned(), id)]),
                possible_types,
                extends: false,
                keys: None,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                rust_typename: Some(std::any::type_name::<Self>()),
                directive_invocations: Vec::new(),
                requires_scopes: Vec::new(),
            }
        })
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        resolve_container(ctx, self).await
    }
}

impl ContainerType for Node {
    async fn resolve_field(&self, ctx: &Context<'_>) -> ServerResult<Option<Value>> {
        each!(self, thing => thing.resolve_field(ctx).await)
    }

    fn collect_all_fields<'a>(
        &'a self,
        ctx: &ContextSelectionSet<'a>,
        fields: &mut Fields<'a>,
    ) -> ServerResult<()> {
        each!(self, thing => thing.collect_all_fields(ctx, fields))
    }
}

/// Makes an object type known, and gives its name.
fn object<T: OutputType>(registry: &mut Registry) -> Cow<'static, str> {
    T::create_type_info(registry);
    T::type_name()
}

/// Looks things up by their global IDs.
#[derive(Default)]
pub(super) struct NodeQuery;

/// See [`NodeQuery`].
#[Object]
impl NodeQuery {
    /// Whatever this ID names; null where there is no such thing.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "A global ID.")] id: ID,
    ) -> Result<Option<Node>> {
        Node::load(ctx, ids::read_any("id", &id)?).await
    }

    /// Whatever these IDs name, in their order; null where there is no such thing.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global IDs.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        let ids = ids.iter().enumerate().map(|(index, id)| ids::read_any(&format!("ids.{index}"), id));
        let ids = ids.collect::<Result<Vec<_>, _>>()?;
        futures_util::future::try_join_all(ids.into_iter().map(|id| Node::load(ctx, id))).await
    }
}
