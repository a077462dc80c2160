//! Scalars as they come in, kept as the client wrote them until they are read.
//!
//! The library reads a whole argument before a resolver sees any of it, and its refusal names the
//! type, not the field. Read late, a malformed value is refused under the name of its field, and an
//! item of a batch is refused alone.

use std::{borrow::Cow, marker::PhantomData};

use async_graphql::{InputType, InputValueResult, MaybeUndefined, Value, registry::Registry};

use super::read::Readable;
use crate::model::Refusal;

/// What a client gave for a scalar of type `T`.
pub(in crate::graphql) struct Given<T> {
    value: Value,
    of: PhantomData<fn() -> T>,
}

impl<T: Readable> Given<T> {
    /// The value, if it is one; `field` is the path that a refusal names.
    pub(in crate::graphql) fn read(self, field: &str) -> Result<T, Refusal> {
        T::read(&self.value).map_err(|reason| Refusal::invalid(field, reason))
    }
}

impl From<i32> for Given<i32> {
    fn from(number: i32) -> Self {
        Self { value: number.into(), of: PhantomData }
    }
}

/// Reads a value that may be missing.
pub(in crate::graphql) trait OptionalGiven<T> {
    /// The value, if there is one and it is one.
    fn read(self, field: &str) -> Result<Option<T>, Refusal>;
}

impl<T: Readable> OptionalGiven<T> for Option<Given<T>> {
    fn read(self, field: &str) -> Result<Option<T>, Refusal> {
        self.map(|given| given.read(field)).transpose()
    }
}

/// Reads a value that may be left as it is (missing) or cleared (`null`).
#[expect(clippy::option_option, reason = "leaving and clearing are different wishes")]
pub(in crate::graphql) fn undefined_or<T: Readable>(
    given: MaybeUndefined<Given<T>>,
    field: &str,
) -> Result<Option<Option<T>>, Refusal> {
    match given {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Null => Ok(Some(None)),
        MaybeUndefined::Value(given) => given.read(field).map(|value| Some(Some(value))),
    }
}

impl<T: Readable> InputType for Given<T> {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::register(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        match value {
            None | Some(Value::Null) => Err(async_graphql::InputValueError::expected_type(Value::Null)),
            Some(value) => Ok(Self { value, of: PhantomData }),
        }
    }

    fn to_value(&self) -> Value {
        self.value.clone()
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}
