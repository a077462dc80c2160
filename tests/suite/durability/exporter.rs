//! Senders of OpenTelemetry as exporters are: what was not answered by success is sent again, whole, until
//! it is.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinSet, time};
use uuid::Uuid;

use super::reports::{self, Report, SENDERS};
use crate::otlp::bed::PROTOBUF;

/// Spans by their traces.
pub type Spans = BTreeMap<Uuid, BTreeSet<Uuid>>;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The senders, at work.
pub struct Exporter {
    desk: Arc<Desk>,
    answered: watch::Receiver<u64>,
    senders: JoinSet<(u64, u64)>,
}

/// What senders share.
struct Desk {
    /// Where the server is; empty while there is none.
    address: watch::Sender<String>,
    /// Requests that were answered by success.
    answered: watch::Sender<u64>,
    /// Requests that were not answered by success, and so sent again.
    again: AtomicU64,
    book: Mutex<Spans>,
    stop: AtomicBool,
}

impl Exporter {
    pub fn start() -> Self {
        let (answered, answers) = watch::channel(0);
        let desk = Desk {
            address: watch::Sender::default(),
            answered,
            again: AtomicU64::default(),
            book: Mutex::default(),
            stop: AtomicBool::default(),
        };
        let desk = Arc::new(desk);
        let senders = (0..SENDERS).map(|sender| send(desk.clone(), sender)).collect();
        Self { desk, answered: answers, senders }
    }

    /// Says where the server is now.
    pub fn point_at(&self, address: &str) {
        self.desk.address.send_replace(address.to_owned());
    }

    /// The spans that were answered by success until now.
    pub fn acknowledged(&self) -> Spans {
        self.desk.book.lock().clone()
    }

    /// How many requests were sent again.
    pub fn sent_again(&self) -> u64 {
        self.desk.again.load(SeqCst)
    }

    /// Waits until so many more requests were answered by success.
    pub async fn answers(&mut self, more: u64) {
        let wanted = *self.answered.borrow() + more;
        tokio::select! {
            waited = time::timeout(PATIENCE, self.answered.wait_for(|count| *count >= wanted)) => {
                drop(waited.expect("no more answers came").unwrap());
            }
            ended = self.senders.join_next() => panic!("a sender gave up: {ended:?}"),
        }
    }

    /// Lets every sender end what it has begun. Answers how many groups each has sent.
    pub async fn finish(mut self) -> BTreeMap<u64, u64> {
        self.desk.stop.store(true, SeqCst);
        let mut groups = BTreeMap::new();
        while let Some(ended) = time::timeout(PATIENCE, self.senders.join_next()).await.unwrap() {
            let (sender, sent) = ended.unwrap();
            groups.insert(sender, sent);
        }
        groups
    }
}

async fn send(desk: Arc<Desk>, sender: u64) -> (u64, u64) {
    let client = reqwest::Client::new();
    let mut group = 0;
    while !desk.stop.load(SeqCst) {
        for report in reports::group(sender, group) {
            deliver(&desk, &client, &report).await;
        }
        group += 1;
    }
    (sender, group)
}

/// Sends a request until it is answered by success.
async fn deliver(desk: &Desk, client: &reqwest::Client, report: &Report) {
    let mut address = desk.address.subscribe();
    loop {
        let server = address.wait_for(|address| !address.is_empty()).await.unwrap().clone();
        if post(client, &server, report).await {
            break;
        }
        desk.again.fetch_add(1, SeqCst);
        time::sleep(Duration::from_millis(5)).await;
    }
    let mut book = desk.book.lock();
    for (trace, span) in &report.spans {
        book.entry(*trace).or_default().insert(*span);
    }
    drop(book);
    desk.answered.send_modify(|count| *count += 1);
}

/// Sends a request once; answers whether all of it was taken. Whatever is not to be sent again ends the
/// test.
pub async fn post(client: &reqwest::Client, server: &str, report: &Report) -> bool {
    let request = client.post(format!("http://{server}{}", report.path)).header("content-type", PROTOBUF);
    let Ok(response) = request.body(report.body.clone()).send().await else { return false };
    let status = response.status().as_u16();
    // An answer that breaks off was none.
    let Ok(body) = response.bytes().await else { return false };
    let told = String::from_utf8_lossy(&body);
    assert!(matches!(status, 200 | 503), "{status}: {told}");
    assert!(status == 503 || body.is_empty(), "not all was taken: {told}");
    status == 200
}
