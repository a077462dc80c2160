//! Making agents: what is refused, and what is a new version.

use serde_json::{Value, json};

use super::{agent, conversation, say, server};

const NOTHING: &str = "scripts: { test: { otherwise: { text: Yes. } } }";

const CREATE: &str = "mutation($input: CreateAgentInput!) { createAgent(input: $input) {
  created version { versionHash sequence componentType } refusal { message ... on InvalidInput { field } }
} }";

#[tokio::test]
async fn the_same_agent_is_the_same_version() {
    let server = server(NOTHING).await;
    let input = |prompt: &str| json!({ "input": { "name": "a", "systemPrompt": prompt, "model": { "name": "scripted/test" } } });
    let first = server.data(CREATE, input("One.")).await["createAgent"].clone();
    assert_eq!((&first["created"], &first["version"]["componentType"]), (&json!(true), &json!("AGENT")));
    let again = server.data(CREATE, input("One.")).await["createAgent"].clone();
    assert_eq!(again["created"], false);
    assert_eq!(again["version"]["versionHash"], first["version"]["versionHash"]);
    let second = server.data(CREATE, input("Two.")).await["createAgent"].clone();
    assert_eq!(second["version"]["sequence"], 2);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_by_its_field() {
    let server = server(NOTHING).await;
    let refused = async |changes: Value| {
        let mut input = json!({ "name": "a", "systemPrompt": "", "model": { "name": "scripted/test" } });
        for (name, value) in changes.as_object().unwrap() {
            input[name] = value.clone();
        }
        let refusal = server.data(CREATE, json!({ "input": input })).await["createAgent"]["refusal"].clone();
        (
            refusal["field"].as_str().unwrap_or_default().to_owned(),
            refusal["message"].as_str().unwrap().to_owned(),
        )
    };
    for (changes, field, message) in [
        (json!({ "name": " " }), "name", "blank"),
        (json!({ "model": { "name": "nobody/x" } }), "model.name", "no provider is called `nobody`"),
        (
            json!({ "model": { "name": "scripted/test", "temperature": 3 } }),
            "model.temperature",
            "between 0 and 2",
        ),
        (
            json!({ "tools": ["add", "fly"] }),
            "tools.1",
            "there is no tool `fly`; there are: add, count, wait",
        ),
        (json!({ "limits": { "steps": 0 } }), "limits.steps", "0 is not from 1 to 1000"),
        (json!({ "limits": { "costUsd": -1 } }), "limits.costUsd", "above 0"),
        (json!({ "variables": { "a": 1 } }), "variables", "an object whose values are texts"),
    ] {
        let refused = refused(changes).await;
        assert_eq!(refused.0, field, "{}", refused.1);
        assert!(refused.1.contains(message), "{}", refused.1);
    }
}

#[tokio::test]
async fn what_is_said_to_nobody_is_refused_and_nothing_is_kept() {
    let server = server(NOTHING).await;
    agent(&server, json!({ "variables": {} })).await;
    let conversation = conversation(&server).await;
    let named = json!({ "variables": { "user": "Eve" } });
    assert_eq!(say(&server, &conversation, "Hello", named).await["answer"]["content"], "Yes.");
    let missing = say(&server, &conversation, "Hello", json!({})).await;
    assert_eq!(missing["refusal"]["message"], "the variable `user` has no value");
    let unknown = say(&server, &conversation, "Hello", json!({ "agentId": "agents/nobody" })).await;
    assert!(unknown["refusal"]["message"].as_str().unwrap().contains("agents/nobody"), "{unknown}");
    let nowhere = say(
        &server,
        "00000000-0000-4000-8000-000000000000",
        "Hello",
        json!({ "variables": { "user": "Eve" } }),
    )
    .await;
    assert!(
        nowhere["refusal"]["message"].as_str().unwrap().contains("there is no conversation"),
        "{nowhere}"
    );
    let prompt = say(&server, &conversation, "Hello", json!({ "agentId": "prompts/helper" })).await;
    assert!(prompt["refusal"]["message"].as_str().unwrap().contains("is no agent"), "{prompt}");
    assert_eq!(super::messages(&server, &conversation).await.len(), 2);
    // None of them is left as a run.
    assert_eq!(server.services.agents.end_interrupted().await.unwrap(), 0);
}
