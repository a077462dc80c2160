//! Blocks: the heads, or the bodies, that one write brought to one trace, compressed together.
//!
//! Spans of one trace repeat each other (ids, names, models, whole prompts), so a block takes a
//! third or less of its spans one by one, and one key instead of one a span.

use std::cell::RefCell;

use bincode::{
    BorrowDecode, Decode, Encode, config,
    de::{BorrowDecoder, Decoder},
    enc::{Encoder, write::Writer},
    error::{DecodeError, EncodeError},
};

use crate::{
    model::{
        SpanId,
        span::{SpanBody, SpanHead},
    },
    store::{StoreError, StoreResult, codec::Record, keyspace, older},
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

/// What a thread packs and unpacks with. A context is some hundred kilobytes, and buffers of some size are
/// given back to the system between two uses: both cost more to make than a small block to pack.
#[derive(Default)]
struct Bench {
    packer: Option<zstd::bulk::Compressor<'static>>,
    unpacker: Option<zstd::bulk::Decompressor<'static>>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

thread_local! {
    static BENCH: RefCell<Bench> = RefCell::default();
}

/// Bytes that a thread's buffers keep between two uses.
const KEPT_BYTES: usize = 1 << 20;

/// Bytes as they are, or compressed where that makes them fewer.
#[derive(Decode)]
enum Packed {
    Plain(Vec<u8>),
    Zstd { unpacked: u64, bytes: Vec<u8> },
}

/// As [`Packed`], to be written.
#[derive(Encode)]
enum Packing<'a> {
    Plain(&'a [u8]),
    Zstd { unpacked: u64, bytes: &'a [u8] },
}

/// Writes items, compressed, behind what is in `out`.
fn pack<T: Encode + ?Sized>(items: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    BENCH.with_borrow_mut(|Bench { packer, plain, packed, .. }| {
        plain.clear();
        bincode::encode_into_std_write(items, plain, config::standard())?;
        let told = |error: std::io::Error| EncodeError::OtherString(error.to_string());
        let context = match packer {
            Some(context) => context,
            None => packer.insert(zstd::bulk::Compressor::new(LEVEL).map_err(told)?),
        };
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        context.compress_to_buffer(plain, packed).map_err(told)?;
        let packing = if packed.len() < plain.len() {
            Packing::Zstd { unpacked: plain.len() as u64, bytes: packed }
        } else {
            Packing::Plain(plain)
        };
        out.reserve(plain.len().min(packed.len()) + 24);
        bincode::encode_into_std_write(packing, out, config::standard())?;
        plain.shrink_to(KEPT_BYTES);
        packed.shrink_to(KEPT_BYTES);
        Ok(())
    })
}

/// Unpacks bytes and reads what they hold.
fn unpack<T>(packed: &Packed, read: impl FnOnce(&[u8]) -> Result<T, DecodeError>) -> Result<T, DecodeError> {
    let (unpacked, bytes) = match packed {
        Packed::Plain(bytes) => return read(bytes),
        Packed::Zstd { unpacked, bytes } => (*unpacked, bytes),
    };
    let size = usize::try_from(unpacked).ok().filter(|size| *size <= MAX_UNPACKED);
    let size = size.ok_or(DecodeError::Other("a block claims to unpack to more than a gigabyte"))?;
    BENCH.with_borrow_mut(|Bench { unpacker, plain, .. }| {
        let told = |error: std::io::Error| DecodeError::OtherString(error.to_string());
        let context = match unpacker {
            Some(context) => context,
            None => unpacker.insert(zstd::bulk::Decompressor::new().map_err(told)?),
        };
        plain.clear();
        plain.reserve(size);
        context.decompress_to_buffer(bytes, plain).map_err(told)?;
        let items = read(plain);
        plain.shrink_to(KEPT_BYTES);
        items
    })
}

fn read_items<T: Decode<()>>(bytes: &[u8]) -> Result<Vec<T>, DecodeError> {
    let (items, read) = bincode::decode_from_slice(bytes, config::standard())?;
    if read == bytes.len() { Ok(items) } else { Err(DecodeError::Other("bytes follow the block")) }
}

macro_rules! packed_records {
    ($($block:ident),+) => {$(
        impl Encode for $block {
            fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
                let mut out = Vec::new();
                pack(&self.0, &mut out)?;
                encoder.writer().write(&out)
            }
        }

        impl<Context> Decode<Context> for $block {
            fn decode<D: Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, DecodeError> {
                Ok(Self(unpack(&Packed::decode(decoder)?, read_items)?))
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
    pack(items, &mut out).map_err(|error| StoreError::Damaged { table, message: error.to_string() })?;
    Ok(out)
}

/// The items of a block of any version, from the bytes behind its version.
pub(in crate::store) fn unpacked_items<T: Decode<()>>(payload: &[u8]) -> Result<Vec<T>, String> {
    let told = |error: DecodeError| error.to_string();
    let (packed, read): (Packed, _) =
        bincode::decode_from_slice(payload, config::standard()).map_err(told)?;
    let items = unpack(&packed, read_items).map_err(told)?;
    if read == payload.len() { Ok(items) } else { Err("bytes follow it".to_owned()) }
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
