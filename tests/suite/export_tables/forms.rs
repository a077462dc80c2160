//! What each format says.

use std::{fs, path::Path, process::Command};

use dendro::service::tables::{Kind, Table};
use serde_json::{Map, Value, json};

use super::{fill, router, rows, table};
use crate::support::Server;

/// A Parquet file as pyarrow reads it.
pub(super) fn read_parquet(bytes: &[u8]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (venv, list) = (root.join("target/tables-venv"), root.join("tests/tables/requirements.txt"));
    let installed = fs::read(venv.join("requirements.txt")).ok();
    assert!(
        installed.is_some() && installed == fs::read(list).ok(),
        "pyarrow is not installed, or another version than tests/tables/requirements.txt says: run \
         `make target/tables-venv/requirements.txt`, or `make suite`"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("table.parquet");
    fs::write(&file, bytes).unwrap();
    let program = root.join("tests/tables/parquet.py");
    let read = Command::new(venv.join("bin/python")).arg(program).arg(file).output().unwrap();
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).unwrap()
}

/// A row of JSON lines as Parquet has it: JSON as its text, moments as numbers.
fn as_parquet(row: &Value, kinds: &Value) -> Value {
    let value = |(name, value): (&String, &Value)| {
        let value = match (value, kinds[name].as_str().unwrap()) {
            (Value::Null, _) => Value::Null,
            (Value::String(text), "timestamp[ns, tz=UTC]") => {
                json!(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_nanos_opt().unwrap())
            }
            (value @ (Value::Array(_) | Value::Object(_)), "string") => json!(value.to_string()),
            (value, _) => value.clone(),
        };
        (name.clone(), value)
    };
    Value::Object(row.as_object().unwrap().iter().map(value).collect())
}

/// The same, with every JSON text as its value: how it is written may differ.
fn with_json_read(row: &Value) -> Value {
    let read = |value: &Value| match value {
        Value::String(text) if text.starts_with(['{', '[', '"']) => {
            serde_json::from_str(text).unwrap_or_else(|_| value.clone())
        }
        value => value.clone(),
    };
    Value::Object(row.as_object().unwrap().iter().map(|(name, value)| (name.clone(), read(value))).collect())
}

#[tokio::test]
async fn parquet_and_csv_say_what_json_lines_say() {
    let server = Server::new().await;
    fill(&server).await;
    let router = router(&server);
    for name in ["traces", "spans", "messages", "scores"] {
        let lines = rows(&router, &format!("{name}.jsonl")).await;
        assert!(!lines.is_empty(), "{name}");

        let parquet = read_parquet(&table(&router, &format!("{name}.parquet")).await);
        let kinds = &parquet["kinds"];
        assert_eq!(parquet["rows"].as_array().unwrap().len(), lines.len(), "{name}");
        for (line, row) in lines.iter().zip(parquet["rows"].as_array().unwrap()) {
            let expected = with_json_read(&as_parquet(line, kinds));
            assert_eq!(with_json_read(row), expected, "{name}");
        }

        let columns = name.parse::<Table>().unwrap().columns();
        let comma = table(&router, &format!("{name}.csv")).await;
        let mut reader = csv::Reader::from_reader(comma.as_slice());
        let names: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let first: Map<String, Value> = lines[0].as_object().unwrap().clone();
        assert_eq!(names.len(), first.len());
        for (line, record) in lines.iter().zip(reader.into_records()) {
            for (name, field) in names.iter().zip(&record.unwrap()) {
                let expected = match &line[name] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    value => value.to_string(),
                };
                let is_json = columns.iter().any(|column| column.name == name && column.kind == Kind::Json);
                if is_json && !line[name].is_null() {
                    assert_eq!(serde_json::from_str::<Value>(field).unwrap(), line[name], "{name}");
                } else {
                    assert_eq!(field, expected, "{name}");
                }
            }
        }
    }
    let spans = String::from_utf8(table(&router, "spans.csv").await).unwrap();
    assert!(spans.starts_with("trace_id,span_id,parent_span_id,") && spans.ends_with("\r\n"));
    let messages = String::from_utf8(table(&router, "messages.csv").await).unwrap();
    assert!(messages.contains(",\"=1+1, \"\"quoted\"\"\r\nand \u{1F600} ünicode\","));
}

#[tokio::test]
async fn kinds_of_parquet_are_those_that_readers_compute_with() {
    let server = Server::new().await;
    fill(&server).await;
    let parquet = read_parquet(&table(&router(&server), "spans.parquet").await);
    let kinds = &parquet["kinds"];
    for (column, kind) in [
        ("trace_id", "string"),
        ("start_time", "timestamp[ns, tz=UTC]"),
        ("duration_ns", "int64"),
        ("cost_usd", "decimal128(19, 9)"),
        ("inputs", "string"),
    ] {
        assert_eq!(kinds[column], kind, "{column}");
    }
    let rows = parquet["rows"].as_array().unwrap();
    let call = rows.iter().find(|row| row["name"] == "call").unwrap();
    assert_eq!((&call["cost_usd"], &call["duration_ns"]), (&json!("0.000012345"), &json!(1_000_000_001)));
    assert_eq!(call["input_tokens"], 9_007_199_254_740_993_i64);
}

/// Names of columns, and of the fields of the API that say the same.
const SPANS: &[(&str, &str)] = &[
    ("span_id", "spanId"),
    ("parent_span_id", "parentSpanId"),
    ("operation_type", "operationType"),
    ("name", "name"),
    ("status", "status"),
    ("status_message", "statusMessage"),
    ("start_time", "startTime"),
    ("end_time", "endTime"),
    ("inputs", "inputs"),
    ("outputs", "outputs"),
    ("attributes", "attributes"),
    ("cost_source", "costSource"),
    ("price_version", "priceVersion"),
];

const TRACES: &[(&str, &str)] = &[
    ("trace_id", "traceId"),
    ("name", "name"),
    ("status", "status"),
    ("start_time", "startTime"),
    ("end_time", "endTime"),
    ("conversation_id", "conversationId"),
    ("user_input", "userInput"),
    ("final_output", "finalOutput"),
    ("span_count", "spanCount"),
    ("error_count", "errorCount"),
    ("llm_call_count", "llmCallCount"),
    ("models", "models"),
    ("depth", "depth"),
    ("metadata", "metadata"),
];

const MESSAGES: &[(&str, &str)] = &[
    ("message_id", "messageId"),
    ("conversation_id", "conversationId"),
    ("ordinal", "ordinal"),
    ("role", "role"),
    ("message_type", "messageType"),
    ("content", "content"),
    ("confidence_score", "confidenceScore"),
    ("timestamp", "timestamp"),
    ("metadata", "metadata"),
];

const SCORES: &[(&str, &str)] = &[
    ("score_id", "scoreId"),
    ("name", "name"),
    ("value_type", "valueType"),
    ("number_value", "numberValue"),
    ("category_value", "categoryValue"),
    ("boolean_value", "booleanValue"),
    ("comment", "comment"),
    ("source", "source"),
    ("created_at", "createdAt"),
];

#[tokio::test]
async fn rows_say_what_the_api_says() {
    let server = Server::new().await;
    let filled = fill(&server).await;
    let router = router(&server);
    let fields = |of: &[(&str, &str)]| of.iter().map(|(_, field)| *field).collect::<Vec<_>>().join(" ");
    let query = format!(
        "query($trace: ID!, $talk: ID!) {{
           trace(id: $trace) {{ {} totalCostUsd durationNanos inputTokens scores {{ {} }} spans {{ nodes {{ {} costUsd }} }} }}
           conversation(id: $talk) {{ messages {{ nodes {{ {} }} }} }} }}",
        fields(TRACES), fields(SCORES), fields(SPANS), fields(MESSAGES),
    );
    let told = server.data(&query, json!({ "trace": filled.traces[0], "talk": filled.conversation })).await;
    let trace = &told["trace"];
    let same = |row: &Value, told: &Value, of: &[(&str, &str)]| {
        for (column, field) in of {
            assert_eq!(row[column], told[field], "{column}");
        }
    };
    let all = rows(&router, "traces.jsonl").await;
    same(&all[0], trace, TRACES);
    assert_eq!(all[0]["total_cost_usd"], "0.000012345");
    assert_eq!(trace["totalCostUsd"], 0.000_012_345);
    assert_eq!(json!(all[0]["duration_ns"].to_string()), trace["durationNanos"]);
    assert_eq!(json!(all[0]["input_tokens"].to_string()), trace["inputTokens"]);
    // What goes on has no end, and what nobody knows is null and not 0.
    for column in ["end_time", "duration_ns", "total_cost_usd", "name", "user_input"] {
        assert_eq!(all[1][column], Value::Null, "{column}");
    }
    let spans = rows(&router, "spans.jsonl").await;
    assert_eq!(spans.len(), 2);
    for span in trace["spans"]["nodes"].as_array().unwrap() {
        let row = spans.iter().find(|row| row["span_id"] == span["spanId"]).unwrap();
        same(row, span, SPANS);
        assert_eq!(row["trace_id"], trace["traceId"]);
    }
    let messages = rows(&router, "messages.jsonl").await;
    same(&messages[0], &told["conversation"]["messages"]["nodes"][0], MESSAGES);
    let scores = rows(&router, "scores.jsonl").await;
    assert_eq!(scores.len(), 5);
    let of_trace = scores.iter().find(|row| row["trace_id"] == trace["traceId"] && row["span_id"].is_null());
    same(of_trace.unwrap(), &trace["scores"][0], SCORES);
}

#[tokio::test]
async fn filters_choose_what_belongs_together() {
    let server = Server::new().await;
    let filled = fill(&server).await;
    let router = router(&server);
    let [first, second] = &filled.traces;
    let talk = &filled.conversation;
    for (filter, counts) in [
        (String::new(), [2, 2, 1, 5]),
        (format!("?conversationId={talk}"), [1, 2, 1, 4]),
        (format!("?traceId={first}"), [1, 2, 0, 2]),
        (format!("?traceId={first}&traceId={second}"), [2, 2, 0, 3]),
        (format!("?traceId={second}&conversationId={talk}"), [0, 0, 0, 0]),
        ("?from=2025-01-02T00:00:00Z".to_owned(), [1, 0, 0, 0]),
        ("?to=2025-01-01T00:00:00.123456789Z".to_owned(), [0, 0, 1, 5]),
    ] {
        for (table, count) in ["traces", "spans", "messages", "scores"].iter().zip(counts) {
            let found = rows(&router, &format!("{table}.jsonl{filter}")).await;
            assert_eq!(found.len(), count, "{table}{filter}");
        }
    }
}

#[test]
fn every_column_is_on_the_page() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/export.md")).unwrap();
    for table in Table::ALL {
        let section = page.split("\n## ").find(|section| section.to_lowercase().starts_with(table.name()));
        let section = section.unwrap_or_else(|| panic!("no section on {table}"));
        for column in table.columns() {
            assert!(section.contains(&format!("`{}`", column.name)), "{table}: {}", column.name);
        }
    }
}
