//! The forms that files have, and what is said of damaged ones.

use std::io::Write as _;

use dendro::otlp::import::Report;
use prost::Message as _;
use serde_json::{Value, json};

use super::{answers, corpus, import, import_as, server};
use crate::support::Server;

fn request(spans: &[Value]) -> Value {
    json!({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
}

fn span(trace: u8, span: u8) -> Value {
    json!({
        "traceId": format!("{trace:032x}"), "spanId": format!("{span:016x}"), "name": format!("span {span}"),
        "startTimeUnixNano": "1750000000000000000", "endTimeUnixNano": "1750000000000000001",
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// Each packed by itself, as the Collector's file exporter does.
fn packed(requests: &[Vec<u8>]) -> Vec<u8> {
    framed(&requests.iter().map(|request| zstd(request)).collect::<Vec<_>>())
}

fn framed(requests: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for request in requests {
        out.extend(u32::try_from(request.len()).unwrap().to_be_bytes());
        out.extend(request);
    }
    out
}

async fn taken(server: &Server, bytes: &[u8]) -> (u64, u64, Vec<String>) {
    let (report, problems) = import(server, "file", bytes).await;
    (report.spans, report.new_spans, problems)
}

#[tokio::test]
async fn json_is_taken_alone_in_lines_in_lists_and_packed() {
    let (one, two) = (request(&[span(1, 1)]), request(&[span(1, 2), span(2, 1)]));
    let lines = format!("{one}\n\n{two}\n");
    for bytes in [
        lines.clone().into_bytes(),
        gzip(lines.as_bytes()),
        zstd(lines.as_bytes()),
        [zstd(format!("{one}\n").as_bytes()), zstd(two.to_string().as_bytes())].concat(),
        packed(&[one.to_string().into_bytes(), two.to_string().into_bytes()]),
        json!([one, two]).to_string().into_bytes(),
        serde_json::to_vec_pretty(&json!([one, two])).unwrap(),
        [serde_json::to_vec_pretty(&one).unwrap(), serde_json::to_vec_pretty(&two).unwrap()].concat(),
        format!("\u{feff}{lines}").into_bytes(),
    ] {
        let server = server().await;
        assert_eq!(taken(&server, &bytes).await, (3, 3, Vec::new()), "{:?}", String::from_utf8_lossy(&bytes));
        assert_eq!(taken(&server, &bytes).await, (3, 0, Vec::new()), "again");
    }
}

#[tokio::test]
async fn protobuf_is_taken_alone_behind_its_length_and_packed() {
    let langgraph = corpus::all().into_iter().find(|sent| sent.name == "openai-official").unwrap();
    let requests: Vec<_> = langgraph.files.iter().map(|(_, bytes)| bytes.clone()).collect();
    let first = server().await;
    for bytes in &requests {
        import(&first, "file", bytes).await;
    }
    let expected = answers::of(&first).await;
    for bytes in [
        framed(&requests),
        gzip(&framed(&requests)),
        zstd(&framed(&requests)),
        packed(&requests),
        gzip(&packed(&requests)),
    ] {
        let server = server().await;
        let (report, problems) = import(&server, "file", &bytes).await;
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(report.requests, requests.len() as u64);
        assert!(
            report.new_spans > 0 && report.new_log_records > 0,
            "traces and logs are told apart: {report:?}"
        );
        answers::assert_same(&expected, &answers::of(&server).await, "framed");
    }
}

#[tokio::test]
async fn traces_and_logs_may_stand_in_one_file() {
    let sent = corpus::all().into_iter().find(|sent| sent.name == "claude-code").unwrap();
    let lines =
        sent.files.iter().map(|(_, bytes)| serde_json::from_slice::<Value>(bytes).unwrap().to_string());
    let lines = lines.collect::<Vec<_>>().join("\n");
    let server = server().await;
    let (report, problems) = import(&server, "file.jsonl", lines.as_bytes()).await;
    assert_eq!(problems, Vec::<String>::new());
    assert!(report.new_spans > 0 && report.new_log_records > 0, "{report:?}");
}

#[tokio::test]
async fn damage_is_told_with_its_place_and_costs_only_itself() {
    let nameless =
        json!({"traceId": "00", "spanId": "0000000000000009", "startTimeUnixNano": "1750000000000000000"});
    let lines = [
        request(&[span(1, 1)]).to_string(),
        "{\"resourceSpans\": [".to_owned(),
        request(&[span(1, 2), nameless, span(1, 3)]).to_string(),
        json!({"resourceMetrics": []}).to_string(),
        json!({"spans": []}).to_string(),
        json!({"resourceSpans": [{"scopeSpans": [{"scope": {"name": 1}}]}]}).to_string(),
        request(&[span(1, 4)]).to_string(),
    ];
    let server = server().await;
    let (report, problems) = import(&server, "sent.jsonl", lines.join("\n").as_bytes()).await;
    assert_eq!(
        (report.spans, report.new_spans, report.skipped_items, report.skipped_requests),
        (5, 4, 1, 4),
        "{problems:#?}"
    );
    for (problem, parts) in problems.iter().zip([
        ["sent.jsonl, line 2, record 2: not valid JSON", "(the record was skipped)"],
        [
            "sent.jsonl, line 3, record 3: resourceSpans.0.scopeSpans.0.spans.1.traceId: has 1 bytes and needs 16",
            "(the span was skipped)",
        ],
        ["sent.jsonl, line 4, record 4: metrics are not taken", "(the record was skipped)"],
        ["line 5, record 5: has neither resourceSpans nor resourceLogs", ""],
        ["line 6, record 6: resourceSpans.0.scopeSpans.0.scope.name: must be a text", ""],
    ]) {
        assert!(parts.iter().all(|part| problem.contains(part)), "{parts:?} in {problem}");
    }
    assert_eq!(problems.len(), 5, "{problems:#?}");
}

#[tokio::test]
async fn damaged_protobuf_is_told_by_its_number() {
    let langgraph = corpus::all().into_iter().find(|sent| sent.name == "langgraph").unwrap();
    let whole: Vec<_> = langgraph.files.iter().map(|(_, bytes)| bytes.clone()).collect();
    let damaged = framed(&[whole[0].clone(), b"\x0a\xff\xff\xff\x7f".to_vec(), whole[1].clone()]);
    let server = server().await;
    let (report, problems) = import(&server, "sent.pb", &damaged).await;
    assert_eq!((report.requests, report.skipped_requests), (2, 1));
    assert!(problems[0].starts_with("sent.pb, request 2: not a protobuf traces request"), "{problems:?}");

    let cut = framed(&whole);
    let (report, problems) = import(&server, "sent.pb", &cut[..cut.len() - 10]).await;
    assert_eq!((report.requests, report.skipped_requests), (1, 1));
    assert_eq!(
        problems,
        ["sent.pb, request 2: the file ends in the middle of it (the rest of the file was skipped)"]
    );

    let mut long = framed(&whole);
    long.extend([0x7f, 0xff, 0xff, 0xff]);
    let (report, problems) = import(&server, "sent.pb", &long).await;
    assert_eq!((report.requests, report.skipped_requests), (2, 1));
    assert!(
        problems[0].starts_with("sent.pb, request 3: its length is told to be 2147483647"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn damage_in_what_zstd_has_packed_is_told_with_its_place() {
    let requests: Vec<_> =
        (1..=4).map(|number| request(&[span(1, number)]).to_string().into_bytes()).collect();
    let server = server().await;
    let told = async |bytes: &[u8]| {
        let (report, problems) = import(&server, "sent.zst", bytes).await;
        (report.requests, problems)
    };
    // Of requests packed one by one, one that is damaged costs only itself.
    let frames: Vec<_> = requests.iter().map(|request| zstd(request)).collect();
    let (mut flipped, short) = (frames[1].clone(), frames[2][..frames[2].len() - 4].to_vec());
    flipped[8] ^= 0xff;
    let plain = requests[0].clone();
    let damaged = framed(&[frames[0].clone(), flipped, short, Vec::new(), plain, frames[3].clone()]);
    let (taken, problems) = told(&damaged).await;
    assert_eq!((taken, problems.len()), (3, 3), "an empty one is nothing: {problems:?}");
    assert!(problems[0].starts_with("sent.zst, request 2: the compressed data is damaged: "), "{problems:?}");
    assert_eq!(
        problems[1..],
        [
            "sent.zst, request 3: its compressed data ends before its time (the record was skipped)",
            "sent.zst, request 5: it is not packed with zstd, as the file's first request is (the record was skipped)",
        ]
    );
    // One that says that it refers back over a gibibyte.
    let far = b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00".to_vec();
    let (taken, problems) = told(&framed(&[frames[0].clone(), far.clone()])).await;
    assert_eq!((taken, problems.len()), (1, 1));
    assert!(
        problems[0].contains("request 2: cannot be read further: it takes more than 128 MiB"),
        "{problems:?}"
    );
    let cut = packed(&requests);
    let (taken, problems) = told(&cut[..cut.len() - 3]).await;
    assert_eq!(taken, 3);
    assert_eq!(
        problems,
        ["sent.zst, request 4: the file ends in the middle of it (the rest of the file was skipped)"]
    );
    // A file that is packed as a whole is taken up to where it ends, or is damaged.
    let lines: Vec<_> = requests.iter().map(|request| [request.as_slice(), b"\n"].concat()).collect();
    let parts: Vec<_> = lines.iter().map(|line| zstd(line)).collect();
    let whole = parts.concat();
    let (taken, problems) = told(&whole[..whole.len() - 3]).await;
    assert!(taken >= 3, "{taken}");
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(
        problems[0].contains("sent.zst, line ")
            && problems[0].contains("the file ends in the middle of its compressed data"),
        "{problems:?}"
    );
    let (taken, problems) = told(&[parts[0].as_slice(), b"no more of it"].concat()).await;
    assert_eq!((taken, problems.len()), (1, 1), "{problems:?}");
    assert!(problems[0].contains("line 2, record 2: the compressed data is damaged"), "{problems:?}");
}

#[tokio::test]
async fn little_that_unpacks_to_very_much_is_left_out() {
    let (mut bomb, fine) = (b"{\"resourceSpans\": [".to_vec(), request(&[span(1, 1)]).to_string());
    bomb.resize(65 << 20, b' ');
    let frames = [zstd(fine.as_bytes()), zstd(&bomb), zstd(request(&[span(1, 2)]).to_string().as_bytes())];
    assert!(frames[1].len() < 100_000);
    let server = server().await;
    let (report, problems) = import(&server, "sent", &framed(&frames)).await;
    assert_eq!(report.new_spans, 2);
    assert_eq!(
        problems,
        [
            "sent, request 2: unpacked it is longer than 64 MiB, which a request may not be (the record was skipped)"
        ]
    );
    let whole = zstd(&[fine.as_bytes(), b"\n", &bomb, b"\n", fine.as_bytes()].concat());
    let (report, problems) = import(&server, "sent", &whole).await;
    assert_eq!((report.requests, problems.len()), (2, 1), "{problems:?}");
    assert!(problems[0].contains("line 2, record 2: longer than 64 MiB"), "{problems:?}");
}

#[tokio::test]
async fn strict_imports_stop_before_the_request_that_has_a_fault() {
    let blank = json!({
        "traceId": format!("{:032x}", 1), "spanId": format!("{:016x}", 9), "startTimeUnixNano": "5",
    });
    let lines = [request(&[span(1, 1)]), request(&[span(1, 2), blank]), request(&[span(1, 3)])]
        .map(|line| line.to_string());
    let server = server().await;
    let (report, problems) = import_as(&server, "sent.jsonl", lines.join("\n").as_bytes(), true).await;
    assert!(report.stopped);
    assert_eq!((report.requests, report.new_spans), (1, 1));
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("line 2, record 2: resourceSpans.0.scopeSpans.0.spans.1.startTimeUnixNano"),
        "{problems:?}"
    );
    let traces = answers::of(&server).await;
    assert_eq!(traces[0]["spanCount"], 1, "nothing of the request, nor of those behind it");
}

#[tokio::test]
async fn a_file_gives_the_same_messages_however_often_it_is_imported() {
    // Turns of one conversation, a trace and a request each, beside those of others.
    let mut lines = Vec::new();
    for turn in 0..20_u8 {
        for conversation in 0..3_u8 {
            let said = |role: &str, text: String| json!([{"role": role, "content": text}]).to_string();
            let text = |key: &str, text: String| json!({"key": key, "value": {"stringValue": text}});
            let mut span = span(conversation * 50 + turn + 1, 1);
            span["startTimeUnixNano"] =
                json!((1_750_000_000_000_000_000_u64 + u64::from(turn) * 1_000).to_string());
            span["endTimeUnixNano"] =
                json!((1_750_000_000_000_000_500_u64 + u64::from(turn) * 1_000).to_string());
            span["attributes"] = json!([
                text("gen_ai.operation.name", "chat".to_owned()),
                text("gen_ai.conversation.id", format!("conversation {conversation}")),
                text("gen_ai.input.messages", said("user", format!("question {turn}"))),
                text("gen_ai.output.messages", said("assistant", format!("answer {turn}"))),
            ]);
            lines.push(request(&[span]).to_string());
        }
    }
    let file = lines.join("\n");
    let (first, second) = (server().await, server().await);
    for server in [&first, &second] {
        let (report, _) = import(server, "file.jsonl", file.as_bytes()).await;
        assert_eq!(report, Report { requests: 60, spans: 60, new_spans: 60, ..Report::default() });
    }
    let expected = answers::of(&first).await;
    answers::assert_same(&expected, &answers::of(&second).await, "the same file");
    let messages = &expected[0]["conversation"]["messages"]["nodes"];
    let said: Vec<_> =
        messages.as_array().unwrap().iter().map(|message| message["content"].as_str().unwrap()).collect();
    let in_order: Vec<_> =
        (0..20).flat_map(|turn| [format!("question {turn}"), format!("answer {turn}")]).collect();
    assert_eq!(said, in_order);
}

#[tokio::test]
async fn what_is_no_word_of_dendro_is_refused_and_what_is_another_stays() {
    let attribute = |key: &str, value: Value| json!({"key": key, "value": value});
    let mut wrong = span(1, 1);
    wrong["attributes"] = json!([attribute("dendro.span.id", json!({"stringValue": "no id"}))]);
    let mut other = span(1, 2);
    other["attributes"] = json!([attribute("dendro.of.the.future", json!({"intValue": "1"}))]);
    let server = server().await;
    let (_, problems) = import(&server, "file", request(&[wrong, other]).to_string().as_bytes()).await;
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("spans.0.attributes.dendro.span.id: `no id` is not a UUID"), "{problems:?}");
    let traces = answers::of(&server).await;
    assert_eq!(traces[0]["spans"]["nodes"][0]["attributes"], json!({"dendro.of.the.future": 1}));
}

#[tokio::test]
async fn an_empty_request_is_nothing() {
    let empty = opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest::default();
    assert_eq!(empty.encode_to_vec(), b"");
    let server = server().await;
    assert_eq!(taken(&server, b"{\"resourceSpans\": []}\n").await, (0, 0, Vec::new()));
}
