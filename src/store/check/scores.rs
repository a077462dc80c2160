//! Scores and their addresses.

use super::Check;
use crate::{
    model::score::ScoreTarget,
    store::{
        StoreResult,
        key::Key,
        keyspace::{self, Deleted, KeyBytes, ScoreKey, score_key},
    },
};

impl Check<'_> {
    /// Scores stand where their targets put them, and their addresses lead to them.
    pub(super) async fn scores(&mut self) -> StoreResult<()> {
        let mut from = None;
        while let Some(scores) = self.page(keyspace::SCORE, &mut from).await? {
            let ids: Vec<_> = scores.iter().map(|(_, _, score)| score.id).collect();
            let addresses = self.readable(keyspace::SCORE_ADDRESS, &ids).await?;
            for ((raw, key, score), address) in scores.iter().zip(addresses) {
                self.judged(raw, &score.target).await?;
                self.evaluators_exist(keyspace::SCORE.name, raw, score.evaluator.as_slice()).await?;
                if score_key(&score.target, score.id) != *key {
                    self.report.note("score", raw, "the score names another key than its own");
                }
                if address.is_none_or(|KeyBytes(address)| address != *raw) {
                    self.report.note("score", raw, "its address leads elsewhere");
                }
            }
        }
        let mut from = None;
        while let Some(addresses) = self.page(keyspace::SCORE_ADDRESS, &mut from).await? {
            for (raw, id, KeyBytes(address)) in &addresses {
                let score = match ScoreKey::decode(address) {
                    Some(key) => self.readable_at(keyspace::SCORE, &key).await?,
                    None => None,
                };
                if score.is_none_or(|score| score.id != *id) {
                    self.report.note("score_address", raw, "another score, or none, is at this address");
                }
            }
        }
        Ok(())
    }

    /// Whether what a score judges, or what that is part of, exists.
    async fn judged(&mut self, raw: &[u8], target: &ScoreTarget) -> StoreResult<()> {
        let (deleted, exists) = match *target {
            ScoreTarget::Trace(id) | ScoreTarget::Span(id, _) => {
                (Deleted::Trace(id), self.readable_at(keyspace::TRACE, &id).await?.is_some())
            }
            ScoreTarget::Conversation(id) | ScoreTarget::Message(id, _) => {
                (Deleted::Conversation(id), self.readable_at(keyspace::CONVERSATION, &id).await?.is_some())
            }
        };
        if !exists && !self.is_deleted(deleted).await? {
            self.report.note("score", raw, "what it judges does not exist");
        }
        Ok(())
    }
}
