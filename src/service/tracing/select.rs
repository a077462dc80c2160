//! Pages of a trace's spans: filtered, in the order of the tree, of time or of duration.

use std::cmp::Reverse;

use super::TraceSpans;
use crate::model::{
    Refusal, SpanId, Timestamp,
    page::{Cursor, ListId, Page, PageRequest},
    refusal::Entity,
    span::{OperationType, SpanHead, SpanStatus},
};

/// Which spans of a trace. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanFilter {
    /// Of one of these types; empty: of any.
    pub types: Vec<OperationType>,
    /// In one of these states; empty: in any.
    pub statuses: Vec<SpanStatus>,
    /// With this text in its name, whatever the case of its letters.
    pub name_contains: Option<String>,
    /// Started at this moment or later.
    pub started_from: Option<Timestamp>,
    /// Started before this moment.
    pub started_before: Option<Timestamp>,
    /// This span, or one below it.
    pub subtree_of: Option<SpanId>,
}

/// How the spans of a trace are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SpanOrder {
    /// Parents before their children, siblings by their start.
    #[default]
    Tree,
    /// The one started first comes first.
    StartTime,
    /// The longest comes first, those that go on last.
    Duration,
}

/// A page of spans, by their places in the pre-order, and how many the filter means in all.
#[derive(Debug, Clone)]
pub struct SelectedSpans {
    /// The page.
    pub page: Page<usize>,
    /// Spans that the filter means.
    pub total: u64,
}

impl SpanFilter {
    fn matches(&self, head: &SpanHead) -> bool {
        (self.types.is_empty() || self.types.contains(&head.operation_type))
            && (self.statuses.is_empty() || self.statuses.contains(&head.status))
            && self.started_from.is_none_or(|from| head.start_time >= from)
            && self.started_before.is_none_or(|before| head.start_time < before)
            && self
                .name_contains
                .as_ref()
                .is_none_or(|text| head.name.to_lowercase().contains(&text.to_lowercase()))
    }
}

impl TraceSpans {
    /// A page of the spans that the filter means.
    pub fn select(
        &self,
        filter: &SpanFilter,
        order: SpanOrder,
        page: &PageRequest,
    ) -> Result<SelectedSpans, Refusal> {
        let list = ListId::of(&format!("spans of {} {filter:?} {order:?}", self.trace.id));
        let mut places = self.matching(filter)?;
        self.sort(&mut places, order);
        let start = match &page.after {
            Some(cursor) => self.start(&places, &Cursor::decode(list, cursor)?)?,
            None => 0,
        };
        let end = start.saturating_add(page.first).min(places.len());
        let shown = places.get(start..end).unwrap_or_default();
        let items: Vec<_> = shown
            .iter()
            .filter_map(|place| Some((Cursor::new(list, self.at(*place)?.1.id.bytes()), *place)))
            .collect();
        let end_cursor = items.last().map(|(cursor, _)| cursor.clone());
        Ok(SelectedSpans {
            page: Page { items, has_next: end < places.len(), end: end_cursor },
            total: places.len() as u64,
        })
    }

    fn matching(&self, filter: &SpanFilter) -> Result<Vec<usize>, Refusal> {
        let range = match filter.subtree_of {
            None => 0..self.tree.nodes().len(),
            Some(id) => {
                let not_found = || Refusal::not_found("filter.subtreeOf", Entity::Span, id);
                let place = self.place_of(id).ok_or_else(not_found)?;
                let size = self.at(place).map_or(1, |(node, _)| node.subtree_size);
                place..place + size
            }
        };
        let meant = |place: &usize| self.at(*place).is_some_and(|(_, head)| filter.matches(head));
        Ok(range.filter(meant).collect())
    }

    fn sort(&self, places: &mut [usize], order: SpanOrder) {
        let head = |place: &usize| self.at(*place).map(|(_, head)| head);
        match order {
            SpanOrder::Tree => {}
            SpanOrder::StartTime => places.sort_by_key(|place| head(place).map(|head| head.start_time)),
            SpanOrder::Duration => {
                places.sort_by_key(|place| Reverse(head(place).and_then(|head| head.duration_nanos())));
            }
        }
    }

    /// The index in `places` to go on from. The span of a cursor may have left the list since: then the
    /// list has changed under the client, who must begin anew.
    fn start(&self, places: &[usize], key: &[u8]) -> Result<usize, Refusal> {
        let found = key
            .try_into()
            .ok()
            .and_then(|bytes| self.place_of(SpanId::from_bytes(bytes)))
            .and_then(|place| places.iter().position(|other| *other == place));
        found
            .map(|index| index + 1)
            .ok_or_else(|| Refusal::invalid("after", "its span is no longer in this list; begin without it"))
    }
}
