//! Lists, page by page to their end.

use serde_json::json;

use super::bed::Bed;

#[tokio::test]
async fn every_list_is_walked_to_its_end() {
    let bed = Bed::start().await;
    let mut ids = Vec::new();
    for number in 0..7 {
        bed.inner.clock.advance_ms(1);
        let made =
            bed.made("/conversations", json!({ "title": format!("n {number}"), "tags": ["t t"] })).await;
        ids.push(made["conversationId"].clone());
    }
    for limit in [1, 3, 7, 8] {
        let found = bed.all(&format!("/conversations?order=OLDEST_FIRST&limit={limit}&tag=t%20t")).await;
        let found: Vec<_> = found.iter().map(|entry| entry["conversationId"].clone()).collect();
        assert_eq!(found, ids, "{limit}");
    }
    let page = bed.shown("/conversations?limit=3&tag=t+t").await;
    let cursor = page["next"].as_str().unwrap();
    // A cursor is of its list, filter and order included.
    bed.get(&format!("/conversations?limit=3&after={cursor}")).await.is_problem(
        400,
        "BAD_USER_INPUT",
        "after",
    );
    let messages = format!("/conversations/{}/messages", ids[0].as_str().unwrap());
    for number in 0..5 {
        bed.made(&messages, json!({ "content": format!("{number}") })).await;
    }
    for (order, expected) in
        [("OLDEST_FIRST", ["0", "1", "2", "3", "4"]), ("NEWEST_FIRST", ["4", "3", "2", "1", "0"])]
    {
        let found = bed.all(&format!("{messages}?order={order}&limit=2")).await;
        let found: Vec<_> = found.iter().map(|message| message["content"].as_str().unwrap()).collect();
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn the_length_of_a_page_is_bounded() {
    let bed = Bed::start().await;
    for limit in ["0", "1001", "-1", "x", "", "1.5", "99999999999"] {
        bed.get(&format!("/traces?limit={limit}")).await.is_problem(400, "BAD_USER_INPUT", "limit");
    }
    assert_eq!(bed.shown("/traces?limit=1000").await, json!({ "items": [], "next": null }));
}
