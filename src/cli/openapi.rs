//! `dendro openapi`: the description of REST.

use clap::Args;

use super::exit::{Outcome, print};
use crate::{app, config::Config, rest};

/// Print the OpenAPI description of the REST API, as openapi.json holds it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro openapi > openapi.json            for code generators and clients")]
pub(super) struct OpenapiArgs {}

pub(super) fn run(config: &Config) -> anyhow::Result<Outcome> {
    let description = rest::description(&app::rest_pages(config))?;
    print(&format!("{description:#}\n"))?;
    Ok(Outcome::Done)
}
