//! How the sled engine stores a value: whole beside its key, or cut into chunks in a tree of their own.
//!
//! Small pages matter to sled for two reasons. A page has up to about 20 entries whatever their size,
//! and one above a quarter of a segment goes into a file of its own, which sled neither syncs nor keeps
//! atomic with the log: with chunks of 4 KiB and segments of 2 MiB no page gets there. And its cache
//! notices what was read with a delay of up to 64 pages in each of 256 shards, whatever their size:
//! 6,000 reads of bodies of 8 kB at random took the process to 575 MB with chunks of 16 KiB, and four
//! times as many to between 220 and 430 MB with these. Smaller ones cost more time than they save memory.

use ::sled::IVec;
use bytes::Bytes;

use crate::engine::{EngineError, EngineResult, MAX_VALUE_BYTES};

/// The longest value that is stored whole, and the length of a chunk.
pub(super) const CHUNK_BYTES: usize = 4 << 10;

/// The bytes of a log segment: a page may have a quarter of it.
pub(super) const SEGMENT_BYTES: usize = 2 << 20;

/// Below this length a copy is cheaper than to share.
const COPY_BYTES: usize = 1 << 10;

/// The first byte of what is stored: the value follows.
const WHOLE: u8 = 0;

/// The first byte of what is stored: the number of chunks follows and the length of the value, as
/// big-endian `u32`s. So the length of a chunk may change without making old values unreadable.
const CHUNKED: u8 = 1;

/// What is stored at a key.
enum Stored<'a> {
    Whole(&'a [u8]),
    Chunked { chunks: u32, length: usize },
}

/// What is stored at the key of `value`.
pub(super) fn encode(value: &[u8]) -> IVec {
    let mut stored = Vec::with_capacity(1 + value.len().min(CHUNK_BYTES));
    if value.len() <= CHUNK_BYTES {
        stored.push(WHOLE);
        stored.extend_from_slice(value);
    } else {
        stored.push(CHUNKED);
        stored.extend_from_slice(&to_u32(value.len().div_ceil(CHUNK_BYTES)).to_be_bytes());
        stored.extend_from_slice(&to_u32(value.len()).to_be_bytes());
    }
    stored.into()
}

/// The chunks of a value, with their keys; none if it is stored whole.
pub(super) fn chunks<'a>(key: &'a [u8], value: &'a [u8]) -> impl Iterator<Item = (IVec, IVec)> + 'a {
    let value = if value.len() <= CHUNK_BYTES { &[] } else { value };
    value.chunks(CHUNK_BYTES).zip(0..).map(|(chunk, index)| (chunk_key(key, index), chunk.into()))
}

/// The keys of the chunks of what is stored at `key`.
pub(super) fn chunk_keys<'a>(key: &'a [u8], stored: &[u8]) -> EngineResult<impl Iterator<Item = IVec> + 'a> {
    let chunks = match parse(stored)? {
        Stored::Whole(_) => 0,
        Stored::Chunked { chunks, .. } => chunks,
    };
    Ok((0..chunks).map(move |index| chunk_key(key, index)))
}

/// The value stored at `key`, whose chunks `chunk` finds.
pub(super) fn decode(
    key: &[u8],
    stored: &IVec,
    mut chunk: impl FnMut(&IVec) -> EngineResult<Option<IVec>>,
) -> EngineResult<Bytes> {
    let length = match parse(stored)? {
        Stored::Whole(value) => return Ok(share(stored, value)),
        Stored::Chunked { length, .. } => length,
    };
    let mut value = Vec::with_capacity(length);
    for chunk_key in chunk_keys(key, stored)? {
        let part = chunk(&chunk_key)?.ok_or_else(|| corrupt("a chunk is missing"))?;
        value.extend_from_slice(&part);
    }
    if value.len() != length {
        return Err(corrupt("a value and its chunks differ in length"));
    }
    Ok(value.into())
}

/// Whether what is stored is exactly `value`, if that can be told without its chunks.
pub(super) fn is_whole(stored: &[u8], value: &[u8]) -> Option<bool> {
    match stored.split_first() {
        Some((&WHOLE, rest)) => Some(rest == value),
        _ => None,
    }
}

fn share(stored: &IVec, value: &[u8]) -> Bytes {
    if value.len() < COPY_BYTES {
        Bytes::copy_from_slice(value)
    } else {
        Bytes::from_owner(stored.clone()).slice(1..)
    }
}

fn parse(stored: &[u8]) -> EngineResult<Stored<'_>> {
    let unknown = || corrupt("a value is of no known form");
    match stored {
        [WHOLE, value @ ..] => Ok(Stored::Whole(value)),
        [CHUNKED, rest @ ..] => {
            let ([chunks, length], []) = rest.as_chunks() else { return Err(unknown()) };
            let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
            if length > MAX_VALUE_BYTES {
                return Err(corrupt("a value claims to be longer than any"));
            }
            Ok(Stored::Chunked { chunks: u32::from_be_bytes(*chunks), length })
        }
        _ => Err(unknown()),
    }
}

/// Lengths are at most [`MAX_VALUE_BYTES`], which fits.
fn to_u32(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// No two chunks have one key: the keys of different lengths differ, and of one length they differ in
/// the key of the value or the number.
fn chunk_key(key: &[u8], index: u32) -> IVec {
    [key, &index.to_be_bytes()].concat().into()
}

fn corrupt(what: &str) -> EngineError {
    EngineError::Corrupt(what.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn round_trip(length: usize) -> (Bytes, usize) {
        let value: Vec<u8> =
            (0..length).map(|index| index.to_le_bytes()[0] ^ index.to_le_bytes()[1]).collect();
        let stored = encode(&value);
        let chunks: BTreeMap<IVec, IVec> = chunks(b"key", &value).collect();
        let listed: Vec<IVec> = chunk_keys(b"key", &stored).unwrap().collect();
        assert_eq!(listed, chunks.keys().cloned().collect::<Vec<_>>());
        let found = decode(b"key", &stored, |key| Ok(chunks.get(key).cloned())).unwrap();
        assert_eq!(found, value);
        (found, chunks.len())
    }

    #[test]
    fn values_come_back_whole_or_in_chunks() {
        for (length, chunks) in
            [(0, 0), (1, 0), (1023, 0), (1024, 0), (4096, 0), (4097, 2), (8192, 2), (8193, 3)]
        {
            assert_eq!(round_trip(length).1, chunks, "{length} bytes");
        }
    }

    #[test]
    fn the_stored_bytes_are_as_documented() {
        assert_eq!(encode(b"ab"), IVec::from(b"\x00ab"));
        assert_eq!(encode(&vec![7; 20_000]), IVec::from(b"\x01\x00\x00\x00\x05\x00\x00\x4e\x20"));
        assert_eq!(chunk_key(b"k", 258), IVec::from(b"k\x00\x00\x01\x02"));
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let no_chunk = b"\x01\x00\x00\x00\x00\x00\x00\x00\x09";
        let too_long = b"\x01\x00\x00\x00\x01\xff\xff\xff\xff";
        for stored in [&b""[..], b"\x02", b"\x01", b"\x01\x00\x00", no_chunk, too_long] {
            assert!(decode(b"key", &stored.into(), |_| Ok(None)).is_err());
            assert!(decode(b"key", &stored.into(), |_| Ok(Some(IVec::from(b"x")))).is_err());
        }
    }
}
