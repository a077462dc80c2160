//! Calls of tools in `OpenAI`'s stream, put together from their pieces.
//!
//! `genai` would do it by the index that a piece names: whatever that is, it makes room for it, and servers
//! that count every call as the first would see their calls run into one. So pieces are told apart by the
//! id of their call here.

use genai::chat::ToolCall;
use serde_json::Value;

/// The calls so far, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Calls(Vec<Call>);

#[derive(Debug)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

impl Calls {
    /// Takes a piece. A later piece of a call names no tool, and its place among the calls instead of its
    /// id: `call_1`. Servers that send the id with every piece send the tool with it, or do not.
    pub(super) fn take(&mut self, piece: ToolCall) {
        let arguments = match piece.fn_arguments {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => other.to_string(),
        };
        match self.begun(&piece.call_id, &piece.fn_name) {
            Some(call) => call.arguments.push_str(&arguments),
            None => self.0.push(Call { id: piece.call_id, name: piece.fn_name, arguments }),
        }
    }

    /// The call that a piece goes on with.
    fn begun(&mut self, id: &str, name: &str) -> Option<&mut Call> {
        let mut at = self.0.iter().rposition(|call| call.id == id && (name.is_empty() || call.name == name));
        if at.is_none() && name.is_empty() {
            let place = id.strip_prefix("call_").and_then(|place| place.parse::<usize>().ok());
            at = place.filter(|place| *place < self.0.len()).or(self.0.len().checked_sub(1));
        }
        self.0.get_mut(at?)
    }

    /// The calls: the id, the tool, and the arguments as they were written.
    pub(super) fn finish(self) -> impl Iterator<Item = (String, String, String)> {
        self.0.into_iter().map(|call| (call.id, call.name, call.arguments))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_together(pieces: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
        let mut calls = Calls::default();
        for (id, name, arguments) in pieces {
            calls.take(ToolCall {
                call_id: (*id).to_owned(),
                fn_name: (*name).to_owned(),
                fn_arguments: Value::from(*arguments),
                thought_signatures: None,
            });
        }
        calls.finish().collect()
    }

    fn call(id: &str, name: &str, arguments: &str) -> (String, String, String) {
        (id.to_owned(), name.to_owned(), arguments.to_owned())
    }

    #[test]
    fn pieces_find_their_call() {
        let together = [call("a", "add", "{\"x\":1}"), call("b", "add", "{\"x\":2}")];
        let by_place =
            [("a", "add", ""), ("call_0", "", "{\"x\":1}"), ("b", "add", ""), ("call_1", "", "{\"x\":2}")];
        let by_turns =
            [("a", "add", ""), ("b", "add", ""), ("call_1", "", "{\"x\":2}"), ("call_0", "", "{\"x\":1}")];
        let by_id = [("a", "add", "{\"x\""), ("a", "add", ":1}"), ("b", "add", "{\"x\""), ("b", "", ":2}")];
        let whole = [("a", "add", "{\"x\":1}"), ("b", "add", "{\"x\":2}")];
        for pieces in [&by_place[..], &by_turns, &by_id, &whole] {
            assert_eq!(put_together(pieces), together, "{pieces:?}");
        }
    }

    #[test]
    fn what_names_no_call_goes_on_with_the_last() {
        let pieces = [("a", "add", "{"), ("call_4294967295", "", "}")];
        assert_eq!(put_together(&pieces), [call("a", "add", "{}")]);
        assert_eq!(put_together(&[("call_0", "", "{}")]), [call("call_0", "", "{}")]);
    }
}
