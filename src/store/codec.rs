//! How records are written: bincode in an envelope that says which version of the format it is.
//!
//! The first byte of every value is the version of its record. A version that was once written stays
//! readable for ever: [`Record::decode_older`] turns it into today's record, and a fixture of each
//! proves it (`tests/fixtures/records`).

use bincode::{Decode, Encode, config};

use super::{StoreError, StoreResult};

/// Something that is stored as one value.
pub trait Record: Encode + Decode<()> + Sized {
    /// The version that is written today.
    const VERSION: u8;

    /// Reads a version that is not written any more.
    fn decode_older(version: u8, _payload: &[u8]) -> Result<Self, String> {
        Err(format!("format version {version} is not known"))
    }
}

/// The value of a record.
pub fn encode<R: Record>(table: &'static str, record: &R) -> StoreResult<Vec<u8>> {
    let mut out = vec![R::VERSION];
    bincode::encode_into_std_write(record, &mut out, config::standard())
        .map_err(|error| StoreError::Damaged { table, message: error.to_string() })?;
    Ok(out)
}

/// The record of a value.
pub fn decode<R: Record>(table: &'static str, value: &[u8]) -> StoreResult<R> {
    let damaged = |message: String| StoreError::Damaged { table, message };
    let (version, payload) = value.split_first().ok_or_else(|| damaged("it is empty".to_owned()))?;
    if *version != R::VERSION {
        return R::decode_older(*version, payload).map_err(damaged);
    }
    // No bound on memory is needed beyond the value's own length: lengths are checked against it.
    let (record, read) = bincode::decode_from_slice(payload, config::standard())
        .map_err(|error| damaged(error.to_string()))?;
    if read != payload.len() {
        return Err(damaged(format!("{} bytes follow it", payload.len() - read)));
    }
    Ok(record)
}

macro_rules! records {
    ($($record:ty = $version:literal),+ $(,)?) => {$(
        impl Record for $record {
            const VERSION: u8 = $version;
        }
    )+};
}

pub(crate) use records;
