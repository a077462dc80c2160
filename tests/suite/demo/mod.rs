//! The demo: agents that are run for people who are not there. That what they do is whole and labelled, that it
//! shows what there is to show, and that the same seed gives the same.

use std::{collections::BTreeMap, time::Duration};

use dendro::{
    demo::{Options, Theatre, play, prices},
    llm::Models,
    model::{
        ConversationId,
        conversation::Conversation,
        message::{Message, MessageType},
        page::PageRequest,
        plan::{Plan, PlanStatus, StepStatus},
        span::{OperationType, SpanHead, SpanStatus},
        trace::{Trace, TraceStatus},
    },
    service::{
        Services,
        agents::{AgentsConfig, Runtime},
        conversations::{ConversationFilter, ConversationOrder, HistoryOrder, HistoryRequest},
        plans::{PlanFilter, PlanOrder},
        tracing::{TraceFilter, TraceOrder},
    },
    tools::{Tools, ToolsConfig},
};
use tokio::sync::watch;

use crate::support::store::{TestBed, TestStore};

const PAGE: PageRequest = PageRequest { first: 1_000, after: None };

fn options(conversations: u64) -> Options {
    Options { pace: Duration::ZERO, people: 3, conversations: Some(conversations), seed: 7 }
}

/// The use cases over a store, with what the demo brings, as `dendro demo` wires them.
fn theatre(bed: &TestBed, options: &Options) -> Theatre {
    let context = bed.context.with_prices(prices().unwrap());
    let runtime = Runtime {
        models: Models::default().with_scripts(options.scripts().unwrap()),
        tools: options.tools().into_iter().fold(Tools::empty(&ToolsConfig::default()), Tools::with),
        config: AgentsConfig { first_retry_ms: 0, ..AgentsConfig::default() },
    };
    let (clock, ids) = (context.clock.clone(), context.ids.clone());
    Theatre { services: Services::with(context, runtime), clock, ids }
}

async fn played(conversations: u64) -> (TestBed, Services) {
    let (bed, options) = (TestStore::in_memory().open().await, options(conversations));
    let theatre = theatre(&bed, &options);
    let services = theatre.services.clone();
    let (_stop, stopped) = watch::channel(false);
    assert_eq!(play(theatre, &options, stopped).await.unwrap(), conversations);
    (bed, services)
}

async fn traces(services: &Services) -> Vec<Trace> {
    let filter = TraceFilter::default();
    let page = services.tracing.list_traces(&filter, TraceOrder::OldestFirst, &PAGE).await.unwrap();
    page.items.into_iter().map(|(_, trace)| trace).collect()
}

async fn spans(services: &Services, trace: &Trace) -> Vec<SpanHead> {
    let spans = services.tracing.spans(&[trace.id]).await.unwrap().pop().flatten().unwrap();
    spans.heads.iter().map(|head| (**head).clone()).collect()
}

async fn conversations(services: &Services) -> Vec<Conversation> {
    let filter = ConversationFilter::default();
    let page = services.conversations.list(&filter, ConversationOrder::default(), &PAGE).await.unwrap();
    page.items.into_iter().map(|(_, conversation)| conversation).collect()
}

async fn history(services: &Services, conversation_id: ConversationId) -> Vec<Message> {
    let request = HistoryRequest {
        conversation_id,
        order: HistoryOrder::OldestFirst,
        page: PAGE,
        roles: None,
        from_last_summary: false,
    };
    let page = services.conversations.histories(&[request]).await.unwrap().pop().unwrap();
    page.items.into_iter().map(|(_, message)| message).collect()
}

async fn plans(services: &Services) -> Vec<Plan> {
    let page = services.plans.list(&PlanFilter::default(), PlanOrder::default(), &PAGE).await.unwrap();
    page.items.into_iter().map(|(_, plan)| plan).collect()
}

/// A conversation, its traces and what was said in it as text, without ids and times.
async fn told(services: &Services, conversation: &Conversation, traces: &[Trace]) -> String {
    let mut lines = Vec::new();
    for message in history(services, conversation.id).await {
        let calls: Vec<_> =
            message.tool_calls.iter().map(|call| (&call.name, call.arguments.text())).collect();
        lines.push(format!("{} {} {:?} {calls:?}", message.role, message.message_type, message.content));
    }
    let mut runs = Vec::new();
    for trace in traces.iter().filter(|trace| trace.conversation_id == Some(conversation.id)) {
        let heads = spans(services, trace).await;
        let head = |head: &SpanHead| {
            let model = &head.details.model;
            format!("{} {} {} {:?} {model:?}", head.operation_type, head.name, head.status, head.ledger)
        };
        let mut heads: Vec<_> = heads.iter().map(head).collect();
        heads.sort();
        runs.push(format!("{:?} {}\n{}", trace.name, trace.status, heads.join("\n")));
    }
    // The steps of a plan run at the same time.
    runs.sort();
    format!("{:?}\n{}\n{}", conversation.title, lines.join("\n"), runs.join("\n"))
}

async fn told_of(count: u64) -> Vec<String> {
    let (_bed, services) = played(count).await;
    let traces = traces(&services).await;
    let mut all = Vec::new();
    for conversation in conversations(&services).await {
        all.push(told(&services, &conversation, &traces).await);
    }
    all.sort();
    all
}

#[tokio::test]
async fn runs_are_whole_nested_and_labelled() {
    let (bed, services) = played(30).await;
    let traces = traces(&services).await;
    assert!(traces.len() > 60, "{}", traces.len());
    for trace in &traces {
        assert!(trace.status.is_final() && trace.summary.running_count == 0, "{trace:?}");
        // An answer that was counted has its price.
        assert!(trace.summary.cost_known || trace.summary.tokens.total() == 0, "{trace:?}");
        for call in spans(&services, trace).await {
            let tokens = call.ledger.tokens;
            assert!(tokens.cache_read.unwrap_or(0) <= tokens.input.unwrap_or(0), "{call:?}");
            assert!(tokens.reasoning.unwrap_or(0) <= tokens.output.unwrap_or(0), "{call:?}");
            if call.operation_type == OperationType::LlmCall {
                assert_eq!(call.details.provider.as_deref(), Some("scripted"));
                assert!(!call.components.is_empty());
            }
        }
    }
    let conversations = conversations(&services).await;
    assert!(conversations.len() >= 30);
    assert!(conversations.iter().all(|it| it.tags.contains(&"scripted".to_owned())));
    assert!(conversations.iter().all(|it| it.next_ordinal < 60), "they come to an end");
    assert!(plans(&services).await.iter().all(|plan| plan.status == PlanStatus::Completed));
    bed.assert_consistent().await;
}

#[tokio::test]
async fn there_is_something_to_see_of_everything() {
    let (_bed, services) = played(60).await;
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut see = |what, is_there: bool| *seen.entry(what).or_default() += usize::from(is_there);
    for trace in traces(&services).await {
        let heads = spans(&services, &trace).await;
        let failed = |operation| {
            let is_failed = |head: &&SpanHead| head.status == SpanStatus::Error;
            heads.iter().filter(is_failed).any(|head| head.operation_type == operation)
        };
        let completed = trace.status == TraceStatus::Completed;
        see("a run that fails", trace.status == TraceStatus::Failed);
        see("a run that was stopped", trace.status == TraceStatus::Cancelled);
        see("a tool that fails, and the run goes on", completed && failed(OperationType::ToolCall));
        see("a model that fails, and is asked again", completed && failed(OperationType::LlmCall));
        see("a deep run", trace.summary.depth >= 4);
        see("memory", heads.iter().any(|head| head.operation_type == OperationType::Memory));
        see("documents", heads.iter().any(|head| head.operation_type == OperationType::Retrieval));
        see("a first token", heads.iter().any(|head| head.details.time_to_first_token_nanos.is_some()));
        see("a cost", trace.summary.cost_known && trace.summary.cost.nanos() > 0);
    }
    for conversation in conversations(&services).await {
        let history = history(&services, conversation.id).await;
        see("a branch", conversation.parent_conversation_id.is_some());
        see("tools at the same time", history.iter().any(|message| message.tool_calls.len() > 1));
        see("thinking", history.iter().any(|message| message.thinking.is_some()));
        see("a summary", history.iter().any(|message| message.message_type == MessageType::Summary));
        see(
            "an error that is told",
            history.iter().any(|message| message.message_type == MessageType::Error),
        );
    }
    for plan in plans(&services).await {
        let again = |attempts: usize| plan.steps.iter().any(|step| step.attempts.len() > attempts);
        let first_failed =
            |status| plan.steps.iter().flat_map(|step| step.attempts.first()).any(|it| it.status == status);
        see("a step that is tried again", again(1) && first_failed(StepStatus::Failed));
        see("a plan that goes well", !again(1));
    }
    let missing: Vec<_> = seen.iter().filter(|(_, count)| **count == 0).collect();
    assert!(missing.is_empty(), "{seen:#?}");
}

#[tokio::test]
async fn the_same_seed_gives_the_same() {
    let some = told_of(16).await;
    assert_eq!(some, told_of(16).await);
    let distinct: std::collections::HashSet<_> = some.iter().collect();
    assert!(distinct.len() > 14, "conversations differ from each other");
}

#[tokio::test]
async fn a_stopped_demo_leaves_nothing_running() {
    let bed = TestStore::in_memory().open().await;
    let options = Options { pace: Duration::from_millis(80), conversations: None, ..options(0) };
    let theatre = theatre(&bed, &options);
    let services = theatre.services.clone();
    let (stop, stopped) = watch::channel(false);
    let stopping = async {
        // Once a run has just begun, which then takes some beats.
        let begun = |trace: &Trace| !trace.status.is_final() && trace.summary.span_count <= 3;
        while !traces(&services).await.iter().skip(3).any(begun) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        stop.send_replace(true);
    };
    let (played, ()) = tokio::join!(play(theatre, &options, stopped), stopping);
    assert!(played.unwrap() >= 3);
    let traces = traces(&services).await;
    assert!(traces.iter().all(|trace| trace.status.is_final() && trace.summary.running_count == 0));
    let cut_off: Vec<_> = traces.iter().filter(|trace| trace.status == TraceStatus::Cancelled).collect();
    assert!(!cut_off.is_empty());
    let heads = spans(&services, cut_off[0]).await;
    assert!(heads.iter().any(|head| head.status == SpanStatus::Cancelled));
    assert!(plans(&services).await.iter().all(|plan| plan.status != PlanStatus::Running));
}
