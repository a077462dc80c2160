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
