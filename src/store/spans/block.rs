//! Blocks: the heads, or the bodies, that one write brought to one trace, compressed together.
//!
//! Spans of one trace repeat each other (ids, names, models, whole prompts), so a block takes a
//! third or less of its spans one by one, and one key instead of one a span.

use bincode::{Decode, Encode};

use crate::{
    model::{
        SpanId,
        span::{SpanBody, SpanHead},
    },
    store::{StoreError, StoreResult, codec::Record, keyspace, older, packed},
};

/// Heads of one trace. The key's revision is the highest among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct HeadBlock(pub Vec<SpanHead>);

/// Bodies, or parts of them, with their spans.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
pub struct BodyBlock(pub Vec<(SpanId, SpanBody)>);

impl Record for HeadBlock {
    const VERSION: u8 = 2;
    const PACKED: bool = true;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

impl Record for BodyBlock {
    const VERSION: u8 = 2;
    const PACKED: bool = true;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

/// The value of a block of bodies that stand elsewhere.
pub fn encode_bodies(bodies: &[(SpanId, &SpanBody)]) -> StoreResult<Vec<u8>> {
    encode_items(keyspace::SPAN_BODY.name, BodyBlock::VERSION, bodies)
}

/// The value of a block of heads that stand elsewhere.
pub fn encode_heads(heads: &[&SpanHead]) -> StoreResult<Vec<u8>> {
    encode_items(keyspace::SPAN_HEAD.name, HeadBlock::VERSION, heads)
}

fn encode_items<T: Encode>(table: &'static str, version: u8, items: &[T]) -> StoreResult<Vec<u8>> {
    let mut out = vec![version];
    packed::pack(items, &mut out)
        .map_err(|error| StoreError::Damaged { table, message: error.to_string() })?;
    Ok(out)
}

/// Bits of a block address that count the blocks of one write.
const CHUNK_BITS: u32 = 16;

/// Where a body block stands in its trace: the revision of the write, then its place in the write.
#[must_use]
pub fn address(revision: u64, chunk: usize) -> u64 {
    (revision << CHUNK_BITS) | (chunk as u64 & ((1 << CHUNK_BITS) - 1))
}

/// Bytes of bodies after which a block is full: reading one span unpacks one block.
const BLOCK_BYTES: usize = 256 << 10;

/// Bodies cut into blocks of a size that is still quick to read for one span.
#[must_use]
pub fn cut<'a>(bodies: &[(SpanId, &'a SpanBody)]) -> Vec<Vec<(SpanId, &'a SpanBody)>> {
    let mut blocks: Vec<Vec<(SpanId, &SpanBody)>> = Vec::new();
    let mut room = 0;
    for (id, body) in bodies {
        let size = body.size();
        match blocks.last_mut() {
            Some(block) if size <= room => block.push((*id, body)),
            _ => {
                room = BLOCK_BYTES;
                blocks.push(vec![(*id, body)]);
            }
        }
        room = room.saturating_sub(size);
    }
    blocks
}
