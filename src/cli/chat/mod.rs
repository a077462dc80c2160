//! `dendro chat`: talking with an agent in the terminal, and seeing its spans as they run.
//!
//! The chat is a client of the API over HTTP ([`api`]), also of the server that it starts itself: so there is one way,
//! and everything that it can do, others can. Nothing here knows a service. What it shows goes through [`screen`],
//! what it is told comes through [`console`]; [`talk`] is the conversation and [`turn`] one answer in it.

mod api;
mod choose;
mod command;
mod console;
mod input;
mod screen;
mod server;
mod signals;
mod spans;
mod talk;
mod tree;
mod turn;
mod words;

use std::net::{Ipv4Addr, SocketAddr};

use clap::Args;
use reqwest::Url;

use self::{
    api::Api, choose::Wish, console::Console, screen::Look, server::OwnServer, talk::Talk, words::clean,
};
use super::{
    exit::Outcome,
    settings::{DatabaseArgs, ServerArgs},
};
use crate::{
    app::Database,
    config::{Config, Flags},
};

/// Talk with an agent, and see its spans as they run
///
/// Starts a server of its own on a free port, or talks to one that is running. Where its input is no
/// terminal, each line is a message, and it exits with 1 where one was not answered. Where its output is
/// none, or `NO_COLOR` is set, it writes no escape codes.
#[derive(Debug, Args)]
#[command(mut_arg("listen", |listen| listen.help("The address to listen on [default: a free port of 127.0.0.1]")))]
#[command(mut_arg("otlp_http", |port| port.help("Where to take OTLP over HTTP, beside the main port [default: off]")))]
#[command(mut_arg("otlp_grpc", |port| port.help("Where to take OTLP over gRPC [default: off]")))]
#[command(after_help = "\
Examples:
  dendro chat                                        choose an agent, or make the first
  dendro chat --model scripted/demo                  with a model that needs no key
  dendro chat --model openai/gpt-4o-mini --system 'You help with sums.' --tool calculator
  dendro chat --url http://127.0.0.1:4000 --agent guide
  echo 'What is 12 * 7?' | dendro chat --agent guide

In the chat, /help says what else there is.")]
pub(super) struct ChatArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(flatten)]
    server: ServerArgs,

    /// Talk to the server at this address, instead of starting one
    #[arg(long, value_name = "URL", value_parser = server_url)]
    #[arg(conflicts_with_all = ["data", "engine", "listen", "address_file", "otlp_http", "otlp_grpc", "allow_remote"])]
    url: Option<Url>,

    /// The agent: agents/guide, or guide
    #[arg(long, value_name = "NAME", conflicts_with_all = ["model", "system", "tool"])]
    agent: Option<String>,

    /// The version of the agent that this label points at [default: the newest]
    #[arg(long, value_name = "NAME", requires = "agent")]
    label: Option<String>,

    /// Go on with this conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<String>,

    /// Make an agent called `chat` with this model: PROVIDER/NAME
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,

    /// What that agent is told
    #[arg(long, value_name = "TEXT", requires = "model")]
    system: Option<String>,

    /// A tool that it may call; can be given several times [default: all that are enabled]
    #[arg(long, value_name = "NAME", requires = "model")]
    tool: Vec<String>,
}

/// Where a server of one's own listens: beside one that has the usual port.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

impl ChatArgs {
    pub(super) fn settings(&self, flags: &mut Flags) {
        // What a file says of ports is said for a server that stays.
        flags
            .set("server.listen", Some(ANY_PORT))
            .set("otlp.http", Some("off"))
            .set("otlp.grpc", Some("off"));
        self.database.settings(flags);
        self.server.settings(flags);
    }
}

fn server_url(text: &str) -> Result<Url, String> {
    let wrong = || format!("`{text}` is no address of a server; one looks like http://127.0.0.1:4000");
    let url: Url = text.parse().map_err(|_| wrong())?;
    if ["http", "https"].contains(&url.scheme()) { Ok(url) } else { Err(wrong()) }
}

pub(super) async fn run(args: ChatArgs, config: &Config) -> anyhow::Result<Outcome> {
    // First of all, so that no signal ends the process with a database open.
    let mut console = Console::open()?;
    let (own, url) = if let Some(url) = &args.url {
        (None, url.clone())
    } else {
        let own = OwnServer::start(config).await?;
        let url = own.url().parse()?;
        (Some(own), url)
    };
    let talked = talk(args, url, &mut console).await;
    drop(console);
    if let Some(own) = own {
        Box::pin(own.stop()).await?;
    }
    Ok(if talked? { Outcome::Done } else { Outcome::Problems })
}

/// Talks with the server at an address. Whether all went well.
async fn talk(args: ChatArgs, url: Url, console: &mut Console) -> anyhow::Result<bool> {
    let api = Api::new(url)?;
    let ChatArgs { agent, label, conversation, model, system, tool: tools, .. } = args;
    let wish = Wish { agent, label: label.clone(), model, system, tools };
    let Some(agent) = choose::agent(&api, console, &wish).await? else { return Ok(true) };
    let scripted = if choose::is_scripted(&api.providers().await?, &agent.model) { ", scripted" } else { "" };
    let greeting = format!(
        "Talking with {} ({}{scripted}). /help says what else there is.\nWatch it at {}",
        agent.id,
        clean(&agent.model),
        api.at("graphiql"),
    );
    console.screen.line(Look::Dim, 0, &greeting)?;
    let mut talk = Talk::new(&api, console, Database::ids(), (agent, label));
    if let Some(conversation) = conversation {
        talk.go_on(&conversation).await?;
    }
    talk.run().await
}
