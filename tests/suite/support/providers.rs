//! A server that speaks as providers of models do, over HTTP on this machine: `/v1/chat/completions` as
//! OpenAI, `/v1/messages` as Anthropic; elsewhere it says raw pieces only. What it answers is put into a
//! queue before; what it was asked is kept.

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
    routing::post,
};
use futures_util::stream;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

/// What is answered to one request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// A stream of an answer.
    Said(Said),
    /// A status with headers and a body.
    Status(u16, Vec<(&'static str, String)>, String),
    /// Nothing, ever.
    Silence,
}

/// An answer in pieces.
#[derive(Debug, Clone, Default)]
pub struct Said {
    pub pieces: Vec<Piece>,
    pub tokens: Tokens,
    /// The word of the protocol; `None`: what suits the pieces.
    pub finish: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub enum Piece {
    Thinking(&'static str),
    Text(&'static str),
    /// A call of a tool, its arguments in pieces.
    Call(&'static str, &'static str, &'static [&'static str]),
    Wait(Duration),
    /// Bytes as they are, in place of what the protocol says.
    Raw(&'static str),
    /// The connection breaks.
    Cut,
    /// The stream ends well, without its end.
    Stop,
    /// Nothing comes any more.
    Hang,
}

/// Tokens as OpenAI counts them: parts are in their wholes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tokens {
    pub input: u64,
    pub output: u64,
    pub cache_read: u64,
    pub cache_write: u64,
    pub reasoning: u64,
}

impl Reply {
    pub fn said(pieces: impl Into<Vec<Piece>>) -> Self {
        Self::Said(Said { pieces: pieces.into(), ..Said::default() })
    }

    pub fn text(text: &'static str) -> Self {
        Self::said([Piece::Text(text)])
    }

    pub fn with_tokens(self, tokens: Tokens) -> Self {
        match self {
            Self::Said(said) => Self::Said(Said { tokens, ..said }),
            other => other,
        }
    }

    pub fn status(status: u16, body: &str) -> Self {
        Self::Status(status, Vec::new(), body.to_owned())
    }
}

/// The server. It ends when it is dropped.
pub struct FakeProviders {
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    asked: Mutex<Vec<Asked>>,
    left: AtomicUsize,
    someone_left: Notify,
}

impl FakeProviders {
    pub async fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        shared.replies.lock().extend(replies);
        let router = Router::new().fallback(post(answer)).with_state(shared.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// What a provider's `url` is set to.
    pub fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().clone()
    }

    /// The last request's body.
    pub fn last_body(&self) -> Value {
        self.shared.asked.lock().last().unwrap().body.clone()
    }

    /// Waits until a client has left before its answer was at its end.
    pub async fn client_left(&self) {
        loop {
            let notified = self.shared.someone_left.notified();
            if self.shared.left.load(Ordering::SeqCst) > 0 {
                return;
            }
            notified.await;
        }
    }
}

impl Drop for FakeProviders {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Notices when an answer is dropped before its end.
struct Guard(Arc<Shared>, bool);

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.1 {
            self.0.left.fetch_add(1, Ordering::SeqCst);
            self.0.someone_left.notify_waiters();
        }
    }
}

async fn answer(
    State(shared): State<Arc<Shared>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Infallible> {
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    let path = uri.path().to_owned();
    let frames: fn(&Said) -> Vec<Frame> = match path.as_str() {
        "/v1/chat/completions" => openai,
        "/v1/messages" => anthropic,
        _ => |said| said.pieces.iter().filter_map(common).collect(),
    };
    shared.asked.lock().push(Asked { path, headers, body });
    let reply = shared.replies.lock().pop_front();
    let mut guard = Guard(shared, false);
    Ok(match reply.unwrap_or_else(|| Reply::status(500, "no answer was put into the queue")) {
        Reply::Silence => std::future::pending().await,
        Reply::Status(status, headers, body) => {
            guard.1 = true;
            let mut response = Response::builder().status(StatusCode::from_u16(status).unwrap());
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        }
        Reply::Said(said) => {
            let frames =
                stream::unfold((VecDeque::from(frames(&said)), guard), async |(mut frames, mut guard)| {
                    loop {
                        match frames.pop_front() {
                            Some(Frame::Bytes(bytes)) => return Some((Ok(bytes), (frames, guard))),
                            Some(Frame::Wait(time)) => tokio::time::sleep(time).await,
                            Some(Frame::Hang) => std::future::pending().await,
                            Some(Frame::Cut) => {
                                // What was said is sent while nothing more is ready.
                                tokio::time::sleep(Duration::from_millis(20)).await;
                                guard.1 = true;
                                return Some((Err(io::Error::other("cut")), (frames, guard)));
                            }
                            None => {
                                guard.1 = true;
                                return None;
                            }
                        }
                    }
                });
            let body = Body::from_stream(frames);
            Response::builder().header("content-type", "text/event-stream").body(body).unwrap()
        }
    })
}

enum Frame {
    Bytes(String),
    Wait(Duration),
    Hang,
    Cut,
}

/// Frames of what both protocols do the same way; `None` for what each says in its own.
fn common(piece: &Piece) -> Option<Frame> {
    match piece {
        Piece::Wait(time) => Some(Frame::Wait(*time)),
        Piece::Raw(text) => Some(Frame::Bytes((*text).to_owned())),
        Piece::Hang => Some(Frame::Hang),
        Piece::Cut => Some(Frame::Cut),
        _ => None,
    }
}

fn openai(said: &Said) -> Vec<Frame> {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "answering-1",
            "choices": choices, "usage": usage,
        });
        Frame::Bytes(format!("data: {chunk}\n\n"))
    };
    let delta =
        |delta: Value| chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null);
    let mut frames = vec![delta(json!({"role": "assistant", "content": ""}))];
    let mut calls = 0;
    for piece in &said.pieces {
        match piece {
            Piece::Thinking(text) => frames.push(delta(json!({"reasoning_content": text}))),
            Piece::Text(text) => frames.push(delta(json!({"content": text}))),
            Piece::Call(id, name, arguments) => {
                let function = json!({"name": name, "arguments": ""});
                let call = json!([{"index": calls, "id": id, "type": "function", "function": function}]);
                frames.push(delta(json!({"tool_calls": call})));
                for piece in *arguments {
                    let call = json!([{"index": calls, "function": {"arguments": piece}}]);
                    frames.push(delta(json!({"tool_calls": call})));
                }
                calls += 1;
            }
            Piece::Stop => return frames,
            piece => frames.extend(common(piece)),
        }
    }
    let finish = said.finish.unwrap_or(if calls == 0 { "stop" } else { "tool_calls" });
    frames.push(chunk(json!([{"index": 0, "delta": {}, "finish_reason": finish}]), Value::Null));
    let Tokens { input, output, cache_read, cache_write, reasoning } = said.tokens;
    frames.push(chunk(
        json!([]),
        json!({
            "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
            "prompt_tokens_details": {"cached_tokens": cache_read, "cache_write_tokens": cache_write},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }),
    ));
    frames.push(Frame::Bytes("data: [DONE]\n\n".to_owned()));
    frames
}

fn anthropic(said: &Said) -> Vec<Frame> {
    let event =
        |data: Value| Frame::Bytes(format!("event: {}\ndata: {data}\n\n", data["type"].as_str().unwrap()));
    let Tokens { input, output, cache_read, cache_write, .. } = said.tokens;
    let usage = json!({
        "input_tokens": input - cache_read - cache_write, "output_tokens": 1,
        "cache_read_input_tokens": cache_read, "cache_creation_input_tokens": cache_write,
    });
    let message = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "answering-1", "content": [],
        "stop_reason": null, "usage": usage,
    });
    let mut frames =
        vec![event(json!({"type": "message_start", "message": message})), event(json!({"type": "ping"}))];
    let (mut index, mut calls) = (0, 0);
    for piece in &said.pieces {
        let (block, deltas): (Value, Vec<Value>) = match piece {
            Piece::Thinking(text) => (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                vec![
                    json!({"type": "thinking_delta", "thinking": text}),
                    json!({"type": "signature_delta", "signature": format!("signed-{index}")}),
                ],
            ),
            Piece::Text(text) => {
                (json!({"type": "text", "text": ""}), vec![json!({"type": "text_delta", "text": text})])
            }
            Piece::Call(id, name, arguments) => {
                calls += 1;
                let pieces = arguments.iter();
                (
                    json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
                    pieces.map(|piece| json!({"type": "input_json_delta", "partial_json": piece})).collect(),
                )
            }
            Piece::Stop => return frames,
            piece => {
                frames.extend(common(piece));
                continue;
            }
        };
        frames.push(event(json!({"type": "content_block_start", "index": index, "content_block": block})));
        for delta in deltas {
            frames.push(event(json!({"type": "content_block_delta", "index": index, "delta": delta})));
        }
        frames.push(event(json!({"type": "content_block_stop", "index": index})));
        index += 1;
    }
    let finish = said.finish.unwrap_or(if calls == 0 { "end_turn" } else { "tool_use" });
    let delta = json!({"stop_reason": finish, "stop_sequence": null});
    frames.push(event(json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": output}})));
    frames.push(event(json!({"type": "message_stop"})));
    frames
}
