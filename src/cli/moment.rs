//! Moments as people write them.

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::model::Timestamp;

/// A moment: `2024-05-15T15:00:00Z`.
pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    let date = DateTime::parse_from_rfc3339(text).ok().and_then(|date| Timestamp::from_date(date.to_utc()));
    date.ok_or_else(|| "not a time; one looks like 2024-05-15T15:00:00Z".to_owned())
}

/// A moment, or a day, which stands for its beginning in UTC.
pub(super) fn day(text: &str) -> Result<Timestamp, String> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok();
    let start = day.and_then(|day| Timestamp::from_date(day.and_time(NaiveTime::MIN).and_utc()));
    let told = || "not a day or a time; one looks like 2024-05-15 or 2024-05-15T15:00:00Z".to_owned();
    start.map_or_else(|| time(text).map_err(|_| told()), Ok)
}
