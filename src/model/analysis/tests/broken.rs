//! What is missing, in a circle, absurd, or not over.

use super::*;

fn kinds(case: &Case) -> Vec<(&str, TreeFault, Option<u64>)> {
    let names = case.names();
    let faults = case.analysis().faults;
    faults.iter().map(|fault| (names[fault.place], fault.kind, fault.nanos)).collect()
}

#[test]
fn nothing_has_defined_figures() {
    let found = Case::of(Vec::new()).analysis();
    assert_eq!((found.duration_nanos, found.totals.spans, found.totals.tokens), (0, 0, None));
    assert_eq!(found.totals.coverage, CostCoverage::Nothing);
    assert_eq!(found.critical_path, CriticalPath::default());
    assert_eq!((found.concurrency.peak, found.concurrency.average), (0, None));
    assert_eq!((found.failures.origin, found.retries.len(), found.context.slope), (None, 0, None));
    assert!(found.operations.is_empty() && found.tools.is_empty() && found.faults.is_empty());
}

#[test]
fn what_runs_counts_up_to_now() {
    let case = Case::read("AGENT top 0-\n  LLM_CALL a 10-30\n  TOOL_CALL b 30-");
    let found = case.analysis_at(100);
    assert!(found.is_running);
    assert_eq!((found.as_of, found.duration_nanos), (Timestamp::from_nanos(100), 100));
    let own: Vec<_> = found.spans.iter().map(|figures| (figures.nanos, figures.self_nanos)).collect();
    assert_eq!(own, [(100, 10), (20, 20), (70, 70)]);
    assert_eq!((found.critical_path.nanos, found.totals.running), (100, 2));
    assert!(found.faults.is_empty());
    // A clock that stands behind the spans takes no time away from them.
    assert_eq!(case.analysis_at(-50).duration_nanos, 0);
    assert_eq!(case.analysis_at(5).spans[2].nanos, 0);
}

#[test]
fn one_running_span_is_a_whole_trace() {
    let found = Case::read("LLM_CALL a 0-").analysis_at(7);
    assert_eq!((found.critical_path.nanos, found.concurrency.busy_nanos, found.concurrency.peak), (7, 7, 1));
    let (operation, group) = &found.operations[0];
    assert_eq!((*operation, group.running, group.success_rate()), (OperationType::LlmCall, 1, None));
}

#[test]
fn what_never_ended_counts_to_the_end_of_the_trace() {
    let mut case = Case::read("AGENT top 0-\n  TOOL_CALL a 10-");
    case.trace.status = TraceStatus::Failed;
    case.trace.end_time = Some(Timestamp::from_nanos(40));
    let found = case.analysis();
    assert_eq!((found.is_running, found.duration_nanos), (false, 40));
    assert_eq!(found.spans.iter().map(|figures| figures.self_nanos).collect::<Vec<_>>(), [10, 30]);
    let wanted = [("top", TreeFault::RunningAfterEnd, None), ("a", TreeFault::RunningAfterEnd, None)];
    assert_eq!(kinds(&case), wanted);
}

#[test]
fn all_can_fail() {
    let found = Case::read("AGENT a 0-9 !\n  TOOL_CALL b 1-8 !\n    CUSTOM c 2-7 !").analysis();
    assert_eq!(found.totals.failed, 3);
    let origin = found.failures.all[found.failures.origin.unwrap()];
    assert_eq!((origin.place, origin.repeated_by, origin.reached_top), (2, 2, true));
}

#[test]
fn missing_parents_and_circles_are_told() {
    // 90 never came; `x` and `y` are each other's parents, `x` is the earlier.
    let case = Case::read(
        "AGENT top 0-50\nTOOL_CALL lost 10-20 parent=90\nCUSTOM x 60-90 parent=3\nCUSTOM y 70-80 parent=2",
    );
    assert_eq!(kinds(&case), [("lost", TreeFault::Orphan, None), ("x", TreeFault::CycleBroken, None)]);
    let found = case.analysis();
    assert_eq!(found.faults[0].missing_parent, Some(span_id(90)));
    assert_eq!(found.faults[1].missing_parent, None);
    // `lost` lies inside of `top`; after it `x` with `y` inside.
    assert_eq!(case.path(), ["top 0-50", "x 60-70", "y 70-80", "x 80-90"]);
    assert_eq!(found.critical_path.nanos, 80);
}

#[test]
fn a_parent_may_still_come() {
    let case = Case::read("TOOL_CALL early 0-5 parent=90\nTOOL_CALL on 3-\nCUSTOM note 4- announced");
    let heads: Vec<_> = case.heads.iter().collect();
    let tree = SpanTree::place_refs(&heads, true);
    let found = TraceAnalysis::of(&case.trace, &heads, &tree, Timestamp::from_nanos(10));
    let faults: Vec<_> = found.faults.iter().map(|fault| (fault.kind, fault.missing_parent)).collect();
    assert_eq!(faults, [(TreeFault::ProvisionalRoot, Some(span_id(90))), (TreeFault::Placeholder, None)]);
    // What only parts have come of takes no time.
    assert_eq!(found.spans[2].nanos, 0);
}

#[test]
fn impossible_times_are_told_with_how_much() {
    let month = i64::try_from(ABSURD_NANOS).unwrap();
    let case = Case::read(&format!(
        "AGENT top 10-50\n  TOOL_CALL before 5-20\n  TOOL_CALL after 30-58\n  TOOL_CALL back 40-33\n  TOOL_CALL none 45-45\n\
         AGENT long 100-{}",
        101 + month
    ));
    assert_eq!(
        kinds(&case),
        [
            ("before", TreeFault::StartsBeforeParent, Some(5)),
            ("after", TreeFault::EndsAfterParent, Some(8)),
            ("back", TreeFault::EndsBeforeStart, Some(7)),
            ("none", TreeFault::NoDuration, None),
            ("long", TreeFault::AbsurdDuration, Some(ABSURD_NANOS + 1)),
        ]
    );
    assert!(TreeFault::ALL.iter().filter(|kind| !kind.is_grave()).eq(&[TreeFault::NoDuration]));
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    let (first, last) = (i64::MIN, i64::MAX);
    let heads = vec![
        head(0, None, first, Some(last)),
        head(1, Some(span_id(0)), last, Some(first)),
        head(2, Some(span_id(0)), first, Some(last)),
        head(3, Some(span_id(2)), 0, None),
        head(4, Some(span_id(9)), last, None),
    ];
    let case = Case::of(heads);
    for now in [first, 0, last] {
        let found = case.analysis_at(now);
        let longest = u64::try_from(i64::MAX).unwrap();
        assert!(
            found.spans.iter().all(|figures| figures.self_nanos <= figures.nanos && figures.nanos <= longest)
        );
        assert!(found.critical_path.nanos >= longest);
        assert!(found.operations.iter().all(|(_, group)| group.wall_nanos <= group.total_nanos));
    }
}

#[test]
fn a_chain_as_deep_as_the_trace_is_long_is_walked() {
    let depth = 100_000_usize;
    let chain = |place: usize| {
        let (start, end) = (i64::try_from(place).unwrap(), i64::try_from(2 * depth - place).unwrap());
        let mut head = head(place, place.checked_sub(1).map(span_id), start, Some(end));
        head.status = SpanStatus::Error;
        head
    };
    let case = Case::of((0..depth).map(chain).collect());
    let found = case.analysis();
    // Each is 2 longer than the one below it: 1 before and 1 behind. The last is 2 long.
    assert!(found.spans.iter().all(|figures| figures.self_nanos == 2));
    assert_eq!(found.critical_path.nanos, 2 * depth as u64);
    assert_eq!(found.critical_path.segments.len(), 2 * depth - 1);
    let origin = found.failures.all[found.failures.origin.unwrap()];
    assert_eq!((origin.place, origin.repeated_by), (depth - 1, depth as u64 - 1));
}
