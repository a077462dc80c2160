//! What clients sent, as the API tells it. Each snapshot was read against what the client says is to be
//! found in it, and is to be read again when it changes.

use std::{fs, io::Write, path::PathBuf};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use super::{
    bed::{Bed, JSON, LOGS, TRACES, request},
    expected::Found,
    render,
};

/// A request of the corpus.
pub struct Recorded {
    folder: PathBuf,
    pub file: String,
    pub path: String,
    pub content_type: String,
    packed: bool,
    pub body: Vec<u8>,
}

pub fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/otlp")
}

/// The requests of a client, in the order in which it sent them.
pub fn of_client(name: &str) -> Vec<Recorded> {
    let folder = fixtures().join(name);
    let requests: Value = serde_json::from_slice(&fs::read(folder.join("requests.json")).unwrap()).unwrap();
    let read = |request: &Value| {
        let member = |name: &str| request[name].as_str().unwrap().to_owned();
        Recorded {
            folder: folder.clone(),
            file: member("file"),
            path: member("path"),
            content_type: member("content_type"),
            packed: member("encoding") == "gzip",
            body: fs::read(folder.join(member("file"))).unwrap(),
        }
    };
    requests.as_array().unwrap().iter().map(read).collect()
}

/// Requests that were written by hand.
pub fn handmade(names: &[&str]) -> Vec<Recorded> {
    let read = |name: &&str| Recorded {
        folder: fixtures(),
        file: format!("{name}.json"),
        path: if name.ends_with("-logs") { LOGS } else { TRACES }.to_owned(),
        content_type: JSON.to_owned(),
        packed: false,
        body: fs::read(fixtures().join(format!("handmade/{name}.json"))).unwrap(),
    };
    names.iter().map(read).collect()
}

/// All requests that were written by hand.
pub fn handmade_files() -> Vec<Recorded> {
    let entries = fs::read_dir(fixtures().join("handmade")).unwrap().map(|entry| entry.unwrap().path());
    let mut names: Vec<_> =
        entries.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    handmade(&names.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Clients whose requests were recorded.
pub fn clients() -> Vec<String> {
    let entries = fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path());
    let recorded = entries.filter(|path| path.join("requests.json").exists());
    let mut names: Vec<_> =
        recorded.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

impl Recorded {
    /// What its client says is to be found.
    fn expected(&self) -> Value {
        serde_json::from_slice(&fs::read(self.folder.join("expected.json")).unwrap()).unwrap()
    }

    /// Sends it as it was sent; answers what was said of it.
    pub async fn send(&self, bed: &Bed) -> String {
        let (headers, body): (&[_], _) = if self.packed {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&self.body).unwrap();
            (&[("content-encoding", "gzip")], encoder.finish().unwrap())
        } else {
            (&[], self.body.clone())
        };
        let reply = bed.send(request(&self.path, &self.content_type, headers, body)).await;
        assert_eq!(reply.header("content-type"), self.content_type, "{}", self.file);
        if reply.status != 200 {
            return format!("{} {}: {}", self.file, reply.status, reply.complaint().message);
        }
        match reply.rejected(&self.path) {
            (0, message) if message.is_empty() => format!("{} taken", self.file),
            (count, message) => format!("{} {count} not taken: {message}", self.file),
        }
    }
}

/// Sends a client's requests; answers what it says is to be found.
pub async fn send_all(requests: &[Recorded], bed: &Bed) -> Value {
    for recorded in requests {
        recorded.send(bed).await;
    }
    requests[0].expected()
}

/// Sends requests to a server of their own, and tells what it then has.
async fn told(requests: &[Recorded]) -> String {
    let bed = Bed::new().await;
    let mut answers = String::new();
    for recorded in requests {
        answers.push_str(&recorded.send(&bed).await);
        answers.push('\n');
    }
    let components = bed.data(include_str!("components.graphql"), json!({})).await;
    let components = render::components(components["components"]["nodes"].as_array().unwrap());
    format!("{answers}\n{}{components}", render::traces(&bed.all_traces().await))
}

fn compare(name: &str, told: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, told);
    });
}

#[tokio::test]
async fn recorded_clients_are_told_as_they_are() {
    for client in clients() {
        compare(&client, &told(&of_client(&client)).await);
    }
}

#[tokio::test]
async fn handmade_requests_are_told_as_they_are() {
    for names in [
        &["autogen"][..],
        &["claude-code"],
        &["claude-code", "claude-code-logs"],
        &["google-adk"],
        &["google-adk", "google-adk-logs"],
        &["json-spellings"],
        &["laminar"],
        &["langfuse"],
        &["logfire-pending"],
        &["logfire-pending", "logfire-ended"],
        &["mlflow"],
        &["openinference"],
        &["otel-genai-events"],
        &["otel-genai-latest"],
        &["otel-genai-latest", "otel-genai-latest-logs"],
        &["smolagents"],
        &["strands"],
        &["traceloop-sdk"],
        &["two-instrumentations"],
        &["vercel-ai-v4"],
    ] {
        compare(&format!("handmade-{}", names.last().unwrap()), &told(&handmade(names)).await);
    }
}

#[tokio::test]
async fn what_recorded_clients_say_is_to_be_found_is() {
    for client in clients() {
        let bed = Bed::new().await;
        let expected = send_all(&of_client(&client), &bed).await;
        Found::check(&client, &bed.all_traces().await, &expected);
    }
}

/// Whether messages come before their spans or behind them, children before their parents or not: what is
/// told of the traces is the same.
#[tokio::test]
async fn the_order_of_requests_makes_no_difference() {
    for client in clients() {
        let mut told = Vec::new();
        for reversed in [false, true] {
            let mut requests = of_client(&client);
            if reversed {
                requests.reverse();
            }
            let bed = Bed::new().await;
            for recorded in requests {
                recorded.send(&bed).await;
            }
            let mut traces = bed.all_traces().await;
            // The turns of a conversation stand in the order in which they ended here.
            traces.iter_mut().for_each(|trace| trace["conversation"]["messages"] = Value::Null);
            told.push(render::traces(&traces));
        }
        assert_eq!(told[0], told[1], "{client}");
    }
}
