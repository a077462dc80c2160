//! Ties the results of tool calls to the calls, by the ids in the transcript.

use std::collections::HashSet;

use super::transcript::{Answers, Entry};
use crate::model::{Refusal, text::shortened};

/// A call that no message has answered yet.
struct Waiting {
    /// Where the message stands that made it.
    message: usize,
    id: String,
    original_id: String,
    function: String,
}

/// Makes the ids of calls unique, ties each result to its call, and takes out the results that answer
/// no call. Says which those were: their index, and why.
///
/// Ids come twice in real transcripts. The second call of an id gets `#2` behind it, and a result
/// answers the latest message that made a call of its id.
pub(super) fn tie(entries: &mut Vec<Entry>) -> Vec<(usize, Refusal)> {
    let mut used = HashSet::new();
    let mut waiting: Vec<Waiting> = Vec::new();
    let mut refused = Vec::new();
    entries.retain_mut(|entry| {
        if let Some(answers) = entry.answers.take() {
            let Some(id) = answered(&mut waiting, &answers) else {
                refused.push((entry.index, orphan(&answers)));
                return false;
            };
            entry.answers = Some(Answers::Id(id));
        }
        for call in &mut entry.calls {
            let original_id = call.id.clone();
            if let Some(id) = renamed(&used, &original_id) {
                call.original_id = Some(std::mem::replace(&mut call.id, id));
            }
            used.insert(call.id.clone());
            let (id, function) = (call.id.clone(), call.name.clone());
            waiting.push(Waiting { message: entry.index, id, original_id, function });
        }
        true
    });
    refused
}

/// The id to use instead of one that is used already.
fn renamed(used: &HashSet<String>, id: &str) -> Option<String> {
    if !used.contains(id) {
        return None;
    }
    (2..=u64::MAX).map(|number| format!("{id}#{number}")).find(|id| !used.contains(id))
}

fn answered(waiting: &mut Vec<Waiting>, answers: &Answers) -> Option<String> {
    let fits = |call: &Waiting| match answers {
        Answers::Id(id) => call.original_id == *id,
        Answers::Function(name) => call.function == *name,
    };
    let message = waiting.iter().filter(|call| fits(call)).map(|call| call.message).max()?;
    let place = waiting.iter().position(|call| call.message == message && fits(call))?;
    Some(waiting.remove(place).id)
}

fn orphan(answers: &Answers) -> Refusal {
    match answers {
        Answers::Id(id) => Refusal::invalid(
            "tool_call_id",
            format!("no call with the id `{}` waits for a result before this message", shortened(id, 60)),
        ),
        Answers::Function(name) => Refusal::invalid(
            "name",
            format!("no call of `{}` waits for a result before this message", shortened(name, 60)),
        ),
    }
}
