//! How the sled engine stores a value: whole beside its key, or cut into chunks in a tree of their own.
//!
//! sled keeps up to about 20 entries in a page, and writes a page above a quarter of a segment into a
//! file of its own, which it neither syncs nor keeps atomic with the log. With chunks of at most 16 KiB
//! and segments of 2 MiB no page ever gets there.

use ::sled::IVec;
use bytes::Bytes;

use crate::engine::{EngineError, EngineResult, MAX_VALUE_BYTES};

/// The longest value that is stored whole, and the length of a chunk.
pub(super) const CHUNK_BYTES: usize = 16 << 10;

/// The bytes of a log segment: a page may have a quarter of it.
pub(super) const SEGMENT_BYTES: usize = 2 << 20;

/// Below this length a copy is cheaper than to share.
const COPY_BYTES: usize = 1 << 10;

/// The first byte of what is stored: the value follows.
const WHOLE: u8 = 0;

/// The first byte of what is stored: the length of a value in chunks follows.
const CHUNKED: u8 = 1;

/// What is stored at the key of `value`.
pub(super) fn encode(value: &[u8]) -> IVec {
    let (tag, length);
    let rest = if value.len() <= CHUNK_BYTES {
        tag = WHOLE;
        value
    } else {
        tag = CHUNKED;
        length = (value.len() as u64).to_be_bytes();
        &length[..]
    };
    let mut stored = Vec::with_capacity(1 + rest.len());
    stored.push(tag);
    stored.extend_from_slice(rest);
    stored.into()
}

/// The chunks of a value, with their keys; none if it is stored whole.
pub(super) fn chunks<'a>(key: &'a [u8], value: &'a [u8]) -> impl Iterator<Item = (IVec, IVec)> + 'a {
    let value = if value.len() <= CHUNK_BYTES { &[] } else { value };
    value.chunks(CHUNK_BYTES).zip(0..).map(|(chunk, index)| (chunk_key(key, index), chunk.into()))
}

/// The keys of the chunks of what is stored at `key`.
pub(super) fn chunk_keys<'a>(key: &'a [u8], stored: &[u8]) -> EngineResult<impl Iterator<Item = IVec> + 'a> {
    let count = match split(stored)? {
        (WHOLE, _) => 0,
        (_, rest) => length(rest)?.div_ceil(CHUNK_BYTES as u64),
    };
    Ok((0_u32..).take_while(move |index| u64::from(*index) < count).map(move |index| chunk_key(key, index)))
}

/// The value stored at `key`, whose chunks `chunk` finds.
pub(super) fn decode(
    key: &[u8],
    stored: &IVec,
    mut chunk: impl FnMut(&IVec) -> EngineResult<Option<IVec>>,
) -> EngineResult<Bytes> {
    let (tag, rest) = split(stored)?;
    if tag == WHOLE {
        return Ok(share(stored, rest));
    }
    let length = length(rest)?;
    let mut value = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    for chunk_key in chunk_keys(key, stored)? {
        let part = chunk(&chunk_key)?.ok_or_else(|| corrupt("a chunk is missing"))?;
        value.extend_from_slice(&part);
    }
    if value.len() as u64 != length {
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

fn share(stored: &IVec, rest: &[u8]) -> Bytes {
    if rest.len() < COPY_BYTES {
        Bytes::copy_from_slice(rest)
    } else {
        Bytes::from_owner(stored.clone()).slice(1..)
    }
}

fn split(stored: &[u8]) -> EngineResult<(u8, &[u8])> {
    match stored.split_first() {
        Some((tag @ (&WHOLE | &CHUNKED), rest)) => Ok((*tag, rest)),
        _ => Err(corrupt("a value begins with an unknown byte")),
    }
}

fn length(rest: &[u8]) -> EngineResult<u64> {
    let length = rest.try_into().map(u64::from_be_bytes);
    match length {
        Ok(length) if length <= MAX_VALUE_BYTES as u64 => Ok(length),
        _ => Err(corrupt("the length of a value is damaged")),
    }
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
            [(0, 0), (1, 0), (1023, 0), (1024, 0), (16_384, 0), (16_385, 2), (32_768, 2), (32_769, 3)]
        {
            assert_eq!(round_trip(length).1, chunks, "{length} bytes");
        }
    }

    #[test]
    fn the_stored_bytes_are_as_documented() {
        assert_eq!(encode(b"ab"), IVec::from(b"\x00ab"));
        assert_eq!(encode(&vec![7; 20_000]), IVec::from(b"\x01\x00\x00\x00\x00\x00\x00\x4e\x20"));
        assert_eq!(chunk_key(b"k", 258), IVec::from(b"k\x00\x00\x01\x02"));
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        for stored in [&b""[..], b"\x02", b"\x01", b"\x01\x00\x00", b"\x01\x00\x00\x00\x00\x00\x00\x00\x09"] {
            assert!(decode(b"key", &stored.into(), |_| Ok(None)).is_err());
            assert!(decode(b"key", &stored.into(), |_| Ok(Some(IVec::from(b"x")))).is_err());
        }
    }
}
