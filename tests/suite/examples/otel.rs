//! The examples of OpenTelemetry: an agent that is live, and one that is only instrumented.

use std::{
    collections::BTreeMap,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    ask, file,
    record::{lines, run},
    server,
};
use crate::cli::Ended;

const NEWEST: &str = "{ traces(first: 1) { nodes {
  name status userInput finalOutput runningSpanCount totalTokens totalCostUsd
  spans { nodes { spanId name status } }
  conversation { messages(first: 10) { nodes { role content toolCalls { name } } } }
  rootSpans { ...Row children { ...Row children { ...Row } } } } } }
fragment Row on Span { name operationType status components { componentId } }";

/// Python with the packages of `tests/otel/python/requirements.txt`, without settings of whoever runs the
/// tests.
fn python() -> Command {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/otel-venv/bin/python");
    assert!(program.exists(), "{} is not there: `make suite` makes it", program.display());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        command.env_remove(name);
    }
    command
}

async fn newest(address: &str) -> Value {
    ask(address, NEWEST).await["traces"]["nodes"][0].clone()
}

/// Who said what, of a conversation.
fn said(trace: &Value) -> Vec<(&str, &str)> {
    let messages = trace["conversation"]["messages"]["nodes"].as_array().unwrap().iter();
    messages
        .map(|message| (message["role"].as_str().unwrap(), message["content"].as_str().unwrap_or("(a call)")))
        .collect()
}

#[tokio::test]
async fn a_live_agent_is_seen_at_work() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let url = format!("http://{}", server.address);
    let mut agent = python();
    agent.arg(file("live_spans.py")).args([&url, "1.5"]).stdout(Stdio::null());
    let mut agent = tokio::process::Command::from(agent).kill_on_drop(true).spawn().unwrap();

    // How each span and the trace stood, one after the other.
    let mut stood = BTreeMap::<String, Vec<String>>::new();
    let mut note = |name: &str, status: &Value| {
        let (statuses, status) = (stood.entry(name.to_owned()).or_default(), status.as_str().unwrap());
        if statuses.last().is_none_or(|last| last != status) {
            statuses.push(status.to_owned());
        }
    };
    let mut ended = false;
    let trace = loop {
        let trace = newest(&server.address).await;
        if !trace.is_null() {
            note("the trace", &trace["status"]);
            for span in trace["spans"]["nodes"].as_array().unwrap() {
                note(span["spanId"].as_str().unwrap(), &span["status"]);
            }
        }
        if ended {
            break trace;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        // Once it has ended, there is one more look at what it left.
        ended = agent.try_wait().unwrap().inspect(|status| assert!(status.success())).is_some();
    };

    assert_eq!(stood.remove("the trace").unwrap(), ["RUNNING", "COMPLETED"]);
    assert_eq!(stood.len(), 4);
    assert!(stood.values().all(|statuses| *statuses == ["RUNNING", "OK"]), "{stood:?}");
    let tree = [
        "AGENT invoke_agent umbrella OK",
        "  LLM_CALL chat gpt-4o-mini OK",
        "  TOOL_CALL execute_tool weather OK",
        "  LLM_CALL chat gpt-4o-mini OK",
    ];
    assert_eq!(lines(&trace["rootSpans"], 0), tree);
    assert_eq!((&trace["runningSpanCount"], &trace["totalTokens"]), (&json!(0), &json!("250")));
    assert!(trace["totalCostUsd"].as_f64().unwrap() > 0.0);
    assert_eq!(trace["userInput"], "Do I need an umbrella in Graz?");
    assert_eq!(trace["finalOutput"], "No: the sky over Graz is clear.");
    let conversation = [
        ("USER", "Do I need an umbrella in Graz?"),
        ("ASSISTANT", "(a call)"),
        ("TOOL", r#"{"sky":"clear"}"#),
        ("ASSISTANT", "No: the sky over Graz is clear."),
    ];
    assert_eq!(said(&trace), conversation);
}

/// A server that takes connections and never answers must not be felt.
#[test]
fn an_agent_does_not_wait_for_who_watches() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let script = "
import sys, time
from live_spans import LiveSpans, TracerProvider
provider = TracerProvider()
provider.add_span_processor(LiveSpans(sys.argv[1]))
begun = time.monotonic()
for _ in range(3000):
    provider.get_tracer('busy').start_span('work', attributes={'list': [1, 2.5, True], 'text': 'ä'}).end()
print(time.monotonic() - begun < 4)
";
    let ended: Ended = python()
        .args(["-c", script, &url])
        .env("PYTHONPATH", file(""))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap()
        .into();
    assert_eq!((ended.code, ended.out.trim(), ended.err.as_str()), (Some(0), "True", ""));
}

#[tokio::test]
async fn an_instrumented_agent_shows_up() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let url = format!("http://{}", server.address);
    let out = run(python().arg(file("otel_agent.py")).env("OTEL_EXPORTER_OTLP_ENDPOINT", url));
    assert_eq!(out.trim(), "No: the sky over Graz is clear.");
    let trace = newest(&server.address).await;
    let tree = [
        "AGENT invoke_agent umbrella OK",
        "  LLM_CALL chat test OK",
        "  TOOL_CALL execute_tool weather OK",
        "  LLM_CALL chat test OK",
    ];
    assert_eq!(lines(&trace["rootSpans"], 0), tree);
    assert_eq!((&trace["status"], &trace["finalOutput"]), (&json!("COMPLETED"), &json!(out.trim())));
    let versions = trace["rootSpans"][0]["children"][0]["components"].as_array().unwrap();
    let versions: Vec<_> = versions.iter().map(|version| &version["componentId"]).collect();
    assert_eq!(versions, ["prompts/umbrella", "models/test", "tools/weather"]);
    let conversation = said(&trace);
    assert_eq!(conversation[0], ("SYSTEM", "Answer in one sentence."));
    assert_eq!(conversation[1], ("USER", "Do I need an umbrella in Graz?"));
    assert_eq!((conversation.len(), conversation[4].1), (5, out.trim()));
}
