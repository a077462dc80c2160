//! What a model call costs: a table of prices, and which of them the names that agents send mean.
//!
//! The table that comes with Dendro is made from genai-prices by `tools/prices.py`; [`PriceTable::parse`]
//! reads another in the same format. This knows the tokens of one call and nothing of spans or traces, and
//! it does not say whether a call's cost should be computed at all.
//!
//! # The format
//!
//! One JSON object: `source`, `version` and `date` say where the prices come from, `providers` lists who
//! sells models, each with its `id` and its `models`. A provider may say which names for itself it goes by
//! (`match`), which models it makes (`makes`), and whose prices hold for what it does not list
//! (`fallback`). The order counts: where nobody says who sold a call, the first provider that has the
//! model does, makers before all others.
//!
//! A model has an `id`, the names that it goes by (`match`; without it only the id), and `prices`. The
//! first model of a provider that a name matches is meant. Names are matched in any case by a text with
//! `*` for anything at its ends and `#` for a digit, by a list of which any may match, by `{"all": […]}`
//! or by `{"not": …}`.
//!
//! Prices are US dollars for a million tokens: `input`, `output`, `cache_read`, `cache_write`,
//! `reasoning`; and `call`, dollars for the call itself. A price that rises with the size of the input is
//! `[3, {"above": 200000, "price": 6}]`: above 200,000 input tokens, all tokens cost 6. Prices that
//! changed are a list, of which the last whose day (`from`, in UTC) has come holds, or else the first.
//! `audio_input`, `audio_output` and `audio_cache_read` are read and not used: nobody counts those tokens.

mod clause;
mod file;
mod memo;
mod names;
mod rates;
mod search;
mod seller;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use self::{
    memo::Memo,
    rates::{PriceHistory, prices_at},
    search::Catalogue,
};
use super::{
    Timestamp,
    ledger::{NanoUsd, TokenTotals},
};

/// The longest name of a model or a provider that is looked up, in bytes. Longer ones are not names.
const MAX_NAME_BYTES: usize = 256;

static BUNDLED: LazyLock<Result<Arc<PriceTable>, PriceError>> =
    LazyLock::new(|| PriceTable::parse(include_str!("table.json")).map(Arc::new));

/// Prices by provider and model. The default has none.
#[derive(Debug, Default)]
pub struct PriceTable {
    version: String,
    catalogue: Catalogue,
    found: Memo,
    /// Where the prices are that this has not.
    else_in: Option<Arc<Self>>,
}

/// A model call to be priced.
#[derive(Debug, Clone, Copy)]
pub struct PricedCall<'a> {
    /// The model's name, as the agent sent it.
    pub model: &'a str,
    /// Who sold the call, as the agent sent it; `None` where it did not say.
    pub provider: Option<&'a str>,
    /// When the call was made: prices change.
    pub at: Timestamp,
    /// What it used.
    pub tokens: TokenTotals,
}

/// Why a price table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("price table: {place}: {reason}")]
pub struct PriceError {
    /// The entry and, where one is at fault, its field: `openai/gpt-4o: prices.1.input`.
    pub place: String,
    /// What is wrong and what would be right.
    pub reason: String,
}

impl PriceTable {
    /// The table that comes with Dendro. It is read when it is first asked for.
    pub fn bundled() -> Result<Arc<Self>, PriceError> {
        BUNDLED.clone()
    }

    /// Reads a table. Fails at the first entry that is not in the format.
    pub fn parse(text: &str) -> Result<Self, PriceError> {
        let (version, catalogue) = file::read(text)?;
        Ok(Self { version, catalogue, found: Memo::default(), else_in: None })
    }

    /// This table, and the prices of another for what this does not have.
    #[must_use]
    pub fn or(self, other: Arc<Self>) -> Self {
        Self { version: format!("{}, {}", self.version, other.version), else_in: Some(other), ..self }
    }

    /// Which table this is, for the record beside a computed cost: `genai-prices 0.2.3 2026-11-10`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What a call costs, rounded once to a billionth of a dollar (half up), and stopping at the largest
    /// amount.
    ///
    /// A kind of tokens without a price of its own costs what input or output does. `None` where the model
    /// is unknown, where tokens were used that have no price, or where the model runs on the user's own
    /// machine.
    #[must_use]
    pub fn cost(&self, call: &PricedCall<'_>) -> Option<NanoUsd> {
        let history = self.prices(call.provider.unwrap_or_default(), call.model)?;
        prices_at(&history, call.at)?.cost(&call.tokens)
    }

    /// The prices that a name stands for, at all times. An empty provider is none.
    fn prices(&self, provider: &str, model: &str) -> Option<PriceHistory> {
        if provider.len() > MAX_NAME_BYTES || model.len() > MAX_NAME_BYTES {
            return None;
        }
        let found = self.found.get_or_find(provider, model, || self.catalogue.find(provider, model).cloned());
        found.or_else(|| self.else_in.as_ref()?.prices(provider, model))
    }
}
