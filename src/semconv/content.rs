//! Where what went in and what came out stands: in an attribute, which is named and not copied, or put
//! together of several.

use super::{Field, lookup::Fields, messages};
use crate::model::{Json, span::OperationType};

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

/// What went in.
pub(super) fn input(operation: OperationType, fields: &Fields<'_>) -> Content {
    Content::of(
        fields,
        match operation {
            OperationType::ToolCall => &[Field::ToolArguments, Field::Input, Field::InputMessages],
            OperationType::Retrieval => &[Field::Query, Field::Input, Field::InputMessages],
            OperationType::Embedding => &[Field::Input, Field::InputMessages, Field::EmbeddingTexts],
            OperationType::Rerank => &[Field::RerankInput, Field::Input, Field::Query],
            _ => &[Field::InputMessages, Field::Input, Field::ToolArguments],
        },
    )
}

/// What came out.
pub(super) fn output(operation: OperationType, fields: &Fields<'_>) -> Content {
    let wanted: &[Field] = match operation {
        OperationType::ToolCall => &[Field::ToolResult, Field::Output, Field::OutputMessages],
        OperationType::Retrieval | OperationType::Rerank => &[Field::Documents, Field::Output],
        OperationType::LlmCall => {
            if !fields.has(Field::OutputMessages)
                && let Some(json) = messages::answer(fields).and_then(|value| Json::from_value(&value).ok())
            {
                return Content::Whole(json);
            }
            &[Field::OutputMessages, Field::Output]
        }
        _ => &[Field::OutputMessages, Field::Output, Field::OutputText, Field::OutputToolCalls],
    };
    Content::of(fields, wanted)
}
