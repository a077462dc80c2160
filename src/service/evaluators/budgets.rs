//! Rules over figures: how long it took, what it cost, the tokens it used, the errors in it. A figure that is not known
//! whole passes no budget: it can only be seen to be above one.

use std::collections::HashSet;

use super::{subject::Subject, verdict::Found};
use crate::model::{
    evaluator::{CostRule, LatencyRule, NoErrorsRule, TokensRule},
    span::{OperationType, SpanHead, SpanStatus},
    text::shortened,
    trace::TraceStatus,
};

/// Errors that a comment names.
const ERRORS: usize = 3;

/// Bytes of an error that a comment repeats.
const ERROR_BYTES: usize = 200;

pub(super) fn latency(rule: &LatencyRule, subject: &Subject) -> Found {
    let Some(nanos) = subject.duration_nanos() else {
        return Found::skipped("it is not known when it ended");
    };
    let budget = rule.max_ms.saturating_mul(1_000_000);
    // Rounded up, so that what is a little above does not read as if it were not.
    let (took, budget_ms) = (grouped(nanos.div_ceil(1_000_000)), grouped(rule.max_ms));
    Found::rule(nanos <= budget, format!("took {took} ms, budget {budget_ms}"))
}

pub(super) fn cost(rule: &CostRule, subject: &Subject) -> Found {
    let summary = subject.summary();
    let (cost, budget) = (summary.cost, rule.most());
    let told = format!("cost ${}, budget ${}", dollars(cost.nanos()), dollars(budget.nanos()));
    if summary.cost_known && cost > budget {
        return Found::rule(false, told);
    }
    if !summary.cost_known {
        return Found::skipped("it is not known what it cost");
    }
    match unknown(subject, |head| head.ledger.cost.is_some()) {
        0 => Found::rule(true, told),
        count => Found::skipped(format!("of {count} calls of models it is not known what they cost")),
    }
}

pub(super) fn tokens(rule: &TokensRule, subject: &Subject) -> Found {
    if !subject.heads().any(|head| head.ledger.reports_tokens()) {
        return Found::skipped("it is not known how many tokens it used");
    }
    let used = subject.summary().tokens;
    let budgets = [
        ("tokens", used.total(), rule.max_total),
        ("input tokens", used.input, rule.max_input),
        ("output tokens", used.output, rule.max_output),
    ];
    let told = |(what, used, most): (&str, u64, u64)| {
        format!("used {} {what}, budget {}", grouped(used), grouped(most))
    };
    let budgets: Vec<_> =
        budgets.into_iter().filter_map(|(what, used, most)| Some((what, used, most?))).collect();
    if let Some(above) = budgets.iter().find(|(_, used, most)| used > most) {
        return Found::rule(false, told(*above));
    }
    match unknown(subject, |head| head.ledger.reports_tokens()) {
        0 => Found::rule(true, budgets.into_iter().map(told).collect::<Vec<_>>().join("; ")),
        count => {
            Found::skipped(format!("of {count} calls of models it is not known how many tokens they used"))
        }
    }
}

pub(super) fn no_errors(rule: &NoErrorsRule, subject: &Subject) -> Found {
    let of_type = |head: &&SpanHead| rule.operation_type.is_none_or(|wanted| head.operation_type == wanted);
    let heads: Vec<_> = subject.heads().filter(of_type).collect();
    if let Some(wanted) = rule.operation_type
        && heads.is_empty()
    {
        return Found::skipped(format!("it has no span of the type {wanted}"));
    }
    let errors: Vec<_> = heads.iter().filter(|head| head.status == SpanStatus::Error).collect();
    if errors.is_empty() {
        let is_whole = subject.span().is_none() && rule.operation_type.is_none();
        if is_whole && subject.trace().status == TraceStatus::Failed {
            return Found::rule(false, "the run failed");
        }
        return Found::rule(true, format!("no errors in {} spans", grouped(heads.len() as u64)));
    }
    let told = |head: &&&SpanHead| match &head.status_message {
        Some(message) => format!("`{}`: {}", head.name, shortened(message, ERROR_BYTES)),
        None => format!("`{}`", head.name),
    };
    let mut named: Vec<_> = errors.iter().take(ERRORS).map(told).collect();
    if errors.len() > ERRORS {
        named.push(format!("and {} more", errors.len() - ERRORS));
    }
    Found::rule(false, format!("{} spans ended with an error: {}", errors.len(), named.join("; ")))
}

/// Calls of models of which nothing tells a figure: neither they, nor what is below them, nor a span above that tells
/// the sum of all below it, nor another span of the same call. A call that failed and used nothing counts for none.
fn unknown(subject: &Subject, tells: impl Fn(&SpanHead) -> bool) -> usize {
    let nodes: Vec<_> = subject.nodes().collect();
    let Some(first) = nodes.first().map(|(place, ..)| *place) else { return 0 };
    // From the end, what lies below is known first.
    let mut below = vec![false; nodes.len()];
    for (at, (_, node, head)) in nodes.iter().enumerate().rev() {
        let here = tells(head) || below.get(at).copied().unwrap_or_default();
        let parent = node.parent.and_then(|parent| below.get_mut(parent.checked_sub(first)?));
        if let Some(parent) = parent {
            *parent |= here;
        }
    }
    let is_below = |at: usize| below.get(at).copied().unwrap_or_default();
    let answers: HashSet<_> = nodes
        .iter()
        .filter(|(.., head)| tells(head))
        .filter_map(|(.., head)| head.details.response_id.as_deref())
        .collect();
    let mut above = vec![false; nodes.len()];
    let mut count = 0;
    for (at, (_, node, head)) in nodes.iter().enumerate() {
        let parent = node.parent.and_then(|parent| parent.checked_sub(first));
        let from_above = parent.is_some_and(|parent| {
            let own = nodes.get(parent).is_some_and(|(.., head)| tells(head)) && !is_below(parent);
            own || above.get(parent).copied().unwrap_or_default()
        });
        if let Some(slot) = above.get_mut(at) {
            *slot = from_above;
        }
        let same = head.details.response_id.as_deref().is_some_and(|id| answers.contains(id));
        let is_call = head.operation_type == OperationType::LlmCall
            && (head.status == SpanStatus::Ok || head.ledger.reports_tokens());
        count += usize::from(is_call && !(tells(head) || is_below(at) || from_above || same));
    }
    count
}

/// A number with its thousands apart.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Billionths of a dollar as dollars, exactly, with at least two digits behind the point.
fn dollars(nanos: i64) -> String {
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos.rem_euclid(1_000_000_000));
    let short = text.trim_end_matches('0');
    let point = text.find('.').unwrap_or_default();
    text.get(..short.len().max(point + 3)).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_people_write_them() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        let amounts = [0, 1, 10_000_000, 1_500_000_000, 1_234_567_890];
        assert_eq!(amounts.map(dollars), ["0.00", "0.000000001", "0.01", "1.50", "1.23456789"]);
    }
}
