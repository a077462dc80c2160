//! `/healthz`: the process answers. `/readyz`: it takes work, and its store works; else it says why not. Both are for
//! whatever watches the server, which may call it by any name, so they are outside the checks of Host and Origin.

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

use super::lifecycle::Lifecycle;

pub(super) fn router(lifecycle: Lifecycle) -> Router {
    let ready = move || async move {
        match lifecycle.unready() {
            None => answer(StatusCode::OK, "ready".to_owned()),
            Some(why) => answer(StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}")),
        }
    };
    Router::new()
        .route("/healthz", get(|| async { answer(StatusCode::OK, "ok".to_owned()) }))
        .route("/readyz", get(ready))
}

fn answer(status: StatusCode, text: String) -> impl IntoResponse {
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}
