//! Gathering hits: the newest ones, or the newest traces, with no more in memory than are wanted.
//!
//! Most traces come in the order of their time, so a segment of the index has those of a stretch of time. Segments are
//! looked at from the newest to the oldest, until none can have anything newer than what is found.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range, sync::Arc};

use tantivy::{
    DocId, Score, Searcher, SegmentOrdinal, SegmentReader, TantivyError,
    collector::{Collector, SegmentCollector},
    columnar::ColumnValues,
    query::{EnableScoring, Query},
};

use super::{
    document::{Hit, Place},
    fields,
};
use crate::model::Timestamp;

/// Which of the documents that have what is looked for.
#[derive(Debug, Clone)]
pub struct Window {
    /// Behind this place.
    pub after: Option<Place>,
    /// Of traces that started in this stretch of time.
    pub started: Range<Timestamp>,
    /// As many at most.
    pub most: usize,
    /// Whether only the first hit of each trace is wanted.
    pub one_of_a_trace: bool,
}

impl Window {
    /// The first so many of all.
    #[must_use]
    pub const fn first(most: usize) -> Self {
        let ever = Timestamp::from_nanos(i64::MIN)..Timestamp::from_nanos(i64::MAX);
        Self { after: None, started: ever, most, one_of_a_trace: false }
    }

    /// By what a hit is kept: two with one key are one.
    fn key(&self, place: Place) -> Place {
        if self.one_of_a_trace { Place { number: 0, ..place } } else { place }
    }

    fn keep(&self, kept: &mut BTreeMap<Place, Hit>, hit: Hit) {
        let known = kept.entry(self.key(hit.place)).or_insert(hit);
        if hit.place < known.place {
            *known = hit;
        }
        if kept.len() > self.most {
            kept.pop_last();
        }
    }

    /// Whether traces that started in such a stretch of time, both ends included, may have hits of the window that are
    /// better than those that are kept.
    fn may_want(&self, (oldest, newest): (Timestamp, Timestamp), kept: &BTreeMap<Place, Hit>) -> bool {
        let last = kept.last_key_value().filter(|_| kept.len() >= self.most);
        newest >= self.started.start
            && oldest < self.started.end
            && self.after.is_none_or(|after| oldest <= after.started)
            && last.is_none_or(|(last, _)| newest >= last.started)
    }
}

/// Gathers the hits of a window.
pub(super) struct Newest(pub Arc<Window>);

impl Newest {
    /// The hits of a query.
    pub fn search(&self, searcher: &Searcher, query: &dyn Query) -> tantivy::Result<Vec<Hit>> {
        let weight = query.weight(EnableScoring::disabled_from_searcher(searcher))?;
        let mut segments = Vec::new();
        for (segment, ordinal) in searcher.segment_readers().iter().zip(0..) {
            let started = segment.fast_fields().column_first_or_default::<i64>(fields::STARTED)?;
            let stretch = [started.min_value(), started.max_value()].map(Timestamp::from_nanos);
            segments.push((stretch, segment, ordinal));
        }
        segments.sort_by_key(|([_, newest], ..)| Reverse(*newest));
        let mut kept = BTreeMap::new();
        for ([oldest, newest], segment, ordinal) in segments {
            if !self.0.may_want((oldest, newest), &kept) {
                continue;
            }
            for hit in self.collect_segment(weight.as_ref(), ordinal, segment)? {
                self.0.keep(&mut kept, hit);
            }
        }
        Ok(kept.into_values().collect())
    }
}

pub(super) struct SegmentNewest {
    window: Arc<Window>,
    kept: BTreeMap<Place, Hit>,
    started: Arc<dyn ColumnValues<i64>>,
    trace: [Arc<dyn ColumnValues<u64>>; 2],
    item: [Arc<dyn ColumnValues<u64>>; 2],
    place: Arc<dyn ColumnValues<u64>>,
}

impl Collector for Newest {
    type Fruit = Vec<Hit>;
    type Child = SegmentNewest;

    fn for_segment(&self, _: SegmentOrdinal, segment: &SegmentReader) -> tantivy::Result<SegmentNewest> {
        let columns = segment.fast_fields();
        let column = |name: &str| -> Result<Arc<dyn ColumnValues<u64>>, TantivyError> {
            columns.column_first_or_default(name)
        };
        let two = |[high, low]: [&str; 2]| Ok::<_, TantivyError>([column(high)?, column(low)?]);
        Ok(SegmentNewest {
            window: Arc::clone(&self.0),
            kept: BTreeMap::new(),
            started: columns.column_first_or_default(fields::STARTED)?,
            trace: two(fields::TRACE)?,
            item: two(fields::ITEM)?,
            place: column(fields::PLACE)?,
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Vec<Hit>>) -> tantivy::Result<Vec<Hit>> {
        let mut kept = BTreeMap::new();
        for hit in segments.into_iter().flatten() {
            self.0.keep(&mut kept, hit);
        }
        Ok(kept.into_values().collect())
    }
}

impl SegmentCollector for SegmentNewest {
    type Fruit = Vec<Hit>;

    fn collect(&mut self, document: DocId, _: Score) {
        let started = Timestamp::from_nanos(self.started.get_val(document));
        let window = &self.window;
        // Most are left out by their time alone, and nothing else is read of them.
        let last = self.kept.last_key_value().filter(|_| self.kept.len() >= window.most);
        if !window.started.contains(&started)
            || window.after.is_some_and(|after| started > after.started)
            || last.is_some_and(|(last, _)| started < last.started)
        {
            return;
        }
        let trace = fields::read_trace(self.trace.each_ref().map(|column| column.get_val(document)));
        let halves = self.item.each_ref().map(|column| column.get_val(document));
        let (item, number) = fields::read_item(self.place.get_val(document), halves);
        let place = Place { started, trace, number };
        if window.after.is_none_or(|after| window.key(place) > window.key(after)) {
            window.keep(&mut self.kept, Hit { place, item });
        }
    }

    fn harvest(self) -> Vec<Hit> {
        self.kept.into_values().collect()
    }
}
