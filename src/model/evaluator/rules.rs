//! What rules are told to look for.

use bincode::{Decode, Encode};
use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

use crate::model::{
    Json, Refusal,
    ledger::NanoUsd,
    limits::RecordLimits,
    span::{OperationType, SpanHead},
    words::{self, words},
};

words! {
    /// Which side of an operation a text is taken from.
    TextSide {
        /// What came out.
        Output = 1 "OUTPUT",
        /// What went in.
        Input = 2 "INPUT",
    }
}

words! {
    /// How many of several texts must be there.
    ContainsMode {
        /// At least one.
        Any = 1 "ANY",
        /// Every one.
        All = 2 "ALL",
        /// Not one.
        None = 3 "NONE",
    }
}

/// Which text a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TextSource {
    /// What came out, or what went in.
    #[serde(with = "words::as_text")]
    pub side: TextSide,
    /// Of these spans, of which every one must pass; `None`: of what is judged itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spans: Option<SpanSelector>,
}

impl Default for TextSource {
    fn default() -> Self {
        Self { side: TextSide::Output, spans: None }
    }
}

/// Which spans. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct SpanSelector {
    /// Of this type.
    #[serde(skip_serializing_if = "Option::is_none", with = "words::as_optional_text")]
    pub operation_type: Option<OperationType>,
    /// Of this name, letter by letter; of calls of tools also the tool's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// Compares a text with one that is expected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct ExactRule {
    /// What is expected; `None`: what the example expects that is judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Whether letters count as the same in either case.
    pub ignore_case: bool,
    /// Which text is compared.
    pub source: TextSource,
}

/// Looks for texts in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainsRule {
    /// What is looked for; empty: what the example expects that is judged.
    #[serde(default)]
    pub texts: Vec<String>,
    /// How many of them must be there.
    #[serde(with = "words::as_text")]
    pub mode: ContainsMode,
    /// Whether letters count as the same in either case.
    #[serde(default)]
    pub ignore_case: bool,
    /// Which text is looked at.
    #[serde(default)]
    pub source: TextSource,
}

/// Looks for a regular expression in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RegexRule {
    /// The expression.
    pub pattern: String,
    /// Whether nothing may match it.
    #[serde(default)]
    pub negate: bool,
    /// Which text is looked at.
    #[serde(default)]
    pub source: TextSource,
}

/// Checks that a text is JSON of a schema.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JsonSchemaRule {
    /// The JSON Schema.
    pub schema: serde_json::Value,
    /// Which text is checked.
    #[serde(default)]
    pub source: TextSource,
}

/// Holds how long it took against a budget.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LatencyRule {
    /// Milliseconds at most.
    pub max_ms: u64,
}

/// Holds what it cost against a budget.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CostRule {
    /// US dollars at most.
    pub max_usd: f64,
}

/// Holds the tokens that were used against budgets; at least one is given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TokensRule {
    /// Tokens read and written at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_total: Option<u64>,
    /// Tokens read at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_input: Option<u64>,
    /// Tokens written at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_output: Option<u64>,
}

/// Looks which tools were called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolCalledRule {
    /// The tools, each with how often it is to be called.
    pub tools: Vec<ToolUse>,
    /// Whether they are to be called in this order, whatever is called between.
    #[serde(default)]
    pub in_order: bool,
}

/// How a tool is to be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolUse {
    /// The tool.
    pub name: String,
    /// Times at least.
    pub min: u32,
    /// Times at most; `None`: as often as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// Only calls with these values count: an object, whose members the arguments must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<serde_json::Map<String, serde_json::Value>>,
}

/// Looks for errors.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct NoErrorsRule {
    /// Only errors of operations of this type, and not the run's own end; `None`: all.
    #[serde(skip_serializing_if = "Option::is_none", with = "words::as_optional_text")]
    pub operation_type: Option<OperationType>,
}

/// Bytes of an expression, and of what it is compiled to: room for a long list of words, and none for one that would
/// take gigabytes.
const PATTERN_BYTES: usize = 4_000;
const COMPILED_BYTES: usize = 1 << 20;

impl TextSource {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        let spans = self.spans.as_ref();
        spans.map_or(Ok(()), |spans| spans.check(limits).map_err(|refusal| refusal.below("source.spans")))
    }
}

impl SpanSelector {
    /// Checks every field.
    pub fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        if self.name.is_none() && self.operation_type.is_none() {
            let message = "say which spans: by `operationType`, by `name`, or by both";
            return Err(Refusal::invalid("operationType", message));
        }
        limits.optional_name("name", self.name.as_deref())
    }

    /// Whether a span is meant.
    #[must_use]
    pub fn matches(&self, head: &SpanHead) -> bool {
        let Self { operation_type, name } = self;
        let is_tool = head.operation_type == OperationType::ToolCall;
        let tool = head.details.tool_name.as_ref().filter(|_| is_tool);
        operation_type.is_none_or(|wanted| head.operation_type == wanted)
            && name.as_ref().is_none_or(|name| head.name == *name || tool == Some(name))
    }
}

impl ExactRule {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.text("expected", self.expected.as_deref())?;
        self.source.check(limits)
    }
}

impl ContainsRule {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.count("texts", self.texts.len(), limits.list_items)?;
        for (index, text) in self.texts.iter().enumerate() {
            let field = format!("texts.{index}");
            if text.is_empty() {
                return Err(Refusal::invalid(field, "an empty text is in every text"));
            }
            limits.short_text(&field, Some(text))?;
        }
        self.source.check(limits)
    }
}

impl RegexRule {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        self.compiled()?;
        self.source.check(limits)
    }

    /// The expression, ready to be looked for: in a time that grows with the text alone.
    ///
    /// # Errors
    /// What is wrong with it, or that it would take more memory than an expression may.
    pub fn compiled(&self) -> Result<Regex, Refusal> {
        let length = self.pattern.len();
        if length == 0 || length > PATTERN_BYTES {
            let message = format!("must have 1 to {PATTERN_BYTES} bytes, not {length}");
            return Err(Refusal::invalid("pattern", message));
        }
        let built = RegexBuilder::new(&self.pattern)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
            .build();
        built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => {
                let message =
                    format!("takes more than {COMPILED_BYTES} bytes once it is compiled; repeat less in it");
                Refusal::limit("pattern", message)
            }
            error => Refusal::invalid("pattern", format!("is no regular expression: {error}")),
        })
    }
}

impl JsonSchemaRule {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        if !(self.schema.is_object() || self.schema.is_boolean()) {
            return Err(Refusal::invalid("schema", "a JSON Schema is an object, or true or false"));
        }
        limits.document("schema", Some(&Json::of(&self.schema)))?;
        self.source.check(limits)
    }
}

impl LatencyRule {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        above_zero("maxMs", self.max_ms)
    }
}

impl CostRule {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let cost = NanoUsd::from_dollars("maxUsd", self.max_usd)?;
        if cost.nanos() > 0 {
            return Ok(());
        }
        Err(Refusal::invalid("maxUsd", format!("{} is not a budget: it must be above 0", self.max_usd)))
    }

    /// US dollars at most.
    #[must_use]
    pub fn most(&self) -> NanoUsd {
        NanoUsd::from_dollars("maxUsd", self.max_usd).unwrap_or_default()
    }
}

impl TokensRule {
    pub(super) fn check(&self) -> Result<(), Refusal> {
        let budgets =
            [("maxTotal", self.max_total), ("maxInput", self.max_input), ("maxOutput", self.max_output)];
        if budgets.iter().all(|(_, budget)| budget.is_none()) {
            let message = "give a budget: `maxTotal`, `maxInput` or `maxOutput`";
            return Err(Refusal::invalid("maxTotal", message));
        }
        budgets
            .into_iter()
            .try_for_each(|(field, budget)| budget.map_or(Ok(()), |most| above_zero(field, most)))
    }
}

impl ToolCalledRule {
    pub(super) fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        if self.tools.is_empty() {
            return Err(Refusal::invalid("tools", "name at least one tool"));
        }
        limits.count("tools", self.tools.len(), limits.list_items)?;
        self.tools.iter().enumerate().try_for_each(|(index, tool)| {
            tool.check(limits).map_err(|refusal| refusal.below(&format!("tools.{index}")))
        })
    }
}

impl ToolUse {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("name", &self.name)?;
        if let Some(max) = self.max.filter(|max| *max < self.min) {
            let message = format!("{max} is less than `min`, which is {}", self.min);
            return Err(Refusal::invalid("max", message));
        }
        if self.min == 0 && self.max.is_none() {
            return Err(Refusal::invalid("min", "is 0 without a `max`: every run would pass"));
        }
        let arguments = self.arguments.as_ref().map(|members| Json::of(&members.clone().into()));
        limits.document("arguments", arguments.as_ref())
    }
}

fn above_zero(field: &str, budget: u64) -> Result<(), Refusal> {
    if budget > 0 { Ok(()) } else { Err(Refusal::invalid(field, "0 is not a budget: it must be above 0")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(pattern: &str) -> Result<Regex, Refusal> {
        RegexRule { pattern: pattern.to_owned(), negate: false, source: TextSource::default() }.compiled()
    }

    #[test]
    fn an_expression_that_would_blow_up_is_refused_by_name() {
        assert_eq!(regex("(a{1000}){1000}").unwrap_err().field(), Some("pattern"));
        assert!(regex("a{1,").unwrap_err().to_string().contains("no regular expression"));
        assert!(regex("").is_err() && regex(&"a".repeat(PATTERN_BYTES + 1)).is_err());
        assert!(regex(r"(?i)order #\d+").unwrap().is_match("Your Order #42"));
    }

    #[test]
    fn a_budget_is_above_zero() {
        for wrong in [0.0, -1.0, 1e-10, f64::NAN, f64::INFINITY] {
            assert!(CostRule { max_usd: wrong }.check().is_err(), "{wrong}");
        }
        assert!(CostRule { max_usd: 1e-9 }.check().is_ok());
        assert!(TokensRule::default().check().is_err());
        assert!(TokensRule { max_input: Some(0), ..TokensRule::default() }.check().is_err());
    }

    #[test]
    fn a_rule_that_everything_passes_is_refused() {
        let tool = |min, max| ToolUse { name: "search".to_owned(), min, max, arguments: None };
        let check =
            |tool: ToolUse| tool.check(&RecordLimits::default()).map_err(|refusal| refusal.to_string());
        assert!(check(tool(0, None)).unwrap_err().starts_with("min: "));
        assert!(check(tool(2, Some(1))).unwrap_err().starts_with("max: "));
        assert!(check(tool(0, Some(0))).is_ok());
    }
}
