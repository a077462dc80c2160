//! The examples that record.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};

use super::{ask, file, server};
use crate::cli::Ended;

const NEWEST: &str = "{ traces(first: 1) { nodes {
  name status userInput finalOutput spanCount runningSpanCount errorCount totalTokens
  message { content } conversation { title messageCount } scores { name numberValue }
  rootSpans { ...Row children { ...Row children { ...Row } } } } } }
fragment Row on Span { name operationType status statusMessage }";

/// Runs a program to its good end.
pub(super) fn run(command: &mut Command) -> String {
    let ended = Ended::from(command.output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out
}

/// Where cargo puts an example, seen from this test.
fn built(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(program.exists(), "{} is not built: run `cargo build --example {name}`", program.display());
    program
}

/// The spans as lines, indented by their depth.
pub(super) fn lines(spans: &Value, depth: usize) -> Vec<String> {
    let mut all = Vec::new();
    for span in spans.as_array().into_iter().flatten() {
        let facts = ["operationType", "name", "status"].map(|fact| span[fact].as_str().unwrap());
        all.push(format!("{}{}", "  ".repeat(depth), facts.join(" ")));
        all.extend(lines(&span["children"], depth + 1));
    }
    all
}

#[tokio::test]
async fn the_rust_program_records_a_nested_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let url = format!("http://{}", server.address);
    let said = run(Command::new(built("record_run")).args([&url, "0"]));
    let answer = ask(&server.address, NEWEST).await;
    let trace = &answer["traces"]["nodes"][0];
    let tree = [
        "AGENT travel-agent OK",
        "  LLM_CALL choose a tool OK",
        "  TOOL_CALL timetable ERROR",
        "  TOOL_CALL timetable OK",
        "    RETRIEVAL stations OK",
        "  LLM_CALL answer OK",
    ];
    assert_eq!(lines(&trace["rootSpans"], 0), tree);
    assert_eq!((&trace["status"], &trace["errorCount"]), (&json!("COMPLETED"), &json!(1)));
    assert_eq!((&trace["totalTokens"], &trace["runningSpanCount"]), (&json!("1041"), &json!(0)));
    assert!(said.contains(&format!("{url}/graphiql")) && said.contains("6 spans, 1041 tokens"), "{said}");
}

#[tokio::test]
async fn the_python_script_records_a_conversation_and_its_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let url = format!("http://{}", server.address);
    let said = run(Command::new("python3").arg(file("record.py")).arg(url));
    let answer = ask(&server.address, NEWEST).await;
    let trace = &answer["traces"]["nodes"][0];
    let tree = [
        "AGENT weather-agent OK",
        "  LLM_CALL choose a tool OK",
        "  TOOL_CALL weather ERROR",
        "  TOOL_CALL weather OK",
        "  LLM_CALL answer OK",
    ];
    assert_eq!(lines(&trace["rootSpans"], 0), tree);
    let failed = &trace["rootSpans"][0]["children"][1];
    assert_eq!(failed["statusMessage"], "no station in Eggenberg");
    assert_eq!(trace["userInput"], trace["message"]["content"], "the message set the run off");
    assert_eq!(trace["conversation"], json!({ "title": "Umbrella", "messageCount": 2 }));
    assert_eq!(trace["scores"], json!([{ "name": "helpful", "numberValue": 0.9 }]));
    assert!(said.contains("done    COMPLETED with 5 spans"), "{said}");
}

#[tokio::test]
async fn the_python_script_carries_out_a_plan_that_tells_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let said = run(Command::new("python3").arg(file("plan.py")).arg(format!("http://{}", server.address)));
    let told: Vec<_> =
        said.lines().skip(3).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        told,
        [
            "COMPLETED Find flights to Graz 1 tried $0.0004",
            "COMPLETED Find hotels in Graz 2 tried $0.0008 failed: the hotels did not answer",
            "COMPLETED Put together an offer 1 tried $0.0004",
            "FAILED Send the offer 2 tried $0.0008 failed: no mail server, no mail server",
            "BLOCKED File the receipt 0 tried - blocked by: Send the offer",
            "FAILED 840 tokens, $0.0024",
        ]
    );
    const BOTH_WAYS: &str = "{ plans(first: 1) { nodes { steps { description attempts { span {
      name status ... on PlanStepSpan { step { description } } trace { name status }
    } } } } } }";
    let found = ask(&server.address, BOTH_WAYS).await;
    let step = &found["plans"]["nodes"][0]["steps"][1];
    let spans: Vec<_> = step["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["span"]).collect();
    let ends: Vec<_> = spans.iter().map(|span| span["status"].as_str().unwrap()).collect();
    assert_eq!(ends, ["ERROR", "OK"]);
    assert!(spans.iter().all(|span| span["step"]["description"] == step["description"]), "{step}");
    assert_eq!(spans[0]["trace"], json!({ "name": "trip", "status": "COMPLETED" }));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let rust = Ended::from(Command::new(built("record_run")).arg(&url).output().unwrap());
    let python = Ended::from(Command::new("python3").arg(file("record.py")).arg(&url).output().unwrap());
    for ended in [rust, python] {
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.to_lowercase().contains("connect"), "{ended:?}");
    }
}
