//! What a client says is to be found on the server, looked for. Each program says it in words of its own;
//! whatever it says is asserted here, and what is not known is an error.

use std::collections::BTreeSet;

use serde_json::Value;

use super::render::text;

/// What a server has of a client.
pub struct Found<'a> {
    client: &'a str,
    traces: &'a [Value],
}

impl<'a> Found<'a> {
    /// Looks for all that is expected among the traces of a server that only this client sends to.
    pub fn check(client: &'a str, traces: &'a [Value], expected: &Value) {
        let found = Self { client, traces };
        for (name, value) in expected.as_object().unwrap() {
            match name.as_str() {
                "traceIds" => found.trace_ids(value),
                "conversationId" => found.conversation(value),
                "userId" => found.user(value),
                "prompt" => found.said("USER", std::slice::from_ref(value)),
                "prompts" => found.said("USER", value.as_array().unwrap()),
                "answer" => found.said("ASSISTANT", std::slice::from_ref(value)),
                "answers" => found.said("ASSISTANT", value.as_array().unwrap()),
                "agent" | "functionId" => found.every_agent("agentName", value),
                "model" | "requestModel" => found.every_call("requestModel", value),
                "responseModel" => found.every_good_call("model", value),
                "chats" => assert_eq!(Some(found.calls().len() as u64), value.as_u64(), "{client}"),
                "failedChats" => {
                    let failed = found.calls().iter().filter(|call| call["status"] == "ERROR").count();
                    assert_eq!(Some(failed as u64), value.as_u64(), "{client}");
                }
                "toolCalls" => found.tool_calls(value),
                "failedToolCalls" => found.failed_tool_calls(value),
                "inputTokens" | "outputTokens" => found.first_tokens(name, value),
                "usage" => found.usage(value, expected),
                "cost" => found.cost(value),
                "error" => found.error(value),
                "documents" => found.documents(value),
                "evaluation" => found.evaluation(value, &expected["evaluatedSpanId"]),
                "evaluatedSpanId" => assert!(expected["evaluation"].is_object()),
                "linkedSpanId" => found.link(value),
                other => panic!("{client} says `{other}`, which is not looked for"),
            }
        }
    }

    fn spans(&self, operation: &str) -> Vec<&'a Value> {
        let spans = self.traces.iter().flat_map(|trace| trace["spans"]["nodes"].as_array().unwrap());
        spans.filter(|span| operation.is_empty() || span["operationType"] == operation).collect()
    }

    fn calls(&self) -> Vec<&'a Value> {
        self.spans("LLM_CALL")
    }

    fn trace_ids(&self, expected: &Value) {
        let ids: BTreeSet<_> =
            self.traces.iter().map(|trace| text(&trace["traceId"]).replace('-', "")).collect();
        let wanted: BTreeSet<_> = expected.as_array().unwrap().iter().map(text).collect();
        assert_eq!(ids, wanted, "{}", self.client);
    }

    fn conversation(&self, own: &Value) {
        let of: Vec<_> = self.traces.iter().filter(|trace| !trace["conversationId"].is_null()).collect();
        assert!(of.len() >= 2, "{}: two turns", self.client);
        for trace in of {
            assert_eq!(trace["conversation"]["metadata"]["conversationId"], *own, "{}", self.client);
            assert_eq!(trace["sessionId"], *own, "{}", self.client);
            assert_eq!(trace["conversation"]["conversationId"], trace["conversationId"], "{}", self.client);
        }
    }

    fn user(&self, user: &Value) {
        for trace in self.traces.iter().filter(|trace| !trace["conversationId"].is_null()) {
            assert_eq!(trace["userId"], *user, "{}", self.client);
            assert_eq!(trace["conversation"]["userId"], *user, "{}", self.client);
        }
    }

    /// Texts stand in the messages of calls, in what traces were asked or answered, and in conversations.
    fn said(&self, role: &str, texts: &[Value]) {
        let list = if role == "USER" { "inputMessages" } else { "outputMessages" };
        let in_calls: BTreeSet<_> = self
            .calls()
            .iter()
            .flat_map(|call| call[list].as_array().unwrap())
            .filter(|said| said["role"] == role)
            .flat_map(|said| said["parts"].as_array().unwrap())
            .map(|part| text(&part["text"]))
            .collect();
        let preview = if role == "USER" { "userInput" } else { "finalOutput" };
        let in_traces: BTreeSet<_> = self.traces.iter().map(|trace| text(&trace[preview])).collect();
        for wanted in texts {
            let wanted = text(wanted);
            assert!(in_calls.contains(&wanted), "{}: {wanted} in {in_calls:?}", self.client);
            assert!(in_traces.contains(&wanted), "{}: {wanted} in {in_traces:?}", self.client);
            let conversations = self.traces.iter().filter(|trace| !trace["conversationId"].is_null());
            let mut messages = conversations
                .flat_map(|trace| trace["conversation"]["messages"]["nodes"].as_array().unwrap())
                .peekable();
            let has_any = messages.peek().is_some();
            let said = messages.any(|said| said["role"] == role && said["content"] == wanted.as_str());
            assert!(said || !has_any, "{}: {wanted} in its conversation", self.client);
        }
    }

    fn every_agent(&self, name: &str, wanted: &Value) {
        let agents = self.spans("AGENT");
        assert!(!agents.is_empty(), "{}", self.client);
        agents.iter().for_each(|agent| assert_eq!(agent[name], *wanted, "{}", self.client));
    }

    fn every_call(&self, name: &str, wanted: &Value) {
        self.calls().iter().for_each(|call| assert_eq!(call[name], *wanted, "{}", self.client));
    }

    fn every_good_call(&self, name: &str, wanted: &Value) {
        for call in self.calls().iter().filter(|call| call["status"] == "OK") {
            assert_eq!(call[name], *wanted, "{}", self.client);
        }
    }

    /// Every call of a tool is made in a message; where its span or its result names it, by the same id.
    fn tool_calls(&self, wanted: &Value) {
        let parts = |list: &str, kind: &str| -> BTreeSet<String> {
            let calls = self.calls();
            let said = calls.iter().flat_map(|call| call[list].as_array().unwrap());
            let parts = said.flat_map(|said| said["parts"].as_array().unwrap());
            parts.filter(|part| part["__typename"] == kind).map(|part| text(&part["callId"])).collect()
        };
        let wanted: BTreeSet<_> = wanted.as_array().unwrap().iter().map(text).collect();
        assert_eq!(parts("outputMessages", "ToolCallPart"), wanted, "{}", self.client);
        assert_eq!(parts("inputMessages", "ToolResultPart"), wanted, "{}", self.client);
        let spans = self.spans("TOOL_CALL");
        let spans: BTreeSet<_> = spans
            .iter()
            .filter(|span| span["toolCallId"].is_string())
            .map(|span| text(&span["toolCallId"]))
            .collect();
        assert!(spans.is_empty() || spans == wanted, "{}: {spans:?}", self.client);
    }

    fn failed_tool_calls(&self, wanted: &Value) {
        let spans = self.spans("TOOL_CALL");
        let failed = spans.iter().filter(|span| span["status"] == "ERROR");
        let failed: Vec<_> = failed.map(|span| span["toolCallId"].clone()).collect();
        assert_eq!(Value::from(failed), *wanted, "{}", self.client);
    }

    fn trace(&self, index: usize, expected: &Value) -> &'a Value {
        let id = text(&expected["traceIds"][index]);
        let mut traces = self.traces.iter();
        traces.find(|trace| text(&trace["traceId"]).replace('-', "") == id).unwrap()
    }

    /// What the first calls say, in their order.
    fn first_tokens(&self, name: &str, wanted: &Value) {
        let mut calls = self.calls();
        calls.sort_by_key(|call| call["startTime"].as_str());
        for (call, wanted) in calls.iter().zip(wanted.as_array().unwrap()) {
            assert_eq!(text(&call[name]), text(wanted), "{}", self.client);
        }
    }

    fn usage(&self, wanted: &Value, expected: &Value) {
        let of_first = self.trace(0, expected);
        let calls: Vec<_> = self.calls().into_iter().filter(|call| call["status"] == "OK").collect();
        match wanted {
            // Call by call.
            Value::Array(wanted) => {
                let spans = of_first["spans"]["nodes"].as_array().unwrap();
                let calls: Vec<_> = spans.iter().filter(|span| span["operationType"] == "LLM_CALL").collect();
                assert_eq!(calls.len(), wanted.len(), "{}", self.client);
                calls.iter().zip(wanted).for_each(|(call, wanted)| self.tokens(call, wanted));
            }
            // The same for every call.
            wanted if expected["chats"].is_u64() => calls.iter().for_each(|call| self.tokens(call, wanted)),
            // All in all.
            wanted => self.tokens(of_first, wanted),
        }
    }

    /// Kinds that a client does not report are not known; those that it does are as it says.
    fn tokens(&self, of: &Value, wanted: &Value) {
        for (kind, name) in [
            ("input", "inputTokens"),
            ("output", "outputTokens"),
            ("cacheRead", "cacheReadTokens"),
            ("cacheWrite", "cacheWriteTokens"),
            ("reasoning", "reasoningTokens"),
        ] {
            if wanted[kind].is_null() || (of[name].is_null() && !must_report(self.client, kind, of)) {
                continue;
            }
            assert_eq!(text(&of[name]), text(&wanted[kind]), "{}: {kind} of {}", self.client, of["name"]);
        }
    }

    fn cost(&self, wanted: &Value) {
        let cost: f64 = self.traces.iter().filter_map(|trace| trace["totalCostUsd"].as_f64()).sum();
        assert!((cost - wanted.as_f64().unwrap()).abs() < 1e-9, "{}: {cost}", self.client);
    }

    fn error(&self, wanted: &Value) {
        let failed = self.spans("TOOL_CALL").into_iter().find(|span| span["status"] == "ERROR").unwrap();
        let wanted = text(wanted);
        assert!(text(&failed["statusMessage"]).ends_with(&wanted), "{failed}");
        assert!(text(&failed["errorDetails"]["message"]).ends_with(&wanted), "{failed}");
    }

    fn documents(&self, wanted: &Value) {
        for search in self.spans("RETRIEVAL") {
            let found = search["documents"].as_array().unwrap().iter();
            let found: Vec<_> = found.map(|document| document["content"].clone()).collect();
            assert_eq!(Value::from(found), *wanted, "{}", self.client);
        }
    }

    fn evaluation(&self, wanted: &Value, span: &Value) {
        let span = self.span(span);
        let score = &span["scores"][0];
        assert_eq!(score["name"], wanted["name"], "{}", self.client);
        assert_eq!(score["numberValue"].as_f64(), wanted["value"].as_f64(), "{}", self.client);
        assert!(text(&score["comment"]).starts_with(&text(&wanted["label"])), "{}: {score}", self.client);
    }

    fn span(&self, id: &Value) -> &'a Value {
        let id = text(id);
        let is = |span: &&Value| text(&span["spanId"]).replace('-', "").ends_with(&id);
        self.spans("").into_iter().find(is).unwrap()
    }

    fn link(&self, linked: &Value) {
        let to = self.span(linked)["spanId"].clone();
        let spans = self.spans("");
        let mut links = spans.iter().flat_map(|span| span["links"].as_array().unwrap());
        assert!(links.any(|link| link["spanId"] == to), "{}", self.client);
    }
}

/// Whether a client sends a kind of tokens with a span: some leave out what others send.
fn must_report(client: &str, kind: &str, of: &Value) -> bool {
    match (client, kind) {
        (_, "input" | "output") => true,
        ("openai-official-older", _) | ("openllmetry-openai-older", "reasoning") => false,
        // It does not read it off a stream.
        ("openllmetry-openai", "reasoning") => of["timeToFirstTokenMs"].is_null(),
        // An application's own spans say what it wants; so they are judged by their sum.
        ("otel-sdk-python" | "otel-sdk-js", _) => of["spans"].is_object(),
        _ => true,
    }
}
