//! What a run of tau-bench says beside its messages: the task, the trial and the reward.

use serde_json::{Map, Value};

use super::transcript::{Entry, Transcript};
use crate::model::{Refusal, message::MessageRole};

/// How tau-bench's tools begin the answer to a call that failed.
const FAILURE: &str = "Error:";

/// The reward of a run: a number, where it was judged.
pub(super) fn reward(fields: &Map<String, Value>) -> Result<Option<f64>, Refusal> {
    match fields.get("reward") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_f64() {
            Some(reward) => Ok(Some(reward)),
            None => Err(Refusal::invalid("reward", "must be a number")),
        },
    }
}

/// Adds what is particular to a run.
pub(super) fn complete(transcript: &mut Transcript) {
    let number = |name: &str| transcript.rest.get(name).map(Value::to_string);
    if transcript.title.is_none()
        && let Some(task) = number("task_id")
    {
        let trial = number("trial").map_or_else(String::new, |trial| format!(", trial {trial}"));
        transcript.title = Some(format!("Task {task}{trial}"));
    }
    // By these, trials are told apart and compared: the fields they come from are only kept as they are.
    let tag =
        |word: &str, name: &str| Some(format!("{word}-{}", number(name).filter(|text| is_short(text))?));
    let tags: Vec<_> = [tag("task", "task_id"), tag("trial", "trial")].into_iter().flatten().collect();
    transcript.tags.extend(tags);
    if transcript.user_id.is_none() {
        let user = transcript.rest.get("info").and_then(|info| info.pointer("/task/user_id")?.as_str());
        transcript.user_id = user.map(str::to_owned);
    }
    transcript.messages.iter_mut().for_each(mark_failure);
}

/// Whether a number of a task or a trial is one: it becomes part of a key.
fn is_short(text: &str) -> bool {
    text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn mark_failure(entry: &mut Entry) {
    let failed = entry.content.as_ref().is_some_and(|content| content.starts_with(FAILURE));
    entry.failed |= entry.role == MessageRole::Tool && failed;
}
