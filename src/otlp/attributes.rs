//! Attributes in both shapes that they are needed in: as the JSON that is kept, and as values to find
//! meaning in, which borrow from the request and from that JSON.

use std::ops::Range;

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};

use super::any_value;
use crate::{
    model::Json,
    semconv::{Attributes, Value},
};

/// Attributes with their JSON.
pub(super) struct Written<'a> {
    list: &'a [KeyValue],
    text: String,
    /// Where the JSON of each list and object stands.
    structured: Vec<(usize, Range<usize>)>,
    /// Attributes that are sent again behind these, by another value.
    replaced: Vec<usize>,
}

impl<'a> Written<'a> {
    /// Writes attributes.
    pub(super) fn of(list: &'a [KeyValue]) -> Self {
        let (mut structured, replaced) = (Vec::new(), any_value::replaced(list));
        let text = any_value::text(|out| {
            out.push(b'{');
            let kept = list.iter().enumerate().filter(|(index, _)| replaced.binary_search(index).is_err());
            for (index, attribute) in kept {
                if out.len() > 1 {
                    out.push(b',');
                }
                any_value::write_text(&attribute.key, out);
                out.push(b':');
                let start = out.len();
                let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
                any_value::write(value, out);
                if matches!(value, Some(Any::ArrayValue(_) | Any::KvlistValue(_))) {
                    structured.push((index, start..out.len()));
                }
            }
            out.push(b'}');
        });
        Self { list, text, structured, replaced }
    }

    /// The values.
    pub(super) fn values(&self) -> Attributes<'_> {
        let mut attributes = Attributes::with_capacity(self.list.len());
        let mut structured = self.structured.iter().peekable();
        let kept = |(index, _): &(usize, &KeyValue)| self.replaced.binary_search(index).is_err();
        for (index, attribute) in self.list.iter().enumerate().filter(kept) {
            let value = match attribute.value.as_ref().and_then(|value| value.value.as_ref()) {
                Some(Any::StringValue(text)) => Value::Text(text.as_str().into()),
                Some(Any::BoolValue(flag)) => Value::Bool(*flag),
                Some(Any::IntValue(number)) => Value::Int(*number),
                Some(Any::DoubleValue(number)) => Value::Float(*number),
                Some(Any::ArrayValue(_) | Any::KvlistValue(_)) => {
                    let range = structured.next_if(|(at, _)| *at == index).map(|(_, range)| range.clone());
                    let Some(text) = range.and_then(|range| self.text.get(range)) else { continue };
                    Value::Json(text)
                }
                Some(Any::BytesValue(_) | Any::StringValueStrindex(_)) | None => continue,
            };
            attributes.push(attribute.key.as_str(), value);
        }
        attributes
    }

    /// The JSON; `None` without attributes.
    pub(super) fn into_json(self) -> Option<Json> {
        (!self.list.is_empty()).then(|| Json::trusted(self.text))
    }
}
