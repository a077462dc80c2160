//! Where a database is that one server after the other opens.

use std::{env, fs, process::Command};

use dendro::engine::EngineKind;
use rand::{SeedableRng, rngs::StdRng};
use tempfile::TempDir;

use crate::cli::{Serving, dendro};

pub struct Place {
    engine: String,
    folder: TempDir,
}

impl Place {
    /// A place for a database, and models that say what `scripts` says.
    pub fn new(engine: EngineKind, scripts: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("scripts.yaml"), scripts).unwrap();
        let config = "[models.providers.scripted]\nscript = \"scripts.yaml\"\n";
        fs::write(folder.path().join("dendro.toml"), config).unwrap();
        Self { engine: engine.to_string(), folder }
    }

    fn command(&self, command: &str) -> Command {
        dendro(self.folder.path(), &[command, "--data", "db", "--engine", &self.engine])
    }

    pub fn serve(&self) -> Serving {
        let mut command = self.command("serve");
        command.args(["--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"]);
        command.args(["--log", "warn"]);
        Serving::start(command)
    }

    /// Asserts that everything agrees with everything; answers what there is.
    pub fn check(&self) -> Entries {
        let output = self.command("check").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && said.contains("No problems."), "{output:?}");
        Entries(said)
    }

    /// Asks a server to stop, and asserts that what it leaves agrees.
    pub fn stop(&self, server: Serving) -> Entries {
        server.signal("TERM");
        let ended = server.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        self.check()
    }
}

/// How many entries each table has.
pub struct Entries(String);

impl Entries {
    pub fn of(&self, table: &str) -> u64 {
        let line = self.0.lines().find(|line| line.split_whitespace().next() == Some(table));
        line.map_or(0, |line| line.split_whitespace().last().unwrap().parse().unwrap())
    }
}

pub fn kill(server: Serving) {
    let ended = server.kill();
    assert_eq!(ended.code, None, "the server ended by itself: {ended:?}");
}

/// The moments to kill: `DENDRO_SEED` chooses others.
pub fn moments() -> StdRng {
    StdRng::seed_from_u64(env::var("DENDRO_SEED").map_or(1, |text| text.parse().unwrap()))
}
