//! How documents look to the index: a field a kind of text, and columns by which hits are told apart and ordered.

use tantivy::{
    TantivyDocument,
    schema::{
        BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, SchemaBuilder, TextFieldIndexing,
        TextOptions,
    },
};

use super::document::{Document, Item};
use crate::model::{MessageId, SpanId, TraceId, search::TextKind};

/// What the index calls the rule by which texts are cut into words.
pub(super) const WORDS: &str = "dendro-words";

/// The columns, as readers ask for them.
pub(super) const STARTED: &str = "started";
pub(super) const TRACE: [&str; 2] = ["trace_high", "trace_low"];
pub(super) const ITEM: [&str; 2] = ["item_high", "item_low"];
pub(super) const PLACE: &str = "place";

/// The fields of the index.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    /// The trace's id, by which its documents are removed.
    pub trace: Field,
    texts: Vec<(TextKind, Field)>,
    started: Field,
    trace_parts: [Field; 2],
    item_parts: [Field; 2],
    /// Its number in the trace, behind a code for the kind of item.
    place: Field,
}

/// The fields with their schema.
pub(super) fn declare() -> (Schema, Fields) {
    let mut schema = Schema::builder();
    // No lengths of texts: nothing is ranked by how well it fits.
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(WORDS)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions)
        .set_fieldnorms(false);
    let text = TextOptions::default().set_indexing_options(indexing);
    let column = |schema: &mut SchemaBuilder, name: &str| {
        schema.add_u64_field(name, NumericOptions::default().set_fast())
    };
    let fields = Fields {
        trace: schema.add_bytes_field("trace", BytesOptions::default().set_indexed()),
        texts: TextKind::ALL
            .iter()
            .map(|kind| (*kind, schema.add_text_field(&kind.text().to_lowercase(), text.clone())))
            .collect(),
        started: schema.add_i64_field(STARTED, NumericOptions::default().set_fast()),
        trace_parts: TRACE.map(|name| column(&mut schema, name)),
        item_parts: ITEM.map(|name| column(&mut schema, name)),
        place: column(&mut schema, PLACE),
    };
    (schema.build(), fields)
}

impl Fields {
    /// The fields of these kinds of text; of all, where none is named.
    pub fn of_kinds(&self, kinds: &[TextKind]) -> Vec<Field> {
        let wanted = |kind: &TextKind| kinds.is_empty() || kinds.contains(kind);
        self.texts.iter().filter(|(kind, _)| wanted(kind)).map(|(_, field)| *field).collect()
    }

    /// A document as the index takes it.
    pub fn write(&self, document: &Document) -> TantivyDocument {
        let Document { place, item, texts } = document;
        let mut written = TantivyDocument::default();
        written.add_bytes(self.trace, place.trace.bytes());
        written.add_i64(self.started, place.started.nanos());
        let (code, id) = match item {
            Item::Trace => (0, [0; 16]),
            Item::Span(id) => (1, *id.bytes()),
            Item::Message(id) => (2, *id.bytes()),
        };
        for (field, part) in self.trace_parts.iter().zip(halves(*place.trace.bytes())) {
            written.add_u64(*field, part);
        }
        for (field, part) in self.item_parts.iter().zip(halves(id)) {
            written.add_u64(*field, part);
        }
        written.add_u64(self.place, (code << 32) | u64::from(place.number));
        for (kind, text) in texts.iter() {
            if let Some((_, field)) = self.texts.iter().find(|(known, _)| *known == kind) {
                written.add_text(*field, text);
            }
        }
        written
    }
}

/// The trace that two halves are of.
pub(super) fn read_trace(halves: [u64; 2]) -> TraceId {
    TraceId::from_bytes(whole(halves))
}

/// The item of a document, and its number.
pub(super) fn read_item(place: u64, halves: [u64; 2]) -> (Item, u32) {
    let item = match place >> 32 {
        0 => Item::Trace,
        1 => Item::Span(SpanId::from_bytes(whole(halves))),
        _ => Item::Message(MessageId::from_bytes(whole(halves))),
    };
    (item, u32::try_from(place & u64::from(u32::MAX)).unwrap_or(u32::MAX))
}

fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let whole = u128::from_be_bytes(bytes);
    #[expect(clippy::cast_possible_truncation, reason = "the halves of it")]
    [(whole >> 64) as u64, whole as u64]
}

fn whole([high, low]: [u64; 2]) -> [u8; 16] {
    ((u128::from(high) << 64) | u128::from(low)).to_be_bytes()
}
