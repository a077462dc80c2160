//! OTLP over HTTP.

use std::{io::Read, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::sync::OwnedSemaphorePermit;

use super::{
    door::{Fault, Otlp, OtlpLimits},
    reply::Status,
    request::Signal,
    wire::Encoding,
};

/// The paths of OTLP over HTTP.
pub fn router(otlp: Otlp) -> Router {
    let traces = |State(otlp), headers, body| handle(otlp, Signal::Traces, headers, body);
    let logs = |State(otlp), headers, body| handle(otlp, Signal::Logs, headers, body);
    Router::new()
        .route(Signal::Traces.path(), post(traces).fallback(wrong_method))
        .route(Signal::Logs.path(), post(logs).fallback(wrong_method))
        .with_state(otlp)
}

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

async fn wrong_method() -> Response {
    let allow = (header::ALLOW, HeaderValue::from_static("POST"));
    (StatusCode::METHOD_NOT_ALLOWED, [allow], "OTLP is sent by POST\n").into_response()
}

async fn handle(otlp: Otlp, signal: Signal, headers: HeaderMap, mut body: Body) -> Response {
    let Some(encoding) = encoding(&headers) else {
        hear_out(body, otlp.limits()).await;
        let message = "send application/x-protobuf or application/json, and say so in Content-Type\n";
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, message).into_response();
    };
    match take(&otlp, (encoding, signal), &headers, &mut body).await {
        Ok(answer) => ([(header::CONTENT_TYPE, content_type(encoding))], answer).into_response(),
        Err(fault) => {
            if fault != Fault::TooSlow {
                hear_out(body, otlp.limits()).await;
            }
            refuse(&fault, encoding)
        }
    }
}

/// How much more than it may send a sender is listened to.
const PATIENCE: usize = 8;

/// Lets a sender that is refused finish: most look for an answer only then, and take a connection that is
/// closed before for one that is broken. What it still sends is thrown away.
async fn hear_out(mut body: Body, limits: &OtlpLimits) {
    let mut left = limits.body_bytes.saturating_mul(PATIENCE);
    if body.size_hint().lower() > u64::try_from(left).unwrap_or(u64::MAX) {
        return;
    }
    let ends = async {
        while let Some(Ok(frame)) = body.frame().await {
            let bytes = frame.data_ref().map_or(0, Bytes::len);
            let Some(rest) = left.checked_sub(bytes) else { break };
            left = rest;
        }
    };
    // Whoever takes too long has not been waiting for the answer.
    let _ = tokio::time::timeout(Duration::from_secs(limits.receive_seconds), ends).await;
}

async fn take(
    otlp: &Otlp,
    (encoding, signal): (Encoding, Signal),
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Vec<u8>, Fault> {
    let packing = Packing::of(headers)?;
    let limits = otlp.limits();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: usize| length > limits.body_bytes) {
        return Err(Fault::too_large(limits.body_bytes, "body_bytes"));
    }
    let received = tokio::time::timeout(Duration::from_secs(limits.receive_seconds), receive(otlp, body));
    let (bytes, mut room) = received.await.map_err(|_| Fault::TooSlow)??;
    let bytes = match packing {
        Packing::None => bytes,
        Packing::Gzip => unpack(otlp.clone(), bytes, &mut room).await?,
    };
    let answer = otlp.take(bytes, encoding, signal).await?.body(signal, encoding);
    drop(room);
    Ok(answer)
}

/// How a body is packed.
enum Packing {
    None,
    Gzip,
}

impl Packing {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        let Some(packing) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::None) };
        match packing.to_str().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::None),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            _ => Err(Fault::Malformed("Content-Encoding must be gzip or identity".to_owned())),
        }
    }
}

/// What a request has taken of the room for all.
type Room = Option<OwnedSemaphorePermit>;

/// Receives a body, which takes its room while it comes: how long it gets is often not said before.
async fn receive(otlp: &Otlp, body: &mut Body) -> Result<(Bytes, Room), Fault> {
    let most = otlp.limits().body_bytes;
    let said = usize::try_from(body.size_hint().lower()).unwrap_or(most).min(most);
    let (mut body, mut room) = (Limited::new(body, most), None);
    let (mut first, mut whole) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| match error.downcast::<LengthLimitError>() {
            Ok(_) => Fault::too_large(most, "body_bytes"),
            Err(error) => Fault::Malformed(format!("the body broke off: {error}")),
        })?;
        let Ok(data) = frame.into_data() else { continue };
        otlp.more_room(&mut room, data.len())?;
        // A body that comes in one piece is not copied.
        if first.is_empty() {
            first = data;
            continue;
        }
        if whole.is_empty() {
            whole = otlp.buffers().take(said.max(first.len() + data.len()));
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&data);
    }
    Ok((if whole.is_empty() { first } else { whole.freeze() }, room))
}

/// Unpacks a body on a thread of its own: a bomb would hold up whatever runs on the same one.
async fn unpack(otlp: Otlp, bytes: Bytes, room: &mut Room) -> Result<Bytes, Fault> {
    let mut held = room.take();
    let work = move || unpack_now(&otlp, &bytes, &mut held).map(|bytes| (bytes, held));
    let (bytes, held) = tokio::task::spawn_blocking(work).await.map_err(|_| Fault::Internal)??;
    *room = held;
    Ok(bytes)
}

/// Bytes that are unpacked before more room is asked for.
const PIECE: usize = 256 << 10;

fn unpack_now(otlp: &Otlp, bytes: &[u8], room: &mut Room) -> Result<Bytes, Fault> {
    let most = otlp.limits().unpacked_bytes;
    let mut reader = flate2::read::MultiGzDecoder::new(bytes);
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(4).min(most));
    loop {
        if out.capacity() - out.len() < PIECE {
            // Twice as much, but not twice the most.
            out.reserve_exact(out.len().min(most - out.len()) + PIECE);
        }
        let piece = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let read = reader.by_ref().take(piece).read_to_end(&mut out);
        let read = read.map_err(|error| Fault::Malformed(format!("the body is not gzip: {error}")))?;
        if read == 0 {
            return Ok(out.into());
        }
        if out.len() > most {
            return Err(Fault::too_large(most, "unpacked_bytes"));
        }
        otlp.more_room(room, read)?;
    }
}

fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence: mime::Mime = content_type.parse().ok()?;
    match essence.essence_str() {
        "application/x-protobuf" | "application/protobuf" => Some(Encoding::Protobuf),
        "application/json" => Some(Encoding::Json),
        _ => None,
    }
}

const fn content_type(encoding: Encoding) -> HeaderValue {
    match encoding {
        Encoding::Protobuf => PROTOBUF,
        Encoding::Json => JSON,
    }
}

fn refuse(fault: &Fault, encoding: Encoding) -> Response {
    // The codes that gRPC has for the same.
    let (status, code, message) = match fault {
        Fault::Malformed(message) => (StatusCode::BAD_REQUEST, 3, message.clone()),
        Fault::TooLarge(message) => (StatusCode::PAYLOAD_TOO_LARGE, 8, message.clone()),
        Fault::TooSlow => (StatusCode::REQUEST_TIMEOUT, 4, "the body took too long to come".to_owned()),
        Fault::Overloaded(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, 14, "too much is going on; try again later".to_owned())
        }
        Fault::Unavailable(_) => {
            (StatusCode::SERVICE_UNAVAILABLE, 14, "nothing can be stored now; try again later".to_owned())
        }
        Fault::Internal => (StatusCode::INTERNAL_SERVER_ERROR, 13, "the spans were not stored".to_owned()),
    };
    let body = Status { code, message }.body(encoding);
    let mut response = (status, [(header::CONTENT_TYPE, content_type(encoding))], body).into_response();
    if let Fault::Overloaded(after) | Fault::Unavailable(after) = fault {
        let seconds = after.as_secs().max(1);
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}
