//! The file of scripts: its form, and what must be right in it.

use std::{collections::BTreeMap, time::Duration};

use regex::Regex;
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::Value;

use super::template::Template;
use crate::{
    llm::{ModelError, ModelErrorKind},
    model::ledger::TokenCounts,
};

/// Scripts by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    scripts: BTreeMap<String, Script>,
}

/// What one model says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// What the script is for, for whoever reads the file.
    #[serde(default, rename = "description")]
    _description: Option<String>,
    /// The turns: those with `when` answer what they name, the others answer one after another.
    #[serde(default)]
    pub turns: Vec<Turn>,
    /// What is answered where no turn is left.
    pub otherwise: Option<Turn>,
}

/// One answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Turn {
    /// What it answers.
    pub when: Option<When>,
    /// The reasoning.
    pub thinking: Option<Template>,
    /// The text.
    pub text: Option<Template>,
    /// Calls of tools, made at once.
    pub tool_calls: Vec<Call>,
    /// Milliseconds before the first piece.
    delay_ms: u64,
    /// Milliseconds before each piece.
    piece_delay_ms: u64,
    /// The tokens used; what is not given is estimated.
    pub tokens: Tokens,
    /// The failure in place of the answer, or of its rest.
    pub fail: Option<Fail>,
    /// Why it stopped, if not `stop` or `tool_calls`.
    pub finish_reason: Option<String>,
}

/// What a turn answers: all that is given must hold.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct When {
    /// A text that the last message of the user holds, whatever its case.
    pub user: Option<String>,
    /// A pattern that the last message of the user matches.
    pub user_matches: Option<Pattern>,
    /// The tool that answered last.
    pub tool: Option<String>,
    /// A text that the last result of a tool holds, whatever its case.
    pub tool_result: Option<String>,
    /// A pattern that the last result of a tool matches.
    pub tool_result_matches: Option<Pattern>,
    /// How many answers were given since the user spoke.
    pub step: Option<usize>,
    /// A tool that may be called.
    pub offered: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Call {
    /// The tool.
    pub name: Template,
    /// The id; one is made where it is not given.
    pub id: Option<String>,
    /// The arguments. A text is sent as the model's own writing, JSON or not.
    #[serde(default)]
    pub arguments: Arguments,
}

/// The tokens of a turn.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Tokens {
    pub input: Option<u64>,
    pub output: Option<u64>,
    pub cache_read: Option<u64>,
    pub cache_write: Option<u64>,
    pub reasoning: Option<u64>,
}

impl Tokens {
    /// The counts, with `input` and `output` where they are not given.
    pub(super) fn counts(self, input: u64, output: u64) -> TokenCounts {
        TokenCounts {
            input: Some(self.input.unwrap_or(input)),
            output: Some(self.output.unwrap_or(output)),
            cache_read: self.cache_read,
            cache_write: self.cache_write,
            reasoning: self.reasoning,
            total: None,
        }
    }
}

/// A failure.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fail {
    kind: ModelErrorKind,
    /// Pieces that come before it.
    #[serde(default)]
    pub after_pieces: usize,
    retry_after_ms: Option<u64>,
    /// How many attempts fail; all of them where it is not given.
    pub times: Option<u32>,
    message: Option<String>,
}

impl Fail {
    pub(super) fn error(&self) -> ModelError {
        let message = self.message.as_deref().unwrap_or("the script says so");
        let retry_after = self.retry_after_ms.map(Duration::from_millis);
        ModelError { retry_after, ..ModelError::new(self.kind, message) }
    }
}

/// Arguments with templates in their texts.
#[derive(Debug, Clone)]
pub(super) enum Arguments {
    /// JSON.
    Tree(Value),
    /// The model's own writing.
    Written(Template),
}

impl Default for Arguments {
    fn default() -> Self {
        Self::Tree(Value::Object(serde_json::Map::new()))
    }
}

impl<'de> Deserialize<'de> for Arguments {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Template::parse(&text).map(Self::Written).map_err(D::Error::custom),
            Value::Null => Ok(Self::default()),
            tree => {
                check_templates(&tree).map_err(D::Error::custom)?;
                Ok(Self::Tree(tree))
            }
        }
    }
}

fn check_templates(tree: &Value) -> Result<(), String> {
    match tree {
        Value::String(text) => Template::parse(text).map(drop),
        Value::Array(items) => items.iter().try_for_each(check_templates),
        Value::Object(members) => members.values().try_for_each(check_templates),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

/// A regular expression.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub Regex);

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Regex::new(&text)
            .map(Self)
            .map_err(|error| D::Error::custom(format!("`{text}` is no pattern: {error}")))
    }
}

impl Script {
    /// Makes all of its waits so many times as long.
    pub(super) fn slow_down(&mut self, factor: f64) {
        for turn in self.turns.iter_mut().chain(&mut self.otherwise) {
            let asked = turn.fail.as_mut().and_then(|fail| fail.retry_after_ms.as_mut());
            for wait in [&mut turn.delay_ms, &mut turn.piece_delay_ms].into_iter().chain(asked) {
                let longer = Duration::from_millis(*wait).as_secs_f64() * factor;
                let longer = Duration::try_from_secs_f64(longer).unwrap_or_default();
                *wait = u64::try_from(longer.as_millis()).unwrap_or(u64::MAX);
            }
        }
    }
}

impl Turn {
    pub(super) const fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms)
    }

    pub(super) const fn piece_delay(&self) -> Duration {
        Duration::from_millis(self.piece_delay_ms)
    }

    fn check(&self) -> Result<(), &'static str> {
        let says = self.text.is_some() || self.thinking.is_some() || !self.tool_calls.is_empty();
        match (says, &self.when) {
            (false, _) if self.fail.is_none() => Err("it needs a `text`, `thinking`, `tool_calls` or `fail`"),
            (_, Some(when)) if when.is_empty() => Err("its `when` names nothing"),
            _ => Ok(()),
        }
    }
}

impl When {
    const fn is_empty(&self) -> bool {
        let Self { user, user_matches, tool, tool_result, tool_result_matches, step, offered } = self;
        user.is_none()
            && user_matches.is_none()
            && tool.is_none()
            && tool_result.is_none()
            && tool_result_matches.is_none()
            && step.is_none()
            && offered.is_none()
    }
}

/// Reads and checks a file. What is wrong is told with its line, or with its script and turn.
pub(super) fn parse(text: &str) -> Result<BTreeMap<String, Script>, String> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| place(&error))?;
    for (name, script) in &file.scripts {
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("`{name}` is no name for a script: it must be a word"));
        }
        if script.turns.is_empty() && script.otherwise.is_none() {
            return Err(format!("script `{name}`: it has no turns"));
        }
        for (at, turn) in script.turns.iter().enumerate() {
            turn.check().map_err(|fault| format!("script `{name}`, turn {}: {fault}", at + 1))?;
        }
        if let Some(turn) = &script.otherwise {
            turn.check().map_err(|fault| format!("script `{name}`, `otherwise`: {fault}"))?;
            if turn.when.is_some() {
                return Err(format!("script `{name}`, `otherwise`: it has no `when`"));
            }
        }
    }
    Ok(file.scripts)
}

/// An error in one line, with the line and column that it names.
fn place(error: &serde_saphyr::Error) -> String {
    let plain = error.without_snippet();
    let message = plain.to_string();
    match plain.location() {
        Some(at) if !message.contains("line ") => {
            format!("line {}, column {}: {message}", at.line(), at.column())
        }
        _ => message,
    }
}
