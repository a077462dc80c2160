//! A trace as columns.

use serde_json::json;

use super::Run;
use crate::support::Server;

#[tokio::test]
async fn columns_say_what_the_spans_say() {
    let server = Server::new().await;
    let run = Run::record(&server).await;
    let read = server
        .data(
            "query($id: ID!) { trace(id: $id) { skeleton {
              spanCount names nameIndexes parents depths subtreeSizes placements operationTypes statuses
              startOffsetsMs durationsMs totalTokens costsUsd spanIds startTime revision
            } } }",
            json!({"id": run.trace}),
        )
        .await;
    let ids: Vec<_> = ["support", "think", "search", "index", "answer"].map(Run::span_id).into();
    assert_eq!(
        read["trace"]["skeleton"],
        json!({
            "spanCount": 5,
            "names": ["support", "think", "search", "index", "answer"],
            "nameIndexes": [0, 1, 2, 3, 4],
            "parents": [-1, 0, 0, 2, 0],
            "depths": [0, 1, 1, 2, 1],
            "subtreeSizes": [5, 1, 2, 1, 1],
            "placements": ["ROOT", "CHILD", "CHILD", "CHILD", "CHILD"],
            "operationTypes": ["AGENT", "LLM_CALL", "TOOL_CALL", "RETRIEVAL", "LLM_CALL"],
            "statuses": ["OK", "OK", "OK", "OK", "OK"],
            "startOffsetsMs": [0.0, 100.0, 400.0, 450.0, 600.0],
            "durationsMs": [1000.0, 300.0, 200.0, 100.0, 300.0],
            "totalTokens": [null, "120", null, null, "120"],
            "costsUsd": [null, 0.25, null, null, 0.25],
            "spanIds": ids,
            "startTime": "2025-01-01T00:00:00.000000000Z",
            "revision": "3",
        })
    );
}
