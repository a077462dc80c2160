//! The model's enums in the API: the same words, with what each of them means.

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned,
    ServerResult, Value,
    parser::types::Field,
    registry::{EnumBuilder, MetaEnumValue, MetaTypeId},
};

use crate::model::{
    agent::RunFailureKind,
    analysis::{CostCoverage, RetryOutcome, TreeFault},
    component::{ComponentType, VersionState},
    evaluation::ComparisonOutcome,
    evaluations::EvaluationStatus,
    evaluator::{ContainsMode, EvaluatorKind, TextSide},
    experiment::{ExperimentStatus, ItemStatus, Presence},
    ledger::{CostSource, CountingRule},
    message::{MessageRole, MessageType},
    plan::{PlanAction, PlanStatus, StepActionKind, StepStatus},
    query::{OrderDirection, QuerySource, SpanOrderField, TraceOrderField},
    score::ScoreSource,
    search::TextKind,
    series::{ComparedFigure, Dimension, IntervalMethod},
    span::{OperationType, SpanStatus},
    stats::paired::PairedVerdict,
    trace::TraceStatus,
    tree::Placement,
};

/// Makes enums that `model::words` declared into enums of the API.
macro_rules! words {
    ($($word:ident as $name:literal),+ $(,)?) => {$(
        impl InputType for $word {
            type RawValueType = Self;

            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                registry.create_input_type::<Self, _>(MetaTypeId::Enum, |_| {
                    enum_type($name, Self::MEANING, Self::ALL.iter().map(|word| (word.text(), word.meaning())))
                })
            }

            fn parse(value: Option<Value>) -> InputValueResult<Self> {
                let value = value.unwrap_or_default();
                let read = match &value {
                    Value::Enum(name) => Self::ALL.iter().find(|word| word.text() == name.as_str()),
                    Value::String(name) => Self::ALL.iter().find(|word| word.text() == name),
                    _ => None,
                };
                read.copied().ok_or_else(|| InputValueError::expected_type(value))
            }

            fn to_value(&self) -> Value {
                Value::Enum(Name::new(self.text()))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }
        }

        impl OutputType for $word {
            fn type_name() -> Cow<'static, str> {
                <Self as InputType>::type_name()
            }

            fn create_type_info(registry: &mut async_graphql::registry::Registry) -> String {
                <Self as InputType>::create_type_info(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(Value::Enum(Name::new(self.text())))
            }
        }
    )+};
}

words!(
    ComparedFigure as "ComparedFigure",
    ComparisonOutcome as "ComparisonOutcome",
    ComponentType as "ComponentType",
    CostCoverage as "CostCoverage",
    ContainsMode as "ContainsMode",
    CostSource as "CostSource",
    CountingRule as "CountingRule",
    ExperimentStatus as "ExperimentStatus",
    ItemStatus as "ExperimentItemStatus",
    EvaluationStatus as "EvaluationStatus",
    EvaluatorKind as "EvaluatorKind",
    IntervalMethod as "IntervalMethod",
    MessageRole as "MessageRole",
    MessageType as "MessageType",
    OperationType as "OperationType",
    OrderDirection as "OrderDirection",
    Placement as "Placement",
    PlanAction as "PlanAction",
    PlanStatus as "PlanStatus",
    RetryOutcome as "RetryOutcome",
    PairedVerdict as "PairedVerdict",
    Presence as "PairPresence",
    RunFailureKind as "RunFailureKind",
    ScoreSource as "ScoreSource",
    Dimension as "SeriesDimension",
    QuerySource as "QuerySource",
    SpanOrderField as "SpanOrderField",
    SpanStatus as "SpanStatus",
    StepActionKind as "StepAction",
    StepStatus as "StepStatus",
    TextKind as "TextKind",
    TraceOrderField as "TraceOrderField",
    TextSide as "TextSide",
    TraceStatus as "TraceStatus",
    TreeFault as "TreeFault",
    VersionState as "VersionState",
);

fn enum_type(
    name: &str,
    meaning: &str,
    words: impl Iterator<Item = (&'static str, &'static str)>,
) -> async_graphql::registry::MetaType {
    let value = |(name, meaning): (&str, &str)| {
        let mut value = MetaEnumValue::new(name);
        value.description = Some(meaning.to_owned());
        (name.to_owned(), value)
    };
    EnumBuilder::new(name, words.map(value).collect()).description(Some(meaning.to_owned())).build()
}
