//! `dendro demo` from its start to its end.

use std::time::{Duration, Instant};

use super::{Serving, dendro, life::post, run};

const SPANS: &str = "{ traces(first: 20) { nodes { status spanCount models } } }";

#[tokio::test]
async fn a_demo_records_while_it_serves_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = dendro(folder.path(), &["demo", "--listen", "127.0.0.1:0", "--pace", "20ms"]);
    command.env("TMPDIR", folder.path());
    let demo = Serving::start(command);
    let spans = async || {
        let answer = post(&demo.address, SPANS).await;
        let traces = answer["data"]["traces"]["nodes"].as_array().unwrap().clone();
        traces.iter().map(|trace| trace["spanCount"].as_u64().unwrap()).sum::<u64>()
    };
    let (begun, mut seen) = (Instant::now(), vec![spans().await]);
    // It grows while it is watched.
    while seen.len() < 5 && begun.elapsed() < Duration::from_secs(30) {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let now = spans().await;
        if now > seen[seen.len() - 1] {
            seen.push(now);
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    assert!(
        std::fs::read_dir(folder.path()).unwrap().count() == 1,
        "the database is in the temporary folder"
    );
    demo.signal("TERM");
    let ended = demo.wait();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "{ended:?}");
}

#[tokio::test]
async fn a_demo_with_a_folder_keeps_its_runs() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "demo",
        "--listen",
        "127.0.0.1:0",
        "--pace",
        "0",
        "--runs",
        "3",
        "--data",
        "kept",
        "--engine",
        "fjall",
    ];
    let demo = Serving::start(dendro(folder.path(), &arguments));
    let begun = Instant::now();
    loop {
        let answer = post(&demo.address, SPANS).await;
        let traces = answer["data"]["traces"]["nodes"].as_array().unwrap();
        if traces.len() >= 3 && traces.iter().all(|trace| trace["status"] != "RUNNING") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    demo.signal("INT");
    assert_eq!(demo.wait().code, Some(0));
    let check = run(folder.path(), &["check", "--data", "kept", "--engine", "fjall"]);
    assert_eq!(check.code, Some(0), "{check:?}");
}

#[test]
fn a_wrong_pace_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    for pace in ["fast", "-1s", "250", "1d", "ms"] {
        assert_eq!(run(folder.path(), &["demo", "--pace", pace]).code, Some(2), "{pace}");
    }
}
