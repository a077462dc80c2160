//! `calculator`: arithmetic. Fractions are kept as such, so that 0.1 + 0.2 is 0.3.

mod functions;
mod number;
mod parse;

use futures_util::future::{self, BoxFuture};
use serde_json::{Value, json};

use self::number::Number;
use super::{Tool, ToolError, ToolSpec, failed, spec, text};
use crate::model::Json;

/// Characters of an expression at most. It bounds the work: each takes a step or two.
const MAX_LENGTH: usize = 1_000;

/// What an expression comes to, or where it is wrong.
type Outcome = Result<Number, String>;

/// Works out an arithmetic expression.
#[derive(Debug, Clone, Copy, Default)]
pub struct Calculator;

impl Tool for Calculator {
    fn spec(&self) -> ToolSpec {
        let description = format!(
            "Works out an arithmetic expression, exactly where that is possible. Operators: + - * / % ^ and \
             parentheses; `%` is the remainder. Constants: pi, e. Functions, angles in radians: {}.",
            functions::names()
        );
        let parameters = json!({
            "type": "object",
            "properties": {
                "expression": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": MAX_LENGTH,
                    "description": "For example: (1250 * 1.19 - 30) / 12"
                }
            },
            "required": ["expression"],
            "additionalProperties": false
        });
        spec("calculator", &description, &parameters)
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        let expression = text(&arguments, "expression").unwrap_or_default();
        let outcome = evaluate(expression).map(|value| Json::string(&value)).map_err(failed);
        Box::pin(future::ready(outcome))
    }
}

/// Works out an expression. It ends soon and without a panic, whatever the text is.
///
/// # Errors
/// Where the expression is wrong and what would be right, or why it has no value.
pub fn evaluate(expression: &str) -> Result<String, String> {
    if expression.chars().nth(MAX_LENGTH).is_some() {
        return Err(format!("the expression has more than {MAX_LENGTH} characters"));
    }
    parse::value(expression).map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_look_as_a_person_would_write_them() {
        for (expression, value) in [
            ("0.1 + 0.2", "0.3"),
            ("1/3", "0.333333333333333"),
            ("1/3*3", "1"),
            ("2/3", "0.666666666666667"),
            ("1/8", "0.125"),
            ("-1/8", "-0.125"),
            ("123456789 * 987654321", "121932631112635269"),
            ("2^100", "1267650600228229401496703205376"),
            ("2^-2", "0.25"),
            ("2^0.5", "1.4142135623731"),
            ("-2^2", "-4"),
            ("2^3^2", "512"),
            ("2**3", "8"),
            ("10 % 4", "2"),
            ("-7 % 3", "-1"),
            ("5.5 % 2", "1.5"),
            ("(1250 * 1.19 - 30) / 12", "121.458333333333"),
            ("1e3 + 1.5E-2", "1000.015"),
            ("sqrt(16) + abs(-3)", "7"),
            ("sqrt(2)^2", "2"),
            ("round(2.5) + round(-2.5)", "0"),
            ("round(1234.5678, 2)", "1234.57"),
            ("round(1234.5678, -2)", "1200"),
            ("floor(-0.5) + ceil(0.5)", "0"),
            ("min(3, 1, 2) + max(3, 1, 2)", "4"),
            ("log(1000) + log(8, 2) + ln(e)", "7"),
            ("sin(pi)", "1.22464679914735e-16"),
            ("2 × 3 ÷ 4 − 1", "0.5"),
            ("10^50", "1e50"),
            ("10^-20", "1e-20"),
            ("3 * -(2)", "-6"),
            ("1/7e30", "1.42857142857143e-31"),
        ] {
            assert_eq!(evaluate(expression).as_deref(), Ok(value), "{expression}");
        }
    }

    #[test]
    fn what_has_no_value_says_why() {
        for (expression, fault) in [
            ("1/0", "zero"),
            ("1 % 0", "zero"),
            ("0^-1", "zero"),
            ("sqrt(-1)", "not a number"),
            ("10^400", "too large"),
            ("9^9^9^9", "too large"),
            ("1 +", "ends"),
            ("(1", "`)`"),
            ("1)", "character 2"),
            ("1 2", "character 3"),
            ("foo(1)", "sqrt"),
            ("x", "pi"),
            ("sqrt(1, 2)", "takes"),
            ("sqrt", "sqrt(…)"),
            ("1.2.3", "character 4"),
            ("", "ends"),
        ] {
            let told = evaluate(expression).unwrap_err();
            assert!(told.contains(fault), "{expression}: {told}");
        }
        for deep in ["(", "-", "2^", "abs("] {
            let told = evaluate(&deep.repeat(MAX_LENGTH / deep.len())).unwrap_err();
            assert!(told.contains("deep"), "{told}");
        }
        assert!(evaluate(&"1+".repeat(MAX_LENGTH)).unwrap_err().contains("1000"));
    }
}
