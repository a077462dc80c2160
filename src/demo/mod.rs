//! People who are not there: they talk to agents that are, as long as the demo goes on.
//!
//! The agents are run as any other. Only their model and their tools are scripted: what they say and find is
//! made up from a seed, and says so wherever it can be seen (`scripted` in models, tools and tags). So this
//! part knows the use cases and the seams of models and tools, as a program around Dendro would.

mod author;
mod cast;
mod foreign;
mod person;
mod stories;
mod tools;
mod world;

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

use self::{author::Author, foreign::Assistant};
use crate::{
    llm::{ScriptError, Scripted},
    model::{
        Json,
        clock::{SharedClock, SharedIds},
        conversation::NewConversation,
        prices::{PriceError, PriceTable},
    },
    service::{ServiceError, ServiceResult, Services},
    tools::Tool,
};

/// What the models say.
const SCRIPTS: [&str; 3] = [
    include_str!("scripts/researcher.yaml"),
    include_str!("scripts/support.yaml"),
    include_str!("scripts/coder.yaml"),
];

/// The pace at which the scripts' waits are as they are written.
const WRITTEN_PACE: Duration = Duration::from_millis(250);

/// Until the next conversation begins where one could not go on.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);

/// How a demo goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// From one event to the next, on average; zero for as fast as it goes.
    pub pace: Duration,
    /// Conversations that go on at the same time.
    pub people: usize,
    /// Conversations all together; `None`: until it is stopped.
    pub conversations: Option<u64>,
    /// What they are made from: the same seed gives the same.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { pace: WRITTEN_PACE, people: 2, conversations: None, seed: 1 }
    }
}

impl Options {
    /// The scripts of the agents' models.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub fn scripts(&self) -> Result<Scripted, ScriptError> {
        let mut all = Scripted::default();
        for text in SCRIPTS {
            all = all.and(&Scripted::parse(text)?);
        }
        Ok(all.slowed_down(self.pace.div_duration_f64(WRITTEN_PACE)))
    }

    /// The tools that the agents call.
    #[must_use]
    pub fn tools(&self) -> Vec<Arc<dyn Tool>> {
        tools::all(self.seed, self.pace)
    }
}

/// What the agents' models would cost.
///
/// # Errors
/// When the table is wrong.
pub fn prices() -> Result<PriceTable, PriceError> {
    PriceTable::parse(include_str!("prices.json"))
}

/// What a demo is given.
#[derive(Clone)]
pub struct Theatre {
    /// The use cases, over a runtime that has the demo's scripts and tools.
    pub services: Services,
    /// The clock.
    pub clock: SharedClock,
    /// Where new ids come from.
    pub ids: SharedIds,
}

/// A demo that goes on.
#[derive(Clone)]
struct Demo {
    services: Services,
    clock: SharedClock,
    ids: SharedIds,
    assistant: Assistant,
    options: Options,
    stop: watch::Receiver<bool>,
}

/// Plays until all conversations are over or `stop` becomes true. What is cut off is ended as cancelled.
/// Answers how many conversations came to their end or to that.
///
/// # Errors
/// When the store fails.
pub async fn play(theatre: Theatre, options: &Options, stop: watch::Receiver<bool>) -> ServiceResult<u64> {
    cast::register(&theatre.services).await?;
    let assistant = Assistant::register(&theatre.services).await?;
    let Theatre { services, clock, ids } = theatre;
    let demo = Demo { services, clock, ids, assistant, options: options.clone(), stop };
    let people = (0..options.people.max(1) as u64).map(|number| demo.clone().people(number));
    let played: ServiceResult<Vec<_>> = join_all(people).await.into_iter().collect();
    Ok(played?.into_iter().sum())
}

impl Demo {
    /// One conversation after the other. Of all of them it has each so many-th, as there are people: which
    /// there are does not depend on who is faster.
    async fn people(self, number: u64) -> ServiceResult<u64> {
        let (mut story, mut played) = (number, 0);
        while !self.is_stopped() && self.options.conversations.is_none_or(|most| story < most) {
            match self.conversation_of(story).await {
                Ok(()) => played += 1,
                // Others write too, and run agents: no room for it is no reason to give up.
                Err(ServiceError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                // And may take away what it was about.
                Err(ServiceError::Refused(refusal)) => {
                    tracing::warn!(%refusal, "a conversation of the demo could not go on");
                    tokio::time::sleep(AFTER_REFUSAL).await;
                }
                Err(error) => return Err(error),
            }
            story += self.options.people.max(1) as u64;
            self.rest(6).await;
        }
        Ok(played)
    }

    async fn conversation_of(&self, story: u64) -> ServiceResult<()> {
        let seed = self.options.seed;
        let mut author = Author::of(seed, story);
        if author.chance(12) {
            return foreign::record(self, &mut author).await;
        }
        let story = stories::write(&mut author, seed);
        person::live(self, story, author).await
    }

    /// A conversation that says what it is.
    fn conversation(&self, title: &str, user: &str) -> NewConversation {
        NewConversation {
            title: Some(title.to_owned()),
            metadata: Some(self.label()),
            tags: vec!["demo".to_owned(), "scripted".to_owned()],
            user_id: Some(user.to_owned()),
            ..NewConversation::default()
        }
    }

    /// What says that something is scripted.
    fn label(&self) -> Json {
        Json::of(&json!({ "scripted": true, "seed": self.options.seed }))
    }

    /// Rests for some beats, unless the demo is stopped.
    async fn rest(&self, beats: u64) {
        let beats = u32::try_from(beats).unwrap_or(u32::MAX);
        tokio::select! {
            () = tokio::time::sleep(self.options.pace * beats) => {}
            () = self.stopped() => {}
        }
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow() || self.stop.has_changed().is_err()
    }

    /// Waits until the demo is stopped. Whoever could stop it and is gone has done so.
    async fn stopped(&self) {
        let _ = self.stop.clone().wait_for(|stop| *stop).await;
    }
}
