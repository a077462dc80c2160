//! A tool's arguments, checked against its JSON Schema before it is called.

use serde_json::Value;

use super::{JsonSchema, ToolError, ToolErrorKind};
use crate::model::Json;

/// The arguments that a tool takes.
#[derive(Debug, Clone)]
pub(super) struct Arguments {
    name: String,
    schema: JsonSchema,
}

impl Arguments {
    /// The arguments of the tool of this name.
    pub(super) fn new(name: &str, schema: &Json) -> Self {
        Self { name: name.to_owned(), schema: JsonSchema::new("the arguments", schema) }
    }

    /// Makes the schema ready now.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) async fn prepare(&self) -> Result<(), String> {
        self.schema.prepare().await
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
        self.schema.check(value).await.map_err(unusable)?.map_err(wrong)
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
