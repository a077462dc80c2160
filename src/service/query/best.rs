//! The first places of an order, and no more of them than are wanted: what is not among them is forgotten at once.

use std::{cmp::Ordering, collections::BTreeMap};

use crate::model::query::OrderDirection;

/// The first places behind another one, each with what is kept of it.
pub(super) struct Best<P, T> {
    direction: OrderDirection,
    most: usize,
    after: Option<P>,
    kept: BTreeMap<P, T>,
}

impl<P: Ord, T> Best<P, T> {
    /// None yet; no more than `most` of those behind `after`.
    pub(super) const fn new(direction: OrderDirection, most: usize, after: Option<P>) -> Self {
        Self { direction, most, after, kept: BTreeMap::new() }
    }

    /// Whether a place is among the first, by what is known so far.
    pub(super) fn has_room_for(&self, place: &P) -> bool {
        self.after.as_ref().is_none_or(|after| self.is_before(after, place))
            && (self.kept.len() < self.most || self.last().is_some_and(|last| self.is_before(place, last)))
    }

    /// Keeps a place, if it is among the first.
    pub(super) fn offer(&mut self, place: P, what: T) {
        if !self.has_room_for(&place) {
            return;
        }
        self.kept.insert(place, what);
        if self.kept.len() > self.most {
            match self.direction {
                OrderDirection::Ascending => self.kept.pop_last(),
                OrderDirection::Descending => self.kept.pop_first(),
            };
        }
    }

    /// The places, the first one first.
    pub(super) fn in_order(self) -> Vec<(P, T)> {
        match self.direction {
            OrderDirection::Ascending => self.kept.into_iter().collect(),
            OrderDirection::Descending => self.kept.into_iter().rev().collect(),
        }
    }

    fn last(&self) -> Option<&P> {
        let last = match self.direction {
            OrderDirection::Ascending => self.kept.last_key_value(),
            OrderDirection::Descending => self.kept.first_key_value(),
        };
        last.map(|(place, _)| place)
    }

    fn is_before(&self, first: &P, second: &P) -> bool {
        let wanted = match self.direction {
            OrderDirection::Ascending => Ordering::Less,
            OrderDirection::Descending => Ordering::Greater,
        };
        first.cmp(second) == wanted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Pages of what is kept are those of everything put in order.
        #[test]
        fn pages_are_those_of_everything_in_order(
            places in prop::collection::btree_set(0_u8..60, 0..40),
            most in 1_usize..9,
            is_descending: bool,
            turn in 0_usize..40,
        ) {
            let direction =
                if is_descending { OrderDirection::Descending } else { OrderDirection::Ascending };
            let mut sorted: Vec<u8> = places.into_iter().collect();
            let mut shuffled = sorted.clone();
            shuffled.rotate_left(turn.min(sorted.len()));
            if is_descending {
                sorted.reverse();
            }
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let mut best = Best::new(direction, most, after);
                for place in &shuffled {
                    best.offer(*place, ());
                    // Offered twice it is there once.
                    best.offer(*place, ());
                }
                let page: Vec<_> = best.in_order().into_iter().map(|(place, ())| place).collect();
                prop_assert!(page.len() <= most);
                after = page.last().copied();
                if after.is_none() {
                    break;
                }
                found.extend(page);
            }
            prop_assert_eq!(found, sorted);
        }
    }
}
