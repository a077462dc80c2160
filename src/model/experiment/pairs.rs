//! Two experiments side by side, item by item.
//!
//! Only items that stand alike in both are pairs: one that was changed between two versions of the dataset asks
//! something else, and stands alone on either side. What is repeated counts once, by its mean: the runs of one item
//! are no independent evidence.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ExperimentItem, ItemStatus, RunFigures, ScoreKind,
    figures::{float, kind, numeric},
};
use crate::model::{
    dataset::ItemState,
    ledger::NanoUsd,
    stats::paired::{Direction, Paired, mean, paired},
    words::words,
};

/// Something that is measured of runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// Judgements of this name: numbers, or the share of yes.
    Score(String, ScoreKind),
    /// The share of runs that failed.
    Errors,
    /// Milliseconds of runs that gave an answer.
    Latency,
    /// Tokens read and written.
    Tokens,
    /// US dollars, where they are known.
    Cost,
}

impl Measure {
    /// Which end is the better one. Of scores it is taken to be the higher one.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self {
            Self::Score(..) => Direction::Higher,
            Self::Errors | Self::Latency | Self::Tokens | Self::Cost => Direction::Lower,
        }
    }
}

words! {
    /// One of two that are compared.
    Presence {
        /// Both have it.
        Both = 1 "BOTH",
        /// Only the first has it.
        OnlyA = 2 "ONLY_A",
        /// Only the second has it.
        OnlyB = 3 "ONLY_B",
    }
}

/// The runs of one item that are over, with their figures.
#[derive(Debug, Clone, Default)]
pub struct ItemFigures {
    /// The runs, the first repetition first.
    pub runs: Vec<ExperimentItem>,
    figures: BTreeMap<Measure, Vec<f64>>,
}

impl ItemFigures {
    /// Adds a run. One that goes on or was stopped is shown, and counts for nothing.
    pub fn add(&mut self, run: ExperimentItem, figures: &RunFigures) {
        let status = run.status;
        self.runs.push(run);
        let failed = match status {
            ItemStatus::Completed => 0.0,
            ItemStatus::Failed => 1.0,
            ItemStatus::Running | ItemStatus::Cancelled => return,
        };
        self.note(Measure::Errors, Some(failed));
        if status == ItemStatus::Completed {
            self.note(Measure::Latency, figures.duration_nanos.map(|nanos| float(nanos) / 1e6));
        }
        self.note(Measure::Tokens, figures.tokens.map(float));
        self.note(Measure::Cost, figures.cost.map(NanoUsd::dollars));
        for (name, value) in &figures.scores {
            self.note(Measure::Score(name.clone(), kind(value)), numeric(value));
        }
    }

    fn note(&mut self, measure: Measure, figure: Option<f64>) {
        if let Some(figure) = figure {
            self.figures.entry(measure).or_default().push(figure);
        }
    }

    fn mean(&self, measure: &Measure) -> Option<f64> {
        mean(self.figures.get(measure)?.iter().copied())
    }
}

/// The items of an experiment with their figures.
pub type Sheet = BTreeMap<ItemState, ItemFigures>;

/// An item, with what came of it in either experiment.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The item.
    pub item: ItemState,
    /// Which of the two have it.
    pub presence: Presence,
    /// Its runs in the first.
    pub runs_a: Vec<ExperimentItem>,
    /// Its runs in the second.
    pub runs_b: Vec<ExperimentItem>,
    /// What was measured of it in either.
    pub measures: Vec<PairMeasure>,
}

/// A figure of one item in both experiments.
#[derive(Debug, Clone, PartialEq)]
pub struct PairMeasure {
    /// What was measured.
    pub measure: Measure,
    /// The mean over its runs in the first; `None` where it is not known.
    pub a: Option<f64>,
    /// The mean over its runs in the second; `None` where it is not known.
    pub b: Option<f64>,
}

impl PairMeasure {
    /// How much better the first is than the second: below 0 where it is worse. `None` where one is not known.
    #[must_use]
    pub fn gain(&self) -> Option<f64> {
        let difference = self.a? - self.b?;
        Some(match self.measure.direction() {
            Direction::Higher => difference,
            Direction::Lower => -difference,
        })
    }
}

/// What a measure shows over all items that both have.
#[derive(Debug, Clone)]
pub struct MeasureDifference {
    /// What was measured.
    pub measure: Measure,
    /// What the pairs show.
    pub paired: Paired,
}

/// Two experiments side by side.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// All items of either, in the dataset's order.
    pub pairs: Vec<Pair>,
    /// What each measure shows.
    pub differences: Vec<MeasureDifference>,
}

/// Puts two experiments side by side.
#[must_use]
pub fn compare(mut a: Sheet, mut b: Sheet) -> Comparison {
    let states: BTreeSet<_> = a.keys().chain(b.keys()).copied().collect();
    let pair = |state| {
        let (a, b) = (a.remove(&state), b.remove(&state));
        let presence = match (&a, &b) {
            (Some(_), None) => Presence::OnlyA,
            (None, Some(_)) => Presence::OnlyB,
            _ => Presence::Both,
        };
        pair_of(state, presence, (a.unwrap_or_default(), b.unwrap_or_default()))
    };
    let pairs: Vec<_> = states.into_iter().map(pair).collect();
    let mut columns: BTreeMap<&Measure, Vec<(f64, f64)>> = BTreeMap::new();
    for measured in pairs.iter().flat_map(|pair| &pair.measures) {
        let column = columns.entry(&measured.measure).or_default();
        column.extend(measured.a.zip(measured.b));
    }
    let differences = columns.into_iter().map(|(measure, column)| MeasureDifference {
        measure: measure.clone(),
        paired: paired(&column, measure.direction()),
    });
    let differences = differences.collect();
    Comparison { pairs, differences }
}

fn pair_of(item: ItemState, presence: Presence, (a, b): (ItemFigures, ItemFigures)) -> Pair {
    let measures: BTreeSet<_> = a.figures.keys().chain(b.figures.keys()).collect();
    let measure =
        |measure: &Measure| PairMeasure { measure: measure.clone(), a: a.mean(measure), b: b.mean(measure) };
    let measures = measures.into_iter().map(measure).collect();
    Pair { item, presence, runs_a: a.runs, runs_b: b.runs, measures }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        DatasetId, DatasetItemId, ExperimentId, Timestamp, TraceId, score::ScoreValue,
        stats::paired::PairedVerdict,
    };

    fn state(place: u64, since: u64) -> ItemState {
        ItemState { dataset_id: DatasetId::from_bytes([1; 16]), place, since }
    }

    fn run(item: ItemState, repetition: u32, status: ItemStatus) -> ExperimentItem {
        ExperimentItem {
            experiment_id: ExperimentId::from_bytes([2; 16]),
            item_id: DatasetItemId::from_bytes([3; 16]),
            item,
            repetition,
            status,
            attempt: 1,
            trace_id: TraceId::from_bytes([4; 16]),
            output_preview: None,
            error: None,
            evaluator_errors: Vec::new(),
            started_at: Timestamp::from_nanos(0),
            ended_at: None,
            revision: 1,
        }
    }

    fn scored(number: f64) -> RunFigures {
        let scores = vec![("right".to_owned(), ScoreValue::Number(number))];
        RunFigures { duration_nanos: Some(2_000_000), scores, ..RunFigures::default() }
    }

    fn sheet(items: &[(ItemState, &[f64])]) -> Sheet {
        let mut sheet = Sheet::new();
        for (item, scores) in items {
            for (repetition, score) in (1..).zip(*scores) {
                let run = run(*item, repetition, ItemStatus::Completed);
                sheet.entry(*item).or_default().add(run, &scored(*score));
            }
        }
        sheet
    }

    #[test]
    fn items_that_stand_alike_are_pairs_and_repetitions_count_once() {
        let a = sheet(&[(state(0, 1), &[0.0, 1.0]), (state(1, 1), &[1.0]), (state(2, 1), &[1.0])]);
        let b = sheet(&[(state(0, 1), &[1.0]), (state(1, 2), &[0.0])]);
        let Comparison { pairs, differences } = compare(a, b);
        let found: Vec<_> =
            pairs.iter().map(|pair| (pair.item.place, pair.item.since, pair.presence)).collect();
        assert_eq!(
            found,
            [
                (0, 1, Presence::Both),
                (1, 1, Presence::OnlyA),
                (1, 2, Presence::OnlyB),
                (2, 1, Presence::OnlyA)
            ]
        );
        let score = differences.iter().find(|it| matches!(it.measure, Measure::Score(..))).unwrap();
        assert_eq!((score.paired.pairs, score.paired.difference), (1, Some(-0.5)));
        assert_eq!(score.paired.verdict, PairedVerdict::NotEnoughData);
        assert_eq!(
            pairs[0].measures.iter().filter_map(PairMeasure::gain).collect::<Vec<_>>(),
            [-0.5, 0.0, 0.0]
        );
    }

    #[test]
    fn failures_count_as_errors_and_have_no_latency() {
        let mut failed = ItemFigures::default();
        failed.add(run(state(0, 1), 1, ItemStatus::Failed), &scored(0.0));
        failed.add(run(state(0, 1), 2, ItemStatus::Running), &scored(0.0));
        assert_eq!(failed.runs.len(), 2);
        assert_eq!((failed.mean(&Measure::Errors), failed.mean(&Measure::Latency)), (Some(1.0), None));
    }
}
