//! Lists: pages in the order of an index, filtered, with keyset cursors and a bound on the work.

use super::ServiceResult;
use crate::{
    model::page::{Cursor, ListId, Page, PageRequest},
    store::{
        Direction, Found, KeyRange, Store, TablePage, codec::Record, index::Indexed, key::Key,
        keyspace::Table,
    },
};

/// How much is read at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ListLimits {
    /// Entries that a filter may look at for one page. A page that used it up ends early, says that
    /// more may follow, and its end cursor goes on from there.
    pub scanned_per_page: usize,
    /// Spans whose heads are read at once, over all traces that are asked for together. A head takes some
    /// 300 bytes. Where it is less than `records.trace_spans`, traces can grow too large to be read.
    pub spans_at_once: usize,
    /// Bytes of spans' bodies that are read at once, or for one request.
    pub span_body_bytes_at_once: usize,
    /// Conversations that one evaluation of many looks at. What it keeps of each takes some 200 bytes.
    pub conversations_at_once: usize,
    /// Traces whose rows one evaluation reads, over all conversations that it is of. A row takes some 1 kB.
    pub traces_at_once: usize,
    /// Tables that are exported over HTTP at a time, each for as long as its client takes. One holds some 40 MB of
    /// rows at most.
    pub exports_at_once: usize,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self {
            scanned_per_page: 10_000,
            spans_at_once: 1_000_000,
            span_body_bytes_at_once: 256 << 20,
            conversations_at_once: 5_000,
            traces_at_once: 50_000,
            exports_at_once: 4,
        }
    }
}

/// A list: which index, which part of it, in which direction.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The index.
    pub index: &'static str,
    /// The part of it.
    pub range: KeyRange,
    /// Which end comes first.
    pub direction: Direction,
    /// Names the list, with its filter and order, in cursors.
    pub list: ListId,
}

impl Listing {
    fn rest(&self, after: Option<&[u8]>) -> KeyRange {
        match (after, self.direction) {
            (None, _) => self.range.clone(),
            (Some(key), Direction::Forward) => self.range.clone().after(key),
            (Some(key), Direction::Backward) => self.range.clone().before(key),
        }
    }

    /// The key to go on after, as the page's cursor says.
    pub fn start(&self, page: &PageRequest) -> ServiceResult<Option<Vec<u8>>> {
        Ok(page.after.as_deref().map(|cursor| Cursor::decode(self.list, cursor)).transpose()?)
    }
}

/// A page of the records that `keep` accepts.
pub async fn filtered<E: Indexed>(
    store: &Store,
    listing: &Listing,
    page: &PageRequest,
    limits: &ListLimits,
    keep: impl Fn(&E) -> bool + Send,
) -> ServiceResult<Page<E>> {
    let mut after = listing.start(page)?;
    let (mut items, mut scanned) = (Vec::new(), 0);
    loop {
        // One more than asked for tells whether there is more; a filter may need many rounds.
        let batch = (page.first + 1).saturating_sub(items.len()).max(64).min(limits.scanned_per_page.max(1));
        let range = (listing.rest(after.as_deref()), listing.direction, batch);
        let found = store.index_pages::<E>(listing.index, vec![range]).await?.pop();
        let Some(found) = found else { return Ok(Page::empty()) };
        scanned += found.items.len();
        for (key, record) in found.items {
            if let Some(record) = record.filter(|record| keep(record)) {
                if items.len() == page.first {
                    return Ok(finished(listing, items, true, after));
                }
                items.push((Cursor::new(listing.list, &key), record));
            }
            after = Some(key);
        }
        if !found.more || scanned >= limits.scanned_per_page {
            return Ok(finished(listing, items, found.more, after));
        }
    }
}

/// How many records `keep` accepts; `None` where that takes more work than one page may cost.
pub async fn count<E: Indexed>(
    store: &Store,
    listing: &Listing,
    limits: &ListLimits,
    keep: impl Fn(&E) -> bool + Send,
) -> ServiceResult<Option<u64>> {
    let range = (listing.range.clone(), listing.direction, limits.scanned_per_page);
    let Some(found) = store.index_pages::<E>(listing.index, vec![range]).await?.pop() else {
        return Ok(Some(0));
    };
    if found.more {
        return Ok(None);
    }
    let count = found.items.iter().filter(|(_, record)| record.as_ref().is_some_and(&keep)).count();
    Ok(Some(count as u64))
}

fn finished<E>(listing: &Listing, items: Vec<(Cursor, E)>, more: bool, at: Option<Vec<u8>>) -> Page<E> {
    let end = at.map(|key| Cursor::new(listing.list, &key));
    Page { items, has_next: more, end }
}

/// The first page of several lists of one index, in their order: two calls to the engine.
pub async fn first_pages<E: Indexed>(
    store: &Store,
    listings: &[Listing],
    page: &PageRequest,
) -> ServiceResult<Vec<Page<E>>> {
    let Some(index) = listings.first().map(|listing| listing.index) else { return Ok(Vec::new()) };
    let range = |listing: &Listing| {
        Ok((listing.rest(listing.start(page)?.as_deref()), listing.direction, page.first + 1))
    };
    let ranges = listings.iter().map(range).collect::<ServiceResult<_>>()?;
    let pages = store.index_pages::<E>(index, ranges).await?;
    let page_of = |(listing, found): (&Listing, crate::store::IndexPage<E>)| {
        let has_next = found.items.len() > page.first;
        let kept: Vec<_> = found.items.into_iter().take(page.first).collect();
        let end = kept.last().map(|(key, _)| key.clone());
        let items =
            kept.into_iter().filter_map(|(key, record)| Some((Cursor::new(listing.list, &key), record?)));
        finished(listing, items.collect(), has_next, end)
    };
    Ok(listings.iter().zip(pages).map(page_of).collect())
}

/// A part of a table that is read as a list, in the order of its keys.
#[derive(Debug, Clone)]
pub struct Stretch {
    /// The part of it.
    pub range: KeyRange,
    /// Names the list, with its filter, in cursors.
    pub list: ListId,
}

/// A page of each of several parts of a table, with the records that `keep` accepts of them: as many calls to the engine
/// as the longest of them takes.
pub async fn pages_of<K, R>(
    store: &Store,
    table: Table<K, R>,
    stretches: &[Stretch],
    page: &PageRequest,
    limits: &ListLimits,
    keep: impl Fn(usize, &R) -> bool + Send,
) -> ServiceResult<Vec<Page<R>>>
where
    K: Key + Send,
    R: Record + Send,
{
    let start = |stretch: &Stretch| {
        let after = page.after.as_deref().map(|cursor| Cursor::decode(stretch.list, cursor)).transpose()?;
        Ok(Reading { page: Page::empty(), after, scanned: 0, is_over: false })
    };
    let mut readings = stretches.iter().map(start).collect::<ServiceResult<Vec<_>>>()?;
    loop {
        let open: Vec<_> =
            readings.iter().enumerate().filter(|(_, it)| !it.is_over).map(|(at, _)| at).collect();
        if open.is_empty() {
            return Ok(readings.into_iter().map(|reading| reading.page).collect());
        }
        let rest = |at: &usize| {
            let (stretch, reading) = (stretches.get(*at)?, readings.get(*at)?);
            let range = stretch.range.clone();
            let range = reading.after.as_ref().map_or_else(|| range.clone(), |key| range.clone().after(key));
            let batch = (page.first + 1).saturating_sub(reading.page.items.len()).max(16);
            Some((range, Direction::Forward, batch.min(limits.scanned_per_page.max(1))))
        };
        let found = store.scan_many(table, open.iter().filter_map(rest).collect()).await?;
        for (at, found) in open.into_iter().zip(found) {
            if let (Some(stretch), Some(reading)) = (stretches.get(at), readings.get_mut(at)) {
                reading.take(stretch.list, found, (page.first, limits.scanned_per_page), |it| keep(at, it));
            }
        }
    }
}

/// How far a list has been read.
struct Reading<R> {
    page: Page<R>,
    /// The last key that was looked at.
    after: Option<Vec<u8>>,
    scanned: usize,
    is_over: bool,
}

impl<R> Reading<R> {
    fn take<K: Key>(
        &mut self,
        list: ListId,
        found: TablePage<K, R>,
        (first, most): (usize, usize),
        keep: impl Fn(&R) -> bool,
    ) {
        self.scanned += found.items.len();
        for Found { key, record } in found.items {
            let key = key.encode();
            if keep(&record) {
                if self.page.items.len() == first {
                    self.page.has_next = true;
                    self.is_over = true;
                    return;
                }
                self.page.items.push((Cursor::new(list, &key), record));
            }
            self.page.end = Some(Cursor::new(list, &key));
            self.after = Some(key);
        }
        if !found.more || self.scanned >= most {
            self.page.has_next = found.more;
            self.is_over = true;
        }
    }
}
