//! The names looked up last. Spans come by the thousand and name few models, and finding one can mean
//! going through all patterns of the table.

use std::{
    fmt,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher},
    num::NonZeroUsize,
};

use lru::LruCache;
use parking_lot::Mutex;

use super::rates::PriceHistory;

/// How many pairs of names are remembered: more than one server's agents use, and below a megabyte.
const CAPACITY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1023);

pub(super) struct Memo {
    hasher: BuildHasherDefault<DefaultHasher>,
    /// By the hash of the names, so that looking up copies neither.
    answers: Mutex<LruCache<u64, Answer>>,
}

struct Answer {
    provider: Box<str>,
    model: Box<str>,
    prices: Option<PriceHistory>,
}

impl Memo {
    /// The prices of these names, found anew where they are not remembered. That there are none is
    /// remembered as well.
    pub(super) fn get_or_find(
        &self,
        provider: &str,
        model: &str,
        find: impl FnOnce() -> Option<PriceHistory>,
    ) -> Option<PriceHistory> {
        let hash = self.hasher.hash_one((provider, model));
        if let Some(answer) = self.answers.lock().get(&hash)
            && (&*answer.provider, &*answer.model) == (provider, model)
        {
            return answer.prices.clone();
        }
        let prices = find();
        let answer = Answer { provider: provider.into(), model: model.into(), prices: prices.clone() };
        self.answers.lock().put(hash, answer);
        prices
    }
}

impl Default for Memo {
    fn default() -> Self {
        Self { hasher: BuildHasherDefault::default(), answers: Mutex::new(LruCache::new(CAPACITY)) }
    }
}

impl fmt::Debug for Memo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memo").field("answers", &self.answers.lock().len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn names_are_looked_up_once_and_told_apart() {
        let memo = Memo::default();
        let found = Cell::new(0);
        let find = |prices: Option<PriceHistory>| {
            found.set(found.get() + 1);
            prices
        };
        for _ in 0..3 {
            assert!(memo.get_or_find("a", "bc", || find(Some(PriceHistory::from([])))).is_some());
            assert!(memo.get_or_find("ab", "c", || find(None)).is_none());
        }
        assert_eq!(found.get(), 2);
    }

    #[test]
    fn no_more_is_remembered_than_it_is_meant_for() {
        let memo = Memo::default();
        for number in 0..3000 {
            memo.get_or_find("", &number.to_string(), || None);
        }
        assert_eq!(memo.answers.lock().len(), CAPACITY.get());
    }
}
