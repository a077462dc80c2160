//! Summarising a conversation that has grown past what the model is given, so that the next run knows what was said
//! before.

use super::{
    given::Given,
    recorder::OpenSpan,
    run::{At, Run, failed, outputs, said_by},
};
use crate::model::{
    Json,
    chat::ChatMessage,
    message::{MessageRole, MessageType, NewMessage},
    span::{OperationType, SpanChanges, SpanStatus},
};

/// What a model is told that is to summarise a conversation.
const SUMMARISE: &str = "Summarise the conversation for the assistant who will go on with it and sees nothing else \
    of it: who the user is and what they want, what was agreed and found out, names, numbers and decisions, and what \
    is still open. Answer with the summary alone.";

impl Run {
    /// Summarises the conversation: what the last summary said, what was said since, also where the model was not
    /// given it, and the answer. Whether it succeeds or not, the answer stands.
    pub(super) async fn summarise(
        &self,
        root: OpenSpan,
        (known, older, messages, answer): (Option<&str>, &[ChatMessage], &[ChatMessage], &str),
    ) {
        const NAME: &str = "summarise history";
        let span = self.start_span(Some(root), (OperationType::Memory, NAME), SpanChanges::default()).await;
        let said = older.iter().chain(messages).filter_map(|message| Some((message.role, message.text()?)));
        let said = said.chain([(MessageRole::Assistant, answer.to_owned())]);
        let said = said.map(|(role, text)| format!("{role}: {text}"));
        let known = known.map(|known| format!("Earlier: {known}"));
        let transcript: Vec<_> = known.into_iter().chain(said).collect();
        let transcript = transcript.join("\n\n");
        let asked = said_by(MessageRole::User, &transcript);
        let given = Given::of(self, SUMMARISE, std::slice::from_ref(&asked)).json();
        let mut request = self.request(SUMMARISE, vec![asked]);
        request.tools.clear();
        let summary = match self.attempt(&At { parent: span, knows: None }, &request, given.as_ref()).await {
            Ok(answer) => answer.message.text().filter(|text| !text.trim().is_empty()),
            Err(_) => None,
        };
        let (status, changes) = match summary {
            Some(summary) => {
                let message = NewMessage {
                    message_type: Some(MessageType::Summary),
                    ..self.of_run(NewMessage::text(MessageRole::System, &summary))
                };
                match self.add(vec![message]).await {
                    Ok(_) => (SpanStatus::Ok, outputs(Some(Json::string(&summary)))),
                    Err(error) => (SpanStatus::Error, failed(&error.to_string(), "not kept")),
                }
            }
            None => (SpanStatus::Error, failed("the model gave no summary", "no summary")),
        };
        self.end_span(span, (OperationType::Memory, NAME), status, changes).await;
    }
}
