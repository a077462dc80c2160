//! Settings: a file, variables, flags, and what is said of wrong ones.

use super::{Ended, dendro, run};

#[test]
fn later_settings_win() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[store]\nengine = \"fjall\"\ndata_dir = \"from-file\"\n[limits]\nquery_time = 2.5\n";
    std::fs::write(folder.path().join("dendro.toml"), file).unwrap();
    let mut command = dendro(folder.path(), &["config", "--data", "from-flag", "--listen", "[::1]:0"]);
    command.env("DENDRO_STORE__DATA_DIR", "from-variable").env("DENDRO_LIMITS__SOCKET__OPERATIONS", "7");
    let ended: Ended = command.output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let printed: toml::Table = ended.out.parse().unwrap();
    assert_eq!(printed["store"]["engine"].as_str(), Some("fjall"));
    assert_eq!(printed["store"]["data_dir"].as_str(), Some("from-flag"));
    assert_eq!(printed["server"]["listen"].as_str(), Some("[::1]:0"));
    assert_eq!(printed["limits"]["query_time"].as_float(), Some(2.5));
    assert_eq!(printed["limits"]["socket"]["operations"].as_integer(), Some(7));
    // What is printed can be read again, and says the same.
    std::fs::write(folder.path().join("again.toml"), &ended.out).unwrap();
    assert_eq!(run(folder.path(), &["--config", "again.toml", "config"]).out, ended.out);
}

#[test]
fn wrong_settings_name_the_key_and_where_it_was_set() {
    let folder = tempfile::tempdir().unwrap();
    let told = |file: &str, variable: Option<(&str, &str)>, arguments: &[&str]| {
        std::fs::write(folder.path().join("dendro.toml"), file).unwrap();
        let mut command = dendro(folder.path(), &[&["config"], arguments].concat());
        let ended: Ended = command.envs(variable).output().unwrap().into();
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
        ended.err
    };
    for (text, parts) in [
        (
            told("[store]\nengin = \"sled\"\n", None, &[]),
            ["store.engin: there is no such key", "(from dendro.toml)"],
        ),
        (told("[store\n", None, &[]), ["dendro.toml: TOML parse error at line 1", "[store"]),
        (
            told("", Some(("DENDRO_STORE__ENGINE", "rocks")), &[]),
            ["store.engine: `rocks` is not one of sled, fjall, memory", "DENDRO_STORE__ENGINE"],
        ),
        (told("", Some(("DENDRO_STORRE", "1")), &[]), ["storre: there is no such key", "DENDRO_STORRE"]),
        (
            told("[store.queue]\nwrites = 0\n", None, &[]),
            ["store.queue.writes: 0 is too few", "(from dendro.toml)"],
        ),
        (told("", None, &["--log", "dendro=loud"]), ["log.filter: `dendro=loud`", "(from the command line)"]),
        (
            told("", None, &["--listen", "0.0.0.0:0"]),
            ["server.listen: other machines can reach 0.0.0.0:0", "--allow-remote"],
        ),
        (told("", None, &["--config", "none.toml"]), ["there is no configuration file", "none.toml"]),
    ] {
        assert!(parts.iter().all(|part| text.contains(part)), "{parts:?} in {text}");
    }
    assert_eq!(run(folder.path(), &["config", "--listen", "0.0.0.0:0", "--allow-remote"]).code, Some(0));
}

/// What only looks at a database starts no program that a server would start.
#[test]
fn commands_that_run_no_agent_start_no_mcp_server() {
    let folder = tempfile::tempdir().unwrap();
    let ended = run(folder.path(), &["import", "--data", "db", "/dev/null"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let config = "[tools.mcp.greedy]\ncommand = \"touch\"\nargs = [\"started\"]\n";
    std::fs::write(folder.path().join("dendro.toml"), config).unwrap();
    let ended = run(folder.path(), &["check", "--data", "db"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(!folder.path().join("started").exists());
}
