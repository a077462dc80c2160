//! What is said at the prompt: to the agent, or to the chat itself.

/// What a line means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// There is nothing in it.
    Empty,
    /// It is for the agent.
    Message(&'a str),
    /// It is for the chat.
    Command(Command<'a>),
    /// It is for the chat, which does not understand it: what would be right.
    Wrong(String),
}

/// What the chat can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// What there is.
    Help,
    /// Which agents there are, or to go on with one.
    Agents(Option<&'a str>),
    /// Begin another conversation.
    New,
    /// Go back before what was said so many messages ago, to say something else.
    Branch(usize),
    /// Say the same again.
    Retry,
    /// Show spans, or not.
    Spans(bool),
    /// Show the last run's tree.
    Trace,
    /// Leave.
    Quit,
}

/// What `/help` says.
pub(super) const HELP: &str = "\
/agents [NAME]   which agents there are; with a name: go on with that one
/new             begin another conversation
/branch [N]      go back before your last message, or the Nth last
/retry           go back before your last message and say it again
/spans on|off    show what runs, or only what is said
/trace           the last run as a tree, with times, tokens and cost
/quit            leave; so do Ctrl-D, and Ctrl-C twice
//…              say a message that begins with /
Ctrl-C stops an answer that is on its way.";

/// The commands, for who guesses.
const NAMES: &str = "/help /agents /new /branch /retry /spans /trace /quit";

/// How far back one can branch.
const MOST_BACK: usize = 100;

/// Reads a line.
pub(super) fn read(line: &str) -> Line<'_> {
    let line = line.trim();
    let Some(command) = line.strip_prefix('/') else {
        return if line.is_empty() { Line::Empty } else { Line::Message(line) };
    };
    if command.starts_with('/') {
        return Line::Message(command);
    }
    let (name, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    let rest = rest.trim();
    let command = match (name, rest) {
        ("help", "") => Command::Help,
        ("agents", "") => Command::Agents(None),
        ("agents", agent) => Command::Agents(Some(agent)),
        ("new", "") => Command::New,
        ("branch", "") => Command::Branch(1),
        ("branch", back) => match back.parse() {
            Ok(back @ 1..=MOST_BACK) => Command::Branch(back),
            _ => return Line::Wrong(format!("/branch takes how far to go back, from 1 to {MOST_BACK}")),
        },
        ("retry", "") => Command::Retry,
        ("spans", "on") => Command::Spans(true),
        ("spans", "off") => Command::Spans(false),
        ("spans", _) => return Line::Wrong("/spans takes `on` or `off`".to_owned()),
        ("trace", "") => Command::Trace,
        ("quit", "") => Command::Quit,
        _ => return Line::Wrong(format!("there is no `/{command}`; there are {NAMES}")),
    };
    Line::Command(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_messages_or_commands() {
        assert_eq!(read("  "), Line::Empty);
        assert_eq!(read(" hello / there "), Line::Message("hello / there"));
        assert_eq!(read("//etc is a folder"), Line::Message("/etc is a folder"));
        assert_eq!(read("/branch"), Line::Command(Command::Branch(1)));
        assert_eq!(read("/branch  3"), Line::Command(Command::Branch(3)));
        assert_eq!(read("/agents guide"), Line::Command(Command::Agents(Some("guide"))));
        assert_eq!(read("/spans off"), Line::Command(Command::Spans(false)));
        for wrong in ["/", "/etc", "/branch 0", "/branch x", "/spans", "/quit now"] {
            assert!(matches!(read(wrong), Line::Wrong(_)), "{wrong}");
        }
    }
}
