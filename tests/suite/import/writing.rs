//! What reaches the store: whole, once, and to its end however often it was cut short.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use dendro::{
    engine::{Batch, EngineError, EngineResult, MemoryEngine, SharedEngine},
    live::Hub,
    model::{Timestamp, limits::RecordLimits, page::PageRequest},
    service::{
        Context, Services, Shared,
        conversations::{ConversationFilter, ConversationOrder, HistoryOrder, HistoryRequest},
        import::{Counts, Defaults, FileReport, Importer, Progress, Reader, open, run},
        listing::ListLimits,
        tracing::{TraceFilter, TraceOrder},
    },
    store::{Store, StoreConfig},
};
use futures_util::future::BoxFuture;

use super::{fixture, packed};
use crate::support::{
    CountedIds, SetClock,
    engines::{Around, wrap},
};

const BASE: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

/// Lets so many commits pass, and no more.
struct Allowance(AtomicU64);

impl Around for Allowance {
    fn before_commit<'a>(&'a self, _: &'a Batch) -> BoxFuture<'a, EngineResult<()>> {
        Box::pin(async {
            let one_less = |left: u64| left.checked_sub(1);
            let allowed = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
            allowed.map(drop).map_err(|_| EngineError::Io("as the test asked".to_owned()))
        })
    }
}

async fn services(engine: SharedEngine) -> (Services, Store) {
    let hub = Arc::new(Hub::default());
    let store = Store::open(engine, StoreConfig::default(), hub.clone()).await.unwrap();
    let services = Services::new(Context::from(Shared {
        store: store.clone(),
        hub,
        clock: Arc::new(SetClock::default()),
        ids: Arc::new(CountedIds::default()),
        limits: Arc::new(RecordLimits::default()),
        lists: Arc::new(ListLimits::default()),
        prices: dendro::model::prices::PriceTable::bundled().unwrap(),
        ingest: Arc::default(),
        query: Arc::default(),
        series: Arc::default(),
        arriving: Arc::default(),
        deletions: Arc::default(),
        search: None,
        evaluation: Arc::default(),
    }));
    (services, store)
}

/// Imports a file; `None` where the store failed.
async fn import(
    services: &Services,
    name: &str,
    bytes: &[u8],
    base: Timestamp,
    strict: bool,
) -> Option<FileReport> {
    let limits = RecordLimits::default();
    let importer = Importer::new(services.clone(), Arc::new(limits.clone()), base, Defaults::default());
    let reader = Reader::new(name, open(std::io::Cursor::new(bytes.to_vec())).unwrap(), None, limits);
    run(&importer, reader, strict, |_: &Progress| {}).await.ok()
}

/// All that is stored, as text.
async fn dump(services: &Services) -> String {
    let page = PageRequest { first: 1_000, after: None };
    let filter = ConversationFilter::default();
    let all = services.conversations.list(&filter, ConversationOrder::default(), &page);
    let mut text = Vec::new();
    for (_, conversation) in all.await.unwrap().items {
        let request = HistoryRequest {
            conversation_id: conversation.id,
            order: HistoryOrder::OldestFirst,
            page: page.clone(),
            roles: None,
            from_last_summary: false,
        };
        let requests = [request];
        let history = services.conversations.histories(&requests).await.unwrap().pop().unwrap();
        // A revision counts commits, and an import that was cut short had more of them.
        let conversation = dendro::model::conversation::Conversation { revision: 0, ..conversation };
        text.push(format!("{conversation:?}"));
        text.extend(history.items.iter().map(|(_, message)| format!("{message:?}")));
    }
    let filter = TraceFilter::default();
    for (_, trace) in
        services.tracing.list_traces(&filter, TraceOrder::OldestFirst, &page).await.unwrap().items
    {
        let spans = services.tracing.spans(&[trace.id]).await.unwrap().pop().flatten().unwrap();
        text.push(format!("{:?} {:?} {:?}", trace.id, trace.status, trace.summary));
        text.extend(spans.heads.iter().map(|head| format!("{head:?}")));
    }
    text.sort();
    text.join("\n")
}

#[tokio::test]
async fn importing_again_changes_nothing() {
    for name in ["chat.json", "chats.jsonl", "simple.json", "tau-bench.json", "damaged.jsonl"] {
        let (services, store) = services(Arc::new(MemoryEngine::default())).await;
        let first = import(&services, name, &fixture(name), BASE, false).await.unwrap();
        assert_eq!(first.written.found, first.written.new, "{name}");
        let before = dump(&services).await;
        // The same content under another name, packed, later.
        let later = BASE.plus_nanos(1_000_000_000_000);
        let again = import(&services, "again.gz", &packed(&fixture(name)), later, false).await.unwrap();
        assert_eq!(again.written.found, first.written.found, "{name}");
        assert_eq!(again.written.new, Counts::default(), "{name}");
        assert_eq!(dump(&services).await, before, "{name}");
        assert!(store.check(&|_, _| {}).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn an_import_that_was_cut_short_goes_on() {
    let name = "tau-bench.json";
    let (whole, _) = services(Arc::new(MemoryEngine::default())).await;
    import(&whole, name, &fixture(name), BASE, false).await.unwrap();
    let whole = dump(&whole).await;
    let mut cuts = 0;
    for allowed in 0.. {
        let engine: SharedEngine = Arc::new(MemoryEngine::default());
        {
            // The first commit marks the format.
            let allowance = Arc::new(Allowance(AtomicU64::new(allowed + 1)));
            let (cut, _) = services(wrap(engine.clone(), &allowance)).await;
            if import(&cut, name, &fixture(name), BASE, false).await.is_some() {
                break;
            }
        }
        cuts += 1;
        let (services, store) = services(engine).await;
        let later = BASE.plus_nanos(1_000_000_000_000);
        let report = import(&services, name, &fixture(name), later, false).await.unwrap();
        assert_eq!(report.written.found.conversations, 2);
        assert!(store.check(&|_, _| {}).await.unwrap().is_clean(), "after {allowed} commits");
        // A conversation that was there keeps its times; one that was not has the later ones.
        if report.written.new.conversations == 0 {
            assert_eq!(dump(&services).await, whole, "after {allowed} commits");
        }
        let again = import(&services, name, &fixture(name), later, false).await.unwrap();
        assert_eq!(again.written.new, Counts::default(), "after {allowed} commits");
    }
    assert!(cuts > 5, "the import takes {cuts} commits");
}

#[tokio::test]
async fn strict_stops_at_the_first_problem() {
    let (services, _) = services(Arc::new(MemoryEngine::default())).await;
    let report = import(&services, "damaged.jsonl", &fixture("damaged.jsonl"), BASE, true).await.unwrap();
    assert!(report.stopped);
    assert_eq!((report.written.new.conversations, report.skipped_records), (1, 1));
    // A record with one damaged message goes in without it, or not at all.
    let text = r#"{"messages": [{"role": "user", "content": "a"}, {"role": "alien", "content": "b"}]}"#;
    let report = import(&services, "alien.json", text.as_bytes(), BASE, true).await.unwrap();
    assert_eq!((report.stopped, report.written.new.conversations, report.skipped_messages), (true, 0, 1));
    let report = import(&services, "alien.json", text.as_bytes(), BASE, false).await.unwrap();
    assert_eq!((report.stopped, report.written.new.conversations, report.skipped_messages), (false, 1, 1));
}

#[tokio::test]
async fn a_record_that_breaks_a_rule_is_left_out_whole() {
    let (services, _) = services(Arc::new(MemoryEngine::default())).await;
    let long = "x".repeat(17 << 20);
    let text = format!(
        "{{\"title\": \"too long\", \"messages\": [{{\"role\": \"user\", \"content\": \"a\"}}, {{\"role\": \"assistant\", \"content\": \"{long}\"}}]}}\n\
         {{\"messages\": [{{\"role\": \"user\", \"content\": \"b\"}}]}}\n"
    );
    let report = import(&services, "long.jsonl", text.as_bytes(), BASE, false).await.unwrap();
    assert_eq!((report.written.new.conversations, report.written.new.messages), (2, 2));
    assert_eq!(report.skipped_messages, 1);
}
