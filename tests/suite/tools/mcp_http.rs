//! MCP servers at a URL: one as it is published, and doors that are none.

use std::{
    net::SocketAddr,
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::post,
};
use dendro::tools::{ToolErrorKind, Tools, mcp::ServerStatus};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{call, failure, script, started};

/// How long anything may take here.
const PATIENCE: Duration = Duration::from_secs(120);

async fn ready(servers: Value) -> Tools {
    let tools = started(json!({"timeout_seconds": 20, "mcp": servers}));
    timeout(PATIENCE, tools.ready()).await.unwrap();
    tools
}

/// A port that nobody has.
async fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

/// The published server, at a port.
async fn published(port: u16) -> Child {
    let program = script("node_modules/@modelcontextprotocol/server-everything/dist/index.js");
    let server = Command::new("node")
        .args([program.as_str(), "streamableHttp"])
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let listens = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, listens).await.unwrap();
    server
}

#[tokio::test]
async fn a_published_server_works() {
    let port = free_port().await;
    let mut server = published(port).await;
    let tools = ready(json!({"every": {"url": format!("http://127.0.0.1:{port}/mcp")}})).await;
    assert_eq!(tools.servers()["every"].fault, None);
    let said = call(&tools, "every_echo", json!({"message": "hello"})).await.unwrap();
    assert_eq!(said, json!("Echo: hello"));

    server.kill().await.unwrap();
    let (kind, message) = failure(&tools, "every_echo", json!({"message": "gone"})).await;
    assert_eq!(kind, ToolErrorKind::Unavailable, "{message}");
}

/// A door that answers every request by this.
async fn door<F>(answer: F) -> SocketAddr
where
    F: Fn(HeaderMap, Value) -> Response + Clone + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = move |headers: HeaderMap, body: Bytes| async move {
        answer(headers, serde_json::from_slice(&body).unwrap_or_default())
    };
    let router = Router::new().route("/mcp", post(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// What a server of one tool answers; a call of it by `called`.
fn answered(request: &Value, called: impl Fn() -> Value) -> Response {
    let result = match request["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "door", "version": "1"}
        }),
        Some("tools/list") => json!({"tools": [{"name": "open", "inputSchema": {"type": "object"}}]}),
        Some("tools/call") => called(),
        _ => return StatusCode::ACCEPTED.into_response(),
    };
    let body = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
    ([(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn text(text: &str) -> Value {
    json!({"content": [{"type": "text", "text": text}]})
}

#[tokio::test]
async fn headers_go_with_every_request() {
    let without = Arc::new(AtomicUsize::new(0));
    let address = door({
        let without = without.clone();
        move |headers, request| {
            if headers.get("authorization").is_none_or(|value| value != "Bearer hunter2") {
                without.fetch_add(1, Ordering::SeqCst);
            }
            answered(&request, || text("opened"))
        }
    })
    .await;
    let url = format!("http://{address}/mcp");
    let tools = ready(json!({"door": {"url": url, "headers": {"Authorization": "Bearer hunter2"}}})).await;
    assert_eq!(call(&tools, "door_open", json!({})).await.unwrap(), json!("opened"));
    assert_eq!(without.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_was_away_is_found_again() {
    let is_away = Arc::new(AtomicBool::new(false));
    let address = door({
        let is_away = is_away.clone();
        move |_, request| match is_away.load(Ordering::SeqCst) {
            true => StatusCode::BAD_GATEWAY.into_response(),
            false => answered(&request, || text("opened")),
        }
    })
    .await;
    let tools = ready(json!({"door": {"url": format!("http://{address}/mcp")}})).await;
    let open = async || call(&tools, "door_open", json!({})).await;
    assert_eq!(open().await.unwrap(), json!("opened"));
    is_away.store(true, Ordering::SeqCst);
    assert_eq!(open().await.unwrap_err().kind, ToolErrorKind::Unavailable);
    assert_eq!(open().await.unwrap_err().kind, ToolErrorKind::Unavailable);
    is_away.store(false, Ordering::SeqCst);
    let again = async {
        while open().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, again).await.unwrap();
}

#[tokio::test]
async fn a_huge_answer_is_a_failure() {
    let huge = || text(&"x".repeat(6 << 20));
    let address = door(move |_, request| answered(&request, huge)).await;
    let tools = ready(json!({"door": {"url": format!("http://{address}/mcp")}})).await;
    let (kind, message) = failure(&tools, "door_open", json!({})).await;
    assert_eq!(kind, ToolErrorKind::Failed, "{message}");
    assert!(message.contains("too large"), "{message}");
    assert_eq!(tools.servers()["door"].status, ServerStatus::Ready);
}

#[tokio::test]
async fn doors_that_are_no_servers_are_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = listener.local_addr().unwrap();
    let page = door(|_, _| ([(header::CONTENT_TYPE, "text/html")], "<p>hello").into_response()).await;
    let locked = door(|_, _| (StatusCode::UNAUTHORIZED, "who are you?").into_response()).await;
    let elsewhere =
        door(move |_, _| Redirect::temporary(&format!("http://{page}/mcp")).into_response()).await;
    let closed = SocketAddr::from(([127, 0, 0, 1], free_port().await));
    let at = |address: SocketAddr| json!({"url": format!("http://{address}/mcp"), "start_seconds": 2});
    let servers = json!({
        "silent": at(silent), "page": at(page), "locked": at(locked), "elsewhere": at(elsewhere), "closed": at(closed),
    });
    let tools = ready(servers).await;
    for (name, state) in tools.servers() {
        assert_ne!(state.status, ServerStatus::Ready, "{name}");
        assert!(state.fault.is_some_and(|fault| !fault.is_empty()), "{name}");
        let (kind, message) = failure(&tools, &format!("{name}_open"), json!({})).await;
        assert_eq!(kind, ToolErrorKind::Unavailable, "{message}");
    }
}
