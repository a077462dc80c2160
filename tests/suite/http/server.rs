//! A server on a free port, for as long as a test holds it.

use std::{sync::Arc, time::Duration};

use axum::{Router, routing::get};
use dendro::{
    config::Limits,
    http::{Access, Connections, Executor, Gateway, Lifecycle, router, serve},
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::toy::{self, Probe};

pub struct Server {
    pub address: String,
    pub probe: Arc<Probe>,
    pub lifecycle: Lifecycle,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    pub async fn with(limits: Limits) -> Self {
        Self::with_access(limits, &Access::loopback(&[], &["https://app.example".to_owned()])).await
    }

    pub async fn with_access(limits: Limits, access: &Access) -> Self {
        let probe = Arc::new(Probe::default());
        Self::run(toy::executor(&probe), probe, limits, access).await
    }

    pub async fn run(
        executor: Arc<dyn Executor>,
        probe: Arc<Probe>,
        limits: Limits,
        access: &Access,
    ) -> Self {
        let gateway = Arc::new(Gateway::new(executor, limits.clone()).unwrap());
        let lifecycle = Lifecycle::default();
        let others = Router::new().route("/page", get(|| async { "a page" }));
        let router = router(gateway, access, lifecycle.clone(), others);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move {
            let _ = stopped.await;
        };
        let connections = Connections::new(listener, &limits);
        let serving = serve(connections, router, lifecycle.clone(), stopped, Duration::from_secs(5));
        let serving = Some(tokio::spawn(serving));
        Self { address, probe, lifecycle, stop: Some(stop), serving }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Stops the server and waits until it has.
    pub async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.serving.take().unwrap().await.unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Answer {
    pub async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the first error.
    pub fn code(&self) -> &str {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or("")
    }

    pub fn message(&self) -> &str {
        self.body["errors"][0]["message"].as_str().unwrap_or("")
    }
}

pub fn client() -> reqwest::Client {
    // Bodies are shown as they were sent.
    reqwest::Client::builder().no_gzip().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

/// Posts a body of JSON text as a modern client does.
pub async fn post_text(server: &Server, body: impl Into<reqwest::Body>) -> Answer {
    let request = client()
        .post(server.url("/graphql"))
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json");
    Answer::of(request.body(body).send().await.unwrap()).await
}

pub async fn post(server: &Server, body: Value) -> Answer {
    post_text(server, body.to_string()).await
}

pub async fn get_with(server: &Server, parameters: &[(&str, &str)], headers: &[(&str, &str)]) -> Answer {
    let url = reqwest::Url::parse_with_params(&server.url("/graphql"), parameters).unwrap();
    let mut request = client().get(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    Answer::of(request.send().await.unwrap()).await
}
