//! A server as it is run, with ports of OpenTelemetry's own.

use serde_json::{Value, json};

use crate::cli::{Serving, dendro};

/// A server that keeps nothing, with ports of OpenTelemetry's own.
pub struct Real {
    pub serving: Serving,
    /// The address of everything.
    pub main: String,
    /// The address of OTLP over HTTP.
    pub http: String,
    /// Host and port of gRPC.
    pub grpc: String,
    _folder: tempfile::TempDir,
}

impl Real {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = "127.0.0.1:0";
        let arguments =
            ["serve", "--engine", "memory", "--listen", free, "--otlp-http", free, "--otlp-grpc", free];
        let mut serving = Serving::start(dendro(folder.path(), &arguments));
        let line = std::iter::repeat_with(|| serving.line()).take(4).find(|line| line.contains("OTLP"));
        let line = line.expect("the server says where it listens to OpenTelemetry");
        let words: Vec<&str> = line.split([' ', ',', '\n']).filter(|word| word.contains("://")).collect();
        let [main, http, grpc] =
            [words[0].trim_end_matches("/v1/traces"), words[1], words[2]].map(str::to_owned);
        let grpc = grpc.replace("grpc://", "");
        Self { serving, main, http, grpc, _folder: folder }
    }

    pub async fn ask(&self, query: &str, variables: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}/graphql", self.main));
        let response = request.json(&json!({ "query": query, "variables": variables })).send().await.unwrap();
        let answer: Value = response.json().await.unwrap();
        assert!(answer.get("errors").is_none(), "{:#}", answer["errors"]);
        answer["data"].clone()
    }
}
