//! What a JSON Schema says of a value, told so that a model can do better.
//!
//! Schemas are somebody else's. One with references or patterns may take a time or a depth that nobody
//! knows before, so it is made ready and asked on a thread of its own, one for each schema at most.

use std::{
    sync::{Arc, OnceLock},
    thread,
};

use jsonschema::{PatternOptions, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;
use tokio::sync::{Mutex, oneshot};

use crate::model::{Json, text::shortened};

/// Faults that are told at once.
const FAULTS: usize = 4;

/// Bytes of a fault's text, and of the part of a schema beside it, at most.
const FAULT_BYTES: usize = 300;

/// Bytes of a schema at most. Those of real tools have a few thousand.
const SCHEMA_BYTES: usize = 256 << 10;

/// Steps back that a pattern may take in one text, and bytes that it may take when it is made: patterns are
/// somebody else's, and some take a time that doubles with each character.
const PATTERN_STEPS: usize = 100_000;
const PATTERN_BYTES: usize = 1 << 20;

/// References in a schema at most, which bounds how deep it leads.
const REFERENCES: usize = 256;

/// What refers to another place of a schema, and what else takes a time that nobody knows before.
const REFER: &[&str] = &["$ref", "$dynamicRef", "$recursiveRef"];
const MATCH: &[&str] = &["pattern", "patternProperties"];

/// Bytes that a thread's stack may grow to: [`REFERENCES`] steps in each level of a value.
const STACK_BYTES: usize = 256 << 20;

/// A JSON Schema, which is made ready when it is first needed. Its clones share that.
#[derive(Debug, Clone)]
pub struct JsonSchema {
    /// What a value as a whole is called: `the arguments`.
    whole: &'static str,
    /// Held while a thread is at work. One that does not end keeps later ones from beginning.
    turn: Arc<Mutex<()>>,
    asked: Arc<Asked>,
}

#[derive(Debug)]
struct Asked {
    schema: Json,
    ready: OnceLock<Result<Schema, String>>,
}

impl JsonSchema {
    /// The schema of what is called `whole` where a fault is of no part of it.
    #[must_use]
    pub fn new(whole: &'static str, schema: &Json) -> Self {
        let asked = Asked { schema: schema.clone(), ready: OnceLock::new() };
        Self { whole, turn: Arc::default(), asked: Arc::new(asked) }
    }

    /// Makes the schema ready now. Whoever waits for it bounds its time.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn prepare(&self) -> Result<(), String> {
        self.with(|asked| asked.ready().map(drop)).await.unwrap_or_else(Err)
    }

    /// Checks a value, and gives it back; inside, what is wrong with it. Whoever waits for it bounds its time.
    ///
    /// # Errors
    /// What is wrong with the schema.
    pub async fn check(&self, value: Value) -> Result<Result<Value, String>, String> {
        let whole = self.whole;
        let checked =
            self.with(move |asked| asked.ready().map(|schema| schema.check(whole, &value).map(|()| value)));
        checked.await.unwrap_or_else(Err)
    }

    /// Does some work with the schema, on a thread of its own where it could be long.
    ///
    /// # Errors
    /// When it could not be done.
    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Asked) -> T + Send + 'static,
    ) -> Result<T, String> {
        let asked = self.asked.clone();
        if !asked.could_be_long() {
            return Ok(work(&asked));
        }
        let turn = self.turn.clone().lock_owned().await;
        let (tell, told) = oneshot::channel();
        let thread = thread::Builder::new().name("json schema".to_owned()).stack_size(STACK_BYTES);
        let begun = thread.spawn(move || {
            let _turn = turn;
            // Nobody may wait any more.
            let _ = tell.send(work(&asked));
        });
        begun.map_err(|error| error.to_string())?;
        told.await.map_err(|_| "it cannot be made use of".to_owned())
    }
}

impl Asked {
    fn ready(&self) -> Result<&Schema, String> {
        self.ready.get_or_init(|| Schema::new(&self.schema)).as_ref().map_err(Clone::clone)
    }

    /// Whether a word is in it that makes it so. One that is hidden by an escape counts too.
    fn could_be_long(&self) -> bool {
        let text = self.schema.text();
        text.contains('\\') || REFER.iter().chain(MATCH).any(|word| text.contains(word))
    }
}

/// A schema that was made ready.
#[derive(Debug)]
struct Schema {
    text: Value,
    validator: Validator,
}

impl Schema {
    /// Makes a schema ready.
    ///
    /// # Errors
    /// What is wrong with it.
    fn new(schema: &Json) -> Result<Self, String> {
        if schema.text().len() > SCHEMA_BYTES {
            return Err(format!("it has more than {SCHEMA_BYTES} bytes"));
        }
        let text: Value = schema.read().map_err(|error| error.to_string())?;
        if references(&text) > REFERENCES {
            return Err(format!("it has more than {REFERENCES} references"));
        }
        let patterns = PatternOptions::fancy_regex()
            .backtrack_limit(PATTERN_STEPS)
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES);
        let validator = jsonschema::options()
            .with_pattern_options(patterns)
            .build(&text)
            .map_err(|error| shortened(&error.to_string(), FAULT_BYTES))?;
        Ok(Self { text, validator })
    }

    /// Checks a value, which is called `whole`.
    ///
    /// # Errors
    /// The first faults, each with the JSON pointer to where it is and what would be right.
    fn check(&self, whole: &str, value: &Value) -> Result<(), String> {
        let mut faults = self.validator.iter_errors(value);
        let mut told: Vec<_> = faults.by_ref().take(FAULTS).map(|fault| self.told(whole, &fault)).collect();
        if told.is_empty() {
            return Ok(());
        }
        if faults.next().is_some() {
            told.push("and more".to_owned());
        }
        Err(told.join("; "))
    }

    fn told(&self, whole: &str, fault: &ValidationError<'_>) -> String {
        let pointer = fault.instance_path().to_string();
        let place = if pointer.is_empty() { whole } else { pointer.as_str() };
        let mut told = format!("{place}: {}", shortened(&fault.to_string(), FAULT_BYTES));
        if let Some(right) = self.what_would_be_right(fault) {
            told.push_str(&right);
        }
        told
    }

    /// What the message of a fault leaves out.
    fn what_would_be_right(&self, fault: &ValidationError<'_>) -> Option<String> {
        let pointer = fault.schema_path().to_string();
        let (above, _) = pointer.rsplit_once('/')?;
        match fault.kind() {
            ValidationErrorKind::AdditionalProperties { .. } => {
                let known = self.text.pointer(above)?.get("properties")?.as_object()?;
                let mut known: Vec<_> = known.keys().map(String::as_str).collect();
                known.sort_unstable();
                Some(shortened(&format!(" (there are: {})", known.join(", ")), FAULT_BYTES))
            }
            ValidationErrorKind::Required { property } => {
                let schema = self.text.pointer(above)?.get("properties")?.get(property.as_str()?)?;
                Some(format!(" ({})", shortened(&schema.to_string(), FAULT_BYTES)))
            }
            ValidationErrorKind::AnyOf { .. }
            | ValidationErrorKind::OneOfNotValid { .. }
            | ValidationErrorKind::OneOfMultipleValid { .. } => {
                Some(format!(": {}", shortened(&self.text.pointer(&pointer)?.to_string(), FAULT_BYTES)))
            }
            _ => None,
        }
    }
}

/// How many references there are.
fn references(schema: &Value) -> usize {
    match schema {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                references(value).saturating_add(usize::from(REFER.contains(&name.as_str())))
            })
            .sum(),
        Value::Array(items) => items.iter().map(references).sum(),
        _ => 0,
    }
}
