//! `/healthz`: the process answers. `/readyz`: it takes work. Both are for whatever watches the
//! server, which may call it by any name, so they are outside the checks of Host and Origin.

use axum::{
    Router,
    http::{StatusCode, header},
    response::IntoResponse,
    routing::get,
};

use super::lifecycle::Lifecycle;

pub(super) fn router(lifecycle: Lifecycle) -> Router {
    let ready = move || async move {
        if lifecycle.is_ready() {
            answer(StatusCode::OK, "ready")
        } else {
            answer(StatusCode::SERVICE_UNAVAILABLE, "not ready")
        }
    };
    Router::new()
        .route("/healthz", get(|| async { answer(StatusCode::OK, "ok") }))
        .route("/readyz", get(ready))
}

fn answer(status: StatusCode, text: &'static str) -> impl IntoResponse {
    (status, [(header::CACHE_CONTROL, "no-store")], text)
}
