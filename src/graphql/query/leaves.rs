//! What conditions on traces and on spans are made of.

use async_graphql::{ID, InputObject};

use super::Reading;
use crate::{
    graphql::{
        ids,
        scalar::{Given, OptionalGiven},
    },
    model::{
        Json, Refusal, Timestamp,
        component::VersionHash,
        query::{AttributeTest, Bounds, ScoreCondition, ScoreTest, TextMatch},
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
        match (self.is, self.contains, self.starts_with) {
            (Some(text), None, None) => Ok(TextMatch::Is(text)),
            (None, Some(text), None) => Ok(TextMatch::Contains(text)),
            (None, None, Some(text)) => Ok(TextMatch::StartsWith(text)),
            _ => Err(Refusal::invalid(field, "give one of `is`, `contains` and `startsWith`")),
        }
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
        let bounds = Bounds { least, most };
        if bounds.least.is_none() && bounds.most.is_none() {
            return Err(Refusal::invalid(field, "give `min`, `max` or both"));
        }
        if bounds.are_empty() {
            return Err(Refusal::invalid(format!("{field}.max"), "is less than `min`: nothing lies between"));
        }
        Ok(bounds)
    }

    /// The bounds in the smallest whole unit, of which there are `units` in one.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is checked to be a number of 64 bits or less than one"
    )]
    pub(super) fn whole(self, field: &str, units: f64) -> Result<Bounds<u64>, Refusal> {
        let Bounds { least, most } = self.numbers(field)?;
        let of = |value: f64, round: fn(f64) -> f64, end: &str| {
            let value = round(value * units);
            if (0.0..1.8e19).contains(&value) {
                Ok(value as u64)
            } else {
                Err(Refusal::invalid(
                    format!("{field}.{end}"),
                    "must be 0 or more, and no larger than any such figure",
                ))
            }
        };
        Ok(Bounds {
            least: least.map(|value| of(value, f64::ceil, "min")).transpose()?,
            most: most.map(|value| of(value, f64::floor, "max")).transpose()?,
        })
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
        if let (Some(from), Some(to)) = (from, to)
            && from >= to
        {
            return Err(Refusal::invalid(format!("{field}.to"), "must be later than `from`"));
        }
        Ok((from, to))
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
        let test = match (self.number, self.categories, self.boolean) {
            (None, None, None) => None,
            (Some(range), None, None) => Some(ScoreTest::Number(range.numbers(&format!("{field}.number"))?)),
            (None, Some(words), None) => Some(ScoreTest::Category(words)),
            (None, None, Some(wanted)) => Some(ScoreTest::Boolean(wanted)),
            _ => {
                return Err(Refusal::invalid(
                    field,
                    "give at most one of `number`, `categories` and `boolean`",
                ));
            }
        };
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
        let test = match (self.is, self.contains, self.number) {
            (None, None, None) => AttributeTest::Exists,
            (Some(value), None, None) => {
                let path = format!("{field}.is");
                let value = value.read(&path)?;
                AttributeTest::Is(value.read().map_err(|error| Refusal::invalid(path, error.to_string()))?)
            }
            (None, Some(text), None) => AttributeTest::Contains(text),
            (None, None, Some(range)) => AttributeTest::Within(range.numbers(&format!("{field}.number"))?),
            _ => return Err(Refusal::invalid(field, "give at most one of `is`, `contains` and `number`")),
        };
        Ok((self.key, test))
    }
}

/// Collects the parts of a condition that are given.
pub(super) struct Parts<C> {
    pub(super) all: Vec<C>,
}

impl<C> Parts<C> {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new() }
    }

    /// Adds a part, if it is given.
    pub(super) fn add<T>(
        &mut self,
        reading: &mut Reading<'_>,
        given: Option<T>,
        name: &str,
        read: impl FnOnce(T, &str) -> Result<C, Refusal>,
    ) -> Result<(), Refusal> {
        if let Some(given) = given {
            reading.count()?;
            self.all.push(read(given, &reading.field(name))?);
        }
        Ok(())
    }

    /// Adds a list of which one must be the case. An empty one says nothing.
    pub(super) fn one_of<T>(
        &mut self,
        reading: &mut Reading<'_>,
        given: Option<Vec<T>>,
        make: impl FnOnce(Vec<T>) -> C,
    ) -> Result<(), Refusal> {
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            reading.count()?;
            self.all.push(make(given));
        }
        Ok(())
    }
}
