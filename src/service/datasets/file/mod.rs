//! Items of datasets in files: JSON lines, a JSON list, or CSV. Read record by record, so that memory holds one; what
//! cannot be an item costs only itself. Knows nothing of datasets that are stored, nor of where files lie.

mod csv;
mod json;
mod run;

use std::io::BufRead;

pub use self::run::ImportedItems;
use super::Placed;
use crate::model::{
    DatasetItemId, Json, Refusal,
    dataset::{DatasetItem, NewItem},
};

/// How items are written in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// JSON lines, or a JSON list.
    Json,
    /// Comma-separated values, the first line of which names the columns.
    Csv,
}

/// An item of a file, or why it is none. The place is its line.
pub type FileItem = Placed<Result<NewItem, Refusal>>;

/// The items in a file, one after another.
///
/// # Errors
/// When the file cannot be read at all: in CSV, when its first line names no column `input`.
pub fn read_items(
    name: &str,
    input: Box<dyn BufRead + Send>,
    format: FileFormat,
) -> Result<Box<dyn Iterator<Item = FileItem> + Send>, Refusal> {
    Ok(match format {
        FileFormat::Json => Box::new(json::read(name, input)),
        FileFormat::Csv => Box::new(csv::read(input)?),
    })
}

/// An item as a line of JSON, by which it is read again as it is.
#[must_use]
pub fn to_line(item: &DatasetItem) -> String {
    let content = &item.content;
    let id = Json::string(&item.id.to_string());
    let mut line = format!("{{\"itemId\":{},\"input\":{}", id.text(), content.input.text());
    if let Some(expected) = &content.expected {
        line.push_str(",\"expected\":");
        line.push_str(expected.text());
    }
    if content.metadata.text() != "{}" {
        line.push_str(",\"metadata\":");
        line.push_str(content.metadata.text());
    }
    // A document keeps the white space that it came with, which may hold line ends, but only between its tokens.
    line.retain(|letter| letter != '\n' && letter != '\r');
    line.push_str("}\n");
    line
}

fn item_id(text: &str) -> Result<DatasetItemId, Refusal> {
    text.parse().map_err(|error| Refusal::invalid("itemId", format!("{error}")))
}
