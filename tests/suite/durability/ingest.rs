//! A server is killed while OpenTelemetry's exporters send to it. What they were told is stored is there,
//! once, and in the end all is as if nobody had been killed.
//!
//! `DENDRO_SEED` chooses other moments to kill.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    process::{Command, Stdio},
    time::Duration,
};

use dendro::engine::EngineKind;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tempfile::TempDir;

use super::{
    exporter::{Exporter, Spans, post},
    reports::{self, Report},
    told::{Told, spans_of},
};
use crate::cli::{Serving, dendro};

/// Requests that are answered before a server is killed.
const ANSWERS: std::ops::RangeInclusive<u64> = 1..=30;

/// What it may do beyond them, in microseconds: some requests are under way in every state.
const BEYOND: std::ops::Range<u64> = 0..25_000;

/// How long a server may live that is killed while it opens, in milliseconds.
const OPENING: std::ops::Range<u64> = 0..150;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_span_on_sled() {
    rounds(EngineKind::Sled).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_loses_no_span_on_fjall() {
    rounds(EngineKind::Fjall).await;
}

async fn rounds(kind: EngineKind) {
    let number = |name: &str, usual| env::var(name).map_or(usual, |text| text.parse().unwrap());
    let rounds = number("DENDRO_KILL_ROUNDS", 5);
    let mut random = StdRng::seed_from_u64(number("DENDRO_SEED", 1));
    let place = Place::new(kind);
    let mut exporter = Exporter::start();
    for round in 0..rounds {
        // The first to open what a killed one left is a server, or whoever proves that it is sound.
        if round > 0 && random.random_bool(0.5) {
            place.check();
        }
        if round % 3 == 2 {
            place.kill_while_opening(Duration::from_millis(random.random_range(OPENING)));
        }
        let server = place.serve();
        if looks(round) {
            assert_kept(&exporter.acknowledged(), &server.address).await;
        }
        exporter.point_at(&server.address);
        exporter.answers(random.random_range(ANSWERS)).await;
        tokio::time::sleep(Duration::from_micros(random.random_range(BEYOND))).await;
        kill(server);
        exporter.point_at("");
    }
    let server = place.serve();
    exporter.point_at(&server.address);
    let again = exporter.sent_again();
    let groups = exporter.finish().await;
    kill(server);

    let sent = sent(&groups);
    let count: usize = sent.values().map(BTreeSet::len).sum();
    println!("{kind}: {rounds} rounds, {count} spans of {} traces, {again} requests again", sent.len());
    let server = place.serve();
    assert_eq!(spans_of(&server.address).await, sent, "other spans than were sent");
    let told = Told::by(&server.address).await;
    told.assert_conversations();
    server.signal("TERM");
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    place.check();
    never_killed(&groups).await.assert_same(&told);
}

/// Whether everything is looked at that was acknowledged: with many rounds that would be most of the work.
fn looks(round: u64) -> bool {
    round < 10 || round.is_multiple_of(10)
}

/// Asserts that these spans are there.
async fn assert_kept(known: &Spans, server: &str) {
    let kept = spans_of(server).await;
    for (trace, spans) in known {
        let there = kept.get(trace).unwrap_or_else(|| panic!("trace {trace} is lost"));
        let lost: Vec<_> = spans.difference(there).collect();
        assert!(lost.is_empty(), "{lost:?} of trace {trace} are lost");
    }
}

/// All spans of so many groups of each sender.
fn sent(groups: &BTreeMap<u64, u64>) -> Spans {
    let mut spans = Spans::new();
    for (trace, span) in reports_of(groups).flat_map(|report| report.spans) {
        spans.entry(trace).or_default().insert(span);
    }
    spans
}

pub fn reports_of(groups: &BTreeMap<u64, u64>) -> impl Iterator<Item = Report> {
    let of_sender = |(sender, count): (&u64, &u64)| {
        let sender = *sender;
        (0..*count).flat_map(move |number| reports::group(sender, number))
    };
    groups.iter().flat_map(of_sender)
}

/// What a server tells that was sent the same, one sender after the other, and lived.
async fn never_killed(groups: &BTreeMap<u64, u64>) -> Told {
    let place = Place::new(EngineKind::Memory);
    let server = place.serve();
    let client = reqwest::Client::new();
    for report in reports_of(groups) {
        assert!(post(&client, &server.address, &report).await, "one sender is not too much");
    }
    Told::by(&server.address).await
}

fn kill(server: Serving) {
    let ended = server.kill();
    assert_eq!(ended.code, None, "the server ended by itself: {ended:?}");
}

/// Where a database is that one server after the other opens.
struct Place {
    engine: String,
    folder: TempDir,
}

impl Place {
    fn new(engine: EngineKind) -> Self {
        Self { engine: engine.to_string(), folder: tempfile::tempdir().unwrap() }
    }

    fn command(&self, command: &str) -> Command {
        dendro(self.folder.path(), &[command, "--data", "db", "--engine", &self.engine])
    }

    /// A server that forgets and merges all the time.
    fn server(&self) -> Command {
        let mut command = self.command("serve");
        command.args(["--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"]);
        command.args(["--log", "warn"]);
        command.env("DENDRO_STORE__SPANS__CACHED_SPANS", "10");
        command.env("DENDRO_STORE__SPANS__MERGE_AFTER_BLOCKS", "4");
        command
    }

    fn serve(&self) -> Serving {
        Serving::start(self.server())
    }

    fn kill_while_opening(&self, after: Duration) {
        let mut server = self.server().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(after);
        server.kill().unwrap();
        assert_eq!(server.wait().unwrap().code(), None, "the server ended by itself");
    }

    /// Asserts that everything agrees with everything.
    fn check(&self) {
        let output = self.command("check").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("No problems."), "{output:?}");
    }
}
