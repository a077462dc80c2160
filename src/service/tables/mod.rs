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
    tracing::{Selection, TraceFilter, Tracing},
};
use crate::model::{ConversationId, Timestamp, TraceId};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Traces, the one that started first comes first.
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
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
}

impl RowFilter {
    fn holds_at(&self, moment: Timestamp) -> bool {
        self.from.is_none_or(|from| moment >= from) && self.before.is_none_or(|before| moment < before)
    }

    /// The traces that are meant.
    fn selection(&self) -> Selection {
        let filter = TraceFilter {
            conversation_id: self.conversation,
            started_from: self.from,
            started_before: self.before,
            ..TraceFilter::default()
        };
        Selection { ids: self.traces.clone(), filter }
    }
}

/// Use cases of tables. Cheap to clone.
#[derive(Clone)]
pub struct Tables {
    context: Context,
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
        Self { context, free }
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

    /// The rows of a table. Nothing is read before the first batch is asked for.
    #[must_use]
    pub fn rows(&self, table: Table, filter: &RowFilter) -> Rows {
        let tracing = Tracing::new(self.context.clone());
        Rows(match table {
            Table::Traces => Walk::Traces(TraceWalk::new(&tracing, filter)),
            Table::Spans => Walk::Spans(SpanWalk::new(&tracing, filter)),
            Table::Messages => {
                let conversations = Conversations::new(self.context.clone());
                Walk::Messages(MessageWalk::new(&self.context, tracing, conversations, filter))
            }
            Table::Scores => Walk::Scores(ScoreWalk::new(&self.context, &tracing, filter)),
        })
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
