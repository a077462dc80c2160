//! Hashes of items, by which one that comes again is known: whether as protobuf or as JSON, from its sender
//! or from an export.

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    logs::v1::LogRecord,
    trace::v1::{
        Span,
        span::{Event, Link},
    },
};
use prost::Message as _;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The hash of a span. In which order its attributes stand does not count: they may have been put together
/// of several. Nor does it whether nothing is sent as nothing or as something empty.
///
/// It is made of the fields and not of their encoding, which would have to be made first.
pub(super) fn of_span(span: &Span) -> u64 {
    // Taken apart without `..`, so that a new field cannot be forgotten here.
    let Span {
        trace_id,
        span_id,
        trace_state,
        parent_span_id,
        flags,
        name,
        kind,
        start_time_unix_nano,
        end_time_unix_nano,
        attributes,
        dropped_attributes_count,
        events,
        dropped_events_count,
        links,
        dropped_links_count,
        status,
    } = span;
    let has_parent = parent_span_id.iter().any(|byte| *byte != 0);
    let (code, message) = status.as_ref().map_or((0, ""), |status| (status.code, status.message.as_str()));
    let parent_span_id = if has_parent { parent_span_id.as_slice() } else { &[] };
    let ids = [trace_id.as_slice(), span_id, parent_span_id].map(xxh3_64);
    let texts = [trace_state.as_str(), name, message].map(|text| xxh3_64(text.as_bytes()));
    let numbers = [
        u64::from(*flags),
        signed(*kind),
        *start_time_unix_nano,
        *end_time_unix_nano,
        u64::from(*dropped_attributes_count),
        u64::from(*dropped_events_count),
        u64::from(*dropped_links_count),
        signed(code),
    ];
    let lists = [of_attributes(attributes), of_list(events, of_event), of_list(links, of_link)];
    known(together(ids.into_iter().chain(texts).chain(numbers).chain(lists)))
}

/// The hash of a record of a log.
pub(super) fn of_record(record: &LogRecord) -> u64 {
    known(xxh3_64(&record.encode_to_vec()))
}

/// Never 0, which stands for none.
fn known(hash: u64) -> u64 {
    hash.max(1)
}

fn of_event(event: &Event) -> u64 {
    let Event { time_unix_nano, name, attributes, dropped_attributes_count } = event;
    let name = xxh3_64(name.as_bytes());
    together([*time_unix_nano, name, of_attributes(attributes), u64::from(*dropped_attributes_count)])
}

fn of_link(link: &Link) -> u64 {
    let Link { trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags } = link;
    let texts = [trace_id.as_slice(), span_id, trace_state.as_bytes()].map(xxh3_64);
    let numbers = [u64::from(*dropped_attributes_count), u64::from(*flags)];
    together(texts.into_iter().chain([of_attributes(attributes)]).chain(numbers))
}

/// The sum of the hashes of all: of whatever order it is the same.
fn of_attributes(attributes: &[KeyValue]) -> u64 {
    let one = |attribute: &KeyValue| {
        let value = of_value(attribute.value.as_ref().and_then(|value| value.value.as_ref()));
        xxh3_64_with_seed(attribute.key.as_bytes(), value)
    };
    attributes.iter().map(one).fold(0, u64::wrapping_add)
}

/// The kind of a value is the seed of its hash: `1` is not `"1"`.
fn of_value(value: Option<&Value>) -> u64 {
    match value {
        None => 0,
        Some(Value::StringValue(text)) => xxh3_64_with_seed(text.as_bytes(), 1),
        Some(Value::BoolValue(flag)) => xxh3_64_with_seed(&[u8::from(*flag)], 2),
        Some(Value::IntValue(number)) => xxh3_64_with_seed(&number.to_le_bytes(), 3),
        Some(Value::DoubleValue(number)) => xxh3_64_with_seed(&number.to_le_bytes(), 4),
        Some(Value::BytesValue(bytes)) => xxh3_64_with_seed(bytes, 5),
        Some(Value::ArrayValue(list)) => {
            let items = of_list(&list.values, |item| of_value(item.value.as_ref()));
            xxh3_64_with_seed(&items.to_le_bytes(), 6)
        }
        Some(Value::KvlistValue(members)) => {
            xxh3_64_with_seed(&of_attributes(&members.values).to_le_bytes(), 7)
        }
        Some(Value::StringValueStrindex(place)) => xxh3_64_with_seed(&place.to_le_bytes(), 8),
    }
}

fn of_list<T>(items: &[T], of_item: impl Fn(&T) -> u64) -> u64 {
    together(items.iter().map(of_item))
}

/// One hash of several, in their order.
fn together(hashes: impl IntoIterator<Item = u64>) -> u64 {
    hashes.into_iter().fold(0, |before, hash| xxh3_64_with_seed(&hash.to_le_bytes(), before))
}

fn signed(number: i32) -> u64 {
    u64::from(number.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::{common::v1::AnyValue, trace::v1::Status};

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
        let one = of_span(&span(&[("a", 1), ("b", 2)]));
        assert_eq!(of_span(&span(&[("b", 2), ("a", 1)])), one);
        assert_ne!(of_span(&span(&[("a", 2), ("b", 1)])), one);
        assert_ne!(of_span(&span(&[("a", 1)])), one);
        let nothing = Span { parent_span_id: vec![0; 8], status: Some(Status::default()), ..span(&[]) };
        assert_eq!(of_span(&nothing), of_span(&span(&[])));
    }
}
