//! The conversation: what is said goes to the agent, what begins with `/` to the chat.

use super::{
    api::{Agent, Api, Asked, Said},
    choose,
    command::{self, Command, Line},
    console::Console,
    screen::Look,
    tree,
    turn::{Ended, Turn},
    words,
};
use crate::model::{
    clock::SharedIds,
    message::{MessageRole, MessageType},
};

const PROMPT: &str = "you> ";

/// Messages of a conversation that is gone on with that are shown.
const SHOWN: usize = 8;

/// Bytes that are shown of each; of a title.
const SHOWN_BYTES: usize = 600;
const TITLE_BYTES: usize = 60;

/// A chat that goes on.
pub(super) struct Talk<'a> {
    api: &'a Api,
    console: &'a mut Console,
    ids: SharedIds,
    agent: Agent,
    label: Option<String>,
    /// The conversation, once something was said in it.
    conversation: Option<String>,
    last: Option<LastRun>,
    /// What stands at the next prompt already.
    begun: String,
    /// Whether a run gave no answer, or something could not be done.
    has_failed: bool,
}

struct LastRun {
    trace: String,
    is_recorded: bool,
}

/// Whether the chat goes on.
type Flow = std::ops::ControlFlow<()>;

impl<'a> Talk<'a> {
    /// A chat with an agent, in a conversation that begins with the first message.
    pub(super) fn new(
        api: &'a Api,
        console: &'a mut Console,
        ids: SharedIds,
        (agent, label): (Agent, Option<String>),
    ) -> Self {
        Self {
            api,
            console,
            ids,
            agent,
            label,
            conversation: None,
            last: None,
            begun: String::new(),
            has_failed: false,
        }
    }

    /// Goes on with a conversation, and shows what was said last in it.
    pub(super) async fn go_on(&mut self, conversation: &str) -> anyhow::Result<()> {
        let Some(said) = self.api.said_last(conversation, SHOWN).await? else {
            anyhow::bail!("there is no conversation `{conversation}`");
        };
        for said in said {
            self.console.screen.line(Look::Dim, 0, &shown(&said))?;
        }
        self.conversation = Some(conversation.to_owned());
        Ok(())
    }

    /// Talks until the user leaves. Whether all went well, where nobody sat at it.
    pub(super) async fn run(mut self) -> anyhow::Result<bool> {
        loop {
            let begun = std::mem::take(&mut self.begun);
            let Some(line) = self.console.hear(PROMPT, &begun).await? else { break };
            let flow = match command::read(&line) {
                Line::Empty => Ok(Flow::Continue(())),
                Line::Message(content) => self.say(content).await,
                Line::Command(command) => self.obey(command).await,
                Line::Wrong(told) => Err(anyhow::Error::msg(told)),
            };
            match flow {
                Ok(Flow::Continue(())) => {}
                Ok(Flow::Break(())) => break,
                // What went wrong with one line says nothing of the next.
                Err(error) => {
                    self.has_failed = true;
                    self.tell(Look::Red, &format!("{error:#}"))?;
                }
            }
        }
        if !self.console.is_interactive() {
            return Ok(!self.has_failed);
        }
        // Who sits at it has been told of every failure.
        if let Some(conversation) = self.conversation.take() {
            self.tell(
                Look::Dim,
                &format!("The conversation is {conversation}: --conversation goes on with it."),
            )?;
        }
        Ok(true)
    }

    async fn say(&mut self, content: &str) -> anyhow::Result<Flow> {
        let conversation = if let Some(conversation) = &self.conversation {
            conversation.clone()
        } else {
            let title = words::line(content, TITLE_BYTES);
            self.conversation.insert(self.api.create_conversation(&title).await?).clone()
        };
        self.console.signals.begin_anew();
        let trace = self.ids.next().to_string();
        let whom = (self.agent.id.as_str(), self.label.as_deref());
        let is_recorded = self.api.say(&conversation, whom, content, &trace).await?;
        self.last = Some(LastRun { trace: trace.clone(), is_recorded });
        let turn = Turn { api: self.api, console: self.console, trace: &trace, is_recorded };
        let ended = turn.show().await?;
        self.console.signals.begin_anew();
        self.has_failed |= ended != Ended::Answered;
        let leaves = match ended {
            Ended::Answered | Ended::Failed => false,
            // Whoever interrupts a chat that reads a file means all of it.
            Ended::Cancelled => !self.console.is_interactive(),
            Ended::Left => true,
        };
        Ok(if leaves { Flow::Break(()) } else { Flow::Continue(()) })
    }

    async fn obey(&mut self, command: Command<'_>) -> anyhow::Result<Flow> {
        match command {
            Command::Help => self.tell(Look::Normal, command::HELP)?,
            Command::Agents(None) => {
                let agents = self.api.agents().await?;
                self.tell(Look::Normal, &choose::listed(&agents))?;
            }
            Command::Agents(Some(name)) => {
                (self.agent, self.label) = (choose::named(self.api, name, None).await?, None);
                self.tell(Look::Dim, &format!("{} answers now.", self.agent.id))?;
            }
            Command::New => {
                self.conversation = None;
                self.tell(Look::Dim, "The next message begins another conversation.")?;
            }
            Command::Branch(back) => {
                let asked = self.branch(back).await?;
                self.tell(Look::Dim, &format!("Back before: {}", words::line(&asked, SHOWN_BYTES)))?;
                self.begun = words::clean(&asked);
            }
            Command::Retry => {
                let asked = self.branch(1).await?;
                return self.say(&asked).await;
            }
            Command::Spans(shown) => self.console.screen.spans = shown,
            Command::Trace => self.show_trace().await?,
            Command::Quit => return Ok(Flow::Break(())),
        }
        Ok(Flow::Continue(()))
    }

    /// Goes on in a branch that ends before one of the user's messages, and answers what that was.
    async fn branch(&mut self, back: usize) -> anyhow::Result<String> {
        let asked = match &self.conversation {
            Some(conversation) => {
                self.api.asked(conversation, back).await?.map(|asked| (conversation, asked))
            }
            None => None,
        };
        let Some((conversation, Asked { content, before })) = asked else {
            anyhow::bail!("not that much was said in this conversation");
        };
        self.conversation = match before {
            Some(before) => Some(self.api.branch(conversation, &before).await?),
            // Before the first message there is nothing to share.
            None => None,
        };
        Ok(content)
    }

    async fn show_trace(&mut self) -> anyhow::Result<()> {
        let Some(LastRun { trace, is_recorded }) = &self.last else {
            anyhow::bail!("nothing has run yet");
        };
        let skeleton = if *is_recorded { self.api.skeleton(trace).await? } else { None };
        let told = match skeleton {
            Some(skeleton) => format!("{}\ntrace {trace}", tree::lines(&skeleton).join("\n")),
            None => "The last run is not recorded.".to_owned(),
        };
        self.tell(Look::Normal, &told)?;
        Ok(())
    }

    fn tell(&mut self, look: Look, text: &str) -> std::io::Result<()> {
        self.console.screen.line(look, 0, text)
    }
}

/// A message that was said before.
fn shown(said: &Said) -> String {
    let who = match (said.role, said.message_type) {
        (MessageRole::User, _) => "you> ",
        (MessageRole::Assistant, MessageType::Error) => "✗ ",
        (MessageRole::Assistant, _) => "",
        (MessageRole::Tool, _) => "  → ",
        (MessageRole::System, _) => "  system: ",
    };
    let content = said.content.as_deref().filter(|content| !content.is_empty()).unwrap_or("(calls tools)");
    format!("{who}{}", words::line(content, SHOWN_BYTES))
}
