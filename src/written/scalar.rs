//! Moments and documents, as they are written in JSON.

use std::{fmt, fmt::Display, marker::PhantomData, str::FromStr};

use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type, schema::SchemaType},
};

use super::private;
use crate::model::{Json, Timestamp, text::shortened};

/// A moment: RFC 3339, with up to nine digits of the second. Answers are in UTC with all nine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub Timestamp);

impl From<Timestamp> for Moment {
    fn from(moment: Timestamp) -> Self {
        Self(moment)
    }
}

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        moment.0
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let shown = || shortened(text, 60);
        let date = DateTime::parse_from_rfc3339(text)
            .map_err(|_| format!("`{}` is not a moment; one looks like 2025-01-31T09:30:00.25Z", shown()))?;
        let moment = Timestamp::from_date(date.to_utc());
        moment.map(Self).ok_or_else(|| format!("`{}` is not between the years 1677 and 2262", shown()))
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a moment as a string")
    }
}

impl PartialSchema for Moment {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some(
                "RFC 3339, from 1677 to 2262. Answers are in UTC with nine digits of the second.",
            ))
            .examples(["2025-01-31T09:30:00.250000000Z"])
            .into()
    }
}

impl ToSchema for Moment {}

/// A JSON document: kept as the text that was sent, and sent as the text that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Document(pub Json);

impl From<Json> for Document {
    fn from(json: Json) -> Self {
        Self(json)
    }
}

impl From<Document> for Json {
    fn from(document: Document) -> Self {
        document.0
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(self.0.text()).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        private::refuse(raw.get()).map_err(de::Error::custom)?;
        Json::parse(raw.get()).map(Self).map_err(de::Error::custom)
    }
}

impl PartialSchema for Document {
    fn schema() -> RefOr<Schema> {
        // Without a type: any JSON value.
        ObjectBuilder::new().schema_type(SchemaType::AnyValue).description(Some("Any JSON value.")).into()
    }
}

impl ToSchema for Document {}

/// A value that is written as a text.
pub(crate) fn from_text<'de, D: Deserializer<'de>, T: FromStr<Err: Display>>(
    deserializer: D,
    expected: &'static str,
) -> Result<T, D::Error> {
    struct Text<T>(&'static str, PhantomData<T>);
    impl<T: FromStr<Err: Display>> de::Visitor<'_> for Text<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_str(Text(expected, PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_go_in_and_out_as_they_were_written() {
        let text = r#"{"a": 1.50, "b": [ "ü", "\u00e4" ], "big": 123456789012345678901234567890}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&document).unwrap(), text);
    }

    #[test]
    fn moments_keep_their_nanoseconds() {
        let moment: Moment = serde_json::from_str(r#""2025-01-31T10:30:00.123456789+01:00""#).unwrap();
        assert_eq!(serde_json::to_string(&moment).unwrap(), r#""2025-01-31T09:30:00.123456789Z""#);
        for bad in [r#""yesterday""#, r#""2025-01-31""#, r#""9999-01-01T00:00:00Z""#, "12"] {
            assert!(serde_json::from_str::<Moment>(bad).is_err(), "{bad}");
        }
    }
}
