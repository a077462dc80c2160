//! What a client may send by mistake or malice: each gets a status, a code and a reason, and the server
//! goes on.

use std::time::Duration;

use dendro::config::Limits;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::server::{Server, post, post_text};

#[tokio::test]
async fn malformed_bodies_are_refused_with_a_reason() {
    let server = Server::start().await;
    let nested =
        |open: &str, n: usize| format!(r#"{{"query":"{{hello}}","variables":{{"v":{}"#, open.repeat(n));
    let cases: Vec<(Vec<u8>, u16, &str, &str)> = vec![
        (b"{\"query\":\"\xff\"}".to_vec(), 400, "BAD_REQUEST", "not UTF-8 at byte 10"),
        (b"{ \"not a JSON".to_vec(), 400, "BAD_REQUEST", "not JSON"),
        (b"[{\"query\":\"{hello}\"}]".to_vec(), 400, "BAD_REQUEST", "Batches are not accepted"),
        (b"null".to_vec(), 400, "BAD_REQUEST", "must be a JSON object"),
        (b"{}".to_vec(), 400, "BAD_REQUEST", "\"query\" is missing"),
        (b"{\"query\":7}".to_vec(), 400, "BAD_REQUEST", "\"query\" must be a string"),
        (b"{\"query\":\"\\ud800\"}".to_vec(), 400, "BAD_REQUEST", "hex escape"),
        (b"{\"query\":\"{hello}\",\"variables\":{\"v\":1e999}}".to_vec(), 400, "BAD_REQUEST", "out of range"),
        (nested("[", 2 << 20).into_bytes(), 400, "BAD_REQUEST", "nests deeper than 100"),
        (nested("{\"a\":", 400_000).into_bytes(), 400, "BAD_REQUEST", "nests deeper than 100"),
        (format!("[{}0]", "0,".repeat(600_000)).into_bytes(), 413, "PAYLOAD_TOO_LARGE", "500000 values"),
        (vec![b' '; 9 << 20], 413, "PAYLOAD_TOO_LARGE", "8388608 bytes"),
    ];
    for (body, status, code, reason) in cases {
        let start = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let answer = post_text(&server, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{start}");
        assert!(answer.message().contains(reason), "{start}: {}", answer.message());
        assert!(answer.message().len() < 1000);
    }
    assert_eq!(post(&server, json!({ "query": "{ hello }" })).await.status, 200);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    for _ in 0..12 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[tokio::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::with(Limits { body_time: Duration::from_millis(100), ..Limits::default() }).await;
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{{",
        server.address
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("REQUEST_TIMEOUT"), "{answer}");
}

#[tokio::test]
async fn wrong_values_are_refused_by_name() {
    let server = Server::start().await;
    let record = "mutation($input: RecordInput!) { record(input: $input) { name } }";
    for (input, status, code, named) in [
        (json!({}), 400, "GRAPHQL_VALIDATION_FAILED", "name"),
        (json!({ "name": 7 }), 400, "GRAPHQL_VALIDATION_FAILED", "name"),
        (json!({ "name": "n", "nope": 1 }), 400, "GRAPHQL_VALIDATION_FAILED", "nope"),
        (json!(null), 400, "BAD_USER_INPUT", "$input"),
        (json!({ "name": "n", "weight": 11 }), 200, "BAD_USER_INPUT", "10"),
        (json!("x".repeat(100_000)), 200, "BAD_USER_INPUT", "RecordInput"),
    ] {
        let answer = post(&server, json!({ "query": record, "variables": { "input": input } })).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{:?}", answer.body);
        assert!(answer.message().contains(named), "{}", answer.message());
        assert!(answer.message().len() < 1000);
    }
}

#[tokio::test]
async fn private_keys_are_not_spliced() {
    let server = Server::start().await;
    let echo = "query($v: JSON) { echo(value: $v) }";
    for key in ["$serde_json::private::RawValue", r"\u0024serde_json::private::RawValue"] {
        let body = format!(r#"{{"query":"{echo}","variables":{{"v":{{"{key}":"[1]"}}}}}}"#);
        let answer = post_text(&server, body).await;
        assert_eq!((answer.status, answer.code()), (400, "BAD_REQUEST"));
        assert!(answer.message().contains("variables.v"), "{}", answer.message());
    }
    let literal = r#"{ echo(value: { $serde_json: "[1]" }) }"#;
    assert_eq!(post(&server, json!({ "query": literal })).await.code(), "GRAPHQL_PARSE_FAILED");
    let near = json!({ "$serde_json": { "private": ["RawValue"] } });
    let answer = post(&server, json!({ "query": echo, "variables": { "v": near } })).await;
    assert_eq!(answer.body["data"]["echo"], near);
}

#[tokio::test]
async fn the_deepest_json_that_is_let_in_comes_out_again() {
    let server = Server::start().await;
    let deep = format!("{}{}", "[".repeat(98), "]".repeat(98));
    let body = format!(r#"{{"query":"query($v: JSON) {{ echo(value: $v) }}","variables":{{"v":{deep}}}}}"#);
    let answer = post_text(&server, body).await;
    assert_eq!(answer.body["data"]["echo"].to_string(), deep);
}

/// What comes of a connection on which nothing more is sent, within some seconds.
async fn end_of(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    read.expect("the connection stays open").unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn headers_that_drip_are_not_waited_for() {
    let limits = Limits { header_time: Duration::from_millis(200), ..Limits::default() };
    let server = Server::with(limits).await;
    for begun in ["", "GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut stream = TcpStream::connect(&server.address).await.unwrap();
        stream.write_all(begun.as_bytes()).await.unwrap();
        assert!(!end_of(&mut stream).await.contains("200 OK"), "{begun}");
    }
    // Between two requests as well: the answer comes, and then the end.
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let whole = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n", server.address);
    stream.write_all(whole.as_bytes()).await.unwrap();
    assert!(end_of(&mut stream).await.starts_with("HTTP/1.1 200 OK"));
    assert_eq!(post(&server, json!({ "query": "{ hello }" })).await.status, 200);
}

#[tokio::test]
async fn connections_past_the_limit_wait_until_one_closes() {
    let server = Server::with(Limits { connections: 2, ..Limits::default() }).await;
    let held = [
        TcpStream::connect(&server.address).await.unwrap(),
        TcpStream::connect(&server.address).await.unwrap(),
    ];
    let mut third = TcpStream::connect(&server.address).await.unwrap();
    let ask = format!("GET /healthz HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", server.address);
    third.write_all(ask.as_bytes()).await.unwrap();
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(200), third.read(&mut byte)).await;
    assert!(early.is_err(), "it was answered beside two others");
    drop(held);
    assert!(end_of(&mut third).await.starts_with("HTTP/1.1 200 OK"));
}
