//! The program's own index: `dendro reindex`, and a folder that is missing, damaged or of no use.

use serde_json::{Value, json};

use crate::cli::{Serving, dendro, export::otlp, run};

#[test]
fn a_database_without_an_index_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let imported = run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let index = folder.path().join("db/search");
    std::fs::remove_dir_all(&index).unwrap();
    let built = run(folder.path(), &["reindex", "--data", "db"]);
    assert_eq!((built.code, built.err.as_str()), (Some(0), ""), "{built:?}");
    assert!(built.out.ends_with("traces are in the index.\n") && !built.out.starts_with('0'), "{built:?}");
    assert!(index.join("FORMAT").exists());

    let off = run(folder.path(), &["reindex", "--data", "none"]);
    assert_eq!((off.code, off.err.as_str()), (Some(1), "dendro: there is no database in none\n"));
    // One that is not kept in step any more is begun anew by who wants it again.
    let mut without = dendro(folder.path(), &["check", "--data", "db"]);
    assert!(without.env("DENDRO_SEARCH__ENABLED", "false").status().unwrap().success());
    assert!(!index.join("FORMAT").exists());
}

#[tokio::test]
async fn a_server_fills_the_index_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let imported = run(folder.path(), &["import", "--data", "db", &otlp("handmade/strands.json")]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    std::fs::write(folder.path().join("db/search/meta.json"), "{").unwrap();
    let arguments =
        ["serve", "--data", "db", "--listen", "127.0.0.1:0", "--otlp-http", "off", "--otlp-grpc", "off"];
    let server = Serving::start(dendro(folder.path(), &arguments));
    let query = json!({ "query": "{ search(text: \"vienna\") { totalCount nodes { excerpt { text } } } }" });
    let client = reqwest::Client::new();
    // It fills the index beside its other work, so whoever waits for it asks again.
    for _ in 0..600 {
        let request = client.post(format!("http://{}/graphql", server.address)).json(&query);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        if answer["data"]["search"]["totalCount"].as_u64().unwrap_or_else(|| panic!("{answer}")) > 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was found");
}
