//! Says in words where a setting comes from.

use figment::{Metadata, Profile, Source};

/// What the provider of environment variables is called here.
pub(super) const ENVIRONMENT: &str = "the environment";

/// What the provider of flags is called here.
pub(super) const COMMAND_LINE: &str = "the command line";

/// What begins the name of every variable that is read.
pub(super) const PREFIX: &str = "DENDRO_";

/// What stands between the section and the key in a variable's name.
pub(super) const SEPARATOR: &str = "__";

/// Where the setting at `path` was made, as a phrase.
pub(super) fn describe(metadata: Option<&Metadata>, path: &[String]) -> String {
    let Some(metadata) = metadata else { return "the defaults".to_owned() };
    match &metadata.source {
        Some(Source::File(file)) => file.display().to_string(),
        _ if metadata.name == COMMAND_LINE => COMMAND_LINE.to_owned(),
        _ if metadata.name == ENVIRONMENT => {
            let variable = metadata.interpolate(&Profile::Default, path);
            format!("{ENVIRONMENT}: {variable}")
        }
        _ => "the defaults".to_owned(),
    }
}

/// The variable that sets the key at this path.
pub(super) fn variable(path: &[&str]) -> String {
    let path: Vec<_> = path.iter().map(|part| part.to_ascii_uppercase()).collect();
    format!("{PREFIX}{}", path.join(SEPARATOR))
}
