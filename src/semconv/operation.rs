//! What kind of operation a span is: by the word of its convention, else by what it carries.

use super::{
    Field, claude_code, langfuse, logfire, lookup::Fields, openinference, otel, traceloop, vendors, vercel,
};
use crate::model::span::OperationType;

/// The attributes that name an operation, in the order in which they are asked, with their words.
const WORDS: &[(&str, &[(&str, OperationType)])] = &[
    ("gen_ai.operation.name", otel::OPERATIONS),
    ("gen_ai.operation.name", logfire::OPERATIONS),
    ("ai.operationId", vercel::OPERATIONS),
    ("langfuse.observation.type", langfuse::OPERATIONS),
    ("lmnr.span.type", vendors::OPERATIONS),
    ("mlflow.spanType", vendors::OPERATIONS),
    ("span.type", vendors::OPERATIONS),
    ("traceloop.span.kind", traceloop::OPERATIONS),
    ("llm.request.type", traceloop::OPERATIONS),
    ("openinference.span.kind", openinference::OPERATIONS),
];

/// What kind of operation the span of this name is.
pub(super) fn of(name: &str, fields: &Fields<'_>) -> OperationType {
    by_word(fields).or_else(|| by_name(name)).unwrap_or_else(|| by_content(fields))
}

fn by_word(fields: &Fields<'_>) -> Option<OperationType> {
    if !fields.has(Field::Operation) {
        return None;
    }
    // A word that one convention does not know may stand beside one that another knows.
    WORDS.iter().find_map(|(attribute, words)| word(words, fields.attributes().get(attribute)?.text()?))
}

fn word(words: &[(&str, OperationType)], text: &str) -> Option<OperationType> {
    words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)).map(|(_, operation)| *operation)
}

fn by_name(name: &str) -> Option<OperationType> {
    word(claude_code::OPERATIONS, name.strip_prefix(claude_code::NAME)?)
}

fn by_content(fields: &Fields<'_>) -> OperationType {
    let any = |of: &[Field]| of.iter().any(|field| fields.has(*field));
    if any(&[Field::ToolCallId, Field::ToolArguments, Field::ToolResult]) {
        OperationType::ToolCall
    } else if any(&[Field::InputTokens, Field::OutputTokens]) && fields.has(Field::Model) {
        OperationType::LlmCall
    } else if fields.has(Field::RerankInput) {
        OperationType::Rerank
    } else if fields.has(Field::Documents) {
        OperationType::Retrieval
    } else if fields.has(Field::AgentId) {
        OperationType::Agent
    } else {
        OperationType::Custom
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{Attributes, Value};

    #[test]
    fn an_unknown_word_does_not_hide_a_known_one() {
        let mut attributes = Attributes::default();
        attributes.push("openinference.span.kind", Value::Text("tool".into()));
        attributes.push("gen_ai.operation.name", Value::Text("something new".into()));
        assert_eq!(of("x", &Fields::find(&attributes)), OperationType::ToolCall);
        assert_eq!(
            of("claude_code.llm_request", &Fields::find(&Attributes::default())),
            OperationType::LlmCall
        );
    }
}
