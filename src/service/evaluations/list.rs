//! Lists of evaluations, and those that are not over.

use super::Evaluations;
use crate::{
    model::{
        EvaluationId,
        evaluation::{Evaluation, EvaluationStatus},
        page::{ListId, Page, PageRequest},
    },
    service::{
        ServiceResult,
        listing::{self, Listing},
    },
    store::{Direction, KeyRange, keyspace, prefix},
};

/// Which evaluations. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvaluationFilter {
    /// In one of these states; empty: in any.
    pub statuses: Vec<EvaluationStatus>,
}

impl EvaluationFilter {
    fn matches(&self, evaluation: &Evaluation) -> bool {
        let Self { statuses } = self;
        statuses.is_empty() || statuses.contains(&evaluation.status)
    }

    fn listing(&self) -> Listing {
        let (index, range) = match self.statuses.as_slice() {
            [status] => (keyspace::EVALUATION_BY_STATUS.name, prefix(status)),
            _ => (keyspace::EVALUATION_BY_CREATION.name, KeyRange::all()),
        };
        let list = ListId::of(&format!("evaluations {self:?}"));
        Listing { index, range, direction: Direction::Backward, list }
    }
}

impl Evaluations {
    /// A page of the evaluations that the filter means, the one asked for last first.
    pub async fn list(
        &self,
        filter: &EvaluationFilter,
        page: &PageRequest,
    ) -> ServiceResult<Page<Evaluation>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::filtered(store, &filter.listing(), page, limits, |found: &Evaluation| filter.matches(found))
            .await
    }

    /// How many evaluations the filter means; `None` where counting takes more work than one page may cost.
    pub async fn count(&self, filter: &EvaluationFilter) -> ServiceResult<Option<u64>> {
        let (store, limits) = (&self.context.store, &self.context.lists);
        listing::count(store, &filter.listing(), limits, |found: &Evaluation| filter.matches(found)).await
    }

    /// The evaluations that are not over, the one asked for first first; `most` of them.
    pub(super) async fn unfinished(&self, most: usize) -> ServiceResult<Vec<EvaluationId>> {
        let of = |status: EvaluationStatus| (prefix(&status), Direction::Forward, most);
        let ranges = vec![of(EvaluationStatus::Running), of(EvaluationStatus::Pending)];
        let pages = self.context.store.scan_many(keyspace::EVALUATION_BY_STATUS, ranges).await?;
        let keys = pages.into_iter().flat_map(|page| page.items).map(|found| found.key);
        let mut found: Vec<_> = keys.map(|(_, created, id)| (created, id)).collect();
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).take(most).collect())
    }
}
