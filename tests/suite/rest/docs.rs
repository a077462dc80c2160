//! The page on REST: its commands are run, in their order.

use std::{fs, path::Path, process::Command};

use crate::cli::{Serving, dendro};

const ADDRESS: &str = "API=http://127.0.0.1:4000/api/v1";

#[test]
fn the_commands_of_the_page_run() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rest.md")).unwrap();
    let blocks = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let script: String = blocks.collect();
    assert!(script.matches("curl ").count() > 20 && script.contains(ADDRESS));

    let folder = tempfile::tempdir().unwrap();
    let server =
        Serving::start(dendro(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--engine", "memory"]));
    let script = script.replace(ADDRESS, &format!("API=http://{}/api/v1", server.address));
    let ended = Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().unwrap();
    let (said, complaint) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}\n{complaint}");
    for told in [
        "\"placement\":\"CHILD\"",
        "\"totalCostUsd\":0.0042",
        "{\"text\": \"Say whether it rains.\"}",
        "\"turnCount\":1",
    ] {
        assert!(said.contains(told), "{told} is not in\n{said}");
    }
}
