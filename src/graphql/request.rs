//! What one request has for itself: the services, and loaders that read for all of its fields at once.

use std::{
    collections::HashMap,
    hash::{Hash, Hasher},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{Context, Request};
use futures_util::{Stream, StreamExt};

use super::{
    error::{Failure, Result},
    loader::Loader,
    page::PageLimits,
};
use crate::{
    model::{
        ConversationId, DatasetId, DatasetItemId, EvaluationId, ExperimentId, MessageId, PlanId, Refusal,
        ScoreId, TraceId,
        component::{Component, ComponentRef, ComponentVersion},
        conversation::Conversation,
        dataset::{Dataset, DatasetItem, DatasetVersion, ItemState},
        evaluation::ConversationEvaluation,
        evaluations::{Evaluation, EvaluationRule},
        experiment::{Experiment, ExperimentItem, ItemStatus},
        message::Message,
        page::{Page, PageRequest},
        plan::Plan,
        score::{Score, ScoreTarget},
        series::Cell,
        span::{SpanBody, SpanHead},
        trace::{Trace, TraceBody},
    },
    service::{
        ServiceResult, Services,
        conversations::HistoryRequest,
        search::{Excerpt, WantedExcerpt},
        tracing::TraceSpans,
    },
};

/// What one request has for itself. A subscription has one for all of its events: loaders keep nothing
/// once it is read.
pub(super) struct RequestData {
    pub services: Services,
    pub limits: PageLimits,
    /// Spans that steps down trees have come to.
    walked: Arc<AtomicUsize>,
    /// Bytes of spans' bodies that its answer holds so far.
    held: Arc<AtomicUsize>,
    pub traces: Loader<TraceId, Arc<Trace>>,
    pub trace_bodies: Loader<TraceId, Arc<TraceBody>>,
    pub trees: Loader<TraceId, Arc<TraceSpans>>,
    pub span_bodies: Loader<SpanKey, Arc<SpanBody>>,
    pub conversations: Loader<ConversationId, Arc<Conversation>>,
    pub messages: Loader<MessageId, Arc<Message>>,
    pub branches: Loader<(ConversationId, PageRequest), Page<Conversation>>,
    pub histories: Loader<HistoryRequest, Page<Message>>,
    pub conversation_traces: Loader<(ConversationId, PageRequest), Page<Trace>>,
    pub conversation_plans: Loader<(ConversationId, PageRequest), Page<Plan>>,
    pub plans: Loader<PlanId, Arc<Plan>>,
    pub components: Loader<String, Arc<Component>>,
    pub versions: Loader<ComponentRef, Arc<ComponentVersion>>,
    pub version_usage: Loader<ComponentRef, Arc<Cell>>,
    pub component_versions: Loader<(String, PageRequest), Page<ComponentVersion>>,
    pub conversation_evaluations: Loader<(ConversationId, bool), Arc<ConversationEvaluation>>,
    pub scores: Loader<ScoreTarget, Arc<Vec<Score>>>,
    pub scores_by_id: Loader<ScoreId, Score>,
    pub excerpts: Loader<WantedExcerpt, Arc<Excerpt>>,
    pub datasets: Loader<DatasetId, Arc<Dataset>>,
    pub dataset_versions: Loader<(DatasetId, u64), DatasetVersion>,
    pub versions_of_dataset: Loader<(DatasetId, PageRequest), Page<DatasetVersion>>,
    pub dataset_items: Loader<DatasetItemId, Arc<DatasetItem>>,
    pub dataset_items_at: Loader<ItemState, Arc<DatasetItem>>,
    pub items_of_dataset: Loader<((DatasetId, u64), PageRequest), Page<DatasetItem>>,
    pub dataset_experiments: Loader<(DatasetId, PageRequest), Page<Experiment>>,
    pub experiments: Loader<ExperimentId, Arc<Experiment>>,
    pub experiment_items: Loader<(ItemList, PageRequest), Page<ExperimentItem>>,
    pub evaluations: Loader<EvaluationId, Arc<Evaluation>>,
    pub evaluation_rules: Loader<String, Arc<EvaluationRule>>,
}

/// Runs of an experiment: those in one of its states, or in any where it names none.
pub(super) type ItemList = (ExperimentId, Vec<ItemStatus>);

/// A span whose body is wanted, with the head that says where it is.
#[derive(Clone)]
pub(super) struct SpanKey {
    pub trace_id: TraceId,
    pub head: Arc<SpanHead>,
}

impl PartialEq for SpanKey {
    fn eq(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id && self.head.id == other.head.id
    }
}

impl Eq for SpanKey {}

impl Hash for SpanKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.trace_id, self.head.id).hash(state);
    }
}

/// Gives a request what it needs to be executed.
#[must_use]
pub fn prepare(request: Request, services: &Services, limits: &PageLimits) -> Request {
    request.data(RequestData::new(services, limits))
}

/// The request that a resolver works for.
pub(super) fn of<'a>(ctx: &Context<'a>) -> Result<&'a RequestData> {
    ctx.data_opt().ok_or_else(|| {
        tracing::error!("a request was executed without having been prepared");
        Failure::Internal
    })
}

/// A loader that asks `$service` by its method `$many`, which takes keys and answers in their order.
macro_rules! loader {
    ($service:expr, $many:ident) => {{
        let service = $service.clone();
        Loader::new(move |keys: Vec<_>| {
            let service = service.clone();
            async move {
                let found = service.$many(&keys).await?;
                Ok(found.into_iter().map(|found| found.map(Into::into)).collect())
            }
        })
    }};
}

/// A loader of pages, one for each of some parents. `$service` answers by its method `$many` for all that
/// are asked for the same page, which is one call for each place of the document that asks.
macro_rules! paged {
    ($service:expr, $many:ident) => {{
        let service = $service.clone();
        Loader::new(move |keys: Vec<(_, PageRequest)>| {
            let service = service.clone();
            async move {
                let mut pages = HashMap::new();
                for (page, parents) in by_page(&keys) {
                    let found = service.$many(&parents, page).await?;
                    pages.extend(parents.into_iter().map(|parent| (parent, page)).zip(found));
                }
                Ok(keys.iter().map(|(parent, page)| pages.remove(&(parent.clone(), page))).collect())
            }
        })
    }};
}

fn by_page<K: Clone>(keys: &[(K, PageRequest)]) -> HashMap<&PageRequest, Vec<K>> {
    let mut by_page: HashMap<_, Vec<K>> = HashMap::new();
    for (parent, page) in keys {
        by_page.entry(page).or_default().push(parent.clone());
    }
    by_page
}

impl RequestData {
    /// Counts a step down a tree, to this many spans. What a document costs is judged before it is executed,
    /// but how large the trees are that it walks shows only now.
    pub(super) fn walk(&self, field: &str, spans: usize) -> Result<()> {
        let most = self.limits.most_tree_spans;
        if self.walked.fetch_add(spans, Ordering::Relaxed).saturating_add(spans) <= most {
            return Ok(());
        }
        let message = format!(
            "a request may come to {most} spans down trees; ask for fewer trees, or for `spans` in pages, or \
             for `skeleton`"
        );
        Err(Refusal::limit(field, message).into())
    }

    /// The events of a subscription. Each may walk as far, and hold as much, as a request.
    pub(super) fn events<S, T, P>(&self, changes: S) -> impl Stream<Item = Result<P>> + use<S, T, P>
    where
        S: Stream<Item = ServiceResult<T>>,
        P: From<T>,
    {
        let counts = [Arc::clone(&self.walked), Arc::clone(&self.held)];
        changes.map(move |changes| {
            for count in &counts {
                count.store(0, Ordering::Relaxed);
            }
            changes.map(P::from).map_err(Failure::from)
        })
    }

    fn new(services: &Services, limits: &PageLimits) -> Self {
        let held = Arc::default();
        Self {
            traces: loader!(services.tracing, traces),
            trace_bodies: loader!(services.tracing, trace_bodies),
            trees: loader!(services.tracing, spans),
            span_bodies: span_bodies(services, &held),
            conversations: loader!(services.conversations, get_many),
            messages: loader!(services.conversations, messages),
            branches: paged!(services.conversations, branches),
            histories: histories(services),
            conversation_traces: paged!(services.tracing, conversation_traces),
            conversation_plans: paged!(services.plans, for_conversations),
            plans: loader!(services.plans, get_many),
            components: loader!(services.components, components),
            versions: loader!(services.components, versions),
            version_usage: loader!(services.series, usage_of),
            component_versions: paged!(services.components, versions_of),
            conversation_evaluations: loader!(services.conversation_evaluations, conversations),
            scores: scores(services),
            scores_by_id: loader!(services.scores, get_many),
            excerpts: loader!(services.search, excerpts),
            datasets: loader!(services.datasets, get_many),
            dataset_versions: loader!(services.datasets, versions),
            versions_of_dataset: paged!(services.datasets, versions_of),
            dataset_items: loader!(services.datasets, items),
            dataset_items_at: loader!(services.datasets, items_at),
            items_of_dataset: paged!(services.datasets, items_of),
            dataset_experiments: paged!(services.experiments, for_datasets),
            experiments: loader!(services.experiments, get_many),
            experiment_items: paged!(services.experiments, items_of),
            evaluations: loader!(services.evaluations, get_many),
            evaluation_rules: loader!(services.evaluations, rules_named),
            services: services.clone(),
            limits: limits.clone(),
            walked: Arc::default(),
            held,
        }
    }
}

fn histories(services: &Services) -> Loader<HistoryRequest, Page<Message>> {
    let service = services.conversations.clone();
    Loader::new(move |requests: Vec<HistoryRequest>| {
        let service = service.clone();
        async move { Ok(service.histories(&requests).await?.into_iter().map(Some).collect()) }
    })
}

fn scores(services: &Services) -> Loader<ScoreTarget, Arc<Vec<Score>>> {
    let service = services.scores.clone();
    Loader::new(move |targets: Vec<ScoreTarget>| {
        let service = service.clone();
        async move { Ok(service.of_targets(&targets).await?.into_iter().map(Arc::new).map(Some).collect()) }
    })
}

fn span_bodies(services: &Services, held: &Arc<AtomicUsize>) -> Loader<SpanKey, Arc<SpanBody>> {
    let (service, held) = (services.tracing.clone(), Arc::clone(held));
    Loader::new(move |keys: Vec<SpanKey>| {
        let (service, held) = (service.clone(), Arc::clone(&held));
        async move {
            let wanted = keys.iter().map(|key| (key, key.head.part_blocks()));
            let wanted = wanted.filter(|(_, blocks)| !blocks.is_empty());
            let wanted = wanted.map(|(key, blocks)| (key.trace_id, key.head.id, blocks));
            let before = held.load(Ordering::Relaxed);
            let mut bodies = service.span_bodies(wanted.collect(), before).await?;
            held.fetch_add(bodies.values().map(SpanBody::size).sum(), Ordering::Relaxed);
            let body = |key: &SpanKey| bodies.remove(&(key.trace_id, key.head.id)).map(Arc::new);
            Ok(keys.iter().map(body).collect())
        }
    })
}
