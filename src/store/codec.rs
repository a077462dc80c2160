//! How records are written: bincode in an envelope that says which version of the format it is.
//!
//! The first byte of every value is the version of its record. A version that was once written stays
//! readable for ever: [`Record::decode_older`] turns it into today's record, and a fixture of each
//! proves it (`tests/fixtures/records`).

use bincode::{Decode, Encode, config};

use super::{StoreError, StoreResult, packed};

/// Something that is stored as one value.
pub trait Record: Encode + Decode<()> + Sized {
    /// The version that is written today.
    const VERSION: u8;
    /// Whether it is compressed.
    const PACKED: bool = false;

    /// Reads a version that is not written any more.
    fn decode_older(version: u8, _payload: &[u8]) -> Result<Self, String> {
        Err(format!("format version {version} is not known"))
    }
}

/// The value of a record.
pub fn encode<R: Record>(table: &'static str, record: &R) -> StoreResult<Vec<u8>> {
    let mut out = vec![R::VERSION];
    let written = if R::PACKED {
        packed::pack(record, &mut out)
    } else {
        bincode::encode_into_std_write(record, &mut out, config::standard()).map(drop)
    };
    written.map_err(|error| StoreError::Damaged { table, message: error.to_string() })?;
    Ok(out)
}

/// The record of a value.
pub fn decode<R: Record>(table: &'static str, value: &[u8]) -> StoreResult<R> {
    let damaged = |message: String| StoreError::Damaged { table, message };
    let (version, payload) = value.split_first().ok_or_else(|| damaged("it is empty".to_owned()))?;
    let record = if *version != R::VERSION {
        R::decode_older(*version, payload)
    } else if R::PACKED {
        packed::unpack(payload)
    } else {
        packed::read(payload)
    };
    record.map_err(damaged)
}

macro_rules! records {
    ($($record:ty = $version:literal),+ $(,)?) => {$(
        impl Record for $record {
            const VERSION: u8 = $version;
        }
    )+};
}

pub(crate) use records;
