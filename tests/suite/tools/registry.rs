//! The registry: what it lists, and each way in which a call can fail.

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dendro::{
    model::Json,
    tools::{Tool, ToolError, ToolErrorKind, ToolOutput, ToolSource, ToolSpec, Tools, ToolsConfig},
};
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};

use super::{call, failure, started};

/// What a tool does when it is called.
#[derive(Clone)]
enum Does {
    Answer(Value),
    Fail,
    Panic,
    PanicAtOnce,
    /// Nothing, and tells when its call is dropped.
    Wait(Arc<AtomicBool>),
}

struct Scripted {
    name: &'static str,
    parameters: Value,
    does: Does,
}

fn scripted(name: &'static str, does: Does) -> Arc<dyn Tool> {
    Arc::new(Scripted { name, parameters: json!({"type": "object"}), does })
}

struct Tell(Arc<AtomicBool>);

impl Drop for Tell {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Tool for Scripted {
    fn spec(&self) -> ToolSpec {
        ToolSpec {
            name: self.name.to_owned(),
            description: format!("Does {}", self.name),
            parameters: Json::from_value(&self.parameters).unwrap(),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, _: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        match self.does.clone() {
            Does::Answer(answer) => future::ready(Ok(Json::from_value(&answer).unwrap())).boxed(),
            Does::Fail => future::ready(Err(ToolError::new(ToolErrorKind::Failed, "no such file"))).boxed(),
            Does::Panic => async { panic!("the secret is 42") }.boxed(),
            Does::PanicAtOnce => panic!("at once"),
            Does::Wait(dropped) => async move {
                let _tell = Tell(dropped);
                future::pending().await
            }
            .boxed(),
        }
    }
}

fn with(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Tools {
    tools.into_iter().fold(Tools::empty(&ToolsConfig::default()), Tools::with)
}

#[tokio::test]
async fn tools_are_listed_and_switched() {
    let tools = started(json!({"disabled": ["current_time", "not_there_yet"]}));
    let listed = |tools: &Tools| -> Vec<_> {
        tools.list().into_iter().map(|tool| (tool.spec.name, tool.enabled)).collect()
    };
    assert_eq!(listed(&tools), [("calculator".to_owned(), true), ("current_time".to_owned(), false)]);
    let (kind, message) = failure(&tools, "current_time", json!({})).await;
    assert_eq!((kind, message.as_str()), (ToolErrorKind::Disabled, "`current_time` is switched off"));

    let other = tools.clone().with(scripted("not_there_yet", Does::Answer(json!(1))));
    assert_eq!(failure(&tools, "not_there_yet", json!({})).await.0, ToolErrorKind::Disabled);
    other.set_enabled("not_there_yet", true).unwrap();
    assert_eq!(call(&tools, "not_there_yet", json!({})).await.unwrap(), json!(1));
    tools.set_enabled("calculator", false).unwrap();
    assert_eq!(failure(&other, "calculator", json!({"expression": "1"})).await.0, ToolErrorKind::Disabled);
    assert_eq!(tools.set_enabled("nothing", true).unwrap_err().kind, ToolErrorKind::Unknown);
}

#[tokio::test]
async fn a_definition_is_what_a_model_is_told() {
    let tools = with([scripted("tool", Does::Fail)]);
    let spec = &tools.list()[0].spec;
    let told: Value = Tools::definition(spec).read().unwrap();
    assert_eq!(told, json!({"name": "tool", "description": "Does tool", "parameters": {"type": "object"}}));
}

#[tokio::test]
async fn an_unknown_tool_names_the_nearest() {
    let tools = started(json!({}));
    let (kind, message) = failure(&tools, "calculater", json!({})).await;
    assert_eq!(kind, ToolErrorKind::Unknown);
    assert_eq!(message, "there is no tool `calculater`; the nearest: calculator");
    let (_, message) = failure(&tools, &"x".repeat(10_000), json!({})).await;
    assert!(message.len() < 200, "{message}");
}

#[tokio::test]
async fn arguments_are_checked_and_the_faults_told() {
    let parameters = json!({
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1},
            "unit": {"enum": ["km", "m"]},
            "place": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
            "when": {"anyOf": [{"type": "integer"}, {"const": "now"}]}
        },
        "required": ["count"],
        "additionalProperties": false
    });
    let tools = with([
        Arc::new(Scripted { name: "t", parameters, does: Does::Answer(json!("fine")) }) as Arc<dyn Tool>
    ]);
    assert_eq!(call(&tools, "t", json!({"count": 1, "when": "now"})).await.unwrap(), json!("fine"));
    for (arguments, told) in [
        (json!({}), vec!["the arguments: \"count\" is a required property", "\"minimum\":1"]),
        (json!({"count": "2"}), vec!["/count: \"2\" is not of type \"integer\""]),
        (json!({"count": 0}), vec!["/count: 0 is less than the minimum of 1"]),
        (json!({"count": 1, "unit": "mile"}), vec!["/unit: ", "\"km\"", "\"m\""]),
        (json!({"count": 1, "place": {}}), vec!["/place: \"name\" is a required property"]),
        (json!({"count": 1, "when": "soon"}), vec!["/when: ", "{\"const\":\"now\"}"]),
        (
            json!({"count": 1, "number": 2}),
            vec!["'number' was unexpected", "there are: count, place, unit, when"],
        ),
        (json!([1]), vec!["to be an object"]),
        (json!(null), vec!["to be an object"]),
    ] {
        let (kind, message) = failure(&tools, "t", arguments.clone()).await;
        assert_eq!(kind, ToolErrorKind::InvalidArguments, "{arguments}");
        for part in told {
            assert!(message.contains(part), "{arguments}: {message}");
        }
    }
    let long = json!({"count": "x".repeat(100_000), "unit": "y".repeat(100_000), "place": 1, "when": []});
    let (_, message) = failure(&tools, "t", long).await;
    assert!(message.len() < 4_000, "{}", message.len());
}

#[tokio::test]
async fn a_wrong_schema_fails_its_own_tool_only() {
    let broken =
        |name, parameters| Arc::new(Scripted { name, parameters, does: Does::Fail }) as Arc<dyn Tool>;
    let tools = with([
        broken("type", json!({"type": "thing"})),
        broken("pattern", json!({"properties": {"a": {"pattern": "("}}})),
        broken("far", json!({"$ref": "http://127.0.0.1:1/schema.json"})),
        scripted("fine", Does::Answer(json!(1))),
    ]);
    for name in ["type", "pattern", "far"] {
        let (kind, message) = failure(&tools, name, json!({"a": "a"})).await;
        assert_eq!(kind, ToolErrorKind::Failed);
        assert!(message.contains("its own schema is wrong"), "{message}");
    }
    assert_eq!(call(&tools, "fine", json!({})).await.unwrap(), json!(1));
}

#[tokio::test]
async fn failures_and_panics_are_told() {
    let tools = with([
        scripted("fails", Does::Fail),
        scripted("panics", Does::Panic),
        scripted("panics_at_once", Does::PanicAtOnce),
    ]);
    let (kind, message) = failure(&tools, "fails", json!({})).await;
    assert_eq!((kind, message.as_str()), (ToolErrorKind::Failed, "no such file"));
    for name in ["panics", "panics_at_once", "panics"] {
        let (kind, message) = failure(&tools, name, json!({})).await;
        assert_eq!(kind, ToolErrorKind::Failed);
        assert_eq!(message, format!("`{name}` failed by a fault of its own"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_ends_in_its_time() {
    let dropped = Arc::new(AtomicBool::new(false));
    let tools = with([scripted("waits", Does::Wait(dropped.clone()))]);
    let (kind, message) = failure(&tools, "waits", json!({})).await;
    assert_eq!(
        (kind, message.as_str()),
        (ToolErrorKind::TimedOut, "`waits` did not answer within 60 seconds")
    );
    assert!(dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn dropping_a_call_ends_it() {
    let dropped = Arc::new(AtomicBool::new(false));
    let tools = with([scripted("waits", Does::Wait(dropped.clone()))]);
    assert!(tools.call("waits", &Json::empty_object()).now_or_never().is_none());
    assert!(dropped.load(Ordering::SeqCst));
}

#[tokio::test]
async fn an_answer_is_bounded() {
    let config = ToolsConfig { output_bytes: 1_000, ..ToolsConfig::default() };
    let answers = [json!("ü".repeat(1_000)), json!(vec![1; 1_000]), json!("\n\"".repeat(500))];
    for answer in answers {
        let tools = Tools::empty(&config).with(scripted("long", Does::Answer(answer)));
        let ToolOutput { result, truncated } = tools.call("long", &Json::empty_object()).await.unwrap();
        assert!(truncated && result.text().len() <= 1_000, "{}", result.text());
        assert!(result.read::<String>().unwrap().ends_with("bytes)"));
    }
    let short = Tools::empty(&config).with(scripted("short", Does::Answer(json!({"a": [1, 2]}))));
    let output = short.call("short", &Json::empty_object()).await.unwrap();
    assert_eq!((output.result.text(), output.truncated), (r#"{"a":[1,2]}"#, false));
}
