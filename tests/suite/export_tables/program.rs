//! `dendro export --table` as scripts run it, and the same tables from a server.

use serde_json::Value;

use super::forms::read_parquet;
use crate::cli::{Serving, dendro, export::otlp, run};

#[test]
fn a_database_gives_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let imported = run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let export = |arguments: &[&str]| run(folder.path(), &[&["export", "--data", "db"], arguments].concat());

    let lines = export(&["--table", "spans"]);
    assert_eq!(lines.code, Some(0), "{lines:?}");
    let rows: Vec<Value> = lines.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((rows.len(), lines.err.as_str()), (14, "14 rows of spans.\n"));

    let told = export(&["--table", "spans", "--format", "parquet", "-o", "spans.parquet"]);
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (Some(0), "14 rows of spans.\n", ""));
    let read = read_parquet(&std::fs::read(folder.path().join("spans.parquet")).unwrap());
    assert_eq!(read["rows"].as_array().unwrap().len(), 14);

    let of_one = rows[0]["trace_id"].as_str().unwrap();
    let one = export(&["--table", "traces", "--format", "csv", "--trace", of_one]);
    assert_eq!(csv::Reader::from_reader(one.out.as_bytes()).into_records().count(), 1, "{one:?}");
    let none = export(&["--table", "messages", "--to", "2001-01-01"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    let packed = export(&["--table", "scores", "--format", "csv", "--gzip", "-o", "scores.csv.gz"]);
    assert_eq!(packed.code, Some(0), "{packed:?}");
    assert!(std::fs::read(folder.path().join("scores.csv.gz")).unwrap().starts_with(&[0x1f, 0x8b]));
}

#[test]
fn what_does_not_fit_together_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, told) in [
        (&["--format", "csv"][..], "name one, as in `--table spans`"),
        (&["--table", "spans", "--format", "otlp-json"], "leave --table out"),
        (&["--table", "spans", "--format", "parquet", "--gzip"], "packed already"),
        (&["--table", "plans"], "[possible values: traces, spans, messages, scores]"),
    ] {
        let ended = run(folder.path(), &[&["export", "--data", "db"], arguments].concat());
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.err.contains(told), "{ended:?}");
    }
}

#[tokio::test]
async fn a_server_gives_the_same() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    let expected = run(folder.path(), &["export", "--data", "db", "--table", "spans", "--format", "csv"]).out;
    let arguments =
        ["serve", "--data", "db", "--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"];
    let server = Serving::start(dendro(folder.path(), &arguments));
    let address = format!("http://{}/api/v1/export/spans.csv", server.address);
    let asked = reqwest::Client::new().get(address).header("accept", "text/csv");
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), expected);
}
