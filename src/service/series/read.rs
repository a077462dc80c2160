//! Reading series: the cells of a stretch of time, by what their traces have in common.

use std::collections::{BTreeMap, BTreeSet};

use super::Series;
use crate::{
    model::{
        Refusal, Timestamp,
        component::ComponentRef,
        series::{Cell, Dimension, Resolution, version_key},
    },
    service::ServiceResult,
    store::{
        Direction, between,
        keyspace::{self, SeriesKey},
    },
};

/// How much of the series is read at once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesLimits {
    /// Points of a series. More are no chart that anyone reads.
    pub points: usize,
    /// Cells that are read for one answer. One takes some kilobytes at most.
    pub cells: usize,
}

impl Default for SeriesLimits {
    fn default() -> Self {
        Self { points: 2_000, cells: 50_000 }
    }
}

/// Which series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Traces that started at this moment or later; the stretch that it lies in counts whole.
    pub from: Timestamp,
    /// Traces that started before this moment; the stretch that it lies in counts whole.
    pub until: Timestamp,
    /// How long the stretches are.
    pub resolution: Resolution,
    /// What the traces of a series have in common.
    pub dimension: Dimension,
    /// Only these values of it; empty: all.
    pub values: Vec<String>,
    /// Series at most: those with the most traces.
    pub first: usize,
}

/// The series of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesAnswer {
    /// The start of the first stretch.
    pub from: Timestamp,
    /// The end of the last one.
    pub until: Timestamp,
    /// The starts of all stretches.
    pub starts: Vec<Timestamp>,
    /// A series for each value, that with the most traces first.
    pub groups: Vec<GroupSeries>,
    /// Values that `first` left out.
    pub left_out: usize,
}

/// The series of one value.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSeries {
    /// The value.
    pub value: String,
    /// Its traces.
    pub traces: u64,
    /// The stretches in which there is anything, by their start.
    pub points: BTreeMap<Timestamp, Cell>,
}

impl GroupSeries {
    /// All stretches together.
    #[must_use]
    pub fn total(&self) -> Cell {
        let mut total = Cell::default();
        self.points.values().for_each(|cell| total.merge(cell));
        total
    }
}

impl Series {
    /// The series that a query means.
    ///
    /// # Errors
    /// A refusal where there are more points or cells than the limits allow, with what to ask instead.
    pub async fn read(&self, query: &SeriesQuery) -> ServiceResult<SeriesAnswer> {
        let starts = self.starts(query)?;
        let (Some(first), Some(last)) = (starts.first().copied(), starts.last().copied()) else {
            return Err(Refusal::invalid("until", "must be later than `from`").into());
        };
        let until = query.resolution.next(last).unwrap_or(query.until);
        // Without values there is one cell a stretch, which stands beside the next one.
        let cells = if query.values.is_empty() || query.dimension == Dimension::All {
            self.scan(query, first, until).await?
        } else {
            self.get(query, &starts).await?
        };
        let mut groups: BTreeMap<String, GroupSeries> = BTreeMap::new();
        for ((_, _, start, value), cell) in cells {
            let group = groups.entry(value.clone()).or_insert_with(|| GroupSeries {
                value,
                traces: 0,
                points: BTreeMap::new(),
            });
            group.traces = group.traces.saturating_add(cell.traces.count);
            group.points.insert(start, cell);
        }
        let mut groups: Vec<_> = groups.into_values().collect();
        groups.sort_by(|a, b| (b.traces, &a.value).cmp(&(a.traces, &b.value)));
        let left_out = groups.len().saturating_sub(query.first);
        groups.truncate(query.first);
        // There is a point also where there is no cell.
        let most = self.context.series.cells;
        if groups.len().saturating_mul(starts.len()) > most {
            let message = format!(
                "that is more than {most} points in all; ask for fewer series, for a coarser bucket, or for less time"
            );
            return Err(Refusal::limit("first", message).into());
        }
        Ok(SeriesAnswer { from: first, until, starts, groups, left_out })
    }

    /// What all traces count that are over, of a dimension without values.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ever(&self, dimension: Dimension) -> ServiceResult<Cell> {
        let start = Resolution::Ever.start_of(Timestamp::from_nanos(0));
        let key = (Resolution::Ever, dimension, start, String::new());
        Ok(self.context.store.get(keyspace::SERIES, &key).await?.unwrap_or_default())
    }

    /// What is counted in all of time of values of dimensions, in their order.
    ///
    /// # Errors
    /// When the store fails.
    pub(in crate::service) async fn ever_of(
        &self,
        values: Vec<(Dimension, String)>,
    ) -> ServiceResult<Vec<Cell>> {
        let start = Resolution::Ever.start_of(Timestamp::from_nanos(0));
        let key = |(dimension, value)| (Resolution::Ever, dimension, start, value);
        let keys: Vec<_> = values.into_iter().map(key).collect();
        let cells = self.context.store.get_many(keyspace::SERIES, &keys).await?;
        Ok(cells.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// What versions of components count in all of time; `None` where nothing counts.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn usage_of(&self, versions: &[ComponentRef]) -> ServiceResult<Vec<Option<Cell>>> {
        let start = Resolution::Ever.start_of(Timestamp::from_nanos(0));
        let key = |version| (Resolution::Ever, Dimension::Version, start, version_key(version));
        let keys: Vec<_> = versions.iter().map(key).collect();
        Ok(self.context.store.get_many(keyspace::SERIES, &keys).await?)
    }

    /// What versions of components count in all, or in the days from `from` on and before `until`.
    ///
    /// # Errors
    /// A refusal where there are more days than the limits allow.
    pub async fn of_versions(
        &self,
        versions: &[ComponentRef],
        from: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> ServiceResult<Vec<Cell>> {
        let values: Vec<_> = versions.iter().map(version_key).collect();
        if from.is_none() && until.is_none() {
            let cells = self.usage_of(versions).await?;
            return Ok(cells.into_iter().map(Option::unwrap_or_default).collect());
        }
        let query = SeriesQuery {
            from: from.ok_or_else(|| Refusal::invalid("from", "`until` needs `from` beside it"))?,
            until: until.unwrap_or_else(|| self.context.now()),
            resolution: Resolution::Day,
            dimension: Dimension::Version,
            values: values.clone(),
            first: usize::MAX,
        };
        let answer = self.read(&query).await?;
        let total =
            |value: &String| answer.groups.iter().find(|group| group.value == *value).map(GroupSeries::total);
        Ok(values.iter().map(|value| total(value).unwrap_or_default()).collect())
    }

    /// The starts of the stretches of a query.
    fn starts(&self, query: &SeriesQuery) -> Result<Vec<Timestamp>, Refusal> {
        let most = self.context.series.points;
        let mut starts = Vec::new();
        let mut next = Some(query.resolution.start_of(query.from));
        while let Some(start) = next.filter(|start| *start < query.until) {
            if starts.len() == most {
                let message =
                    format!("that is more than {most} points; ask for a coarser bucket, or for less time");
                return Err(Refusal::limit("bucket", message));
            }
            starts.push(start);
            next = query.resolution.next(start);
        }
        Ok(starts)
    }

    /// The cells of all values.
    async fn scan(
        &self,
        query: &SeriesQuery,
        from: Timestamp,
        until: Timestamp,
    ) -> ServiceResult<Vec<(SeriesKey, Cell)>> {
        let most = self.context.series.cells;
        let range = between(&(query.resolution, query.dimension), Some(&from), Some(&until));
        let page = self.context.store.scan(keyspace::SERIES, range, Direction::Forward, most).await?;
        if page.more {
            return Err(too_many(most).into());
        }
        Ok(page.items.into_iter().map(|found| (found.key, found.record)).collect())
    }

    /// The cells of some values.
    async fn get(&self, query: &SeriesQuery, starts: &[Timestamp]) -> ServiceResult<Vec<(SeriesKey, Cell)>> {
        let values: BTreeSet<&str> = query.values.iter().map(String::as_str).collect();
        let most = self.context.series.cells;
        if values.len().saturating_mul(starts.len()) > most {
            return Err(too_many(most).into());
        }
        let key =
            |value: &str, start: &Timestamp| (query.resolution, query.dimension, *start, value.to_owned());
        let keys: Vec<_> =
            values.iter().flat_map(|value| starts.iter().map(move |start| key(value, start))).collect();
        let cells = self.context.store.get_many(keyspace::SERIES, &keys).await?;
        Ok(keys.into_iter().zip(cells).filter_map(|(key, cell)| Some((key, cell?))).collect())
    }
}

fn too_many(most: usize) -> Refusal {
    let message = format!(
        "that would read more than {most} cells; ask for a coarser bucket, for less time, or name the values"
    );
    Refusal::limit("groupBy", message)
}
