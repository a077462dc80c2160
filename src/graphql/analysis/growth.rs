//! What models did call after call: how soon they began, and how much they had to read.

use async_graphql::{Context, Object, SimpleObject};

use super::{
    TraceAnalysis, default_first,
    figures::{DistributionFigures, NANOS_A_MILLI},
    most,
};
use crate::{
    graphql::{
        error::Result,
        page::default_first as default_page,
        scalar::{BigInt, Given, int, millis},
        span::Span,
    },
    model,
};

/// How long models took to begin with their answers.
pub(super) struct FirstTokenFigures(pub TraceAnalysis);

/// How long models took to begin with their answers, where their spans say so: by `timeToFirstTokenMs`, an attribute
/// for it, or an event named for the first token.
#[Object]
impl FirstTokenFigures {
    /// Calls of language models, each once.
    async fn call_count(&self) -> i32 {
        int(self.found().calls)
    }

    /// Those that say it.
    async fn known_count(&self) -> i32 {
        int(self.found().known.len())
    }

    /// How the times are spread, in milliseconds; null where no call says it.
    async fn spread(&self) -> Option<DistributionFigures> {
        let spread = self.found().spread.as_ref()?;
        Some(DistributionFigures::scaled(spread, NANOS_A_MILLI))
    }

    /// The calls that say it, in the order of their starts.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn calls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Calls at most.", default_with = "default_first()")] first: Option<Given<i32>>,
    ) -> Result<Vec<FirstTokenCallFigures>> {
        let known = self.found().known.iter().take(most(ctx, first)?);
        let call = |(place, nanos): &(usize, u64)| {
            let span = Span::placed(&self.0.spans, *place)?;
            Some(FirstTokenCallFigures { span, time_to_first_token_ms: millis(*nanos) })
        };
        Ok(known.filter_map(call).collect())
    }
}

impl FirstTokenFigures {
    fn found(&self) -> &model::analysis::FirstTokens {
        &self.0.analysis.first_tokens
    }
}

/// A call whose first token has a time.
#[derive(SimpleObject)]
struct FirstTokenCallFigures {
    /// The call.
    span: Span,
    /// Milliseconds from its start to the first token.
    time_to_first_token_ms: f64,
}

/// How the input of models grew.
pub(super) struct ContextFigures(pub TraceAnalysis);

/// How the input of models grew, over the calls that report their input, in the order of their starts. Where several
/// agents call models, their calls stand in one row.
#[Object]
impl ContextFigures {
    /// The calls that report their input.
    async fn call_count(&self) -> i32 {
        int(self.found().points.len())
    }

    /// The input of the first, in tokens; null where there is none.
    async fn first_input_tokens(&self) -> Option<BigInt> {
        self.found().points.first().map(|point| BigInt(point.input))
    }

    /// The input of the last, in tokens; null where there is none.
    async fn last_input_tokens(&self) -> Option<BigInt> {
        self.found().points.last().map(|point| BigInt(point.input))
    }

    /// The largest input, in tokens; null where there is none.
    async fn largest_input_tokens(&self) -> Option<BigInt> {
        self.found().largest.map(BigInt)
    }

    /// By how many tokens the input grows from one call to the next, by the straight line that fits best; null below
    /// two calls.
    async fn tokens_per_call(&self) -> Option<f64> {
        self.found().slope
    }

    /// The calls.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn calls(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Calls at most.", default_with = "default_page()")] first: Option<Given<i32>>,
    ) -> Result<Vec<ContextCallFigures>> {
        let points = self.found().points.iter().take(most(ctx, first)?);
        let call = |point: &model::analysis::ContextPoint| {
            Some(ContextCallFigures {
                span: Span::placed(&self.0.spans, point.place)?,
                input_tokens: BigInt(point.input),
                growth: point.growth.map(float),
            })
        };
        Ok(points.filter_map(call).collect())
    }
}

impl ContextFigures {
    fn found(&self) -> &model::analysis::ContextGrowth {
        &self.0.analysis.context
    }
}

/// A number of tokens that may be negative, which a `BigInt` may not.
#[expect(clippy::cast_precision_loss, reason = "a context of more than 2^53 tokens is none")]
const fn float(tokens: i64) -> f64 {
    tokens as f64
}

/// The input of one call.
#[derive(SimpleObject)]
struct ContextCallFigures {
    /// The call.
    span: Span,
    /// What the model read, in tokens, cached ones included.
    input_tokens: BigInt,
    /// By how many tokens more than in the call before; negative where it read less, null of the first.
    growth: Option<f64>,
}
