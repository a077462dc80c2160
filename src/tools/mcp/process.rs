//! A server's program: started in a group of its own, what it complains of logged, and ended with all that
//! it started.

use std::{process::Stdio, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
    time::timeout,
};

use super::super::McpServerConfig;

use crate::model::{secret::Secret, text::shortened};

/// Variables that are passed on: what a program needs to find its files, its user and its language.
const PASSED_ON: &[&str] =
    &["HOME", "LANG", "LC_ALL", "LOGNAME", "PATH", "SHELL", "TEMP", "TERM", "TMP", "TMPDIR", "TZ", "USER"];

/// Bytes of a line of its complaints at most, and lines of one run that are logged.
const LINE_BYTES: u64 = 1_024;
const LINES: usize = 1_000;

/// How long the end of a program that was killed is waited for.
const END_TIME: Duration = Duration::from_secs(2);

/// A program that runs. Dropping it kills it and its group.
pub(super) struct Process {
    child: Child,
    log: Option<JoinHandle<()>>,
}

/// The last line that a program wrote of itself.
pub(super) type LastWords = Arc<Mutex<String>>;

/// Its standard output and input.
pub(super) type Pipes = (ChildStdout, ChildStdin);

impl Process {
    /// Starts a server's program.
    ///
    /// # Errors
    /// Why it cannot be started.
    pub(super) fn start(
        name: &str,
        config: &McpServerConfig,
        last_words: &LastWords,
    ) -> Result<(Self, Pipes), String> {
        let program = config.command.as_deref().unwrap_or_default();
        let mut command = Command::new(program);
        command
            .args(&config.args)
            .env_clear()
            .envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
            .envs(config.env.iter().map(|(name, value)| (name, Secret::expose(value))))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        if let Some(folder) = &config.cwd {
            command.current_dir(folder);
        }
        let mut child = command.spawn().map_err(|error| format!("`{program}` cannot be started: {error}"))?;
        let pipes = child.stdout.take().zip(child.stdin.take());
        let log = child.stderr.take();
        let log = log.map(|stderr| tokio::spawn(self::log(name.to_owned(), stderr, last_words.clone())));
        let pipes = pipes.ok_or_else(|| format!("`{program}` has no standard input and output"))?;
        Ok((Self { child, log }, pipes))
    }

    /// Ends it, and waits until it is gone and its last words are known.
    pub(super) async fn end(mut self) {
        self.kill();
        let gone = async {
            let _ = self.child.wait().await;
            if let Some(log) = &mut self.log {
                let _ = log.await;
            }
        };
        // A process that cannot be killed hangs in the kernel: then it is left to it.
        let _ = timeout(END_TIME, gone).await;
    }

    /// Kills the whole group. Until the program is waited for, its number is no other's.
    fn kill(&mut self) {
        let group = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(group) = group {
            // It fails where all of them are gone already.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(log) = &self.log {
            log.abort();
        }
    }
}

/// Logs what a program writes of itself, as long as that is not too much, and reads the rest so that the
/// program does not wait.
async fn log(server: String, stderr: ChildStderr, last_words: LastWords) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    let mut lines = 0_usize;
    loop {
        line.clear();
        match (&mut reader).take(LINE_BYTES).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text: String =
            String::from_utf8_lossy(&line).trim_end().chars().filter(|it| !it.is_control()).collect();
        if text.is_empty() {
            continue;
        }
        lines = lines.saturating_add(1);
        if lines <= LINES {
            tracing::info!(server, "MCP server: {text}");
        } else if lines == LINES.saturating_add(1) {
            tracing::warn!(server, "MCP server: what else it writes is left out");
        }
        *last_words.lock() = shortened(&text, 200);
    }
}
