//! How each scalar is read from what a client wrote.

use std::borrow::Cow;

use async_graphql::{InputType, Number, OutputType, Value, registry::Registry};
use chrono::DateTime as Date;
use uuid::Uuid;

use super::{BigInt, DateTime, Document, PlainId};
use crate::{
    graphql::text,
    model::{Json, Timestamp, text::shortened},
};

/// A value that is written as one of the schema's scalars.
pub(in crate::graphql) trait Readable: Sized + 'static {
    /// The scalar's name.
    fn type_name() -> Cow<'static, str>;

    /// Makes the scalar known.
    fn register(registry: &mut Registry) -> String;

    /// The value, or what is wrong with it.
    fn read(value: &Value) -> Result<Self, String>;
}

/// Reads `$rust` from the scalar `$scalar`.
macro_rules! readable {
    ($rust:ty, $scalar:ty as $kind:ident, $read:expr) => {
        impl Readable for $rust {
            fn type_name() -> Cow<'static, str> {
                <$scalar as $kind>::type_name()
            }

            fn register(registry: &mut Registry) -> String {
                <$scalar as $kind>::create_type_info(registry)
            }

            fn read(value: &Value) -> Result<Self, String> {
                $read(value)
            }
        }
    };
}

readable!(Timestamp, DateTime as OutputType, moment);
readable!(Uuid, PlainId as OutputType, uuid);
readable!(u64, BigInt as OutputType, big_int);
readable!(Json, Document as OutputType, text::document);
readable!(f64, f64 as InputType, float);
readable!(u32, i32 as InputType, |value| int(value, 0).map(i64::unsigned_abs).and_then(narrow));
readable!(i32, i32 as InputType, |value| int(value, i32::MIN).and_then(narrow));

fn moment(value: &Value) -> Result<Timestamp, String> {
    let text = string(value, "a moment as a string")?;
    let date = Date::parse_from_rfc3339(text).map_err(|_| {
        format!("`{}` is not a moment; one looks like 2025-01-31T09:30:00.25Z", shortened(text, 60))
    })?;
    Timestamp::from_date(date.to_utc())
        .ok_or_else(|| format!("`{}` is not between the years 1677 and 2262", shortened(text, 60)))
}

fn uuid(value: &Value) -> Result<Uuid, String> {
    let text = string(value, "a UUID as a string")?;
    Uuid::try_parse(text).map_err(|_| {
        format!(
            "`{}` is not a UUID; one looks like 0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44",
            shortened(text, 60)
        )
    })
}

fn big_int(value: &Value) -> Result<u64, String> {
    let read = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    read.ok_or_else(|| format!("`{}` is not a whole number of 0 or more", written(value)))
}

fn float(value: &Value) -> Result<f64, String> {
    let read = match value {
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()),
        _ => None,
    };
    read.ok_or_else(|| format!("`{}` is not a finite number", written(value)))
}

fn int(value: &Value, least: i32) -> Result<i64, String> {
    let read = match value {
        Value::Number(number) => whole(number),
        _ => None,
    };
    read.filter(|number| (i64::from(least)..=i64::from(i32::MAX)).contains(number))
        .ok_or_else(|| format!("`{}` is not a whole number from {least} to {}", written(value), i32::MAX))
}

/// The number, if it is whole: `2.0` is.
fn whole(number: &Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the range and the fraction were checked")]
    let from_float = |float: f64| (float.fract() == 0.0 && float.abs() < 1e15).then_some(float as i64);
    number.as_i64().or_else(|| number.as_f64().and_then(from_float))
}

fn narrow<Wide, Narrow: TryFrom<Wide>>(wide: Wide) -> Result<Narrow, String> {
    Narrow::try_from(wide).map_err(|_| "out of range".to_owned())
}

fn string<'a>(value: &'a Value, expected: &str) -> Result<&'a str, String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(format!("`{}` is not {expected}", written(other))),
    }
}

fn written(value: &Value) -> String {
    shortened(&text::to_text(value), 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Readable>(json: &str) -> Result<T, String> {
        T::read(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn moments_keep_their_nanoseconds() {
        let moment: Timestamp = read(r#""2025-01-31T10:30:00.123456789+01:00""#).unwrap();
        assert_eq!(moment.to_string(), "2025-01-31T09:30:00.123456789Z");
        for bad in [r#""yesterday""#, r#""2025-01-31""#, r#""9999-01-01T00:00:00Z""#, "12"] {
            assert!(read::<Timestamp>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whole_numbers_are_whole_and_in_range() {
        assert_eq!(read::<u64>(r#""18446744073709551615""#), Ok(u64::MAX));
        assert_eq!(read::<u64>("7"), Ok(7));
        assert_eq!(read::<u32>("2.0"), Ok(2));
        for bad in [r#""-1""#, "-1", "1.5", r#""1e3""#, r#""""#, "true"] {
            assert!(read::<u64>(bad).is_err(), "{bad}");
        }
        for bad in ["-1", "1.5", "2147483648", r#""1""#] {
            assert!(read::<u32>(bad).is_err(), "{bad}");
        }
    }
}
