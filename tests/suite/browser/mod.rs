//! The pages as people use them: `tests/browser`, in Chromium, against the program itself.

use std::{path::Path, process::Command};

use crate::cli::{Serving, dendro};

#[test]
fn graphiql_works_and_asks_no_other_host() {
    visit("graphiql", "graphiql.mjs");
}

#[test]
fn the_page_about_rest_works_and_asks_no_other_host() {
    visit("docs", "docs.mjs");
}

/// Runs a script against a server with the page that it visits.
fn visit(page: &str, script: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let scripts = root.join("tests/browser");
    let page = root.join("web/dist").join(page).join("index.html");
    let ready = page.exists() && scripts.join("node_modules").exists();
    assert!(ready, "the pages or the browser's scripts are missing: run `make suite` once");

    let folder = tempfile::tempdir().unwrap();
    let server =
        Serving::start(dendro(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--engine", "memory"]));
    let url = format!("http://{}", server.address);
    let ended = Command::new("node").arg(scripts.join(script)).arg(url).output().unwrap();
    let (said, complaint) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}\n{complaint}");
}
