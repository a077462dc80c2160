//! Blocks: the heads, or the bodies, that one write brought to one trace, compressed together.
//!
//! Spans of one trace repeat each other (ids, names, models, whole prompts), so a block takes a
//! third or less of its spans one by one, and one key instead of one a span.

use std::cell::RefCell;

use bincode::{
    BorrowDecode, Decode, Encode, config,
    de::{BorrowDecoder, Decoder},
    enc::Encoder,
    error::{DecodeError, EncodeError},
};

use crate::{
    model::{
        SpanId,
        span::{SpanBody, SpanHead},
    },
    store::{codec::Record, older},
};

/// Heads of one trace. The key's revision is the highest among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadBlock(pub Vec<SpanHead>);

/// Bodies, or parts of them, with their spans.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodyBlock(pub Vec<(SpanId, SpanBody)>);

impl Record for HeadBlock {
    const VERSION: u8 = 2;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

impl Record for BodyBlock {
    const VERSION: u8 = 2;

    fn decode_older(version: u8, payload: &[u8]) -> Result<Self, String> {
        older::read(version, payload)
    }
}

/// zstd's fastest ordinary level: higher ones gain a few per cent for several times the work.
const LEVEL: i32 = 1;

/// What a block may unpack to. Blocks are written far smaller; a larger figure is damage.
const MAX_UNPACKED: usize = 1 << 30;

thread_local! {
    // A context is some hundred kilobytes and costs more to make than a small block to pack.
    static PACKER: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Bytes as they are, or compressed where that makes them fewer.
#[derive(Encode, Decode)]
enum Packed {
    Plain(Vec<u8>),
    Zstd { unpacked: u64, bytes: Vec<u8> },
}

fn pack(bytes: Vec<u8>) -> Result<Packed, EncodeError> {
    let packed = PACKER.with_borrow_mut(|kept| {
        let packer = match kept {
            Some(packer) => packer,
            None => kept.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        packer.compress(&bytes)
    });
    let packed = packed.map_err(|error| EncodeError::OtherString(error.to_string()))?;
    Ok(if packed.len() < bytes.len() {
        Packed::Zstd { unpacked: bytes.len() as u64, bytes: packed }
    } else {
        Packed::Plain(bytes)
    })
}

fn unpack(packed: Packed) -> Result<Vec<u8>, DecodeError> {
    let (unpacked, bytes) = match packed {
        Packed::Plain(bytes) => return Ok(bytes),
        Packed::Zstd { unpacked, bytes } => (unpacked, bytes),
    };
    let size = usize::try_from(unpacked).ok().filter(|size| *size <= MAX_UNPACKED);
    let size = size.ok_or(DecodeError::Other("a block claims to unpack to more than a gigabyte"))?;
    UNPACKER
        .with_borrow_mut(|kept| {
            let context = match kept {
                Some(context) => context,
                None => kept.insert(zstd::bulk::Decompressor::new()?),
            };
            context.decompress(&bytes, size)
        })
        .map_err(|error| DecodeError::OtherString(error.to_string()))
}

macro_rules! packed_records {
    ($($block:ident),+) => {$(
        impl Encode for $block {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                pack(bincode::encode_to_vec(&self.0, config::standard())?)?.encode(encoder)
            }
        }

        impl<Context> Decode<Context> for $block {
            fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
                let bytes = unpack(Packed::decode(decoder)?)?;
                let (items, read) = bincode::decode_from_slice(&bytes, config::standard())?;
                if read == bytes.len() { Ok(Self(items)) } else { Err(DecodeError::Other("bytes follow the block")) }
            }
        }

        impl<'de, Context> BorrowDecode<'de, Context> for $block {
            fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
                Self::decode(decoder)
            }
        }
    )+};
}

packed_records!(HeadBlock, BodyBlock);

/// The items of a block of any version, from the bytes behind its version.
pub(in crate::store) fn unpacked_items<T: Decode<()>>(payload: &[u8]) -> Result<Vec<T>, String> {
    let told = |error: DecodeError| error.to_string();
    let (packed, read): (Packed, _) =
        bincode::decode_from_slice(payload, config::standard()).map_err(told)?;
    let bytes = unpack(packed).map_err(told)?;
    let (items, used) = bincode::decode_from_slice(&bytes, config::standard()).map_err(told)?;
    if read == payload.len() && used == bytes.len() { Ok(items) } else { Err("bytes follow it".to_owned()) }
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
pub fn cut(bodies: Vec<(SpanId, SpanBody)>) -> Vec<BodyBlock> {
    let mut blocks: Vec<BodyBlock> = Vec::new();
    let mut room = 0;
    for (id, body) in bodies {
        let size = body.size();
        match blocks.last_mut() {
            Some(block) if size <= room => block.0.push((id, body)),
            _ => {
                room = BLOCK_BYTES;
                blocks.push(BodyBlock(vec![(id, body)]));
            }
        }
        room = room.saturating_sub(size);
    }
    blocks
}
