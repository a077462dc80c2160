//! Series: what traces are marked to count, what they count, and what that adds up to.

use std::collections::BTreeMap;

use super::Check;
use crate::{
    model::{
        TraceId,
        series::{Cell, Dimension, Facts, Resolution},
    },
    store::{
        StoreResult,
        key::Key,
        keyspace::{self, SeriesKey},
    },
};

impl Check<'_> {
    /// Traces that are over count or are marked to; what they count is in the cells, and nothing else is.
    pub(super) async fn series(&mut self) -> StoreResult<()> {
        self.marks().await?;
        if self.is_followed().await? {
            self.traces_count().await?;
        }
        let sums = self.facts().await?;
        self.entries().await?;
        self.cells(sums).await
    }

    async fn marks(&mut self) -> StoreResult<()> {
        for marks in [keyspace::FOLLOW_DUE, keyspace::FOLLOW_LATER] {
            let mut from = None;
            while self.page(marks, &mut from).await?.is_some() {}
        }
        let mut from = None;
        while self.page(keyspace::FOLLOW_BY_START, &mut from).await?.is_some() {}
        Ok(())
    }

    /// Whether all traces of the time before there were followers are counted, or marked.
    async fn is_followed(&mut self) -> StoreResult<bool> {
        let (mut from, mut all) = (None, false);
        while let Some(states) = self.page(keyspace::FOLLOWER, &mut from).await? {
            all |= states.iter().any(|(_, _, state)| state.marked.is_none());
        }
        Ok(all)
    }

    /// Every trace that is over counts, or is marked.
    async fn traces_count(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(traces) = self.page(keyspace::TRACE, &mut from).await? {
            let over: Vec<_> = traces.iter().filter(|(_, _, trace)| trace.status.is_final()).collect();
            let ids: Vec<_> = over.iter().map(|(_, id, _)| *id).collect();
            let facts = self.readable(keyspace::TRACE_FACTS, &ids).await?;
            let marks = self.readable(keyspace::FOLLOW_DUE, &ids).await?;
            for (((raw, ..), facts), mark) in over.into_iter().zip(facts).zip(marks) {
                if facts.is_none() && mark.is_none() {
                    self.report.note("trace", raw, "it is over, and is not counted in any series");
                }
            }
        }
        Ok(())
    }

    /// What traces count belongs to traces that are over. Answers what they add up to in all of time, by everything
    /// that there are few of: users may be as many as traces, so theirs are only looked up.
    async fn facts(&mut self) -> StoreResult<BTreeMap<SeriesKey, Cell>> {
        let (mut sums, mut from) = (BTreeMap::<SeriesKey, Cell>::new(), None);
        while let Some(all) = self.page(keyspace::TRACE_FACTS, &mut from).await? {
            let ids: Vec<TraceId> = all.iter().map(|(_, id, _)| *id).collect();
            let traces = self.readable(keyspace::TRACE, &ids).await?;
            let marks = self.readable(keyspace::FOLLOW_DUE, &ids).await?;
            for (((raw, id, facts), trace), mark) in all.iter().zip(traces).zip(marks) {
                let is_over = trace.is_some_and(|trace| trace.status.is_final());
                if !is_over && mark.is_none() {
                    self.report.note("trace_facts", raw, "its trace is not over, or not there");
                }
                add(&mut sums, facts);
                self.have_cells(raw, facts).await?;
                self.have_entries(raw, *id, facts).await?;
            }
        }
        Ok(sums)
    }

    async fn have_entries(&mut self, raw: &[u8], id: TraceId, facts: &Facts) -> StoreResult<()> {
        let found: Vec<_> =
            facts.found_by().map(|(by, value)| (by, value.to_owned(), facts.start, id)).collect();
        let ranks: Vec<_> = facts.ranks().map(|(by, value)| (by, value, facts.start, id)).collect();
        let known = self.readable(keyspace::TRACE_FOUND_BY, &found).await?;
        let ranked = self.readable(keyspace::TRACE_RANKED, &ranks).await?;
        if known.iter().chain(&ranked).any(Option::is_none) {
            self.report.note("trace_facts", raw, "it cannot be found by all that it says");
        }
        Ok(())
    }

    /// Entries of the indexes of traces that are over follow from what those count.
    async fn entries(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(entries) = self.page(keyspace::TRACE_FOUND_BY, &mut from).await? {
            let ids: Vec<_> = entries.iter().map(|(_, (.., id), _)| *id).collect();
            let facts = self.readable(keyspace::TRACE_FACTS, &ids).await?;
            for ((raw, (by, value, start, _), _), facts) in entries.into_iter().zip(facts) {
                let follows = facts.is_some_and(|facts| {
                    facts.start == start && facts.found_by().any(|known| known == (by, value.as_str()))
                });
                if !follows {
                    self.report.note("trace_found_by", &raw, "no trace that is over says this");
                }
            }
        }
        let mut from = None;
        while let Some(entries) = self.page(keyspace::TRACE_RANKED, &mut from).await? {
            let ids: Vec<_> = entries.iter().map(|(_, (.., id), _)| *id).collect();
            let facts = self.readable(keyspace::TRACE_FACTS, &ids).await?;
            for ((raw, (by, value, start, _), _), facts) in entries.into_iter().zip(facts) {
                let follows = facts.is_some_and(|facts| {
                    facts.start == start && facts.ranks().any(|known| known == (by, value))
                });
                if !follows {
                    self.report.note("trace_ranked", &raw, "no trace that is over stands there");
                }
            }
        }
        Ok(())
    }

    async fn have_cells(&mut self, raw: &[u8], facts: &Facts) -> StoreResult<()> {
        for resolution in Resolution::ALL {
            let keys: Vec<SeriesKey> = facts.cells(*resolution).collect();
            let cells = self.readable(keyspace::SERIES, &keys).await?;
            for ((_, dimension, ..), _) in keys.iter().zip(cells).filter(|(_, cell)| cell.is_none()) {
                let message = format!("it is not counted by {dimension} for {resolution}");
                self.report.note("trace_facts", raw, message);
            }
        }
        Ok(())
    }

    async fn cells(&mut self, mut sums: BTreeMap<SeriesKey, Cell>) -> StoreResult<()> {
        let mut from = None;
        while let Some(cells) = self.page(keyspace::SERIES, &mut from).await? {
            for (raw, key, cell) in cells {
                if !is_summed(&key) {
                    continue;
                }
                if !sums.remove(&key).is_some_and(|sum| sum.agrees_with(&cell)) {
                    self.report.note("series", &raw, "it is not what its traces add up to");
                }
            }
        }
        for key in sums.keys() {
            self.report.note("series", &key.encode(), "traces count in it, and it is not there");
        }
        Ok(())
    }
}

fn is_summed((resolution, dimension, ..): &SeriesKey) -> bool {
    *resolution == Resolution::Ever && *dimension != Dimension::User
}

fn add(sums: &mut BTreeMap<SeriesKey, Cell>, facts: &Facts) {
    for key in facts.cells(Resolution::Ever).filter(is_summed) {
        let (_, dimension, _, value) = &key;
        let (dimension, value) = (*dimension, value.clone());
        facts.count_in(sums.entry(key).or_default(), dimension, &value);
    }
}
