//! The rule over calls of tools: which were called, how often, in which order, with what.

use serde_json::{Map, Value};

use super::{Evaluators, subject::Subject, verdict::Found};
use crate::{
    model::{
        evaluator::{ToolCalledRule, ToolUse},
        span::{OperationType, SpanBody, SpanHead},
        text::shortened,
    },
    service::ServiceResult,
};

/// Calls whose arguments one rule looks at, at most.
const CALLS: usize = 2_000;

/// Bytes of the names of tools that a comment repeats.
const SHOWN_BYTES: usize = 500;

/// A call of a tool.
#[derive(Debug)]
struct Call<'a> {
    tool: &'a str,
    /// `None`: they were not asked for, or are not recorded.
    arguments: Option<Map<String, Value>>,
}

impl Evaluators {
    pub(super) async fn tool_called(&self, rule: &ToolCalledRule, subject: &Subject) -> ServiceResult<Found> {
        let heads: Vec<_> = subject
            .in_order_of_start()
            .into_iter()
            .filter(|head| head.operation_type == OperationType::ToolCall)
            .collect();
        let wants_arguments =
            |tool: &str| rule.tools.iter().any(|wanted| wanted.name == tool && wanted.arguments.is_some());
        let read: Vec<_> = heads.iter().copied().filter(|head| wants_arguments(tool_of(head))).collect();
        if read.len() > CALLS {
            let message =
                format!("there are {} calls to look at; a rule looks at no more than {CALLS}", read.len());
            return Ok(Found::Failed(message));
        }
        let bodies = self.tracing.bodies_of(subject.trace().id, &read).await?;
        let given = |head: &SpanHead| {
            let inputs = bodies.get(&head.id).and_then(SpanBody::read_inputs);
            inputs.and_then(|inputs| arguments(&inputs.read().ok()?))
        };
        let mut calls = Vec::with_capacity(heads.len());
        for head in &heads {
            let tool = tool_of(head);
            let arguments = if wants_arguments(tool) { given(head) } else { None };
            if wants_arguments(tool) && arguments.is_none() {
                return Ok(Found::skipped(format!("it is not recorded with what `{tool}` was called")));
            }
            calls.push(Call { tool, arguments });
        }
        Ok(judged(rule, &calls))
    }
}

/// The tool that a span is a call of.
fn tool_of(head: &SpanHead) -> &str {
    head.details.tool_name.as_deref().unwrap_or(&head.name)
}

/// Arguments are an object, or one that is written in a text.
fn arguments(inputs: &Value) -> Option<Map<String, Value>> {
    match inputs {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) => match serde_json::from_str(text).ok()? {
            Value::Object(members) => Some(members),
            _ => None,
        },
        _ => None,
    }
}

fn judged(rule: &ToolCalledRule, calls: &[Call<'_>]) -> Found {
    for tool in &rule.tools {
        let count = calls.iter().filter(|call| tool.is(call)).count();
        let (least, most) = (tool.min as usize, tool.max.map(|most| most as usize));
        if count < least || most.is_some_and(|most| count > most) {
            let with = if tool.arguments.is_some() { " with these arguments" } else { "" };
            let wanted = match most {
                Some(most) if most == least => format!("{least}"),
                Some(most) => format!("{least} to {most}"),
                None => format!("at least {least}"),
            };
            let comment = format!("`{}` was called {count} times{with}, expected {wanted}", tool.name);
            return Found::rule(false, comment);
        }
    }
    let shown = || {
        let names: Vec<_> = calls.iter().map(|call| call.tool).collect();
        if names.is_empty() { "no tools".to_owned() } else { shortened(&names.join(", "), SHOWN_BYTES) }
    };
    if rule.in_order && !in_order(&rule.tools, calls) {
        let wanted: Vec<_> = rule.tools.iter().map(|tool| tool.name.as_str()).collect();
        let comment = format!("called {}, expected the order {}", shown(), wanted.join(", "));
        return Found::rule(false, comment);
    }
    Found::rule(true, format!("called {}", shown()))
}

/// Whether calls of these tools come one after the other, each as often as it must be, whatever is called between.
fn in_order(tools: &[ToolUse], calls: &[Call<'_>]) -> bool {
    let mut rest = calls.iter();
    tools.iter().all(|tool| (0..tool.min).all(|_| rest.any(|call| tool.is(call))))
}

impl ToolUse {
    fn is(&self, call: &Call<'_>) -> bool {
        self.name == call.tool
            && self.arguments.as_ref().is_none_or(|wanted| {
                call.arguments.as_ref().is_some_and(|given| {
                    wanted.iter().all(|(name, value)| given.get(name).is_some_and(|given| same(value, given)))
                })
            })
    }
}

/// Whether two values are the same, numbers by their value: `1` is `1.0`.
pub(super) fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::evaluators::verdict::Verdict;

    fn tool(name: &str, min: u32, max: Option<u32>) -> ToolUse {
        ToolUse { name: name.to_owned(), min, max, arguments: None }
    }

    fn verdict(tools: Vec<ToolUse>, in_order: bool, called: &[(&'static str, Value)]) -> (bool, String) {
        let call =
            |(tool, given): &(&'static str, Value)| Call { tool, arguments: given.as_object().cloned() };
        let calls: Vec<_> = called.iter().map(call).collect();
        match judged(&ToolCalledRule { tools, in_order }, &calls) {
            Found::Verdict(Verdict { passed: Some(passed), comment, .. }) => (passed, comment),
            other => panic!("{other:?}"),
        }
    }

    fn called(names: &[&'static str]) -> Vec<(&'static str, Value)> {
        names.iter().map(|name| (*name, Value::Null)).collect()
    }

    #[test]
    fn calls_are_counted() {
        let twice = vec![tool("search", 1, Some(2))];
        assert!(verdict(twice.clone(), false, &called(&["search", "add"])).0);
        let (passed, comment) = verdict(twice, false, &called(&["search"; 3]));
        assert_eq!((passed, comment.as_str()), (false, "`search` was called 3 times, expected 1 to 2"));
        assert!(verdict(vec![tool("delete", 0, Some(0))], false, &[]).0);
        assert!(!verdict(vec![tool("delete", 0, Some(0))], false, &called(&["delete"])).0);
    }

    #[test]
    fn an_order_is_kept_whatever_comes_between() {
        let tools = || vec![tool("search", 1, None), tool("read", 2, None)];
        assert!(verdict(tools(), true, &called(&["read", "search", "add", "read", "read"])).0);
        let (passed, comment) = verdict(tools(), true, &called(&["read", "search", "read"]));
        assert_eq!(
            (passed, comment.as_str()),
            (false, "called read, search, read, expected the order search, read")
        );
    }

    #[test]
    fn arguments_are_compared_by_their_values() {
        let arguments = json!({"city": "Berlin", "days": 2}).as_object().cloned();
        let wanted = || vec![ToolUse { arguments: arguments.clone(), ..tool("weather", 1, None) }];
        let given = |given: Value| verdict(wanted(), false, &[("weather", given)]).0;
        assert!(given(json!({"city": "Berlin", "days": 2.0, "unit": "C"})));
        assert!(!given(json!({"city": "Rome", "days": 2})) && !given(json!({"city": "Berlin"})));
    }
}
