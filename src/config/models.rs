//! Which models there are: checked here, declared beside the models.

use super::Fault;
use crate::llm::{Models, ModelsConfig};

/// Checks the section, and reads the files of scripts that it names.
pub(super) fn check(config: &ModelsConfig) -> Result<(), Fault> {
    config.check().map_err(|(key, message)| Fault::new(key, message))?;
    let models = Models::with_environment(config, |_| None);
    models.map(drop).map_err(|error| Fault::new("models.providers", error.to_string()))
}
