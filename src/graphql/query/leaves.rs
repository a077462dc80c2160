//! What conditions on traces and on spans are made of.

use async_graphql::{ID, InputObject};

use crate::{
    graphql::{
        ids,
        scalar::{Given, OptionalGiven},
    },
    model::{Json, Refusal, Timestamp, query::Reading, score::ScoreSource},
    written::{condition as written, words::Word},
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

impl From<TextMatchInput> for written::TextMatch {
    fn from(TextMatchInput { is, contains, starts_with }: TextMatchInput) -> Self {
        Self { is, contains, starts_with }
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
    fn written(self, field: &str) -> Result<written::Range, Refusal> {
        let min = self.min.read(&format!("{field}.min"))?;
        Ok(written::Range { min, max: self.max.read(&format!("{field}.max"))? })
    }

    /// The range in a field of a condition, if there is one.
    pub(super) fn in_field(
        given: Option<Self>,
        reading: &Reading<'_>,
        name: &str,
    ) -> Result<Option<written::Range>, Refusal> {
        given.map(|range| range.written(&reading.field(name))).transpose()
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
    pub(super) fn written(self, field: &str) -> Result<written::TimeRange, Refusal> {
        let from = self.from.read(&format!("{field}.from"))?;
        let to = self.to.read(&format!("{field}.to"))?;
        Ok(written::TimeRange { from: from.map(Into::into), to: to.map(Into::into) })
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
    pub(super) fn written(self, field: &str) -> Result<written::ComponentWhere, Refusal> {
        let component_id = ids::read_component(&format!("{field}.componentId"), &self.component_id)?;
        Ok(written::ComponentWhere { component_id, version_hash: self.version_hash })
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
    pub(super) fn written(self, field: &str) -> Result<written::ScoreWhere, Refusal> {
        let number = self.number.map(|range| range.written(&format!("{field}.number"))).transpose()?;
        let Self { name, sources, categories, boolean, .. } = self;
        Ok(written::ScoreWhere { name, sources: as_words(sources), number, categories, boolean })
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
    pub(super) fn written(self, field: &str) -> Result<written::AttributeWhere, Refusal> {
        let number = self.number.map(|range| range.written(&format!("{field}.number"))).transpose()?;
        let is = self.is.read(&format!("{field}.is"))?;
        let Self { key, contains, .. } = self;
        Ok(written::AttributeWhere { key, is: is.map(Into::into), contains, number })
    }
}

/// Words as a condition has them.
pub(super) fn as_words<V>(given: Option<Vec<V>>) -> Option<Vec<Word<V>>> {
    given.map(|given| given.into_iter().map(Word).collect())
}

/// Conditions inside of another one, each with its place.
pub(super) fn each<T, U>(
    given: Option<Vec<T>>,
    reading: &mut Reading<'_>,
    name: &str,
    written: impl Fn(T, &mut Reading<'_>) -> Result<U, Refusal>,
) -> Result<Option<Vec<U>>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    let places = given.into_iter().enumerate();
    let inner = places.map(|(index, one)| written(one, &mut reading.below(&format!("{name}.{index}"))?));
    inner.collect::<Result<_, _>>().map(Some)
}

/// A condition inside of another one.
pub(super) fn inner<T, U>(
    given: Option<T>,
    reading: &mut Reading<'_>,
    name: &str,
    written: impl FnOnce(T, &mut Reading<'_>) -> Result<U, Refusal>,
) -> Result<Option<U>, Refusal> {
    given.map(|one| written(one, &mut reading.below(name)?)).transpose()
}
