//! Plans that agents carry out: in the order of what depends on what, again where a step fails, and on after a
//! restart.

use std::{sync::Arc, time::Duration};

use dendro::engine::{MemoryEngine, SharedEngine};
use serde_json::{Value, json};

use super::{agent, conversation, runtime, server, tree};
use crate::support::Server;

const WORKER: &str = "
scripts:
  test:
    turns:
      - when: { user: 'Your step: shaky' }
        text: Steady now.
        fail: { kind: refused, message: it slipped, times: 1 }
      - when: { user: 'Your step: hopeless' }
        text: Never.
        fail: { kind: refused, message: no way }
      - when: { user: 'Your step: feeble' }
        text: At last.
        fail: { kind: refused, message: not yet, times: 1 }
      - when: { user: 'Your step: slow' }
        text: Never.
        delay_ms: 600000
      - when: { user_matches: 'Your step: (\\w+)' }
        text: 'Did {{match.1}}.'
";

/// A plan of steps, each named, with the names that it depends on.
async fn plan(server: &Server, conversation: &str, steps: &[(&str, &[&str])], retries: u32) -> String {
    let steps: Vec<_> = steps
        .iter()
        .map(|(name, dependencies)| json!({ "key": name, "description": name, "dependencies": dependencies }))
        .collect();
    const CREATE: &str = "mutation($input: CreatePlanInput!) { createPlan(input: $input) { plan { planId } refusal { message } } }";
    let input =
        json!({ "conversationId": conversation, "title": "Tidy up", "steps": steps, "maxRetries": retries });
    let made = server.data(CREATE, json!({ "input": input })).await;
    made["createPlan"]["plan"]["planId"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

const EXECUTE: &str =
    "mutation($plan: ID!) { executePlan(input: {planId: $plan, agentId: \"agents/helper\"}) {
  plan { status } refusal { message }
} }";

const PLAN: &str = "query($plan: ID!) { plan(id: $plan) { status errorMessage steps {
  description status result errorMessage attempts { number status errorMessage span { spanId trace { traceId status } } }
} } }";

/// The plan, once it is over.
async fn over(server: &Server, plan: &str) -> Value {
    for _ in 0..3_000 {
        let found = server.data(PLAN, json!({ "plan": plan })).await["plan"].clone();
        if !["PENDING", "RUNNING", "PAUSED"].contains(&found["status"].as_str().unwrap()) {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the plan is never over")
}

fn statuses(plan: &Value) -> Vec<String> {
    let steps = plan["steps"].as_array().unwrap().iter();
    steps
        .map(|step| format!("{} {}", step["description"].as_str().unwrap(), step["status"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn steps_are_carried_out_with_what_came_of_those_before() {
    let server = server(WORKER).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let id = plan(
        &server,
        &conversation,
        &[("one", &[]), ("two", &["one"]), ("three", &[]), ("four", &["two", "three"])],
        0,
    )
    .await;
    let begun = server.data(EXECUTE, json!({ "plan": id })).await;
    assert!(begun["executePlan"]["refusal"].is_null(), "{begun}");
    let done = over(&server, &id).await;
    assert_eq!(done["status"], "COMPLETED", "{done:#}");
    assert_eq!(statuses(&done), ["one COMPLETED", "two COMPLETED", "three COMPLETED", "four COMPLETED"]);
    assert_eq!(done["steps"][3]["result"], "Did four.");
    let attempt = &done["steps"][3]["attempts"][0];
    let trace = &attempt["span"]["trace"];
    assert_eq!(trace["status"], "COMPLETED");
    assert_eq!(
        tree(&server, trace).await,
        ["PLAN_STEP four OK", "  AGENT helper OK", "    LLM_CALL chat test OK"]
    );
    const SPANS: &str = "query($id: ID!) { trace(id: $id) { spans(first: 1) { nodes { spanId ... on PlanStepSpan { step { description } } inputs } } } }";
    let root =
        server.data(SPANS, json!({ "id": trace["traceId"] })).await["trace"]["spans"]["nodes"][0].clone();
    assert_eq!((&root["spanId"], &root["step"]["description"]), (&attempt["span"]["spanId"], &json!("four")));
    let told = root["inputs"].as_str().unwrap();
    for part in [
        "The plan: Tidy up",
        "Step 2: two\nIts result: Did two.",
        "Step 3: three\nIts result: Did three.",
        "Your step: four",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("Did one."), "{told}");
    // Nothing of it is said in the conversation.
    assert!(super::messages(&server, &conversation).await.is_empty());
    let again = server.data(EXECUTE, json!({ "plan": id })).await;
    assert!(again["executePlan"]["refusal"]["message"].as_str().unwrap().contains("COMPLETED"), "{again}");
}

#[tokio::test]
async fn a_step_that_fails_is_tried_again_and_then_fails_the_plan() {
    let server = server(WORKER).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let id = plan(&server, &conversation, &[("shaky", &[]), ("after", &["shaky"])], 2).await;
    server.data(EXECUTE, json!({ "plan": id })).await;
    let done = over(&server, &id).await;
    assert_eq!(statuses(&done), ["shaky COMPLETED", "after COMPLETED"], "{done:#}");
    let attempts = done["steps"][0]["attempts"].as_array().unwrap();
    let ends: Vec<_> = attempts.iter().map(|attempt| attempt["status"].as_str().unwrap()).collect();
    // The script counts by what it is asked, and the second attempt is told of the first.
    assert_eq!(ends, ["FAILED", "FAILED", "COMPLETED"]);
    assert_eq!(attempts[0]["errorMessage"], "refused: it slipped");

    let id = plan(&server, &conversation, &[("hopeless", &[]), ("after", &["hopeless"]), ("beside", &[])], 1)
        .await;
    server.data(EXECUTE, json!({ "plan": id })).await;
    let done = over(&server, &id).await;
    assert_eq!(done["status"], "FAILED");
    assert_eq!(done["steps"][0]["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(statuses(&done)[..2], ["hopeless FAILED", "after BLOCKED"]);
}

#[tokio::test]
async fn a_plan_is_given_up_and_what_runs_is_stopped() {
    let server = server(WORKER).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let id = plan(&server, &conversation, &[("slow", &[]), ("after", &["slow"])], 3).await;
    server.data(EXECUTE, json!({ "plan": id })).await;
    let running = async || server.data(PLAN, json!({ "plan": id })).await["plan"]["steps"][0].clone();
    while running().await["status"] != "RUNNING" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    const CANCEL: &str =
        "mutation($plan: ID!) { controlPlan(input: {planId: $plan, action: CANCEL}) { plan { status } } }";
    assert_eq!(
        server.data(CANCEL, json!({ "plan": id })).await["controlPlan"]["plan"]["status"],
        "CANCELLED"
    );
    let done = over(&server, &id).await;
    assert_eq!(statuses(&done), ["slow CANCELLED", "after CANCELLED"]);
    let trace = &running().await["attempts"][0]["span"]["trace"].clone();
    for _ in 0..1_000 {
        let lines = tree(&server, trace).await;
        if lines.iter().all(|line| line.contains("CANCELLED")) && !lines.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:#?}", tree(&server, trace).await);
}

#[tokio::test]
async fn one_step_is_carried_out_once_at_a_time() {
    let server = server(WORKER).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let id = plan(&server, &conversation, &[("one", &[]), ("two", &["one"])], 0).await;
    const STEPS: &str = "query($plan: ID!) { plan(id: $plan) { steps { id } } }";
    let steps = server.data(STEPS, json!({ "plan": id })).await["plan"]["steps"].clone();
    const STEP: &str =
        "mutation($step: ID!) { executePlanStep(input: {stepId: $step, agentId: \"agents/helper\"}) {
      step { status result } trace { status } failure { kind } refusal { message }
    } }";
    let early = server.data(STEP, json!({ "step": steps[1]["id"] })).await["executePlanStep"].clone();
    assert!(early["refusal"]["message"].as_str().unwrap().contains("waits for the steps"), "{early}");
    let variables = json!({ "step": steps[0]["id"] });
    let (first, second) = tokio::join!(server.data(STEP, variables.clone()), server.data(STEP, variables));
    let both = [&first["executePlanStep"], &second["executePlanStep"]];
    let done: Vec<_> = both.iter().filter(|done| done["refusal"].is_null()).collect();
    assert_eq!(done.len(), 1, "{both:#?}");
    assert_eq!(done[0]["step"], json!({ "status": "COMPLETED", "result": "Did one." }));
    assert_eq!(done[0]["trace"]["status"], "COMPLETED");
}

#[tokio::test]
async fn a_plan_goes_on_where_another_process_was_cut_off() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), runtime(WORKER)).await;
    agent(&first, json!({ "tools": [] })).await;
    let conversation = conversation(&first).await;
    let id = plan(&first, &conversation, &[("one", &[]), ("slow", &["one"]), ("last", &["slow"])], 1).await;
    first.data(EXECUTE, json!({ "plan": id })).await;
    let step =
        async |server: &Server| server.data(PLAN, json!({ "plan": id })).await["plan"]["steps"][1].clone();
    while step(&first).await["status"] != "RUNNING" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The other process is gone, as far as the next one can tell, and what was slow is not any more.
    let second = Server::running_on(engine, runtime(&WORKER.replace("600000", "0"))).await;
    assert_eq!(second.services.agents.end_interrupted().await.unwrap(), 1);
    assert_eq!(second.services.agents.resume_plans().await.unwrap(), 1);
    let done = over(&second, &id).await;
    assert_eq!(done["status"], "COMPLETED", "{done:#}");
    let attempts = done["steps"][1]["attempts"].as_array().unwrap();
    let ends: Vec<_> = attempts.iter().map(|attempt| attempt["status"].as_str().unwrap()).collect();
    assert_eq!(ends, ["INTERRUPTED", "COMPLETED"]);
    assert_eq!(done["steps"][0]["attempts"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_server_that_stops_ends_its_attempts_and_the_next_goes_on() {
    let engine: SharedEngine = Arc::new(MemoryEngine::default());
    let first = Server::running_on(engine.clone(), runtime(WORKER)).await;
    agent(&first, json!({ "tools": [] })).await;
    let conversation = conversation(&first).await;
    let id = plan(&first, &conversation, &[("slow", &[]), ("last", &["slow"])], 1).await;
    first.data(EXECUTE, json!({ "plan": id })).await;
    let step = async || first.data(PLAN, json!({ "plan": id })).await["plan"]["steps"][0].clone();
    while step().await["status"] != "RUNNING" {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::timeout(Duration::from_secs(30), first.services.agents.stop()).await.unwrap();
    assert_eq!(step().await["status"], "INTERRUPTED");
    // Whoever holds the store lets go: nothing of the plan waits for the end of time.
    let store = first.store.clone();
    drop(first);
    tokio::time::timeout(Duration::from_secs(2), store.close()).await.unwrap();
    let second = Server::running_on(engine, runtime(&WORKER.replace("600000", "0"))).await;
    assert_eq!(second.services.agents.end_interrupted().await.unwrap(), 0);
    assert_eq!(second.services.agents.resume_plans().await.unwrap(), 1);
    assert_eq!(over(&second, &id).await["status"], "COMPLETED");
}

#[tokio::test]
async fn a_plan_says_what_failed_what_that_held_up_and_what_it_used() {
    let server = server(WORKER).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let steps: &[(&str, &[&str])] =
        &[("first", &[]), ("hopeless", &["first"]), ("next", &["hopeless"]), ("last", &["next", "first"])];
    let id = plan(&server, &conversation, steps, 1).await;
    server.data(EXECUTE, json!({ "plan": id })).await;
    assert_eq!(over(&server, &id).await["status"], "FAILED");
    const ASKED: &str = "query($plan: ID!) { plan(id: $plan) {
      durationMs totalTokens totalCostUsd
      failedSteps { description blocks { description } }
      steps { description durationMs totalTokens blockedBy { description } attempts { durationMs totalTokens } }
    } }";
    let told = server.data(ASKED, json!({ "plan": id })).await["plan"].clone();
    let failed = json!([{
        "description": "hopeless", "blocks": [{ "description": "next" }, { "description": "last" }],
    }]);
    assert_eq!(told["failedSteps"], failed, "{told}");
    let steps = told["steps"].as_array().unwrap();
    let held: Vec<_> = steps.iter().map(|step| step["blockedBy"][0]["description"].as_str()).collect();
    assert_eq!(held, [None, None, Some("hopeless"), Some("hopeless")]);
    assert!(told["durationMs"].is_number() && steps[0]["durationMs"].is_number(), "{told}");
    let tokens = |of: &Value| of["totalTokens"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(tokens(&steps[0]) > 0);
    assert_eq!(tokens(&steps[0]), tokens(&steps[0]["attempts"][0]));
    assert_eq!(tokens(&told), steps.iter().map(tokens).sum::<u64>());
    // A scripted model has no price.
    assert!(told["totalCostUsd"].is_null());
}

#[tokio::test]
async fn a_plan_that_failed_is_taken_up_and_carried_on() {
    let server = server(WORKER).await;
    agent(&server, json!({ "tools": [] })).await;
    let conversation = conversation(&server).await;
    let id =
        plan(&server, &conversation, &[("first", &[]), ("feeble", &["first"]), ("last", &["feeble"])], 0)
            .await;
    server.data(EXECUTE, json!({ "plan": id })).await;
    let failed = over(&server, &id).await;
    assert_eq!(statuses(&failed), ["first COMPLETED", "feeble FAILED", "last BLOCKED"]);
    let taken = carry_on(&server, &id).await;
    assert_eq!(taken, json!({ "status": "RUNNING", "errorMessage": null, "maxRetries": 1 }));
    // It stumbles over what it is told then, too: once more.
    let again = over(&server, &id).await;
    assert_eq!(statuses(&again), ["first COMPLETED", "feeble FAILED", "last BLOCKED"]);
    assert_eq!(carry_on(&server, &id).await["maxRetries"], 2);
    let done = over(&server, &id).await;
    assert_eq!(statuses(&done), ["first COMPLETED", "feeble COMPLETED", "last COMPLETED"]);
    let tried = |step: usize| done["steps"][step]["attempts"].as_array().unwrap().len();
    assert_eq!([tried(0), tried(1), tried(2)], [1, 3, 1]);
}

/// Takes up a plan that failed, and has it carried out again.
async fn carry_on(server: &Server, plan: &str) -> Value {
    const RETRY: &str = "mutation($plan: ID!) { controlPlan(input: {planId: $plan, action: RETRY}) {
      plan { status errorMessage maxRetries } refusal { message }
    } }";
    let taken = server.data(RETRY, json!({ "plan": plan })).await["controlPlan"]["plan"].clone();
    // Whoever carried it out may not be done with that yet.
    for _ in 0..1_000 {
        let begun = server.data(EXECUTE, json!({ "plan": plan })).await;
        if begun["executePlan"]["refusal"].is_null() {
            return taken;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("the plan is not carried on")
}
