//! What clients write of rules.

use async_graphql::InputObject;
use serde_json::Value;

use crate::{
    graphql::scalar::{Given, OptionalGiven},
    model::{
        Json, Refusal,
        evaluator::{
            ContainsMode, ContainsRule, CostRule, ExactRule, JsonSchemaRule, LatencyRule, NoErrorsRule,
            RegexRule, SpanSelector, TextSide, TextSource, TokensRule, ToolCalledRule, ToolUse,
        },
        span::OperationType,
    },
};

/// Which text a rule looks at.
#[derive(InputObject)]
struct TextSourceInput {
    /// What came out, or what went in.
    #[graphql(default_with = "TextSide::Output")]
    side: TextSide,
    /// Of these spans, of which every one that has such a text must pass; without it, of what is judged itself.
    spans: Option<SpanSelectorInput>,
}

/// Which spans. All that is given must hold, and something must be given.
#[derive(InputObject)]
pub(in crate::graphql) struct SpanSelectorInput {
    /// Of this type.
    operation_type: Option<OperationType>,
    /// Of this name, letter by letter; of calls of tools also the tool's.
    name: Option<String>,
}

/// Compares a text with one that is expected.
#[derive(InputObject)]
pub(super) struct ExactRuleInput {
    /// What is expected; without it, what the example expects that is judged. A text, or JSON as it is written.
    expected: Option<String>,
    /// Whether letters count as the same in either case.
    #[graphql(default)]
    ignore_case: bool,
    /// Which text is compared; without it the output.
    source: Option<TextSourceInput>,
}

/// Looks for texts in a text.
#[derive(InputObject)]
pub(super) struct ContainsRuleInput {
    /// What is looked for; without it, what the example expects that is judged.
    texts: Option<Vec<String>>,
    /// How many of them must be there.
    #[graphql(default_with = "ContainsMode::All")]
    mode: ContainsMode,
    /// Whether letters count as the same in either case.
    #[graphql(default)]
    ignore_case: bool,
    /// Which text is looked at; without it the output.
    source: Option<TextSourceInput>,
}

/// Looks for a regular expression in a text.
#[derive(InputObject)]
pub(super) struct RegexRuleInput {
    /// The expression, as Rust's `regex` has it: without look-around and references back, so that it takes a time that
    /// grows with the text alone.
    pattern: String,
    /// Whether nothing may match it.
    #[graphql(default)]
    negate: bool,
    /// Which text is looked at; without it the output.
    source: Option<TextSourceInput>,
}

/// Checks that a text is JSON of a schema.
#[derive(InputObject)]
pub(super) struct JsonSchemaRuleInput {
    /// The JSON Schema. Nothing that it refers to is fetched.
    schema: Given<Json>,
    /// Which text is checked; without it the output.
    source: Option<TextSourceInput>,
}

/// A budget of time.
#[derive(InputObject)]
pub(super) struct LatencyRuleInput {
    /// Milliseconds at most.
    max_ms: Given<u64>,
}

/// A budget of money.
#[derive(InputObject)]
pub(super) struct CostRuleInput {
    /// US dollars at most.
    max_usd: Given<f64>,
}

/// Budgets of tokens; at least one is given.
#[derive(InputObject)]
#[expect(clippy::struct_field_names, reason = "each is a budget of another count")]
pub(super) struct TokensRuleInput {
    /// Tokens read and written at most.
    max_total: Option<Given<u64>>,
    /// Tokens read at most.
    max_input: Option<Given<u64>>,
    /// Tokens written at most.
    max_output: Option<Given<u64>>,
}

/// Looks which tools were called.
#[derive(InputObject)]
pub(super) struct ToolCalledRuleInput {
    /// The tools, each with how often it is to be called.
    tools: Vec<ToolUseInput>,
    /// Whether they are to be called in this order, whatever is called between.
    #[graphql(default)]
    in_order: bool,
}

/// How a tool is to be called.
#[derive(InputObject)]
struct ToolUseInput {
    /// The tool.
    name: String,
    /// Times at least; 1, where nothing is said.
    min: Option<Given<u32>>,
    /// Times at most; without it as often as it likes.
    max: Option<Given<u32>>,
    /// Only calls with these values count: an object, whose members the arguments must have.
    arguments: Option<Given<Json>>,
}

/// Looks for errors.
#[derive(InputObject)]
pub(super) struct NoErrorsRuleInput {
    /// Only errors of spans of this type; without it all, and the end of the run.
    operation_type: Option<OperationType>,
}

fn source(input: Option<TextSourceInput>) -> TextSource {
    let of = |TextSourceInput { side, spans }: TextSourceInput| TextSource {
        side,
        spans: spans.map(SpanSelectorInput::into_model),
    };
    input.map(of).unwrap_or_default()
}

impl SpanSelectorInput {
    pub(in crate::graphql) fn into_model(self) -> SpanSelector {
        SpanSelector { operation_type: self.operation_type, name: self.name }
    }
}

impl ExactRuleInput {
    pub(super) fn into_model(self) -> ExactRule {
        let Self { expected, ignore_case, source: of } = self;
        ExactRule { expected, ignore_case, source: source(of) }
    }
}

impl ContainsRuleInput {
    pub(super) fn into_model(self) -> ContainsRule {
        let Self { texts, mode, ignore_case, source: of } = self;
        ContainsRule { texts: texts.unwrap_or_default(), mode, ignore_case, source: source(of) }
    }
}

impl RegexRuleInput {
    pub(super) fn into_model(self) -> RegexRule {
        let Self { pattern, negate, source: of } = self;
        RegexRule { pattern, negate, source: source(of) }
    }
}

impl JsonSchemaRuleInput {
    pub(super) fn into_model(self) -> Result<JsonSchemaRule, Refusal> {
        let schema = self.schema.read("schema")?;
        let schema: Value = schema.read().map_err(|error| Refusal::invalid("schema", error.to_string()))?;
        Ok(JsonSchemaRule { schema, source: source(self.source) })
    }
}

impl LatencyRuleInput {
    pub(super) fn into_model(self) -> Result<LatencyRule, Refusal> {
        Ok(LatencyRule { max_ms: self.max_ms.read("maxMs")? })
    }
}

impl CostRuleInput {
    pub(super) fn into_model(self) -> Result<CostRule, Refusal> {
        Ok(CostRule { max_usd: self.max_usd.read("maxUsd")? })
    }
}

impl TokensRuleInput {
    pub(super) fn into_model(self) -> Result<TokensRule, Refusal> {
        Ok(TokensRule {
            max_total: self.max_total.read("maxTotal")?,
            max_input: self.max_input.read("maxInput")?,
            max_output: self.max_output.read("maxOutput")?,
        })
    }
}

impl ToolCalledRuleInput {
    pub(super) fn into_model(self) -> Result<ToolCalledRule, Refusal> {
        let one = |(index, tool): (usize, ToolUseInput)| {
            tool.into_model().map_err(|refusal| refusal.below(&format!("tools.{index}")))
        };
        let tools = self.tools.into_iter().enumerate().map(one).collect::<Result<_, _>>()?;
        Ok(ToolCalledRule { tools, in_order: self.in_order })
    }
}

impl ToolUseInput {
    fn into_model(self) -> Result<ToolUse, Refusal> {
        let object = |json: Json| {
            json.read()
                .map_err(|_| Refusal::invalid("arguments", "must be an object of values that are wanted"))
        };
        Ok(ToolUse {
            name: self.name,
            min: self.min.read("min")?.unwrap_or(1),
            max: self.max.read("max")?,
            arguments: self.arguments.read("arguments")?.map(object).transpose()?,
        })
    }
}

impl NoErrorsRuleInput {
    pub(super) fn into_model(self) -> NoErrorsRule {
        NoErrorsRule { operation_type: self.operation_type }
    }
}
