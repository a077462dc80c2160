//! Runs that give an answer: what they say, what they record, and with which versions.

use dendro::{service::agents::SearchConversations, tools::Tool};
use serde_json::json;

use super::{agent, conversation, messages, say, server, tree};

const SUMS: &str = "
scripts:
  test:
    turns:
      - when: { user: greet }
        thinking: Politely.
        text: Hello!
        tokens: { input: 40, output: 3, reasoning: 1 }
      - when: { user: sum, step: 0 }
        text: Let me see.
        tool_calls:
          - { name: add, arguments: { a: 1, b: 2 } }
          - { name: add, arguments: { a: 13, b: 2 } }
          - { name: add, arguments: { a: 1 } }
          - { name: subtract, arguments: {} }
          - { name: add, arguments: not json }
      - when: { user: sum, step: 1 }
        text: It is three.
    otherwise: { text: What? }
";

#[tokio::test]
async fn an_answer_is_given_kept_and_recorded() {
    let server = server(SUMS).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "Please greet me", json!({})).await;
    assert!(done["failure"].is_null() && done["refusal"].is_null(), "{done}");
    assert_eq!(done["trace"]["status"], "COMPLETED");
    assert_eq!(done["trace"]["finalOutput"], "Hello!");
    assert_eq!(done["answer"]["content"], "Hello!");
    assert_eq!(done["answer"]["thinking"], "Politely.");
    assert_eq!(
        messages(&server, &conversation).await,
        ["USER TEXT: Please greet me", "ASSISTANT TEXT: Hello!"]
    );
    assert_eq!(
        tree(&server, &done["trace"]).await,
        ["AGENT helper OK", "  MEMORY load history OK", "  LLM_CALL chat test OK"]
    );
}

#[tokio::test]
async fn a_model_call_shows_what_was_said_with_what_and_what_it_used() {
    let server = server(SUMS).await;
    agent(&server, json!({ "model": { "name": "scripted/test", "temperature": 0.5 } })).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "greet", json!({ "variables": { "user": "Bob" } })).await;
    const SPANS: &str = "query($id: ID!) { trace(id: $id) { spans(first: 10) { nodes {
      operationType durationMs components { componentId version { definition } }
      ... on LlmCallSpan {
        model provider finishReason timeToFirstTokenMs inputTokens outputTokens reasoningTokens
        inputMessages { role text } outputMessages { role text reasoning }
      }
    } } } }";
    let found = server.data(SPANS, json!({ "id": done["trace"]["traceId"] })).await;
    let nodes = found["trace"]["spans"]["nodes"].as_array().unwrap();
    let call = nodes.iter().find(|node| node["operationType"] == "LLM_CALL").unwrap();
    assert_eq!(call["model"], "scripted/test");
    assert_eq!(call["provider"], "scripted");
    assert_eq!(call["finishReason"], "stop");
    assert_eq!((&call["inputTokens"], &call["reasoningTokens"]), (&json!("40"), &json!("1")));
    assert!(call["timeToFirstTokenMs"].is_number() && call["durationMs"].is_number(), "{call}");
    assert_eq!(
        call["inputMessages"],
        json!([{ "role": "SYSTEM", "text": "Help Bob." }, { "role": "USER", "text": "greet" }])
    );
    assert_eq!(
        call["outputMessages"],
        json!([{ "role": "ASSISTANT", "text": "Hello!", "reasoning": "Politely." }])
    );
    let of = |id: &str| {
        let components = call["components"].as_array().unwrap();
        components.iter().find(|part| part["componentId"] == id).unwrap()["version"]["definition"].clone()
    };
    assert_eq!(of("prompts/helper"), "Help {{user}}.");
    assert_eq!(of("models/test"), json!({ "model": "test", "provider": "scripted", "temperature": 0.5 }));
    assert_eq!(of("tools/add")["name"], "add");
    assert_eq!(nodes[0]["components"][0]["componentId"], "agents/helper");
}

#[tokio::test]
async fn tools_are_called_together_and_their_failures_are_the_models_to_see() {
    let server = server(SUMS).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "the sum", json!({})).await;
    assert_eq!(done["answer"]["content"], "It is three.", "{done}");
    let said = messages(&server, &conversation).await;
    assert_eq!(said.len(), 8, "{said:#?}");
    assert!(
        said[1].starts_with("ASSISTANT TOOL_CALL: Let me see. add({\"a\":1,\"b\":2}) add("),
        "{}",
        said[1]
    );
    assert_eq!(said[2], "TOOL TOOL_RESULT: 3");
    assert_eq!(said[3], "TOOL TOOL_RESULT: Error: 13 is unlucky");
    assert!(said[4].starts_with("TOOL TOOL_RESULT: Error: ") && said[4].contains("b"), "{}", said[4]);
    assert_eq!(said[5], "TOOL TOOL_RESULT: Error: there is no tool `subtract`; there are: add");
    assert!(said[6].starts_with("TOOL TOOL_RESULT: Error: "), "{}", said[6]);
    let spans = tree(&server, &done["trace"]).await;
    let tools: Vec<_> = spans.iter().filter(|line| line.starts_with("  TOOL_CALL")).collect();
    assert_eq!(tools.len(), 5, "{spans:#?}");
    assert_eq!(tools.iter().filter(|line| line.contains(" ERROR: ")).count(), 4);
    assert_eq!(spans.iter().filter(|line| line.starts_with("  LLM_CALL")).count(), 2);
}

#[tokio::test]
async fn the_next_turn_knows_what_was_said() {
    let server = server(
        "
scripts:
  test:
    turns:
      - { text: \"First.\" }
      - { text: \"You said {{input}}.\" }
",
    )
    .await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    say(&server, &conversation, "one", json!({})).await;
    let second = say(&server, &conversation, "two", json!({})).await;
    assert_eq!(second["answer"]["content"], "You said two.");
    const CALL: &str =
        "query($id: ID!) { trace(id: $id) { spans(first: 10, filter: {types: [LLM_CALL]}) { nodes {
      ... on LlmCallSpan { inputMessages { role text } }
    } } } }";
    let found = server.data(CALL, json!({ "id": second["trace"]["traceId"] })).await;
    let given = &found["trace"]["spans"]["nodes"][0]["inputMessages"];
    let texts: Vec<_> = given.as_array().unwrap().iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["Help Ada.", "one", "First.", "two"]);
}

#[tokio::test]
async fn a_long_conversation_is_summarised_once_and_the_summary_is_used() {
    let server = server(
        "
scripts:
  test:
    turns:
      - when: { user_matches: '(?s)^USER: long' }
        text: They spoke of length.
      - when: { user: long }
        text: Indeed.
    otherwise: { text: Well. }
",
    )
    .await;
    agent(&server, json!({ "tools": [], "limits": { "historyTokens": 200 } })).await;
    let conversation = conversation(&server).await;
    let long = format!("long {}", "word ".repeat(300));
    let done = say(&server, &conversation, &long, json!({})).await;
    assert_eq!(done["answer"]["content"], "Indeed.", "{done}");
    let said = messages(&server, &conversation).await;
    assert_eq!(said.last().unwrap(), "SYSTEM SUMMARY: They spoke of length.");
    let spans = tree(&server, &done["trace"]).await;
    assert!(spans.contains(&"  MEMORY summarise history OK".to_owned()), "{spans:#?}");
    let next = say(&server, &conversation, "And now?", json!({})).await;
    const CALL: &str =
        "query($id: ID!) { trace(id: $id) { spans(first: 10, filter: {types: [LLM_CALL]}) { nodes {
      ... on LlmCallSpan { inputMessages { role text } }
    } } } }";
    let found = server.data(CALL, json!({ "id": next["trace"]["traceId"] })).await;
    let given = found["trace"]["spans"]["nodes"][0]["inputMessages"].as_array().unwrap().clone();
    assert_eq!(given[0]["text"], "Help Ada.\n\nEarlier in this conversation:\nThey spoke of length.");
    assert_eq!(given.last().unwrap()["text"], "And now?");
    assert_eq!(messages(&server, &conversation).await.len(), 5);
}

#[tokio::test]
async fn a_model_that_fails_in_passing_is_asked_again() {
    let server = server(
        "
scripts:
  test:
    turns:
      - text: At last.
        fail: { kind: unavailable, times: 2, message: busy }
",
    )
    .await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "Hello?", json!({})).await;
    assert_eq!(done["answer"]["content"], "At last.", "{done}");
    let spans = tree(&server, &done["trace"]).await;
    assert_eq!(
        spans,
        [
            "AGENT helper OK",
            "  MEMORY load history OK",
            "  LLM_CALL chat test ERROR: unavailable: busy",
            "  LLM_CALL chat test ERROR: unavailable: busy",
            "  LLM_CALL chat test OK",
        ]
    );
}

#[tokio::test]
async fn what_was_said_in_other_conversations_is_found() {
    let server = server(SUMS).await;
    agent(&server, json!({})).await;
    for said in ["greet the Émigré from Leeds", "greet nobody", "greet someone from leeds"] {
        let conversation = conversation(&server).await;
        say(&server, &conversation, said, json!({})).await;
    }
    let search =
        SearchConversations::new(server.services.conversations.clone(), server.services.search.clone());
    let found = async |query: &str| {
        let found = search.call(json!({ "query": query })).await.unwrap();
        found.read::<serde_json::Value>().unwrap()
    };
    let leeds = found("LEEDS greet").await;
    assert_eq!(leeds["found"], 2, "{leeds:#}");
    assert_eq!(leeds["messages"][0]["text"], "greet someone from leeds");
    assert_eq!(found("émigré").await["messages"][0]["role"], "USER");
    assert_eq!(found("nothing of the kind").await, json!({ "found": 0, "messages": [] }));
}

#[tokio::test]
async fn a_model_that_gives_the_same_ids_again_is_understood() {
    let server = server(
        "
scripts:
  test:
    turns:
      - when: { step: 0 }
        tool_calls: [{ id: c1, name: add, arguments: { a: 1, b: 2 } }, { id: c1, name: add, arguments: { a: 3, b: 4 } }]
      - when: { step: 1 }
        text: 'Sums: {{tool_results}}'
",
    )
    .await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    for turn in 1..=2 {
        let done = say(&server, &conversation, "sum", json!({})).await;
        assert!(done["failure"].is_null(), "{done}");
        let said = messages(&server, &conversation).await;
        assert_eq!(said.len(), turn * 5);
        assert_eq!(said[turn * 5 - 3..turn * 5 - 1], ["TOOL TOOL_RESULT: 3", "TOOL TOOL_RESULT: 7"]);
    }
}

#[tokio::test]
async fn a_summary_goes_on_from_the_one_before() {
    let server = server(
        "
scripts:
  test:
    turns:
      - when: { user_matches: '(?s)^Earlier: Of apples' }
        text: Of apples and pears.
      - when: { user_matches: '(?s)^USER: ' }
        text: Of apples.
    otherwise: { text: Well. }
",
    )
    .await;
    agent(&server, json!({ "tools": [], "limits": { "historyTokens": "100" } })).await;
    let conversation = conversation(&server).await;
    for fruit in ["apple ", "pear "] {
        say(&server, &conversation, &fruit.repeat(200), json!({})).await;
    }
    let said = messages(&server, &conversation).await;
    let summaries: Vec<_> = said.iter().filter(|said| said.starts_with("SYSTEM SUMMARY")).collect();
    assert_eq!(summaries, ["SYSTEM SUMMARY: Of apples.", "SYSTEM SUMMARY: Of apples and pears."]);
}

#[tokio::test]
async fn a_conversation_is_branched_and_something_else_is_said() {
    let server = server(SUMS).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    let first = say(&server, &conversation, "greet me", json!({})).await;
    let wrong = say(&server, &conversation, "something odd", json!({})).await;
    assert_eq!(wrong["answer"]["content"], "What?");
    const BRANCH: &str = "mutation($input: BranchConversationInput!) {
      branchConversation(input: $input) { conversation { conversationId } refusal { message } }
    }";
    // Behind the first answer.
    const LAST: &str =
        "query($id: ID!) { conversation(id: $id) { messages(first: 2) { nodes { messageId } } } }";
    let found = server.data(LAST, json!({ "id": conversation })).await;
    let answer = &found["conversation"]["messages"]["nodes"][1]["messageId"];
    let branched = server
        .data(BRANCH, json!({ "input": { "conversationId": conversation, "messageId": answer } }))
        .await;
    let branch = branched["branchConversation"]["conversation"]["conversationId"].as_str().unwrap();
    let right = say(&server, branch, "the sum", json!({})).await;
    assert_eq!(right["answer"]["content"], "It is three.", "{right}");
    let said = messages(&server, branch).await;
    assert_eq!((said[0].as_str(), said[2].as_str()), ("USER TEXT: greet me", "USER TEXT: the sum"));
    assert_eq!(messages(&server, &conversation).await.len(), 4);
    assert_eq!(first["trace"]["status"], "COMPLETED");
    // The model was told what was said before the branch.
    const CALL: &str =
        "query($id: ID!) { trace(id: $id) { spans(first: 1, filter: {types: [LLM_CALL]}) { nodes {
      ... on LlmCallSpan { inputMessages { text } }
    } } } }";
    let found = server.data(CALL, json!({ "id": right["traceId"] })).await;
    let given = found["trace"]["spans"]["nodes"][0]["inputMessages"].as_array().unwrap();
    let texts: Vec<_> = given.iter().map(|message| message["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Help Ada.", "greet me", "Hello!", "the sum"]);
}

#[tokio::test]
async fn a_summary_knows_the_beginning_though_the_model_was_not_given_it() {
    let server = server(
        "
scripts:
  test:
    turns:
      - when: { user_matches: '(?s)^USER: .*Zaphod.*and pears' }
        text: Zaphod likes pears.
      - when: { user_matches: '(?s)^USER: ' }
        text: Somebody likes pears.
    otherwise: { text: Well. }
",
    )
    .await;
    agent(&server, json!({ "tools": [], "limits": { "historyTokens": "100" } })).await;
    let conversation = conversation(&server).await;
    // Together they are too long, and the last one alone fills what the model is given.
    let name = format!("I am Zaphod {}", "x".repeat(200));
    let fruit = format!("and pears {}", "y".repeat(300));
    say(&server, &conversation, &name, json!({})).await;
    let second = say(&server, &conversation, &fruit, json!({})).await;
    let said = messages(&server, &conversation).await;
    assert_eq!(said.last().unwrap(), "SYSTEM SUMMARY: Zaphod likes pears.", "{second}");
    const CALL: &str =
        "query($id: ID!) { trace(id: $id) { spans(first: 1, filter: {types: [LLM_CALL]}) { nodes {
      ... on LlmCallSpan { inputMessages { text } }
    } } } }";
    let found = server.data(CALL, json!({ "id": second["traceId"] })).await;
    assert!(!found.to_string().contains("Zaphod"), "{found}");
}

#[tokio::test]
async fn an_agent_without_instructions_answers() {
    let server = server(SUMS).await;
    agent(&server, json!({ "systemPrompt": "", "variables": {} })).await;
    let conversation = conversation(&server).await;
    let done = say(&server, &conversation, "the sum", json!({})).await;
    assert_eq!(done["answer"]["content"], "It is three.", "{done}");
    const SPANS: &str = "query($id: ID!) { trace(id: $id) { spans(first: 50) { nodes {
      operationType name components { componentId }
    } } } }";
    let found = server.data(SPANS, json!({ "id": done["traceId"] })).await;
    let nodes = found["trace"]["spans"]["nodes"].as_array().unwrap();
    let of = |kind: &str| {
        let span = nodes.iter().find(|node| node["operationType"] == kind).unwrap();
        let components = span["components"].as_array().unwrap().iter();
        components.map(|component| component["componentId"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of("LLM_CALL"), ["models/test", "tools/add"]);
    assert_eq!(of("TOOL_CALL"), ["tools/add"]);
}
