//! The tools of the demo's agents. What they answer is made up from the seed and the arguments, so the same
//! call has the same answer, and they say so to whoever reads what they are.

mod code;
mod shop;
mod web;

use std::{sync::Arc, time::Duration};

use futures_util::future::{self, BoxFuture, FutureExt};
use serde_json::{Map, Value, json};

use super::author::Author;
use crate::{
    model::Json,
    tools::{Tool, ToolError, ToolErrorKind, ToolSource, ToolSpec},
};

/// A call takes no longer, however slow the demo is: there is a time after which calls are given up.
const LONGEST: Duration = Duration::from_secs(30);

/// What a tool is.
struct Made {
    name: &'static str,
    description: &'static str,
    /// What it takes: name, type and meaning.
    takes: &'static [(&'static str, &'static str, &'static str)],
    /// How many of these must be given, the first ones.
    needs: usize,
    answer: fn(&Call<'_>) -> Answer,
}

/// A call of a tool.
struct Call<'a> {
    seed: u64,
    arguments: &'a Value,
}

/// What a tool does when it is called.
enum Answer {
    /// It answers.
    Result(Value),
    /// It fails.
    Failure(String),
    /// It goes on until somebody stops it.
    Never,
}

impl Call<'_> {
    /// An argument; empty where it is not given.
    fn text(&self, name: &str) -> &str {
        self.arguments.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.arguments.get(name)?.as_u64()
    }

    /// Whoever makes up the answer.
    fn author(&self) -> Author {
        Author::about(self.seed, &self.arguments.to_string())
    }
}

/// A tool of the demo.
struct DemoTool {
    made: &'static Made,
    seed: u64,
    pace: Duration,
}

/// All of them. A call takes some beats of the pace.
pub(super) fn all(seed: u64, pace: Duration) -> Vec<Arc<dyn Tool>> {
    let made = web::TOOLS.iter().chain(shop::TOOLS).chain(code::TOOLS);
    made.map(|made| Arc::new(DemoTool { made, seed, pace }) as Arc<dyn Tool>).collect()
}

impl Tool for DemoTool {
    fn spec(&self) -> ToolSpec {
        let takes = self.made.takes;
        let property = |(name, kind, meaning): &(&str, &str, &str)| {
            ((*name).to_owned(), json!({ "type": kind, "description": meaning }))
        };
        let properties: Map<_, _> = takes.iter().map(property).collect();
        let required: Vec<_> = takes.iter().take(self.made.needs).map(|(name, ..)| name).collect();
        let parameters = json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        });
        ToolSpec {
            name: self.made.name.to_owned(),
            description: format!("{} (Scripted: what it answers is made up.)", self.made.description),
            parameters: Json::of(&parameters),
            source: ToolSource::BuiltIn,
        }
    }

    fn call(&self, arguments: Value) -> BoxFuture<'_, Result<Json, ToolError>> {
        async move {
            let call = Call { seed: self.seed, arguments: &arguments };
            let beats = u32::try_from(call.author().between(1, 5)).unwrap_or(1);
            tokio::time::sleep((self.pace * beats).min(LONGEST)).await;
            match (self.made.answer)(&call) {
                Answer::Result(result) => Ok(Json::of(&result)),
                Answer::Failure(message) => Err(ToolError::new(ToolErrorKind::Failed, message)),
                Answer::Never => future::pending().await,
            }
        }
        .boxed()
    }
}
