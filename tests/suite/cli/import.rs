//! `dendro import` as scripts run it.

use std::{fmt::Write as _, process::Stdio, time::Duration};

use super::{dendro, run};

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/transcripts/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The numbers behind a word of the report.
fn counts(out: &str, word: &str) -> Vec<u64> {
    let line = out.lines().find(|line| line.starts_with(word)).unwrap_or_else(|| panic!("{word} in {out}"));
    line.trim_start_matches(word).split_whitespace().map(|number| number.parse().unwrap()).collect()
}

#[test]
fn an_import_tells_what_it_found_and_what_was_new() {
    let folder = tempfile::tempdir().unwrap();
    let files = [fixture("chat.json"), fixture("chats.jsonl"), fixture("tau-bench.json")];
    let arguments: Vec<_> =
        ["import", "--data", "db"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let first = run(folder.path(), &arguments);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert_eq!(first.err, "", "no terminal, no bar");
    assert_eq!(counts(&first.out, "conversations"), [6, 6]);
    assert_eq!(counts(&first.out, "messages"), [32, 32]);
    assert_eq!(counts(&first.out, "tool calls"), [6, 6]);
    assert_eq!(counts(&first.out, "scores"), [2, 2]);
    let again = run(folder.path(), &arguments);
    assert_eq!(again.code, Some(0), "{again:?}");
    for word in ["conversations", "messages", "tool calls", "traces", "spans", "scores"] {
        assert_eq!(counts(&again.out, word), [counts(&first.out, word)[0], 0], "{word}");
    }
    let check = run(folder.path(), &["check", "--data", "db"]);
    assert_eq!(check.code, Some(0), "{check:?}");
}

#[test]
fn exit_codes_tell_damage_and_failure() {
    let folder = tempfile::tempdir().unwrap();
    let import = |arguments: &[&str]| run(folder.path(), &[&["import", "--data", "db"], arguments].concat());
    let damaged = fixture("damaged.jsonl");
    let lenient = import(&[&damaged]);
    assert_eq!(lenient.code, Some(3), "{lenient:?}");
    assert_eq!(lenient.err.lines().count(), 8);
    assert!(lenient.err.contains("damaged.jsonl, line 3, record 3: messages.1.role: `alien`"), "{lenient:?}");
    assert_eq!(counts(&lenient.out, "skipped"), [8]);
    let few = import(&["--show", "2", &damaged]);
    assert_eq!(few.err.lines().count(), 2);
    assert!(few.out.contains("6 more problems are not shown"), "{few:?}");

    let strict = import(&["--strict", &damaged]);
    assert_eq!(strict.code, Some(1), "{strict:?}");
    assert!(strict.out.contains("Stopped at the first problem"), "{strict:?}");

    std::fs::write(folder.path().join("nothing.jsonl"), "garbage\n").unwrap();
    assert_eq!(import(&["nothing.jsonl"]).code, Some(1), "nothing of it went in");
    assert_eq!(import(&["missing.json"]).code, Some(1));
    assert_eq!(import(&["."]).code, Some(1));
    assert_eq!(import(&[]).code, Some(2));
    assert_eq!(import(&["--format", "xml", &damaged]).code, Some(2));
    assert_eq!(import(&["--engine", "memory", &damaged]).code, Some(1));
}

#[test]
fn standard_input_can_be_imported() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = dendro(folder.path(), &["import", "--data", "db", "--model", "m-1", "-"]);
    command.stdin(std::fs::File::open(fixture("chats.jsonl")).unwrap());
    let ended: super::Ended = command.output().unwrap().into();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(counts(&ended.out, "conversations"), [3, 3]);
    // The same content from a file is the same.
    let file = run(folder.path(), &["import", "--data", "db", &fixture("chats.jsonl")]);
    assert_eq!(counts(&file.out, "conversations"), [3, 0]);
}

#[test]
fn an_import_that_was_killed_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    for number in 0..3_000 {
        writeln!(
            text,
            "{{\"messages\": [{{\"role\": \"user\", \"content\": \"question {number}\"}}, {{\"role\": \"assistant\", \"content\": \"answer {number}\"}}]}}"
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("many.jsonl"), text).unwrap();
    for engine in ["sled", "fjall"] {
        let arguments = ["import", "--data", engine, "--engine", engine, "many.jsonl"];
        for kill_after in [150, 300] {
            let mut killed = dendro(folder.path(), &arguments);
            let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(kill_after));
            killed.kill().unwrap();
            killed.wait().unwrap();
        }
        let rest = run(folder.path(), &arguments);
        assert_eq!(rest.code, Some(0), "{rest:?}");
        assert_eq!(counts(&rest.out, "messages")[0], 6_000);
        let again = run(folder.path(), &arguments);
        for word in ["conversations", "messages", "traces", "spans"] {
            assert_eq!(counts(&again.out, word)[1], 0, "{word}");
        }
        let check = run(folder.path(), &["check", "--data", engine, "--engine", engine]);
        assert_eq!(check.code, Some(0), "{check:?}");
    }
}
