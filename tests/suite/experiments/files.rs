//! Datasets from files and into files, by the command line.

use std::fs;

use crate::cli::run;

#[test]
fn a_file_goes_in_and_comes_out_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("q.csv"), "input,expected,topic\nWhere?,There.,way\n\"a, b\",,\nragged\n").unwrap();
    let import = |file: &str, name: &str| run(folder.path(), &["dataset", "import", file, "--name", name]);
    let first = import("q.csv", "support");
    assert_eq!(first.code, Some(3), "{first:?}");
    assert_eq!(first.out, "2 added, 0 unchanged, 1 refused; `support` is at version 1 with 2 items.\n");
    assert!(first.err.contains("q.csv, line 4: row: has 1 values"), "{}", first.err);
    let more = "[{\"input\": [{\"role\": \"user\", \"content\": \"Hi\"}], \"expected\": {\"a\": 1.50},\n \"note\": \"x\"}, \"plain\"]";
    fs::write(place("more.json"), more).unwrap();
    let second = import("more.json", "support");
    assert_eq!(second.code, Some(0), "{second:?}");
    assert_eq!(second.out, "2 added, 0 unchanged, 0 refused; `support` is at version 2 with 4 items.\n");
    let exported = run(folder.path(), &["dataset", "export", "--name", "support", "-o", "out.jsonl"]);
    assert_eq!(exported.out, "4 items of version 2 of `support`.\n", "{exported:?}");
    let lines = fs::read_to_string(place("out.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 4);
    assert!(lines.contains("\"expected\":{\"a\": 1.50},\"metadata\":{\"note\":\"x\"}}"), "{lines}");
    let again = import("out.jsonl", "support");
    assert_eq!(again.out, "0 added, 4 unchanged, 0 refused; `support` is at version 2 with 4 items.\n");
    let before = run(folder.path(), &["dataset", "export", "--name", "support", "--version", "1"]);
    assert_eq!(before.out.lines().count(), 2, "{before:?}");
    let check = run(folder.path(), &["check"]);
    assert!(check.out.contains("No problems."), "{check:?}");
}

#[test]
fn what_cannot_be_read_or_written_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("no.csv"), "question,answer\na,b\n").unwrap();
    fs::write(place("bad.jsonl"), "{\"output\": 1}\nnonsense\n").unwrap();
    let dataset = |arguments: &[&str]| run(folder.path(), &[&["dataset"], arguments].concat());
    for (arguments, told) in [
        (&["import", "no.csv", "--name", "a"][..], "names no column `input`"),
        (&["import", "absent.csv", "--name", "a"], "cannot open absent.csv"),
        (&["export", "--name", "a"], "there is no database"),
    ] {
        let ended = dataset(arguments);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
        assert!(!place("data").exists(), "{arguments:?} made a database");
    }
    let bad = dataset(&["import", "bad.jsonl", "--name", "a"]);
    assert_eq!(bad.code, Some(1), "{bad:?}");
    assert!(bad.err.contains("bad.jsonl, line 1: input: is missing"), "{}", bad.err);
    let none = dataset(&["export", "--name", "b"]);
    assert!(none.err.contains("there is no dataset `b`"), "{none:?}");
    let version = dataset(&["export", "--name", "a", "--version", "3"]);
    assert!(version.err.contains("--version: there is no version 3"), "{version:?}");
}
