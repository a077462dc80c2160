//! The table of scores. Those of a conversation are its own, its messages', and those of its traces and their spans;
//! those of traces are theirs and their spans'.

use std::collections::VecDeque;

use super::{
    Row, RowFilter,
    column::{self, Definition, Read},
};
use crate::{
    model::score::{Score, ScoreTarget, ScoreValue},
    service::{
        Context, ServiceResult,
        query::{Queries, SelectedTraces},
    },
    store::{
        KeyRange,
        key::Key,
        keyspace::{self, Deleted, score_roots},
        prefix,
    },
};

/// Scores, or traces that may have some, that are read at a time.
const AT_ONCE: usize = 256;

pub(super) const COLUMNS: &[Definition<Score>] = &[
    ("score_id", Read::Text(|row| Some(row.id.to_string()))),
    ("target_type", Read::Text(|row| Some(target_type(row).to_owned()))),
    ("trace_id", Read::Text(trace_id)),
    ("span_id", Read::Text(span_id)),
    ("conversation_id", Read::Text(conversation_id)),
    ("message_id", Read::Text(message_id)),
    ("name", Read::Text(|row| Some(row.name.clone()))),
    ("value_type", Read::Text(|row| Some(value_type(row).to_owned()))),
    ("number_value", Read::Number(number)),
    ("category_value", Read::Text(category)),
    ("boolean_value", Read::Boolean(boolean)),
    ("comment", Read::Text(|row| row.comment.clone())),
    ("source", Read::Text(|row| Some(row.source.to_string()))),
    ("created_at", Read::Time(|row| Some(row.created_at))),
];

fn target_type(score: &Score) -> &'static str {
    match score.target {
        ScoreTarget::Trace(_) => "TRACE",
        ScoreTarget::Span(..) => "SPAN",
        ScoreTarget::Conversation(_) => "CONVERSATION",
        ScoreTarget::Message(..) => "MESSAGE",
    }
}

fn trace_id(score: &Score) -> Option<String> {
    match score.target {
        ScoreTarget::Trace(id) | ScoreTarget::Span(id, _) => Some(id.to_string()),
        ScoreTarget::Conversation(_) | ScoreTarget::Message(..) => None,
    }
}

fn span_id(score: &Score) -> Option<String> {
    if let ScoreTarget::Span(_, id) = score.target { Some(id.to_string()) } else { None }
}

fn conversation_id(score: &Score) -> Option<String> {
    match score.target {
        ScoreTarget::Conversation(id) | ScoreTarget::Message(id, _) => Some(id.to_string()),
        ScoreTarget::Trace(_) | ScoreTarget::Span(..) => None,
    }
}

fn message_id(score: &Score) -> Option<String> {
    if let ScoreTarget::Message(_, id) = score.target { Some(id.to_string()) } else { None }
}

fn value_type(score: &Score) -> &'static str {
    match score.value {
        ScoreValue::Number(_) => "NUMBER",
        ScoreValue::Category(_) => "CATEGORY",
        ScoreValue::Boolean(_) => "BOOLEAN",
    }
}

fn number(score: &Score) -> Option<f64> {
    if let ScoreValue::Number(number) = score.value { Some(number) } else { None }
}

fn category(score: &Score) -> Option<String> {
    if let ScoreValue::Category(category) = &score.value { Some(category.clone()) } else { None }
}

fn boolean(score: &Score) -> Option<bool> {
    if let ScoreValue::Boolean(boolean) = score.value { Some(boolean) } else { None }
}

/// The way through the scores of a filter.
pub(super) struct ScoreWalk {
    context: Context,
    filter: RowFilter,
    ranges: VecDeque<KeyRange>,
    /// Traces whose scores are meant too.
    traces: Option<SelectedTraces>,
}

impl ScoreWalk {
    pub(super) async fn new(context: &Context, queries: &Queries, filter: &RowFilter) -> ServiceResult<Self> {
        let ranges = match filter.conversation {
            _ if filter.is_of_traces() => VecDeque::new(),
            None => VecDeque::from([KeyRange::all()]),
            Some(id) => roots(&Deleted::Conversation(id)).collect(),
        };
        let traces = if filter.is_of_traces() || filter.conversation.is_some() {
            // A score may be of another time than what it judges.
            Some(queries.selected(filter.selection_of_any_time(), AT_ONCE).await?)
        } else {
            None
        };
        Ok(Self { context: context.clone(), filter: filter.clone(), ranges, traces })
    }

    pub(super) async fn next(&mut self) -> ServiceResult<Option<Vec<Row>>> {
        while self.ranges.is_empty() {
            let Some(traces) = &mut self.traces else { return Ok(None) };
            let Some(found) = traces.next().await? else { return Ok(None) };
            self.ranges.extend(found.iter().flat_map(|trace| roots(&Deleted::Trace(trace.id))));
        }
        let Some(range) = self.ranges.pop_front() else { return Ok(None) };
        let page = self.context.store.chunk(keyspace::SCORE, range.clone(), AT_ONCE).await?;
        if let Some(last) = page.items.last().filter(|_| page.more) {
            self.ranges.push_front(range.after(&last.key.encode()));
        }
        let meant = page.items.iter().filter(|found| self.filter.holds_at(found.record.created_at));
        Ok(Some(meant.map(|found| column::row(COLUMNS, &found.record)).collect()))
    }
}

/// Where the scores are of something and of its parts.
fn roots(owner: &Deleted) -> impl Iterator<Item = KeyRange> + use<> {
    score_roots(owner).into_iter().map(|root| prefix(&root))
}
