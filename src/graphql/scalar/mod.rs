//! Scalars, as they go out: moments, UUIDs, JSON documents and 64-bit numbers.
//!
//! As they come in they are [`Given`]: what a client wrote is kept until it is read under the name of
//! its field.

mod given;
mod read;

use std::borrow::Cow;

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value,
    parser::types::Field,
    registry::{MetaType, MetaTypeId, Registry},
};
use uuid::Uuid;

pub(super) use self::given::{Given, OptionalGiven, undefined_or};
use super::text;
use crate::model::{Json, Timestamp};

/// A moment, with all its nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DateTime(pub Timestamp);

/// A UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PlainId(pub Uuid);

/// A number that a JavaScript number may not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BigInt(pub u64);

/// A JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document(pub Json);

/// A scalar of this schema.
trait Scalar: OutputType + 'static {
    const NAME: &'static str;
    const MEANING: &'static str;
    const SPECIFIED_BY: &'static str;

    fn value(&self) -> Value;

    /// Whether `value` is written as such a scalar is; whether it is one shows when it is read.
    fn is_form(value: &Value) -> bool;

    fn register(registry: &mut Registry) -> String
    where
        Self: Sized,
    {
        registry.create_output_type::<Self, _>(MetaTypeId::Scalar, |_| MetaType::Scalar {
            name: Self::NAME.to_owned(),
            description: Some(Self::MEANING.to_owned()),
            is_valid: Some(std::sync::Arc::new(Self::is_form)),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            specified_by_url: Some(Self::SPECIFIED_BY.to_owned()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        })
    }
}

impl Scalar for DateTime {
    const NAME: &'static str = "DateTime";
    const MEANING: &'static str = "A moment, written as RFC 3339 says, with up to nine digits of the second; from 1677 to 2262. Answers are in UTC with all nine, so that texts sort as the moments do.";
    const SPECIFIED_BY: &'static str = "https://www.rfc-editor.org/rfc/rfc3339";

    fn value(&self) -> Value {
        Value::String(self.0.to_string())
    }

    fn is_form(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }
}

impl Scalar for PlainId {
    const NAME: &'static str = "UUID";
    const MEANING: &'static str = "A UUID, written as 32 hexadecimal digits in five groups.";
    const SPECIFIED_BY: &'static str = "https://www.rfc-editor.org/rfc/rfc9562";

    fn value(&self) -> Value {
        Value::String(self.0.to_string())
    }

    fn is_form(value: &Value) -> bool {
        matches!(value, Value::String(_))
    }
}

impl Scalar for BigInt {
    const NAME: &'static str = "BigInt";
    const MEANING: &'static str = "A whole number from 0 to 18446744073709551615, written as a string of digits because many \
         languages cannot hold it as a number. As an input a number is accepted too.";
    const SPECIFIED_BY: &'static str = "https://www.rfc-editor.org/rfc/rfc8259#section-6";

    fn value(&self) -> Value {
        Value::String(self.0.to_string())
    }

    fn is_form(value: &Value) -> bool {
        matches!(value, Value::String(_) | Value::Number(_))
    }
}

impl Scalar for Document {
    const NAME: &'static str = "JSON";
    const MEANING: &'static str =
        "Any JSON value, not a string that holds one. What was stored comes back as it was written.";
    const SPECIFIED_BY: &'static str = "https://www.rfc-editor.org/rfc/rfc8259";

    fn value(&self) -> Value {
        text::raw(self.0.clone().into_bytes())
    }

    fn is_form(_: &Value) -> bool {
        true
    }
}

macro_rules! output {
    ($($scalar:ty),+) => {$(
        impl OutputType for $scalar {
            fn type_name() -> Cow<'static, str> {
                Cow::Borrowed(<Self as Scalar>::NAME)
            }

            fn create_type_info(registry: &mut Registry) -> String {
                <Self as Scalar>::register(registry)
            }

            async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
                Ok(self.value())
            }
        }
    )+};
}

output!(DateTime, PlainId, BigInt, Document);

/// Nanoseconds as the milliseconds that people and charts count in.
#[expect(clippy::cast_precision_loss, reason = "the exact number is a field of its own")]
pub(super) fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// A count as GraphQL's 32-bit number. Everything counted so is bounded far below its end.
pub(super) fn int(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}
