//! Images, sounds, videos and files, in the many ways that forms nest the same five facts.

use serde_json::Value;

use super::{
    ChatPart,
    data::{self, Inline},
    fields::{self, Fields, take},
};

/// Levels of `image: {image: {source: {…}}}` that are entered.
const LEVELS: u8 = 6;

/// What has been found about a piece of media.
#[derive(Default)]
struct Found {
    mime_type: Option<String>,
    /// `png`, `wav`: the second half of a media type.
    format: Option<String>,
    uri: Option<String>,
    file_id: Option<String>,
    inline: Option<Inline>,
    modality: Option<String>,
}

/// Members that hold data, or say where it is.
const DATA: [&str; 11] =
    ["data", "bytes", "base64", "b64_json", "blob", "file_data", "image", "audio", "video", "file", "source"];
/// Data too, or what a text document says.
const CONTENT: &str = "content";
const ADDRESSES: [&str; 9] =
    ["url", "uri", "image_url", "audio_url", "video_url", "file_url", "document_url", "fileUri", "file_uri"];
/// Members that hold these in turn.
const WRAPPERS: [&str; 7] =
    ["input_audio", "inlineData", "inline_data", "fileData", "file_data", "document", "image_file"];

/// Whether an object plainly holds data, or says where it is.
pub(super) fn has_source(object: &Fields) -> bool {
    [&DATA[..], &ADDRESSES, &WRAPPERS, &["file_id", "fileId"]]
        .iter()
        .any(|names| fields::has_any(object, names))
}

/// Takes what a document says where it is given as text or as parts, not as data.
pub(super) fn text_document(object: &mut Fields) -> Option<Value> {
    if matches!(fields::text(object, "type"), Some("document" | "file")) && !has_source(object) {
        return take(object, &["text", CONTENT]);
    }
    let source = object.get_mut("source")?.as_object_mut()?;
    match fields::text(source, "type")? {
        "text" => take(source, &["data"]),
        "content" => take(source, &["content"]),
        _ => None,
    }
}

/// Reads a part that is media.
pub(super) fn read(object: Fields) -> ChatPart {
    let mut found = Found::default();
    found.add_all(object, LEVELS);
    let Inline { mime_type, bytes, digest } = found.inline.unwrap_or_default();
    let half = match found.modality.as_deref() {
        Some("document") | None => "application",
        Some(modality) => modality,
    };
    let from_format = || found.format.map(|format| format!("{half}/{format}"));
    let mime_type = found.mime_type.or(mime_type).or_else(from_format);
    let modality = found.modality.or_else(|| mime_type.as_deref().and_then(modality_of).map(str::to_owned));
    ChatPart::Media { mime_type, uri: found.uri.or(found.file_id), bytes, digest, modality }
}

impl Found {
    fn add_all(&mut self, object: Fields, levels: u8) {
        let Some(levels) = levels.checked_sub(1) else { return };
        for (name, value) in object {
            self.add(&name, value, levels);
        }
    }

    fn add(&mut self, name: &str, value: Value, levels: u8) {
        if let Some(modality) = modality_of(name)
            && self.modality.is_none()
        {
            self.modality = Some(modality.to_owned());
        }
        match value {
            Value::String(text) => self.add_text(name, text),
            Value::Object(inner) => self.add_all(inner, levels),
            // Bytes that JavaScript wrote down one by one.
            Value::Array(bytes) if name == "data" || name == "bytes" => {
                let bytes = u64::try_from(bytes.len()).ok();
                self.inline.get_or_insert_with(|| Inline { bytes, ..Inline::default() });
            }
            _ => {}
        }
    }

    fn add_text(&mut self, name: &str, text: String) {
        if text.is_empty() {
            return;
        }
        match name {
            "mime_type" | "mimeType" | "media_type" | "mediaType" | "contentType" | "content_type" => {
                self.mime_type.get_or_insert(text);
            }
            "modality" => self.modality = Some(text),
            "format" => self.format = Some(text),
            "type" => {
                if let Some(modality) = modality_of(&text)
                    && self.modality.is_none()
                {
                    self.modality = Some(modality.to_owned());
                }
            }
            "file_id" | "fileId" => self.file_id = Some(text),
            name if ADDRESSES.contains(&name) => self.add_address(text),
            name if name == CONTENT || DATA.contains(&name) => self.add_data(text),
            _ => {}
        }
    }

    fn add_address(&mut self, text: String) {
        match data::of_url(&text) {
            Some(inline) => self.inline = Some(inline),
            None => {
                self.uri.get_or_insert(text);
            }
        }
    }

    /// Adds data, or the address that some forms put in its place.
    fn add_data(&mut self, text: String) {
        if text.contains("://") || text.starts_with("data:") {
            self.add_address(text);
        } else {
            self.inline.get_or_insert_with(|| data::of_base64(&text).unwrap_or_default());
        }
    }
}

/// The modality that a media type, the type of a part or the name of a member begins with.
fn modality_of(name: &str) -> Option<&'static str> {
    let name = name.strip_prefix("input_").or_else(|| name.strip_prefix("output_")).unwrap_or(name);
    ["image", "audio", "video", "document"].into_iter().find(|modality| name.starts_with(modality))
}
