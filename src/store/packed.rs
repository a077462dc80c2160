//! Values that are compressed: a tag that says whether they are, then the bytes. What compression does not make
//! smaller stays as it is.

use std::{cell::RefCell, io};

use bincode::{BorrowDecode, Decode, Encode, config, error::EncodeError};
use zstd::{bulk::Compressor, zstd_safe::CParameter};

/// zstd's fastest ordinary level: higher ones gain a few per cent for several times the work.
const LEVEL: i32 = 1;

/// Bytes that a match has at least, and (below) the places that are remembered, as a power of two. Texts repeat in long
/// pieces: for blocks of spans that takes a tenth less time than the level's own 5 or 6 and 13 or 14, and a
/// hundredth less room.
const MIN_MATCH: u32 = 7;

/// See [`MIN_MATCH`].
const HASH_LOG: u32 = 15;

/// Bytes below which compressing gains little.
const SMALL: usize = 128;

/// What a value may unpack to. Values are written far smaller; a larger figure is damage.
const MAX_UNPACKED: usize = 1 << 30;

/// What a thread packs and unpacks with. A context is some hundred kilobytes, and buffers of some size are
/// given back to the system between two uses: both cost more to make than a small value to pack.
#[derive(Default)]
struct Bench {
    packer: Option<Compressor<'static>>,
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
#[derive(Encode, BorrowDecode)]
enum Packed<'a> {
    Plain(&'a [u8]),
    Zstd { unpacked: u64, bytes: &'a [u8] },
}

fn new_packer() -> io::Result<Compressor<'static>> {
    let mut packer = Compressor::new(LEVEL)?;
    packer.set_parameter(CParameter::MinMatch(MIN_MATCH))?;
    packer.set_parameter(CParameter::HashLog(HASH_LOG))?;
    Ok(packer)
}

/// Writes `value`, compressed, behind what is in `out`.
pub(super) fn pack<T: Encode + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    BENCH.with_borrow_mut(|Bench { packer, plain, packed, .. }| {
        plain.clear();
        bincode::encode_into_std_write(value, plain, config::standard())?;
        let told = |error: std::io::Error| EncodeError::OtherString(error.to_string());
        packed.clear();
        if plain.len() >= SMALL {
            let context = match packer {
                Some(context) => context,
                None => packer.insert(new_packer().map_err(told)?),
            };
            packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
            context.compress_to_buffer(plain, packed).map_err(told)?;
        }
        let packing = if (1..plain.len()).contains(&packed.len()) {
            Packed::Zstd { unpacked: plain.len() as u64, bytes: packed }
        } else {
            Packed::Plain(plain)
        };
        out.reserve(plain.len().min(packed.len().max(SMALL)) + 24);
        bincode::encode_into_std_write(packing, out, config::standard())?;
        plain.shrink_to(KEPT_BYTES);
        packed.shrink_to(KEPT_BYTES);
        Ok(())
    })
}

/// Reads what [`pack`] wrote, which must be all of `bytes`.
pub(super) fn unpack<T: Decode<()>>(bytes: &[u8]) -> Result<T, String> {
    let (packed, length): (Packed<'_>, _) =
        bincode::borrow_decode_from_slice(bytes, config::standard()).map_err(|error| error.to_string())?;
    ends_at(length, bytes)?;
    let (unpacked, bytes) = match packed {
        Packed::Plain(bytes) => return read(bytes),
        Packed::Zstd { unpacked, bytes } => (unpacked, bytes),
    };
    let size = usize::try_from(unpacked).ok().filter(|size| *size <= MAX_UNPACKED);
    let size = size.ok_or("it claims to unpack to more than a gigabyte")?;
    BENCH.with_borrow_mut(|Bench { unpacker, plain, .. }| {
        let told = |error: std::io::Error| error.to_string();
        let context = match unpacker {
            Some(context) => context,
            None => unpacker.insert(zstd::bulk::Decompressor::new().map_err(told)?),
        };
        plain.clear();
        plain.reserve(size);
        context.decompress_to_buffer(bytes, plain).map_err(told)?;
        let value = read(plain);
        plain.shrink_to(KEPT_BYTES);
        value
    })
}

/// Reads what bincode wrote, which must be all of `bytes`.
pub(super) fn read<T: Decode<()>>(bytes: &[u8]) -> Result<T, String> {
    // No bound on memory is needed beyond the bytes' own number: lengths are checked against it.
    let (value, length) =
        bincode::decode_from_slice(bytes, config::standard()).map_err(|error| error.to_string())?;
    ends_at(length, bytes).map(|()| value)
}

fn ends_at(length: usize, bytes: &[u8]) -> Result<(), String> {
    match bytes.len() - length {
        0 => Ok(()),
        more => Err(format!("{more} bytes follow it")),
    }
}
