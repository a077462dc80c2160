//! Plans and their steps.

use super::Check;
use crate::store::{
    StoreResult,
    keyspace::{self, Deleted},
};

impl Check<'_> {
    /// Plans stand as their steps make them stand, and serve conversations that exist.
    pub(super) async fn plans(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(plans) = self.page(keyspace::PLAN, &mut from).await? {
            let ids: Vec<_> = plans.iter().map(|(_, _, plan)| plan.conversation_id).collect();
            let conversations = self.readable(keyspace::CONVERSATION, &ids).await?;
            for ((raw, _, plan), conversation) in plans.iter().zip(conversations) {
                if conversation.is_none()
                    && !self.is_deleted(Deleted::Conversation(plan.conversation_id)).await?
                {
                    self.report.note("plan", raw, "its conversation does not exist");
                }
                if let Some(fault) = plan.fault() {
                    self.report.note("plan", raw, fault);
                }
            }
        }
        Ok(())
    }
}
