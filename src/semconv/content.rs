//! Where what went in and what came out stands: in an attribute, which is named and not copied, or put
//! together of several.

use super::{Attributes, Field, lookup::Fields, messages};
use crate::model::{
    Json,
    span::{OperationType, SpanEvent},
};

/// What went in, or came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing that is known.
    #[default]
    None,
    /// It is the value of this attribute.
    Attribute(String),
    /// This, put together.
    Whole(Json),
}

impl Content {
    /// The value and the attribute, as a span's body keeps them.
    pub(super) fn parts(self) -> (Option<Json>, Option<String>) {
        match self {
            Self::None => (None, None),
            Self::Attribute(name) => (None, Some(name)),
            Self::Whole(json) => (Some(json), None),
        }
    }

    fn of(fields: &Fields<'_>, wanted: &[Field]) -> Self {
        let Some(field) = fields.first_of(wanted) else { return Self::None };
        match fields.attribute(field) {
            Some((name, _)) => Self::Attribute(name.to_owned()),
            None => fields.document(field).map_or(Self::None, Self::Whole),
        }
    }
}

/// Events that carry what a tool was called with, and the attributes that do, the best first.
const CALLED: Events = &[("gen_ai.tool.message", &["content"])];

/// Events that carry what a tool answered.
const ANSWERED: Events = &[("gen_ai.choice", &["message"]), ("tool.output", &["output", "content", "diff"])];

type Events = &'static [(&'static str, &'static [&'static str])];

/// What went in.
pub(super) fn input(operation: OperationType, fields: &Fields<'_>, events: &[SpanEvent]) -> Content {
    let wanted: &[Field] = match operation {
        OperationType::ToolCall => &[Field::ToolArguments, Field::Input, Field::InputMessages],
        OperationType::Retrieval | OperationType::Memory => {
            &[Field::Query, Field::Input, Field::InputMessages]
        }
        OperationType::Embedding => &[Field::Input, Field::InputMessages, Field::EmbeddingTexts],
        OperationType::Rerank => &[Field::RerankInput, Field::Input, Field::Query],
        OperationType::LlmCall => &[Field::InputMessages, Field::Input, Field::ToolArguments],
        // What calls no model has no messages of its own: flattened ones are a part of what went in.
        _ if fields.is_list(Field::InputMessages) => &[Field::Input, Field::InputMessages],
        _ => &[Field::InputMessages, Field::Input, Field::ToolArguments],
    };
    match Content::of(fields, wanted) {
        Content::None if operation == OperationType::ToolCall => of_events(CALLED, events)
            .map_or_else(|| Content::of(fields, &[Field::ToolTarget]), Content::Whole),
        content => content,
    }
}

/// What came out.
pub(super) fn output(operation: OperationType, fields: &Fields<'_>, events: &[SpanEvent]) -> Content {
    let wanted: &[Field] = match operation {
        OperationType::ToolCall => &[Field::ToolResult, Field::Output, Field::OutputMessages],
        OperationType::Retrieval | OperationType::Rerank | OperationType::Memory => {
            &[Field::Documents, Field::Output]
        }
        OperationType::LlmCall => {
            if !fields.has(Field::OutputMessages)
                && let Some(json) = messages::answer(fields).map(|value| Json::of(&value))
            {
                return Content::Whole(json);
            }
            &[Field::OutputMessages, Field::Output]
        }
        _ if fields.is_list(Field::OutputMessages) => &[Field::Output, Field::OutputMessages],
        _ => &[Field::OutputMessages, Field::Output, Field::OutputText, Field::OutputToolCalls],
    };
    match Content::of(fields, wanted) {
        Content::None if operation == OperationType::ToolCall => {
            of_events(ANSWERED, events).map_or(Content::None, Content::Whole)
        }
        content => content,
    }
}

/// The document in the last event that has one.
fn of_events(known: Events, events: &[SpanEvent]) -> Option<Json> {
    events.iter().rev().find_map(|event| {
        let (_, names) = known.iter().find(|(name, _)| *name == event.name)?;
        let attributes = Attributes::read(event.attributes.as_ref()?);
        names.iter().find_map(|name| attributes.get(name)?.document())
    })
}
