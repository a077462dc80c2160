//! `dendro export` as scripts run it, and `dendro import` of what it writes.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::Value;

use super::{Ended, dendro, run};

/// A file of the corpus of OTLP.
pub fn otlp(name: &str) -> String {
    format!("{}/tests/fixtures/otlp/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The number of spans that an import found, and how many were new.
pub fn spans(ended: &Ended) -> (u64, u64) {
    let line =
        ended.out.lines().find(|line| line.starts_with("spans")).unwrap_or_else(|| panic!("{ended:?}"));
    let mut numbers = line.split_whitespace().skip(1).map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

#[test]
fn what_is_exported_can_be_imported_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let dendro = |arguments: &[&str]| run(folder.path(), arguments);
    let imported = dendro(&[
        "import",
        "--data",
        "a",
        &otlp("langgraph/01-traces.pb"),
        &otlp("langgraph/02-traces.pb"),
        &otlp("vercel-ai/01-traces.json"),
        &otlp("handmade/claude-code.json"),
        &otlp("handmade/claude-code-logs.json"),
    ]);
    assert_eq!((imported.code, imported.err.as_str()), (Some(0), ""), "{imported:?}");
    let (found, new) = spans(&imported);
    assert_eq!(found, new);
    assert!(imported.out.contains("log records"), "{imported:?}");

    for (file, format, gzip) in [
        ("plain.jsonl", "otlp-json", false),
        ("packed.jsonl.gz", "otlp-json", true),
        ("plain.pb", "otlp-protobuf", false),
        ("packed.pb.gz", "otlp-protobuf", true),
    ] {
        let mut arguments = vec!["export", "--data", "a", "--format", format, "--output", file];
        arguments.extend(gzip.then_some("--gzip"));
        let exported = dendro(&arguments);
        assert_eq!((exported.code, exported.err.as_str()), (Some(0), ""), "{exported:?}");
        assert!(exported.out.contains(&format!("with {found} spans")), "{exported:?}");
        let bytes = std::fs::read(folder.path().join(file)).unwrap();
        assert_eq!(bytes.starts_with(&[0x1f, 0x8b]), gzip);
        for expected in [found, 0] {
            let imported = dendro(&["import", "--data", &format!("{file}.db"), file]);
            assert_eq!((imported.code, spans(&imported)), (Some(0), (found, expected)), "{imported:?}");
        }
        // Where it comes from it tells nothing new.
        assert_eq!(spans(&dendro(&["import", "--data", "a", file])), (found, 0));
    }
    let check = dendro(&["check", "--data", "plain.pb.db"]);
    assert_eq!(check.code, Some(0), "{check:?}");
}

#[test]
fn standard_output_has_the_traces_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let imported = run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let exported = run(folder.path(), &["export", "--data", "db"]);
    assert_eq!(exported.code, Some(0));
    let lines: Vec<Value> = exported.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(!lines.is_empty() && lines.iter().all(|line| line["resourceSpans"].is_array()));
    assert!(exported.err.contains(&format!("{} traces with", lines.len())), "{exported:?}");

    let of = |line: &Value| line["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"].clone();
    let id = of(&lines[1]).as_str().unwrap().to_owned();
    let one = run(folder.path(), &["export", "--data", "db", "--trace", &id]);
    assert_eq!(one.out.lines().count(), 1, "{one:?}");
    assert_eq!(of(&serde_json::from_str(&one.out).unwrap()), id.as_str());
    let before = run(folder.path(), &["export", "--data", "db", "--to", "2025-06-15"]);
    assert_eq!((before.code, before.out.as_str()), (Some(0), ""), "{before:?}");
    let after = run(folder.path(), &["export", "--data", "db", "--from", "2025-06-15T00:00:00Z"]);
    assert_eq!(after.out, exported.out);
}

#[test]
fn a_conversation_is_named_by_the_id_that_its_application_gave_it() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["import", "--data", "db", &otlp("handmade/traceloop-sdk.json")]);
    let of = |conversation: &str| {
        run(folder.path(), &["export", "--data", "db", "--conversation", conversation]).out.lines().count()
    };
    assert_eq!((of("session-traceloop-1"), of("another")), (1, 0));
}

#[test]
fn what_cannot_be_exported_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let none = run(folder.path(), &["export", "--data", "db", "-o", "out.jsonl"]);
    assert_eq!((none.code, none.err.as_str()), (Some(1), "dendro: there is no database in db\n"));
    assert!(!folder.path().join("out.jsonl").exists());
    run(folder.path(), &["import", "--data", "db", &otlp("handmade/autogen.json")]);
    let missing = run(folder.path(), &["export", "--data", "db", "--trace", &"9".repeat(32)]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.err.contains("there is no trace `99999999-9999-9999-9999-999999999999`"), "{missing:?}");
    let folder_in_the_way = run(folder.path(), &["export", "--data", "db", "-o", "nowhere/out.jsonl"]);
    assert_eq!(folder_in_the_way.code, Some(1));
    assert!(folder_in_the_way.err.contains("nowhere/out.jsonl"), "{folder_in_the_way:?}");
    for wrong in [&["--trace", "9"][..], &["--from", "yesterday"], &["--format", "xml"]] {
        let ended = run(folder.path(), &[&["export", "--data", "db"], wrong].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    run(
        folder.path(),
        &["import", "--data", "db", &otlp("langgraph/01-traces.pb"), &otlp("handmade/strands.json")],
    );
    let mut export = dendro(folder.path(), &["export", "--data", "db"]);
    let mut export = export.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(export.stdout.take());
    let ended = export.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
}

#[test]
fn otlp_is_imported_from_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    for (name, format) in [("langgraph/01-traces.pb", "auto"), ("handmade/strands.json", "otlp-json")] {
        let mut import: Command = dendro(folder.path(), &["import", "--data", "db", "--format", format, "-"]);
        let mut import =
            import.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(&std::fs::read(otlp(name)).unwrap()).unwrap();
        let ended: Ended = import.wait_with_output().unwrap().into();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(spans(&ended).1 > 0, "{ended:?}");
    }
}

#[test]
fn damaged_otlp_has_the_exit_codes_of_other_damage() {
    let folder = tempfile::tempdir().unwrap();
    let import = |arguments: &[&str]| run(folder.path(), &[&["import", "--data", "db"], arguments].concat());
    let spellings = otlp("handmade/json-spellings.json");
    let lenient = import(&[&spellings]);
    assert_eq!(lenient.code, Some(3), "{lenient:?}");
    assert_eq!(lenient.err.lines().count(), 3);
    assert!(
        lenient.err.contains("json-spellings.json, line 1, record 1: resourceSpans.0.scopeSpans.0.spans.3.traceId: is all zeros"),
        "{lenient:?}"
    );
    assert!(import(&["--show", "1", &spellings]).out.contains("2 more problems are not shown"));
    let strict = import(&["--strict", &spellings]);
    assert_eq!(strict.code, Some(1), "{strict:?}");
    assert!(strict.out.contains("Stopped at the first problem"), "{strict:?}");
    std::fs::write(folder.path().join("broken.pb"), [0, 0, 0, 9, 10, 3, 18, 1]).unwrap();
    let broken = import(&["broken.pb"]);
    assert_eq!(broken.code, Some(1), "nothing of it went in: {broken:?}");
    assert!(broken.err.contains("broken.pb, request 1: the file ends in the middle of it"), "{broken:?}");
}

#[test]
fn transcripts_and_otlp_may_be_imported_together() {
    let folder = tempfile::tempdir().unwrap();
    let chats = format!("{}/tests/fixtures/transcripts/chats.jsonl", env!("CARGO_MANIFEST_DIR"));
    let both = run(folder.path(), &["import", "--data", "db", &chats, &otlp("handmade/strands.json")]);
    assert_eq!(both.code, Some(0), "{both:?}");
    assert!(both.out.contains("conversations"), "{both:?}");
    let alone = run(folder.path(), &["import", "--data", "other", &chats]);
    assert!(spans(&both).0 > spans(&alone).0);
    // What was imported from transcripts goes out too.
    let exported = run(folder.path(), &["export", "--data", "db", "-o", "all.jsonl"]);
    assert!(exported.out.contains(&format!("with {} spans", spans(&both).0)), "{exported:?}");
}
