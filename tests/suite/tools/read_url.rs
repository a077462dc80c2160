//! Reading pages, against a server in this process.

use std::net::SocketAddr;

use axum::{
    Router,
    body::{Body, Bytes},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect},
    routing::get,
};
use dendro::tools::ToolErrorKind;
use futures_util::stream;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{call, failure, started};

/// Pages of every kind, on a port of their own.
async fn pages() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let to = move |place: &str| Redirect::temporary(&format!("http://{address}{place}"));
    let endless = || async {
        let line = Bytes::from_static(b"another line of it\n");
        let body = stream::repeat_with(move || Ok::<_, std::io::Error>(line.clone()));
        ([(header::CONTENT_TYPE, "text/plain")], Body::from_stream(body))
    };
    let router = Router::new()
        .route("/page", get(|| async { Html("<title>A page</title><p>1 &lt; 2</p><script>no</script>") }))
        .route("/plain", get(|| async { "plain <b>text</b>" }))
        .route("/json", get(|| async { ([(header::CONTENT_TYPE, "application/json")], "{\"a\": 1}") }))
        .route("/image", get(|| async { ([(header::CONTENT_TYPE, "image/png")], "PNG") }))
        .route("/missing", get(|| async { (StatusCode::NOT_FOUND, "nothing").into_response() }))
        .route("/once", get(move || async move { to("/plain") }))
        .route("/relative", get(|| async { Redirect::permanent("plain") }))
        .route("/circle", get(move || async move { to("/circle") }))
        .route("/away", get(|| async { Redirect::temporary("http://localhost:1/secret") }))
        .route("/file", get(|| async { Redirect::temporary("file:///etc/hostname") }))
        .route("/nowhere", get(|| async { StatusCode::FOUND }))
        .route("/endless", get(endless))
        .route("/silent", get(|| async { std::future::pending::<&str>().await }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn allowing(hosts: &[String]) -> Value {
    json!({"read_url": {"allow": hosts, "bytes": 10_000}, "timeout_seconds": 20})
}

#[tokio::test]
async fn it_is_there_only_where_hosts_are_allowed() {
    let (kind, _) = failure(&started(json!({})), "read_url", json!({"url": "http://example.com"})).await;
    assert_eq!(kind, ToolErrorKind::Unknown);
    let tools = started(allowing(&["example.com".to_owned(), "*.docs.rs".to_owned()]));
    let spec = tools.list().into_iter().find(|tool| tool.spec.name == "read_url").unwrap().spec;
    assert!(spec.description.contains("example.com, *.docs.rs"), "{}", spec.description);
}

#[tokio::test]
async fn pages_are_read_as_text() {
    let address = pages().await;
    let tools = started(allowing(&[address.to_string()]));
    for (page, text) in [
        ("/page", "A page\n\n1 < 2"),
        ("/plain", "plain <b>text</b>"),
        ("/json", "{\"a\": 1}"),
        ("/once", "plain <b>text</b>"),
        ("/relative", "plain <b>text</b>"),
    ] {
        let read = call(&tools, "read_url", json!({"url": format!("http://{address}{page}")})).await;
        assert_eq!(read.unwrap(), json!(text), "{page}");
    }
    let read = call(&tools, "read_url", json!({"url": format!("http://{address}/endless")})).await.unwrap();
    let read = read.as_str().unwrap();
    assert!(read.ends_with("(the page goes on: its first 10000 bytes were read)") && read.len() < 10_100);
}

#[tokio::test]
async fn what_cannot_be_read_says_why() {
    let address = pages().await;
    let tools = started(allowing(&[address.to_string()]));
    for (page, told) in [
        ("/image", "image/png, not a text"),
        ("/missing", "404"),
        ("/circle", "more than 5 redirects"),
        ("/away", "`localhost:1` may not be read"),
        ("/file", "only http and https"),
        ("/nowhere", "without saying where"),
    ] {
        let (kind, message) =
            failure(&tools, "read_url", json!({"url": format!("http://{address}{page}")})).await;
        assert_eq!(kind, ToolErrorKind::Failed, "{page}");
        assert!(message.contains(told), "{page}: {message}");
    }
    let other = format!("http://127.0.0.1:{}/", address.port() - 1);
    for url in
        [other.as_str(), "http://example.com/", "file:///etc/hostname", "no URL", "http://a:b@127.0.0.1/"]
    {
        let (kind, message) = failure(&tools, "read_url", json!({"url": url})).await;
        assert_eq!(kind, ToolErrorKind::InvalidArguments, "{url}");
        assert!(message.contains("/url"), "{url}: {message}");
    }
}

#[tokio::test]
async fn a_name_that_leads_into_a_private_network_is_not_followed() {
    let address = pages().await;
    let name = format!("localhost:{}", address.port());
    let url = json!({"url": format!("http://{name}/plain")});
    let (kind, message) =
        failure(&started(allowing(std::slice::from_ref(&name))), "read_url", url.clone()).await;
    assert_eq!(kind, ToolErrorKind::Failed);
    assert!(message.contains("leads to a private address"), "{message}");
    // Whoever lists the address too means it.
    let tools = started(allowing(&[name, "127.0.0.1".to_owned()]));
    assert_eq!(call(&tools, "read_url", url).await.unwrap(), json!("plain <b>text</b>"));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up() {
    let address = pages().await;
    let mut config = allowing(&[address.to_string()]);
    config["timeout_seconds"] = json!(1);
    let url = json!({"url": format!("http://{address}/silent")});
    assert_eq!(failure(&started(config), "read_url", url).await.0, ToolErrorKind::TimedOut);
}
