//! Rules over texts: what came out of a run or a span, or went into it.

use serde_json::Value;
use tokio::time::timeout;

use super::{
    Evaluators,
    ready::{Ready, SCHEMA_TIME},
    subject::Subject,
    verdict::Found,
};
use crate::{
    model::{
        Json,
        chat::ChatMessage,
        evaluator::{ContainsMode, ContainsRule, ExactRule, JsonSchemaRule, RegexRule, TextSide, TextSource},
        message::MessageRole,
        span::{OperationType, SpanBody, SpanHead},
        text::shortened,
    },
    semconv::view,
    service::ServiceResult,
};

/// Spans whose texts one rule looks at, at most.
const SPANS: usize = 1_000;

/// Bytes of a text that a comment repeats.
const SHOWN_BYTES: usize = 200;

/// A text that a rule looks at.
struct Looked {
    /// Whose it is, for people to read; empty: of what is judged itself.
    place: String,
    text: String,
}

impl Evaluators {
    pub(super) async fn exact(
        &self,
        rule: &ExactRule,
        subject: &Subject,
        expected: Option<&Json>,
    ) -> ServiceResult<Found> {
        let expected = match (&rule.expected, expected) {
            (Some(text), _) => Expected::Text(text.clone()),
            (None, Some(json)) => Expected::of(json),
            (None, None) => {
                return Ok(Found::skipped("nothing is expected: neither by the rule nor by an example"));
            }
        };
        let holds = |text: &str| {
            let shown = shortened(text, SHOWN_BYTES);
            if expected.is(text, rule.ignore_case) {
                return (true, "is what is expected".to_owned());
            }
            (false, format!("is \"{shown}\", expected \"{}\"", shortened(&expected.text(), SHOWN_BYTES)))
        };
        Ok(every(self.texts(subject, &rule.source).await?, holds))
    }

    pub(super) async fn contains(
        &self,
        rule: &ContainsRule,
        subject: &Subject,
        expected: Option<&Json>,
    ) -> ServiceResult<Found> {
        let wanted = match (rule.texts.as_slice(), expected) {
            ([], Some(json)) => vec![Expected::of(json).text()],
            ([], None) => {
                return Ok(Found::skipped("nothing is expected: neither by the rule nor by an example"));
            }
            (texts, _) => texts.to_vec(),
        };
        let holds = |text: &str| contains(rule, &wanted, text);
        Ok(every(self.texts(subject, &rule.source).await?, holds))
    }

    pub(super) async fn regex(
        &self,
        rule: &RegexRule,
        ready: &Ready,
        subject: &Subject,
    ) -> ServiceResult<Found> {
        let Some(regex) = &ready.regex else {
            return Ok(Found::Failed("the expression is missing".to_owned()));
        };
        let holds = |text: &str| match regex.find(text) {
            Some(found) => (!rule.negate, format!("\"{}\" matches", shortened(found.as_str(), SHOWN_BYTES))),
            None => (rule.negate, "nothing matches".to_owned()),
        };
        Ok(every(self.texts(subject, &rule.source).await?, holds))
    }

    pub(super) async fn json_schema(
        &self,
        rule: &JsonSchemaRule,
        ready: &Ready,
        subject: &Subject,
    ) -> ServiceResult<Found> {
        let Some(schema) = &ready.schema else {
            return Ok(Found::Failed("the schema is missing".to_owned()));
        };
        let texts = match self.texts(subject, &rule.source).await? {
            Ok(texts) => texts,
            Err(found) => return Ok(found),
        };
        for Looked { place, text } in texts {
            let read = Json::parse(&text).map_err(|error| error.to_string());
            let read = read.and_then(|json| json.read::<Value>().map_err(|error| error.to_string()));
            let fault = match read {
                Err(fault) => Some(fault),
                Ok(value) => match timeout(SCHEMA_TIME, schema.check(value)).await {
                    Ok(Ok(checked)) => checked.err(),
                    Ok(Err(fault)) => {
                        return Ok(Found::Failed(format!("the schema cannot be used: {fault}")));
                    }
                    Err(_) => {
                        let message = format!("it took longer than {} s to check", SCHEMA_TIME.as_secs());
                        return Ok(Found::Failed(message));
                    }
                },
            };
            if let Some(fault) = fault {
                return Ok(Found::rule(false, format!("{place}{fault}")));
            }
        }
        Ok(Found::rule(true, "is JSON of the schema"))
    }

    /// The texts that a rule looks at; inside, why there is none.
    async fn texts(
        &self,
        subject: &Subject,
        source: &TextSource,
    ) -> ServiceResult<Result<Vec<Looked>, Found>> {
        let part = match source.side {
            TextSide::Output => "output",
            TextSide::Input => "input",
        };
        let none = |whose: &str| Err(Found::skipped(format!("{whose} has no {part}")));
        let heads: Vec<_> = match (&source.spans, subject.span()) {
            (Some(selector), _) => subject.heads().filter(|head| selector.matches(head)).collect(),
            (None, Some(span)) => vec![span],
            (None, None) => {
                let body = &subject.body;
                let text = match source.side {
                    TextSide::Output => body.final_output.clone(),
                    TextSide::Input => body.user_input.clone(),
                };
                let looked = |text| vec![Looked { place: String::new(), text }];
                return Ok(text.map_or_else(|| none("the run"), |text| Ok(looked(text))));
            }
        };
        if heads.is_empty() {
            return Ok(Err(Found::skipped("there is no span whose text the rule looks at")));
        }
        if heads.len() > SPANS {
            let message =
                format!("there are {} spans to look at; a rule looks at no more than {SPANS}", heads.len());
            return Ok(Err(Found::Failed(message)));
        }
        let bodies = self.tracing.bodies_of(subject.trace().id, &heads).await?;
        let looked = |head: &&SpanHead| {
            let text = text_of(head.operation_type, bodies.get(&head.id)?, source.side)?;
            let place = if source.spans.is_some() { format!("`{}`: ", head.name) } else { String::new() };
            Some(Looked { place, text })
        };
        let texts: Vec<_> = heads.iter().filter_map(looked).collect();
        Ok(if texts.is_empty() { none("no span that the rule looks at") } else { Ok(texts) })
    }
}

/// A rule that every text must keep; the first that does not is told.
fn every(texts: Result<Vec<Looked>, Found>, holds: impl Fn(&str) -> (bool, String)) -> Found {
    let texts = match texts {
        Ok(texts) => texts,
        Err(found) => return found,
    };
    let mut told = String::new();
    for Looked { place, text } in texts {
        let (passed, comment) = holds(&text);
        if !passed {
            return Found::rule(false, format!("{place}{comment}"));
        }
        if told.is_empty() {
            told = format!("{place}{comment}");
        }
    }
    Found::rule(true, told)
}

fn contains(rule: &ContainsRule, wanted: &[String], text: &str) -> (bool, String) {
    let folded = |text: &str| if rule.ignore_case { text.to_lowercase() } else { text.to_owned() };
    let whole = folded(text);
    let (there, missing): (Vec<_>, Vec<_>) = wanted.iter().partition(|part| whole.contains(&folded(part)));
    let shown = |texts: &[&String]| {
        let texts: Vec<_> =
            texts.iter().map(|text| format!("\"{}\"", shortened(text, SHOWN_BYTES))).collect();
        shortened(&texts.join(", "), SHOWN_BYTES * 5)
    };
    let has = || format!("has {}", shown(&there));
    let lacks = || format!("lacks {}", shown(&missing));
    match rule.mode {
        ContainsMode::Any if there.is_empty() => (false, lacks()),
        ContainsMode::Any => (true, has()),
        ContainsMode::All if missing.is_empty() => (true, has()),
        ContainsMode::All => (false, lacks()),
        ContainsMode::None if there.is_empty() => (true, lacks()),
        ContainsMode::None => (false, has()),
    }
}

/// What is expected.
enum Expected {
    Text(String),
    /// A document, which is compared by its values.
    Value(Value),
}

impl Expected {
    fn of(json: &Json) -> Self {
        match json.read() {
            Ok(Value::String(text)) => Self::Text(text),
            Ok(value) => Self::Value(value),
            Err(_) => Self::Text(json.text().to_owned()),
        }
    }

    fn is(&self, text: &str, ignore_case: bool) -> bool {
        match self {
            Self::Text(expected) if ignore_case => {
                expected.trim().to_lowercase() == text.trim().to_lowercase()
            }
            Self::Text(expected) => expected.trim() == text.trim(),
            Self::Value(expected) => Json::parse(text)
                .ok()
                .and_then(|json| json.read::<Value>().ok())
                .is_some_and(|value| super::calls::same(expected, &value)),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Value(value) => Json::of(value).text().to_owned(),
        }
    }
}

/// What came out of a span, or went into it, as a text: what was said, where messages were; a text, where it is one;
/// else the JSON.
pub(super) fn text_of(operation: OperationType, body: &SpanBody, part: TextSide) -> Option<String> {
    let talks = matches!(operation, OperationType::LlmCall | OperationType::Agent);
    match part {
        TextSide::Output if talks => said(&view::output_messages(body), MessageRole::Assistant),
        TextSide::Input if talks => said(&view::input_messages(body), MessageRole::User),
        TextSide::Output if operation == OperationType::ToolCall => {
            view::tool_result(body).map(|json| plain(&json))
        }
        TextSide::Output => body.read_outputs().map(|json| plain(&json)),
        TextSide::Input => body.read_inputs().map(|json| plain(&json)),
    }
}

/// The last text of who speaks.
fn said(messages: &[ChatMessage], role: MessageRole) -> Option<String> {
    messages.iter().rev().filter(|message| message.role == role).find_map(ChatMessage::text)
}

/// A text as it is, other JSON as JSON.
pub(super) fn plain(json: &Json) -> String {
    json.read::<String>().unwrap_or_else(|_| json.text().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_a_text_or_a_value() {
        let is = |expected: &str, text: &str| Expected::of(&Json::parse(expected).unwrap()).is(text, false);
        assert!(is(r#""There.""#, " There.\n") && !is(r#""There.""#, "there."));
        assert!(
            is(r#"{"a": 1, "b": [2]}"#, r#"{"b":[2.0],"a":1}"#) && !is(r#"{"a": 1}"#, r#"{"a":1,"b":2}"#)
        );
        assert!(is("42", "42") && !is("42", "forty-two"));
    }

    #[test]
    fn texts_are_looked_for_any_all_or_none() {
        let holds = |mode, ignore_case, text: &str| {
            let source = TextSource::default();
            let rule = ContainsRule { texts: Vec::new(), mode, ignore_case, source };
            contains(&rule, &["Berlin".to_owned(), "sun".to_owned()], text)
        };
        assert_eq!(holds(ContainsMode::Any, false, "sun in Rome"), (true, "has \"sun\"".to_owned()));
        assert_eq!(holds(ContainsMode::All, false, "berlin has sun"), (false, "lacks \"Berlin\"".to_owned()));
        assert!(holds(ContainsMode::All, true, "berlin has SUN").0);
        assert_eq!(holds(ContainsMode::None, false, "sun"), (false, "has \"sun\"".to_owned()));
        assert!(holds(ContainsMode::None, false, "rain").0);
    }
}
