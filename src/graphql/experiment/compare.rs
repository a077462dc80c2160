//! Two experiments side by side.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{Experiment, item::ExperimentItem};
use crate::{
    graphql::{
        dataset::DatasetItem,
        error::Result,
        ids,
        page::{self, Connection, Listed},
        request,
        scalar::{Given, PlainId, int},
    },
    model::{
        self, Refusal,
        experiment::{Comparison, Measure, Pair, PairMeasure, Presence},
        page::{Cursor, ListId, Page, PageRequest},
        stats::{Interval, paired::PairedVerdict},
    },
};

/// Two experiments over the same dataset, side by side.
pub(super) struct ExperimentComparison {
    a: Experiment,
    b: Experiment,
    comparison: Comparison,
}

impl ExperimentComparison {
    pub(super) fn new(a: Experiment, b: Experiment, comparison: Comparison) -> Self {
        Self { a, b, comparison }
    }

    /// Tells parts of comparisons apart in client caches.
    fn part(&self, name: &str, number: usize) -> ID {
        ids::part(&self.a.global_id(), &format!("with {} {name}", self.b.0.id), number)
    }

    fn count(&self, presence: Presence) -> i32 {
        int(self.comparison.pairs.iter().filter(|pair| pair.presence == presence).count())
    }
}

/// Two experiments over the same dataset, side by side, item by item. An item that was changed between their versions of
/// the dataset is another to each of them. What is repeated counts once, by its mean. Differences are `a` minus `b`.
#[Object]
impl ExperimentComparison {
    /// Tells comparisons apart in client caches.
    async fn id(&self) -> ID {
        self.part("all", 0)
    }

    /// The first.
    async fn a(&self) -> &Experiment {
        &self.a
    }

    /// The second.
    async fn b(&self) -> &Experiment {
        &self.b
    }

    /// Items that both have run.
    async fn shared_count(&self) -> i32 {
        self.count(Presence::Both)
    }

    /// Items that only the first has run.
    async fn only_in_a_count(&self) -> i32 {
        self.count(Presence::OnlyA)
    }

    /// Items that only the second has run.
    async fn only_in_b_count(&self) -> i32 {
        self.count(Presence::OnlyB)
    }

    /// What each measure shows over the items that both have.
    async fn differences(&self) -> Vec<MeasureDifference> {
        let differences = self.comparison.differences.iter().enumerate();
        let one = |(number, difference): (usize, &model::experiment::MeasureDifference)| MeasureDifference {
            id: self.part("difference", number),
            measure: (&difference.measure).into(),
            name: name_of(&difference.measure),
            pair_count: int(difference.paired.pairs),
            mean_a: difference.paired.mean_a,
            mean_b: difference.paired.mean_b,
            difference: difference.paired.difference,
            interval: difference.paired.interval.map(Into::into),
            verdict: difference.paired.verdict,
        };
        differences.map(one).collect()
    }

    /// The items with what came of them in either, in the dataset's order.
    fn pairs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Items of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which items.")] filter: Option<ExperimentPairFilter>,
    ) -> Result<Connection<ExperimentPair>> {
        let request = page::request(first, after, request::of(ctx)?.limits.most)?;
        let filter = filter.unwrap_or_default();
        let pairs = self.comparison.pairs.iter().enumerate().filter(|(_, pair)| filter.matches(pair));
        let pairs: Vec<_> = pairs.collect();
        let total = pairs.len() as u64;
        let pair = |(number, pair): &(usize, &Pair)| ExperimentPair::new(self.part("pair", *number), pair);
        let page = page_of(self.list(&filter), &pairs, &request, pair)?;
        Ok(Connection::new(page, &request, Some(total)))
    }
}

impl ExperimentComparison {
    fn list(&self, filter: &ExperimentPairFilter) -> ListId {
        let ExperimentPairFilter { presence, better, measure, score } = filter;
        let (a, b) = (self.a.0.id, self.b.0.id);
        ListId::of(&format!("pairs of {a} and {b} {presence:?} {better:?} {measure:?} {score:?}"))
    }
}

/// A page of pairs that are at hand. A cursor is the number of the pair, which stays as more come to be: so it is found
/// where it is, or where it would be.
fn page_of(
    list: ListId,
    pairs: &[(usize, &Pair)],
    request: &PageRequest,
    show: impl Fn(&(usize, &Pair)) -> ExperimentPair,
) -> Result<Page<ExperimentPair>, Refusal> {
    let key = |pair: &Pair| [pair.item.place.to_be_bytes(), pair.item.since.to_be_bytes()].concat();
    let start = match &request.after {
        None => 0,
        Some(cursor) => {
            let reached = Cursor::decode(list, cursor)?;
            pairs.partition_point(|(_, pair)| key(pair) <= reached)
        }
    };
    let shown = pairs.get(start..).unwrap_or_default();
    let has_next = shown.len() > request.first;
    let items = shown.iter().take(request.first).map(|pair| (Cursor::new(list, &key(pair.1)), show(pair)));
    let items: Vec<_> = items.collect();
    let end = items.last().map(|(cursor, _)| cursor.clone());
    Ok(Page { items, has_next, end })
}

/// Which items. All that is given must hold.
#[derive(Default, InputObject)]
pub(super) struct ExperimentPairFilter {
    /// That these of the two have run.
    presence: Option<Presence>,
    /// In which this side is better, by `measure`.
    better: Option<ExperimentSide>,
    /// What `better` goes by; scores, where nothing is said.
    #[graphql(default_with = "ExperimentMeasure::Score")]
    measure: ExperimentMeasure,
    /// The name of the score, where `better` goes by scores; without it any.
    score: Option<String>,
}

impl ExperimentPairFilter {
    fn matches(&self, pair: &Pair) -> bool {
        let is_meant = |measured: &&PairMeasure| {
            ExperimentMeasure::from(&measured.measure) == self.measure
                && self.score.as_ref().is_none_or(|score| name_of(&measured.measure).as_ref() == Some(score))
        };
        self.presence.is_none_or(|presence| presence == pair.presence)
            && self.better.is_none_or(|side| {
                pair.measures.iter().filter(is_meant).any(|measured| better(measured) == Some(side))
            })
    }
}

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum ExperimentSide {
    /// The first.
    A,
    /// The second.
    B,
}

/// What is measured of runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Enum)]
enum ExperimentMeasure {
    /// Judgements of one name: numbers, or the share of yes. More is taken to be better. Words are not compared.
    #[default]
    Score,
    /// The share of runs that failed. Less is better.
    ErrorRate,
    /// Milliseconds of runs that gave an answer. Less is better.
    LatencyMs,
    /// Tokens read and written. Less is better.
    Tokens,
    /// US dollars, where they are known. Less is better.
    CostUsd,
}

impl From<&Measure> for ExperimentMeasure {
    fn from(measure: &Measure) -> Self {
        match measure {
            Measure::Score(..) => Self::Score,
            Measure::Errors => Self::ErrorRate,
            Measure::Latency => Self::LatencyMs,
            Measure::Tokens => Self::Tokens,
            Measure::Cost => Self::CostUsd,
        }
    }
}

fn name_of(measure: &Measure) -> Option<String> {
    match measure {
        Measure::Score(name, _) => Some(name.clone()),
        _ => None,
    }
}

fn better(measured: &PairMeasure) -> Option<ExperimentSide> {
    let gain = measured.gain()?;
    if gain > 0.0 { Some(ExperimentSide::A) } else { (gain < 0.0).then_some(ExperimentSide::B) }
}

/// What a measure shows over the items that both have. The interval is Student's t of the differences of pairs.
#[derive(SimpleObject)]
struct MeasureDifference {
    /// Tells differences apart in client caches.
    id: ID,
    /// What was measured.
    measure: ExperimentMeasure,
    /// The name of the score; null of what is none.
    name: Option<String>,
    /// Items of which it is known in both.
    pair_count: i32,
    /// The mean of the first, over those items; null where there are none.
    mean_a: Option<f64>,
    /// The mean of the second, over those items; null where there are none.
    mean_b: Option<f64>,
    /// How much higher the mean of the first is; null where there are no pairs.
    difference: Option<f64>,
    /// Where the true difference is, with 95 % confidence; null with fewer than six pairs, and where all pairs differ by
    /// the same.
    interval: Option<DifferenceInterval>,
    /// Which is better.
    verdict: PairedVerdict,
}

/// A range that holds the true value with 95 % confidence.
#[derive(SimpleObject)]
struct DifferenceInterval {
    /// Its lower end.
    low: f64,
    /// Its upper end.
    high: f64,
}

impl From<Interval> for DifferenceInterval {
    fn from(Interval { low, high }: Interval) -> Self {
        Self { low, high }
    }
}

/// An item with what came of it in either experiment.
pub(super) struct ExperimentPair {
    id: ID,
    pair: Pair,
}

impl ExperimentPair {
    fn new(id: ID, pair: &Pair) -> Self {
        Self { id, pair: pair.clone() }
    }
}

/// An item with what came of it in either experiment.
#[Object]
impl ExperimentPair {
    /// Tells pairs apart in client caches.
    async fn id(&self) -> &ID {
        &self.id
    }

    /// The ID of the item.
    async fn item_id(&self) -> Option<PlainId> {
        let run = self.pair.runs_a.first().or(self.pair.runs_b.first());
        run.map(|run| PlainId(run.item_id.uuid()))
    }

    /// The item as it was run; null where its dataset was deleted.
    async fn item(&self, ctx: &Context<'_>) -> Result<Option<DatasetItem>> {
        DatasetItem::load_at(ctx, self.pair.item).await
    }

    /// Which of the two have run it.
    async fn presence(&self) -> Presence {
        self.pair.presence
    }

    /// Its runs in the first.
    async fn runs_in_a(&self) -> Vec<ExperimentItem> {
        self.pair.runs_a.iter().cloned().map(ExperimentItem::from).collect()
    }

    /// Its runs in the second.
    async fn runs_in_b(&self) -> Vec<ExperimentItem> {
        self.pair.runs_b.iter().cloned().map(ExperimentItem::from).collect()
    }

    /// What was measured of it in either.
    async fn measures(&self) -> Vec<PairMeasureEntry> {
        let entry = |measured: &PairMeasure| PairMeasureEntry {
            measure: (&measured.measure).into(),
            name: name_of(&measured.measure),
            a: measured.a,
            b: measured.b,
            better: better(measured),
        };
        self.pair.measures.iter().map(entry).collect()
    }
}

/// A figure of one item in both experiments.
#[derive(SimpleObject)]
#[graphql(name = "PairMeasure")]
struct PairMeasureEntry {
    /// What was measured.
    measure: ExperimentMeasure,
    /// The name of the score; null of what is none.
    name: Option<String>,
    /// The mean over its runs in the first; null where it is not known.
    a: Option<f64>,
    /// The mean over its runs in the second; null where it is not known.
    b: Option<f64>,
    /// Which is better; null where they are alike, or one is not known.
    better: Option<ExperimentSide>,
}

impl Listed for ExperimentPair {
    const CONNECTION: &'static str = "ExperimentPairConnection";
    const EDGE: &'static str = "ExperimentPairEdge";
}

/// The comparison that two IDs name.
pub(super) async fn compare(ctx: &Context<'_>, a: &ID, b: &ID) -> Result<ExperimentComparison> {
    let (a, b) = (ids::read("a", a)?, ids::read("b", b)?);
    let (a, b, comparison) = request::of(ctx)?.services.experiments.compare(a, b).await?;
    Ok(ExperimentComparison::new(a.into(), b.into(), comparison))
}
