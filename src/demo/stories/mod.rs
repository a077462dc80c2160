//! What people want of the agents: a conversation, act by act. Each comes to its end after a few acts.

mod coding;
mod research;
mod support;

use super::author::Author;

/// A conversation that somebody has with an agent.
pub(super) struct Story {
    /// The agent.
    pub agent: &'static str,
    pub title: String,
    /// Who talks to it.
    pub user: &'static str,
    pub acts: Vec<Act>,
}

/// What somebody does.
pub(super) enum Act {
    /// Says something, and waits for the answer.
    Say(String),
    /// Says something, and stops the run once it calls this tool.
    SayAndStop(String, &'static str),
    /// Says the last thing again to the other version of the agent, in a branch. The conversation goes on
    /// as it was.
    Compare,
    /// Has a plan carried out: its title, and its steps with the numbers of those that they wait for.
    Plan(String, Vec<(String, Vec<usize>)>),
}

/// Makes up a story.
pub(super) fn write(author: &mut Author, seed: u64) -> Story {
    match author.between(0, 9) {
        0..3 => research::write(author),
        3..7 => support::write(author, seed),
        _ => coding::write(author),
    }
}
