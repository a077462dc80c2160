//! `dendro serve`: a database behind its API.

use clap::Args;

use super::{
    exit::{Outcome, print},
    settings::{DatabaseArgs, ServerArgs},
};
use crate::{
    app::{Additions, Database, Server, Stop},
    config::{Config, Flags},
    engine::EngineKind,
};

/// Serve a database: GraphQL over HTTP, WebSocket and SSE, and GraphiQL to explore it
///
/// Prints `listening on http://ADDRESS` once it answers. SIGINT and SIGTERM stop it: it takes no more
/// requests, lets those under way end, ends sockets and streams, and closes the database. A second
/// signal ends it at once; nothing that was acknowledged is lost either way.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro serve                                       http://127.0.0.1:4000, database in ./data
  dendro serve --listen 127.0.0.1:0 --address-file address.txt
  dendro serve --data /var/lib/dendro --engine fjall
  DENDRO_LOG__FORMAT=json dendro serve --log debug

Paths:
  /graphql           queries and mutations by POST, queries by GET
  /graphql/ws        all operations, over graphql-transport-ws
  /graphql/stream    all operations, as event streams (SSE)
  /graphiql          a page to explore the API
  /v1/traces         OpenTelemetry's spans, protobuf or JSON; also on port 4318, and by gRPC on 4317
  /v1/logs           OpenTelemetry's records of agents, likewise
  /healthz           200 as long as the process answers
  /readyz            200 while it takes work; else 503 and why: it starts, it stops, or its store has stopped")]
pub(super) struct ServeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    server: ServerArgs,
}

impl ServeArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        self.database.settings(flags);
        self.server.settings(flags);
    }
}

pub(super) async fn run(config: &Config) -> anyhow::Result<Outcome> {
    let stop = Stop::default();
    stop.at_signals();
    let database = Database::open_with_agents(config, Additions::default()).await?;
    let server = Server::bind(config, database.services.clone()).await?;
    announce(&server, config)?;
    server.run(&stop).await?;
    database.close().await?;
    Ok(Outcome::Done)
}

/// Says where the server is. Programs read the first line: it stays as it is.
pub(super) fn announce(server: &Server, config: &Config) -> anyhow::Result<()> {
    let url = format!("http://{}", server.address());
    let (folder, engine) = (config.store.data_dir.display(), config.store.engine);
    let data =
        if engine == EngineKind::Memory { "in memory".to_owned() } else { format!("{folder} ({engine})") };
    let ports = [server.otlp_http(), server.otlp_grpc()].into_iter().zip(["http://", "grpc://"]);
    let ports = ports.filter_map(|(address, scheme)| Some(format!("{scheme}{}", address?)));
    let otlp = std::iter::once(format!("{url}/v1/traces")).chain(ports).collect::<Vec<_>>().join(", ");
    print(&format!(
        "listening on {url}\n\
         \x20 GraphiQL  {url}/graphiql\n\
         \x20 GraphQL   {url}/graphql\n\
         \x20 OTLP      {otlp}\n\
         \x20 data      {data}\n"
    ))?;
    Ok(())
}
