//! `/graphql/ws`: operations over a WebSocket, by the `graphql-transport-ws` protocol.

mod close;
mod message;
mod session;

use std::sync::Arc;

use axum::{
    extract::{State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    response::Response,
};

use self::{close::Close, session::Session};
use super::{
    Api,
    error::{Code, Refusal},
    query::refusal_response,
};

const PROTOCOL: &str = "graphql-transport-ws";

/// Opens a socket.
pub(super) async fn handle(
    State(api): State<Api>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let Ok(upgrade) = upgrade else {
        let message = format!("This endpoint speaks WebSocket, with the protocol {PROTOCOL}.");
        return refusal_response(&Refusal::bad_request(message));
    };
    let Ok(permit) = Arc::clone(&api.sockets).try_acquire_owned() else {
        let message = "The server has as many sockets open as it may. Try again later.";
        return refusal_response(&Refusal::new(Code::Overloaded, message));
    };
    let most = api.gateway.limits().socket.message_bytes;
    let upgrade = upgrade.max_message_size(most).max_frame_size(most).protocols([PROTOCOL]);
    let agreed = upgrade.selected_protocol().is_some();
    let stay = api.lifecycle.stay();
    upgrade.on_upgrade(move |socket| async move {
        let session = Session::new(api, socket);
        if agreed {
            session.run(stay).await;
        } else {
            session.close(Close::unknown_protocol()).await;
        }
        drop(permit);
    })
}
