//! What a tool's JSON Schema says of arguments, told so that a model can do better.
//!
//! Schemas are somebody else's. One with references or patterns may take a time or a depth that nobody
//! knows before, so it is made ready and asked on a thread of its own, one for each tool at most.

use std::{
    sync::{Arc, OnceLock},
    thread,
};

use jsonschema::{PatternOptions, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::Value;
use tokio::sync::{Mutex, oneshot};

use super::{ToolError, ToolErrorKind};
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

/// Bytes that a thread's stack may grow to: [`REFERENCES`] steps in each level of arguments.
const STACK_BYTES: usize = 256 << 20;

/// A tool's schema, which is made ready when it is first needed.
#[derive(Debug, Clone)]
pub(super) struct Arguments {
    name: String,
    /// Held while a thread is at work. One that does not end keeps later ones from beginning.
    turn: Arc<Mutex<()>>,
    asked: Arc<Asked>,
}

#[derive(Debug)]
struct Asked {
    schema: Json,
    ready: OnceLock<Result<Schema, String>>,
}

impl Arguments {
    /// The arguments of the tool of this name.
    pub(super) fn new(name: &str, schema: &Json) -> Self {
        let asked = Asked { schema: schema.clone(), ready: OnceLock::new() };
        Self { name: name.to_owned(), turn: Arc::default(), asked: Arc::new(asked) }
    }

    /// Makes the schema ready now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        self.with(|asked| asked.ready().map(drop)).await.unwrap_or_else(Err)
    }

    /// Reads and checks arguments. Whoever waits for it bounds its time.
    ///
    /// # Errors
    /// What is wrong with the arguments, or with the schema.
    pub(super) async fn check(&self, arguments: &Json) -> Result<Value, ToolError> {
        let wrong = |fault: String| {
            let message = format!("the arguments of `{}` are not what it takes: {fault}", self.name);
            ToolError::new(ToolErrorKind::InvalidArguments, message)
        };
        let unusable = |fault: String| {
            let message =
                format!("`{}` cannot be called, because its own schema is wrong: {fault}", self.name);
            ToolError::new(ToolErrorKind::Failed, message)
        };
        let value: Value = arguments.read().map_err(|error| wrong(format!("they are no JSON: {error}")))?;
        if !value.is_object() {
            return Err(wrong("they are to be an object".to_owned()));
        }
        let checked =
            self.with(move |asked| asked.ready().map(|schema| schema.check(&value).map(|()| value)));
        checked.await.unwrap_or_else(Err).map_err(unusable)?.map_err(wrong)
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
        let thread = thread::Builder::new().name("arguments".to_owned()).stack_size(STACK_BYTES);
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

    /// Checks arguments.
    ///
    /// # Errors
    /// The first faults, each with the JSON pointer to where it is and what would be right.
    fn check(&self, arguments: &Value) -> Result<(), String> {
        let mut faults = self.validator.iter_errors(arguments);
        let mut told: Vec<_> = faults.by_ref().take(FAULTS).map(|fault| self.told(&fault)).collect();
        if told.is_empty() {
            return Ok(());
        }
        if faults.next().is_some() {
            told.push("and more".to_owned());
        }
        Err(told.join("; "))
    }

    fn told(&self, fault: &ValidationError<'_>) -> String {
        let pointer = fault.instance_path().to_string();
        let place = if pointer.is_empty() { "the arguments" } else { pointer.as_str() };
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;
    use tokio::time::timeout;

    use super::*;

    fn of(schema: &Value) -> Arguments {
        Arguments::new("tool", &Json::from_value(schema).unwrap())
    }

    async fn check(arguments: &Arguments, value: &Value) -> Result<Value, ToolError> {
        arguments.check(&Json::from_value(value).unwrap()).await
    }

    /// As deep as arguments may be.
    fn deep() -> Value {
        (1..crate::model::json::MAX_DEPTH).fold(json!({}), |inner, _| json!({"a": inner}))
    }

    #[tokio::test]
    async fn a_pattern_that_would_take_for_ever_ends() {
        let slow = of(&json!({"properties": {"a": {"pattern": "^(a+)+\\1$"}}}));
        assert!(check(&slow, &json!({"a": "a".repeat(5_000) + "b"})).await.is_err());
    }

    #[tokio::test]
    async fn a_schema_that_refers_to_itself_ends() {
        for itself in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
            json!({"not": {"$ref": "#"}}),
            json!({"anyOf": [{"$ref": "#"}, {"type": "string"}]}),
            json!({"$dynamicRef": "#"}),
            json!({"$dynamicAnchor": "a", "allOf": [{"$dynamicRef": "#a"}]}),
            json!({"if": {"$ref": "#"}, "then": true}),
            json!({"dependentSchemas": {"a": {"$ref": "#"}}}),
            json!({"properties": {"a": {"$ref": "#"}}}),
        ] {
            // Whether it is taken or refused, it ends.
            let ended = timeout(Duration::from_secs(20), check(&of(&itself), &deep())).await;
            assert!(ended.is_ok(), "{itself}");
        }
    }

    /// Definitions of which each is made of the next by `refer`, and the last is `last`.
    fn chain(length: usize, refer: impl Fn(Value) -> Value, last: &Value) -> Value {
        let mut definitions = serde_json::Map::new();
        for at in 1..length {
            definitions.insert(format!("d{}", at - 1), refer(json!({"$ref": format!("#/$defs/d{at}")})));
        }
        definitions.insert(format!("d{}", length - 1), last.clone());
        json!({"$ref": "#/$defs/d0", "$defs": definitions})
    }

    #[tokio::test]
    async fn a_schema_that_leads_deep_has_the_stack_for_it() {
        let nested = |inner: Value| (0..40).fold(inner, |inner, _| json!({"allOf": [inner]}));
        let around = json!({"properties": {"a": {"$ref": "#/$defs/d0"}}});
        for schema in [chain(250, |next| next, &around), chain(60, nested, &around)] {
            assert!(check(&of(&schema), &deep()).await.is_ok());
        }
        let endless = chain(1_000, |next| next, &around);
        assert!(of(&endless).prepare().await.unwrap_err().contains("more than 256 references"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_schema_that_doubles_holds_up_nobody() {
        let doubling = chain(60, |next| json!({"allOf": [next, next]}), &json!({"type": "object"}));
        let doubling = of(&doubling);
        for _ in 0..2 {
            let ended = timeout(Duration::from_millis(200), check(&doubling, &json!({}))).await;
            assert!(ended.is_err(), "it ends by itself: then this test proves nothing");
        }
        assert_eq!(check(&of(&json!({"pattern": "a"})), &json!({})).await, Ok(json!({})));
    }

    #[tokio::test]
    async fn nothing_is_fetched() {
        for reference in ["http://127.0.0.1:1/schema.json", "file:///etc/hostname"] {
            assert!(of(&json!({"$ref": reference})).prepare().await.is_err());
        }
    }
}
