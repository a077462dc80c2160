//! What model calls cost: by the table that comes with Dendro, or by one of the user's own.

use std::{path::PathBuf, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Fault;
use crate::model::prices::PriceTable;

/// Where prices come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PricesConfig {
    /// A table of prices that holds instead of the one that comes with Dendro, in the same form: see
    /// `src/model/prices/table.json`. What was computed before stays until `dendro reprice`.
    pub file: Option<PathBuf>,
}

/// The key of the file.
const FILE: &str = "prices.file";

impl PricesConfig {
    /// The table that holds.
    ///
    /// # Errors
    /// When the file cannot be read, or an entry of it is wrong: then it is named.
    pub fn table(&self) -> Result<Arc<PriceTable>, Fault> {
        let Some(file) = &self.file else {
            return PriceTable::bundled().map_err(|error| Fault::new(FILE, error.to_string()));
        };
        let told = |error: String| Fault::new(FILE, format!("{}: {error}", file.display()));
        let text = std::fs::read_to_string(file).map_err(|error| told(error.to_string()))?;
        PriceTable::parse(&text).map(Arc::new).map_err(|error| told(error.to_string()))
    }

    pub(super) fn check(&self) -> Result<(), Fault> {
        if self.file.is_some() { self.table().map(drop) } else { Ok(()) }
    }
}
