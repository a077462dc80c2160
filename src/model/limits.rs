//! How large a record may be. Part of the configuration, with its defaults and why.

use serde::{Deserialize, Serialize};

use super::{Json, Refusal};

/// Bounds of single records. They keep one careless client from making lists and trees slow for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecordLimits {
    /// Bytes of a name, an id of the caller's own, a tag or a label: they stand in keys and heads.
    pub name_bytes: usize,
    /// Bytes of a short text, such as a title or a status message.
    pub short_text_bytes: usize,
    /// Bytes of a long text or a JSON document: a million tokens of context fit.
    pub document_bytes: usize,
    /// Tags, labels, component versions or references of one record.
    pub list_items: usize,
    /// Events or links of one span in one write.
    pub span_events: usize,
    /// Messages that one call adds at once: they go into one commit.
    pub messages_at_once: usize,
    /// Tool calls of one message.
    pub tool_calls: usize,
    /// Steps of one plan: a plan is read and written whole.
    pub plan_steps: usize,
    /// Retries that a plan may allow a step.
    pub plan_retries: u32,
    /// Spans of one trace: what its tree takes in memory is bounded by this.
    pub trace_spans: usize,
    /// Ancestors that a branch may share history with.
    pub branch_depth: usize,
    /// Items of one version of a dataset: an experiment holds the figures of all of them while it is summed up.
    pub dataset_items: usize,
    /// Bytes of one item of a dataset: input, expected output and metadata together. Each is given to a model whole.
    pub dataset_item_bytes: usize,
}

impl Default for RecordLimits {
    fn default() -> Self {
        Self {
            name_bytes: 512,
            short_text_bytes: 4 << 10,
            document_bytes: 16 << 20,
            list_items: 256,
            span_events: 10_000,
            messages_at_once: 10_000,
            tool_calls: 256,
            plan_steps: 500,
            plan_retries: 100,
            trace_spans: 1_000_000,
            branch_depth: 4_096,
            dataset_items: 10_000,
            dataset_item_bytes: 1 << 20,
        }
    }
}

impl RecordLimits {
    /// A name that must be there: not blank, not too long, without control characters.
    pub fn name(&self, field: &str, text: &str) -> Result<(), Refusal> {
        if text.trim().is_empty() {
            return Err(Refusal::invalid(field, "must not be blank"));
        }
        if text.chars().any(char::is_control) {
            return Err(Refusal::invalid(field, "must not contain control characters"));
        }
        bounded(field, text.len(), self.name_bytes)
    }

    /// A name that may be left out.
    pub fn optional_name(&self, field: &str, text: Option<&str>) -> Result<(), Refusal> {
        text.map_or(Ok(()), |text| self.name(field, text))
    }

    /// Names, each checked, and not too many of them.
    pub fn names(&self, field: &str, names: &[String]) -> Result<(), Refusal> {
        self.count(field, names.len(), self.list_items)?;
        names.iter().enumerate().try_for_each(|(index, name)| self.name(&format!("{field}.{index}"), name))
    }

    /// A short text.
    pub fn short_text(&self, field: &str, text: Option<&str>) -> Result<(), Refusal> {
        bounded(field, text.map_or(0, str::len), self.short_text_bytes)
    }

    /// A long text.
    pub fn text(&self, field: &str, text: Option<&str>) -> Result<(), Refusal> {
        bounded(field, text.map_or(0, str::len), self.document_bytes)
    }

    /// A JSON document.
    pub fn document(&self, field: &str, json: Option<&Json>) -> Result<(), Refusal> {
        bounded(field, json.map_or(0, |json| json.text().len()), self.document_bytes)
    }

    /// A JSON document that must be an object.
    pub fn object(&self, field: &str, json: Option<&Json>) -> Result<(), Refusal> {
        match json {
            Some(json) if !json.is_object() => Err(Refusal::invalid(field, "must be a JSON object")),
            json => self.document(field, json),
        }
    }

    /// A number of items.
    pub fn count(&self, field: &str, count: usize, limit: usize) -> Result<(), Refusal> {
        if count <= limit {
            Ok(())
        } else {
            Err(Refusal::limit(field, format!("{count} items, {limit} are allowed")))
        }
    }
}

fn bounded(field: &str, bytes: usize, limit: usize) -> Result<(), Refusal> {
    if bytes <= limit {
        Ok(())
    } else {
        Err(Refusal::limit(field, format!("{bytes} bytes, {limit} are allowed")))
    }
}
