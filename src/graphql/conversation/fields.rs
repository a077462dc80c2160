//! The fields of a conversation.

use async_graphql::{Context, ID, Object};

use super::{
    Conversation,
    filter::{MessageFilterInput, MessageOrder},
};
use crate::{
    graphql::{
        error::Result,
        evaluation::ConversationEvaluation,
        message::Message,
        page::{self, Connection},
        plan::Plan,
        request,
        scalar::{BigInt, DateTime, Document, Given, PlainId, int},
        score::Score,
        trace::Trace,
    },
    model::score::ScoreTarget,
    service::conversations::HistoryRequest,
};

/// What is said between a user and an agent, with the traces and plans that belong to it.
#[Object]
impl Conversation {
    /// The global ID.
    async fn id(&self) -> ID {
        self.global_id().encode()
    }

    /// The conversation's own ID.
    async fn conversation_id(&self) -> PlainId {
        PlainId(self.0.id.uuid())
    }

    /// What people call it.
    async fn title(&self) -> Option<&str> {
        self.0.title.as_deref()
    }

    /// When it began.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When one of its own fields last changed.
    async fn updated_at(&self) -> DateTime {
        DateTime(self.0.updated_at)
    }

    /// When something last happened in it: a message, a trace, a change.
    async fn last_activity_at(&self) -> DateTime {
        DateTime(self.0.last_activity_at)
    }

    /// The model it is held with, by default.
    async fn model_name(&self) -> Option<&str> {
        self.0.model_name.as_deref()
    }

    /// The instructions it begins with.
    async fn system_prompt(&self) -> Option<&str> {
        self.0.system_prompt.as_deref()
    }

    /// The sampling temperature, 0 to 2.
    async fn temperature(&self) -> f64 {
        self.0.temperature
    }

    /// Tokens that an answer may have at most.
    async fn max_tokens(&self) -> Option<i32> {
        self.0.max_tokens.map(int)
    }

    /// Whatever the application keeps with it: an object.
    async fn metadata(&self) -> Document {
        Document(self.0.metadata.clone())
    }

    /// Words to find it by.
    async fn tags(&self) -> &[String] {
        &self.0.tags
    }

    /// Who talks with the agent.
    async fn user_id(&self) -> Option<&str> {
        self.0.user_id.as_deref()
    }

    /// Messages in its history, those before the fork included.
    async fn message_count(&self) -> i32 {
        int(self.0.message_count())
    }

    /// Counts the commits that changed the conversation or its messages.
    async fn revision(&self) -> BigInt {
        BigInt(self.0.revision)
    }

    /// The ID of the conversation that this one branched off.
    async fn parent_conversation_id(&self) -> Option<PlainId> {
        self.0.parent_conversation_id.map(|id| PlainId(id.uuid()))
    }

    /// The conversation that this one branched off; null where it is none, or is deleted.
    async fn parent_conversation(&self, ctx: &Context<'_>) -> Result<Option<Conversation>> {
        match self.0.parent_conversation_id {
            Some(id) => Conversation::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// The ID of the last message that this branch shares with its parent.
    async fn branched_from_message_id(&self) -> Option<PlainId> {
        self.0.branched_from_message_id.map(|id| PlainId(id.uuid()))
    }

    /// The last message that this branch shares with its parent.
    async fn branched_from_message(&self, ctx: &Context<'_>) -> Result<Option<Message>> {
        match self.0.branched_from_message_id {
            Some(id) => Message::load(ctx, id).await,
            None => Ok(None),
        }
    }

    /// How many conversations branch off this one directly.
    async fn branch_count(&self) -> i32 {
        int(self.0.branch_count)
    }

    /// The conversations that branch off this one directly, the oldest first.
    async fn branches(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Branches of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Conversation>> {
        let data = request::of(ctx)?;
        let page = page::request(first, after, data.limits.most)?;
        let branches = data.branches.load((self.0.id, page.clone())).await?.unwrap_or_default();
        Ok(Connection::new(branches.map(Conversation::new), &page, Some(self.0.branch_count)))
    }

    /// Its history: its own messages and those it shares with the conversations it branched off.
    async fn messages(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Messages of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
        #[graphql(desc = "Which messages.")] filter: Option<MessageFilterInput>,
        #[graphql(desc = "Which come first.", default)] order_by: MessageOrder,
    ) -> Result<Connection<Message>> {
        let data = request::of(ctx)?;
        let page = page::request(first, after, data.limits.most)?;
        let filter = filter.unwrap_or_default();
        let total = filter.is_empty().then(|| self.0.message_count());
        let request = HistoryRequest {
            conversation_id: self.0.id,
            order: order_by.into(),
            page: page.clone(),
            roles: filter.roles.filter(|roles| !roles.is_empty()),
            from_last_summary: filter.from_last_summary,
        };
        let history = data.histories.load(request).await?.unwrap_or_default();
        Ok(Connection::new(history.map(Message::new), &page, total))
    }

    /// Its traces, the newest first.
    async fn traces(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Traces of the page at most.", default_with = "page::default_first()")]
        first: Option<Given<i32>>,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Trace>> {
        let data = request::of(ctx)?;
        let page = page::request(first, after, data.limits.most)?;
        let traces = data.conversation_traces.load((self.0.id, page.clone())).await?.unwrap_or_default();
        Ok(Connection::new(traces.map(Trace::new), &page, None))
    }

    /// Its plans, the newest first.
    async fn plans(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Plans of the page at most.", default_with = "page::default_first()")] first: Option<
            Given<i32>,
        >,
        #[graphql(desc = "Go on behind this cursor.")] after: Option<String>,
    ) -> Result<Connection<Plan>> {
        let data = request::of(ctx)?;
        let page = page::request(first, after, data.limits.most)?;
        let plans = data.conversation_plans.load((self.0.id, page.clone())).await?.unwrap_or_default();
        Ok(Connection::new(plans.map(Plan::new), &page, None))
    }

    /// How it went: latency, cost, errors, tools, plans and scores, over its turns; null where it is gone.
    async fn evaluation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whether its branches, and theirs, count too.", default)] include_branches: bool,
    ) -> Result<Option<ConversationEvaluation>> {
        let found = request::of(ctx)?.conversation_evaluations.load((self.0.id, include_branches)).await?;
        Ok(found.map(ConversationEvaluation))
    }

    /// Judgements of it.
    async fn scores(&self, ctx: &Context<'_>) -> Result<Vec<Score>> {
        Score::of(ctx, ScoreTarget::Conversation(self.0.id)).await
    }
}
