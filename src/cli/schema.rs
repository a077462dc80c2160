//! `dendro schema`: the API's schema.

use clap::Args;

use super::exit::{Outcome, print};
use crate::graphql;

/// Print the GraphQL schema, as schema.graphql holds it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  dendro schema > schema.graphql           for code generators and editors")]
pub(super) struct SchemaArgs {}

pub(super) fn run() -> anyhow::Result<Outcome> {
    print(&graphql::sdl())?;
    Ok(Outcome::Done)
}
