//! Rules over traces that other systems report, in parts and in any order: judged when they are over, and anew when
//! they have changed.

use std::sync::Arc;

use dendro::otlp::OtlpLimits;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::{Value, json};

use super::{
    Watched, assert_consistent, evaluator,
    new_traces::{follow, rule, set},
    references, scores,
};
use crate::{
    otlp::{
        bed::{Bed, NOW, PROTOBUF, TRACES},
        samples::{int, of_spans, span, span_id, text},
    },
    support::Server,
};

const FINE: &str = "
scripts:
  test:
    turns:
      - text: '{\"reasoning\": \"Fine.\", \"answer\": true}'
";

/// A minute before now.
const START: u64 = NOW as u64 - 60_000_000_000;

/// A server with a rule over all traces: a budget of 120 tokens, and a judge.
struct Judged {
    bed: Bed,
    models: Arc<Watched>,
}

impl Judged {
    async fn new(answers: usize) -> Self {
        let models = Watched::new(FINE, answers);
        let bed = Bed::over(Server::running(models.runtime()).await, OtlpLimits::default());
        let cheap = evaluator(&bed.server, "cheap", json!({ "tokens": { "maxTotal": 120 } })).await;
        let judge = json!({
            "model": { "name": "scripted/test" }, "rubric": "{{tools}}?", "answer": { "boolean": true },
        });
        let polite = evaluator(&bed.server, "polite", json!({ "judge": judge })).await;
        set(&bed.server, json!({ "evaluators": references(&[&cheap, &polite]) })).await;
        Self { bed, models }
    }

    /// Sends spans in one request.
    async fn send(&self, spans: Vec<Span>) {
        let reply = self.bed.post(TRACES, PROTOBUF, of_spans(spans).encode_to_vec()).await;
        assert_eq!(reply.rejected(TRACES), (0, String::new()));
    }

    /// The trace's ID and status.
    async fn trace(&self) -> (String, String) {
        const TRACE: &str = "{ traces(first: 50) { nodes { traceId name status } } }";
        let found = self.bed.data(TRACE, json!({})).await;
        let traces = found["traces"]["nodes"].as_array().unwrap();
        let is_judging =
            |trace: &&Value| trace["name"].as_str().is_some_and(|it| it.starts_with("evaluators/"));
        let mut own = traces.iter().filter(|trace| !is_judging(trace));
        let (trace, rest) = (own.next().unwrap(), own.count());
        assert_eq!(rest, 0, "{found}");
        let text = |name: &str| trace[name].as_str().unwrap().to_owned();
        (text("traceId"), text("status"))
    }

    /// Does what follows; answers the trace's status, how it is judged by name, the IDs of the scores, and how often the
    /// judge was asked so far.
    async fn follow(&self) -> (String, Vec<(String, bool)>, Vec<String>, usize) {
        follow(&self.bed.server).await;
        let (id, status) = self.trace().await;
        let mut scores = scores(&self.bed.server, &id).await;
        scores.sort_by_key(|score| score["name"].to_string());
        let text = |score: &Value, name: &str| score[name].as_str().unwrap().to_owned();
        let by_name =
            scores.iter().map(|score| (text(score, "name"), score["booleanValue"].as_bool().unwrap()));
        let ids = scores.iter().map(|score| text(score, "scoreId"));
        (status, by_name.collect(), ids.collect(), self.models.asked())
    }
}

fn call(number: u64, tokens: i64) -> Span {
    let attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.request.model", "gpt-4o"),
        int("gen_ai.usage.input_tokens", tokens),
    ];
    Span { attributes, parent_span_id: span_id(1), ..span(1, number, START + number * 1_000_000) }
}

fn begun(span: Span) -> Span {
    Span { end_time_unix_nano: 0, ..span }
}

fn passes(cheap: bool) -> Vec<(String, bool)> {
    vec![("cheap".to_owned(), cheap), ("polite".to_owned(), true)]
}

#[tokio::test]
async fn a_reported_trace_is_judged_when_it_is_over_and_anew_when_it_has_changed() {
    let judged = Judged::new(100).await;
    // A child comes first, and what it belongs to in another request.
    judged.send(vec![call(2, 100)]).await;
    let (status, scores, _, asked) = judged.follow().await;
    assert_eq!((status.as_str(), scores, asked), ("RUNNING", Vec::new(), 0));
    judged.send(vec![span(1, 1, START)]).await;
    let (status, scores, ids, asked) = judged.follow().await;
    assert_eq!((status.as_str(), scores, asked), ("COMPLETED", passes(true), 1));
    // What is known already is nothing new.
    judged.send(vec![span(1, 1, START), call(2, 100)]).await;
    assert_eq!(judged.follow().await, ("COMPLETED".to_owned(), passes(true), ids.clone(), 1));
    // A late child leaves it over, and spends more: each judgement takes the place of the one before.
    judged.send(vec![call(3, 50)]).await;
    assert_eq!(judged.follow().await, ("COMPLETED".to_owned(), passes(false), ids.clone(), 2));
    // A second one at the top that still goes on: the whole goes on, and is judged when it is over again.
    judged.send(vec![begun(span(1, 9, START))]).await;
    assert_eq!(judged.follow().await, ("RUNNING".to_owned(), passes(false), ids.clone(), 2));
    judged.send(vec![span(1, 9, START)]).await;
    assert_eq!(judged.follow().await, ("COMPLETED".to_owned(), passes(false), ids.clone(), 3));
    assert_eq!(judged.follow().await, ("COMPLETED".to_owned(), passes(false), ids, 3));
    let counted = rule(&judged.bed.server).await;
    let counts = ["doneCount", "scoredCount", "passedCount", "failedCount", "skippedCount", "errorCount"];
    assert_eq!(
        counts.map(|name| counted[name].as_str().unwrap()),
        ["3", "6", "4", "2", "0", "0"],
        "{counted}"
    );
    assert_consistent(&judged.bed.server).await;
}

#[tokio::test]
async fn what_changes_while_it_is_judged_is_judged_anew() {
    let judged = Judged::new(0).await;
    judged.send(vec![span(1, 1, START), call(2, 100)]).await;
    let server = &judged.bed.server;
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    let evaluations = server.services.evaluations.clone();
    let working = tokio::spawn(async move { evaluations.judge_due().await });
    judged.models.until_asked(1).await;
    // The judge thinks, and meanwhile more comes.
    judged.send(vec![call(3, 50)]).await;
    assert_eq!(server.services.followers.catch_up().await.unwrap(), 0);
    judged.models.answers.add_permits(100);
    assert_eq!(working.await.unwrap().unwrap(), 1);
    let (_, scores, _, asked) = judged.follow().await;
    assert_eq!((scores, asked), (passes(false), 2));
    assert_eq!(judged.follow().await.3, 2);
    assert_consistent(server).await;
}

#[tokio::test]
async fn a_trace_whose_root_never_comes_is_judged_once_it_is_settled() {
    let judged = Judged::new(100).await;
    judged.send(vec![call(2, 100)]).await;
    judged.bed.server.clock.advance_ms(301_000);
    assert_eq!(judged.bed.server.services.ingest.settle_due().await.unwrap(), 1);
    let (status, scores, ids, asked) = judged.follow().await;
    assert_eq!((status.as_str(), scores, asked), ("COMPLETED", passes(true), 1));
    // At last it comes all the same.
    judged.send(vec![call(3, 50), span(1, 1, START)]).await;
    assert_eq!(judged.follow().await, ("COMPLETED".to_owned(), passes(false), ids, 2));
}
