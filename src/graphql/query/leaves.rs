//! What conditions on traces and on spans are made of.

use async_graphql::{ID, InputObject};

use crate::{
    graphql::{
        ids,
        scalar::{Given, OptionalGiven},
    },
    model::{
        Json, Refusal, Timestamp,
        component::VersionHash,
        query::{self, AttributeTest, Bounds, ScoreCondition, ScoreTest, TextMatch},
        score::ScoreSource,
    },
};

/// How a short text must be: one of these.
#[derive(InputObject)]
pub(super) struct TextMatchInput {
    /// Exactly this.
    is: Option<String>,
    /// With this in it, in either case.
    contains: Option<String>,
    /// This at its beginning, in either case.
    starts_with: Option<String>,
}

impl TextMatchInput {
    pub(super) fn into_model(self, field: &str) -> Result<TextMatch, Refusal> {
        TextMatch::of((self.is, self.contains, self.starts_with), field)
    }
}

/// From where to where a figure may be. Both ends count; one may be left out.
#[derive(InputObject)]
pub(super) struct RangeInput {
    /// The least that is meant.
    min: Option<Given<f64>>,
    /// The most that is meant.
    max: Option<Given<f64>>,
}

impl RangeInput {
    pub(super) fn numbers(self, field: &str) -> Result<Bounds<f64>, Refusal> {
        let least = self.min.read(&format!("{field}.min"))?;
        let most = self.max.read(&format!("{field}.max"))?;
        Bounds { least, most }.checked(field)
    }

    /// The bounds in the smallest whole unit, of which there are `units` in one.
    pub(super) fn whole(self, field: &str, units: f64) -> Result<Bounds<u64>, Refusal> {
        self.numbers(field)?.whole(field, units)
    }
}

/// From one moment to another.
#[derive(InputObject)]
pub(super) struct TimeRangeInput {
    /// At this moment or later.
    from: Option<Given<Timestamp>>,
    /// Before this moment.
    to: Option<Given<Timestamp>>,
}

impl TimeRangeInput {
    pub(super) fn into_model(self, field: &str) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
        let from = self.from.read(&format!("{field}.from"))?;
        let to = self.to.read(&format!("{field}.to"))?;
        query::in_order((from, to), field)
    }
}

/// A component, or one version of it.
#[derive(InputObject)]
pub(super) struct ComponentWhere {
    /// The component: its global ID or its own.
    component_id: ID,
    /// The hash that names the version; without it any version is meant.
    version_hash: Option<String>,
}

impl ComponentWhere {
    pub(super) fn into_model(self, field: &str) -> Result<(String, Option<VersionHash>), Refusal> {
        let id = ids::read_component(&format!("{field}.componentId"), &self.component_id)?;
        let hash = |text: String| VersionHash::parse(&format!("{field}.versionHash"), &text);
        Ok((id, self.version_hash.map(hash).transpose()?))
    }
}

/// A score. All that is given must hold of the same score.
#[derive(InputObject)]
pub(super) struct ScoreWhere {
    /// What is judged: `helpfulness`.
    name: String,
    /// Who judged; absent or empty: whoever.
    sources: Option<Vec<ScoreSource>>,
    /// A number that lies between these.
    number: Option<RangeInput>,
    /// One of these words.
    categories: Option<Vec<String>>,
    /// Yes or no.
    boolean: Option<bool>,
}

impl ScoreWhere {
    pub(super) fn into_model(self, field: &str) -> Result<ScoreCondition, Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = ScoreTest::of((number, self.categories, self.boolean), field)?;
        Ok(ScoreCondition { name: self.name, sources: self.sources.unwrap_or_default(), test })
    }
}

/// An attribute, by its name: as it was sent, dots and all. With nothing but the name: it is there.
#[derive(InputObject)]
pub(super) struct AttributeWhere {
    /// Its name.
    key: String,
    /// It is this value: a text, a number or a boolean.
    is: Option<Given<Json>>,
    /// It is a text with this in it, in either case.
    contains: Option<String>,
    /// It is a number between these.
    number: Option<RangeInput>,
}

impl AttributeWhere {
    pub(super) fn into_model(self, field: &str) -> Result<(String, AttributeTest), Refusal> {
        let number = self.number.map(|range| range.numbers(&format!("{field}.number"))).transpose()?;
        let test = AttributeTest::of((self.is.read(&format!("{field}.is"))?, self.contains, number), field)?;
        Ok((self.key, test))
    }
}
