//! The memory that bodies of requests are received in. One is some hundred kilobytes, and to be given new memory
//! of that size by the system for each costs more than to read what is in it.

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

/// Buffers that wait to be used again.
const MOST: usize = 16;

/// Bytes of a buffer that is kept; smaller ones are quickly made, larger ones are rare.
const KEPT: std::ops::RangeInclusive<usize> = (32 << 10)..=(1 << 20);

/// Buffers that were used.
#[derive(Default)]
pub(super) struct Buffers(Mutex<Vec<BytesMut>>);

impl Buffers {
    /// An empty buffer with room for so many bytes.
    pub(super) fn take(&self, bytes: usize) -> BytesMut {
        let mut buffer = self.0.lock().pop().unwrap_or_default();
        buffer.reserve(bytes);
        buffer
    }

    /// Keeps the memory of a body, if nobody else looks at it any more.
    pub(super) fn give(&self, body: Bytes) {
        let Ok(mut buffer) = body.try_into_mut() else { return };
        if KEPT.contains(&buffer.capacity()) {
            buffer.clear();
            let mut kept = self.0.lock();
            if kept.len() < MOST {
                kept.push(buffer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_once_nobody_looks_at_it() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take(100_000);
        buffer.resize(100_000, 7);
        let (body, place) = (buffer.freeze(), |bytes: &[u8]| bytes.as_ptr() as usize);
        let first = place(&body);
        let reader = body.clone();
        buffers.give(body);
        assert_ne!(place(&buffers.take(100_000)), first);
        buffers.give(reader);
        let again = buffers.take(100_000);
        assert!(again.is_empty() && place(&again) == first);
    }
}
