//! What conditions on traces and on spans are made of.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::{
    model::{
        Refusal,
        component::VersionHash,
        query::{self, AttributeTest, Bounds, ScoreCondition, ScoreTest},
    },
    rest::{
        object::object,
        scalar::{Document, Moment},
        words,
    },
};

/// How a short text must be: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TextMatch {
    /// Exactly this.
    is: Option<String>,
    /// With this in it, in either case.
    contains: Option<String>,
    /// This at its beginning, in either case.
    starts_with: Option<String>,
}

/// From where to where a figure may be. Both ends count; one may be left out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct Range {
    /// The least that is meant.
    min: Option<f64>,
    /// The most that is meant.
    max: Option<f64>,
}

/// From one moment to another.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct TimeRange {
    /// At this moment or later.
    pub(super) from: Option<Moment>,
    /// Before this moment.
    pub(super) to: Option<Moment>,
}

/// A component, or one version of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct ComponentWhere {
    /// The component.
    component_id: String,
    /// The hash that names the version; without it any version is meant.
    #[schema(pattern = "^[0-9a-fA-F]{64}$")]
    version_hash: Option<String>,
}

/// A score. All that is given must hold of the same score.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct ScoreWhere {
    /// What is judged: `helpfulness`.
    name: String,
    /// Who judged; absent or empty: whoever.
    sources: Option<Vec<words::ScoreSource>>,
    /// A number that lies between these.
    #[serde(default, deserialize_with = "object")]
    number: Option<Range>,
    /// One of these words.
    categories: Option<Vec<String>>,
    /// Yes or no.
    boolean: Option<bool>,
}

/// An attribute, by its name: as it was sent, dots and all. With nothing but the name: it is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::rest) struct AttributeWhere {
    /// Its name.
    key: String,
    /// It is this value: a text, a number or a boolean.
    is: Option<Document>,
    /// It is a text with this in it, in either case.
    contains: Option<String>,
    /// It is a number between these.
    #[serde(default, deserialize_with = "object")]
    number: Option<Range>,
}

/// The words themselves.
pub(super) fn plain<V>(given: Option<Vec<words::Word<V>>>) -> Option<Vec<V>> {
    given.map(|given| given.into_iter().map(|word| word.0).collect())
}

impl TextMatch {
    pub(super) fn into_model(self, field: &str) -> Result<query::TextMatch, Refusal> {
        query::TextMatch::of((self.is, self.contains, self.starts_with), field)
    }
}

impl Range {
    fn numbers(self, field: &str) -> Result<Bounds<f64>, Refusal> {
        Bounds { least: self.min, most: self.max }.checked(field)
    }

    pub(super) fn whole(self, field: &str, units: f64) -> Result<Bounds<u64>, Refusal> {
        self.numbers(field)?.whole(field, units)
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
        Ok(ScoreCondition { name: self.name, sources: plain(self.sources).unwrap_or_default(), test })
    }
}

impl AttributeWhere {
    pub(super) fn into_model(self, field: &str) -> Result<(String, AttributeTest), Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = AttributeTest::of((self.is.map(Into::into), self.contains, number), field)?;
        Ok((self.key, test))
    }
}
