//! Traces, spans, messages and scores as tables: rows of typed columns, for whoever writes them somewhere else.
//!
//! What the columns of a table are is defined once, in its file here, and holds for every format. Rows are read a
//! batch at a time, and only when the next one is asked for, so they take no more memory however many there are, and
//! whoever stops asking stops the work. This knows nothing of formats.

mod column;
mod messages;
mod scores;
mod spans;
mod traces;

use std::{fmt, str::FromStr, sync::Arc, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub use self::column::{Column, Kind, Row, Value};
use self::{messages::MessageWalk, scores::ScoreWalk, spans::SpanWalk, traces::TraceWalk};
use super::{
    Context, ServiceError, ServiceResult,
    conversations::Conversations,
    query::{Queries, Selection, TraceOrdering},
    tracing::{TraceFilter, Tracing},
};
use crate::model::{ConversationId, Timestamp, TraceId, query::TraceCondition};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Traces, the one that started first comes first, where nothing else is asked for.
    Traces,
    /// Spans, by their traces, which come as in [`Table::Traces`]; of one trace as they ended.
    Spans,
    /// Messages, by the conversations that hold them, in their order.
    Messages,
    /// Scores, by what they judge.
    Scores,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 4] = [Self::Traces, Self::Spans, Self::Messages, Self::Scores];

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Spans => "spans",
            Self::Messages => "messages",
            Self::Scores => "scores",
        }
    }

    /// Its columns, in their order.
    #[must_use]
    pub fn columns(self) -> Vec<Column> {
        match self {
            Self::Traces => column::of(traces::COLUMNS),
            Self::Spans => column::of(spans::COLUMNS),
            Self::Messages => column::of(messages::COLUMNS),
            Self::Scores => column::of(scores::COLUMNS),
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Table {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|table| table.name() == text).ok_or_else(|| {
            let shown = crate::model::text::shortened(text, 60);
            format!("`{shown}` is not one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// Which rows. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RowFilter {
    /// Of these traces; empty: of any.
    pub traces: Vec<TraceId>,
    /// Of this conversation.
    pub conversation: Option<ConversationId>,
    /// From this moment on: a trace and its spans by the trace's start, a message by its own time, a score by when it
    /// was made.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub before: Option<Timestamp>,
    /// Of traces that fulfil this: themselves, their spans, the messages of their runs, and the scores of them and of
    /// their spans.
    pub condition: Option<TraceCondition>,
    /// Which traces come first, with what is of them. With it, all that is of no trace is left out.
    pub ordering: Option<TraceOrdering>,
}

impl RowFilter {
    fn holds_at(&self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.before.is_none_or(|before| moment < before)
    }

    /// The traces that are meant, of the time that is meant.
    fn selection(&self) -> Selection {
        let started =
            TraceFilter { started_from: self.from, started_before: self.before, ..TraceFilter::default() };
        let of_any_time = self.selection_of_any_time();
        Selection { condition: of_any_time.condition.and(started.into()), ..of_any_time }
    }

    /// The traces that are meant, of whatever time: what stands beside a trace has a time of its own.
    fn selection_of_any_time(&self) -> Selection {
        let filter = TraceFilter { conversation_id: self.conversation, ..TraceFilter::default() };
        let condition = self.condition.clone().unwrap_or_else(TraceCondition::any).and(filter.into());
        let ordering = self.ordering.unwrap_or(Selection::default().ordering);
        Selection { ids: self.traces.clone(), condition, ordering }
    }

    /// Whether only what is of some traces is meant, or what is in their order.
    const fn is_of_traces(&self) -> bool {
        !self.traces.is_empty() || self.condition.is_some() || self.ordering.is_some()
    }
}

/// Use cases of tables. Cheap to clone.
#[derive(Clone)]
pub struct Tables {
    context: Context,
    queries: Queries,
    tracing: Tracing,
    /// A permit for each table that may be on its way.
    free: Arc<Semaphore>,
}

/// The right to export a table, until it is dropped.
pub struct Exporting {
    _permit: OwnedSemaphorePermit,
}

/// When to ask again for a table: others take as long as their clients let them.
const AFTER_OTHERS: Duration = Duration::from_secs(5);

impl Tables {
    /// The use cases over one context.
    #[must_use]
    pub fn new(context: Context) -> Self {
        let free = Arc::new(Semaphore::new(context.lists.exports_at_once));
        let (queries, tracing) = (Queries::new(context.clone()), Tracing::new(context.clone()));
        Self { context, queries, tracing, free }
    }

    /// Takes one of the places for those who export tables to others.
    ///
    /// # Errors
    /// When all are taken.
    pub fn begin(&self) -> ServiceResult<Exporting> {
        let permit = Arc::clone(&self.free).try_acquire_owned();
        let permit = permit.map_err(|_| ServiceError::Overloaded { retry_after: AFTER_OTHERS })?;
        Ok(Exporting { _permit: permit })
    }

    /// The rows of a table. None is read before the first batch is asked for.
    ///
    /// # Errors
    /// A refusal where the condition would look at too much, with what to ask instead.
    pub async fn rows(&self, table: Table, filter: &RowFilter) -> ServiceResult<Rows> {
        Ok(Rows(match table {
            Table::Traces => {
                let selected = self.queries.selected(filter.selection(), traces::AT_ONCE).await?;
                Walk::Traces(TraceWalk::new(&self.tracing, selected))
            }
            Table::Spans => Walk::Spans(SpanWalk::new(self.queries.whole_traces(filter.selection()).await?)),
            Table::Messages => {
                let conversations = Conversations::new(self.context.clone());
                Walk::Messages(MessageWalk::new(&self.context, &self.queries, conversations, filter).await?)
            }
            Table::Scores => Walk::Scores(ScoreWalk::new(&self.context, &self.queries, filter).await?),
        }))
    }
}

/// The rows of a table that are not read yet.
pub struct Rows(Walk);

enum Walk {
    Traces(TraceWalk),
    Spans(SpanWalk),
    Messages(MessageWalk),
    Scores(ScoreWalk),
}

impl Rows {
    /// The next rows, maybe none of those that were looked at; `None` behind the last.
    ///
    /// # Errors
    /// When a trace of the filter is not there, or the store fails.
    pub async fn next(&mut self) -> ServiceResult<Option<Vec<Row>>> {
        match &mut self.0 {
            Walk::Traces(walk) => walk.next().await,
            Walk::Spans(walk) => walk.next().await,
            Walk::Messages(walk) => walk.next().await,
            Walk::Scores(walk) => walk.next().await,
        }
    }
}
