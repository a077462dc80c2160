//! Hashes of items, by which one that comes again is known: whether as protobuf or as JSON, from its sender
//! or from an export.

use opentelemetry_proto::tonic::{
    common::v1::KeyValue,
    logs::v1::LogRecord,
    trace::v1::{Span, Status},
};
use prost::Message as _;

/// The hash of a span. In which order its attributes stand does not count: they may have been put together
/// of several. Nor does it whether nothing is sent as nothing or as something empty.
pub(super) fn of_span(span: &mut Span) -> u64 {
    span.status.take_if(|status| *status == Status::default());
    if span.parent_span_id.iter().all(|byte| *byte == 0) {
        span.parent_span_id.clear();
    }
    for attribute in &mut span.attributes {
        attribute.value.take_if(|value| value.value.is_none());
    }
    // Room for all, so that nothing moves while it grows.
    let mut bytes = Vec::with_capacity(span.encoded_len());
    let attributes = std::mem::take(&mut span.attributes);
    // Encoding to memory does not fail.
    let _ = span.encode(&mut bytes);
    let mut sorted: Vec<&KeyValue> = attributes.iter().collect();
    sorted.sort_by(|one, other| one.key.cmp(&other.key));
    for attribute in sorted {
        let _ = attribute.encode_length_delimited(&mut bytes);
    }
    span.attributes = attributes;
    hash(&bytes)
}

/// The hash of a record of a log.
pub(super) fn of_record(record: &LogRecord) -> u64 {
    hash(&record.encode_to_vec())
}

/// Never 0, which stands for none.
fn hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes).max(1)
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, any_value::Value};

    use super::*;

    fn span(attributes: &[(&str, i64)]) -> Span {
        let attribute = |(key, value): &(&str, i64)| KeyValue {
            key: (*key).to_owned(),
            value: Some(AnyValue { value: Some(Value::IntValue(*value)) }),
            ..KeyValue::default()
        };
        let attributes = attributes.iter().map(attribute).collect();
        Span { name: "span".to_owned(), attributes, ..Span::default() }
    }

    #[test]
    fn the_order_of_attributes_does_not_count_and_their_values_do() {
        let one = of_span(&mut span(&[("a", 1), ("b", 2)]));
        assert_eq!(of_span(&mut span(&[("b", 2), ("a", 1)])), one);
        assert_ne!(of_span(&mut span(&[("a", 2), ("b", 1)])), one);
        assert_ne!(of_span(&mut span(&[("a", 1)])), one);
    }
}
