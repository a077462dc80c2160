//! What holds of any trace, and what holds of any sound one.

use proptest::prelude::*;

use super::*;
use crate::model::summary::Summary;

/// Any spans: with parents that are missing or in circles, times that go back, ends that never come.
fn any_heads() -> impl Strategy<Value = Vec<SpanHead>> {
    let time = || prop_oneof![12 => 0..60_i64, 1 => any::<i64>()];
    let span = (
        prop::option::weighted(0.8, 0..16_usize),
        (time(), prop::option::weighted(0.85, time())),
        prop_oneof![Just(OperationType::LlmCall), Just(OperationType::ToolCall), Just(OperationType::Agent)],
        (prop::option::of(0..50_u64), prop::option::of(0..9_i64)),
        (0..4_u8, prop::bool::weighted(0.1), prop::option::weighted(0.1, 0..2_u8)),
    );
    prop::collection::vec(span, 0..14).prop_map(|spans| {
        let made = spans.into_iter().enumerate();
        let made = made.map(|(number, (parent, (start, end), operation, (tokens, cost), rest))| {
            let (status, announced, answer) = rest;
            let mut head = head(number, parent.map(span_id), start, end);
            head.operation_type = operation;
            head.ledger.tokens.input = tokens;
            head.ledger.cost = cost.map(NanoUsd::from_nanos);
            head.details.response_id = answer.map(|answer| answer.to_string());
            head.announced = announced;
            if end.is_some() && status == 0 {
                head.status = SpanStatus::Error;
            }
            head
        });
        made.collect()
    })
}

/// A sound tree: one span at the top, each below it within the one above, siblings one after the other (or not).
fn sound(one_by_one: bool) -> impl Strategy<Value = Vec<SpanHead>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0..100_i64, 0..100_i64), 0..14).prop_map(
        move |spans| {
            let mut heads = vec![head(0, None, 0, Some(1 << 30))];
            // How far the children of each reach.
            let mut reached = vec![0_i64];
            for (above, skip, length) in spans {
                let above = above.index(heads.len());
                let (start, end) = (heads[above].start_time.nanos(), heads[above].end_time.unwrap().nanos());
                let from = if one_by_one { reached[above] } else { start };
                let from = (from + (end - from) * skip / 400).min(end);
                let to = (from + (end - from) * length / 200).min(end);
                reached[above] = reached[above].max(to);
                reached.push(from);
                heads.push(head(heads.len(), Some(span_id(above)), from, Some(to)));
            }
            heads
        },
    )
}

fn whole(analysis: &TraceAnalysis, of: impl Fn(&SpanFigures) -> u64) -> u128 {
    analysis.spans.iter().map(|figures| u128::from(of(figures))).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_order_in_which_spans_come_does_not_matter(heads in any_heads(), seed in any::<u64>()) {
        let case = Case::of(heads);
        let mut mixed = case.heads.clone();
        mixed.sort_by_key(|head| *blake3::hash(&[head.id.bytes().as_slice(), &seed.to_le_bytes()].concat()).as_bytes());
        let other = Case { trace: case.trace.clone(), heads: mixed };
        prop_assert_eq!(case.analysis(), other.analysis());
    }

    #[test]
    fn figures_stay_within_each_other(heads in any_heads()) {
        let case = Case::of(heads);
        let found = case.analysis();
        prop_assert_eq!(found.spans.len(), case.heads.len());
        for figures in &found.spans {
            prop_assert!(figures.self_nanos <= figures.nanos);
            prop_assert!(figures.path_nanos <= figures.nanos, "{:?}", figures);
        }
        for group in found.operations.iter().map(|(_, group)| group) {
            prop_assert!(group.wall_nanos <= group.total_nanos);
            prop_assert_eq!(group.count, group.running + group.succeeded + group.failed + group.cancelled);
        }
        prop_assert!(found.concurrency.parallel_nanos <= found.concurrency.busy_nanos);
        prop_assert!(found.concurrency.average.is_none_or(|average| average >= 1.0));
        let on_path = u128::from(found.critical_path.nanos);
        prop_assert_eq!(whole(&found, |figures| figures.path_nanos), on_path);
        let apart = found.critical_path.segments.windows(2).all(|pair| pair[0].lane.end <= pair[1].lane.start);
        prop_assert!(apart, "{:?}", found.critical_path);
    }

    #[test]
    fn shares_add_up_to_the_summary(heads in any_heads()) {
        let case = Case::of(heads);
        let (found, summary) = (case.analysis(), Summary::of(&case.heads));
        prop_assert_eq!(found.totals.tokens.unwrap_or_default(), summary.tokens);
        prop_assert_eq!(found.totals.cost.unwrap_or_default(), summary.cost);
        let of_roots = |of: fn(&SpanFigures) -> u64| {
            let tree = SpanTree::place(&case.heads, false);
            tree.roots().map(|place| of(&found.spans[place])).sum::<u64>()
        };
        let inclusive = of_roots(|figures| figures.tokens.unwrap_or_default().total());
        prop_assert_eq!(inclusive, summary.tokens.total());
    }

    #[test]
    fn the_path_is_as_long_as_the_top_was_at_work(heads in any_heads()) {
        let case = Case::of(heads);
        let found = case.analysis();
        let tree = SpanTree::place(&case.heads, false);
        let mut roots: Vec<_> = tree
            .roots()
            .map(|place| Lane::of(&case.heads[tree.nodes()[place].span], found.as_of))
            .collect();
        roots.sort_by_key(|lane| lane.start);
        prop_assert_eq!(found.critical_path.nanos, lane::union(roots));
    }

    #[test]
    fn a_sound_tree_is_found_sound(heads in sound(false)) {
        let found = Case::of(heads).analysis();
        prop_assert!(found.faults.iter().all(|fault| !fault.kind.is_grave()), "{:?}", found.faults);
        // No longer than the trace, no shorter than its longest span.
        prop_assert_eq!(found.critical_path.nanos, found.duration_nanos);
        prop_assert!(found.spans.iter().all(|figures| figures.nanos <= found.critical_path.nanos));
        prop_assert!(found.operations.iter().all(|(_, group)| group.wall_nanos <= found.duration_nanos));
        prop_assert!(found.concurrency.busy_nanos <= found.duration_nanos);
    }

    #[test]
    fn where_nothing_overlaps_self_times_are_the_whole(heads in sound(true)) {
        let found = Case::of(heads).analysis();
        prop_assert_eq!(whole(&found, |figures| figures.self_nanos), u128::from(found.duration_nanos));
        // And then all of them are waited for.
        prop_assert!(found.spans.iter().all(|figures| figures.path_nanos == figures.self_nanos));
        prop_assert_eq!(found.concurrency.parallel_nanos, 0);
    }

    #[test]
    fn traces_that_have_nothing_to_do_with_each_other_add_up(first in sound(false), second in sound(false)) {
        let apart = 1 << 40;
        let count = first.len();
        let moved = second.iter().enumerate().map(|(number, old)| {
            let parent = old.parent_id.map(|id| {
                let of = second.iter().position(|other| other.id == id).unwrap();
                span_id(count + of)
            });
            let end = old.end_time.map(|end| end.nanos() + apart);
            head(count + number, parent, old.start_time.nanos() + apart, end)
        });
        let both = first.iter().cloned().chain(moved).collect();
        let [first, second, both] = [first.clone(), second.clone(), both].map(|heads| Case::of(heads).analysis());
        for of in [|figures: &SpanFigures| figures.self_nanos, |figures: &SpanFigures| figures.path_nanos] {
            prop_assert_eq!(whole(&first, of) + whole(&second, of), whole(&both, of));
        }
        let sum = |of: fn(&TraceAnalysis) -> u64| (of(&first) + of(&second), of(&both));
        for (apart, together) in [
            sum(|found| found.critical_path.nanos),
            sum(|found| found.concurrency.busy_nanos),
            sum(|found| found.concurrency.parallel_nanos),
            sum(|found| found.operations.iter().map(|(_, group)| group.wall_nanos).sum()),
            sum(|found| found.operations.iter().map(|(_, group)| group.count).sum()),
        ] {
            prop_assert_eq!(apart, together);
        }
    }
}
