//! MCP servers over standard input and output: one as it is published, and `tests/mcp/server.mjs`, which
//! misbehaves when it is told to.

use std::{process::Stdio, time::Duration};

use dendro::{
    model::Json,
    tools::{ToolErrorKind, ToolSource, Tools, mcp::ServerStatus},
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::{call, failure, node, started};

/// How long anything may take here: machines that build beside it are slow.
const PATIENCE: Duration = Duration::from_secs(120);

async fn ready(config: Value) -> Tools {
    let tools = started(config);
    timeout(PATIENCE, tools.ready()).await.unwrap();
    tools
}

/// The server that misbehaves.
async fn bad_days() -> Tools {
    ready(json!({"timeout_seconds": 20, "mcp": {"bad": node("server.mjs", &[])}})).await
}

fn of(tools: &Tools, server: &str) -> Vec<String> {
    let of = ToolSource::Mcp(server.to_owned());
    tools.list().into_iter().filter(|tool| tool.spec.source == of).map(|tool| tool.spec.name).collect()
}

/// Waits until it is so.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < end, "it does not come to be so");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Whether a process is there, and not only waited for by nobody.
fn is_there(process: &Value) -> bool {
    let state = std::process::Command::new("ps")
        .args(["-o", "stat=", "-p", &process.to_string()])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[tokio::test]
async fn a_published_server_works() {
    let server = node("node_modules/@modelcontextprotocol/server-everything/dist/index.js", &["stdio"]);
    let tools = ready(json!({"mcp": {"every": server}})).await;
    let state = &tools.servers()["every"];
    assert_eq!((state.status, &state.fault), (ServerStatus::Ready, &None));
    assert!(of(&tools, "every").contains(&"every_echo".to_owned()), "{:?}", of(&tools, "every"));

    let said = call(&tools, "every_echo", json!({"message": "hello"})).await.unwrap();
    assert_eq!(said, json!("Echo: hello"));
    let (kind, message) = failure(&tools, "every_echo", json!({"message": 1})).await;
    assert_eq!(kind, ToolErrorKind::InvalidArguments);
    assert!(message.contains("/message"), "{message}");
    let image = call(&tools, "every_get-tiny-image", json!({})).await.unwrap();
    assert!(image.as_str().unwrap().contains("(an image, image/png, "), "{image}");
    let weather = call(&tools, "every_get-structured-content", json!({"location": "Chicago"})).await.unwrap();
    assert!(weather["temperature"].is_number(), "{weather}");
}

#[tokio::test]
async fn a_published_server_keeps_to_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::write(root.join("note.txt"), "what it says").unwrap();
    let program = "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js";
    let tools = ready(json!({"mcp": {"files": node(program, &[root.to_str().unwrap()])}})).await;
    let read = async |path: &str| call(&tools, "files_read_text_file", json!({"path": path})).await;
    let read_inside = read(root.join("note.txt").to_str().unwrap()).await.unwrap();
    assert!(read_inside.to_string().contains("what it says"), "{read_inside}");
    assert_eq!(read("/etc/hostname").await.unwrap_err().kind, ToolErrorKind::Failed);
}

#[tokio::test]
async fn tools_are_listed_over_pages_and_named() {
    let tools = bad_days().await;
    let names = of(&tools, "bad");
    // What a name cannot hold is replaced; what has a wrong schema is left out.
    assert!(names.contains(&"bad_odd_name_with__signs".to_owned()), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("broken")), "{names:?}");
    assert_eq!(call(&tools, "bad_odd_name_with__signs", json!({})).await.unwrap(), json!("odd"));
    assert_eq!(call(&tools, "bad_echo", json!({"text": "hi"})).await.unwrap(), json!("hi"));

    assert_eq!(failure(&tools, "bad_newcomer", json!({})).await.0, ToolErrorKind::Unknown);
    assert_eq!(call(&tools, "bad_change", json!({})).await.unwrap(), json!("changed"));
    until(async || call(&tools, "bad_newcomer", json!({})).await.is_ok()).await;
}

#[tokio::test]
async fn what_a_server_says_of_a_failure_is_told() {
    let tools = bad_days().await;
    assert_eq!(
        failure(&tools, "bad_fail", json!({})).await,
        (ToolErrorKind::Failed, "no such file".to_owned())
    );
    let (kind, message) = failure(&tools, "bad_refuse", json!({})).await;
    assert_eq!(kind, ToolErrorKind::InvalidArguments);
    assert!(message.contains("the moon is no place"), "{message}");
}

#[tokio::test]
async fn bad_answers_harm_nobody_else() {
    let mut config = json!({"timeout_seconds": 3, "output_bytes": 1_000, "mcp": {}});
    config["mcp"]["bad"] = node("server.mjs", &[]);
    let tools = ready(config).await;
    assert_eq!(call(&tools, "bad_rubbish", json!({})).await.unwrap(), json!("after the rubbish"));
    assert_eq!(call(&tools, "bad_complain", json!({})).await.unwrap(), json!("complained"));
    let long = tools.call("bad_long", &Json::empty_object()).await.unwrap();
    assert!(long.truncated && long.result.text().len() <= 1_000);
    let (hangs, huge, answers) = tokio::join!(
        failure(&tools, "bad_hang", json!({})),
        failure(&tools, "bad_huge", json!({})),
        call(&tools, "bad_echo", json!({"text": "beside them"})),
    );
    assert_eq!((hangs.0, huge.0), (ToolErrorKind::TimedOut, ToolErrorKind::TimedOut));
    assert_eq!(answers.unwrap(), json!("beside them"));
    // The server was told that nobody waits any more, and is still the same.
    until(async || {
        call(&tools, "bad_cancelled", json!({})).await.is_ok_and(|times| times.as_str() == Some("1"))
    })
    .await;
}

#[tokio::test]
async fn a_server_sees_only_its_own_variables() {
    let mut server = node("server.mjs", &[]);
    server["env"] = json!({"TOKEN": "hunter2"});
    let tools = ready(json!({"mcp": {"bad": server}})).await;
    let seen = call(&tools, "bad_environment", json!({})).await.unwrap();
    let seen: Value = serde_json::from_str(seen.as_str().unwrap()).unwrap();
    assert_eq!(seen["TOKEN"], json!("hunter2"));
    assert_eq!(seen["PATH"].as_str(), std::env::var("PATH").ok().as_deref());
    assert!(seen.get("CARGO_MANIFEST_DIR").is_none() && std::env::var("CARGO_MANIFEST_DIR").is_ok());
}

#[tokio::test]
async fn a_server_that_dies_is_started_again() {
    let tools = bad_days().await;
    let first = call(&tools, "bad_family", json!({})).await.unwrap();
    assert_eq!(failure(&tools, "bad_die", json!({})).await.0, ToolErrorKind::Unavailable);
    // Its tools stay listed.
    assert!(of(&tools, "bad").contains(&"bad_echo".to_owned()));
    until(async || match call(&tools, "bad_echo", json!({"text": "again"})).await {
        Ok(said) => said == json!("again"),
        Err(error) => {
            assert_eq!(error.kind, ToolErrorKind::Unavailable, "{error}");
            false
        }
    })
    .await;
    let second = call(&tools, "bad_family", json!({})).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(tools.servers()["bad"].fault, None);
    // What the first one had started is gone with it.
    let family: Value = serde_json::from_str(first.as_str().unwrap()).unwrap();
    until(async || !is_there(&family[0]) && !is_there(&family[1])).await;
}

#[tokio::test]
async fn no_process_is_left_over() {
    let tools = bad_days().await;
    let family = call(&tools, "bad_family", json!({})).await.unwrap();
    let family: Value = serde_json::from_str(family.as_str().unwrap()).unwrap();
    assert!(is_there(&family[0]) && is_there(&family[1]));
    let waiting = tokio::spawn({
        let tools = tools.clone();
        async move { tools.call("bad_hang", &Json::empty_object()).await }
    });
    waiting.abort();
    let _ = waiting.await;
    drop(tools);
    until(async || !is_there(&family[0]) && !is_there(&family[1])).await;
}

#[tokio::test]
async fn no_process_is_left_over_when_the_runtime_ends_first() {
    let family = tokio::task::spawn_blocking(|| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (tools, family) = runtime.block_on(async {
            let tools = bad_days().await;
            let family = call(&tools, "bad_family", json!({})).await.unwrap();
            (tools, family)
        });
        drop(runtime);
        drop(tools);
        family
    });
    let family: Value = serde_json::from_str(family.await.unwrap().as_str().unwrap()).unwrap();
    until(async || !is_there(&family[0]) && !is_there(&family[1])).await;
}

/// Servers that never come up, and why, as is told to whoever runs them.
#[tokio::test]
async fn servers_that_do_not_come_up_block_nobody() {
    let shell = |script: &str| json!({"command": "sh", "args": ["-c", script], "start_seconds": 2});
    let mut servers = json!({
        "absent": {"command": "no-such-program-anywhere"},
        "silent": shell("sleep 600"),
        "rubbish": shell("while :; do echo 'this is no JSON'; done"),
        "endless": shell("while :; do printf xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"),
        "wrong": shell("read line; echo '{\"jsonrpc\": \"2.0\", \"id\": 0, \"error\": {\"code\": 1, \"message\": \"not today\"}}'; sleep 600"),
        "dying": shell("echo 'the key is missing' >&2; exit 1"),
    });
    servers["good"] = node("server.mjs", &[]);
    let tools = ready(json!({"timeout_seconds": 20, "mcp": servers})).await;
    let states = tools.servers();
    for (server, told) in [
        ("absent", "cannot be started"),
        ("silent", "not ready within 2 seconds"),
        ("rubbish", "not ready within 2 seconds"),
        ("endless", "not ready within 2 seconds"),
        ("wrong", "not today"),
        ("dying", "the key is missing"),
    ] {
        let state = &states[server];
        assert_ne!(state.status, ServerStatus::Ready, "{server}");
        let fault = state.fault.as_deref().unwrap();
        assert!(fault.contains(told), "{server}: {fault}");
        let (kind, message) = failure(&tools, &format!("{server}_echo"), json!({})).await;
        assert_eq!(kind, ToolErrorKind::Unavailable, "{server}: {message}");
        assert!(message.contains(server), "{message}");
    }
    assert_eq!(call(&tools, "good_echo", json!({"text": "here"})).await.unwrap(), json!("here"));
}

#[tokio::test]
async fn a_server_that_dies_too_often_is_left_alone() {
    let server = json!({"command": "sh", "args": ["-c", "exit 1"]});
    let tools = ready(json!({"mcp": {"dying": server}})).await;
    until(async || tools.servers()["dying"].status == ServerStatus::Resting).await;
    let (kind, message) = failure(&tools, "dying_echo", json!({})).await;
    assert_eq!(kind, ToolErrorKind::Unavailable);
    assert!(message.contains("left alone"), "{message}");
}
