//! Where in a document something stands.

use serde_path_to_error::{Path, Segment};

use crate::model::text::shortened;

/// A place as fields are named everywhere: `toolCalls.0.name`.
pub(crate) fn named(path: &Path) -> String {
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } => shortened(key, 60),
        Segment::Enum { variant } => shortened(variant, 60),
        Segment::Unknown => "?".to_owned(),
    };
    path.iter().map(segment).collect::<Vec<_>>().join(".")
}
