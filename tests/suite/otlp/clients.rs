//! Clients as they are published, run against a server as it is run: the programs of `tests/otel`. What a
//! client says is to be found is found, and what is told of it is what is told of its recording.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tokio::process::Command;

use super::{
    bed::Bed,
    corpus::{of_client, send_all},
    expected::Found,
    real::Real,
    render,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A program of `tests/otel/python`.
fn python(program: &str) -> Command {
    let (venv, list) = (folder().join("target/otel-venv"), "tests/otel/python/requirements.txt");
    let installed = fs::read(venv.join("requirements.txt")).ok();
    assert!(
        installed == fs::read(folder().join(list)).ok() && installed.is_some(),
        "the Python clients are not installed, or others than {list} says: run `make target/otel-venv/requirements.txt`, \
         or `make suite`"
    );
    let mut command = Command::new(venv.join("bin/python"));
    command.arg(folder().join("tests/otel/python").join(program)).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A program of `tests/otel/js`.
fn node(program: &str) -> Command {
    let programs = folder().join("tests/otel/js");
    let installed = programs.join("node_modules").exists();
    assert!(
        installed,
        "the JavaScript clients are not installed: run `npm ci --prefix tests/otel/js`, or `make suite`"
    );
    let mut command = Command::new("node");
    command.arg(programs.join(program));
    command
}

/// How a program is to send.
enum Way {
    /// To the port of OTLP over HTTP.
    Http,
    /// To the port of everything.
    Main,
    /// By gRPC.
    Grpc,
}

/// Runs a program and looks for what it says is to be found.
async fn run(mut program: Command, way: Way, client: &str) {
    let server = Real::start();
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_")) {
        program.env_remove(name);
    }
    let (endpoint, protocol) = match way {
        Way::Http => (server.http.clone(), "http/protobuf"),
        Way::Main => (server.main.clone(), "http/protobuf"),
        Way::Grpc => (format!("http://{}", server.grpc), "grpc"),
    };
    program.env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
    program.env("NO_PROXY", "127.0.0.1,localhost").kill_on_drop(true);
    let output = program.output().await.unwrap_or_else(|error| panic!("{program:?} does not run: {error}"));
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{client}: {err}");
    let expected: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();

    let pages = json!({ "traces": 6, "spans": 20, "messages": 40 });
    let data = server.ask(include_str!("traces.graphql"), pages).await;
    let traces = data["traces"]["nodes"].as_array().unwrap();
    // An exporter that could not deliver says so, and ends well.
    assert!(!traces.is_empty(), "nothing arrived of {client}: {err}");
    Found::check(client, traces, &expected);
    let data = server.ask(include_str!("components.graphql"), json!({})).await;
    let components = data["components"]["nodes"].as_array().unwrap();
    let told = render::traces(traces) + &render::components(components);
    assert_eq!(alike(&told, &expected), recorded(client).await, "{client}");
}

/// What is told of a client's recording.
async fn recorded(client: &str) -> Vec<String> {
    let bed = Bed::new().await;
    let expected = send_all(&of_client(client), &bed).await;
    let data = bed.data(include_str!("components.graphql"), json!({})).await;
    let components = data["components"]["nodes"].as_array().unwrap();
    alike(&(render::traces(&bed.all_traces().await) + &render::components(components)), &expected)
}

/// What does not change from run to run: without ids that were made at random and without measured times,
/// and in the order of the words, because tools that run side by side start in any.
fn alike(told: &str, expected: &Value) -> Vec<String> {
    let own = expected["conversationId"].as_str().unwrap_or("no conversation");
    let of_one = |line: &str| {
        let line = line.replace(own, "CONVERSATION");
        let words = line.split(' ').filter(|word| !word.starts_with("timeToFirstTokenMs="));
        let line = words.collect::<Vec<_>>().join(" ");
        if line.trim_start().starts_with("link ") { "link".to_owned() } else { line }
    };
    let mut lines: Vec<_> = told.lines().map(of_one).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn pydantic_ai_over_http() {
    run(python("pydantic_ai_agent.py"), Way::Http, "pydantic-ai").await;
}

#[tokio::test]
async fn pydantic_ai_over_grpc() {
    run(python("pydantic_ai_agent.py"), Way::Grpc, "pydantic-ai").await;
}

#[tokio::test]
async fn the_python_sdk_over_http_packed() {
    let mut program = python("otel_sdk.py");
    program.env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    run(program, Way::Http, "otel-sdk-python").await;
}

#[tokio::test]
async fn the_python_sdk_over_grpc_packed() {
    let mut program = python("otel_sdk.py");
    program.env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
    run(program, Way::Grpc, "otel-sdk-python").await;
}

#[tokio::test]
async fn openinference_over_http() {
    run(python("openinference_openai.py"), Way::Http, "openinference-openai").await;
}

#[tokio::test]
async fn openinference_with_both_conventions() {
    let mut program = python("openinference_openai.py");
    program.env("OPENINFERENCE_ENABLE_GENAI_SEMCONV", "true");
    run(program, Way::Main, "openinference-openai-genai").await;
}

#[tokio::test]
async fn openllmetry_over_http() {
    run(python("openllmetry_openai.py"), Way::Http, "openllmetry-openai").await;
}

#[tokio::test]
async fn langgraph_over_http() {
    run(python("langgraph_agent.py"), Way::Http, "langgraph").await;
}

#[tokio::test]
async fn openais_official_instrumentation_over_grpc() {
    run(python("openai_official.py"), Way::Grpc, "openai-official").await;
}

#[tokio::test]
async fn the_javascript_sdk_in_json_packed() {
    run(node("otel_sdk.mjs"), Way::Http, "otel-sdk-js").await;
}

#[tokio::test]
async fn vercels_sdk_in_json() {
    run(node("vercel_ai.mjs"), Way::Main, "vercel-ai").await;
}

#[tokio::test]
async fn vercels_sdk_with_its_older_attributes() {
    let mut program = node("vercel_ai.mjs");
    program.arg("legacy");
    run(program, Way::Http, "vercel-ai-legacy").await;
}

#[tokio::test]
async fn vercels_sdk_of_version_six() {
    run(node("vercel_ai_v6.mjs"), Way::Http, "vercel-ai-v6").await;
}
