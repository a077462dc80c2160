//! Sound traces: times, the critical path, what went on at once, failures, retries, what models did.

use super::*;

/// An agent that asks a model, calls two tools at once, and answers.
const RUN: &str = "
AGENT support 0-100
  LLM_CALL think 10-40 model=small in=100 out=20 cost=5 first=4
  TOOL_CALL search 40-70 tool=search
    RETRIEVAL index 45-65
  TOOL_CALL weather 40-60 tool=weather
  LLM_CALL answer 75-95 model=small in=180 out=40 cost=7 first=8
";

#[test]
fn self_time_is_what_no_span_below_covers() {
    let case = Case::read(RUN);
    let own = case.each(|figures| figures.self_nanos);
    // support: 100 without 10–70 (think, search and weather together) and 75–95: 100 - 60 - 20 = 20.
    // search: 30 without 45–65: 10. The others have nothing below them.
    assert_eq!(
        own,
        [("support", 20), ("think", 30), ("search", 10), ("index", 20), ("weather", 20), ("answer", 20)]
    );
}

#[test]
fn self_time_ends_where_the_span_does() {
    // `late` lies in `a` for 8–10, `early` for 2–4 (it began before), `gone` not at all: 10 - 2 - 2 = 6.
    let case =
        Case::read("CHAIN a 2-12\n  TOOL_CALL late 10-20\n  TOOL_CALL early 0-4\n  TOOL_CALL gone 30-40");
    assert_eq!(case.each(|figures| figures.self_nanos)[0], ("a", 6));
}

#[test]
fn the_path_goes_back_over_what_ended_last() {
    let case = Case::read(RUN);
    // From 100 back: the end of `answer` at 95, before its start at 75 `search` ended last (70), in it `index`;
    // at 40, where `search` began, `think` had ended. `weather` ended at 60, while `search` went on.
    assert_eq!(
        case.path(),
        [
            "support 0-10",
            "think 10-40",
            "search 40-45",
            "index 45-65",
            "search 65-70",
            "support 70-75",
            "answer 75-95",
            "support 95-100",
        ]
    );
    let found = case.analysis().critical_path;
    assert_eq!(found.nanos, 100);
    // 10 + 5 + 5 of it are the agent's own.
    let path: Vec<_> = case.each(|figures| figures.path_nanos);
    assert_eq!(
        path,
        [("support", 20), ("think", 30), ("search", 10), ("index", 20), ("weather", 0), ("answer", 20)]
    );
}

#[test]
fn what_was_still_at_work_did_not_hold_up_the_next() {
    // `b` began at 50 while `a` was at work until 60: it did not wait for it. Before 50 the agent itself counts.
    let case = Case::read("AGENT top 0-100\n  TOOL_CALL a 0-60\n  TOOL_CALL b 50-100");
    assert_eq!(case.path(), ["top 0-50", "b 50-100"]);
}

#[test]
fn what_outlives_the_span_above_counts_to_its_end() {
    let case = Case::read("AGENT top 0-50\n  TOOL_CALL a 10-90\n    LLM_CALL b 60-80");
    // The trace is over with `a`, at 90; nothing at the top was at work after 50. `b` lies outside of it.
    assert_eq!(case.path(), ["top 0-10", "a 10-50"]);
    assert_eq!(case.analysis().duration_nanos, 90);
}

#[test]
fn several_at_the_top_are_walked_through_without_a_gap() {
    let case = Case::read("TOOL_CALL a 0-60\nTOOL_CALL b 50-100\nTOOL_CALL c 20-40\nTOOL_CALL d 120-130");
    // From 130 back: d; before 120 `b` ended last; at 50 `a` was at work. `c` lies inside `a`.
    assert_eq!(case.path(), ["a 0-50", "b 50-100", "d 120-130"]);
    assert_eq!(case.analysis().critical_path.nanos, 110);
}

#[test]
fn spans_with_none_below_them_work_at_once() {
    let found = Case::read(RUN).analysis().concurrency;
    // think 10–40, index 45–65, weather 40–60, answer 75–95: busy 10–65 and 75–95 = 75; two at once 45–60 = 15;
    // 30 + 20 + 20 + 20 = 90 of work in 75.
    assert_eq!((found.peak, found.busy_nanos, found.parallel_nanos), (2, 75, 15));
    assert!((found.average.unwrap() - 90.0 / 75.0).abs() < 1e-12);
}

#[test]
fn groups_know_their_times_apart_and_together() {
    let found = Case::read(RUN).analysis();
    let group = |operation| &found.operations.iter().find(|(of, _)| *of == operation).unwrap().1;
    let tools = group(OperationType::ToolCall);
    // search 40–70 and weather 40–60: 30 by the clock, 50 together, 10 + 20 by themselves, 10 on the path.
    assert_eq!((tools.count, tools.wall_nanos, tools.total_nanos), (2, 30, 50));
    assert_eq!((tools.self_nanos, tools.path_nanos), (30, 10));
    assert_eq!(tools.tokens, None);
    let calls = group(OperationType::LlmCall);
    assert_eq!((calls.wall_nanos, calls.cost), (50, Some(NanoUsd::from_nanos(12))));
    assert_eq!(calls.tokens.unwrap().total(), 100 + 20 + 180 + 40);
    assert_eq!(found.operations.first().unwrap().0, OperationType::LlmCall, "50 of self time is the most");
    let [(model, small)] = found.models.as_slice() else { panic!("one model") };
    assert_eq!((model.model.as_deref(), small.count, small.wall_nanos), (Some("small"), 2, 50));
    let tools: Vec<_> = found.tools.iter().map(|(name, group)| (name.as_str(), group.self_nanos)).collect();
    assert_eq!(tools, [("weather", 20), ("search", 10)]);
}

#[test]
fn tools_succeed_as_often_as_they_end_well() {
    let case = Case::read(
        "AGENT top 0-100\n  TOOL_CALL a 0-1 tool=t\n  TOOL_CALL b 1-2 tool=t !\n  TOOL_CALL c 2-3 tool=t\n  \
         TOOL_CALL d 3-4 tool=t ~\n  TOOL_CALL lone 4-5 ~",
    );
    let found = case.analysis();
    let of = |name: &str| found.tools.iter().find(|(tool, _)| tool == name).unwrap().1.clone();
    // 2 of 3: the one that was stopped is neither.
    assert_eq!((of("t").count, of("t").success_rate()), (4, Some(2.0 / 3.0)));
    assert_eq!((of("lone").count, of("lone").success_rate()), (1, None));
}

#[test]
fn the_first_cause_is_the_deepest_failure_that_reached_the_top() {
    let case = Case::read(
        "AGENT top 0-100 !\n  TOOL_CALL fetch 0-20\n    CUSTOM socket 5-10 !\n  CHAIN work 20-90 !\n    \
         TOOL_CALL write 30-50 !\n      CUSTOM disk 35-45 !\n    TOOL_CALL read 50-60 !",
    );
    let (found, names) = (case.analysis().failures, case.names());
    let told: Vec<_> = found
        .all
        .iter()
        .map(|failure| (names[failure.place], failure.repeated_by, failure.is_repeat, failure.reached_top))
        .collect();
    // `socket` failed first, and `fetch` above it went well: it was recovered from.
    assert_eq!(
        told,
        [
            ("socket", 0, false, false),
            ("disk", 3, false, true),
            ("write", 2, true, true),
            ("read", 2, false, true),
            ("work", 1, true, true),
            ("top", 0, true, true),
        ]
    );
    assert_eq!(found.origin, Some(1));
    // Where none reached the top, the first of all.
    let case = Case::read("AGENT top 0-9\n  TOOL_CALL b 4-6 !\n  TOOL_CALL a 1-3 !");
    let found = case.analysis().failures;
    assert_eq!(found.origin.map(|index| case.names()[found.all[index].place]), Some("a"));
}

#[test]
fn attempts_follow_a_failure_of_the_same() {
    let case = Case::read(
        "AGENT top 0-100\n  LLM_CALL chat 0-10 model=m !\n  LLM_CALL chat 11-20 model=m !\n  LLM_CALL chat 21-30 model=m\n  \
         LLM_CALL chat 31-40 model=other\n  TOOL_CALL pay 40-50 !\n  TOOL_CALL pay 45-55 !\n  TOOL_CALL pay 60-70\n  \
         TOOL_CALL pay 61-80 !\n  TOOL_CALL send 80-85 !\n  TOOL_CALL once 90-95 !\n  TOOL_CALL send 96-99 ~",
    );
    let retries = case.analysis().retries;
    let told: Vec<_> = retries.iter().map(|retry| (retry.attempts.as_slice(), retry.outcome)).collect();
    // Places count from 1 below the agent. The other model is another thing. The two payments at 40 and 45 are
    // beside each other: each is tried again, one with success.
    assert_eq!(
        told,
        [
            (&[1, 2, 3][..], RetryOutcome::Recovered),
            (&[5, 7][..], RetryOutcome::Recovered),
            (&[6, 8][..], RetryOutcome::Failed),
            (&[9, 11][..], RetryOutcome::Cancelled),
        ]
    );
}

#[test]
fn models_begin_after_a_while() {
    let case = Case::read(&format!("{RUN}  LLM_CALL silent 96-97 model=small\n"));
    let found = case.analysis().first_tokens;
    let names = case.names();
    let known: Vec<_> = found.known.iter().map(|(place, nanos)| (names[*place], *nanos)).collect();
    assert_eq!((found.calls, known), (3, vec![("think", 4), ("answer", 8)]));
    let spread = found.spread.unwrap();
    assert_eq!((spread.min, spread.p50, spread.max), (4.0, 6.0, 8.0));
    assert_eq!(Case::read("LLM_CALL a 0-1").analysis().first_tokens.spread, None);
}

#[test]
fn contexts_grow_from_call_to_call() {
    let case = Case::read(
        "AGENT top 0-100\n  LLM_CALL a 0-1 in=100\n  LLM_CALL b 2-3 in=160\n  LLM_CALL c 4-5 in=130\n  LLM_CALL d 6-7",
    );
    let found = case.analysis().context;
    let points: Vec<_> = found.points.iter().map(|point| (point.input, point.growth)).collect();
    assert_eq!(points, [(100, None), (160, Some(60)), (130, Some(-30))]);
    // Around the middle (1, 130): (-1 · -30 + 0 · 30 + 1 · 0) / (1 + 0 + 1) = 15.
    assert_eq!((found.largest, found.slope), (Some(160), Some(15.0)));
}
