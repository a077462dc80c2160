//! The agent with an MCP server, which the tests have at hand and need not fetch.

use std::{path::Path, process::Command};

use super::{file, record::run};
use crate::cli::{Serving, dendro};

#[test]
fn an_agent_reads_through_an_mcp_server() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    let config = std::fs::read_to_string(file("mcp/dendro.toml")).unwrap();
    let server = root.join("tests/mcp/node_modules/@modelcontextprotocol/server-filesystem/dist/index.js");
    let fetched = r#"command = "npx"
args = ["-y", "@modelcontextprotocol/server-filesystem@2026.8.31", "#;
    assert!(config.contains(fetched), "{config}");
    let here = format!("command = \"node\"\nargs = [{:?}, ", server.to_str().unwrap());
    let path = folder.path().join("dendro.toml");
    std::fs::write(&path, config.replace(fetched, &here)).unwrap();
    let ports = ["--engine", "memory", "--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"];
    let arguments = [&["serve", "--config", path.to_str().unwrap()], ports.as_slice()].concat();
    let serving = Serving::start(dendro(root, &arguments));
    let said =
        run(Command::new("python3").arg(file("mcp/agent.py")).arg(format!("http://{}", serving.address)));
    let spans: Vec<_> = said.lines().take_while(|line| !line.is_empty()).collect();
    let names: Vec<_> =
        spans.iter().map(|line| line.split("  ").find(|part| !part.is_empty()).unwrap().trim()).collect();
    assert_eq!(
        names,
        [
            "AGENT librarian",
            "MEMORY load history",
            "LLM_CALL chat librarian",
            "TOOL_CALL notes_list_directory",
            "LLM_CALL chat librarian",
            "TOOL_CALL notes_read_text_file",
            "TOOL_CALL notes_read_text_file",
            "LLM_CALL chat librarian",
        ],
        "{said}"
    );
    assert!(spans[6].contains("ENOENT"), "{said}");
    assert!(said.contains("three minutes, at eighty degrees"), "{said}");
}
