//! Tokens and cost: where they count, and how much of them is known.

use super::*;

fn tokens(figures: Option<crate::model::ledger::TokenTotals>) -> Option<u64> {
    figures.map(|tokens| tokens.total())
}

#[test]
fn what_was_spent_counts_once_and_adds_up_to_the_top() {
    // The agent repeats what its calls say: it does not count. `sub` reports for calls that say nothing.
    let case = Case::read(
        "AGENT top 0-100 in=900 cost=90\n  LLM_CALL a 0-10 in=100 out=10 cost=5\n  AGENT sub 10-50 in=30 out=3 cost=2\n    \
         LLM_CALL b 11-20\n  LLM_CALL c 60-70 in=7",
    );
    let exclusive: Vec<_> =
        case.each(|figures| (tokens(figures.own.tokens), figures.own.cost.map(NanoUsd::nanos)));
    assert_eq!(
        exclusive,
        [
            ("top", (None, None)),
            ("a", (Some(110), Some(5))),
            ("sub", (Some(33), Some(2))),
            ("b", (None, None)),
            ("c", (Some(7), None)),
        ]
    );
    let inclusive: Vec<_> = case.each(|figures| (tokens(figures.tokens), figures.cost.map(NanoUsd::nanos)));
    // 110 + 33 + 7 and 5 + 2.
    assert_eq!(inclusive[0], ("top", (Some(150), Some(7))));
    assert_eq!(inclusive[2], ("sub", (Some(33), Some(2))));
    assert_eq!(inclusive[3], ("b", (None, None)));
    let totals = case.analysis().totals;
    assert_eq!((tokens(totals.tokens), totals.cost.map(NanoUsd::nanos)), (Some(150), Some(7)));
    // Nobody says what the tokens of `c` cost.
    assert_eq!((totals.coverage, totals.unpriced), (CostCoverage::Partly, 1));
}

#[test]
fn a_call_that_two_spans_tell_of_counts_once() {
    let case = Case::read(
        "AGENT top 0-100\n  CHAIN wrapper 0-50 in=10 out=1 answer=r1\n    LLM_CALL call 1-49 in=10 out=1 cost=3 answer=r1 model=m\n  \
         LLM_CALL again 60-70 in=10 out=1 answer=r1 model=m",
    );
    let found = case.analysis();
    assert_eq!((tokens(found.totals.tokens), found.totals.cost), (Some(11), Some(NanoUsd::from_nanos(3))));
    assert_eq!(found.models.len(), 1);
    assert_eq!((found.models[0].1.count, found.context.points.len(), found.first_tokens.calls), (1, 1, 1));
    // What kind of operation a span is it stays, whoever tells of it too.
    let calls = found.operations.iter().find(|(operation, _)| *operation == OperationType::LlmCall);
    assert_eq!(calls.unwrap().1.count, 2);
}

#[test]
fn it_is_told_how_much_of_a_cost_is_known() {
    let coverage = |text: &str| Case::read(text).analysis().totals.coverage;
    assert_eq!(coverage("TOOL_CALL a 0-1"), CostCoverage::Nothing);
    assert_eq!(coverage("LLM_CALL a 0-1 in=1 cost=0"), CostCoverage::Known);
    assert_eq!(coverage("LLM_CALL a 0-1 in=1 unpriced"), CostCoverage::Unknown);
    assert_eq!(coverage("LLM_CALL a 0-1 in=1 cost=1\nLLM_CALL b 2-3 in=1 unpriced"), CostCoverage::Partly);
    // A cost that is told above covers what is not told below.
    assert_eq!(coverage("AGENT a 0-9 cost=4\n  LLM_CALL b 0-1 in=1 unpriced"), CostCoverage::Known);
}

#[test]
fn sums_stop_at_the_largest_number() {
    let most = u64::MAX;
    let case =
        Case::read(&format!("LLM_CALL a 0-1 in={most} cost={}\nLLM_CALL b 1-2 in={most} cost=9", i64::MAX));
    let totals = case.analysis().totals;
    assert_eq!((tokens(totals.tokens), totals.cost), (Some(most), Some(NanoUsd::from_nanos(i64::MAX))));
    assert_eq!(case.analysis().context.points[1].growth, Some(0));
}
