//! What is found, and what is shown of it.

use serde_json::{Value, json};

use super::{complete, follow, found, search, server, span, start};
use crate::support::Server;

/// A chat about the weather: what its spans are called says what they are.
async fn weather(server: &Server) -> String {
    let trace = start(server, json!({ "name": "weather", "userInput": "Will it rain in Zürich?" })).await;
    let said = |role: &str, content: &str| json!({ "role": role, "content": content });
    let first = json!([said("system", "Be a meteorologist."), said("user", "Will it rain in Zürich?")]);
    let asks = json!({ "role": "assistant", "tool_calls": [
        { "id": "c1", "type": "function", "function": { "name": "get_forecast", "arguments": "{\"city\": \"Zürich\"}" } } ] });
    let mut second = first.as_array().unwrap().clone();
    second.extend([
        asks.clone(),
        json!({ "role": "tool", "tool_call_id": "c1", "content": "showers until noon" }),
    ]);
    for input in [
        json!({ "operationType": "LLM_CALL", "name": "ask", "inputs": first, "outputs": asks }),
        json!({ "operationType": "TOOL_CALL", "name": "call", "toolName": "get_forecast",
          "inputs": { "city": "Zürich", "order": 4711 }, "outputs": { "sky": ["showers until noon", 0.7] } }),
        json!({ "operationType": "LLM_CALL", "name": "answer", "inputs": second,
          "outputs": said("assistant", "Yes, take an umbrella with you.") }),
        json!({ "operationType": "TOOL_CALL", "name": "fail", "status": "ERROR",
          "statusMessage": "quota exceeded", "errorDetails": { "code": "E_LIMIT", "hint": "wait an hour" } }),
    ] {
        span(server, &trace, input).await;
    }
    complete(server, &trace, "Yes, take an umbrella with you.").await;
    trace
}

#[tokio::test]
async fn texts_of_every_kind_are_found_where_they_were_new() {
    let server = server().await;
    weather(&server).await;
    assert_eq!(found(&server, "umbrella").await, [""; 0], "nothing is found before it is followed");
    follow(&server).await;
    for (text, expected) in [
        ("umbrella", vec!["weather", "answer"]),
        // The question is in the inputs of both model calls, and new to the first.
        ("\"will it rain\"", vec!["weather", "ask"]),
        ("rain -zurich", vec![]),
        ("get_forecast", vec!["ask", "call"]),
        ("showers noon", vec!["call", "answer"]),
        ("4711", vec!["call"]),
        ("QUOTA hour", vec!["fail"]),
        ("e_limit", vec!["fail"]),
        ("umbr* take", vec!["weather", "answer"]),
        // Instructions belong to the component, and names of members to the form.
        ("meteorologist", vec![]),
        ("sky", vec![]),
    ] {
        let mut names = found(&server, text).await;
        let mut expected: Vec<_> = expected.into_iter().map(str::to_owned).collect();
        names.sort();
        expected.sort();
        assert_eq!(names, expected, "{text}");
    }
    for (kind, expected) in [("INPUT", 0), ("OUTPUT", 2), ("NAME", 0)] {
        let hits = search(&server, json!({ "text": "umbrella", "in": [kind] })).await;
        assert_eq!(hits["totalCount"], expected, "{kind}");
    }
}

#[tokio::test]
async fn an_excerpt_shows_where_it_stands() {
    let server = server().await;
    let long =
        format!("{} 😀 Das Straßenfest, das STRASSENFEST! {}", "vorher ".repeat(40), "danach ".repeat(80));
    let trace = start(&server, json!({ "name": "feast", "userInput": long })).await;
    complete(&server, &trace, "no").await;
    follow(&server).await;
    let hits = search(&server, json!({ "text": "strassenfest das" })).await;
    let excerpt = &hits["nodes"][0]["excerpt"];
    assert_eq!(excerpt["kind"], "INPUT");
    let text: Vec<u16> = excerpt["text"].as_str().unwrap().encode_utf16().collect();
    assert!(text.len() < 320 && text.first() == text.last(), "cut at both ends: {excerpt}");
    let marked = excerpt["matches"].as_array().unwrap().iter().map(|range| {
        let at = |name: &str| usize::try_from(range[name].as_u64().unwrap()).unwrap();
        String::from_utf16(&text[at("start")..at("end")]).unwrap()
    });
    assert_eq!(marked.collect::<Vec<_>>(), ["Das", "Straßenfest", "das", "STRASSENFEST"]);
}

#[tokio::test]
async fn texts_in_any_script_are_found() {
    let server = server().await;
    for (name, text) in [
        ("japanese", "明日の東京の天気を教えてください"),
        ("russian", "Какая погода в Москве?"),
        ("arabic", "ما هو الطقس في القاهرة؟"),
        ("hindi", "नमस्ते दुनिया"),
        ("apart", "cafe\u{301} olé"),
    ] {
        let trace = start(&server, json!({ "name": name, "userInput": text })).await;
        complete(&server, &trace, "").await;
    }
    follow(&server).await;
    for (text, expected) in [
        ("東京", Some("japanese")),
        ("京東", None),
        ("天気 東京", Some("japanese")),
        ("МОСКВЕ погод*", Some("russian")),
        ("القاهرة", Some("arabic")),
        ("नमस्ते", Some("hindi")),
        ("café", Some("apart")),
        ("OLE", Some("apart")),
    ] {
        assert_eq!(found(&server, text).await, expected.into_iter().collect::<Vec<_>>(), "{text}");
    }
}

#[tokio::test]
async fn messages_of_a_trace_are_found_also_those_that_come_after_its_end() {
    let server = server().await;
    let talk = server
        .data("mutation { createConversation(input: {}) { conversation { conversationId } } }", json!({}))
        .await["createConversation"]["conversation"]["conversationId"]
        .clone();
    let trace = start(&server, json!({ "name": "run", "conversationId": talk })).await;
    complete(&server, &trace, "").await;
    follow(&server).await;
    const ADD: &str =
        "mutation($input: AddMessageInput!) { addMessage(input: $input) { refusal { message } } }";
    for (content, of) in [("A walrus, said late.", json!(trace)), ("A walrus without a run.", Value::Null)] {
        let input = json!({ "conversationId": talk, "role": "USER", "content": content, "traceId": of });
        server.data(ADD, json!({ "input": input })).await;
    }
    follow(&server).await;
    assert_eq!(found(&server, "walrus").await, ["A walrus, said late."]);
    let hits = search(&server, json!({ "text": "walrus", "in": ["MESSAGE"] })).await;
    assert_eq!(hits["nodes"][0]["excerpt"]["matches"], json!([{ "start": 2, "end": 8 }]));
}

#[tokio::test]
async fn pages_follow_each_other_the_newest_first() {
    let server = server().await;
    for number in 0..7 {
        let time = format!("2025-01-01T00:00:0{}Z", number / 2);
        let name = format!("n{number}");
        let input = json!({ "name": name, "userInput": "the same words", "startTime": time });
        let trace = start(&server, input).await;
        complete(&server, &trace, "the same words").await;
    }
    follow(&server).await;
    let (mut names, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = search(&server, json!({ "text": "same", "first": 3, "after": after })).await;
        assert_eq!(page["totalCount"], 7);
        names.extend(page["nodes"].as_array().unwrap().iter().map(|hit| hit["trace"]["name"].clone()));
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(names, ["n6", "n5", "n4", "n3", "n2", "n1", "n0"]);
    let errors = server.errors(super::SEARCH, json!({ "text": "other", "after": after })).await;
    assert!(errors[0]["message"].as_str().unwrap().contains("a cursor of another list"), "{errors:?}");
}

#[tokio::test]
async fn what_cannot_be_looked_for_is_told() {
    let server = server().await;
    for (text, told) in [
        ("", "text: needs a word that is to be there"),
        ("\"open", "text: the quote at character 1 is not closed"),
        ("a*", "text: the word at character 1 ends with `*`"),
    ] {
        let errors = server.errors(super::SEARCH, json!({ "text": text })).await;
        assert!(errors[0]["message"].as_str().unwrap().starts_with(told), "{errors:?}");
        assert_eq!(errors[0]["extensions"]["field"], "text");
    }
    let off = Server::new().await;
    let errors = off.errors(super::SEARCH, json!({ "text": "a" })).await;
    assert!(errors[0]["message"].as_str().unwrap().contains("keeps no index of texts"), "{errors:?}");
}

#[tokio::test]
async fn excerpts_of_a_page_are_read_together() {
    let server = server().await;
    for _ in 0..3 {
        weather(&server).await;
    }
    follow(&server).await;
    let calls = async |first: i32| {
        let (data, counts) =
            server.counted(super::SEARCH, json!({ "text": "umbrella", "first": first })).await;
        assert_eq!(data["search"]["nodes"].as_array().unwrap().len(), usize::try_from(first).unwrap());
        let kinds = [dendro::engine::CallKind::Get, dendro::engine::CallKind::Scan];
        kinds.map(|kind| counts.trips(kind))
    };
    // Spans of two traces, then of three.
    assert_eq!(calls(4).await, calls(6).await);
}
