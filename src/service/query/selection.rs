//! The traces that somebody chose, by their ids or by a condition, one after the other.

use std::{collections::VecDeque, sync::Arc};

use futures_util::{Stream, StreamExt, stream};

use super::{Queries, TraceOrdering, walk::Walk};
use crate::{
    model::{
        Refusal, TraceId,
        query::{OrderDirection, TraceCondition, TraceOrderField},
        refusal::Entity,
        trace::Trace,
    },
    service::{ServiceResult, tracing::TracePiece},
};

/// Which traces are read.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// These, in this order; empty: all.
    pub ids: Vec<TraceId>,
    /// Of them, those that fulfil this.
    pub condition: TraceCondition,
    /// Which come first, where they are not named.
    pub ordering: TraceOrdering,
}

impl Default for Selection {
    /// All, the one that started first first.
    fn default() -> Self {
        let ordering =
            TraceOrdering { field: TraceOrderField::StartTime, direction: OrderDirection::Ascending };
        Self { ids: Vec::new(), condition: TraceCondition::any(), ordering }
    }
}

/// The traces of a selection that are not read yet.
pub struct SelectedTraces {
    queries: Queries,
    at_once: usize,
    rest: Rest,
}

/// What of the selection is not listed yet.
enum Rest {
    Ids(VecDeque<TraceId>, TraceCondition),
    Walk(Box<Walk>),
}

/// Traces that are listed at a time, where they are read whole.
const WHOLE_AT_ONCE: usize = 256;

impl Queries {
    /// The traces of a selection, no more than `at_once` at a time.
    ///
    /// # Errors
    /// A refusal where it would look at too much, with what to ask instead.
    pub async fn selected(&self, selection: Selection, at_once: usize) -> ServiceResult<SelectedTraces> {
        let Selection { ids, condition, ordering } = selection;
        let rest = if ids.is_empty() {
            let prepared = self.prepare(&condition, ordering).await?;
            Rest::Walk(Box::new(Walk::begin(self, prepared, None).await?))
        } else {
            let named = TraceCondition::Among(Arc::new(ids.iter().copied().collect()));
            let prepared = self.prepare(&named.and(condition), ordering).await?;
            Rest::Ids(ids.into(), prepared.condition)
        };
        Ok(SelectedTraces { queries: self.clone(), at_once, rest })
    }

    /// The traces of a selection, whole, in pieces. One without spans is left out.
    ///
    /// # Errors
    /// As [`Queries::selected`]; later, when a trace of the selection's ids is not there, or the store fails.
    pub async fn whole_traces(
        &self,
        selection: Selection,
    ) -> ServiceResult<impl Stream<Item = ServiceResult<TracePiece>> + Send + use<>> {
        let selected = self.selected(selection, WHOLE_AT_ONCE).await?;
        let ids = stream::try_unfold(selected, |mut selected| async move {
            let Some(traces) = selected.next().await? else { return ServiceResult::Ok(None) };
            Ok(Some((traces.into_iter().map(|trace| trace.id).collect(), selected)))
        });
        Ok(self.tracing.whole(ids.boxed()))
    }
}

impl SelectedTraces {
    /// More traces, maybe none of those that were looked at; `None` behind the last.
    ///
    /// # Errors
    /// When a trace that was named is not there, or the store fails.
    pub async fn next(&mut self) -> ServiceResult<Option<Vec<Trace>>> {
        match &mut self.rest {
            Rest::Walk(walk) => {
                let found = walk.next(self.at_once).await?;
                Ok(found.map(|found| found.into_iter().map(|(_, trace)| trace).collect()))
            }
            Rest::Ids(ids, _) if ids.is_empty() => Ok(None),
            Rest::Ids(ids, condition) => {
                let part: Vec<_> = ids.drain(..ids.len().min(self.at_once)).collect();
                let mut traces = Vec::with_capacity(part.len());
                for (id, found) in part.iter().zip(self.queries.tracing.traces(&part).await?) {
                    traces.push(found.ok_or_else(|| Refusal::not_found("traceId", Entity::Trace, id))?);
                }
                let verdicts = self.queries.which(condition, &traces.iter().collect::<Vec<_>>()).await?;
                let judged = traces.into_iter().zip(verdicts);
                Ok(Some(judged.filter_map(|(trace, held)| held.then_some(trace)).collect()))
            }
        }
    }
}
