//! The tools that are built in, but for the one that reads pages.

use dendro::tools::{ToolErrorKind, builtin};
use proptest::prelude::*;
use serde_json::json;

use super::{call, failure, started};
use crate::support::property;

#[tokio::test]
async fn the_calculator_calculates() {
    let tools = started(json!({}));
    let result = call(&tools, "calculator", json!({"expression": "(0.1 + 0.2) * 100"})).await;
    assert_eq!(result.unwrap(), json!("30"));
    let (kind, message) = failure(&tools, "calculator", json!({"expression": "1 / (2 - 2)"})).await;
    assert_eq!((kind, message.as_str()), (ToolErrorKind::Failed, "a division by zero"));
    let long = json!({"expression": "1+".repeat(5_000)});
    assert_eq!(failure(&tools, "calculator", long).await.0, ToolErrorKind::InvalidArguments);
}

/// Texts of the pieces that expressions are made of, in any order, and texts of anything.
fn expressions() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "0",
        "1",
        "2",
        "9",
        "99999999999",
        "170141183460469231731687303715884105727",
        "0.1",
        ".",
        "1e400",
        "1e-400",
        "e",
        "pi",
        "+",
        "-",
        "−",
        "*",
        "**",
        "/",
        "%",
        "^",
        "(",
        ")",
        ",",
        " ",
        "sqrt(",
        "round(",
        "log(",
        "min(",
        "atan2(",
        "floor(",
        "ceil(",
        "trunc(",
        "abs(",
        "exp(",
        "x",
        "é",
        "🦀",
    ]);
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

#[test]
fn the_calculator_takes_any_text() {
    property::holds(2_000, expressions(), async |expression: String| {
        if let Ok(value) = builtin::evaluate(&expression) {
            assert!(value.parse::<f64>().is_ok_and(f64::is_finite), "{expression}: {value}");
            assert!(value.len() < 50, "{expression}: {value}");
        }
    });
}

#[test]
fn the_calculator_agrees_with_whole_numbers() {
    let numbers = (-1_000_000_i64..1_000_000, -1_000_000_i64..1_000_000, 1_i64..1_000_000);
    property::holds(500, numbers, async |(a, b, c)| {
        let value = builtin::evaluate(&format!("({a} + {b}) * {c} - {a} % {c}")).unwrap();
        assert_eq!(value, ((a + b) * c - a % c).to_string());
        assert_eq!(builtin::evaluate(&format!("{a} / {c} * {c} + {b}")).unwrap(), (a + b).to_string());
    });
}

#[tokio::test]
async fn the_time_is_told_by_the_clock() {
    let tools = started(json!({}));
    let utc = json!({"time": "2025-01-01T00:00:00Z", "weekday": "Wednesday", "unix_seconds": 1_735_689_600});
    assert_eq!(call(&tools, "current_time", json!({})).await.unwrap(), utc);
    let before =
        json!({"time": "2024-12-31T18:30:00-05:30", "weekday": "Tuesday", "unix_seconds": 1_735_689_600});
    assert_eq!(call(&tools, "current_time", json!({"utc_offset": "-05:30"})).await.unwrap(), before);
    for offset in ["Europe/Berlin", "+2", "+99:00", "", "+02:00 "] {
        let (kind, message) = failure(&tools, "current_time", json!({"utc_offset": offset})).await;
        assert_eq!(kind, ToolErrorKind::InvalidArguments);
        assert!(message.contains("/utc_offset"), "{message}");
    }
}
