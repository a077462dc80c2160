//! The example that follows: what it shows when the server or the connection is lost in between.

use std::{
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
    task::JoinHandle,
};

use super::{file, send, server, write};
use crate::cli::{Serving, dendro};

/// The example at work, and what it has said.
struct Follower {
    process: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Follower {
    fn start(address: &str, trace: Option<&str>) -> Self {
        assert!(file("node_modules").exists(), "graphql-ws is not installed: run `npm ci --prefix examples`");
        let mut command = Command::new("node");
        command.arg(file("follow.mjs")).arg(format!("http://{address}")).args(trace);
        command.stdout(Stdio::piped()).stdin(Stdio::null()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap()).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&lines);
        tokio::spawn(async move {
            while let Ok(Some(line)) = said.next_line().await {
                heard.lock().unwrap().push(line);
            }
        });
        Self { process, lines }
    }

    /// How many lines have this text.
    fn count(&self, text: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(text)).count()
    }

    async fn says(&self, text: &str) {
        let begun = Instant::now();
        while self.count(text) == 0 {
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "no `{text}` in {:#?}",
                self.lines.lock().unwrap()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Each span of `names` has ended, and that was said once; nothing was said twice.
    fn told_once(&self, names: impl IntoIterator<Item = String>) {
        let lines = self.lines.lock().unwrap().clone();
        for name in names {
            let ends = lines.iter().filter(|line| line.contains(&format!("✓ {name} "))).count();
            let starts = lines.iter().filter(|line| line.contains(&format!("… {name} "))).count();
            assert!(ends == 1 && starts <= 1, "{name}: {starts} starts, {ends} ends in {lines:#?}");
        }
    }
}

async fn start_trace(address: &str, name: &str) -> String {
    let payload =
        write(address, "startTrace", "StartTraceInput", "trace { traceId }", json!({ "name": name })).await;
    payload["trace"]["traceId"].as_str().unwrap().to_owned()
}

async fn begin(address: &str, trace: &str, name: &str, parent: Option<&str>) -> String {
    let input = json!({ "traceId": trace, "parentSpanId": parent, "operationType": "CUSTOM", "name": name });
    let payload = write(address, "createSpan", "CreateSpanInput", "span { id }", input).await;
    payload["span"]["id"].as_str().unwrap().to_owned()
}

async fn end(address: &str, span: &str) {
    write(address, "completeSpan", "CompleteSpanInput", "span { id }", json!({ "spanId": span })).await;
}

async fn write_all(address: &str, input: Value) {
    let query = "mutation ($input: CreateSpansInput!) { createSpans(input: $input) { results { refusal { message } } } }";
    let data = send(address, json!({ "query": query, "variables": { "input": input } })).await;
    let results = data["createSpans"]["results"].as_array().unwrap();
    assert!(results.iter().all(|result| result["refusal"].is_null()), "{results:?}");
}

async fn end_trace(address: &str, trace: &str) {
    write(address, "completeTrace", "CompleteTraceInput", "trace { id }", json!({ "traceId": trace })).await;
}

#[tokio::test]
async fn a_killed_server_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let serve =
        |listen: &str| Serving::start(dendro(folder.path(), &["serve", "--data", "db", "--listen", listen]));
    let server = serve("127.0.0.1:0");
    let address = server.address.clone();
    let trace = start_trace(&address, "a run").await;
    let top = begin(&address, &trace, "top", None).await;
    let ended = begin(&address, &trace, "span-0", Some(&top)).await;
    end(&address, &ended).await;
    let mut follower = Follower::start(&address, Some(&trace));
    follower.says("✓ span-0").await;
    let open = begin(&address, &trace, "span-1", Some(&top)).await;
    follower.says("    … span-1").await;

    server.signal("KILL");
    drop(server);
    follower.says("not connected").await;
    let _server = serve(&address);
    end(&address, &open).await;
    for number in 2..20 {
        let span = begin(&address, &trace, &format!("span-{number}"), Some(&top)).await;
        end(&address, &span).await;
    }
    end(&address, &top).await;
    end_trace(&address, &trace).await;
    assert!(follower.process.wait().await.unwrap().success());
    follower.says("COMPLETED, 21 spans").await;
    follower.told_once((0..20).map(|number| format!("span-{number}")).chain(["top".to_owned()]));
}

#[tokio::test]
async fn an_ended_trace_is_shown_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let address = server.address.as_str();
    let trace = start_trace(address, "large").await;
    for _ in 0..5 {
        let span = json!({ "traceId": trace, "operationType": "CUSTOM", "name": "one", "status": "OK" });
        let input = json!({ "spans": vec![span; 500] });
        write_all(address, input).await;
    }
    end_trace(address, &trace).await;
    let mut follower = Follower::start(address, Some(&trace));
    assert!(follower.process.wait().await.unwrap().success());
    follower.says("COMPLETED, 2500 spans").await;
}

/// Passes connections on until it is cut.
struct Wire(JoinHandle<()>);

impl Wire {
    fn new(listener: TcpListener, to: &str) -> Self {
        let to = to.to_owned();
        Self(tokio::spawn(async move {
            let mut open = tokio::task::JoinSet::new();
            while let Ok((mut near, _)) = listener.accept().await {
                let mut far = TcpStream::connect(&to).await.unwrap();
                open.spawn(async move { copy_bidirectional(&mut near, &mut far).await });
            }
        }))
    }

    async fn cut(self) {
        self.0.abort();
        let _ = self.0.await;
    }
}

#[tokio::test]
async fn a_lost_connection_loses_no_run() {
    let folder = tempfile::tempdir().unwrap();
    let server = server(folder.path());
    let address = server.address.as_str();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let near = listener.local_addr().unwrap().to_string();
    let wire = Wire::new(listener, address);

    let first = start_trace(address, "first").await;
    let open = begin(address, &first, "open", None).await;
    let follower = Follower::start(&near, None);
    follower.says("… open").await;
    wire.cut().await;
    follower.says("not connected").await;
    // One goes on, one begins and ends meanwhile, one begins and goes on.
    end(address, &open).await;
    let second = start_trace(address, "second").await;
    let brief = begin(address, &second, "brief", None).await;
    end(address, &brief).await;
    end_trace(address, &second).await;
    let third = start_trace(address, "third").await;
    let late = begin(address, &third, "late", None).await;
    let _wire = Wire::new(TcpListener::bind(&near).await.unwrap(), address);
    follower.says("… late").await;
    end(address, &late).await;
    end_trace(address, &third).await;
    end_trace(address, &first).await;
    for (name, trace) in [("first", first), ("second", second), ("third", third)] {
        follower.says(&format!("{name} [{}]  COMPLETED, 1 spans", &trace[28..])).await;
    }
    follower.told_once(["open", "brief", "late"].map(str::to_owned));
}
