//! Gathering hits: the newest ones, or the newest traces, with no more in memory than are wanted.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use tantivy::{
    DocId, Score, SegmentOrdinal, SegmentReader, TantivyError,
    collector::{Collector, SegmentCollector},
    columnar::ColumnValues,
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
}

/// Gathers the hits of a window.
pub(super) struct Newest(pub Arc<Window>);

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
