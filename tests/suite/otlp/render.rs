//! Traces and components as text that a person can read and compare.

use std::fmt::Write;

use dendro::model::Json;
use serde_json::Value;

/// Characters of a text that are shown.
const SHOWN: usize = 160;

/// Everything of all traces.
pub fn traces(traces: &[Value]) -> String {
    let mut traces: Vec<&Value> = traces.iter().collect();
    traces.sort_by_key(|trace| (trace["startTime"].as_str(), trace["traceId"].as_str()));
    let mut out = String::new();
    for (index, trace) in traces.iter().enumerate() {
        // What the spans of several traces add up to in one conversation stands below the last of them.
        let own = &trace["conversationId"];
        let last = !traces[index + 1..].iter().any(|other| other["conversationId"] == *own);
        of_trace(trace, &mut out);
        if !own.is_null() && last {
            conversation(&trace["conversation"], &mut out);
        }
        out.push('\n');
    }
    out
}

/// One trace without its conversation.
pub fn of_trace(trace: &Value, out: &mut String) {
    let mut line = format!("# {} {}", text(&trace["name"]), word(&trace["status"]));
    tell(&mut line, "session", &trace["sessionId"]);
    tell(&mut line, "user", &trace["userId"]);
    line.push_str(if trace["conversationId"].is_null() { "" } else { " in a conversation" });
    push(out, 0, &line);
    for (what, member) in [("asked", "inputPreview"), ("answered", "outputPreview")] {
        if !trace[member].is_null() {
            push(out, 1, &format!("{what}: {}", short(&text(&trace[member]))));
        }
    }
    push(out, 1, &totals(trace));
    scores(&trace["scores"], 1, out);
    for span in list(&trace["spans"]["nodes"]) {
        of_span(span, out);
    }
}

fn totals(trace: &Value) -> String {
    let [spans, errors, running, calls, tools, depth] =
        ["spanCount", "errorCount", "runningSpanCount", "llmCallCount", "toolCallCount", "depth"]
            .map(|name| trace[name].as_u64().unwrap());
    let mut line = format!("{spans} spans, {depth} deep, {calls} model calls, {tools} tool calls");
    for (count, what) in [(errors, "failed"), (running, "running")] {
        if count > 0 {
            write!(line, ", {count} {what}").unwrap();
        }
    }
    write!(line, "; {}", tokens(trace)).unwrap();
    if !trace["totalCostUsd"].is_null() {
        write!(line, "; {}", dollars(&trace["totalCostUsd"])).unwrap();
    }
    let models: Vec<_> = list(&trace["models"]).iter().map(text).collect();
    if !models.is_empty() {
        write!(line, "; {}", models.join(", ")).unwrap();
    }
    line
}

/// Tokens as they were reported: of what, how many.
fn tokens(of: &Value) -> String {
    let kinds = [
        ("inputTokens", "in"),
        ("cacheReadTokens", "read"),
        ("cacheWriteTokens", "write"),
        ("outputTokens", "out"),
        ("reasoningTokens", "reasoning"),
    ];
    let told = kinds.iter().filter(|(name, _)| of[*name].as_str().is_some_and(|count| count != "0"));
    let told: Vec<_> = told.map(|(name, what)| format!("{} {what}", text(&of[*name]))).collect();
    if told.is_empty() { "no tokens".to_owned() } else { told.join(" ") }
}

fn of_span(span: &Value, out: &mut String) {
    let level = 1 + usize::try_from(span["depth"].as_u64().unwrap()).unwrap();
    let mut line =
        format!("{}: {} {}", text(&span["name"]), word(&span["operationType"]), word(&span["status"]));
    if !matches!(span["placement"].as_str(), Some("ROOT" | "CHILD")) {
        write!(line, " {}", text(&span["placement"])).unwrap();
    }
    tell(&mut line, "because", &span["statusMessage"]);
    for name in [
        "agentName",
        "agentId",
        "agentVersion",
        "agentDescription",
        "provider",
        "requestModel",
        "model",
        "finishReason",
        "responseId",
        "timeToFirstTokenMs",
        "toolName",
        "toolCallId",
        "toolType",
        "toolDescription",
        "query",
        "documentCount",
        "dimensions",
    ] {
        tell(&mut line, name, &span[name]);
    }
    push(out, level, &line);
    let level = level + 1;
    if span["countingRule"].is_string() || span["costSource"].is_string() {
        let mut line = format!("{} {}", tokens(span), word(&span["countingRule"]).to_lowercase());
        if span["costUsd"].is_number() {
            write!(line, "; {} {}", dollars(&span["costUsd"]), word(&span["costSource"]).to_lowercase())
                .unwrap();
        }
        push(out, level, line.trim());
    }
    if !span["errorDetails"].is_null() {
        let error = &span["errorDetails"];
        push(out, level, &format!("error {}: {}", text(&error["type"]), short(&text(&error["message"]))));
    }
    content(span, level, out);
    let components: Vec<_> =
        list(&span["components"]).iter().map(|component| text(&component["componentId"])).collect();
    if !components.is_empty() {
        push(out, level, &format!("made of {}", components.join(", ")));
    }
    if span["eventCount"].as_u64() > Some(0) {
        let names: Vec<_> = list(&span["events"]).iter().map(|event| text(&event["name"])).collect();
        assert_eq!(Some(names.len() as u64), span["eventCount"].as_u64(), "{}", span["name"]);
        push(out, level, &format!("events {}", counted(&names)));
    }
    for link in list(&span["links"]) {
        push(out, level, &format!("link {} {}", text(&link["traceId"]), text(&link["spanId"])));
    }
    scores(&span["scores"], level, out);
}

/// What went in and came out, as the kind of operation has it.
fn content(span: &Value, level: usize, out: &mut String) {
    if span["settings"].as_object().is_some_and(|settings| !settings.is_empty()) {
        push(out, level, &format!("settings {}", json(&span["settings"])));
    }
    let tools: Vec<_> = list(&span["tools"]).iter().map(|tool| text(&tool["name"])).collect();
    if !tools.is_empty() {
        push(out, level, &format!("tools {}", tools.join(", ")));
    }
    for (sign, name) in [("←", "arguments"), ("→", "result")] {
        if !span[name].is_null() {
            push(out, level, &format!("{sign} {}", json(&span[name])));
        }
    }
    for (sign, name) in [("←", "inputMessages"), ("→", "outputMessages")] {
        for said in list(&span[name]) {
            push(out, level, &format!("{sign} {}", message(said)));
        }
    }
    for (sign, name) in [("←", "inputDocuments"), ("→", "documents")] {
        for document in list(&span[name]) {
            push(out, level, &format!("{sign} {}", json(document)));
        }
    }
    for said in list(&span["texts"]) {
        push(out, level, &format!("← {}", text(said)));
    }
    // What is not told by its kind is told as it came.
    for (sign, name, kinds) in [
        ("←", "inputs", ["arguments", "inputMessages", "query", "texts"]),
        ("→", "outputs", ["result", "outputMessages", "documents", ""]),
    ] {
        let by_kind = |kind: &str| match &span[kind] {
            Value::Array(items) => !items.is_empty(),
            value => !value.is_null(),
        };
        if !span[name].is_null() && !kinds.iter().any(|kind| by_kind(kind)) {
            push(out, level, &format!("{sign} {}", json(&span[name])));
        }
    }
}

fn message(said: &Value) -> String {
    let parts: Vec<_> = list(&said["parts"]).iter().map(part).collect();
    let mut line = word(&said["role"]).to_lowercase();
    if !said["name"].is_null() {
        write!(line, " {}", text(&said["name"])).unwrap();
    }
    write!(line, ": {}", parts.join(" + ")).unwrap();
    if !said["finishReason"].is_null() {
        write!(line, " ({})", text(&said["finishReason"])).unwrap();
    }
    line
}

fn part(part: &Value) -> String {
    let named = |what: &str| {
        let id = if part["callId"].is_null() { String::new() } else { format!(" {}", text(&part["callId"])) };
        let name =
            if part["toolName"].is_null() { String::new() } else { format!(" {}", text(&part["toolName"])) };
        format!("{what}{id}{name}")
    };
    match part["__typename"].as_str().unwrap() {
        "TextPart" => short(&text(&part["text"])),
        "ReasoningPart" => format!("thinks {}", short(&text(&part["text"]))),
        "ToolCallPart" => format!("{} {}", named("calls"), json(&part["arguments"])),
        "ToolResultPart" => format!("{} {}", named("result of"), json(&part["result"])),
        "MediaPart" => {
            let names = ["modality", "mimeType", "uri", "bytes"];
            let told =
                names.iter().filter(|name| !part[**name].is_null()).map(|name| short(&text(&part[*name])));
            format!("media {}", told.collect::<Vec<_>>().join(" "))
        }
        _ => format!("other {}", json(&part["json"])),
    }
}

fn conversation(conversation: &Value, out: &mut String) {
    let own = text(&conversation["metadata"]["conversationId"]);
    let mut line = format!("conversation {own}");
    tell(&mut line, "user", &conversation["userId"]);
    push(out, 1, &line);
    scores(&conversation["scores"], 2, out);
    for said in list(&conversation["messages"]["nodes"]) {
        let mut line = word(&said["role"]).to_lowercase();
        if !said["toolCallId"].is_null() {
            write!(line, " of {}", text(&said["toolCallId"])).unwrap();
        }
        if !said["modelName"].is_null() {
            write!(line, " by {}", text(&said["modelName"])).unwrap();
        }
        if !said["tokenCount"].is_null() {
            write!(line, ", {} tokens", text(&said["tokenCount"])).unwrap();
        }
        line.push(':');
        if !said["thinking"].is_null() {
            write!(line, " thinks {}", short(&text(&said["thinking"]))).unwrap();
        }
        if !said["content"].is_null() {
            write!(line, " {}", short(&text(&said["content"]))).unwrap();
        }
        for call in list(&said["toolCalls"]) {
            let (id, name) = (text(&call["callId"]), text(&call["name"]));
            write!(line, " calls {id} {name} {}", json(&call["arguments"])).unwrap();
        }
        push(out, 2, &line);
    }
}

/// All components with their versions.
pub fn components(components: &[Value]) -> String {
    let mut out = String::new();
    let mut components: Vec<&Value> = components.iter().collect();
    components.sort_by_key(|component| component["componentId"].as_str());
    for component in components {
        push(
            &mut out,
            0,
            &format!("{} {}", word(&component["componentType"]), text(&component["componentId"])),
        );
        let mut versions: Vec<_> = list(&component["versions"]["nodes"]).iter().collect();
        versions.sort_by_key(|version| version["versionHash"].as_str());
        for version in versions {
            let mut line = json(&version["definition"]);
            tell(&mut line, "called", &version["versionName"]);
            push(&mut out, 1, &line);
        }
    }
    out
}

fn scores(scores: &Value, level: usize, out: &mut String) {
    let mut lines: Vec<_> = list(scores)
        .iter()
        .map(|score| {
            let value = ["numberValue", "categoryValue", "booleanValue"]
                .iter()
                .find(|name| !score[**name].is_null())
                .map_or_else(String::new, |name| text(&score[*name]));
            let mut line = format!("score {} {value} {}", text(&score["name"]), word(&score["source"]));
            tell(&mut line, "comment", &score["comment"]);
            line
        })
        .collect();
    lines.sort();
    lines.iter().for_each(|line| push(out, level, line));
}

fn push(out: &mut String, level: usize, line: &str) {
    writeln!(out, "{}{}", "  ".repeat(level), line).unwrap();
}

fn tell(line: &mut String, name: &str, value: &Value) {
    if !value.is_null() {
        write!(line, " {name}={}", short(&text(value))).unwrap();
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// A text as it is, anything else as JSON.
pub fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| Json::of(value).text().to_owned(), str::to_owned)
}

/// JSON, texts in quotes: a number that came as a text is another thing.
fn json(value: &Value) -> String {
    short(Json::of(value).text())
}

/// The beginning of a text, in one line.
fn short(text: &str) -> String {
    let line = text.replace('\n', "⏎");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], text.len()),
        None => line,
    }
}

fn dollars(value: &Value) -> String {
    format!("${:.9}", value.as_f64().unwrap())
}

/// Names in their order, repeated ones counted: `a x3, b`.
fn counted(names: &[String]) -> String {
    let mut out: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match out.last_mut() {
            Some((last, count)) if last == name => *count += 1,
            _ => out.push((name, 1)),
        }
    }
    let one = |(name, count): &(&str, usize)| match count {
        1 => (*name).to_owned(),
        count => format!("{name} x{count}"),
    };
    out.iter().map(one).collect::<Vec<_>>().join(", ")
}
