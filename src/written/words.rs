//! The model's enums: the same words as everywhere, with what each of them means.

use std::{fmt::Write as _, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::scalar::from_text;
use crate::model::{
    agent, analysis, component, ledger, message, plan, query, score, search, span, text::shortened, trace,
    tree,
};

/// A set of words.
pub(crate) trait Vocabulary: Copy + 'static {
    /// What the set is called.
    const NAME: &'static str;
    /// What the words are of.
    const MEANING: &'static str;
    /// The words.
    const WORDS: &'static [Self];

    /// The word as it is written.
    fn text(self) -> &'static str;

    /// What it means.
    fn meaning(self) -> &'static str;
}

/// A word of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word<V>(pub V);

impl<V> From<V> for Word<V> {
    fn from(word: V) -> Self {
        Self(word)
    }
}

impl<V: Vocabulary> Serialize for Word<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text())
    }
}

impl<V: Vocabulary> FromStr for Word<V> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        V::WORDS.iter().copied().find(|word| word.text() == text).map(Self).ok_or_else(|| {
            let all: Vec<_> = V::WORDS.iter().map(|word| word.text()).collect();
            format!("`{}` is not one of {}", shortened(text, 60), all.join(", "))
        })
    }
}

impl<'de, V: Vocabulary> Deserialize<'de> for Word<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a word as a string")
    }
}

impl<V: Vocabulary> PartialSchema for Word<V> {
    fn schema() -> RefOr<Schema> {
        let mut meaning = V::MEANING.to_owned();
        for word in V::WORDS {
            // Writing to a string cannot fail.
            let _ = write!(meaning, "\n- `{}`: {}", word.text(), word.meaning());
        }
        ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(V::WORDS.iter().map(|word| word.text())))
            .description(Some(meaning))
            .into()
    }
}

impl<V: Vocabulary> ToSchema for Word<V> {
    fn name() -> std::borrow::Cow<'static, str> {
        V::NAME.into()
    }
}

/// Gives enums that `model::words` declared their names here.
macro_rules! vocabularies {
    ($($word:ident = $of:path),+ $(,)?) => {$(
        pub(crate) type $word = Word<$of>;

        impl Vocabulary for $of {
            const NAME: &'static str = stringify!($word);
            const MEANING: &'static str = Self::MEANING;
            const WORDS: &'static [Self] = Self::ALL;

            fn text(self) -> &'static str {
                Self::text(self)
            }

            fn meaning(self) -> &'static str {
                Self::meaning(self)
            }
        }
    )+};
}

vocabularies!(
    ComponentType = component::ComponentType,
    CostCoverage = analysis::CostCoverage,
    CostSource = ledger::CostSource,
    CountingRule = ledger::CountingRule,
    MessageRole = message::MessageRole,
    MessageType = message::MessageType,
    OperationType = span::OperationType,
    OrderDirection = query::OrderDirection,
    Placement = tree::Placement,
    PlanStatus = plan::PlanStatus,
    RetryOutcome = analysis::RetryOutcome,
    RunFailureKind = agent::RunFailureKind,
    ScoreSource = score::ScoreSource,
    SpanOrderField = query::SpanOrderField,
    SpanStatus = span::SpanStatus,
    StepStatus = plan::StepStatus,
    TextKind = search::TextKind,
    TraceOrderField = query::TraceOrderField,
    TraceStatus = trace::TraceStatus,
    TreeFault = analysis::TreeFault,
    VersionState = component::VersionState,
);
