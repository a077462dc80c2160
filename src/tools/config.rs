//! What can be set of tools. Nothing is started here, and no file is read.

use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

use super::{
    builtin::AllowList,
    mcp::http_headers,
    names::{MAX_NAME, is_name},
};
use crate::model::secret::{HIDDEN, Secret};

/// The tools that agents may call, and what bounds a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ToolsConfig {
    /// Seconds that a call may take. A minute: who waits for an agent does not wait for longer, and what
    /// answers at all has mostly done so by then.
    pub timeout_seconds: u64,
    /// Bytes of an answer at most; what is longer is cut and says so. 64 KiB are some 16,000 tokens, which
    /// each later call of the model pays for again.
    pub output_bytes: usize,
    /// Names of tools that may not be called. None: what is there is safe or was set up by its user.
    pub disabled: Vec<String>,
    /// The tool that reads web pages.
    pub read_url: ReadUrlConfig,
    /// MCP servers whose tools are offered, by a name of letters, digits, `_` and `-`. None: each is a
    /// program of somebody else.
    pub mcp: BTreeMap<String, McpServerConfig>,
}

/// What may be read of the web.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReadUrlConfig {
    /// The hosts that may be read: `example.com`, `*.example.com` for all below it, with `:PORT` where the
    /// port is not the scheme's own. Without any the tool is not there: what an agent reads may steer it.
    pub allow: Vec<String>,
    /// Bytes of a page that are read; the rest is left out. 2 MiB: markup is many times its text.
    pub bytes: usize,
}

/// An MCP server: a program that is started, or a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct McpServerConfig {
    /// The program, which talks over its standard input and output.
    pub command: Option<String>,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables of its environment, which otherwise has only what a program needs to find its way
    /// (`PATH`, `HOME` and the like): this one's own variables hold keys.
    pub env: BTreeMap<String, Secret>,
    /// The folder that it works in; without one, this program's.
    pub cwd: Option<PathBuf>,
    /// The address of a server that is there already: streamable HTTP.
    pub url: Option<String>,
    /// Headers of each request to it: `Authorization`.
    pub headers: BTreeMap<String, Secret>,
    /// Seconds until it has to be ready. 30: the first start of an npm package downloads it.
    pub start_seconds: u64,
}

impl Default for ToolsConfig {
    fn default() -> Self {
        Self {
            timeout_seconds: 60,
            output_bytes: 64 << 10,
            disabled: Vec::new(),
            read_url: ReadUrlConfig::default(),
            mcp: BTreeMap::new(),
        }
    }
}

impl Default for ReadUrlConfig {
    fn default() -> Self {
        Self { allow: Vec::new(), bytes: 2 << 20 }
    }
}

impl Default for McpServerConfig {
    fn default() -> Self {
        Self {
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            cwd: None,
            url: None,
            headers: BTreeMap::new(),
            start_seconds: 30,
        }
    }
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongSetting {
    /// The key: `tools.read_url.allow`.
    pub key: &'static str,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Seconds that a call or a start may be given at most: a day, which no clock overflows by.
const MAX_SECONDS: u64 = 86_400;

/// Bytes of an answer at least, so that the words on its cut have room, and at most.
const OUTPUT_BYTES: (usize, usize) = (256, 4 << 20);

/// Bytes of a page at least and at most.
const PAGE_BYTES: (usize, usize) = (1 << 10, 64 << 20);

impl ToolsConfig {
    /// How long a call may take.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// Checks what the types cannot say. The first fault is told.
    pub fn check(&self) -> Result<(), WrongSetting> {
        between("tools.timeout_seconds", self.timeout_seconds, (1, MAX_SECONDS))?;
        between("tools.output_bytes", self.output_bytes, OUTPUT_BYTES)?;
        between("tools.read_url.bytes", self.read_url.bytes, PAGE_BYTES)?;
        let wrong = |key, message| WrongSetting { key, message };
        AllowList::parse(&self.read_url.allow).map_err(|message| wrong("tools.read_url.allow", message))?;
        if let Some(name) = self.disabled.iter().find(|name| !is_name(name)) {
            let message = format!("`{name}` is no name of a tool: letters, digits, `_` and `-`");
            return Err(wrong("tools.disabled", message));
        }
        for (name, server) in &self.mcp {
            server
                .check(name)
                .map_err(|message| wrong("tools.mcp", format!("server `{name}`: {message}")))?;
        }
        Ok(())
    }
}

impl McpServerConfig {
    /// How long it may take until it is ready.
    #[must_use]
    pub const fn start_time(&self) -> Duration {
        Duration::from_secs(self.start_seconds)
    }

    fn check(&self, name: &str) -> Result<(), String> {
        if !is_name(name) || name.len() > MAX_NAME / 2 {
            return Err(format!("its name is to be letters, digits, `_` and `-`, at most {}", MAX_NAME / 2));
        }
        if !(1..=MAX_SECONDS).contains(&self.start_seconds) {
            return Err(format!(
                "start_seconds is {}, which is not between 1 and {MAX_SECONDS}",
                self.start_seconds
            ));
        }
        let mut secrets = self.env.iter().chain(&self.headers);
        if let Some((name, _)) = secrets.find(|(_, value)| value.expose() == HIDDEN) {
            return Err(format!("`{name}` is {HIDDEN}, which is shown instead of a value; it needs its own"));
        }
        match (&self.command, &self.url) {
            (Some(command), None) => self.check_command(command),
            (None, Some(url)) => self.check_url(url),
            (Some(_), Some(_)) => Err("it has `command` and `url`; one of them says what it is".to_owned()),
            (None, None) => Err("it needs `command`, for a program, or `url`".to_owned()),
        }
    }

    fn check_command(&self, command: &str) -> Result<(), String> {
        if command.trim().is_empty() {
            return Err("`command` is empty; it is the name of a program, such as `npx`".to_owned());
        }
        if !self.headers.is_empty() {
            return Err("`headers` are for a server with `url`; a program has `env`".to_owned());
        }
        if let Some(name) = self.env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
            return Err(format!("`{name}` in `env` is no name of a variable"));
        }
        let texts = self.args.iter().map(String::as_str).chain(self.env.values().map(Secret::expose));
        if texts.chain([command]).any(|text| text.contains('\0')) {
            return Err("a NUL is in its command, arguments or variables".to_owned());
        }
        Ok(())
    }

    fn check_url(&self, url: &str) -> Result<(), String> {
        if !self.args.is_empty() || !self.env.is_empty() || self.cwd.is_some() {
            return Err("`args`, `env` and `cwd` are for a server with `command`".to_owned());
        }
        let parsed = reqwest::Url::parse(url).map_err(|error| format!("`{url}` is no URL: {error}"))?;
        if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
            return Err(format!("`{url}` is to begin with http:// or https://"));
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err("`url` has a user's name or a password; those go into `headers`".to_owned());
        }
        http_headers(&self.headers).map(drop)
    }
}

fn between<T: PartialOrd + fmt::Display + Copy>(
    key: &'static str,
    value: T,
    (least, most): (T, T),
) -> Result<(), WrongSetting> {
    if value >= least && value <= most {
        return Ok(());
    }
    Err(WrongSetting { key, message: format!("{value} is not between {least} and {most}") })
}
