//! Whatever comes in: it is answered, nothing panics, and the database stays sound. The same cases every
//! time; `DENDRO_CASES=50` has fifty times as many, `DENDRO_SEED=7` others. `fuzz/` has a target for longer
//! runs, guided by what the code does with its input.

use dendro::{
    model::{
        Json, Timestamp,
        span::{SpanBody, SpanEvent},
    },
    semconv::{Attributes, Told, WireSpan, view},
};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use prost::Message;
use serde_json::{Value, json};

use super::{
    bed::{Bed, JSON, LOGS, NOW, TRACES},
    corpus::{Recorded, clients, handmade_files, of_client},
};
use crate::support::property::{Random, cases};

/// Says which case it was when one panics.
struct Case(String);

impl Drop for Case {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was case {}", self.0);
        }
    }
}

fn corpus() -> Vec<Recorded> {
    clients().iter().flat_map(|client| of_client(client)).chain(handmade_files()).collect()
}

/// Bytes with some of them changed, taken out, repeated, or put in from elsewhere.
fn mutated(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = random.below(bytes.len());
        let length = random.below(64.min(bytes.len() - at)) + 1;
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..at + length)),
            2 => {
                let part = bytes[at..at + length].to_vec();
                bytes.splice(at..at, part);
            }
            3 => {
                let from = random.below(other.len());
                let part = other[from..(from + length).min(other.len())].to_vec();
                bytes.splice(at..at, part);
            }
            4 => bytes[at] = *random.pick(&[0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'[', b'\\']),
            _ => bytes[at] ^= 1 << random.below(8),
        }
    }
    bytes
}

/// A value of JSON as nobody would write it.
fn any_json(depth: usize, random: &mut Random) -> Value {
    match random.below(if depth == 0 { 9 } else { 13 }) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(random.next() >> random.below(64)),
        3 => json!(-(i64::try_from(random.next() >> 1).unwrap())),
        4 => json!(f64::from_bits(random.next())),
        5 => json!(""),
        6 => json!(*random.pick(&[
            "user",
            "assistant",
            "tool",
            "text",
            "\u{0}",
            "\"",
            "[1",
            "{\"a\":1}",
            "\u{1f600}",
            "1e999"
        ])),
        7 => json!(any_json(0, random).to_string()),
        8 => json!("[".repeat(random.below(200))),
        9 | 10 => (0..random.below(4)).map(|_| any_json(depth - 1, random)).collect(),
        _ => {
            let names = [
                "role",
                "content",
                "parts",
                "type",
                "text",
                "tool_calls",
                "id",
                "name",
                "arguments",
                "function",
                "message",
                "messages",
                "choices",
                "input",
                "kwargs",
                "lc",
                "data",
                "toolUse",
                "result",
                "response",
                "",
            ];
            let members = (0..random.below(5))
                .map(|_| ((*random.pick(&names)).to_owned(), any_json(depth - 1, random)));
            Value::Object(members.collect())
        }
    }
}

/// A document with some of its values replaced.
fn changed(mut value: Value, random: &mut Random) -> Value {
    for _ in 0..=random.below(3) {
        let levels = random.below(14);
        change(&mut value, levels, random);
    }
    value
}

fn change(value: &mut Value, levels: usize, random: &mut Random) {
    let below = match value {
        Value::Array(items) if levels > 0 && !items.is_empty() => {
            let index = random.below(items.len());
            items.get_mut(index)
        }
        Value::Object(members) if levels > 0 && !members.is_empty() => {
            let index = random.below(members.len());
            members.values_mut().nth(index)
        }
        _ => None,
    };
    match below {
        Some(below) => change(below, levels - 1, random),
        None => *value = any_json(3, random),
    }
}

#[tokio::test]
async fn whatever_comes_is_answered_and_the_database_stays_sound() {
    let corpus = corpus();
    let mut random = Random::new(1);
    let mut bed = Bed::new().await;
    for number in 0..cases(1_500) {
        let (one, other) = (random.pick(&corpus), random.pick(&corpus));
        let body = if one.content_type == JSON && random.below(2) == 0 {
            changed(serde_json::from_slice(&one.body).unwrap(), &mut random).to_string().into_bytes()
        } else {
            mutated(&one.body, &other.body, &mut random)
        };
        let path = if random.below(10) == 0 { *random.pick(&[TRACES, LOGS]) } else { &one.path };
        let case = Case(format!("{number}: {} to {path}", one.file));
        let reply = bed.post(path, &one.content_type, body).await;
        match reply.status {
            200 => drop(reply.rejected(path)),
            400 => assert!(!reply.complaint().message.is_empty()),
            status => panic!("{status}: {:?}", reply.complaint()),
        }
        if number % 100 == 99 {
            bed.all_traces().await;
            let report = bed.server.store.check(&|_, _| {}).await.unwrap();
            assert!(report.is_clean(), "{:#?}", report.problems);
            bed = Bed::new().await;
        }
        drop(case);
    }
}

/// Attributes of real spans and records.
fn real_attributes() -> Vec<KeyValue> {
    let mut attributes = Vec::new();
    for recorded in corpus().iter().filter(|recorded| recorded.content_type != JSON) {
        if recorded.path == TRACES {
            let request = ExportTraceServiceRequest::decode(recorded.body.as_slice()).unwrap();
            let scopes = request.resource_spans.into_iter().flat_map(|of| of.scope_spans);
            let spans = scopes.flat_map(|scope| scope.spans);
            attributes.extend(spans.flat_map(|span| span.attributes));
        } else {
            let request = ExportLogsServiceRequest::decode(recorded.body.as_slice()).unwrap();
            let scopes = request.resource_logs.into_iter().flat_map(|of| of.scope_logs);
            let records = scopes.flat_map(|scope| scope.log_records);
            attributes.extend(records.flat_map(|record| record.attributes));
        }
    }
    attributes
}

/// Names of attributes, of real ones and of those that were written by hand.
fn names() -> Vec<String> {
    let mut names: Vec<_> = real_attributes().into_iter().map(|attribute| attribute.key).collect();
    for recorded in handmade_files() {
        let text = String::from_utf8(recorded.body).unwrap();
        names.extend(
            text.split("\"key\"").skip(1).filter_map(|rest| Some(rest.split('"').nth(1)?.to_owned())),
        );
    }
    names.sort();
    names.dedup();
    assert!(names.len() > 300, "{}", names.len());
    names
}

/// Texts that stand in real attributes.
fn texts() -> Vec<String> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
    let texts = real_attributes().into_iter().filter_map(|attribute| match attribute.value?.value? {
        Any::StringValue(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

fn some_attributes(names: &[String], texts: &[String], random: &mut Random) -> Json {
    let members = (0..random.below(12)).map(|_| {
        let mut name = random.pick(names).clone();
        match random.below(12) {
            0 => name.push_str(".0"),
            1 => name = format!("{name}.{}.message.role", random.next()),
            2 => name.truncate(name.len() / 2),
            _ => {}
        }
        let value = match random.below(4) {
            0 => json!(random.pick(texts)),
            1 => {
                let text = random.pick(texts);
                json!(String::from_utf8_lossy(&mutated(text.as_bytes(), text.as_bytes(), random)))
            }
            2 => serde_json::from_str(random.pick(texts).as_str())
                .map_or(Value::Null, |value| changed(value, random)),
            _ => any_json(4, random),
        };
        (name, value)
    });
    Json::from_value(&Value::Object(members.collect())).unwrap()
}

#[test]
fn whatever_attributes_say_something_is_understood() {
    let (names, mut texts) = (names(), texts());
    texts.retain(|text| !text.is_empty());
    let mut random = Random::new(2);
    let start_time = Timestamp::from_nanos(NOW);
    let event_names = [
        "exception",
        "gen_ai.choice",
        "gen_ai.user.message",
        "gen_ai.tool.message",
        "tool.output",
        "gen_ai.evaluation.result",
        "gen_ai.content.prompt",
        "gen_ai.client.inference.operation.details",
    ];
    for number in 0..cases(20_000) {
        let case = Case(number.to_string());
        let json = some_attributes(&names, &texts, &mut random);
        let event = |random: &mut Random| SpanEvent {
            name: (*random.pick(&event_names)).to_owned(),
            time: start_time,
            attributes: (random.below(4) > 0).then(|| some_attributes(&names, &texts, random)),
        };
        let events: Vec<_> = (0..random.below(3)).map(|_| event(&mut random)).collect();
        let name = random.pick(&["claude_code.tool", "claude_code.llm_request", "chat", ""]);
        let told = {
            let attributes = Attributes::read(&json);
            let service = Some("service").filter(|_| random.below(2) == 0);
            Told::of(WireSpan {
                name,
                attributes: &attributes,
                events: &events,
                start_time,
                service,
                wanted: &|_| true,
            })
        };
        for source in &told.versions {
            let _ = (source.key(), source.versions());
        }
        let body = SpanBody {
            inputs: told.inputs,
            outputs: told.outputs,
            input_attribute: told.input_attribute,
            output_attribute: told.output_attribute,
            attributes: Some(json),
            events,
            ..SpanBody::default()
        };
        look_at(&body);
        drop(case);
    }
}

/// Everything that can be asked of a body.
fn look_at(body: &SpanBody) {
    let _ = (view::input_messages(body), view::output_messages(body), view::chat(body), view::tools(body));
    let _ = (view::request_model(body), view::settings(body), view::conversation(body), view::agent(body));
    let _ = (view::tool_result(body), view::search(body), view::embedding(body), view::judgements(body));
    for content in [body.read_inputs(), body.read_outputs()].into_iter().flatten() {
        for role in
            [dendro::model::message::MessageRole::User, dendro::model::message::MessageRole::Assistant]
        {
            let _ = view::spoken(&content, role);
        }
    }
}
