//! Data that stands inline is measured and left out, so that what is read of a message stays small.

use serde_json::Value;

use super::fields::{self, Fields};
use crate::model::{Json, json::MAX_DEPTH};

/// From this length on, a text of nothing but base64's letters is data, wherever it stands: no language
/// does without white space for so long.
const SURELY_DATA: usize = 1024;

/// What is known of data that stood inline.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Inline {
    /// The media type, where the data names it.
    pub mime_type: Option<String>,
    /// Its length, decoded.
    pub bytes: Option<u64>,
    /// A hash of it.
    pub digest: Option<[u8; 16]>,
}

/// Measures the data in a `data:` URL; `None` if the text is none.
pub(super) fn of_url(text: &str) -> Option<Inline> {
    let (head, data) = text.strip_prefix("data:")?.split_once(',')?;
    if head.contains(|character: char| character.is_whitespace()) {
        return None;
    }
    let mime_type = head.split(';').next().filter(|name| name.contains('/')).map(str::to_owned);
    let inline = if head.ends_with(";base64") {
        of_base64(data)?
    } else {
        let bytes: Vec<u8> = percent_encoding::percent_decode_str(data).collect();
        Inline {
            bytes: u64::try_from(bytes.len()).ok(),
            digest: Some(first_half(&blake3::hash(&bytes))),
            mime_type: None,
        }
    };
    Some(Inline { mime_type, ..inline })
}

/// Measures data in base64, of either alphabet and with or without padding and line ends; `None` if the
/// text is none. The hash is that of the letters, so nothing is decoded.
pub(super) fn of_base64(text: &str) -> Option<Inline> {
    let mut hasher = blake3::Hasher::new();
    let mut letters = 0_u64;
    let mut buffer = Vec::with_capacity(4096.min(text.len()));
    for chunk in text.as_bytes().chunks(4096) {
        buffer.clear();
        for byte in chunk {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' => buffer.push(*byte),
                b'-' => buffer.push(b'+'),
                b'_' => buffer.push(b'/'),
                b'=' | b'\n' | b'\r' | b' ' => {}
                _ => return None,
            }
        }
        letters += buffer.len() as u64;
        hasher.update(&buffer);
    }
    // Four letters are three bytes; of the last group, two are one and three are two.
    let bytes = letters / 4 * 3 + (letters % 4).saturating_sub(1);
    Some(Inline { mime_type: None, bytes: Some(bytes), digest: Some(first_half(&hasher.finalize())) })
}

/// The first half of a hash: short, and still never the same by chance.
pub(super) fn first_half(hash: &blake3::Hash) -> [u8; 16] {
    let mut half = [0; 16];
    for (to, from) in half.iter_mut().zip(hash.as_bytes()) {
        *to = *from;
    }
    half
}

/// A value as a document, without the data that stands in it.
pub(super) fn json(mut value: Value) -> Json {
    clean(&mut value, MAX_DEPTH, true);
    Json::of(&value)
}

/// A value as a document, whole.
pub(super) fn whole_json(mut value: Value) -> Json {
    clean(&mut value, MAX_DEPTH, false);
    Json::of(&value)
}

/// Cuts what is nested too deep to be read again, and replaces data by its length.
fn clean(value: &mut Value, levels: usize, measure: bool) {
    if (value.is_array() || value.is_object()) && levels == 0 {
        *value = Value::Null;
    }
    match value {
        Value::String(text) if measure => {
            if let Some(length) = instead_of(text) {
                *text = length;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, levels - 1, measure)),
        Value::Object(object) => {
            if measure && holds_data(object) {
                measure_members(object);
            }
            object.values_mut().for_each(|value| clean(value, levels - 1, measure));
        }
        _ => {}
    }
}

/// What stands in the place of a text that is data.
fn instead_of(text: &str) -> Option<String> {
    if let Some((head, data)) = text.split_once(";base64,")
        && head.starts_with("data:")
        && let Some(bytes) = of_base64(data).and_then(|inline| inline.bytes)
    {
        return Some(format!("{head};base64,[{bytes} bytes]"));
    }
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(byte);
    let is_data = text.len() >= SURELY_DATA && text.as_bytes().iter().all(is_letter);
    is_data.then(|| length_of(text)).flatten()
}

fn length_of(base64: &str) -> Option<String> {
    of_base64(base64)?.bytes.map(|bytes| format!("[{bytes} bytes]"))
}

/// Whether an object says that it holds data: by its media type, its encoding, or because it is Bedrock's
/// `{bytes}`.
fn holds_data(object: &Fields) -> bool {
    const MIME_TYPES: [&str; 4] = ["mime_type", "mimeType", "media_type", "mediaType"];
    let binary = |name: &&str| {
        fields::text(object, name).is_some_and(|name| {
            ["image/", "audio/", "video/"].iter().any(|kind| name.starts_with(kind))
                || (name.starts_with("application/") && name != "application/json")
        })
    };
    let encoding = fields::text(object, "type") == Some("base64");
    encoding || MIME_TYPES.iter().any(binary) || (object.len() == 1 && object.contains_key("bytes"))
}

fn measure_members(object: &mut Fields) {
    for name in ["data", "bytes", "base64", "blob", "content", "file_data"] {
        if let Some(Value::String(text)) = object.get_mut(name)
            && let Some(length) = length_of(text)
        {
            *text = length;
        }
    }
}
