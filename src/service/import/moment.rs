//! Times as transcripts write them.

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Number, Value};

use crate::model::Timestamp;

/// A time: a date and time of day (RFC 3339, or without an offset, which is then UTC), or a number
/// since 1970, which is seconds, milli-, micro- or nanoseconds by its size.
pub(super) fn read(value: &Value) -> Result<Timestamp, String> {
    let moment = match value {
        Value::Number(number) => from_number(number),
        Value::String(text) => from_text(text.trim()),
        _ => None,
    };
    moment.ok_or_else(|| {
        format!(
            "{} is not a time; one looks like \"2024-05-15T15:00:00Z\" or 1715785200",
            crate::model::text::shortened(&value.to_string(), 60)
        )
    })
}

fn from_text(text: &str) -> Option<Timestamp> {
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Timestamp::from_date(date.to_utc());
    }
    let forms = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f UTC"];
    let naive = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    if let Some(naive) = naive {
        return Timestamp::from_date(naive.and_utc());
    }
    let with_offset = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"];
    let date = with_offset.iter().find_map(|form| DateTime::parse_from_str(text, form).ok());
    match date {
        Some(date) => Timestamp::from_date(date.to_utc()),
        None => from_number(&serde_json::from_str(text).ok()?),
    }
}

/// Seconds reach to the year 5138 before they are taken for milliseconds, which then begin in 1973.
fn from_number(number: &Number) -> Option<Timestamp> {
    if let Some(whole) = number.as_i64() {
        return whole.checked_mul(nanos_a_unit(whole.unsigned_abs())).map(Timestamp::from_nanos);
    }
    let number = number.as_f64().filter(|number| number.abs() < 9e18)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only the size matters")]
    let unit = nanos_a_unit(number.abs() as u64);
    // In two parts, because a float holds no date in nanoseconds.
    let whole = number.floor();
    #[expect(clippy::cast_possible_truncation, reason = "below 9e18, and a part of a unit")]
    #[expect(clippy::cast_precision_loss, reason = "a power of ten")]
    let (whole, part) = (whole as i64, ((number - whole) * unit as f64).round() as i64);
    whole.checked_mul(unit)?.checked_add(part).map(Timestamp::from_nanos)
}

fn nanos_a_unit(size: u64) -> i64 {
    match size {
        0..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_to_write_one_moment() {
        for value in [
            json!("2024-05-15T15:00:00Z"),
            json!("2024-05-15T17:00:00.000+02:00"),
            json!("2024-05-15T15:00:00"),
            json!("2024-05-15 15:00:00"),
            json!("2024-05-15 15:00:00+00:00"),
            json!(1_715_785_200),
            json!(1_715_785_200.0),
            json!(1_715_785_200_000_i64),
            json!(1_715_785_200_000_000_i64),
            json!(1_715_785_200_000_000_000_i64),
            json!("1715785200"),
        ] {
            assert_eq!(read(&value).map(Timestamp::nanos), Ok(1_715_785_200_000_000_000), "{value}");
        }
    }

    #[test]
    fn parts_of_a_second_are_kept() {
        assert_eq!(read(&json!(1_715_785_200.25)).map(Timestamp::nanos), Ok(1_715_785_200_250_000_000));
        let text = json!("2024-05-15T15:00:00.123456789Z");
        assert_eq!(read(&text).map(Timestamp::nanos), Ok(1_715_785_200_123_456_789));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for value in
            [json!("yesterday"), json!(null), json!(1e300), json!(true), json!("9999-01-01T00:00:00Z")]
        {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
