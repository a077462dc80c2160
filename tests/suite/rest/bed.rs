//! A server of REST on a free port, for as long as a test holds it.

use dendro::{
    config::Limits,
    http::{self, Access},
    rest::{self, Pages},
    service::agents::Runtime,
};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::Server;

pub struct Bed {
    pub inner: Server,
    address: String,
    serving: JoinHandle<()>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
    pub body: Value,
}

impl Bed {
    pub async fn start() -> Self {
        Self::over(Server::new().await, Limits::default()).await
    }

    pub async fn running(runtime: Runtime) -> Self {
        Self::over(Server::running(runtime).await, Limits::default()).await
    }

    pub async fn over(inner: Server, limits: Limits) -> Self {
        let pages = Pages { most: 1_000, most_spans: 50_000 };
        let router = rest::router(inner.services.clone(), pages).unwrap();
        let access = Access::loopback(&[], &["https://app.example".to_owned()]);
        let router = http::endpoints(router, &access, &limits, |refusal, uri| {
            rest::refused(refusal.code.status(), refusal.code.as_str(), &refusal.message, uri.path())
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, address, serving }
    }

    /// A request for a path below the root, or for a whole path as `Link` and `Location` have it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let path = if path.starts_with("/api/") { path.to_owned() } else { format!("/api/v1{path}") };
        let client = reqwest::Client::builder().no_gzip().build().unwrap();
        client.request(method, format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        Answer::of(self.request(method, path).json(&body)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, body).await
    }

    /// Makes something, which must be new, and answers it.
    #[track_caller]
    pub fn made(&self, path: &str, body: Value) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.post(path, body).await;
            assert_eq!(answer.status, 201, "{caller}: {}", answer.text);
            let there = self.get(answer.header("location")).await;
            assert_eq!(there.status, 200, "{caller}: {}", there.text);
            answer.body
        }
    }

    /// What a path shows.
    #[track_caller]
    pub fn shown(&self, path: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.get(path).await;
            assert_eq!(answer.status, 200, "{caller}: {}", answer.text);
            answer.body
        }
    }

    /// All entries of a list, page by page, as the `Link` header leads.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
        while let Some(path) = next {
            let page = self.get(&path).await;
            assert_eq!(page.status, 200, "{}", page.text);
            items.extend(page.body["items"].as_array().unwrap().iter().cloned());
            let link = page.header("link").strip_prefix('<').and_then(|link| link.split_once('>'));
            assert_eq!(link.is_some(), page.body["next"].is_string());
            next = link.map(|(address, rest)| {
                assert_eq!(rest, "; rel=\"next\"");
                address.to_owned()
            });
        }
        items
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Answer {
    pub async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, headers, text, body }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Holds that it is a problem of this status and code with this field (`""`: with none).
    #[track_caller]
    pub fn is_problem(&self, status: u16, code: &str, field: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = &self.body;
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["field"].as_str().unwrap_or(""), field, "{problem}");
        assert!(problem["instance"].as_str().unwrap().starts_with("/api/v1"), "{problem}");
        assert!(
            !problem["title"].as_str().unwrap().is_empty() && !problem["detail"].as_str().unwrap().is_empty()
        );
    }
}

/// An id that nothing has.
pub const NOBODY: &str = "0192f7c4-6e1a-7b3e-9a55-2f0c5d1e8a44";
