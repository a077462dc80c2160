//! OTLP in files: what clients sent goes in from files, comes out as it went in, and gives the same answers
//! in another database.

pub mod answers;
mod corpus;
mod files;
mod pieces;
mod recorded;
mod round_trip;

use std::io::Cursor;

use dendro::{
    model::Timestamp,
    otlp::{
        Encoding,
        export::Exporter,
        import::{Importer, Progress, Reader, Report, detect, run},
    },
    service::{import::open, query::Selection},
};
use futures_util::TryStreamExt;

use crate::support::Server;

/// After all moments of the corpus.
const NOW: Timestamp = Timestamp::from_nanos(1_830_000_000_000_000_000);

pub async fn server() -> Server {
    let server = Server::new().await;
    server.clock.set(NOW);
    server
}

/// Imports a file; what was left out is told.
pub async fn import(server: &Server, name: &str, bytes: &[u8]) -> (Report, Vec<String>) {
    import_as(server, name, bytes, false).await
}

async fn import_as(server: &Server, name: &str, bytes: &[u8], strict: bool) -> (Report, Vec<String>) {
    let input = open(Cursor::new(bytes.to_vec())).unwrap();
    let (form, input) = detect(input);
    let reader = Reader::new(name, input, form.unwrap_or_else(|| panic!("{name} is not told to be OTLP")));
    let importer = Importer::new(server.services.ingest.clone(), server.clock.clone());
    let mut problems = Vec::new();
    let report = run(&importer, reader, strict, |progress| {
        if let Progress::Problem(problem) = progress {
            problems.push(problem.to_string());
        }
    });
    (report.await.unwrap(), problems)
}

/// Exports everything.
pub async fn export(server: &Server, encoding: Encoding) -> Vec<u8> {
    export_some(server, encoding, Selection::default()).await
}

async fn export_some(server: &Server, encoding: Encoding, selection: Selection) -> Vec<u8> {
    let mut exporter = Exporter::new(encoding);
    let mut out = Vec::new();
    let mut pieces = std::pin::pin!(server.services.queries.whole_traces(selection).await.unwrap());
    while let Some(piece) = pieces.try_next().await.unwrap() {
        out.extend(exporter.write(&piece));
    }
    out
}

/// The requests of an export in protobuf.
fn frames(bytes: &[u8]) -> Vec<opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest> {
    let (mut rest, mut requests) = (bytes, Vec::new());
    while let Some((length, behind)) = rest.split_first_chunk::<4>() {
        let (frame, next) = behind.split_at(u32::from_be_bytes(*length) as usize);
        requests.push(prost::Message::decode(frame).unwrap());
        rest = next;
    }
    requests
}

/// The requests of an export in JSON.
fn lines(bytes: &[u8]) -> Vec<serde_json::Value> {
    std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
