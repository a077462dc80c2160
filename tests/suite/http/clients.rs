//! The server as JavaScript's own clients and audits find it: `tests/clients`, on Node.

use std::path::Path;

use tokio::process::Command;

use super::server::Server;

/// Runs a script and wants it to find nothing wrong.
pub async fn run(script: &str, arguments: &[&str]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    let installed = folder.join("node_modules").exists();
    assert!(installed, "the clients are not installed: run `npm ci --prefix tests/clients`, or `make test`");
    let output = Command::new("node").arg(folder.join(script)).args(arguments).output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<&str> = said.lines().filter(|line| !line.starts_with("ok ")).collect();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}:\n{}\n{complaint}", failed.join("\n"));
}

#[tokio::test]
async fn the_schema_keeps_the_rules_of_style() {
    run("schema.mjs", &[concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")]).await;
}

#[tokio::test]
async fn the_audits_of_graphql_over_http_hold() {
    let server = Server::start().await;
    run("http.mjs", &[&server.url("/graphql")]).await;
}

#[tokio::test]
async fn the_socket_protocol_holds_and_graphql_ws_works() {
    let server = Server::start().await;
    let url = format!("ws://{}/graphql/ws", server.address);
    run("ws.mjs", &[&url, "subscription { changes { revision } }"]).await;
}

#[tokio::test]
async fn graphql_sse_works_and_streams_resume() {
    let server = Server::start().await;
    run("sse.mjs", &[&server.url("/graphql/stream"), "subscription { changes { name } }"]).await;
}
