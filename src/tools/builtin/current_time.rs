//! `current_time`: what time it is, by the clock that was passed in.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use futures_util::future::{self, BoxFuture};
use serde_json::{Value, json};

use super::{Tool, ToolError, ToolErrorKind, ToolSpec, spec, text};
use crate::model::{Json, clock::SharedClock};

/// Tells the date and time.
#[derive(Clone)]
pub struct CurrentTime(SharedClock);

impl CurrentTime {
    /// By this clock.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self(clock)
    }

    fn told(&self, offset: &str) -> Result<Json, ToolError> {
        let now = self.0.now().date();
        // A moment with this offset, of which only the offset is taken: chrono reads none alone.
        let offset: FixedOffset = DateTime::parse_from_rfc3339(&format!("2000-01-01T00:00:00{offset}"))
            .map(|moment| *moment.offset())
            .map_err(|_| {
                let message = format!("/utc_offset: `{offset}` is no offset; one looks like +02:00 or Z");
                ToolError::new(ToolErrorKind::InvalidArguments, message)
            })?;
        let there = now.with_timezone(&offset);
        let told = json!({
            "time": there.to_rfc3339_opts(SecondsFormat::Secs, true),
            "weekday": there.format("%A").to_string(),
            "unix_seconds": now.timestamp(),
        });
        Ok(Json::from_value(&told).unwrap_or_default())
    }
}

impl Tool for CurrentTime {
    fn spec(&self) -> ToolSpec {
        let parameters = json!({
            "type": "object",
            "properties": {
                "utc_offset": {
                    "type": "string",
                    "pattern": "^(Z|[+-][0-9]{2}:[0-9]{2})$",
                    "description": "How far the local time is ahead of UTC, such as +02:00 or -05:30. \
                                    Without it the time is in UTC."
                }
            },
            "additionalProperties": false
        });
        let description = "Tells the current date, time and weekday.";
        spec("current_time", description, &parameters)
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        Box::pin(future::ready(self.told(text(&arguments, "utc_offset").unwrap_or("Z"))))
    }
}
