//! `/export/{table}.{format}`: a whole table, sent while it is read.
//!
//! Rows are read only as fast as the client takes what was made of those before, so a table takes no more memory than
//! some of its rows, and a client that goes away stops the work. What goes wrong before the first bytes is told as
//! everywhere; what goes wrong behind them cuts the answer off, so that nobody takes it for whole.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{TryStreamExt, stream};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    Rest,
    object::object,
    problem::Problem,
    request::{At, OptionalBody, Query},
    scalar::Moment,
    traces::TraceQueryOrder,
};
use crate::{
    export::{Format, Writer},
    service::{
        ServiceError,
        ingest::conversation_id,
        tables::{Exporting, RowFilter, Rows, Table},
    },
    written::condition::TraceWhere,
};

pub(super) fn routes() -> OpenApiRouter<Rest> {
    OpenApiRouter::new().routes(routes!(export, export_some))
}

/// Which rows.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportFilter {
    /// From this moment on: traces and spans by the start of their trace, messages and scores by their own time.
    from: Option<Moment>,
    /// Before this moment.
    to: Option<Moment>,
    /// Of this conversation: its UUID, or the ID that the application gave it.
    conversation_id: Option<String>,
    /// Of this trace; can be given several times.
    trace_id: Vec<Uuid>,
}

impl From<ExportFilter> for RowFilter {
    fn from(filter: ExportFilter) -> Self {
        let ExportFilter { from, to, conversation_id: conversation, trace_id } = filter;
        Self {
            traces: trace_id.into_iter().map(Into::into).collect(),
            conversation: conversation.as_deref().map(conversation_id),
            from: from.map(Into::into),
            before: to.map(Into::into),
            ..Self::default()
        }
    }
}

/// Rows of which traces, in which order.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ExportTraces {
    /// The condition on traces, as `/traces/query` takes it; any trace, where nothing is said.
    #[serde(rename = "where")]
    #[serde(default, deserialize_with = "object")]
    condition: Option<TraceWhere>,
    /// Which traces come first, with what is of them; those that started first, where nothing is said.
    #[serde(default, deserialize_with = "object")]
    order_by: Option<TraceQueryOrder>,
}

/// Export a table
///
/// All rows of `traces`, `spans`, `messages` or `scores` that the filter means, as JSON lines (`.jsonl`), CSV (`.csv`)
/// or Parquet (`.parquet`), sent while they are read. An answer that breaks off is not whole.
#[utoipa::path(
    get, path = "/export/{file}", tag = "Export", operation_id = "exportTable",
    params(("file" = String, Path, description = "The table and the format.", example = "spans.parquet"), ExportFilter),
    responses(
        (status = 200, description = "The table.", content(
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.parquet"),
        )),
    ),
)]
async fn export(
    State(rest): State<Rest>,
    At(file): At<String>,
    Query(filter): Query<ExportFilter>,
) -> Result<Response, Problem> {
    send(&rest, &file, &filter.into()).await
}

/// Export the rows of traces that fulfil a condition
///
/// Traces that fulfil the condition in the body, their spans, the messages of their runs, or the scores of them and of
/// their spans. Parameters of the query must hold too. A condition that would have to look at too much is refused before
/// anything is sent.
#[utoipa::path(
    post, path = "/export/{file}", tag = "Export", operation_id = "exportTableOfTraces",
    params(("file" = String, Path, description = "The table and the format.", example = "spans.parquet"), ExportFilter),
    request_body = Option<ExportTraces>,
    responses(
        (status = 200, description = "The table.", content(
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.parquet"),
        )),
    ),
)]
async fn export_some(
    State(rest): State<Rest>,
    At(file): At<String>,
    Query(filter): Query<ExportFilter>,
    OptionalBody(wanted): OptionalBody<ExportTraces>,
) -> Result<Response, Problem> {
    let condition = wanted.condition.map(|condition| condition.read("where")).transpose();
    let condition = condition.map_err(|refusal| Problem::from(refusal).in_body())?;
    let ordering = wanted.order_by.map(TraceQueryOrder::into_model);
    send(&rest, &file, &RowFilter { condition, ordering, ..filter.into() }).await
}

/// Begins to send the rows of a table.
async fn send(rest: &Rest, file: &str, filter: &RowFilter) -> Result<Response, Problem> {
    let (table, format) = file.split_once('.').unwrap_or((file, ""));
    let table: Table = table.parse().map_err(|message: String| Problem::of_url("file", message))?;
    let format: Format = format.parse().map_err(|message: String| Problem::of_url("file", message))?;
    let tables = &rest.services.tables;
    let exporting = tables.begin()?;
    let writer = Some(Writer::new(format, table.columns()).map_err(|error| failed(&error))?);
    // All that can be refused here stands in the body.
    let rows = tables.rows(table, filter).await.map_err(|error| Problem::from(error).in_body())?;
    let mut sending = Sending { rows, writer, _exporting: exporting };
    // What cannot be read at all is told before anything is sent.
    let first = sending.step().await.map_err(|error| match error {
        Cut::Service(ServiceError::Refused(refusal)) => Problem::from(refusal).in_url(),
        Cut::Service(error) => error.into(),
        Cut::Writing(error) => failed(&error),
    })?;
    let headers = [
        (header::CONTENT_TYPE, format.media_type().to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{table}.{format}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(sent(first, sending))).into_response())
}

fn failed(error: &io::Error) -> Problem {
    tracing::error!(%error, "a table cannot be written");
    Problem::internal()
}

/// Why a table is not sent whole.
#[derive(Debug, thiserror::Error)]
enum Cut {
    #[error(transparent)]
    Service(#[from] ServiceError),
    #[error(transparent)]
    Writing(#[from] io::Error),
}

/// A table on its way.
struct Sending {
    rows: Rows,
    writer: Option<Writer>,
    _exporting: Exporting,
}

/// How far a step came.
enum Step {
    /// These bytes are ready, and more may follow.
    More(Vec<u8>),
    /// These are the last.
    Last(Vec<u8>),
}

impl Sending {
    /// Reads some rows and writes them: on a thread that may work for a while.
    async fn step(&mut self) -> Result<Step, Cut> {
        let Some(rows) = self.rows.next().await? else {
            return Ok(Step::Last(self.written(Writer::finish).await?));
        };
        Ok(Step::More(self.written(|writer| writer.write(rows)).await?))
    }

    async fn written(
        &mut self,
        write: impl FnOnce(&mut Writer) -> io::Result<Vec<u8>> + Send + 'static,
    ) -> io::Result<Vec<u8>> {
        // Where the thread fails there is no writer any more, and the answer is cut off.
        let mut writer = self.writer.take().ok_or_else(|| io::Error::other("the table is written"))?;
        let work = tokio::task::spawn_blocking(move || {
            let bytes = write(&mut writer);
            (writer, bytes)
        });
        let (writer, bytes) = work.await.map_err(io::Error::other)?;
        self.writer = Some(writer);
        bytes
    }
}

/// The bytes of a table, made as they are asked for.
fn sent(first: Step, sending: Sending) -> impl stream::Stream<Item = Result<Bytes, Cut>> {
    let steps = stream::try_unfold((Some(first), Some(sending)), |(first, sending)| async move {
        let Some(mut sending) = sending else { return Ok(None) };
        let step = match first {
            Some(step) => step,
            None => sending.step().await.inspect_err(|error| {
                tracing::error!(%error, "a table was cut off");
            })?,
        };
        Ok(Some(match step {
            Step::More(bytes) => (bytes, (None, Some(sending))),
            Step::Last(bytes) => (bytes, (None, None)),
        }))
    });
    steps.try_filter(|bytes| std::future::ready(!bytes.is_empty())).map_ok(Bytes::from)
}
