//! All that a database answers of its traces, but for when and how often it was written to.

use serde_json::{Value, json};

use crate::support::Server;

const QUERY: &str = "
query($after: String) {
  traces(first: 100, after: $after, orderBy: OLDEST_FIRST) {
    pageInfo { hasNextPage endCursor }
    nodes {
      id traceId name conversationId userId sessionId status startTime endTime inputPreview outputPreview
      userInput finalOutput spanCount runningSpanCount errorCount llmCallCount toolCallCount totalTokens
      inputTokens outputTokens cacheReadTokens cacheWriteTokens reasoningTokens totalCostUsd models depth
      conversation {
        conversationId userId title metadata messageCount
        messages(first: 200) { nodes {
          messageId role content thinking timestamp modelName tokenCount metadata toolCallId traceId turnId
          toolCalls { callId name arguments }
        } }
      }
      scores { name numberValue categoryValue booleanValue comment source }
      spans(first: 5000) { nodes { ...span scores { name numberValue categoryValue booleanValue comment source } } }
    }
  }
}

fragment span on Span {
  __typename spanId parentSpanId parentId childCount descendantCount depth placement operationType name
  startTime endTime status statusMessage totalTokens inputTokens outputTokens cacheReadTokens
  cacheWriteTokens reasoningTokens countingRule costUsd costSource priceVersion
  inputs outputs memorySnapshot conversationContext errorDetails attributes origin eventCount linkCount
  events { name time attributes }
  links { traceId spanId attributes }
  components { componentId versionHash }
  ... on LlmCallSpan {
    model provider requestModel settings finishReason responseId timeToFirstTokenMs
    inputMessages { ...message } outputMessages { ...message } tools { name description parameters }
  }
  ... on ToolCallSpan { toolName toolCallId toolType toolDescription arguments result }
  ... on RetrievalSpan { query documents { ...document } documentCount model provider }
  ... on AgentSpan {
    agentName agentId agentVersion agentDescription model provider
    inputMessages { ...message } outputMessages { ...message } tools { name description parameters }
  }
  ... on PlanStepSpan { planId stepId agentName }
  ... on MemorySpan { query documents { ...document } documentCount }
  ... on EmbeddingSpan { texts dimensions model provider }
  ... on RerankSpan {
    query documents { ...document } inputDocuments { ...document } documentCount model provider
  }
  ... on GuardrailSpan { model provider }
  ... on EvaluationSpan { model provider }
  ... on PlanningSpan { planId agentName model provider }
  ... on ChainSpan { agentName inputMessages { ...message } outputMessages { ...message } }
  ... on CustomSpan {
    model provider finishReason responseId timeToFirstTokenMs toolName toolCallId agentName planId stepId
    documentCount
  }
}

fragment message on ChatMessage {
  id role name text reasoning finishReason
  parts {
    __typename
    ... on TextPart { text }
    ... on ReasoningPart { text }
    ... on ToolCallPart { callId called: toolName arguments }
    ... on ToolResultPart { callId answered: toolName result }
    ... on MediaPart { mimeType uri bytes modality }
    ... on OtherPart { json }
  }
}

fragment document on RetrievedDocument { documentId content score metadata }
";

/// The traces, those that started first come first.
pub async fn of(server: &Server) -> Vec<Value> {
    let (mut traces, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = server.data(QUERY, json!({ "after": after })).await["traces"].take();
        traces.extend(page["nodes"].as_array().unwrap().iter().cloned());
        if page["pageInfo"]["hasNextPage"] != true {
            return traces;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Asserts that two databases answer the same, and says where they do not.
#[track_caller]
pub fn assert_same(one: &[Value], other: &[Value], why: &str) {
    assert_eq!(one.len(), other.len(), "{why}: traces");
    for (one, other) in one.iter().zip(other) {
        let mut path = vec![why.to_owned(), one["traceId"].to_string()];
        compare(one, other, &mut path);
    }
}

#[track_caller]
fn compare(one: &Value, other: &Value, path: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (key, value) in one {
                path.push(key.clone());
                compare(value, &other[key], path);
                path.pop();
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (index, value) in one.iter().enumerate() {
                path.push(index.to_string());
                compare(value, &other[index], path);
                path.pop();
            }
        }
        _ => assert_eq!(one, other, "{}", path.join(" / ")),
    }
}
