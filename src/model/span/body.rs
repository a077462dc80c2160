//! A span's large fields: what went in, what came out, and everything else that was sent with it.

use std::{borrow::Cow, collections::BTreeMap};

use bincode::{Decode, Encode};
use serde_json::value::RawValue;

use super::take;
use crate::model::{Json, SpanId, Timestamp, TraceId};

/// A span's large fields. A part written later adds to the earlier ones: see [`SpanBody::merge`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct SpanBody {
    /// What went in.
    pub inputs: Option<Json>,
    /// What came out.
    pub outputs: Option<Json>,
    /// The agent's memory at that moment.
    pub memory_snapshot: Option<Json>,
    /// The conversation at that moment.
    pub conversation_context: Option<Json>,
    /// What went wrong.
    pub error_details: Option<Json>,
    /// Whatever else was sent with it: a JSON object.
    pub attributes: Option<Json>,
    /// What happened during it.
    pub events: Vec<SpanEvent>,
    /// Spans elsewhere that it has to do with.
    pub links: Vec<SpanLink>,
    /// Where it came from: what made it and how, as its sender says, and what of it was sent otherwise than it
    /// is shown. A JSON object.
    pub origin: Option<Json>,
    /// The attribute that holds what went in, where `inputs` does not.
    pub input_attribute: Option<String>,
    /// The attribute that holds what came out, where `outputs` does not.
    pub output_attribute: Option<String>,
}

/// A moment inside a span.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SpanEvent {
    /// What happened.
    pub name: String,
    /// When.
    pub time: Timestamp,
    /// More about it: a JSON object.
    pub attributes: Option<Json>,
}

/// A tie to a span of any trace.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SpanLink {
    /// The other span's trace.
    pub trace_id: TraceId,
    /// The other span; `None`: the trace as a whole.
    pub span_id: Option<SpanId>,
    /// More about it: a JSON object.
    pub attributes: Option<Json>,
}

impl SpanBody {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds a part that was written later: its fields replace the older ones, its attributes are
    /// added one by one, its events and links come after the older ones.
    pub fn merge(&mut self, newer: Self) {
        let Self {
            inputs,
            outputs,
            memory_snapshot,
            conversation_context,
            error_details,
            attributes,
            events,
            links,
            origin,
            input_attribute,
            output_attribute,
        } = newer;
        replace(&mut self.inputs, &mut self.input_attribute, inputs, input_attribute);
        replace(&mut self.outputs, &mut self.output_attribute, outputs, output_attribute);
        take(&mut self.origin, origin);
        take(&mut self.memory_snapshot, memory_snapshot);
        take(&mut self.conversation_context, conversation_context);
        take(&mut self.error_details, error_details);
        self.attributes = merged_objects(self.attributes.take(), attributes);
        self.events.extend(events);
        self.links.extend(links);
    }

    /// Adds what came apart from the span: what the span itself says holds, and its own events come first.
    /// The others come by their times, because they came in any order.
    pub fn complete_with(&mut self, mut attached: Self) {
        attached.events.sort_by_key(|event| event.time);
        let own_events = std::mem::take(&mut self.events);
        let own_links = std::mem::take(&mut self.links);
        let events = std::mem::replace(&mut attached.events, own_events);
        let links = std::mem::replace(&mut attached.links, own_links);
        attached.merge(std::mem::take(self));
        attached.events.extend(events);
        attached.links.extend(links);
        *self = attached;
    }

    /// What went in, wherever it stands.
    #[must_use]
    pub fn read_inputs(&self) -> Option<Json> {
        self.inputs.clone().or_else(|| self.read_attribute(self.input_attribute.as_deref()?))
    }

    /// What came out, wherever it stands.
    #[must_use]
    pub fn read_outputs(&self) -> Option<Json> {
        self.outputs.clone().or_else(|| self.read_attribute(self.output_attribute.as_deref()?))
    }

    /// The value of an attribute. A text that is itself JSON is read as that: some senders write every
    /// attribute as JSON, texts too.
    fn read_attribute(&self, name: &str) -> Option<Json> {
        let value = self.attributes.as_ref()?.member(name)?;
        if value.starts_with('"')
            && let Ok(text) = serde_json::from_str::<Cow<'_, str>>(value)
            && text.trim_start().starts_with(['{', '[', '"'])
            && let Ok(json) = Json::parse(&text)
        {
            return Some(json);
        }
        Json::parse(value).ok()
    }

    /// About how many bytes it takes.
    #[must_use]
    pub fn size(&self) -> usize {
        let json = |json: &Option<Json>| json.as_ref().map_or(0, |json| json.text().len());
        let fields = [
            &self.inputs,
            &self.outputs,
            &self.memory_snapshot,
            &self.conversation_context,
            &self.error_details,
            &self.attributes,
            &self.origin,
        ];
        fields.into_iter().map(json).sum::<usize>()
            + self.events.iter().map(|event| event.name.len() + 16 + json(&event.attributes)).sum::<usize>()
            + self.links.iter().map(|link| 40 + json(&link.attributes)).sum::<usize>()
    }
}

/// Replaces a value that stands in one of two places.
fn replace(
    value: &mut Option<Json>,
    place: &mut Option<String>,
    new_value: Option<Json>,
    new_place: Option<String>,
) {
    if new_value.is_some() || new_place.is_some() {
        (*value, *place) = (new_value, new_place);
    }
}

/// The members of both objects; of two with one name, the newer.
fn merged_objects(older: Option<Json>, newer: Option<Json>) -> Option<Json> {
    let (older, newer) = match (older, newer) {
        (Some(older), Some(newer)) => (older, newer),
        (older, newer) => return newer.or(older),
    };
    let both = || -> Option<Json> {
        let mut members: BTreeMap<Cow<'_, str>, &RawValue> = older.read().ok()?;
        members.extend(newer.read::<BTreeMap<Cow<'_, str>, &RawValue>>().ok()?);
        Json::from_value(&members).ok()
    };
    // Only objects are accepted on the way in; were something else there, the newer would be kept whole.
    both().or(Some(newer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Json {
        Json::parse(text).unwrap()
    }

    #[test]
    fn later_parts_add_to_earlier_ones() {
        let mut body = SpanBody {
            inputs: Some(json("1")),
            attributes: Some(json(r#"{"a": 1, "b": [2]}"#)),
            ..SpanBody::default()
        };
        body.merge(SpanBody {
            outputs: Some(json("2")),
            attributes: Some(json(r#"{"b": 3.0, "c": null}"#)),
            ..SpanBody::default()
        });
        assert_eq!(body.inputs, Some(json("1")));
        assert_eq!(body.outputs, Some(json("2")));
        assert_eq!(body.attributes.unwrap().text(), r#"{"a":1,"b":3.0,"c":null}"#);
    }
}
