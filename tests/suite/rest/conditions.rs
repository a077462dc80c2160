//! Tags: what a client has is not sent again, and a change holds for the state that was read.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::bed::{Answer, Bed};

#[tokio::test]
async fn what_the_client_has_is_not_sent_again() {
    let bed = Bed::start().await;
    let id = bed.made("/conversations", json!({})).await["conversationId"].as_str().unwrap().to_owned();
    let said =
        bed.made(&format!("/conversations/{id}/messages"), json!({ "content": "hi", "trace": {} })).await;
    let trace = said["traceId"].as_str().unwrap();
    for path in [
        format!("/conversations/{id}"),
        format!("/conversations/{id}/messages"),
        format!("/traces/{trace}"),
        "/conversations".to_owned(),
        "/openapi.json".to_owned(),
    ] {
        let first = bed.get(&path).await;
        let tag = first.header("etag");
        assert!(tag.starts_with('"'), "{path}: a strong tag");
        for known in [tag.to_owned(), format!("\"other\", W/{tag}"), "*".to_owned()] {
            let again = Answer::of(bed.request(Method::GET, &path).header("if-none-match", &known)).await;
            assert_eq!((again.status, again.text.as_str()), (304, ""), "{path} {known}");
            assert_eq!(again.header("etag"), tag);
        }
        let other = Answer::of(bed.request(Method::GET, &path).header("if-none-match", "\"other\"")).await;
        assert_eq!(other.status, 200);
        let head = Answer::of(bed.request(Method::HEAD, &path)).await;
        assert_eq!((head.status, head.header("etag"), head.text.as_str()), (200, tag, ""), "{path}");
    }
    let tag = bed.get(&format!("/traces/{trace}")).await.header("etag").to_owned();
    bed.made(&format!("/traces/{trace}/spans"), json!({ "operationType": "AGENT", "name": "a" })).await;
    let changed =
        Answer::of(bed.request(Method::GET, &format!("/traces/{trace}")).header("if-none-match", &tag)).await;
    assert_eq!(changed.status, 200, "a span is a change of its trace");
}

#[tokio::test]
async fn a_change_holds_for_the_state_that_was_read() {
    let bed = Bed::start().await;
    let id = bed.made("/conversations", json!({})).await["conversationId"].as_str().unwrap().to_owned();
    let path = format!("/conversations/{id}");
    let change = |tag: &str, method: Method| {
        let request = bed.request(method, &path).header("if-match", tag).json(&json!({ "title": tag }));
        Answer::of(request)
    };
    let tag = bed.get(&path).await.header("etag").to_owned();
    let changed = change(&tag, Method::PATCH).await;
    assert_eq!((changed.status, changed.header("etag") == tag), (200, false));
    for (stale, method) in [
        (tag.as_str(), Method::PATCH),
        (tag.as_str(), Method::DELETE),
        ("W/\"2\"", Method::PATCH),
        ("nonsense", Method::DELETE),
        ("", Method::PATCH),
    ] {
        let request = bed.request(method, &path).header("if-match", stale).json(&json!({}));
        Answer::of(request).await.is_problem(412, "PRECONDITION_FAILED", "");
    }
    let listed = format!("\"77\", {}", changed.header("etag"));
    let request =
        bed.request(Method::PATCH, &path).header("if-match", listed).json(&json!({ "title": "listed" }));
    assert_eq!(Answer::of(request).await.status, 200);
    let request = bed.request(Method::DELETE, &path).header("if-match", "*");
    assert_eq!(Answer::of(request).await.status, StatusCode::OK.as_u16());
}

#[tokio::test]
async fn a_label_is_moved_from_where_it_was_read() {
    let bed = Bed::start().await;
    let versions = "/components/prompts%2Fplanner/versions";
    let (mut hashes, mut states) = (Vec::new(), Vec::new());
    for text in ["Plan.", "Plan well.", "Plan better."] {
        let made = bed.made(versions, json!({ "componentType": "PROMPT", "definition": text })).await;
        hashes.push(made["versionHash"].as_str().unwrap().to_owned());
    }
    let path = "/components/prompts%2Fplanner/labels/production";
    let point = |tag: &str, hash: &str| {
        let request = bed.request(Method::PUT, path).header("if-match", tag);
        Answer::of(request.json(&json!({ "versionHash": hash })))
    };
    let remove = |tag: &str| Answer::of(bed.request(Method::DELETE, path).header("if-match", tag));
    // There is no label yet.
    for tag in ["*", "\"0\"", ""] {
        point(tag, &hashes[0]).await.is_problem(412, "PRECONDITION_FAILED", "");
    }
    for hash in &hashes[..2] {
        let pointed = bed.send(Method::PUT, path, json!({ "versionHash": hash })).await;
        let tag = bed.get(path).await.header("etag").to_owned();
        assert_eq!((pointed.status, pointed.header("etag")), (200, tag.as_str()), "it is the label's");
        states.push(tag);
    }
    let (stale, now) = (&states[0], &states[1]);
    for tag in [stale, &format!("W/{now}"), "nonsense", ""] {
        point(tag, &hashes[2]).await.is_problem(412, "PRECONDITION_FAILED", "");
        remove(tag).await.is_problem(412, "PRECONDITION_FAILED", "");
    }
    // The version is still the same, and is not as it was.
    let state = json!({ "componentId": "prompts/planner", "versionHash": hashes[1], "state": "DEPRECATED" });
    const MOVE: &str = "mutation($input: SetComponentVersionStateInput!) { setComponentVersionState(input: $input) { refusal { message } } }";
    let moved = bed.inner.data(MOVE, json!({ "input": state })).await;
    assert!(moved["setComponentVersionState"]["refusal"].is_null(), "{moved}");
    point(now, &hashes[2]).await.is_problem(412, "PRECONDITION_FAILED", "");

    let now = bed.get(path).await.header("etag").to_owned();
    let moved = point(&format!("\"other\", {now}"), &hashes[2]).await;
    assert_eq!((moved.status, &moved.body["labels"]["production"]), (200, &json!(hashes[2])));
    let again = point("*", &hashes[0]).await;
    assert_eq!(again.status, 200);
    let removed = remove(again.header("etag")).await;
    assert_eq!((removed.status, &removed.body["labels"]), (200, &json!({})));
}

#[tokio::test]
async fn where_no_state_can_be_asked_for_that_is_said() {
    let bed = Bed::start().await;
    let trace = bed.made("/traces", json!({ "name": "a" })).await["traceId"].as_str().unwrap().to_owned();
    let spans = format!("/traces/{trace}/spans");
    let new = json!({ "operationType": "AGENT", "name": "a" });
    let span = bed.made(&spans, new.clone()).await["spanId"].as_str().unwrap().to_owned();
    let span = format!("{spans}/{span}");
    let tag = bed.get(&span).await.header("etag").to_owned();
    for (method, path, body) in [
        (Method::PATCH, span.as_str(), json!({ "name": "b" })),
        (Method::POST, spans.as_str(), new),
        (Method::POST, "/conversations", json!({})),
        (Method::POST, &format!("/traces/{trace}/complete"), json!({ "status": "COMPLETED" })),
    ] {
        for tag in [tag.as_str(), "*", ""] {
            let request = bed.request(method.clone(), path).header("if-match", tag).json(&body);
            let refused = Answer::of(request).await;
            refused.is_problem(400, "BAD_USER_INPUT", "If-Match");
            let detail = refused.body["detail"].as_str().unwrap();
            assert!(detail.contains("PATCH /conversations/{conversationId}"), "{detail}");
            assert!(detail.contains("PUT /components/{componentId}/labels/{label}"), "{detail}");
        }
    }
    assert_eq!(bed.get(&span).await.header("etag"), tag, "nothing was done");
    let read = Answer::of(bed.request(Method::GET, &span).header("if-match", "\"other\"")).await;
    assert_eq!(read.status, 200, "nothing is changed");
    let none = Answer::of(bed.request(Method::PATCH, &spans).header("if-match", &tag)).await;
    none.is_problem(405, "METHOD_NOT_ALLOWED", "");
}
