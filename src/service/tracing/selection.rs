//! The traces that somebody chose, one after the other.

use std::collections::VecDeque;

use super::{TraceFilter, TraceOrder, Tracing};
use crate::{
    model::{Refusal, TraceId, page::PageRequest, refusal::Entity, trace::Trace},
    service::ServiceResult,
};

/// Which traces are read.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// These, in this order; empty: all.
    pub ids: Vec<TraceId>,
    /// Of them, those that are meant.
    pub filter: TraceFilter,
}

/// The traces of a selection that are not read yet: those that started first come first, unless they were named.
pub struct SelectedTraces {
    tracing: Tracing,
    filter: TraceFilter,
    at_once: usize,
    rest: Rest,
}

/// What of the selection is not listed yet.
enum Rest {
    Ids(VecDeque<TraceId>),
    List(PageRequest),
    Nothing,
}

impl Tracing {
    /// The traces of a selection, no more than `at_once` at a time.
    pub(in crate::service) fn selected(&self, selection: Selection, at_once: usize) -> SelectedTraces {
        let Selection { ids, filter } = selection;
        let rest = if ids.is_empty() {
            Rest::List(PageRequest { first: at_once, after: None })
        } else {
            Rest::Ids(ids.into())
        };
        SelectedTraces { tracing: self.clone(), filter, at_once, rest }
    }
}

impl SelectedTraces {
    /// More traces, maybe none of those that were looked at; `None` behind the last.
    pub(in crate::service) async fn next(&mut self) -> ServiceResult<Option<Vec<Trace>>> {
        match &mut self.rest {
            Rest::Nothing => Ok(None),
            Rest::List(page) => {
                let found = self.tracing.list_traces(&self.filter, TraceOrder::OldestFirst, page).await?;
                match found.end.filter(|_| found.has_next) {
                    Some(end) => page.after = Some(end.encode()),
                    None => self.rest = Rest::Nothing,
                }
                Ok(Some(found.items.into_iter().map(|(_, trace)| trace).collect()))
            }
            Rest::Ids(ids) => {
                let part: Vec<_> = ids.drain(..ids.len().min(self.at_once)).collect();
                if ids.is_empty() {
                    self.rest = Rest::Nothing;
                }
                let mut traces = Vec::with_capacity(part.len());
                for (id, found) in part.iter().zip(self.tracing.traces(&part).await?) {
                    let trace = found.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, id))?;
                    traces.extend(self.filter.matches(&trace).then_some(trace));
                }
                Ok(Some(traces))
            }
        }
    }
}
