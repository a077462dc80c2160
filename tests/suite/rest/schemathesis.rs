//! Schemathesis, which reads what the APIs say of themselves and tries it out: with what should be taken and with
//! what should not. The same requests each time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};

use crate::cli::{Serving, dendro};

fn schemathesis(place: &Path) -> Command {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let (venv, list) = (folder.join("target/rest-venv"), "tests/rest/requirements.txt");
    let installed = fs::read(venv.join("requirements.txt")).ok();
    assert!(
        installed == fs::read(folder.join(list)).ok() && installed.is_some(),
        "Schemathesis is not installed, or another version than {list} says: run \
         `make target/rest-venv/requirements.txt`, or `make suite`"
    );
    let mut command = Command::new(venv.join("bin/schemathesis"));
    // What it generates is the same each time. What it keeps, it keeps where it runs.
    command.current_dir(place);
    command.args(["run", "--no-color", "--generation-deterministic", "--continue-on-failure", "--no-shrink"]);
    command.args(["--suppress-health-check", "all"]);
    command.env("PYTHONPATH", folder.join("tests/rest")).env("SCHEMATHESIS_HOOKS", "scalars");
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A server with something in it, so that what is tried out is found.
fn server(folder: &Path) -> Serving {
    let server = Serving::start(dendro(folder, &["serve", "--listen", "127.0.0.1:0", "--engine", "memory"]));
    let root = format!("http://{}/api/v1", server.address);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(fill(&root));
    server
}

async fn fill(root: &str) {
    let client = reqwest::Client::new();
    let post = async |path: &str, body: Value| -> Value {
        let answer = client.post(format!("{root}{path}")).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap()
    };
    let conversation = post("/conversations", json!({ "title": "Talk", "tags": ["a"] })).await;
    let id = conversation["conversationId"].as_str().unwrap();
    let said = post(&format!("/conversations/{id}/messages"), json!({ "content": "Hi", "trace": {} })).await;
    let spans = format!("/traces/{}/spans", said["traceId"].as_str().unwrap());
    let agent = post(&spans, json!({ "operationType": "AGENT", "name": "a", "status": "OK" })).await;
    let call = json!({ "operationType": "LLM_CALL", "name": "b", "parentSpanId": agent["spanId"], "model": "m", "inputs": [1], "tokens": { "input": 3 } });
    post(&spans, call).await;
    post("/components/prompts%2Fa/versions", json!({ "componentType": "PROMPT", "definition": "text" }))
        .await;
    let target = json!({ "traceId": said["traceId"] });
    post("/scores", json!({ "target": target, "name": "good", "value": { "number": 1 } })).await;
}

/// What it says of a run that found nothing.
fn ends_well(mut command: Command) -> String {
    let ended = command.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    said
}

#[test]
fn rest_is_as_it_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut command = schemathesis(folder.path());
    command.arg(format!("http://{}/api/v1/openapi.json", server.address));
    // Without `positive_data_acceptance`: a schema cannot say what is there, and what may not be blank.
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                  response_headers_conformance,negative_data_rejection,unsupported_method";
    command.args(["--checks", checks, "--phases", "examples,coverage,fuzzing", "--max-examples", "5"]);
    let said = ends_well(command);
    assert!(said.contains("Tested: "), "{said}");
}

#[test]
fn graphql_never_fails() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let mut command = schemathesis(folder.path());
    command.arg(format!("http://{}/graphql", server.address));
    command.args(["--checks", "not_a_server_error", "--phases", "fuzzing", "--max-examples", "5"]);
    let said = ends_well(command);
    assert!(said.contains("Tested: "), "{said}");
}
