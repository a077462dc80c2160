//! OTLP over gRPC: `TraceService` and `LogsService`.
//!
//! The services are written here instead of taken from the generated ones, because those decode a request
//! whole: one span that cannot be read would cost all of them. A message takes its room while it comes.

use std::{
    convert::Infallible,
    future::Future,
    io,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt, future::BoxFuture};
use hyper::body::{Body as HttpBody, Frame};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceResponse, trace::v1::ExportTraceServiceResponse,
};
use parking_lot::Mutex;
use prost::Message;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tonic::{
    Code, Request, Response, Status,
    body::Body,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, NamedService, UnaryService},
    transport::{Server, server::Connected, server::TcpIncoming},
};

use super::{
    door::{Fault, Otlp},
    reply::Outcome,
    request::Signal,
    wire::Encoding,
};

/// Requests that one connection may have under way.
const STREAMS: u32 = 64;

/// How often a silent connection is asked whether anyone is there.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// Serves gRPC until `stop` is done.
///
/// # Errors
/// When the connections cannot be taken.
pub async fn serve(
    otlp: Otlp,
    listener: TcpListener,
    connections: usize,
    stop: impl Future<Output = ()>,
) -> Result<(), tonic::transport::Error> {
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    Server::builder()
        .max_concurrent_streams(STREAMS)
        .http2_keepalive_interval(Some(KEEP_ALIVE))
        .add_service(Service::<Traces>::new(otlp.clone()))
        .add_service(Service::<Logs>::new(otlp))
        .serve_with_incoming_shutdown(bounded(incoming, connections), stop)
        .await
}

/// Connections while there are fewer than `most`; more wait until one closes.
fn bounded(incoming: TcpIncoming, most: usize) -> impl Stream<Item = io::Result<Held>> {
    let free = Arc::new(Semaphore::new(most));
    incoming.then(move |stream| {
        let free = Arc::clone(&free);
        async move { Ok(Held { stream: stream?, _permit: free.acquire_owned().await.ok() }) }
    })
}

/// A connection that counts until it closes.
struct Held {
    stream: TcpStream,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Connected for Held {
    type ConnectInfo = ();

    fn connect_info(&self) {}
}

impl AsyncRead for Held {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, out)
    }
}

impl AsyncWrite for Held {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// One of the two services.
trait Kind: Send + Sync + 'static {
    /// Its name in the protocol.
    const NAME: &'static str;
    /// The path of its one method.
    const PATH: &'static str;
    /// What is sent to it.
    const SIGNAL: Signal;
    /// What it answers.
    type Reply: Message + Default + 'static;

    fn reply(outcome: &Outcome) -> Self::Reply;
}

struct Traces;

impl Kind for Traces {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
    const PATH: &'static str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    const SIGNAL: Signal = Signal::Traces;
    type Reply = ExportTraceServiceResponse;

    fn reply(outcome: &Outcome) -> Self::Reply {
        outcome.of_traces()
    }
}

struct Logs;

impl Kind for Logs {
    const NAME: &'static str = "opentelemetry.proto.collector.logs.v1.LogsService";
    const PATH: &'static str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    const SIGNAL: Signal = Signal::Logs;
    type Reply = ExportLogsServiceResponse;

    fn reply(outcome: &Outcome) -> Self::Reply {
        outcome.of_logs()
    }
}

/// A service as tonic calls it.
struct Service<K> {
    otlp: Otlp,
    kind: PhantomData<fn() -> K>,
}

impl<K> Service<K> {
    const fn new(otlp: Otlp) -> Self {
        Self { otlp, kind: PhantomData }
    }
}

impl<K> Clone for Service<K> {
    fn clone(&self) -> Self {
        Self { otlp: self.otlp.clone(), kind: PhantomData }
    }
}

impl<K: Kind> NamedService for Service<K> {
    const NAME: &'static str = K::NAME;
}

impl<K: Kind> tower_service::Service<axum::http::Request<Body>> for Service<K> {
    type Response = axum::http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: axum::http::Request<Body>) -> Self::Future {
        let otlp = self.otlp.clone();
        Box::pin(async move {
            if request.uri().path() != K::PATH {
                return Ok(Status::unimplemented("there is only the method Export").into_http());
            }
            let most = otlp.limits().unpacked_bytes;
            let room = Room::default();
            let request = request.map(|body| Metered { body, otlp: otlp.clone(), room: Arc::clone(&room) });
            let mut grpc = Grpc::new(Plain::<K::Reply>(PhantomData))
                .accept_compressed(CompressionEncoding::Gzip)
                .max_decoding_message_size(most);
            let response = grpc.unary(Call::<K> { otlp, room, kind: PhantomData }, request).await;
            let code =
                response.headers().get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()));
            // Senders try again what is OUT_OF_RANGE, which is what the library calls a long message.
            Ok(match code {
                Some(Code::OutOfRange | Code::ResourceExhausted) => {
                    status(&Fault::too_large(most, "unpacked_bytes")).into_http()
                }
                _ => response,
            })
        })
    }
}

/// One call of a service.
struct Call<K> {
    otlp: Otlp,
    room: Room,
    kind: PhantomData<fn() -> K>,
}

/// What a request has taken of the room for all.
type Room = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

impl<K: Kind> UnaryService<Bytes> for Call<K> {
    type Response = K::Reply;
    type Future = BoxFuture<'static, Result<Response<K::Reply>, Status>>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let (otlp, room) = (self.otlp.clone(), Arc::clone(&self.room));
        Box::pin(async move {
            let message = request.into_inner();
            let mut held = room.lock().take();
            let packed = held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
            let unpacked = message.len().saturating_sub(packed);
            otlp.more_room(&mut held, unpacked).map_err(|fault| status(&fault))?;
            let outcome = otlp.take(message, Encoding::Protobuf, K::SIGNAL).await;
            Ok(Response::new(K::reply(&outcome.map_err(|fault| status(&fault))?)))
        })
    }
}

/// A request's body, which takes room as it comes.
struct Metered {
    body: Body,
    otlp: Otlp,
    room: Room,
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other,
        };
        let bytes = frame.data_ref().map_or(0, Bytes::len);
        let taken = self.otlp.more_room(&mut self.room.lock(), bytes);
        Poll::Ready(Some(taken.map(|()| frame).map_err(|fault| status(&fault))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }
}

/// Messages as the bytes that they are, and answers in protobuf.
struct Plain<R>(PhantomData<fn() -> R>);

impl<R: Message + 'static> Codec for Plain<R> {
    type Encode = R;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self {
        Self(PhantomData)
    }
}

impl<R: Message> Encoder for Plain<R> {
    type Item = R;
    type Error = Status;

    fn encode(&mut self, reply: R, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        reply.encode(out).map_err(|error| Status::internal(error.to_string()))
    }
}

impl<R> Decoder for Plain<R> {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

fn status(fault: &Fault) -> Status {
    match fault {
        Fault::Malformed(message) => Status::invalid_argument(message.clone()),
        Fault::TooLarge(message) => Status::resource_exhausted(message.clone()),
        Fault::TooSlow => Status::deadline_exceeded("the request took too long to come"),
        Fault::Overloaded(after) => later(*after, "too much is going on; try again later"),
        Fault::Unavailable(after) => later(*after, "nothing can be stored now; try again later"),
        Fault::Internal => Status::internal("the request was not stored"),
    }
}

/// A request that can succeed later, with how long to wait: exporters read it from `google.rpc.RetryInfo`.
fn later(after: Duration, message: &str) -> Status {
    let info = RetryInfo { retry_delay: Some(prost_duration(after)) };
    let detail =
        Any { type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(), value: info.encode_to_vec() };
    let whole =
        WithDetails { code: Code::Unavailable as i32, message: message.to_owned(), details: vec![detail] };
    Status::with_details(Code::Unavailable, message, whole.encode_to_vec().into())
}

fn prost_duration(duration: Duration) -> Span {
    Span {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or_default(),
    }
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct WithDetails {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Span>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
