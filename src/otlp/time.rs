//! Moments of spans: nanoseconds since 1970, within reason.

use crate::model::{Refusal, Timestamp};

/// The first moment that a span may have: what lies before was mostly not given in nanoseconds.
const EARLIEST: Timestamp = Timestamp::from_nanos(946_684_800_000_000_000);

/// How far a sender's clock may be ahead.
const AHEAD_NANOS: i64 = 24 * 3_600 * 1_000_000_000;

/// The moment, if it is one: from the year 2000 to a day from now.
pub(super) fn moment(field: &str, nanos: u64, now: Timestamp) -> Result<Timestamp, Refusal> {
    let time = i64::try_from(nanos).map_or(Timestamp::from_nanos(i64::MAX), Timestamp::from_nanos);
    if time < EARLIEST {
        let message = format!("{time} lies before the year 2000; it must be nanoseconds since 1970");
        return Err(Refusal::invalid(field, message));
    }
    if time > now.plus_nanos(AHEAD_NANOS) {
        let message = format!("{time} lies more than a day ahead; it must be nanoseconds since 1970");
        return Err(Refusal::invalid(field, message));
    }
    Ok(time)
}
