//! Histories: the messages of conversations, shared parts included, page by page from either end.
//!
//! Ordinals count through a whole history without a gap, so the part to read is known before it is
//! read: a page takes one scan over the conversations that hold it, however deep the branch.

use super::{Conversations, results};
use crate::{
    model::{
        ConversationId, Refusal,
        conversation::{History, Segment},
        message::{Message, MessageRole},
        page::{Cursor, ListId, Page, PageRequest},
    },
    service::ServiceResult,
    store::{Direction, TablePage, between, key::Key, keyspace},
};

/// From which end a history is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HistoryOrder {
    /// From the beginning.
    #[default]
    OldestFirst,
    /// From the last message back.
    NewestFirst,
}

/// A page of one conversation's history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HistoryRequest {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// From which end.
    pub order: HistoryOrder,
    /// Which page.
    pub page: PageRequest,
    /// Only messages of these roles; `None`: of all.
    pub roles: Option<Vec<MessageRole>>,
    /// Leave out what lies before the latest summary: that message stands for it.
    pub from_last_summary: bool,
}

impl HistoryRequest {
    fn list(&self) -> ListId {
        let Self { conversation_id, order, page: _, roles, from_last_summary } = self;
        ListId::of(&format!("history {conversation_id} {order:?} {roles:?} {from_last_summary}"))
    }
}

impl Conversations {
    /// A page of each history, in the order asked for; an empty one where there is no such conversation.
    /// A handful of calls to the engine, however many histories and however deep their branches; a
    /// choice of roles that few messages have takes a few more. Messages that are on their way are waited for.
    pub async fn histories(&self, requests: &[HistoryRequest]) -> ServiceResult<Vec<Page<Message>>> {
        let ids: Vec<_> = requests.iter().map(|request| request.conversation_id).collect();
        self.context.arriving.settled(&ids).await;
        self.histories_now(requests).await
    }

    /// As [`Conversations::histories`], as they stand at this moment: for whoever brings what is on its way.
    pub(in crate::service) async fn histories_now(
        &self,
        requests: &[HistoryRequest],
    ) -> ServiceResult<Vec<Page<Message>>> {
        let histories = self.made_of(requests).await?;
        let summaries = self.last_summaries(requests, &histories).await?;
        let mut readings = Vec::with_capacity(requests.len());
        for ((request, history), summary) in requests.iter().zip(histories).zip(summaries) {
            readings.push(Reading::begin(request, history, summary)?);
        }
        loop {
            let wanted: Vec<_> =
                readings.iter().map(|reading| reading.wanted(self.context.lists.scanned_per_page)).collect();
            let ranges: Vec<_> = wanted.iter().flatten().map(Part::range).collect();
            if ranges.is_empty() {
                break;
            }
            let mut pages = self.context.store.scan_many(keyspace::MESSAGE, ranges).await?.into_iter();
            for (reading, parts) in readings.iter_mut().zip(wanted) {
                reading.take(&parts, pages.by_ref().take(parts.len()));
            }
        }
        let shown = readings.iter_mut().filter_map(|reading| {
            let Reading { history, items, .. } = reading;
            Some((history.as_ref()?, items.as_mut_slice()))
        });
        results::resolve(&self.context.store, shown.collect()).await?;
        Ok(readings.into_iter().map(Reading::page).collect())
    }

    /// What the histories are made of: two calls to the engine.
    async fn made_of(&self, requests: &[HistoryRequest]) -> ServiceResult<Vec<Option<History>>> {
        let ids: Vec<_> = requests.iter().map(|request| request.conversation_id).collect();
        let conversations = self.get_many_now(&ids).await?;
        let branches = conversations.iter().flatten().filter(|found| found.first_ordinal > 0);
        let branches: Vec<_> = branches.map(|found| found.id).collect();
        let mut lineages = self.context.store.get_many(keyspace::LINEAGE, &branches).await?.into_iter();
        let mut history = |found: crate::model::conversation::Conversation| {
            let lineage = if found.first_ordinal > 0 { lineages.next().flatten() } else { None };
            History::of(&found, lineage.unwrap_or_default())
        };
        Ok(conversations.into_iter().map(|found| found.map(&mut history)).collect::<Vec<_>>())
    }

    /// The ordinal of the latest summary in each history that is to begin with it.
    async fn last_summaries(
        &self,
        requests: &[HistoryRequest],
        histories: &[Option<History>],
    ) -> ServiceResult<Vec<Option<u64>>> {
        let parts = |(request, history): (&HistoryRequest, &Option<History>)| match history {
            Some(history) if request.from_last_summary => history.segments().collect(),
            _ => Vec::new(),
        };
        let parts: Vec<Vec<Segment>> = requests.iter().zip(histories).map(parts).collect();
        let range = |part: &Segment| {
            let keys = between(&part.conversation_id, Some(&part.start), Some(&part.end));
            (keys, Direction::Backward, 1)
        };
        let ranges = parts.iter().flatten().map(range).collect();
        let mut pages = self.context.store.scan_many(keyspace::MESSAGE_SUMMARY, ranges).await?.into_iter();
        let last = |parts: &Vec<Segment>| {
            let found = pages.by_ref().take(parts.len()).flat_map(|page| page.items);
            found.map(|found| found.key.1).max()
        };
        Ok(parts.iter().map(last).collect())
    }
}

/// Messages that a first look takes in where only some roles are wanted.
const FIRST_LOOK: u64 = 64;

/// A page of one history in the making.
struct Reading<'a> {
    request: &'a HistoryRequest,
    history: Option<History>,
    list: ListId,
    /// The ordinals that were not looked at yet.
    rest: std::ops::Range<u64>,
    /// The ordinal that was looked at last.
    last: Option<u64>,
    looked_at: u64,
    items: Vec<Message>,
}

/// A stretch of messages to read.
#[derive(Clone, Copy)]
struct Part {
    segment: Segment,
    direction: Direction,
}

impl Part {
    fn range(&self) -> crate::store::IndexRange {
        let Segment { conversation_id, start, end } = self.segment;
        let count = usize::try_from(end - start).unwrap_or(usize::MAX);
        (between(&conversation_id, Some(&start), Some(&end)), self.direction, count)
    }
}

impl<'a> Reading<'a> {
    fn begin(
        request: &'a HistoryRequest,
        history: Option<History>,
        summary: Option<u64>,
    ) -> Result<Self, Refusal> {
        let list = request.list();
        let length = history.iter().flat_map(History::segments).map(|part| part.end).max().unwrap_or(0);
        let mut rest = summary.unwrap_or(0)..length;
        if let Some(cursor) = &request.page.after {
            let key = Cursor::decode(list, cursor)?;
            let ordinal = u64::decode(&key).ok_or_else(|| Refusal::invalid("after", "not a cursor"))?;
            match request.order {
                HistoryOrder::OldestFirst => rest.start = rest.start.max(ordinal.saturating_add(1)),
                HistoryOrder::NewestFirst => rest.end = rest.end.min(ordinal),
            }
        }
        Ok(Self { request, history, list, rest, last: None, looked_at: 0, items: Vec::new() })
    }

    /// What to read next, in the order of the page; nothing once the page is full.
    fn wanted(&self, most: usize) -> Vec<Part> {
        let missing = self.request.page.first.saturating_sub(self.items.len()) as u64;
        let left = (most as u64).saturating_sub(self.looked_at);
        let count = match &self.request.roles {
            None => missing,
            // Four times as many each time, so that rare roles take few rounds.
            Some(_) if missing > 0 => (self.looked_at * 4).max(FIRST_LOOK).max(missing).min(left),
            Some(_) => 0,
        };
        let Some(history) = self.history.as_ref() else { return Vec::new() };
        let oldest_first = self.request.order == HistoryOrder::OldestFirst;
        let (start, end) = if oldest_first {
            (self.rest.start, self.rest.end.min(self.rest.start.saturating_add(count)))
        } else {
            (self.rest.start.max(self.rest.end.saturating_sub(count)), self.rest.end)
        };
        let direction = if oldest_first { Direction::Forward } else { Direction::Backward };
        let mut parts: Vec<_> =
            history.cover(start, end).into_iter().map(|segment| Part { segment, direction }).collect();
        if !oldest_first {
            parts.reverse();
        }
        parts
    }

    /// Takes in what was read of `parts`.
    fn take(
        &mut self,
        parts: &[Part],
        pages: impl Iterator<Item = TablePage<(ConversationId, u64), Message>>,
    ) {
        for found in pages.flat_map(|page| page.items) {
            if self.items.len() == self.request.page.first {
                return;
            }
            self.passed(found.record.ordinal);
            let wanted = |roles: &Vec<MessageRole>| roles.contains(&found.record.role);
            if self.request.roles.as_ref().is_none_or(wanted) {
                self.items.push(found.record);
            }
        }
        // Also past messages that were deleted meanwhile.
        if self.items.len() < self.request.page.first {
            for Part { segment, .. } in parts {
                self.passed(segment.start);
                self.passed(segment.end - 1);
            }
        }
    }

    fn passed(&mut self, ordinal: u64) {
        let before = self.rest.end.saturating_sub(self.rest.start);
        match self.request.order {
            HistoryOrder::OldestFirst => self.rest.start = self.rest.start.max(ordinal + 1),
            HistoryOrder::NewestFirst => self.rest.end = self.rest.end.min(ordinal),
        }
        self.looked_at += before.saturating_sub(self.rest.end.saturating_sub(self.rest.start));
        self.last = Some(match self.request.order {
            HistoryOrder::OldestFirst => self.rest.start - 1,
            HistoryOrder::NewestFirst => self.rest.end,
        });
    }

    fn page(self) -> Page<Message> {
        let cursor = |ordinal: u64| Cursor::new(self.list, &ordinal.encode());
        let items = self.items.into_iter().map(|message| (cursor(message.ordinal), message)).collect();
        Page { items, has_next: !self.rest.is_empty(), end: self.last.map(cursor) }
    }
}
