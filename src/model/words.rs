//! Enums that are written the same way everywhere: in the API, in filters, in refusals and on disk.

/// Declares an enum with its stable code on disk and its name in the API.
///
/// The code is written in records and keys: a code is never reused and never changes.
macro_rules! words {
    ($(#[doc = $doc:literal])+ $name:ident { $($(#[doc = $word_doc:literal])+ $word:ident = $code:literal $text:literal),+ $(,)? }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $($(#[doc = $word_doc])+ $word),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// What the values are of, in words.
            pub const MEANING: &str = concat!($($doc),+).trim_ascii();

            /// The code in records and keys.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$word => $code),+ }
            }

            /// The value with this code.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$word),)+ _ => None }
            }

            /// The name in the API.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }

            /// What the value means, in words: the API's text for people.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$word => concat!($($word_doc),+).trim_ascii()),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.text())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|word| word.text().eq_ignore_ascii_case(text)).ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|word| word.text()).collect();
                    format!("`{}` is not one of {}", crate::model::text::shortened(text, 60), all.join(", "))
                })
            }
        }

        impl bincode::Encode for $name {
            fn encode<E: bincode::enc::Encoder>(&self, encoder: &mut E) -> Result<(), bincode::error::EncodeError> {
                self.code().encode(encoder)
            }
        }

        impl<Context> bincode::Decode<Context> for $name {
            fn decode<D: bincode::de::Decoder<Context = Context>>(decoder: &mut D) -> Result<Self, bincode::error::DecodeError> {
                let code = u8::decode(decoder)?;
                Self::from_code(code).ok_or(bincode::error::DecodeError::Other(concat!("unknown code of ", stringify!($name))))
            }
        }
        bincode::impl_borrow_decode!($name);
    };
}

pub(crate) use words;

/// Words in JSON, by their names in the API. For `#[serde(with = …)]`.
pub(crate) mod as_text {
    use std::{borrow::Cow, fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<T: Display, S: Serializer>(word: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(word)
    }

    pub fn deserialize<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// As [`as_text`], of a word that may be missing.
pub(crate) mod as_optional_text {
    use std::{borrow::Cow, fmt::Display, str::FromStr};

    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::ref_option, reason = "so it is called")]
    pub fn serialize<T: Display, S: Serializer>(word: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match word {
            Some(word) => serializer.collect_str(word),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        let text = Option::<Cow<'de, str>>::deserialize(deserializer)?;
        text.map(|text| text.parse().map_err(D::Error::custom)).transpose()
    }
}
