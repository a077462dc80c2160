//! A server from its start to its end, and the database between.

use dendro::{app::Database, config::Config, engine::EngineKind, model::trace::NewTrace};

use super::{Serving, dendro, run};

pub async fn post(address: &str, query: &str) -> serde_json::Value {
    let request = reqwest::Client::new().post(format!("http://{address}/graphql"));
    let response = request.json(&serde_json::json!({ "query": query })).send().await.unwrap();
    response.json().await.unwrap()
}

#[tokio::test]
async fn a_server_says_where_it_is_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", "db", "--address-file", "address"];
    let server = Serving::start(dendro(folder.path(), &arguments));
    let file = folder.path().join("address");
    // The file comes when the server begins to answer, so a first answer proves that it is there.
    let answer =
        post(&server.address, "mutation { startTrace(input: { name: \"first\" }) { __typename } }").await;
    assert_eq!(answer["data"]["startTrace"]["__typename"], "StartTracePayload", "{answer}");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), server.address);

    let second = run(folder.path(), &["check", "--data", "db"]);
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("in use by another process"), "{second:?}");

    server.signal("TERM");
    let ended = server.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.contains("stopping"), "{ended:?}");
    assert!(!file.exists(), "the address is nobody's any more");

    let check = run(folder.path(), &["check", "--data", "db"]);
    assert_eq!(check.code, Some(0), "{check:?}");
    assert!(check.out.contains("No problems."), "{check:?}");
}

#[test]
fn a_database_stays_with_its_engine_and_a_folder_with_its_owner() {
    let folder = tempfile::tempdir().unwrap();
    let none = run(folder.path(), &["check", "--data", "db"]);
    assert_eq!((none.code, none.err.as_str()), (Some(1), "dendro: there is no database in db\n"));
    assert!(!folder.path().join("db").exists(), "looking makes nothing");

    let server = Serving::start(dendro(
        folder.path(),
        &["serve", "--listen", "127.0.0.1:0", "--data", "db", "--engine", "fjall"],
    ));
    server.signal("INT");
    assert_eq!(server.wait().code, Some(0));
    let other = run(folder.path(), &["check", "--data", "db"]);
    assert_eq!(other.code, Some(1));
    assert!(other.err.contains("fjall"), "{other:?}");

    std::fs::create_dir(folder.path().join("photos")).unwrap();
    std::fs::write(folder.path().join("photos/cat.jpg"), "").unwrap();
    let photos = run(folder.path(), &["serve", "--listen", "127.0.0.1:0", "--data", "photos"]);
    assert_eq!(photos.code, Some(1));
    assert!(photos.err.contains("cat.jpg"), "{photos:?}");
}

#[test]
fn an_address_that_is_taken_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = run(folder.path(), &["serve", "--engine", "memory", "--listen", &address]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.contains(&format!("cannot listen on {address}")), "{ended:?}");
}

#[test]
fn the_log_can_be_read_by_programs() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--engine", "memory", "--listen", "127.0.0.1:0", "--log-format", "json"];
    let server = Serving::start(dendro(folder.path(), &arguments));
    let address = server.address.clone();
    server.signal("TERM");
    let ended = server.wait();
    let lines = ended.err.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    assert!(lines.into_iter().any(|line| line["address"] == address.as_str()), "{ended:?}");
}

/// What a path answers: its status and its text.
async fn asked(address: &str, path: &str) -> (u16, String) {
    let response = reqwest::get(format!("http://{address}{path}")).await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn a_server_whose_engine_has_stopped_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data", "db", "--engine", "fjall"];
    let server = Serving::start(dendro(folder.path(), &arguments));
    assert_eq!(asked(&server.address, "/readyz").await, (200, "ready".to_owned()));
    // The next tree that is written for the first time finds no place, in the middle of a batch.
    // In one step, because a server that has just started may be making some.
    std::fs::rename(folder.path().join("db/fjall/keyspaces"), folder.path().join("away")).unwrap();
    let start = "mutation { startTrace(input: { name: \"first\" }) { __typename } }";
    let refused = post(&server.address, start).await;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "UNAVAILABLE", "{refused}");

    let (status, why) = asked(&server.address, "/readyz").await;
    assert_eq!((status, why.as_str()), (503, "not ready: the store does not work now; its log says why"));
    assert_eq!(asked(&server.address, "/healthz").await, (200, "ok".to_owned()), "the process answers");
    let ended = server.kill();
    assert!(ended.err.contains("the storage engine stopped"), "{ended:?}");
}

#[tokio::test]
async fn a_database_that_was_closed_can_be_opened_at_once() {
    for engine in [EngineKind::Sled, EngineKind::Fjall] {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        (config.store.engine, config.store.data_dir) = (engine, folder.path().join("db"));
        for _ in 0..10 {
            let database = Database::open(&config).await.unwrap();
            database.services.tracing.start_trace(NewTrace::default()).await.unwrap();
            database.close().await.unwrap();
        }
    }
}
