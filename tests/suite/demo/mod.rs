//! The scripted agents: what they record, that it is labelled, that the same seed gives the same.

use std::{sync::Arc, time::Duration};

use dendro::{
    demo::{Options, Theatre, play},
    model::{
        page::PageRequest,
        plan::PlanStatus,
        span::{OperationType, SpanStatus},
        trace::{Trace, TraceStatus},
    },
    service::{
        Services,
        conversations::{ConversationFilter, ConversationOrder},
        plans::{PlanFilter, PlanOrder},
        tracing::{TraceFilter, TraceOrder, TraceSpans},
    },
};
use tokio::sync::watch;

use crate::support::store::{TestBed, TestStore};

const PAGE: PageRequest = PageRequest { first: 1_000, after: None };

fn theatre(bed: &TestBed) -> Theatre {
    let context = &bed.context;
    Theatre { services: bed.services.clone(), clock: context.clock.clone(), ids: context.ids.clone() }
}

fn options(runs: u64) -> Options {
    Options { pace: Duration::ZERO, agents: 3, runs: Some(runs), seed: 7 }
}

async fn traces(services: &Services) -> Vec<Trace> {
    let filter = TraceFilter::default();
    let page = services.tracing.list_traces(&filter, TraceOrder::OldestFirst, &PAGE).await.unwrap();
    page.items.into_iter().map(|(_, trace)| trace).collect()
}

async fn spans(services: &Services, trace: &Trace) -> Arc<TraceSpans> {
    services.tracing.spans(&[trace.id]).await.unwrap().pop().flatten().unwrap()
}

/// A trace's spans as text, without ids and times.
async fn told(services: &Services, trace: &Trace) -> String {
    let spans = spans(services, trace).await;
    let heads = spans.heads.iter().map(|head| {
        format!(
            "{} {} {} {:?} {:?}",
            head.operation_type, head.name, head.status, head.ledger, head.details.model
        )
    });
    let mut lines: Vec<_> = heads.collect();
    lines.sort();
    format!("{:?} {}\n{}", trace.name, trace.status, lines.join("\n"))
}

async fn told_of(runs: u64) -> Vec<String> {
    let database = TestStore::in_memory();
    let bed = database.open().await;
    let (_stop, stopped) = watch::channel(false);
    play(theatre(&bed), &options(runs), stopped).await.unwrap();
    let mut all = Vec::new();
    for trace in traces(&bed.services).await {
        all.push(told(&bed.services, &trace).await);
    }
    all.sort();
    all
}

#[tokio::test]
async fn runs_are_whole_nested_and_labelled() {
    let database = TestStore::in_memory();
    let bed = database.open().await;
    let services = &bed.services;
    let (_stop, stopped) = watch::channel(false);
    assert_eq!(play(theatre(&bed), &options(40), stopped).await.unwrap(), 40);
    let traces = traces(services).await;
    assert_eq!(traces.len(), 40);
    assert!(traces.iter().all(|trace| trace.status.is_final() && trace.summary.running_count == 0));
    assert!(traces.iter().any(|trace| trace.status == TraceStatus::Failed));
    assert!(
        traces.iter().any(|trace| trace.status == TraceStatus::Completed && trace.summary.error_count > 0)
    );
    for trace in &traces {
        assert!(trace.summary.depth >= 4 && trace.summary.span_count >= 10, "{trace:?}");
        assert!(trace.summary.cost_known && trace.summary.tokens.total() > 0);
        assert!(trace.summary.models.iter().all(|model| model.starts_with("scripted-")));
        let body = services.tracing.trace_bodies(&[trace.id]).await.unwrap().pop().flatten().unwrap();
        assert!(body.metadata.unwrap().text().contains(r#""scripted":true"#));
        let spans = spans(services, trace).await;
        let calls = spans.heads.iter().filter(|head| head.operation_type == OperationType::LlmCall);
        assert!(calls.into_iter().all(|call| call.components.len() == 2));
    }
    let filter = ConversationFilter::default();
    let conversations =
        services.conversations.list(&filter, ConversationOrder::default(), &PAGE).await.unwrap();
    assert_eq!(conversations.items.len(), 40);
    assert!(conversations.items.iter().all(|(_, it)| it.tags.contains(&"scripted".to_owned())));
    let plans = services.plans.list(&PlanFilter::default(), PlanOrder::default(), &PAGE).await.unwrap();
    assert!(!plans.items.is_empty());
    assert!(plans.items.iter().all(|(_, plan)| plan.status == PlanStatus::Completed));
    assert!(bed.context.store.check(&|_, _| {}).await.unwrap().is_clean());
}

#[tokio::test]
async fn the_same_seed_gives_the_same_runs() {
    let twelve = told_of(12).await;
    assert_eq!(twelve, told_of(12).await);
    let distinct: std::collections::HashSet<_> = twelve.iter().collect();
    assert!(distinct.len() > 8, "runs differ from each other");
}

#[tokio::test]
async fn a_stopped_demo_leaves_nothing_running() {
    let database = TestStore::in_memory();
    let bed = database.open().await;
    let services = &bed.services;
    let (stop, stopped) = watch::channel(false);
    let options = Options { pace: Duration::from_millis(20), runs: None, ..options(0) };
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stop.send_replace(true);
    };
    let (runs, ()) = tokio::join!(play(theatre(&bed), &options, stopped), stopping);
    assert!(runs.unwrap() >= 3);
    let traces = traces(services).await;
    assert!(traces.iter().all(|trace| trace.status.is_final() && trace.summary.running_count == 0));
    let cut_off: Vec<_> = traces.iter().filter(|trace| trace.status == TraceStatus::Cancelled).collect();
    assert!(!cut_off.is_empty());
    let spans = spans(services, cut_off[0]).await;
    assert!(spans.heads.iter().any(|head| head.status == SpanStatus::Cancelled));
    let plans = services.plans.list(&PlanFilter::default(), PlanOrder::default(), &PAGE).await.unwrap();
    assert!(plans.items.iter().all(|(_, plan)| plan.status != PlanStatus::Running));
}
