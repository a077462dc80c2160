//! What operations cost the engine: reads do not grow with depth or with the number of spans, and bodies
//! are read only when something asks for them.

use dendro::{
    engine::{CallKind, Counts, Tree},
    graphql::page::PageLimits,
    service::listing::ListLimits,
};
use serde_json::{Value, json};

use crate::support::Server;

/// A trace with a chain of `depth` spans, each with a body, and `width` spans below each of them.
async fn record(server: &Server, depth: usize, width: usize) -> String {
    let start = "mutation { startTrace(input: {}) { trace { traceId } } }";
    let trace =
        server.data(start, json!({})).await["startTrace"]["trace"]["traceId"].as_str().unwrap().to_owned();
    let id = |level: usize, place: usize| format!("33333333-3333-4333-8333-{level:06}{place:06}");
    let span = |level: usize, place: usize| {
        let parent = level.checked_sub(1).map(|above| id(above, 0));
        json!({
            "traceId": trace, "spanId": id(level, place), "parentSpanId": parent, "operationType": "CUSTOM",
            "name": "step", "inputs": {"level": level}, "outputs": [place],
        })
    };
    let spans: Vec<_> = (0..depth).flat_map(|level| (0..=width).map(move |place| (level, place))).collect();
    let spans: Vec<_> = spans.into_iter().map(|(level, place)| span(level, place)).collect();
    server
        .data(
            "mutation($spans: [CreateSpanInput!]!) { createSpans(input: {spans: $spans}) { results { refusal { message } } } }",
            json!({"spans": spans}),
        )
        .await;
    trace
}

/// Levels of children, each with `fields`.
fn nested(levels: usize, fields: &str) -> String {
    (0..levels).fold(String::new(), |below, _| format!("children {{ {fields} {below} }}"))
}

async fn read(server: &Server, selection: &str, trace: &str) -> (Value, Counts) {
    let query = format!("query($id: ID!) {{ trace(id: $id) {{ {selection} }} }}");
    server.counted(&query, json!({"id": trace})).await
}

fn trips(counts: &Counts) -> (u64, u64) {
    (counts.trips(CallKind::Get), counts.trips(CallKind::Scan))
}

fn bodies(counts: &Counts) -> u64 {
    counts.of(CallKind::Get, &Tree::new("default/span_body")).calls
}

#[tokio::test]
async fn a_nested_query_reads_as_often_whatever_its_depth_and_the_number_of_spans() {
    let server = Server::new().await;
    let (small, large) = (record(&server, 3, 2).await, record(&server, 30, 60).await);
    let tree = |levels| format!("rootSpans {{ name {} }}", nested(levels, "name depth inputs outputs"));
    let (_, shallow) = read(&server, &tree(2), &small).await;
    let (data, deep) = read(&server, &tree(20), &large).await;
    assert_eq!(trips(&shallow), trips(&deep), "{deep:#?}");
    assert_eq!(bodies(&deep), 1);
    let level = |value: &Value| value["children"][0].clone();
    let third = level(&level(&level(&data["trace"]["rootSpans"][0])));
    assert_eq!(third["inputs"], json!({"level": 3}));
}

#[tokio::test]
async fn heads_are_read_once_for_all_three_views() {
    let server = Server::new().await;
    let trace = record(&server, 5, 5).await;
    let heads = |counts: &Counts| counts.of(CallKind::Scan, &Tree::new("default/span_head")).calls;
    let views = "spans { nodes { name trace { spans(first: 1) { totalCount } } } }
      rootSpans { name children { name parent { name } } }
      skeleton { parents } other: spans(filter: {name: \"x\"}) { totalCount }";
    let (_, counts) = read(&server, views, &trace).await;
    assert_eq!(heads(&counts), 1, "{counts:#?}");
}

#[tokio::test]
async fn bodies_are_read_only_when_something_asks_for_them() {
    let server = Server::new().await;
    let trace = record(&server, 10, 10).await;
    let (_, without) = read(&server, "spans { nodes { name eventCount } } skeleton { names }", &trace).await;
    assert_eq!(bodies(&without), 0, "{without:#?}");
    let selection = "spans(first: 100) { nodes { inputs outputs attributes events { name } } }
      rootSpans { children { inputs } }";
    let (_, with) = read(&server, selection, &trace).await;
    assert_eq!(bodies(&with), 1, "{with:#?}");
    let (_, row) = read(&server, "name spanCount totalTokens", &trace).await;
    assert_eq!(trips(&row), (1, 0), "{row:#?}");
}

#[tokio::test]
async fn many_traces_are_read_as_often_as_two() {
    let server = Server::new().await;
    let query = "query($first: Int) { traces(first: $first) { nodes {
      userInput spans(first: 3) { nodes { name inputs trace { name } } } skeleton { parents }
    } } }";
    for _ in 0..40 {
        record(&server, 2, 2).await;
    }
    let (_, two) = server.counted(query, json!({"first": 2})).await;
    let (_, many) = server.counted(query, json!({"first": 40})).await;
    assert_eq!(trips(&two), trips(&many), "{many:#?}");
}

/// What an answer holds is bounded by what is there, not only by what the document suggests.
#[tokio::test]
async fn more_spans_than_fit_are_refused_and_each_trace_alone_is_not() {
    let lists = ListLimits { spans_at_once: 20, span_body_bytes_at_once: 1_000, ..ListLimits::default() };
    let server = Server::with(PageLimits::default(), lists).await;
    let (one, _) = (record(&server, 3, 4).await, record(&server, 3, 4).await);
    let trees = server.errors("{ traces(first: 2) { nodes { rootSpans { name } } } }", json!({})).await;
    assert_eq!(trees[0]["extensions"]["code"], "LIMIT_EXCEEDED");
    let message = trees[0]["message"].as_str().unwrap();
    assert!(
        message.contains("2 traces") && message.contains("30 spans") && message.contains("20 is"),
        "{message}"
    );
    let alone = "query($id: ID!) { trace(id: $id) { rootSpans { name children { name } } } }";
    let data = server.data(alone, json!({"id": one})).await;
    assert_eq!(data["trace"]["rootSpans"][0]["children"].as_array().unwrap().len(), 5);

    let long = json!("long ".repeat(100));
    let create = "mutation($spans: [CreateSpanInput!]!) { createSpans(input: {spans: $spans}) { results { refusal { message } } } }";
    let span = json!({"traceId": one, "operationType": "CUSTOM", "name": "long", "outputs": long});
    server.data(create, json!({"spans": [span, span, span]})).await;
    let bodies = |name| json!({"id": one, "name": name});
    let outputs = "query($id: ID!, $name: String) { trace(id: $id) { spans(filter: {name: $name}) { nodes { outputs } } } }";
    let errors = server.errors(outputs, bodies("long")).await;
    assert_eq!(errors[0]["extensions"]["code"], "LIMIT_EXCEEDED");
    assert!(errors[0]["message"].as_str().unwrap().contains("1000 bytes"), "{errors:?}");
    assert_eq!(
        server.data(outputs, bodies("step")).await["trace"]["spans"]["nodes"][0]["outputs"],
        json!([0])
    );
}

/// How often each tree is asked for values, and the engine for anything.
fn calls(counts: &Counts) -> (Vec<(&str, u64)>, (u64, u64)) {
    let gets = counts.by_tree.iter().filter(|((kind, _), _)| *kind == CallKind::Get);
    (gets.map(|((_, tree), count)| (tree.name(), count.calls)).collect(), trips(counts))
}

/// A conversation with all that can belong to one: messages that call tools and get results, a trace with
/// spans that used a component, a plan, scores of everything, and a branch.
async fn converse(server: &Server) {
    let created = server
        .data(
            "mutation {
              createConversation(input: {}) { conversation { id } }
              registerComponentVersion(input: {componentId: \"agent\", componentType: PROMPT, definition: {text: \"a\"}}) { version { versionHash } }
            }",
            json!({}),
        )
        .await;
    let id = created["createConversation"]["conversation"]["id"].clone();
    let hash = created["registerComponentVersion"]["version"]["versionHash"].clone();
    let add = "mutation($id: ID!) { addMessage(input: {conversationId: $id, role: USER, content: \"Hi\", trace: {name: \"run\"}}) {
      message { id } trace { traceId }
    } }";
    let added = server.data(add, json!({"id": id})).await["addMessage"].clone();
    let (message, trace) = (added["message"]["id"].clone(), added["trace"]["traceId"].clone());
    let more = "mutation($id: ID!, $message: ID!, $trace: ID!, $plan: CreatePlanInput!, $spans: [CreateSpanInput!]!) {
      addMessages(input: {conversationId: $id, messages: [
        {role: ASSISTANT, parentMessageId: $message, toolCalls: [{callId: \"c\", name: \"find\", arguments: {}}]},
        {role: TOOL, content: \"found\", toolCallId: \"c\", references: [$message], traceId: $trace},
      ]}) { refusal { message } }
      createPlan(input: $plan) { refusal { message } }
      createSpans(input: {spans: $spans}) { results { refusal { message } } }
      a: recordScore(input: {target: {conversationId: $id}, name: \"n\", value: {number: 1}}) { refusal { message } }
      b: recordScore(input: {target: {messageId: $message}, name: \"n\", value: {number: 1}}) { refusal { message } }
      c: recordScore(input: {target: {traceId: $trace}, name: \"n\", value: {number: 1}}) { refusal { message } }
      d: recordScore(input: {target: {span: {spanId: \"55555555-5555-4555-8555-555555555555\", traceId: $trace}}, name: \"n\", value: {number: 1}}) { refusal { message } }
      branchConversation(input: {conversationId: $id, messageId: $message}) { refusal { message } }
    }";
    let root = "55555555-5555-4555-8555-555555555555";
    let used = json!([{"componentId": "agent", "versionHash": hash}]);
    let spans = json!([
        {"traceId": trace, "spanId": root, "operationType": "AGENT", "name": "x", "inputs": 1, "components": used},
        {"traceId": trace, "parentSpanId": root, "operationType": "LLM_CALL", "name": "y", "outputs": 2, "components": used},
    ]);
    let plan = json!({"conversationId": id, "title": "p", "steps": [{"description": "s"}]});
    let variables = json!({"id": id, "message": message, "trace": trace, "plan": plan, "spans": spans});
    let done = server.data(more, variables).await;
    assert!(!done.to_string().contains("\"message\":\""), "{done}");
}

/// The way of a page that shows everything: conversations, what was said, which tools were called, the runs
/// behind it with their trees, the versions that they used, and every judgement.
const EVERYTHING: &str = "query($first: Int) { conversations(first: $first, orderBy: OLDEST_FIRST) { nodes {
  title branchCount
  scores { numberValue conversation { title } }
  branches(first: 5) { nodes { messageCount parentConversation { title } branchedFromMessage { content } messages(first: 5) { nodes { content } } } }
  messages(first: 5) { nodes {
    content conversation { title } scores { name message { content } } parentMessage { content } references { content }
    toolCalls { name resultMessage { content trace { name } } }
    trace { name userInput scores { name } skeleton { names } rootSpans {
      name inputs scores { name span { name } } components { version { definition component { componentId versionCount } } }
      children { name outputs components { versionHash version { sequence } } scores { name } }
    } }
  } }
  traces(first: 5) { nodes { name conversation { title } message { content } spans { nodes { name inputs scores { name } } } } }
  plans(first: 5) { nodes { title conversation { title } steps { attempts { span { name } } } } }
} } }";

#[tokio::test]
async fn eighty_conversations_are_read_with_as_many_calls_as_four() {
    let server = Server::new().await;
    for _ in 0..40 {
        converse(&server).await;
    }
    let (_, four) = server.counted(EVERYTHING, json!({"first": 4})).await;
    let (data, eighty) = server.counted(EVERYTHING, json!({"first": 80})).await;
    assert_eq!(data["conversations"]["nodes"].as_array().unwrap().len(), 80, "each has a branch");
    let last = &data["conversations"]["nodes"][78];
    assert_eq!(last["messages"]["nodes"][1]["toolCalls"][0]["resultMessage"]["content"], "found");
    let root = &last["messages"]["nodes"][0]["trace"]["rootSpans"][0];
    assert_eq!((&root["inputs"], &root["children"][0]["outputs"]), (&json!(1), &json!(2)));
    assert_eq!(root["components"][0]["version"]["component"]["versionCount"], 1);
    assert_eq!(root["scores"][0]["span"]["name"], "x");
    assert_eq!(last["branches"]["nodes"][0]["messages"]["nodes"][0]["content"], "Hi");
    assert_eq!(calls(&four), calls(&eighty));
    assert_eq!(eighty.trips(CallKind::Commit), 0);
}
