//! What tools answered in a run that is made again.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use serde_json::Value;

use crate::{
    model::{
        Json, SpanId, TraceId,
        span::{SpanBody, SpanHead, SpanLink, SpanStatus},
    },
    tools::{ToolError, ToolErrorKind, ToolOutput},
};

/// What tools answered.
#[derive(Debug)]
pub(super) struct RecordedResults {
    trace: TraceId,
    /// By tool and arguments, in the order of the calls.
    by_call: Mutex<HashMap<(String, String), VecDeque<Recorded>>>,
    /// Whether tools are not called for what was not recorded.
    is_all: bool,
}

/// What one call came to.
#[derive(Debug, Clone)]
struct Recorded {
    span: SpanId,
    outcome: Result<Json, String>,
}

/// A result that is used again.
pub(super) struct Reused {
    pub(super) outcome: Result<ToolOutput, ToolError>,
    /// The span that it was recorded with.
    pub(super) link: SpanLink,
}

/// What is known of a call.
pub(super) enum Known {
    /// What it came to.
    Result(Reused),
    /// Nothing, and the tool is not to be called.
    Refused(ToolError),
    /// Nothing: the tool is to be called.
    Nothing,
}

impl RecordedResults {
    /// The results of these calls, in their order. A call without its arguments or its result is left out.
    pub(super) fn of(
        trace: TraceId,
        calls: &[&SpanHead],
        bodies: &HashMap<SpanId, SpanBody>,
        is_all: bool,
    ) -> Self {
        let mut by_call: HashMap<_, VecDeque<_>> = HashMap::new();
        for head in calls {
            let Some(body) = bodies.get(&head.id) else { continue };
            let Some(arguments) = body.read_inputs() else { continue };
            let outcome = match (head.status, body.read_outputs()) {
                (SpanStatus::Ok, Some(result)) => Ok(result),
                (SpanStatus::Error, result) => Err(failure(head, body, result)),
                _ => continue,
            };
            let name = head.details.tool_name.as_ref().unwrap_or(&head.name).clone();
            let recorded = Recorded { span: head.id, outcome };
            by_call.entry((name, canonical(&arguments))).or_default().push_back(recorded);
        }
        Self { trace, by_call: Mutex::new(by_call), is_all }
    }

    /// What a call came to. Of several with the same arguments each is used in turn, and the last one again.
    pub(super) fn find(&self, name: &str, arguments: &Json) -> Known {
        let mut by_call = self.by_call.lock();
        let recorded = by_call.get_mut(&(name.to_owned(), canonical(arguments)));
        let recorded =
            recorded.and_then(|left| if left.len() > 1 { left.pop_front() } else { left.front().cloned() });
        match recorded {
            Some(Recorded { span, outcome }) => {
                let result = |result| ToolOutput { result, truncated: false };
                let failed = |message| ToolError::new(ToolErrorKind::Failed, message);
                let link = SpanLink { trace_id: self.trace, span_id: Some(span), attributes: None };
                Known::Result(Reused { outcome: outcome.map(result).map_err(failed), link })
            }
            None if self.is_all => {
                let message = format!(
                    "`{name}` was not called with these arguments in the run that is replayed, and is not called now"
                );
                Known::Refused(ToolError::new(ToolErrorKind::Unavailable, message))
            }
            None => Known::Nothing,
        }
    }
}

/// Arguments as one text, however they were written. Some systems report them as a text that is JSON.
fn canonical(arguments: &Json) -> String {
    let Ok(mut value) = arguments.read::<Value>() else { return arguments.text().to_owned() };
    if let Value::String(text) = &value
        && let Ok(inner @ Value::Object(_)) = serde_json::from_str(text)
    {
        value = inner;
    }
    Json::of(&value).text().to_owned()
}

/// How a call failed.
fn failure(head: &SpanHead, body: &SpanBody, result: Option<Json>) -> String {
    let text = |json: &str| serde_json::from_str::<String>(json).ok();
    let details = body.error_details.as_ref().and_then(|details| text(details.member("message")?));
    let said = || result.and_then(|result| text(result.text()));
    let message = details.or_else(|| head.status_message.clone()).or_else(said);
    message.unwrap_or_else(|| "the tool failed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_the_same_however_they_are_written() {
        let json = |text: &str| Json::parse(text).unwrap();
        assert_eq!(canonical(&json(r#"{"a":1,"b":[2]}"#)), canonical(&json(r#"{ "b": [2], "a": 1 }"#)));
        assert_eq!(canonical(&json(r#"{"a":1}"#)), canonical(&json(r#""{\"a\": 1}""#)));
        assert_ne!(canonical(&json(r#"{"a":1}"#)), canonical(&json(r#"{"a":"1"}"#)));
        assert_ne!(canonical(&json(r#""1""#)), canonical(&json("1")));
    }
}
