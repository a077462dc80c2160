//! Lists of traces: filtered, ordered, a page at a time.

use super::Tracing;
use crate::{
    model::{
        ConversationId, Timestamp, TraceId,
        component::VersionHash,
        page::{ListId, Page, PageRequest},
        query::{Bounds, TextMatch, TraceCondition, TraceFigure, TraceView},
        trace::{Trace, TraceStatus},
    },
    service::{
        ServiceResult,
        listing::{self, Listing},
    },
    store::{Direction, KeyRange, key::Key, keyspace, prefix},
};

/// Which traces. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TraceFilter {
    /// Of this conversation.
    pub conversation_id: Option<ConversationId>,
    /// Of this session.
    pub session_id: Option<String>,
    /// Of this user.
    pub user_id: Option<String>,
    /// In one of these states; empty: in any.
    pub statuses: Vec<TraceStatus>,
    /// With a span that used this component.
    pub component: Option<ComponentFilter>,
    /// Started at this moment or later.
    pub started_from: Option<Timestamp>,
    /// Started before this moment.
    pub started_before: Option<Timestamp>,
    /// With this text in its name, whatever the case of its letters.
    pub name_contains: Option<String>,
    /// With, or without, a span that ended in an error.
    pub has_errors: Option<bool>,
    /// Of runs that are this trace's again.
    pub replay_of: Option<TraceId>,
}

/// A component, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComponentFilter {
    /// The component.
    pub component_id: String,
    /// The version; `None`: any.
    pub version_hash: Option<VersionHash>,
}

/// How a list of traces is ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TraceOrder {
    /// The one started last comes first.
    #[default]
    NewestFirst,
    /// The one started first comes first.
    OldestFirst,
}

impl TraceOrder {
    const fn direction(self) -> Direction {
        match self {
            Self::NewestFirst => Direction::Backward,
            Self::OldestFirst => Direction::Forward,
        }
    }
}

impl TraceFilter {
    /// The index that leaves least to look at, and the part of it that the filter allows.
    fn index(&self) -> (&'static str, Vec<u8>) {
        match self {
            Self { replay_of: Some(id), .. } => (keyspace::TRACE_BY_REPLAYED.name, id.encode()),
            Self { conversation_id: Some(id), .. } => (keyspace::TRACE_BY_CONVERSATION.name, id.encode()),
            Self { session_id: Some(session), .. } => (keyspace::TRACE_BY_SESSION.name, session.encode()),
            Self { user_id: Some(user), .. } => (keyspace::TRACE_BY_USER.name, user.encode()),
            Self { component: Some(ComponentFilter { component_id, version_hash: Some(hash) }), .. } => {
                (keyspace::TRACE_BY_COMPONENT.name, (component_id.clone(), *hash).encode())
            }
            Self { statuses, .. } => match statuses.as_slice() {
                [status] => (keyspace::TRACE_BY_STATUS.name, status.encode()),
                _ => (keyspace::TRACE_BY_START.name, Vec::new()),
            },
        }
    }

    fn listing(&self, order: TraceOrder) -> Listing {
        let (index, prefix) = self.index();
        let mut range = KeyRange::prefix(&prefix);
        let bound = |moment: Timestamp| [prefix.as_slice(), &moment.encode()].concat();
        if let Some(from) = self.started_from {
            range.start = std::ops::Bound::Included(bound(from));
        }
        if let Some(before) = self.started_before {
            range.end = std::ops::Bound::Excluded(bound(before));
        }
        let list = ListId::of(&format!("traces {self:?} {order:?}"));
        Listing { index, range, direction: order.direction(), list }
    }
}

impl From<TraceFilter> for TraceCondition {
    fn from(filter: TraceFilter) -> Self {
        // Taken apart without `..`, so that a new condition cannot be forgotten here.
        let TraceFilter {
            conversation_id,
            session_id,
            user_id,
            statuses,
            component,
            started_from: from,
            started_before: before,
            name_contains,
            has_errors,
            replay_of,
        } = filter;
        let started = (from.is_some() || before.is_some()).then_some(Self::Started { from, before });
        let errors = has_errors.map(|wanted| {
            if wanted { Bounds { least: Some(1), most: None } } else { Bounds { least: None, most: Some(0) } }
        });
        let parts = [
            (!statuses.is_empty()).then_some(Self::Status(statuses)),
            name_contains.map(|text| Self::Name(TextMatch::Contains(text))),
            conversation_id.map(|id| Self::Conversation(vec![id])),
            session_id.map(|session| Self::Session(vec![session])),
            user_id.map(|user| Self::User(vec![user])),
            started,
            errors.map(|bounds| Self::Figure(TraceFigure::Errors, bounds)),
            component.map(|component| Self::Component(component.component_id, component.version_hash)),
            replay_of.map(Self::ReplayOf),
        ];
        Self::All(parts.into_iter().flatten().collect())
    }
}

/// What a trace is called: its own name, else that of its root span.
pub(in crate::service) fn trace_name(trace: &Trace) -> &str {
    trace.shown_name().unwrap_or_default()
}

/// Whether a trace fulfils a condition, by what its row tells; `None`: that does not tell.
pub(in crate::service) fn row_tells(condition: &TraceCondition, trace: &Trace) -> Option<bool> {
    let view = TraceView { row: trace, name: trace_name(trace), tags: None, spans: None, scores: None };
    condition.judge(&view)
}

impl Tracing {
    /// A page of the traces that the filter means.
    pub async fn list_traces(
        &self,
        filter: &TraceFilter,
        order: TraceOrder,
        page: &PageRequest,
    ) -> ServiceResult<Page<Trace>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        let condition = filter.clone().into();
        let meant = |trace: &Trace| row_tells(&condition, trace) == Some(true);
        listing::filtered(store, &filter.listing(order), page, limits, meant).await
    }

    /// How many traces the filter means, counted up to the bound of one page's work; `None` beyond it.
    pub async fn count_traces(&self, filter: &TraceFilter) -> ServiceResult<Option<u64>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        let listing = filter.listing(TraceOrder::NewestFirst);
        let condition = filter.clone().into();
        listing::count(store, &listing, limits, |trace: &Trace| row_tells(&condition, trace) == Some(true))
            .await
    }

    /// The newest traces of each of these conversations, in their order: two calls to the engine.
    pub async fn conversation_traces(
        &self,
        ids: &[ConversationId],
        page: &PageRequest,
    ) -> ServiceResult<Vec<Page<Trace>>> {
        let listing = |id: &ConversationId| Listing {
            index: keyspace::TRACE_BY_CONVERSATION.name,
            range: prefix(id),
            direction: Direction::Backward,
            list: ListId::of(&format!("traces of {id}")),
        };
        let listings: Vec<_> = ids.iter().map(listing).collect();
        listing::first_pages(&self.context.store, &listings, page).await
    }
}
