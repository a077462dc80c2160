//! `If-Match`, where it is not taken: whoever sends it relies on it, so it is refused rather than passed over.

use std::{collections::HashMap, sync::Arc};

use axum::{
    extract::{MatchedPath, Request},
    http::header,
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::{answer::ROOT, problem::Problem};

/// The operations that change something, and whether each takes `If-Match`: as the description says.
#[derive(Clone)]
pub(super) struct Conditions {
    takes: Arc<HashMap<(String, String), bool>>,
    /// Those that do, in words.
    named: Arc<str>,
}

impl Conditions {
    /// What a description says.
    pub(super) fn of(description: &Value) -> Self {
        let (mut takes, mut named) = (HashMap::new(), Vec::new());
        for (path, item) in description["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if method == "get" {
                    continue;
                }
                let method = method.to_uppercase();
                let is_taken = super::openapi::names(operation).any(|name| name == "If-Match");
                if is_taken {
                    named.push(format!("{method} {path}"));
                }
                takes.insert((method, format!("{ROOT}{path}")), is_taken);
            }
        }
        Self { takes: Arc::new(takes), named: named.join(", ").into() }
    }

    /// Lets a request pass whose condition is held, or that has none.
    pub(super) async fn check(self, request: Request, next: Next) -> Response {
        let is_ignored = |path: &MatchedPath| {
            let operation = (request.method().as_str().to_owned(), path.as_str().to_owned());
            self.takes.get(&operation) == Some(&false)
        };
        if request.headers().contains_key(header::IF_MATCH)
            && request.extensions().get::<MatchedPath>().is_some_and(is_ignored)
        {
            let message = format!("it is not taken here, but with {}", self.named);
            return Problem::of_url("If-Match", message).into_response();
        }
        next.run(request).await
    }
}
