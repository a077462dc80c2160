//! What versions come to, alone and against each other.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::{Measure, ScoreMeasure};
use crate::{
    graphql::{
        agent,
        component::{ComponentDiff, ComponentVersion},
        error::Result,
        ids, request,
        scalar::{BigInt, Given, OptionalGiven},
    },
    model::{
        self, Refusal, Timestamp,
        component::VersionSelector,
        evaluation::ComparisonOutcome,
        series::{self, Cell, ComparedFigure, IntervalMethod},
    },
    service::ServiceError,
};

/// What the uses of a version come to.
#[derive(Clone)]
pub(in crate::graphql) struct VersionUsage {
    of: String,
    cell: Cell,
}

impl VersionUsage {
    pub(in crate::graphql) fn new(of: &str, cell: Cell) -> Self {
        Self { of: of.to_owned(), cell }
    }
}

/// What a version of a component comes to in the traces that are over. It counts them a second or so after their end.
#[Object]
impl VersionUsage {
    /// Tells usages apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("usage {}", self.of))
    }

    /// Its uses: spans that name it and stand below no other that does. Tokens and cost are those of a use and of
    /// everything below it.
    async fn uses(&self) -> Measure<'_> {
        Measure::new(format!("{} uses", self.of), &self.cell.spans)
    }

    /// The traces that used it, as a whole.
    async fn traces(&self) -> Measure<'_> {
        Measure::new(format!("{} traces", self.of), &self.cell.traces)
    }

    /// Scores of those traces and of their spans, by name.
    async fn scores(&self) -> Vec<ScoreMeasure<'_>> {
        ScoreMeasure::all(&self.of, &self.cell)
    }
}

/// A version of a component: by its hash, or by a label, or else the one registered last that is not retired.
#[derive(InputObject)]
pub(super) struct VersionChoiceInput {
    /// The component: its global ID or its own.
    component_id: ID,
    /// The hash that names the version.
    version_hash: Option<String>,
    /// A label that points at the version.
    label: Option<String>,
}

impl VersionChoiceInput {
    fn into_model(self) -> Result<(String, VersionSelector), Refusal> {
        let id = ids::read_component("componentId", &self.component_id)?;
        Ok((id, agent::version(self.version_hash, self.label)?))
    }

    /// The version, if it is there.
    async fn find(
        self,
        ctx: &Context<'_>,
        field: &str,
    ) -> Result<Option<model::component::ComponentVersion>> {
        let (id, selector) = self.into_model().map_err(|refusal| refusal.below(field))?;
        let components = &request::of(ctx)?.services.components;
        match components.resolve(&id, &selector).await {
            Err(ServiceError::Refused(Refusal::NotFound { .. })) => Ok(None),
            found => Ok(Some(found.map_err(|error| error.below(field))?)),
        }
    }
}

/// Compares what two versions come to.
pub(super) async fn compare(
    ctx: &Context<'_>,
    (a, b): (VersionChoiceInput, VersionChoiceInput),
    (from, until): (Option<Given<Timestamp>>, Option<Given<Timestamp>>),
) -> Result<Option<VersionComparison>> {
    let (from, until) = (from.read("from")?, until.read("until")?);
    let (Some(a), Some(b)) = (a.find(ctx, "a").await?, b.find(ctx, "b").await?) else { return Ok(None) };
    if a.component_id == b.component_id && a.version_hash == b.version_hash {
        return Err(Refusal::invalid("b", "is the same version as `a`: there is nothing to compare").into());
    }
    let of = |version: &model::component::ComponentVersion| model::component::ComponentRef {
        component_id: version.component_id.clone(),
        version_hash: version.version_hash,
    };
    let services = &request::of(ctx)?.services;
    let mut cells = services.series.of_versions(&[of(&a), of(&b)], from, until).await?.into_iter();
    let (cell_a, cell_b) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
    let name = format!("{:?} {:?} {from:?} {until:?}", of(&a), of(&b));
    Ok(Some(VersionComparison { name, a, b, cell_a, cell_b }))
}

/// Two versions against each other.
pub(super) struct VersionComparison {
    name: String,
    a: model::component::ComponentVersion,
    b: model::component::ComponentVersion,
    cell_a: Cell,
    cell_b: Cell,
}

/// Two versions against each other, by what they come to in the traces that are over. The traces are not assigned by
/// chance: a difference tells that they went differently, not why.
#[Object]
impl VersionComparison {
    /// Tells comparisons apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("comparison {}", self.name))
    }

    /// The one version.
    async fn a(&self) -> ComponentVersion {
        self.a.clone().into()
    }

    /// What it comes to.
    async fn usage_a(&self) -> VersionUsage {
        VersionUsage::new(&format!("{} a", self.name), self.cell_a.clone())
    }

    /// The other version.
    async fn b(&self) -> ComponentVersion {
        self.b.clone().into()
    }

    /// What that comes to.
    async fn usage_b(&self) -> VersionUsage {
        VersionUsage::new(&format!("{} b", self.name), self.cell_b.clone())
    }

    /// Every figure that one of them has, with its difference: `a` minus `b`.
    async fn differences(&self) -> Vec<VersionDifference> {
        let compared = series::compare(&self.cell_a, &self.cell_b).into_iter();
        compared.map(|difference| VersionDifference::new(&self.name, difference)).collect()
    }

    /// What differs in their definitions, from `b` to `a`; null where they are of two components.
    async fn diff(&self, ctx: &Context<'_>) -> Result<Option<ComponentDiff>> {
        if self.a.component_id != self.b.component_id {
            return Ok(None);
        }
        let components = &request::of(ctx)?.services.components;
        let diff = components.diff(&self.a.component_id, self.b.version_hash, self.a.version_hash).await?;
        Ok(Some(ComponentDiff::new(diff)))
    }
}

/// One side of a difference.
#[derive(SimpleObject)]
struct ComparedSide {
    /// Tells sides apart.
    id: ID,
    /// Values behind it.
    count: BigInt,
    /// The mean, or the rate; null where there is nothing.
    value: Option<f64>,
    /// The sample standard deviation of a mean; null of a rate, and below two values.
    standard_deviation: Option<f64>,
}

/// A figure of two versions.
#[derive(SimpleObject)]
struct VersionDifference {
    /// Tells differences apart.
    id: ID,
    /// The figure.
    figure: ComparedFigure,
    /// The name of the score that it is of; null of other figures.
    score_name: Option<String>,
    /// Of the one version.
    a: ComparedSide,
    /// Of the other.
    b: ComparedSide,
    /// How much higher `a` is; null where a side has no value.
    difference: Option<f64>,
    /// How much higher `a` is, as a part of `b`: 0.1 is a tenth more. Null where `b` has no value, or is 0.
    relative: Option<f64>,
    /// Where the true difference begins, with a confidence of 95 %; null where there is too little data.
    low: Option<f64>,
    /// Where the true difference ends, with a confidence of 95 %; null where there is too little data.
    high: Option<f64>,
    /// How the interval is made.
    method: IntervalMethod,
    /// What it shows. `NOT_ENOUGH_DATA` below 10 values on a side, and where no side has any spread.
    outcome: ComparisonOutcome,
}

impl VersionDifference {
    fn new(of: &str, difference: series::Difference) -> Self {
        let series::Difference { figure, score, a, b, difference, relative, interval, method, outcome } =
            difference;
        let name = format!("{of} {figure} {score:?}");
        let side = |which: &str, side: series::Side| ComparedSide {
            id: ids::of_content(&format!("{name} {which}")),
            count: BigInt(side.count),
            value: side.value,
            standard_deviation: side.deviation,
        };
        Self {
            id: ids::of_content(&name),
            figure,
            score_name: score,
            a: side("a", a),
            b: side("b", b),
            difference,
            relative,
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            method,
            outcome,
        }
    }
}
