//! Judgements that come with spans: OpenTelemetry's events, OpenInference's lists.

use serde_json::Value as JsonValue;

use super::{Attributes, Field, lookup::Fields};
use crate::model::{
    Timestamp,
    score::{ScoreSource, ScoreValue},
    span::SpanEvent,
};

/// The event that is a judgement.
pub const EVALUATION_EVENT: &str = "gen_ai.evaluation.result";

/// The attribute that names a judgement.
const NAME: &str = "gen_ai.evaluation.name";

/// What a judgement is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Judged {
    /// The span that it came with.
    Span,
    /// Its trace.
    Trace,
    /// Its conversation.
    Conversation,
}

/// A judgement.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// What it is of.
    pub of: Judged,
    /// What is judged of it.
    pub name: String,
    /// The judgement.
    pub value: ScoreValue,
    /// Why.
    pub comment: Option<String>,
    /// Who judged.
    pub source: ScoreSource,
    /// When, where that is said.
    pub time: Option<Timestamp>,
}

/// The judgements in a span's attributes and events.
pub(super) fn of(fields: &Fields<'_>, events: &[SpanEvent]) -> Vec<Judgement> {
    let lists = [
        (Field::Evaluations, Judged::Span),
        (Field::TraceEvaluations, Judged::Trace),
        (Field::SessionEvaluations, Judged::Conversation),
    ];
    let listed = lists.into_iter().filter(|(field, _)| fields.has(*field)).flat_map(|(field, of)| {
        let items = match fields.parsed(field) {
            Some(JsonValue::Array(items)) => items,
            _ => Vec::new(),
        };
        items.into_iter().filter_map(move |item| of_item(of, &item))
    });
    let told = events.iter().filter(|event| event.name == EVALUATION_EVENT).filter_map(of_event);
    // A span that judges may be its own result.
    let own = fields.attributes().get(NAME).and_then(|_| of_attributes(fields.attributes(), None));
    listed.chain(told).chain(own).collect()
}

fn of_event(event: &SpanEvent) -> Option<Judgement> {
    of_attributes(&Attributes::read(event.attributes.as_ref()?), Some(event.time))
}

/// The judgement that the attributes of an event are.
pub(super) fn of_attributes(attributes: &Attributes<'_>, time: Option<Timestamp>) -> Option<Judgement> {
    let text = |name: &str| attributes.get(name).and_then(super::Value::words);
    let score = attributes.get("gen_ai.evaluation.score.value").and_then(super::Value::number);
    let label = text("gen_ai.evaluation.score.label");
    judgement(Judged::Span, text(NAME)?, (score, label), text("gen_ai.evaluation.explanation"))
        .map(|judgement| Judgement { time, ..judgement })
}

/// `{"evaluation": {"name", "score", "label", "explanation", "annotator_kind"}}`, or `annotation` for its key.
fn of_item(of: Judged, item: &JsonValue) -> Option<Judgement> {
    let inner = item.get("evaluation").or_else(|| item.get("annotation")).unwrap_or(item);
    let text = |name: &str| inner.get(name).and_then(JsonValue::as_str).map(str::to_owned);
    let score = inner.get("score").and_then(|score| match score {
        JsonValue::String(text) => text.trim().parse().ok(),
        score => score.as_f64(),
    });
    let source = match text("annotator_kind").as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("HUMAN") => ScoreSource::Human,
        Some("LLM") => ScoreSource::Model,
        Some("CODE") => ScoreSource::Rule,
        _ => ScoreSource::Reported,
    };
    judgement(of, text("name")?, (score, text("label")), text("explanation"))
        .map(|judgement| Judgement { source, ..judgement })
}

/// A judgement by a number, a word, or both: then the word stands before the reason.
fn judgement(
    of: Judged,
    name: String,
    (score, label): (Option<f64>, Option<String>),
    explanation: Option<String>,
) -> Option<Judgement> {
    let score = score.filter(|score| score.is_finite());
    let (value, comment) = match (score, label) {
        (Some(score), Some(label)) => {
            let comment = explanation.map_or_else(|| label.clone(), |why| format!("{label}: {why}"));
            (ScoreValue::Number(score), Some(comment))
        }
        (Some(score), None) => (ScoreValue::Number(score), explanation),
        (None, Some(label)) => (ScoreValue::Category(label), explanation),
        (None, None) => return None,
    };
    Some(Judgement { of, name, value, comment, source: ScoreSource::Reported, time: None })
}
