//! Plans: made, revised, carried out step by step, listed and followed.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::Server;

const ADVANCE: &str = "mutation($input: AdvancePlanStepInput!) { advancePlanStep(input: $input) {
  step { order status result errorMessage attempts { number status spanId } legalActions }
  plan { status currentStepIndex errorMessage }
  refusal { __typename message ... on IllegalTransition { entity state action legal } ... on InvalidInput { field } }
} }";

/// A plan of three steps, the last of which waits for both others.
async fn plan(server: &Server) -> Value {
    let created =
        server.data("mutation { createConversation(input: {}) { conversation { id } } }", json!({})).await;
    let conversation = created["createConversation"]["conversation"]["id"].clone();
    let steps = json!([
        {"key": "a", "description": "look"},
        {"key": "b", "description": "ask"},
        {"description": "tell", "dependencies": ["a", "b"]},
    ]);
    let create = "mutation($input: CreatePlanInput!) { createPlan(input: $input) {
      plan { id planId title status maxRetries legalActions readySteps { order } steps { id stepId status legalActions dependencies { order } } }
      refusal { message }
    } }";
    let input = json!({"conversationId": conversation, "title": "Find it", "maxRetries": 0, "steps": steps});
    server.data(create, json!({"input": input})).await["createPlan"]["plan"].clone()
}

async fn advance(server: &Server, step: &Value, action: &str, more: Value) -> Value {
    let mut input = json!({"stepId": step["id"], "action": action});
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    server.data(ADVANCE, json!({"input": input})).await["advancePlanStep"].clone()
}

#[tokio::test]
async fn a_plan_is_carried_out_step_by_step() {
    let server = Server::new().await;
    let plan = plan(&server).await;
    assert_eq!((&plan["status"], &plan["legalActions"]), (&json!("PENDING"), &json!(["PAUSE", "CANCEL"])));
    assert_eq!(plan["readySteps"], json!([{"order": 0}, {"order": 1}]));
    assert_eq!(plan["steps"][2]["dependencies"], json!([{"order": 0}, {"order": 1}]));
    let [first, second, third] = [0, 1, 2].map(|index| plan["steps"][index].clone());

    let early = advance(&server, &third, "START", json!({})).await["refusal"].clone();
    assert_eq!((&early["entity"], &early["legal"]), (&json!("STEP"), &json!(["SKIP"])));
    let trace = "99999999-9999-4999-8999-999999999999";
    let started = advance(&server, &first, "START", json!({"spanId": trace, "traceId": trace})).await;
    assert_eq!(started["step"]["attempts"], json!([{"number": 1, "status": "RUNNING", "spanId": trace}]));
    assert_eq!(started["plan"]["status"], "RUNNING");
    let done = advance(&server, &first, "COMPLETE", json!({"result": "here"})).await;
    assert_eq!((&done["step"]["result"], &done["plan"]["currentStepIndex"]), (&json!("here"), &json!(1)));
    advance(&server, &second, "SKIP", json!({})).await;
    advance(&server, &third, "START", json!({})).await;
    let failed = advance(&server, &third, "FAIL", json!({"errorMessage": "nobody there"})).await;
    assert_eq!((&failed["step"]["status"], &failed["plan"]["status"]), (&json!("FAILED"), &json!("FAILED")));

    for (action, more, field) in [
        ("FAIL", json!({}), "errorMessage"),
        ("SKIP", json!({"result": "x"}), "result"),
        ("START", json!({"spanId": trace}), "traceId"),
        ("START", json!({"planId": "x"}), "planId"),
    ] {
        let refused = advance(&server, &first, action, more).await;
        assert_eq!(refused["refusal"]["field"], field);
    }
}

#[tokio::test]
async fn a_plan_is_revised_held_and_given_up() {
    let server = Server::new().await;
    let plan = plan(&server).await;
    let update = "mutation($input: UpdatePlanInput!) { updatePlan(input: $input) {
      plan { title steps { description dependencyIds } } refusal { ... on InvalidInput { field } }
    } }";
    let input = json!({
        "planId": plan["planId"], "title": "Find it soon",
        "addSteps": [{"description": "rest", "dependencies": [plan["steps"][2]["id"]]}],
        "changeSteps": [{"stepId": plan["steps"][0]["stepId"], "description": "look well"}],
    });
    let revised = server.data(update, json!({"input": input})).await["updatePlan"]["plan"].clone();
    assert_eq!(revised["title"], "Find it soon");
    assert_eq!(revised["steps"][0]["description"], "look well");
    assert_eq!(revised["steps"][3]["dependencyIds"], json!([plan["steps"][2]["stepId"]]));
    let circle = json!({
        "planId": plan["id"],
        "changeSteps": [{"stepId": plan["steps"][0]["id"], "dependencies": [plan["steps"][2]["stepId"]]}],
    });
    let refused = server.data(update, json!({"input": circle})).await["updatePlan"].clone();
    assert_eq!(refused["plan"], json!(null));

    let control =
        "mutation($id: ID!, $action: PlanAction!) { controlPlan(input: {planId: $id, action: $action}) {
      plan { status legalActions } refusal { ... on IllegalTransition { legal } }
    } }";
    let paused = server.data(control, json!({"id": plan["id"], "action": "PAUSE"})).await;
    assert_eq!(
        paused["controlPlan"]["plan"],
        json!({"status": "PAUSED", "legalActions": ["RESUME", "CANCEL"]})
    );
    let twice = server.data(control, json!({"id": plan["id"], "action": "PAUSE"})).await;
    assert_eq!(twice["controlPlan"]["refusal"]["legal"], json!(["RESUME", "CANCEL"]));
}

#[tokio::test]
async fn plans_and_steps_are_found() {
    let server = Server::new().await;
    let plan = plan(&server).await;
    let read = server
        .data(
            "query($plan: ID!, $step: ID!) {
              plan(id: $plan) { title }
              plans(filter: {statuses: [PENDING], title: \"FIND\"}) { totalCount nodes { planId } }
              none: plans(filter: {statuses: [FAILED]}) { totalCount }
              node(id: $step) { ... on PlanStep { description plan { title } } }
            }",
            json!({"plan": plan["planId"], "step": plan["steps"][1]["id"]}),
        )
        .await;
    assert_eq!(
        read,
        json!({
            "plan": {"title": "Find it"},
            "plans": {"totalCount": 1, "nodes": [{"planId": plan["planId"]}]},
            "none": {"totalCount": 0},
            "node": {"description": "ask", "plan": {"title": "Find it"}},
        })
    );
}

#[tokio::test]
async fn steps_are_followed_live() {
    let server = Server::new().await;
    let plan = plan(&server).await;
    let follow = "subscription($id: ID!, $after: BigInt) { planSteps(planId: $id, after: $after) {
      revision snapshot plan { status } steps { order status }
    } }";
    let mut stream = server.follow(follow, json!({"id": plan["id"]}));
    let first = stream.next().await.unwrap().data["planSteps"].clone();
    assert_eq!((&first["snapshot"], first["steps"].as_array().unwrap().len()), (&json!(true), 3));
    advance(&server, &plan["steps"][1], "START", json!({})).await;
    let second = stream.next().await.unwrap().data["planSteps"].clone();
    assert_eq!(second["snapshot"], false);
    assert_eq!(second["steps"], json!([{"order": 1, "status": "RUNNING"}]));
    advance(&server, &plan["steps"][1], "COMPLETE", json!({})).await;
    let mut resumed = server.follow(follow, json!({"id": plan["planId"], "after": second["revision"]}));
    let third = resumed.next().await.unwrap().data["planSteps"].clone();
    assert_eq!(third["steps"], json!([{"order": 1, "status": "COMPLETED"}]));
}
