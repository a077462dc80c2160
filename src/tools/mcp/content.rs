//! What a server answered, as one document: its texts, its structured content, and a word on what is no
//! text.

use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};
use serde_json::{Value, json};

use super::super::{ToolError, ToolErrorKind};
use crate::model::Json;

/// The result of a call, or the failure that the server says it is.
pub(super) fn outcome(name: &str, result: CallToolResult) -> Result<Json, ToolError> {
    let parts: Vec<_> = result.content.iter().map(told).collect();
    let text = parts.join("\n");
    if result.is_error == Some(true) {
        let said = if text.is_empty() { format!("`{name}` failed without a word") } else { text };
        return Err(ToolError::new(ToolErrorKind::Failed, said));
    }
    let Some(structured) = result.structured_content else {
        return Ok(Json::string(&text));
    };
    // A server repeats its structured content as a text, for those who read no other.
    let is_repeated =
        text.is_empty() || serde_json::from_str::<Value>(&text).is_ok_and(|said| said == structured);
    let whole = if is_repeated { structured } else { json!({"structured": structured, "text": text}) };
    // Parsed again, because it may be nested deeper than a document may be.
    Json::parse(&whole.to_string()).map_err(|error| {
        ToolError::new(ToolErrorKind::Failed, format!("`{name}` answered what cannot be kept: {error}"))
    })
}

/// A part as a text.
fn told(part: &ContentBlock) -> String {
    match part {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => left_out("an image", Some(&image.mime_type), &image.data),
        ContentBlock::Audio(audio) => left_out("a sound", Some(&audio.mime_type), &audio.data),
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => format!("{uri}:\n{text}"),
            ResourceContents::BlobResourceContents { uri, mime_type, blob, .. } => {
                left_out(uri, mime_type.as_deref(), blob)
            }
            _ => "(a resource of an unknown kind)".to_owned(),
        },
        ContentBlock::ResourceLink(link) => {
            let description = link.description.as_deref().unwrap_or_default();
            format!("{}: {} {description}", link.name, link.uri).trim_end().to_owned()
        }
        _ => "(a part of an unknown kind)".to_owned(),
    }
}

/// Words for what is not kept. Three of four characters of base64 are bytes.
fn left_out(what: &str, kind: Option<&str>, base64: &str) -> String {
    let bytes = base64.trim_end_matches('=').len().saturating_mul(3).checked_div(4).unwrap_or_default();
    format!("({what}, {}, {bytes} bytes, not shown)", kind.unwrap_or("of an unknown type"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(value: Value) -> Result<String, ToolError> {
        outcome("tool", serde_json::from_value(value).unwrap()).map(|json| json.text().to_owned())
    }

    #[test]
    fn texts_are_joined_and_what_is_none_is_described() {
        let parts = json!({"content": [
            {"type": "text", "text": "one"},
            {"type": "image", "data": "aGVsbG8=", "mimeType": "image/png"},
            {"type": "audio", "data": "aGVsbG8=", "mimeType": "audio/wav"},
            {"type": "resource", "resource": {"uri": "file:///a", "text": "two"}},
            {"type": "resource", "resource": {"uri": "file:///b", "blob": "aGVsbG8="}},
            {"type": "resource_link", "uri": "file:///c", "name": "c"},
        ]});
        let expected = "one\n(an image, image/png, 5 bytes, not shown)\n\
                        (a sound, audio/wav, 5 bytes, not shown)\nfile:///a:\ntwo\n\
                        (file:///b, of an unknown type, 5 bytes, not shown)\nc: file:///c";
        assert_eq!(result(parts).unwrap(), Json::string(expected).text());
        assert_eq!(result(json!({"content": []})).unwrap(), "\"\"");
    }

    #[test]
    fn structured_content_is_kept() {
        let text = |text: &str| json!([{"type": "text", "text": text}]);
        let structured = json!({"degrees": 21});
        for content in [text("{\"degrees\": 21}"), json!([])] {
            let kept = result(json!({"content": content, "structuredContent": structured}));
            assert_eq!(kept.unwrap(), r#"{"degrees":21}"#);
        }
        let both = result(json!({"content": text("warm"), "structuredContent": structured}));
        assert_eq!(both.unwrap(), r#"{"structured":{"degrees":21},"text":"warm"}"#);
    }

    #[test]
    fn a_failure_says_what_the_server_says() {
        let failed = json!({"content": [{"type": "text", "text": "no such file"}], "isError": true});
        let error = result(failed).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (ToolErrorKind::Failed, "no such file"));
        assert!(result(json!({"content": [], "isError": true})).unwrap_err().message.contains("tool"));
    }
}
