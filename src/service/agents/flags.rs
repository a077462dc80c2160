//! What of runs is recorded: all, some, or nothing, with which content. Can be changed while the server runs; a
//! run keeps what held when it began.
//!
//! Whether a run is sampled follows from its trace's id alone, so every server decides the same. A run that is not
//! sampled is held back (see `recorder`), and recorded after all where it turns out to be worth it.

use std::{borrow::Cow, sync::Arc, time::Duration};

use parking_lot::RwLock;
use regex::{Regex, RegexBuilder};
use serde_json::Value;

use crate::model::{
    Json, Refusal, TraceId,
    span::{SpanAction, SpanBody, SpanChanges, SpanOp},
    trace::{TraceBody, TraceCompletion, share_of},
};

/// What of runs is recorded.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct TracingFlags {
    /// Whether runs are recorded at all. Conversations and plans are kept either way.
    pub enabled: bool,
    /// The share of runs that are recorded, from 0 to 1. Those that do not end well, or are slow, always are.
    pub sample_ratio: f64,
    /// Milliseconds from which a run is slow.
    pub slow_ms: u64,
    /// Whether spans and traces have what went in.
    pub capture_inputs: bool,
    /// Whether spans and traces have what came out.
    pub capture_outputs: bool,
    /// Whether the spans of model calls and tool calls have what the agent knew then.
    pub memory_snapshots: bool,
    /// Regular expressions: what matches one is `[redacted]` in spans and traces.
    pub redact: Vec<String>,
}

impl Default for TracingFlags {
    fn default() -> Self {
        Self {
            enabled: true,
            sample_ratio: 1.0,
            slow_ms: 30_000,
            capture_inputs: true,
            capture_outputs: true,
            memory_snapshots: false,
            redact: Vec::new(),
        }
    }
}

/// Expressions at most.
const EXPRESSIONS: usize = 64;

/// Bytes of one expression, and of what it is compiled to.
const EXPRESSION_BYTES: usize = 1_000;
const COMPILED_BYTES: usize = 1 << 20;

/// What stands for what was taken out.
const REDACTED: &str = "[redacted]";

/// Flags that were checked.
#[derive(Debug)]
pub(super) struct Flags {
    flags: TracingFlags,
    redact: Vec<Regex>,
}

/// How a run is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// As it goes on.
    All,
    /// Only once it takes this long, or when it does not end well.
    IfWorthIt(Duration),
    /// Not at all.
    Nothing,
}

/// How one run is recorded, and with what.
pub(super) struct Recording {
    pub(super) keep: Keep,
    pub(super) flags: Arc<Flags>,
}

impl TracingFlags {
    /// Checks every field.
    pub fn check(&self) -> Result<(), Refusal> {
        Flags::new(self.clone()).map(drop)
    }
}

impl Flags {
    pub(super) fn new(flags: TracingFlags) -> Result<Self, Refusal> {
        let ratio = flags.sample_ratio;
        if !(0.0..=1.0).contains(&ratio) {
            return Err(Refusal::invalid("sampleRatio", format!("{ratio} is not from 0 to 1")));
        }
        if flags.redact.len() > EXPRESSIONS {
            let message = format!("has {} items; at most {EXPRESSIONS}", flags.redact.len());
            return Err(Refusal::invalid("redact", message));
        }
        let compiled = flags.redact.iter().enumerate().map(|(index, text)| {
            compiled(text).map_err(|message| Refusal::invalid(format!("redact.{index}"), message))
        });
        let redact = compiled.collect::<Result<_, _>>()?;
        Ok(Self { flags, redact })
    }

    /// How the run with this trace is recorded.
    fn keep(&self, trace: TraceId) -> Keep {
        let flags = &self.flags;
        if !flags.enabled {
            Keep::Nothing
        } else if share_of(trace) < flags.sample_ratio {
            Keep::All
        } else {
            Keep::IfWorthIt(Duration::from_millis(flags.slow_ms))
        }
    }

    pub(super) const fn captures_inputs(&self) -> bool {
        self.flags.capture_inputs
    }

    pub(super) const fn memory_snapshots(&self) -> bool {
        self.flags.memory_snapshots
    }

    /// Takes out of a write to a span what is not to be recorded.
    pub(super) fn clean_span(&self, op: &mut SpanOp) {
        match &mut op.action {
            SpanAction::Create(new) | SpanAction::Record(new) => {
                self.clean_name(&mut new.name);
                self.clean_changes(&mut new.changes);
            }
            SpanAction::Update(changes) => self.clean_changes(changes),
            SpanAction::Complete(completion) => self.clean_changes(&mut completion.changes),
            // Runs write none of these.
            SpanAction::Receive(_) | SpanAction::Attach(_) | SpanAction::Reprice => {}
        }
    }

    fn clean_changes(&self, changes: &mut SpanChanges) {
        let SpanBody { inputs, outputs, memory_snapshot, conversation_context, error_details, .. } =
            &mut changes.body;
        self.clean(inputs, self.flags.capture_inputs);
        self.clean(memory_snapshot, self.flags.capture_inputs);
        self.clean(conversation_context, self.flags.capture_inputs);
        self.clean(outputs, self.flags.capture_outputs);
        self.clean(error_details, true);
        self.clean_text(&mut changes.status_message, true);
        // A model may ask for a tool by any text.
        self.clean_text(&mut changes.details.tool_name, true);
    }

    /// Takes out of a name what is not to be recorded: plans and their steps are named by what people say.
    pub(super) fn clean_name(&self, name: &mut String) {
        if let Cow::Owned(redacted) = self.redacted(name) {
            *name = redacted;
        }
    }

    /// Takes out of a trace what is not to be recorded.
    pub(super) fn clean_body(&self, body: &mut TraceBody) {
        self.clean_text(&mut body.user_input, self.flags.capture_inputs);
        self.clean(&mut body.initial_conversation_state, self.flags.capture_inputs);
        self.clean(&mut body.initial_memory_state, self.flags.capture_inputs);
        self.clean_text(&mut body.final_output, self.flags.capture_outputs);
        self.clean(&mut body.system_config, true);
    }

    /// Takes out of a trace's end what is not to be recorded.
    pub(super) fn clean_end(&self, completion: &mut TraceCompletion) {
        self.clean_text(&mut completion.final_output, self.flags.capture_outputs);
    }

    fn clean(&self, json: &mut Option<Json>, captured: bool) {
        if !captured {
            *json = None;
        }
        if let Some(json) = json {
            self.redact_json(json);
        }
    }

    fn clean_text(&self, text: &mut Option<String>, captured: bool) {
        if !captured {
            *text = None;
        }
        if let Some(text) = text
            && let Cow::Owned(redacted) = self.redacted(text)
        {
            *text = redacted;
        }
    }

    fn redact_json(&self, json: &mut Json) {
        // Escapes may hide what is looked for, so the text as it stands proves nothing.
        if self.redact.is_empty() {
            return;
        }
        let Ok(mut value) = json.read::<Value>() else { return };
        if self.redact_value(&mut value) {
            *json = Json::of(&value);
        }
    }

    /// Whether anything was taken out.
    fn redact_value(&self, value: &mut Value) -> bool {
        let redacted = match value {
            Value::String(text) => self.redacted(text),
            Value::Number(number) => self.redacted(&number.to_string()).into_owned().into(),
            Value::Array(items) => {
                return items.iter_mut().fold(false, |any, item| self.redact_value(item) | any);
            }
            Value::Object(members) => {
                return members.values_mut().fold(false, |any, member| self.redact_value(member) | any);
            }
            Value::Null | Value::Bool(_) => return false,
        };
        let Cow::Owned(text) = redacted else { return false };
        let changed = !matches!(value, Value::Number(number) if number.to_string() == text);
        if changed {
            *value = Value::String(text);
        }
        changed
    }

    fn redacted<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut redacted = Cow::Borrowed(text);
        for expression in &self.redact {
            if let Cow::Owned(fewer) = expression.replace_all(&redacted, REDACTED) {
                redacted = Cow::Owned(fewer);
            }
        }
        redacted
    }
}

fn compiled(text: &str) -> Result<Regex, String> {
    if text.is_empty() || text.len() > EXPRESSION_BYTES {
        return Err(format!("must have 1 to {EXPRESSION_BYTES} bytes"));
    }
    let expression = RegexBuilder::new(text).size_limit(COMPILED_BYTES).build();
    let expression = expression.map_err(|error| format!("is no regular expression: {error}"))?;
    if expression.is_match("") {
        return Err("matches what is empty, and so would stand between all letters".to_owned());
    }
    Ok(expression)
}

/// The flags that hold now.
pub(super) struct CurrentFlags(RwLock<Arc<Flags>>);

impl CurrentFlags {
    /// Those of a configuration, which was checked. Nothing is recorded by flags that were not: what they were to
    /// keep out is not known.
    pub(super) fn new(flags: &TracingFlags) -> Self {
        let nothing = || Flags {
            flags: TracingFlags { enabled: false, redact: Vec::new(), ..flags.clone() },
            redact: Vec::new(),
        };
        Self(RwLock::new(Arc::new(Flags::new(flags.clone()).unwrap_or_else(|_| nothing()))))
    }

    /// How the run with this trace is recorded, whatever changes meanwhile.
    pub(super) fn recording(&self, trace: TraceId) -> Recording {
        let flags = Arc::clone(&self.0.read());
        Recording { keep: flags.keep(trace), flags }
    }

    pub(super) fn flags(&self) -> TracingFlags {
        self.0.read().flags.clone()
    }

    /// Changes some; nothing where one is wrong.
    pub(super) fn change(&self, change: impl FnOnce(&mut TracingFlags)) -> Result<TracingFlags, Refusal> {
        let mut current = self.0.write();
        let mut flags = current.flags.clone();
        change(&mut flags);
        let checked = Flags::new(flags)?;
        *current = Arc::new(checked);
        Ok(current.flags.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(redact: &[&str]) -> Flags {
        let redact = redact.iter().map(|text| (*text).to_owned()).collect();
        Flags::new(TracingFlags { redact, sample_ratio: 0.3, ..TracingFlags::default() }).unwrap()
    }

    #[test]
    fn the_share_of_sampled_runs_is_the_ratio_and_always_the_same_ones() {
        let flags = flags(&[]);
        let ids = || (0..10_000_u128).map(|n| TraceId::from(uuid::Uuid::from_u128(n << 64 | 7)));
        let sampled = |id: &TraceId| flags.keep(*id) == Keep::All;
        let first: Vec<_> = ids().filter(sampled).collect();
        assert!((2_700..3_300).contains(&first.len()), "{}", first.len());
        assert_eq!(first, ids().filter(sampled).collect::<Vec<_>>());
    }

    #[test]
    fn what_matches_is_taken_out_wherever_it_stands() {
        let flags = flags(&["[a-z]+@[a-z.]+", r"\b4\d{3}\b"]);
        let cleaned = |text: &str| {
            let mut json = Json::parse(text).unwrap();
            flags.redact_json(&mut json);
            json.text().to_owned()
        };
        assert_eq!(
            cleaned(r#"{"to":["ada@x.org, 4111"],"n":4111,"m":41,"b":true}"#),
            r#"{"b":true,"m":41,"n":"[redacted]","to":["[redacted], [redacted]"]}"#
        );
        // Written with an escape.
        assert_eq!(cleaned(r#""ada\u0040x.org""#), r#""[redacted]""#);
        let same = r#"{"z":1.50,"a":[]}"#;
        assert_eq!(cleaned(same), same);
    }
}
