//! Reads the settings: defaults, a file, environment variables, flags; each wins over those before it.

use std::path::{Path, PathBuf};

use figment::{
    Error, Figment, Metadata, Profile, Provider,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Map, Value},
};
use serde::Serialize;

use super::{
    Config,
    origin::{self, COMMAND_LINE, ENVIRONMENT, PREFIX, SEPARATOR},
};

/// The file that is read if it is there and no other is named.
pub const CONFIG_FILE: &str = "dendro.toml";

/// The variable that names the file, which is no setting itself.
const FILE_VARIABLE: &str = "config";

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The file that was asked for is not there.
    #[error("there is no configuration file {}", .0.display())]
    NoFile(PathBuf),
    /// Settings are wrong: what and where, a line each.
    #[error("{}", .0.join("\n"))]
    Wrong(Vec<String>),
}

/// Settings from the command line.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    settings: Vec<(&'static str, Value)>,
}

impl Flags {
    /// Sets a key, if there is something to set it to.
    pub fn set(&mut self, key: &'static str, value: Option<impl Serialize>) -> &mut Self {
        if let Some(Ok(value)) = value.map(Value::serialize) {
            self.settings.push((key, value));
        }
        self
    }
}

impl Provider for Flags {
    fn metadata(&self) -> Metadata {
        Metadata::named(COMMAND_LINE)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut data = Dict::new();
        for (key, value) in &self.settings {
            put(&mut data, key, value);
        }
        Ok(Profile::Default.collect(data))
    }
}

/// Puts a value where its key says: each part but the last names a table.
fn put(table: &mut Dict, key: &str, value: &Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value.clone());
        }
        Some((name, rest)) => {
            let inner = table.entry(name.to_owned()).or_insert_with(|| Value::from(Dict::new()));
            if let Value::Dict(_, inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Environment variables under the name that messages use.
struct Environment(Env);

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named(ENVIRONMENT).interpolater(|_, path| origin::variable(path))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        self.0.data()
    }
}

/// Reads and checks all settings. `file` must exist; without one, [`CONFIG_FILE`] in the working
/// directory is read where it exists.
pub fn read(file: Option<&Path>, flags: &Flags) -> Result<Config, ReadError> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    let standard = Path::new(CONFIG_FILE);
    match file.or_else(|| standard.is_file().then_some(standard)) {
        Some(file) if !file.is_file() => return Err(ReadError::NoFile(file.to_owned())),
        Some(file) => figment = figment.merge(Toml::file_exact(file)),
        None => {}
    }
    let environment = Env::prefixed(PREFIX).ignore(&[FILE_VARIABLE]).split(SEPARATOR);
    let figment = figment.merge(Environment(environment)).merge(flags.clone());
    let config: Config = figment
        .extract()
        .map_err(|errors| ReadError::Wrong(errors.into_iter().map(|error| told(&error)).collect()))?;
    match config.check() {
        Ok(()) => Ok(config),
        Err(fault) => {
            let path: Vec<_> = fault.key.split('.').map(str::to_owned).collect();
            let origin = origin::describe(figment.find_metadata(fault.key), &path);
            Err(ReadError::Wrong(vec![format!("{}: {} (from {origin})", fault.key, fault.message)]))
        }
    }
}

/// An error in one line: the key, what is wrong with it, where it was set.
fn told(error: &Error) -> String {
    let origin = origin::describe(error.metadata.as_ref(), &error.path);
    let key = error.path.join(".");
    let message = match &error.kind {
        Kind::UnknownField(_, known) => format!("there is no such key; there are {}", known.join(", ")),
        Kind::UnknownVariant(found, known) => format!("`{found}` is not one of {}", known.join(", ")),
        kind => kind.to_string(),
    };
    if key.is_empty() { format!("{origin}: {message}") } else { format!("{key}: {message} (from {origin})") }
}
