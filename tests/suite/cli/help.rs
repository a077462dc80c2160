//! Help that teaches, and wrong usage.

use super::run;

const COMMANDS: [&str; 11] = [
    "serve", "demo", "chat", "import", "export", "dataset", "reprice", "check", "schema", "openapi", "config",
];

#[test]
fn help_names_every_command_and_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert_eq!(help.code, Some(0));
    for word in COMMANDS.into_iter().chain(["Examples:", "Exit codes:", "dendro.toml"]) {
        assert!(help.out.contains(word), "{word} in {}", help.out);
    }
    for command in COMMANDS {
        let help = run(folder.path(), &[command, "--help"]);
        assert_eq!(help.code, Some(0), "{command}");
        assert!(help.out.contains("Examples:"), "{command}: {}", help.out);
    }
}

#[test]
fn wrong_usage_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&[][..], &["sreve"], &["check", "--engine", "rocks"], &["serve", "--listen", "here"]] {
        let ended = run(folder.path(), arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:?}");
        assert!(ended.err.contains("Usage") || ended.err.contains("--help"), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn the_schema_is_the_one_in_the_repository() {
    let folder = tempfile::tempdir().unwrap();
    let printed = run(folder.path(), &["schema"]);
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql")).unwrap();
    assert_eq!(printed.code, Some(0));
    assert!(printed.out == kept, "run `make schema`");
}
