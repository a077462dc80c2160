//! Plans that a model writes.

use serde_json::{Value, json};

use super::{agent, conversation, messages, say, server, tree};
use crate::support::Server;

const SCRIPT: &str = r#"
scripts:
  test:
    turns:
      - when: { user: 'plan for this: tea' }
        text: |
          Here it is:
          ```json
          {"title": "Tea", "description": "", "steps": [
            {"description": "Boil water.", "depends_on": []},
            {"description": "Warm the pot.", "depends_on": []},
            {"description": "Pour.", "depends_on": [1, 2]}
          ]}
          ```
      - when: { user: 'plan for this: hard' }
        text: I would rather not.
      - when: { user: 'no JSON object' }
        text: '{"title": "Hard", "steps": [{"what": 1}]}'
      - when: { user: 'missing field' }
        text: '{"title": "Hard", "steps": [{"description": "a", "depends_on": [2]}, {"description": "b", "depends_on": [1]}]}'
      - when: { user: 'depends on itself' }
        text: '{"title": "Hard", "steps": [{"description": "a"}]}'
      - when: { user: 'plan for this: never' }
        text: Forget it.
      - when: { user: 'Your step:' }
        text: Done.
    otherwise: { text: Hm. }
"#;

const DRAFT: &str = "mutation($input: DraftPlanInput!) { draftPlan(input: $input) {
  planId traceId
  plan { planId title description status maxRetries steps { description dependencies { order } } }
  trace { traceId status conversationId userInput spans(first: 50) { nodes {
    operationType ... on PlanningSpan { plan { title } } ... on LlmCallSpan { inputMessages { role text } }
  } } }
  failure { kind message }
  refusal { message ... on InvalidInput { field } ... on NotFound { field } }
} }";

async fn draft(server: &Server, conversation: &str, goal: &str, changes: Value) -> Value {
    let mut input = json!({ "conversationId": conversation, "agentId": "agents/helper", "goal": goal });
    for (name, value) in changes.as_object().unwrap() {
        input[name] = value.clone();
    }
    server.data(DRAFT, json!({ "input": input })).await["draftPlan"].clone()
}

#[tokio::test]
async fn a_model_writes_a_plan_which_is_then_carried_out() {
    let server = server(SCRIPT).await;
    agent(&server, json!({})).await;
    let conversation = conversation(&server).await;
    say(&server, &conversation, "I am thirsty", json!({})).await;
    let before = messages(&server, &conversation).await;
    let drafted = draft(&server, &conversation, "tea", json!({ "maxRetries": 1 })).await;
    let plan = &drafted["plan"];
    assert_eq!(
        *plan,
        json!({
            "planId": drafted["planId"], "title": "Tea", "description": "tea", "status": "PENDING", "maxRetries": 1,
            "steps": [
                { "description": "Boil water.", "dependencies": [] },
                { "description": "Warm the pot.", "dependencies": [] },
                { "description": "Pour.", "dependencies": [{ "order": 0 }, { "order": 1 }] },
            ],
        }),
        "{drafted}"
    );
    assert_eq!(messages(&server, &conversation).await, before);
    assert_eq!(
        tree(&server, &drafted["trace"]).await,
        [
            "AGENT helper OK",
            "  MEMORY load history OK",
            "  PLANNING draft plan OK",
            "    LLM_CALL chat test OK"
        ]
    );
    let nodes = drafted["trace"]["spans"]["nodes"].as_array().unwrap();
    assert_eq!(nodes[2]["plan"]["title"], "Tea");
    let given = nodes[3]["inputMessages"].as_array().unwrap();
    assert!(given[0]["text"].as_str().unwrap().contains("\n- add: Adds two numbers."), "{given:?}");
    let texts: Vec<_> = given[1..].iter().map(|message| message["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["I am thirsty", "Hm.", "Write a plan for this: tea"]);

    const EXECUTE: &str = "mutation($id: ID!) {
      executePlan(input: {planId: $id, agentId: \"agents/helper\"}) { refusal { message } }
    }";
    server.data(EXECUTE, json!({ "id": plan["planId"] })).await;
    const STATUS: &str = "query($id: ID!) { plan(id: $id) { status } }";
    while server.data(STATUS, json!({ "id": plan["planId"] })).await["plan"]["status"] != "COMPLETED" {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_plan_that_cannot_be_kept_is_asked_for_again_with_what_is_wrong() {
    let server = server(SCRIPT).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let drafted = draft(&server, &conversation, "hard", json!({})).await;
    assert_eq!(drafted["plan"]["steps"].as_array().unwrap().len(), 1, "{drafted}");
    let lines = tree(&server, &drafted["trace"]).await;
    assert_eq!(lines.iter().filter(|line| *line == "    LLM_CALL chat test OK").count(), 4, "{lines:#?}");
}

#[tokio::test]
async fn a_model_that_writes_no_plan_fails_the_run_and_leaves_none() {
    let server = server("scripts: { test: { turns: [], otherwise: { text: Hm. } } }").await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let drafted = draft(&server, &conversation, "nothing", json!({})).await;
    assert_eq!(drafted["failure"]["kind"], "INVALID_PLAN", "{drafted}");
    assert!(drafted["failure"]["message"].as_str().unwrap().contains("it is no JSON object"));
    assert!(drafted["plan"].is_null());
    assert_eq!(drafted["trace"]["status"], "FAILED");
    assert!(tree(&server, &drafted["trace"]).await[2].starts_with("  PLANNING draft plan ERROR"));
    assert_eq!(server.services.agents.end_interrupted().await.unwrap(), 0);
    for (goal, changes, field) in [
        (" ", json!({}), "goal"),
        ("tea", json!({ "conversationId": "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a45" }), "conversationId"),
        ("tea", json!({ "planId": "x" }), "planId"),
    ] {
        let refused = draft(&server, &conversation, goal, changes).await;
        assert_eq!(refused["refusal"]["field"], field, "{refused}");
    }
    let plans = server.data("{ plans(first: 5) { totalCount } }", json!({})).await;
    assert_eq!(plans["plans"]["totalCount"], 0);
}
