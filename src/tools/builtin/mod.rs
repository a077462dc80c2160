//! The tools that come with the program. They change nothing, and read nothing but what they are given and
//! the pages that were allowed.

mod calculator;
mod current_time;
mod read_url;

use std::sync::Arc;

use serde_json::Value;

pub(super) use self::read_url::AllowList;
pub use self::{
    calculator::{Calculator, evaluate},
    current_time::CurrentTime,
    read_url::ReadUrl,
};
use super::{ReadUrlConfig, Tool, ToolError, ToolErrorKind, ToolSource, ToolSpec};
use crate::model::{Json, clock::SharedClock};

/// All of them; the one that reads pages only where some are allowed.
pub(super) fn all(pages: &ReadUrlConfig, clock: SharedClock) -> Result<Vec<Arc<dyn Tool>>, ToolError> {
    let mut all: Vec<Arc<dyn Tool>> = vec![Arc::new(Calculator), Arc::new(CurrentTime::new(clock))];
    if !pages.allow.is_empty() {
        all.push(Arc::new(ReadUrl::new(pages)?));
    }
    Ok(all)
}

fn spec(name: &str, description: &str, parameters: &Value) -> ToolSpec {
    ToolSpec {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: Json::from_value(parameters).unwrap_or_default(),
        source: ToolSource::BuiltIn,
    }
}

/// A text among the arguments; none where there is none.
fn text<'a>(arguments: &'a Value, name: &str) -> Option<&'a str> {
    arguments.get(name)?.as_str()
}

fn failed(message: impl Into<String>) -> ToolError {
    ToolError::new(ToolErrorKind::Failed, message)
}
