//! A server as it is run, and what its process uses.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use dendro::engine::EngineKind;

/// A server that was started here. Dropped, it is killed.
pub struct Spawned {
    child: Child,
    /// Held, so that the server can go on to say something.
    _said: BufReader<ChildStdout>,
    pub url: String,
}

impl Spawned {
    /// Starts a program on a database and waits until it listens.
    pub fn start(program: &Path, engine: EngineKind, data: &Path) -> Self {
        Self::start_with(program, engine, data, &[])
    }

    /// As [`Self::start`], with further arguments.
    pub fn start_with(program: &Path, engine: EngineKind, data: &Path, more: &[&str]) -> Self {
        let engine = engine.to_string();
        let mut command = Command::new(program);
        command.args(["serve", "--engine", &engine, "--listen", "127.0.0.1:0", "--log", "warn"]);
        command.args(["--otlp-http", "off", "--otlp-grpc", "off", "--data"]).arg(data);
        command.args(more);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        let url = line.trim_end().strip_prefix("listening on ");
        let url = url.map(str::to_owned).unwrap_or_else(|| panic!("the server said `{line}`"));
        Self { child, _said: said, url }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it end as it does when it is told to, and waits until it has.
    pub fn stop(mut self) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-s", "TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "the server did not end well");
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Seconds of CPU that a process has used, in its own code and for it in the kernel.
pub fn cpu_seconds(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    let ticks: u64 = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // Linux tells them in hundredths of a second on every machine.
    ticks as f64 / 100.0
}

/// Waits until a process rests, because what it does behind its answers is work as well; ten minutes at most.
pub async fn at_rest(process: u32) {
    let (began, mut quiet, mut before) = (Instant::now(), 0, cpu_seconds(process));
    while quiet < 5 && began.elapsed() < Duration::from_secs(600) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = cpu_seconds(process);
        quiet = if now - before > 0.01 { 0 } else { quiet + 1 };
        before = now;
    }
}
