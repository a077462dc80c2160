//! What conditions on traces and on spans are made of.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    model::{
        Refusal,
        component::VersionHash,
        query::{self, AttributeTest, Bounds, ScoreCondition, ScoreTest, TextCondition, TraceCondition},
    },
    written::{
        object::object,
        scalar::{Document, Moment},
        words,
    },
};

/// How a short text must be: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TextMatch {
    /// Exactly this.
    pub(crate) is: Option<String>,
    /// With this in it, in either case.
    pub(crate) contains: Option<String>,
    /// This at its beginning, in either case.
    pub(crate) starts_with: Option<String>,
}

/// From where to where a figure may be. Both ends count; one may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Range {
    /// The least that is meant.
    pub(crate) min: Option<f64>,
    /// The most that is meant.
    pub(crate) max: Option<f64>,
}

/// From one moment to another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TimeRange {
    /// At this moment or later.
    pub(crate) from: Option<Moment>,
    /// Before this moment.
    pub(crate) to: Option<Moment>,
}

/// A component, or one version of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ComponentWhere {
    /// The component.
    pub(crate) component_id: String,
    /// The hash that names the version; without it any version is meant.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    pub(crate) version_hash: Option<String>,
}

/// A score. All that is given must hold of the same score.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct ScoreWhere {
    /// What is judged: `helpfulness`.
    pub(crate) name: String,
    /// Who judged; absent or empty: whoever.
    pub(crate) sources: Option<Vec<words::ScoreSource>>,
    /// A number that lies between these.
    #[serde(default, deserialize_with = "object")]
    pub(crate) number: Option<Range>,
    /// One of these words.
    pub(crate) categories: Option<Vec<String>>,
    /// Yes or no.
    pub(crate) boolean: Option<bool>,
}

/// An attribute, by its name: as it was sent, dots and all. With nothing but the name: it is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct AttributeWhere {
    /// Its name.
    pub(crate) key: String,
    /// It is this value: a text, a number or a boolean.
    pub(crate) is: Option<Document>,
    /// It is a text with this in it, in either case.
    pub(crate) contains: Option<String>,
    /// It is a number between these.
    #[serde(default, deserialize_with = "object")]
    pub(crate) number: Option<Range>,
}

/// Words to be found in what a trace and its spans say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct TextWhere {
    /// Words, phrases and beginnings of words.
    pub(crate) query: String,
    /// Only in texts of these kinds; absent or empty: in any.
    #[serde(rename = "in")]
    pub(crate) kinds: Option<Vec<words::TextKind>>,
}

/// What words mean.
pub(super) fn meant<V>(given: Option<Vec<words::Word<V>>>) -> Option<Vec<V>> {
    given.map(|given| given.into_iter().map(|word| word.0).collect())
}

impl TextMatch {
    pub(super) fn into_model(self, field: &str) -> Result<query::TextMatch, Refusal> {
        query::TextMatch::of((self.is, self.contains, self.starts_with), field)
    }
}

impl Range {
    pub(super) fn numbers(self, field: &str) -> Result<Bounds<f64>, Refusal> {
        Bounds { least: self.min, most: self.max }.checked(field)
    }

    pub(super) fn whole(self, field: &str, units: f64) -> Result<Bounds<u64>, Refusal> {
        self.numbers(field)?.whole(field, units)
    }
}

impl TimeRange {
    pub(super) fn into_model(self, field: &str) -> Result<TraceCondition, Refusal> {
        let range = (self.from.map(Into::into), self.to.map(Into::into));
        query::in_order(range, field).map(|(from, before)| TraceCondition::Started { from, before })
    }
}

impl ComponentWhere {
    pub(super) fn into_model(self, field: &str) -> Result<(String, Option<VersionHash>), Refusal> {
        let hash = |hash: String| VersionHash::parse(&format!("{field}.versionHash"), &hash);
        Ok((self.component_id, self.version_hash.map(hash).transpose()?))
    }
}

impl ScoreWhere {
    pub(super) fn into_model(self, field: &str) -> Result<ScoreCondition, Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = ScoreTest::of((number, self.categories, self.boolean), field)?;
        Ok(ScoreCondition { name: self.name, sources: meant(self.sources).unwrap_or_default(), test })
    }
}

impl AttributeWhere {
    pub(super) fn into_model(self, field: &str) -> Result<(String, AttributeTest), Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = AttributeTest::of((self.is.map(Into::into), self.contains, number), field)?;
        Ok((self.key, test))
    }
}

impl TextWhere {
    pub(super) fn into_model(self) -> TextCondition {
        TextCondition { query: self.query, kinds: meant(self.kinds).unwrap_or_default() }
    }
}
