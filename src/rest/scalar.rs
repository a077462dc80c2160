//! Values as requests and answers have them: what stands in a query, durations, and wishes to clear a field.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer};

pub(super) use crate::written::scalar::{Document, Moment};
use crate::{
    model::{Refusal, text::shortened},
    written::scalar::from_text,
};

/// A value in a query, where all is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Written<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parse<T>(T);
        impl<T: FromStr<Err: Display>> FromStr for Parse<T> {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let wrong = |error: T::Err| format!("`{}`: {error}", shortened(text, 60));
                text.parse().map(Self).map_err(wrong)
            }
        }
        from_text(deserializer, "a text").map(|Parse(value)| Self(value))
    }
}

/// Reads a field that may be left as it is (missing) or cleared (`null`).
#[expect(clippy::option_option, reason = "leaving and clearing are different wishes")]
pub(super) fn cleared_or<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Nanoseconds as milliseconds.
#[expect(clippy::cast_precision_loss, reason = "the exact number is a field of its own")]
pub(super) fn millis(nanos: u64) -> f64 {
    nanos as f64 / 1e6
}

/// Milliseconds as nanoseconds.
pub(super) fn nanos(millis: Option<f64>, field: &str) -> Result<Option<u64>, Refusal> {
    let Some(millis) = millis else { return Ok(None) };
    let nanos = (millis * 1e6).round();
    if !(0.0..1.8e19).contains(&nanos) {
        return Err(Refusal::invalid(field, format!("{millis} is not a duration of 0 or more")));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range was checked")]
    Ok(Some(nanos as u64))
}
