//! A store that fails for a while: experiments go on when it works again, and make no run twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dendro::{
    app,
    config::{Config, Port},
    engine::{EngineError, EngineResult, MemoryEngine, Tree},
};
use serde_json::{Value, json};

use super::{agent, asked, assert_consistent, ended, runtime, start};
use crate::support::{
    Server,
    engines::{Around, wrap},
};

/// Rows of experiments cannot be read when they are told so.
#[derive(Default)]
struct Unreadable(AtomicBool);

impl Around for Unreadable {
    fn before_read(&self, tree: &Tree) -> EngineResult<()> {
        if self.0.load(Ordering::SeqCst) && tree.name() == "default/experiment" {
            return Err(EngineError::Io("as the test asked".to_owned()));
        }
        Ok(())
    }
}

/// What a server does unasked, until it is to stop.
async fn at_work(server: &Server) -> (app::Stop, tokio::task::JoinHandle<()>) {
    let mut config = Config::default();
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    config.otlp.http = Port { address: None, ..config.otlp.http };
    config.otlp.grpc = Port { address: None, ..config.otlp.grpc };
    let stop = app::Stop::default();
    let running = app::Server::bind(&config, server.services.clone()).await.unwrap();
    let asked = stop.clone();
    (stop, tokio::spawn(async move { running.run(&asked).await.unwrap() }))
}

/// The states of all traces.
async fn traces(server: &Server) -> Vec<Value> {
    let found = server.data("{ traces(first: 50) { nodes { status } } }", json!({})).await;
    found["traces"]["nodes"].as_array().unwrap().iter().map(|trace| trace["status"].clone()).collect()
}

async fn a_moment() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test(start_paused = true)]
async fn an_experiment_goes_on_when_its_store_works_again() {
    let unreadable = Arc::new(Unreadable::default());
    let engine = wrap(Arc::new(MemoryEngine::new()), &unreadable);
    let server = Server::running_on(engine, runtime(&["scripted"])).await;
    let (stop, running) = at_work(&server).await;
    agent(&server, "helper", "slow").await;
    let dataset = asked(&server, 6).await;
    let started = start(&server, &dataset, "helper", json!({ "parallelism": 2 })).await;
    let id = started["experiment"]["experimentId"].as_str().unwrap();
    while traces(&server).await.len() < 2 {
        a_moment().await;
    }
    // The run of the second item comes to an end that cannot be noted; that of the first goes on for a minute.
    unreadable.0.store(true, Ordering::SeqCst);
    while !traces(&server).await.contains(&json!("COMPLETED")) {
        a_moment().await;
    }
    a_moment().await;
    unreadable.0.store(false, Ordering::SeqCst);

    let hour = Duration::from_secs(3_600);
    let experiment = tokio::time::timeout(hour, ended(&server, id)).await.expect("it does not go on");
    let counts =
        json!({ "total": 6, "pending": 0, "running": 0, "completed": 6, "failed": 0, "cancelled": 0 });
    assert_eq!((&experiment["status"], &experiment["counts"]), (&json!("COMPLETED"), &counts));
    assert_eq!(traces(&server).await, vec![json!("COMPLETED"); 6], "each item is run once");
    assert_consistent(&server).await;
    stop.ask();
    running.await.unwrap();
}
