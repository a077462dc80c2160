//! Which turn answers a request.
//!
//! A turn with `when` answers whenever that holds. The others answer one after another: the next one is
//! told by how many of the answers in the history were theirs, which is found by choosing again for each.

use super::file::{Pattern, Script, Turn, When};
use crate::{
    llm::ModelRequest,
    model::{
        Json,
        chat::{ChatMessage, ChatPart},
        message::MessageRole,
    },
};

/// What a conversation looks like to whoever answers next.
#[derive(Debug, Default)]
pub(super) struct Scene<'a> {
    /// The last text of the user.
    pub input: String,
    /// The results since the last answer: the tool, where it is known, and its answer as a text.
    pub results: Vec<(Option<&'a str>, String)>,
    /// Answers that were given so far.
    pub answers: usize,
    /// Answers since the user spoke.
    pub step: usize,
    /// What the pattern of the turn's `when` matched, and its groups.
    pub matched: Vec<String>,
}

impl<'a> Scene<'a> {
    pub(super) fn of(messages: &'a [ChatMessage]) -> Self {
        let is = |role| move |message: &ChatMessage| message.role == role;
        let user = messages.iter().rposition(is(MessageRole::User));
        let input = user.and_then(|at| messages.get(at)).and_then(ChatMessage::text).unwrap_or_default();
        let since = messages.get(user.map_or(0, |at| at + 1)..).unwrap_or_default();
        let answered = messages.iter().rposition(is(MessageRole::Assistant)).map_or(0, |at| at + 1);
        let results = messages
            .get(answered..)
            .unwrap_or_default()
            .iter()
            .filter(|message| message.role == MessageRole::Tool)
            .flat_map(|message| results(message, messages))
            .collect();
        Self {
            input,
            results,
            answers: messages.iter().filter(|message| message.role == MessageRole::Assistant).count(),
            step: since.iter().filter(|message| message.role == MessageRole::Assistant).count(),
            matched: Vec::new(),
        }
    }

    pub(super) fn last_result(&self) -> &str {
        self.results.last().map_or("", |(_, result)| result)
    }

    pub(super) fn all_results(&self) -> String {
        self.results.iter().map(|(_, result)| result.as_str()).collect::<Vec<_>>().join("\n")
    }

    /// Whether a turn answers this, and then what its pattern matched.
    fn fits(&self, when: &When, request: &ModelRequest) -> Option<Vec<String>> {
        let asks_tool =
            when.tool.is_some() || when.tool_result.is_some() || when.tool_result_matches.is_some();
        // What the user said is answered once: after it, tools have the word.
        let speaks = match (asks_tool, when.step) {
            (true, step) => !self.results.is_empty() && step.is_none_or(|step| step == self.step),
            (false, Some(step)) => step == self.step,
            (false, None) => self.step == 0,
        };
        let tool = self.results.last().and_then(|(tool, _)| *tool);
        let holds = speaks
            && when.user.as_deref().is_none_or(|text| contains(&self.input, text))
            && when.tool.as_deref().is_none_or(|name| tool == Some(name))
            && when.tool_result.as_deref().is_none_or(|text| contains(self.last_result(), text))
            && when.offered.as_deref().is_none_or(|name| request.tools.iter().any(|tool| tool.name == name));
        if !holds {
            return None;
        }
        let user = when.user_matches.as_ref().map(|pattern| groups(pattern, &self.input));
        let result = when.tool_result_matches.as_ref().map(|pattern| groups(pattern, self.last_result()));
        match (user, result) {
            (Some(None), _) | (_, Some(None)) => None,
            (_, Some(Some(groups))) | (Some(Some(groups)), None) => Some(groups),
            (None, None) => Some(Vec::new()),
        }
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

fn groups(pattern: &Pattern, text: &str) -> Option<Vec<String>> {
    let captures = pattern.0.captures(text)?;
    let group = |group: Option<regex::Match<'_>>| group.map_or("", |group| group.as_str()).to_owned();
    Some(captures.iter().map(group).collect())
}

/// The results in a message of a tool, with the tools that gave them.
fn results<'a>(
    message: &'a ChatMessage,
    messages: &'a [ChatMessage],
) -> impl Iterator<Item = (Option<&'a str>, String)> {
    message.parts.iter().filter_map(move |part| match part {
        ChatPart::ToolResult { id, name, result } => {
            let asked = || {
                let calls = messages.iter().rev().flat_map(ChatMessage::tool_calls);
                calls.filter(|(call, ..)| call.is_some()).find(|(call, ..)| *call == id.as_deref())
            };
            let tool = name.as_deref().or_else(|| asked().map(|(_, tool, _)| tool));
            Some((tool, said(result)))
        }
        ChatPart::Text(text) => Some((message.name.as_deref(), text.clone())),
        _ => None,
    })
}

fn said(result: &Json) -> String {
    result.read::<String>().unwrap_or_else(|_| result.text().to_owned())
}

/// The turn that answers a request, and the scene with what its pattern matched; `None` where none is left.
pub(super) fn turn<'a>(script: &'a Script, request: &'a ModelRequest) -> Option<(&'a Turn, Scene<'a>)> {
    let mut scene = Scene::of(&request.messages);
    if let Some((turn, matched)) = named(script, &scene, request) {
        scene.matched = matched;
        return Some((turn, scene));
    }
    let is_answer = |message: &ChatMessage| message.role == MessageRole::Assistant;
    let has_names = script.turns.iter().any(|turn| turn.when.is_some());
    let in_order = if has_names {
        let answers = request.messages.iter().enumerate().filter(|(_, message)| is_answer(message));
        let before = answers.filter_map(|(at, _)| request.messages.get(..at));
        before.filter(|before| named(script, &Scene::of(before), request).is_none()).count()
    } else {
        scene.answers
    };
    let next = script.turns.iter().filter(|turn| turn.when.is_none()).nth(in_order);
    Some((next.or(script.otherwise.as_ref())?, scene))
}

/// The first turn whose `when` holds, and what its pattern matched.
fn named<'a>(
    script: &'a Script,
    scene: &Scene<'_>,
    request: &ModelRequest,
) -> Option<(&'a Turn, Vec<String>)> {
    script.turns.iter().find_map(|turn| Some((turn, scene.fits(turn.when.as_ref()?, request)?)))
}
