//! Spans that were recorded through the API, in OpenTelemetry's words and back.

use std::collections::BTreeMap;

use dendro::{
    model::{
        Json, SpanId, Timestamp, TraceId,
        component::{ComponentRef, VersionHash},
        ledger::{CountingRule, NanoUsd, TokenCounts},
        span::{
            Attached, NewSpan, OperationType, SpanAction, SpanBody, SpanChanges, SpanDetails, SpanEvent,
            SpanHead, SpanLink, SpanOp, SpanStatus,
        },
        trace::{NewTrace, Trace, TraceBody, TraceCompletion, TraceStatus},
    },
    otlp::Encoding,
    service::{query::Selection, tracing::SpanWrite},
};
use futures_util::TryStreamExt;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{export, import, lines, server};
use crate::support::{Server, property::holds, spans::trace_id};

/// Texts as they come: some look like JSON, some are long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(vec!["small-1", "gpt-4o", "a", "ä b", "UNSET"]).prop_map(str::to_owned),
        1 => select(vec!["{not json", "[1, 2]", "{\"a\":1}", " padded ", "\"quoted\"", "12"]).prop_map(str::to_owned),
        1 => Just("long ".repeat(70).trim().to_owned()),
    ]
}

fn document() -> impl Strategy<Value = Json> {
    let documents = vec![
        json!("plain"),
        json!("{not json"),
        json!("[1,2]"),
        json!({"a": 1, "b": [1.5, null, {"c": true}]}),
        json!([]),
        json!({}),
        json!(1),
        json!(-0.5),
        json!(u64::MAX),
        json!(true),
        json!({"query": "what", "documents": [{"id": "d", "content": "text", "score": 0.5}]}),
        json!([{"id": "d1", "content": "text", "score": 1}, {"id": "d2"}]),
        json!([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Where?"}]),
        json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]}),
        json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": "call-1", "type": "function", "function": {"name": "find", "arguments": "{\"q\": 1}"}}]}),
        json!({"type": "Timeout", "message": "too late"}),
    ];
    prop_oneof![
        9 => select(documents).prop_map(|value| Json::from_value(&value).unwrap()),
        1 => Just(Json::parse(" {\"spaced\" : 1.50, \"twice\": 1, \"twice\": 2} ").unwrap()),
        1 => Just(Json::parse("null").unwrap()),
    ]
}

fn attributes() -> impl Strategy<Value = Option<Json>> {
    let members = vec![
        ("gen_ai.operation.name", json!("execute_tool")),
        ("gen_ai.request.model", json!("another")),
        ("input.value", json!("of the application's own")),
        ("logfire.span_type", json!("pending_span")),
        ("langfuse.observation.level", json!("ERROR")),
        ("session.id", json!("s-1")),
        ("gen_ai.usage.input_tokens", json!(3)),
        ("whole", json!(1)),
        ("double", json!(1.0)),
        ("large", json!(u64::MAX)),
        ("nested", json!({"list": [1, 2.5, null], "text": "x"})),
        ("dendro.span.id", json!("of the application's own")),
        ("dendro.span.derived", json!(["double"])),
        ("dendro.span.fields", json!("{\"name\":\"another\"}")),
        ("dendro.sent.dendro.span.id", json!("sent twice")),
        ("dendro.other", json!(1)),
    ];
    let some = vec(select(members), 0..4)
        .prop_map(|members| Json::from_value(&members.into_iter().collect::<BTreeMap<_, _>>()).unwrap());
    option::of(some)
}

fn span_id() -> impl Strategy<Value = SpanId> {
    prop_oneof![
        (1..9_u64).prop_map(|id| SpanId::from_bytes(u128::from(id).to_be_bytes())),
        (1..9_u8).prop_map(|id| SpanId::from_bytes([id; 16])),
    ]
}

fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        4 => (0..1_000_i64).prop_map(|after| Timestamp::from_nanos(1_735_000_000_000_000_000 + after)),
        1 => (0..10_i64).prop_map(Timestamp::from_nanos),
    ]
}

fn details() -> impl Strategy<Value = SpanDetails> {
    let texts = vec(option::of(text()), 7);
    (texts, option::of(0..u64::MAX / 2), option::of(any::<u32>()), option::of(any::<u128>())).prop_map(
        |(mut texts, first_token, documents, plan)| {
            let mut next = || texts.pop().flatten();
            SpanDetails {
                model: next(),
                provider: next(),
                finish_reason: next(),
                time_to_first_token_nanos: first_token,
                tool_name: next(),
                tool_call_id: next(),
                agent_name: next(),
                plan_id: plan.map(|id| uuid::Uuid::from_u128(id).into()),
                step_id: plan.map(|id| uuid::Uuid::from_u128(!id).into()),
                document_count: documents,
                response_id: next(),
            }
        },
    )
}

fn tokens() -> impl Strategy<Value = (Option<TokenCounts>, Option<CountingRule>)> {
    let counts = vec(option::of(0..1_000_u64), 6).prop_map(|mut counts| {
        let mut next = || counts.pop().flatten();
        TokenCounts {
            input: next(),
            output: next(),
            cache_read: next(),
            cache_write: next(),
            reasoning: next(),
            total: next(),
        }
    });
    (option::of(counts), option::of(select(CountingRule::ALL)))
}

fn body() -> impl Strategy<Value = SpanBody> {
    let documents = vec(option::weighted(0.4, document()), 5);
    let event = (text(), moment(), attributes()).prop_map(|(name, time, attributes)| SpanEvent {
        name,
        time,
        attributes,
    });
    let link = (1..5_u64, option::of(span_id()), attributes())
        .prop_map(|(trace, span_id, attributes)| SpanLink { trace_id: trace_id(trace), span_id, attributes });
    (documents, attributes(), vec(event, 0..3), vec(link, 0..3)).prop_map(
        |(mut documents, attributes, events, links)| {
            let mut next = || documents.pop().flatten();
            SpanBody {
                inputs: next(),
                outputs: next(),
                memory_snapshot: next(),
                conversation_context: next(),
                error_details: next(),
                attributes,
                events,
                links,
                ..SpanBody::default()
            }
        },
    )
}

fn changes() -> impl Strategy<Value = SpanChanges> {
    let components = vec((text(), any::<[u8; 32]>()), 0..2);
    let cost = option::of(0..i64::MAX);
    (option::of(text()), details(), tokens(), cost, components, body()).prop_map(
        |(status_message, details, (tokens, rule), cost, components, body)| SpanChanges {
            name: None,
            status_message,
            details,
            tokens,
            rule,
            cost: cost.map(NanoUsd::from_nanos),
            components: components
                .into_iter()
                .map(|(id, hash)| ComponentRef {
                    component_id: id,
                    version_hash: VersionHash::from_bytes(hash),
                })
                .collect(),
            body,
        },
    )
}

fn span() -> impl Strategy<Value = NewSpan> {
    let ids = (span_id(), option::of(span_id()));
    (ids, select(OperationType::ALL), text(), moment(), 0..50_i64, select(SpanStatus::ALL), changes())
        .prop_map(|((id, parent_id), operation_type, name, start, takes, status, changes)| NewSpan {
            id,
            parent_id,
            operation_type,
            name,
            start_time: Some(start),
            end_time: status.is_final().then(|| start.plus_nanos(takes)),
            status: Some(status),
            changes,
        })
}

async fn record(server: &Server, trace: NewTrace, spans: Vec<NewSpan>) {
    let id = trace.id.unwrap();
    server.services.tracing.start_trace(trace).await.unwrap();
    let write = |span: NewSpan| SpanWrite {
        trace_id: id,
        op: SpanOp { id: span.id, action: SpanAction::Record(Box::new(span)) },
    };
    for written in server.services.tracing.write_spans(spans.into_iter().map(write).collect()).await {
        written.unwrap();
    }
}

/// All traces with their spans, but for where and how often they were written.
async fn kept(server: &Server) -> Vec<(Trace, TraceBody, Vec<(SpanHead, SpanBody)>)> {
    let pieces = server.services.queries.whole_traces(Selection::default()).await.unwrap();
    let pieces: Vec<_> = pieces.try_collect().await.unwrap();
    let whole = pieces.into_iter().map(|piece| {
        let spans = piece.spans.into_iter().map(|mut whole| {
            whole.own.complete_with(whole.attached);
            whole.head.revision = 0;
            whole.head.body_blocks.clear();
            whole.head.fingerprint = 0;
            whole.head.attached = Attached::default();
            (whole.head, whole.own)
        });
        (Trace::clone(&piece.trace), TraceBody::clone(&piece.body), spans.collect())
    });
    whole.collect()
}

/// What a document says: null is as good as nothing.
fn said(json: Option<&Json>) -> Option<Value> {
    json.map(|json| json.read().unwrap()).filter(|value| *value != Value::Null)
}

fn assert_same_body(one: &SpanBody, other: &SpanBody) {
    // Taken apart without `..`, so that a new field cannot be forgotten here.
    let SpanBody {
        inputs,
        outputs,
        memory_snapshot,
        conversation_context,
        error_details,
        attributes,
        events,
        links,
        origin,
        input_attribute,
        output_attribute,
    } = one;
    for (one, other, what) in [
        (inputs, &other.inputs, "inputs"),
        (outputs, &other.outputs, "outputs"),
        (memory_snapshot, &other.memory_snapshot, "memory snapshot"),
        (conversation_context, &other.conversation_context, "conversation context"),
        (error_details, &other.error_details, "error details"),
        (attributes, &other.attributes, "attributes"),
    ] {
        assert_eq!(said(one.as_ref()), said(other.as_ref()), "{what}");
    }
    assert_eq!((input_attribute, output_attribute), (&other.input_attribute, &other.output_attribute));
    assert_eq!(origin, &other.origin);
    let events_of = |events: &[SpanEvent]| -> Vec<_> {
        events
            .iter()
            .map(|event| (event.name.clone(), event.time, rough(event.attributes.as_ref())))
            .collect()
    };
    assert_eq!(events_of(events), events_of(&other.events), "events");
    let links_of = |links: &[SpanLink]| -> Vec<_> {
        links.iter().map(|link| (link.trace_id, link.span_id, rough(link.attributes.as_ref()))).collect()
    };
    assert_eq!(links_of(links), links_of(&other.links), "links");
}

/// What attributes of events and links say: whole numbers past 64 bits with a sign are doubles in OTLP, and
/// no attributes are as good as none.
fn rough(json: Option<&Json>) -> Option<Value> {
    let mut value = said(json).filter(|value| *value != json!({}))?;
    if let Some(large) = value.get_mut("large") {
        *large = json!(large.as_f64());
    }
    Some(value)
}

#[test]
fn spans_come_back_as_they_were_recorded() {
    holds(150, vec(span(), 1..5), async |spans: Vec<NewSpan>| {
        let first = server().await;
        let trace = NewTrace { id: Some(trace_id(1)), name: Some("run".to_owned()), ..NewTrace::default() };
        record(&first, trace, spans).await;
        let expected = kept(&first).await;
        for encoding in [Encoding::Json, Encoding::Protobuf] {
            let out = export(&first, encoding).await;
            let second = server().await;
            let (report, problems) = import(&second, "export", &out).await;
            assert_eq!(problems, Vec::<String>::new());
            let found = kept(&second).await;
            assert_eq!(found.len(), expected.len());
            for ((_, _, expected), (trace, _, found)) in expected.iter().zip(&found) {
                assert_eq!(trace.name.as_deref(), Some("run"));
                assert_eq!(found.len(), expected.len());
                for ((head, body), (found, found_body)) in expected.iter().zip(found) {
                    assert_eq!(found, head);
                    assert_same_body(body, found_body);
                }
            }
            assert_eq!(report.new_spans as usize, expected[0].2.len());
            assert!(export(&second, encoding).await == out, "a second export is another one");
            let (again, _) = import(&second, "export", &out).await;
            assert_eq!(again.new_spans, 0);
        }
    });
}

/// A run as an application records it.
async fn run(server: &Server) {
    let at =
        |seconds: i64| Timestamp::from_nanos(1_735_689_600_000_000_000).plus_nanos(seconds * 1_000_000_000);
    let json = |value: Value| Some(Json::from_value(&value).unwrap());
    let id = |number: u8| SpanId::from_bytes([number; 16]);
    let base = |number: u8, parent: Option<u8>, operation_type, name: &str, changes| NewSpan {
        id: id(number),
        parent_id: parent.map(id),
        operation_type,
        name: name.to_owned(),
        start_time: Some(at(i64::from(number))),
        end_time: Some(at(20 - i64::from(number))),
        status: Some(SpanStatus::Ok),
        changes,
    };
    let call = SpanChanges {
        details: SpanDetails {
            model: Some("gpt-4o".to_owned()),
            provider: Some("openai".to_owned()),
            finish_reason: Some("stop".to_owned()),
            response_id: Some("answer-1".to_owned()),
            time_to_first_token_nanos: Some(1_500_000_000),
            ..SpanDetails::default()
        },
        tokens: Some(TokenCounts {
            input: Some(10),
            output: Some(5),
            cache_read: Some(100),
            ..TokenCounts::default()
        }),
        rule: Some(CountingRule::CacheExclusive),
        body: SpanBody {
            inputs: json(json!([{"role": "user", "content": "Where is it?"}])),
            outputs: json(json!({"role": "assistant", "content": "There."})),
            ..SpanBody::default()
        },
        ..SpanChanges::default()
    };
    let tool = SpanChanges {
        details: SpanDetails {
            tool_name: Some("search".to_owned()),
            tool_call_id: Some("call-1".to_owned()),
            ..SpanDetails::default()
        },
        body: SpanBody {
            inputs: json(json!({"q": "it"})),
            outputs: json(json!("nothing")),
            error_details: json(json!({"type": "NotFound", "message": "nothing"})),
            ..SpanBody::default()
        },
        ..SpanChanges::default()
    };
    let tool = NewSpan {
        status: Some(SpanStatus::Error),
        ..base(3, Some(1), OperationType::ToolCall, "search", tool)
    };
    let agent = SpanChanges {
        details: SpanDetails { agent_name: Some("helper".to_owned()), ..SpanDetails::default() },
        ..SpanChanges::default()
    };
    let running = NewSpan {
        end_time: None,
        status: Some(SpanStatus::Running),
        ..base(4, Some(1), OperationType::PlanStep, "step", SpanChanges::default())
    };
    let spans = vec![
        base(1, None, OperationType::Agent, "agent", agent),
        base(2, Some(1), OperationType::LlmCall, "think", call),
        tool,
        running,
    ];
    let start_time = Some(at(0));
    let body = TraceBody { user_input: Some("Where is it?".to_owned()), ..TraceBody::default() };
    let trace = NewTrace {
        id: Some(TraceId::from_bytes([9; 16])),
        name: Some("a run".to_owned()),
        session_id: Some("session-1".to_owned()),
        user_id: Some("ada".to_owned()),
        start_time,
        body,
        ..NewTrace::default()
    };
    record(server, trace, spans).await;
    let completion = TraceCompletion {
        status: TraceStatus::Completed,
        final_output: Some("There.".to_owned()),
        end_time: Some(at(30)),
    };
    server.services.tracing.complete_trace(TraceId::from_bytes([9; 16]), completion).await.unwrap();
}

#[tokio::test]
async fn others_understand_what_was_recorded() {
    let server = server().await;
    run(&server).await;
    let out = lines(&export(&server, Encoding::Json).await);
    assert_eq!(out.len(), 1, "a trace is a line");
    let resource = &out[0]["resourceSpans"][0];
    let service = json!([{"key": "service.name", "value": {"stringValue": "dendro"}}]);
    assert_eq!(resource["resource"]["attributes"], service);
    let spans = resource["scopeSpans"][0]["spans"].as_array().unwrap();
    let span = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
    let attribute = |name: &str, key: &str| {
        let attributes = span(name)["attributes"].as_array().unwrap();
        attributes
            .iter()
            .find(|attribute| attribute["key"] == key)
            .map_or(Value::Null, |it| it["value"].clone())
    };
    for (name, key, value) in [
        ("agent", "gen_ai.operation.name", json!({"stringValue": "invoke_agent"})),
        ("agent", "gen_ai.agent.name", json!({"stringValue": "helper"})),
        ("agent", "session.id", json!({"stringValue": "session-1"})),
        ("agent", "user.id", json!({"stringValue": "ada"})),
        ("think", "gen_ai.operation.name", json!({"stringValue": "chat"})),
        ("think", "gen_ai.provider.name", json!({"stringValue": "openai"})),
        ("think", "gen_ai.request.model", json!({"stringValue": "gpt-4o"})),
        ("think", "gen_ai.response.id", json!({"stringValue": "answer-1"})),
        ("think", "gen_ai.response.time_to_first_chunk", json!({"doubleValue": 1.5})),
        (
            "think",
            "gen_ai.response.finish_reasons",
            json!({"arrayValue": {"values": [{"stringValue": "stop"}]}}),
        ),
        // OpenTelemetry's input includes what was cached.
        ("think", "gen_ai.usage.input_tokens", json!({"intValue": "110"})),
        ("think", "gen_ai.usage.output_tokens", json!({"intValue": "5"})),
        ("think", "gen_ai.usage.cache_read.input_tokens", json!({"intValue": "100"})),
        ("think", "gen_ai.usage.cost", Value::Null),
        ("search", "gen_ai.operation.name", json!({"stringValue": "execute_tool"})),
        ("search", "gen_ai.tool.name", json!({"stringValue": "search"})),
        ("search", "gen_ai.tool.call.id", json!({"stringValue": "call-1"})),
        ("search", "gen_ai.tool.call.arguments", json!({"stringValue": "{\"q\":\"it\"}"})),
        ("search", "gen_ai.tool.call.result", json!({"stringValue": "nothing"})),
        ("search", "error.type", json!({"stringValue": "NotFound"})),
        ("step", "gen_ai.operation.name", Value::Null),
        ("step", "dendro.span.fields", json!({"stringValue": "{\"operation\":\"PLAN_STEP\"}"})),
        ("step", "dendro.span.id", json!({"stringValue": "04040404-0404-0404-0404-040404040404"})),
    ] {
        assert_eq!(attribute(name, key), value, "{name}: {key}");
    }
    let messages: Value =
        serde_json::from_str(attribute("think", "gen_ai.input.messages")["stringValue"].as_str().unwrap())
            .unwrap();
    assert_eq!(messages, json!([{"role": "user", "parts": [{"type": "text", "content": "Where is it?"}]}]));
    let messages: Value =
        serde_json::from_str(attribute("think", "gen_ai.output.messages")["stringValue"].as_str().unwrap())
            .unwrap();
    assert_eq!(messages, json!([{"role": "assistant", "parts": [{"type": "text", "content": "There."}]}]));
    assert_eq!(span("think")["kind"], 3);
    assert_eq!(span("think")["parentSpanId"], span("agent")["spanId"]);
    assert_eq!(span("search")["status"], json!({"code": 2}));
    assert_eq!(span("step")["endTimeUnixNano"], "0");
    let order: Vec<_> = spans.iter().map(|span| span["name"].as_str().unwrap()).collect();
    assert_eq!(order, ["search", "think", "agent", "step"], "as they ended");
}

#[tokio::test]
async fn what_was_said_of_a_trace_comes_back_too() {
    let first = server().await;
    run(&first).await;
    let second = server().await;
    import(&second, "export", &export(&first, Encoding::Protobuf).await).await;
    let (expected, found) = (kept(&first).await, kept(&second).await);
    let (one, other) = (&expected[0], &found[0]);
    assert_eq!(other.0.name, one.0.name);
    assert_eq!(other.0.session_id, one.0.session_id);
    assert_eq!(other.0.user_id, one.0.user_id);
    assert_eq!(other.0.conversation_id, None);
    assert_eq!(other.0.summary, one.0.summary);
    assert_eq!((&other.1.user_input, &other.1.final_output), (&one.1.user_input, &one.1.final_output));
}
