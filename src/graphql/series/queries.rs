//! The root of charts.

use std::{borrow::Cow, sync::LazyLock};

use async_graphql::{Context, Enum, ID, InputObject, Object};

use super::{
    Measure, ScoreMeasure,
    versions::{self, VersionChoiceInput, VersionComparison},
};
use crate::{
    graphql::{
        error::Result,
        ids, page, request,
        scalar::{DateTime, Given, int},
    },
    model::{
        Refusal, Timestamp,
        series::{self as series_model, Cell, Dimension, Resolution},
    },
    service::series::{self, GroupSeries, SeriesAnswer},
};

/// How long the stretches of time are that a chart's points stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum SeriesBucket {
    /// Five minutes.
    FiveMinutes,
    /// An hour.
    Hour,
    /// A day in UTC.
    Day,
}

impl From<SeriesBucket> for Resolution {
    fn from(bucket: SeriesBucket) -> Self {
        match bucket {
            SeriesBucket::FiveMinutes => Self::FiveMinutes,
            SeriesBucket::Hour => Self::Hour,
            SeriesBucket::Day => Self::Day,
        }
    }
}

/// Which series.
#[derive(InputObject)]
struct TimeSeriesInput {
    /// Traces that started at this moment or later. The stretch that it lies in counts whole.
    from: Given<Timestamp>,
    /// Traces that started before this moment; now where it is absent. The stretch that it lies in counts whole.
    until: Option<Given<Timestamp>>,
    /// How long the stretches of time are.
    bucket: SeriesBucket,
    /// A series for each value of this.
    #[graphql(default_with = "Dimension::All")]
    group_by: Dimension,
    /// Only these values: models, operation types, component IDs, versions (`component@hash`), users, tags or
    /// tools. Absent: all.
    values: Option<Vec<String>>,
    /// Series at most: those with the most traces.
    #[graphql(default_with = "page::default_first()")]
    first: Option<Given<i32>>,
}

/// Charts.
#[derive(Default)]
pub(in crate::graphql) struct SeriesQuery;

/// See [`SeriesQuery`].
#[Object]
impl SeriesQuery {
    /// What traces add up to over time: counts, failures, latency, tokens, cost and scores, in all or by what they
    /// have in common. A trace counts once it is over, within a second or so, in the stretch of time in which it
    /// started; it counts anew when more of it comes.
    async fn time_series(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which series.")] input: TimeSeriesInput,
    ) -> Result<TimeSeries> {
        let data = request::of(ctx)?;
        let TimeSeriesInput { from, until, bucket, group_by, values, first } = input;
        let from = from.read("input.from")?;
        let until = match until {
            Some(until) => until.read("input.until")?,
            None => data.services.series.now(),
        };
        let first =
            page::request(first, None, data.limits.most).map_err(|refusal| refusal.below("input"))?.first;
        let values = values.unwrap_or_default();
        if group_by == Dimension::All && !values.is_empty() {
            return Err(Refusal::invalid("input.values", "says nothing without `groupBy`").into());
        }
        let query = series::SeriesQuery {
            from,
            until,
            resolution: bucket.into(),
            dimension: group_by,
            values,
            first,
        };
        let answer = data.services.series.read(&query).await.map_err(|error| error.below("input"))?;
        Ok(TimeSeries { of: format!("{query:?}"), group_by, answer })
    }

    /// Two versions against each other, of one component or of two: how their uses, and the traces with them, went. Null
    /// where one of them is not there.
    async fn compare_versions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The one version.")] a: VersionChoiceInput,
        #[graphql(desc = "The other version.")] b: VersionChoiceInput,
        #[graphql(desc = "Only traces that started on this moment's day in UTC, or later.")] from: Option<
            Given<Timestamp>,
        >,
        #[graphql(desc = "Only traces that started on a day before this moment; needs `from`.")]
        until: Option<Given<Timestamp>>,
    ) -> Result<Option<VersionComparison>> {
        versions::compare(ctx, (a, b), (from, until)).await
    }
}

/// Series over time.
pub(in crate::graphql) struct TimeSeries {
    of: String,
    group_by: Dimension,
    answer: SeriesAnswer,
}

/// Series over time.
#[Object]
impl TimeSeries {
    /// Tells answers apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("series {}", self.of))
    }

    /// The start of the first stretch of time.
    async fn from(&self) -> DateTime {
        DateTime(self.answer.from)
    }

    /// The end of the last stretch of time.
    async fn until(&self) -> DateTime {
        DateTime(self.answer.until)
    }

    /// By what there is a series each.
    async fn grouped_by(&self) -> Dimension {
        self.group_by
    }

    /// The series, that with the most traces first.
    async fn groups(&self) -> Vec<SeriesGroup<'_>> {
        self.answer.groups.iter().map(|group| SeriesGroup { answer: self, group }).collect()
    }

    /// How many series `first` left out.
    async fn left_out_count(&self) -> i32 {
        int(self.answer.left_out)
    }
}

/// One series.
struct SeriesGroup<'a> {
    answer: &'a TimeSeries,
    group: &'a GroupSeries,
}

impl SeriesGroup<'_> {
    fn name(&self) -> String {
        format!("{} {}", self.answer.of, self.group.value)
    }
}

/// The series of one value.
#[Object]
impl SeriesGroup<'_> {
    /// Tells series apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("group {}", self.name()))
    }

    /// What its traces have in common; empty where all are counted together.
    async fn value(&self) -> &str {
        &self.group.value
    }

    /// All stretches together.
    async fn total(&self) -> SeriesPoint<'_> {
        SeriesPoint {
            of: self.name(),
            start: self.answer.answer.from,
            cell: Some(Cow::Owned(self.group.total())),
        }
    }

    /// A point for each stretch of time, also where there is nothing.
    async fn points(&self) -> Vec<SeriesPoint<'_>> {
        let of = self.name();
        let point = |start: &Timestamp| SeriesPoint {
            of: format!("{of} {start}"),
            start: *start,
            cell: self.group.points.get(start).map(Cow::Borrowed),
        };
        self.answer.answer.starts.iter().map(point).collect()
    }
}

/// What is counted where nothing is.
static NOTHING: LazyLock<series_model::Measure> = LazyLock::new(series_model::Measure::default);

/// One stretch of time.
struct SeriesPoint<'a> {
    of: String,
    start: Timestamp,
    cell: Option<Cow<'a, Cell>>,
}

/// What is counted in one stretch of time.
#[Object]
impl SeriesPoint<'_> {
    /// Tells points apart.
    async fn id(&self) -> ID {
        ids::of_content(&format!("point {}", self.of))
    }

    /// When it starts.
    async fn start(&self) -> DateTime {
        DateTime(self.start)
    }

    /// The traces that started in it and have to do with the series' value: as a whole.
    async fn traces(&self) -> Measure<'_> {
        Measure::new(format!("{} traces", self.of), self.cell.as_ref().map_or(&NOTHING, |cell| &cell.traces))
    }

    /// The spans of those traces that have to do with the series' value. Tokens and cost count where they were spent,
    /// so that nothing counts twice; of components and versions, those of everything below their uses.
    async fn spans(&self) -> Measure<'_> {
        Measure::new(format!("{} spans", self.of), self.cell.as_ref().map_or(&NOTHING, |cell| &cell.spans))
    }

    /// Scores of those traces and of their spans, by name.
    async fn scores(&self) -> Vec<ScoreMeasure<'_>> {
        self.cell.as_ref().map(|cell| ScoreMeasure::all(&self.of, cell)).unwrap_or_default()
    }
}
