//! Moments and durations, in nanoseconds.

use std::fmt;

use bincode::{Decode, Encode};
use chrono::{DateTime, SecondsFormat, Utc};

/// A moment: nanoseconds since 1970-01-01T00:00:00Z. Reaches from 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment this many nanoseconds after 1970.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Nanoseconds from `earlier` to this moment; 0 where `earlier` is later.
    #[must_use]
    pub fn nanos_since(self, earlier: Self) -> u64 {
        u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0)
    }

    /// This moment moved by `nanos`, stopping at the ends of the range.
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// The moment as a date, if it can be written as nanoseconds (1677 to 2262).
    #[must_use]
    pub fn from_date(date: DateTime<Utc>) -> Option<Self> {
        date.timestamp_nanos_opt().map(Self)
    }

    /// The moment as a date.
    #[must_use]
    pub fn date(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }

    /// Bytes that sort as the moments do.
    #[must_use]
    pub const fn ascending(self) -> [u8; 8] {
        (self.0.cast_unsigned() ^ (1 << 63)).to_be_bytes()
    }

    /// The moment that [`Timestamp::ascending`] wrote.
    #[must_use]
    pub const fn from_ascending(bytes: [u8; 8]) -> Self {
        Self((u64::from_be_bytes(bytes) ^ (1 << 63)).cast_signed())
    }
}

/// RFC 3339 in UTC, always with nine digits of the second, so that texts sort as the moments do.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date().to_rfc3339_opts(SecondsFormat::Nanos, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_bytes_sort_as_moments() {
        let moments = [i64::MIN, -1, 0, 1, i64::MAX].map(Timestamp::from_nanos);
        assert!(moments.windows(2).all(|pair| pair[0].ascending() < pair[1].ascending()));
        assert!(moments.iter().all(|moment| Timestamp::from_ascending(moment.ascending()) == *moment));
    }
}
