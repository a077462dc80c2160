//! Records one nested run of an agent, live, through the GraphQL API of a running server:
//!
//! ```sh
//! cargo run --example record_run -- http://127.0.0.1:4000
//! ```
//!
//! It uses nothing of Dendro's own code: copy it into any program that has `reqwest` (with `json`),
//! `serde_json`, `tokio` and `anyhow`. A second argument says how many milliseconds each made-up
//! operation takes.

#![allow(clippy::indexing_slicing, reason = "a member that a JSON value lacks is null")]

use std::{env, time::Duration};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

const START_TRACE: &str = "mutation StartTrace($input: StartTraceInput!) {
  startTrace(input: $input) { trace { traceId } refusal { message } }
}";
const CREATE_SPAN: &str = "mutation CreateSpan($input: CreateSpanInput!) {
  createSpan(input: $input) { span { id } refusal { message } }
}";
const COMPLETE_SPAN: &str = "mutation CompleteSpan($input: CompleteSpanInput!) {
  completeSpan(input: $input) { span { id } refusal { message } }
}";
const COMPLETE_TRACE: &str = "mutation CompleteTrace($input: CompleteTraceInput!) {
  completeTrace(input: $input) { trace { status spanCount totalTokens } refusal { message } }
}";

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let server = arguments.next().unwrap_or_else(|| "http://127.0.0.1:4000".to_owned());
    let work = Duration::from_millis(arguments.next().map_or(Ok(400), |text| text.parse())?);

    let run = Run::start(&server, "night train", "How do I get from Graz to Zürich by night?").await?;
    println!("trace   {}", run.trace);
    println!("watch   {server}/graphiql (the samples under \"Follow live\")");

    let agent = run.begin(None, "AGENT", "travel-agent", json!({ "agentName": "travel-agent" })).await?;

    // A model call: what goes in is there from its start, what comes out when it ends.
    let question = json!({ "model": "example-model", "provider": "example",
        "inputs": { "messages": [{ "role": "user", "content": "How do I get from Graz to Zürich by night?" }] } });
    let call = run.begin(Some(&agent), "LLM_CALL", "choose a tool", question).await?;
    tokio::time::sleep(work).await;
    let answer = json!({ "finishReason": "tool_calls", "tokens": { "input": 412, "output": 38, "cacheRead": 256 },
        "outputs": { "toolCalls": [{ "name": "timetable", "arguments": { "from": "Graz", "to": "Zürich" } }] } });
    run.end(&call, answer).await?;

    // A tool that fails: the error is a fact about the span, and the run goes on.
    let search = json!({ "toolName": "timetable", "inputs": { "from": "Graz", "to": "Zürich" } });
    let failing = run.begin(Some(&agent), "TOOL_CALL", "timetable", search.clone()).await?;
    tokio::time::sleep(work).await;
    let failure = json!({ "status": "ERROR", "statusMessage": "timed out after 5 s",
        "errorDetails": { "type": "Timeout", "retryable": true } });
    run.end(&failing, failure).await?;

    // The second attempt, with an operation of its own inside.
    let again = run.begin(Some(&agent), "TOOL_CALL", "timetable", search).await?;
    let inside = run.begin(Some(&again), "RETRIEVAL", "stations", json!({})).await?;
    tokio::time::sleep(work).await;
    run.end(&inside, json!({ "documentCount": 2 })).await?;
    run.end(&again, json!({ "outputs": { "train": "NJ 464", "departs": "22:25" } })).await?;

    let call = run.begin(Some(&agent), "LLM_CALL", "answer", json!({ "model": "example-model" })).await?;
    tokio::time::sleep(work).await;
    run.end(&call, json!({ "tokens": { "input": 530, "output": 61, "cacheRead": 412 } })).await?;
    run.end(&agent, json!({})).await?;

    let trace = run.complete("Take NJ 464 at 22:25; you are there at 09:20.").await?;
    let (status, tokens) = (text(&trace["status"])?, text(&trace["totalTokens"])?);
    println!("done    {status} with {} spans, {tokens} tokens", trace["spanCount"]);
    Ok(())
}

/// A run that is being recorded.
struct Run {
    endpoint: String,
    http: reqwest::Client,
    trace: String,
}

impl Run {
    async fn start(server: &str, name: &str, question: &str) -> Result<Self> {
        let endpoint = format!("{}/graphql", server.trim_end_matches('/'));
        let mut run = Self { endpoint, http: reqwest::Client::new(), trace: String::new() };
        let payload = run.write(START_TRACE, json!({ "name": name, "userInput": question })).await?;
        run.trace = text(&payload["trace"]["traceId"])?;
        Ok(run)
    }

    /// Begins a span, below another or at the top, and answers its global ID.
    async fn begin(&self, parent: Option<&str>, kind: &str, name: &str, more: Value) -> Result<String> {
        let mut input = more;
        input["traceId"] = json!(self.trace);
        input["operationType"] = json!(kind);
        input["name"] = json!(name);
        input["parentSpanId"] = json!(parent);
        let payload = self.write(CREATE_SPAN, input).await?;
        text(&payload["span"]["id"])
    }

    /// Ends a span. Its status is `OK` where `more` says nothing else.
    async fn end(&self, span: &str, more: Value) -> Result<()> {
        let mut input = more;
        input["spanId"] = json!(span);
        self.write(COMPLETE_SPAN, input).await.map(drop)
    }

    async fn complete(&self, answer: &str) -> Result<Value> {
        let input = json!({ "traceId": self.trace, "finalOutput": answer });
        Ok(self.write(COMPLETE_TRACE, input).await?["trace"].take())
    }

    /// Sends one mutation and answers its payload. When this returns, the write is durable.
    async fn write(&self, mutation: &str, input: Value) -> Result<Value> {
        let request = json!({ "query": mutation, "variables": { "input": input } });
        let response = self.http.post(&self.endpoint).json(&request).send().await?;
        let mut answer: Value = response.json().await.context("the answer is not GraphQL")?;
        // Expected refusals are in the payload; everything else is in `errors`.
        if let Some(errors) = answer.get("errors") {
            bail!("the server answered {errors}");
        }
        let payloads = answer["data"].as_object_mut().context("the answer has no data")?;
        let payload = payloads.values_mut().next().context("the answer has no payload")?.take();
        match payload["refusal"]["message"].as_str() {
            Some(reason) => bail!("refused: {reason}"),
            None => Ok(payload),
        }
    }
}

fn text(value: &Value) -> Result<String> {
    Ok(value.as_str().context("an id is missing in the answer")?.to_owned())
}
