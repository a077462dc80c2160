//! How keys are written: big-endian and hand-encoded, so that bytes sort as the values do.
//!
//! A key is a tuple of parts. Fixed parts stand as they are; a text ends with `00 01` and writes a
//! zero byte inside it as `00 ff`, so that a shorter text sorts before a longer one that it begins,
//! and no text can run into the part after it.

use crate::model::{
    ConversationId, DatasetId, DatasetItemId, EvaluationId, ExperimentId, MessageId, PlanId, ScoreId, SpanId,
    StepId, Timestamp, ToolCallId, TraceId, TurnId,
    component::VersionHash,
    dataset::ContentHash,
    evaluations::EvaluationStatus,
    message::MessageRole,
    plan::PlanStatus,
    series::{Dimension, FoundBy, Ranking, Resolution},
    trace::TraceStatus,
};

/// Something that keys are made of.
pub trait KeyPart: Sized {
    /// Writes the part's bytes.
    fn write(&self, out: &mut Vec<u8>);

    /// Reads the part from the front of `bytes` and moves past it.
    fn read(bytes: &mut &[u8]) -> Option<Self>;
}

/// A whole key.
pub trait Key: Sized {
    /// The key's bytes.
    fn encode(&self) -> Vec<u8>;

    /// The key that these bytes are, if they are one.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

impl<T: KeyPart> Key for T {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        self.write(&mut out);
        out
    }

    fn decode(mut bytes: &[u8]) -> Option<Self> {
        let key = T::read(&mut bytes)?;
        bytes.is_empty().then_some(key)
    }
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}

macro_rules! id_parts {
    ($($id:ident),+) => {$(
        impl KeyPart for $id {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(Self::from_bytes)
            }
        }
    )+};
}

id_parts!(
    ContentHash,
    ConversationId,
    DatasetId,
    DatasetItemId,
    ExperimentId,
    EvaluationId,
    MessageId,
    PlanId,
    ScoreId,
    SpanId,
    StepId,
    ToolCallId,
    TraceId,
    TurnId,
    VersionHash
);

macro_rules! number_parts {
    ($($number:ident),+) => {$(
        impl KeyPart for $number {
            fn write(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_be_bytes());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take(bytes).map(Self::from_be_bytes)
            }
        }
    )+};
}

number_parts!(u8, u16, u32, u64);

macro_rules! word_parts {
    ($($word:ident),+) => {$(
        impl KeyPart for $word {
            fn write(&self, out: &mut Vec<u8>) {
                out.push(self.code());
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                take::<1>(bytes).and_then(|[code]| Self::from_code(code))
            }
        }
    )+};
}

word_parts!(TraceStatus, PlanStatus, MessageRole, EvaluationStatus, Dimension, FoundBy, Ranking, Resolution);

impl KeyPart for Timestamp {
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.ascending());
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        take(bytes).map(Self::from_ascending)
    }
}

impl KeyPart for String {
    fn write(&self, out: &mut Vec<u8>) {
        for byte in self.bytes() {
            out.push(byte);
            if byte == 0 {
                out.push(0xff);
            }
        }
        out.extend_from_slice(&[0, 1]);
    }

    fn read(bytes: &mut &[u8]) -> Option<Self> {
        let mut text = Vec::new();
        loop {
            match take::<1>(bytes)? {
                [0] => match take::<1>(bytes)? {
                    [0xff] => text.push(0),
                    [1] => return Self::from_utf8(text).ok(),
                    _ => return None,
                },
                [byte] => text.push(byte),
            }
        }
    }
}

/// No part: what every key begins with.
impl KeyPart for () {
    fn write(&self, _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Option<Self> {
        Some(())
    }
}

macro_rules! tuple_parts {
    ($($name:ident $index:tt),+) => {
        impl<$($name: KeyPart),+> KeyPart for ($($name,)+) {
            fn write(&self, out: &mut Vec<u8>) {
                $(self.$index.write(out);)+
            }

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                Some(($($name::read(bytes)?,)+))
            }
        }
    };
}

tuple_parts!(A 0, B 1);
tuple_parts!(A 0, B 1, C 2);
tuple_parts!(A 0, B 1, C 2, D 3);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bytes_are_these() {
        let trace = TraceId::from_bytes([7; 16]);
        assert_eq!((trace, 258_u64).encode(), [[7; 16].as_slice(), &[0, 0, 0, 0, 0, 0, 1, 2]].concat());
        assert_eq!(("a\0b".to_owned(), 9_u8).encode(), [b'a', 0, 0xff, b'b', 0, 1, 9]);
        assert_eq!(Timestamp::from_nanos(0).encode(), [0x80, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Timestamp::from_nanos(-1).encode(), [0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    }

    proptest! {
        #[test]
        fn keys_sort_as_values_do(a: (String, i64, u64), b: (String, i64, u64)) {
            let key = |(text, nanos, number): &(String, i64, u64)| (text.clone(), Timestamp::from_nanos(*nanos), *number);
            prop_assert_eq!(key(&a).encode().cmp(&key(&b).encode()), a.cmp(&b));
            prop_assert_eq!(Key::decode(&key(&a).encode()), Some(key(&a)));
        }
    }
}
