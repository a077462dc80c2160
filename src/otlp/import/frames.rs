//! Requests one after the other, each behind its length, packed or not.

use std::io::{self, BufRead, Read};

use bytes::Bytes;

use crate::service::import::{MAX_RECORD_BYTES, ZSTD_MAGIC, Zstd, unreadable};

/// What a request begins with: the tag of its first field. A length begins with it only where it is far
/// larger than a request may be.
const FIRST_TAG: u8 = 0x0a;

/// Cuts a file into requests.
pub(super) struct Frames<R> {
    input: R,
    /// Requests that were found.
    number: u64,
    ended: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, number: 0, ended: false }
    }

    /// The number of the request that was found last, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    fn read(&mut self) -> Result<Option<Bytes>, String> {
        let Some(first) = self.input.fill_buf().map_err(|error| unreadable(&error))?.first().copied() else {
            return Ok(None);
        };
        self.number += 1;
        if self.number == 1 && first == FIRST_TAG {
            self.ended = true;
            return self.take(MAX_RECORD_BYTES + 1, false).map(Some);
        }
        let length = self.take(4, true)?;
        let length = length.first_chunk().copied().map_or(0, u32::from_be_bytes) as usize;
        if length > MAX_RECORD_BYTES {
            return Err(format!(
                "its length is told to be {length} bytes, and {MAX_RECORD_BYTES} are the most; a file of several \
                 requests has before each its length in four bytes, the most significant first"
            ));
        }
        self.take(length, true).map(Some)
    }

    /// The next bytes: as many as are asked for, or what is left where that may be less.
    fn take(&mut self, count: usize, whole: bool) -> Result<Bytes, String> {
        let mut bytes = Vec::new();
        let read = self.input.by_ref().take(count as u64).read_to_end(&mut bytes);
        read.map_err(|error| unreadable(&error))?;
        match whole {
            true if bytes.len() < count => Err("the file ends in the middle of it".to_owned()),
            false if bytes.len() == count => {
                Err(format!("longer than {} MiB, which a request may not be", MAX_RECORD_BYTES >> 20))
            }
            _ => Ok(bytes.into()),
        }
    }
}

impl<R: BufRead> Iterator for Frames<R> {
    type Item = Result<Bytes, String>;

    /// The next request; after an error nothing can be read.
    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.read();
        self.ended |= next.is_err();
        next.transpose()
    }
}

/// Unpacks a request that was packed by itself. One that is empty has nothing to be packed.
pub(super) fn unpacked(request: &Bytes) -> Result<Bytes, String> {
    if request.is_empty() {
        return Ok(Bytes::new());
    }
    if !request.starts_with(&ZSTD_MAGIC) {
        return Err("it is not packed with zstd, as the file's first request is".to_owned());
    }
    let mut bytes = Vec::new();
    let unpack = |bytes| Zstd::new(request.as_ref())?.take(MAX_RECORD_BYTES as u64 + 1).read_to_end(bytes);
    match unpack(&mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err("its compressed data ends before its time".to_owned())
        }
        Err(error) => Err(unreadable(&error)),
        Ok(_) if bytes.len() > MAX_RECORD_BYTES => Err(format!(
            "unpacked it is longer than {} MiB, which a request may not be",
            MAX_RECORD_BYTES >> 20
        )),
        Ok(_) => Ok(bytes.into()),
    }
}
