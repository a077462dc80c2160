//! How things stand when a run begins: what its model is given of the conversation. It is kept with the trace, so that
//! the run can be made again.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::{
    Json,
    chat::{self, ChatMessage},
    message::MessageRole,
};

/// What a model is given of a conversation, before anything is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct InitialState {
    /// The summary of what came before the messages.
    pub(super) summary: Option<String>,
    /// The messages, the oldest first.
    pub(super) messages: Vec<ChatMessage>,
}

/// The same as JSON.
#[derive(Serialize, Deserialize)]
struct Written<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(borrow)]
    messages: &'a RawValue,
}

impl InitialState {
    /// The same as JSON: the summary, and the messages as they were written.
    pub(super) fn written(summary: Option<&str>, messages: &Json) -> Option<Json> {
        let messages = serde_json::from_str(messages.text()).ok()?;
        Json::from_value(&Written { summary: summary.map(str::to_owned), messages }).ok()
    }

    /// Reads what a trace kept; `None`: it is something else, as other systems keep there.
    pub(super) fn read(json: &Json) -> Option<Self> {
        let Written { summary, messages } = json.read().ok()?;
        let messages = chat::read_messages(&Json::parse(messages.get()).ok()?, MessageRole::User);
        (!messages.is_empty()).then_some(Self { summary, messages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let messages = vec![super::super::run::said_by(MessageRole::User, "Where is it?")];
        let state = InitialState { summary: Some("They met.".to_owned()), messages };
        let messages = chat::to_json(state.messages.clone());
        let written = InitialState::written(state.summary.as_deref(), &messages).unwrap();
        assert_eq!(InitialState::read(&written), Some(state));
        for other in ["null", "[]", "{}", r#"{"messages": []}"#, r#"{"messages": 3}"#] {
            assert_eq!(InitialState::read(&Json::parse(other).unwrap()), None, "{other}");
        }
    }
}
