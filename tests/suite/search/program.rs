//! The program's own index: `dendro reindex`, and a folder that is missing, damaged or of no use.

use std::path::Path;

use dendro::{
    app::Database,
    config::Config,
    engine::EngineKind,
    model::{ConversationId, conversation::NewConversation, trace::NewTrace},
    service::conversations::DeleteBranches,
};
use serde_json::{Value, json};

use crate::{
    cli::{Serving, dendro, export::otlp, run},
    support::spans::completed,
};

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

/// The database in a folder as the program opens it.
async fn opened(folder: &Path) -> Database {
    let mut config = Config::default();
    (config.store.engine, config.store.data_dir) = (EngineKind::Fjall, folder.join("db"));
    Database::open(&config).await.unwrap()
}

/// A trace that is over, and about a walrus.
async fn run_of(database: &Database, conversation_id: Option<ConversationId>) {
    let mut new = NewTrace { conversation_id, ..NewTrace::default() };
    new.body.user_input = Some("a walrus".to_owned());
    let tracing = &database.services.tracing;
    let id = tracing.start_trace(new).await.unwrap().id;
    tracing.complete_trace(id, completed()).await.unwrap();
}

async fn follow(database: &Database) {
    assert_eq!(database.services.followers.catch_up().await.unwrap(), 0);
}

/// How often the index has a walrus.
async fn indexed(database: &Database) -> u64 {
    let search = &database.services.search;
    search.count(&search.asked("text", "walrus", Vec::new()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_happens_while_the_index_has_no_place_is_caught_up_with() {
    let folder = tempfile::tempdir().unwrap();
    let first = opened(folder.path()).await;
    let conversations = &first.services.conversations;
    let conversation = conversations.create(NewConversation::default()).await.unwrap().id;
    run_of(&first, Some(conversation)).await;
    run_of(&first, None).await;
    follow(&first).await;
    assert_eq!(indexed(&first).await, 2);
    first.close().await.unwrap();

    let (place, away) = (folder.path().join("db/search"), folder.path().join("away"));
    std::fs::rename(&place, &away).unwrap();
    std::fs::write(&place, "no folder").unwrap();
    let without = opened(folder.path()).await;
    assert!(!without.services.search.is_on());
    without.services.conversations.delete(conversation, DeleteBranches::Refuse).await.unwrap();
    run_of(&without, None).await;
    run_of(&without, None).await;
    follow(&without).await;
    assert!(without.services.followers.is_caught_up().await.unwrap());
    without.close().await.unwrap();

    std::fs::remove_file(&place).unwrap();
    std::fs::rename(&away, &place).unwrap();
    let again = opened(folder.path()).await;
    follow(&again).await;
    assert_eq!(indexed(&again).await, 3, "all that is there, and nothing that is gone");
    again.close().await.unwrap();
    let later = opened(folder.path()).await;
    assert_eq!(indexed(&later).await, 3, "it lasts again");
}

#[tokio::test]
async fn what_was_built_anew_is_there_when_the_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let first = opened(folder.path()).await;
    run_of(&first, None).await;
    assert_eq!(first.services.search.rebuild(|_| {}).await.unwrap(), 1);
    first.close().await.unwrap();
    let second = opened(folder.path()).await;
    assert_eq!(indexed(&second).await, 1);
    follow(&second).await;
    assert_eq!(indexed(&second).await, 1);
}
