//! Many conversations: what they come to, by groups, and two choices of them against each other.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashSet},
};

use super::{Evaluations, is_timed};
use crate::{
    model::{
        ConversationId, Refusal,
        conversation::Conversation,
        evaluation::{Comparison, ConversationFigures, GroupFigures, Success},
        page::PageRequest,
        score::ScoreTarget,
    },
    service::{
        ServiceResult,
        conversations::{ConversationFilter, ConversationOrder},
    },
};

/// Conversations whose traces are read together.
const AT_ONCE: usize = 100;

/// Traces of one conversation that count: a conversation with more is left out.
const TRACES: usize = 1_000;

/// Pages of a filtered list that are read at most: each looks at `lists.scanned_per_page` entries.
const PAGES: usize = 20;

/// Groups that are told at most, the largest first.
const GROUPS: usize = 200;

/// By what conversations are put into groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grouping {
    /// By each of their tags that begins so: a conversation is in as many groups as it has such tags.
    Tag {
        /// What the tag begins with.
        prefix: String,
    },
    /// By their user.
    User,
    /// By the model that they are held with.
    Model,
}

/// What conversations come to.
#[derive(Debug, Clone)]
pub struct ConversationGroups {
    /// All of them.
    pub total: GroupFigures,
    /// By groups, the largest first.
    pub groups: Vec<ConversationGroup>,
    /// Groups that were left out.
    pub groups_left_out: usize,
    /// Whether conversations were left out.
    pub is_partial: bool,
}

/// A group of conversations.
#[derive(Debug, Clone)]
pub struct ConversationGroup {
    /// The tag, user or model; `None` of those that have none.
    pub key: Option<String>,
    /// What they come to.
    pub figures: GroupFigures,
}

/// Two choices of conversations against each other.
#[derive(Debug, Clone)]
pub struct ConversationsCompared {
    /// What one choice comes to.
    pub a: GroupFigures,
    /// What the other comes to.
    pub b: GroupFigures,
    /// The differences.
    pub comparison: Comparison,
    /// Conversations that are in both: then the two are not independent, as the intervals take them to be.
    pub in_both: usize,
    /// Whether conversations were left out.
    pub is_partial: bool,
}

/// What is kept of a conversation.
struct Kept {
    id: ConversationId,
    keys: Vec<Option<String>>,
    figures: ConversationFigures,
}

/// Conversations that a filter means.
#[derive(Default)]
struct Choice {
    kept: Vec<Kept>,
    is_partial: bool,
}

impl Evaluations {
    /// What the conversations come to that a filter means.
    pub async fn groups(
        &self,
        filter: &ConversationFilter,
        grouping: Option<&Grouping>,
        success: &Success,
    ) -> ServiceResult<ConversationGroups> {
        self.check("successScore", success)?;
        let choice = self.choose(filter, grouping, success).await?;
        let mut by_key: BTreeMap<&Option<String>, Vec<ConversationFigures>> = BTreeMap::new();
        for kept in &choice.kept {
            for key in &kept.keys {
                by_key.entry(key).or_default().push(kept.figures);
            }
        }
        let mut by_key: Vec<_> = by_key.into_iter().collect();
        // Stable: groups of one size stay in the order of their keys.
        by_key.sort_by_key(|(_, figures)| Reverse(figures.len()));
        let group = |(key, figures): &(&Option<String>, Vec<ConversationFigures>)| ConversationGroup {
            key: (*key).clone(),
            figures: GroupFigures::of(figures),
        };
        Ok(ConversationGroups {
            total: choice.total(),
            groups: by_key.iter().take(GROUPS).map(group).collect(),
            groups_left_out: by_key.len().saturating_sub(GROUPS),
            is_partial: choice.is_partial,
        })
    }

    /// Two choices of conversations against each other.
    pub async fn compare(
        &self,
        a: &ConversationFilter,
        b: &ConversationFilter,
        success: &Success,
    ) -> ServiceResult<ConversationsCompared> {
        self.check("successScore", success)?;
        let a = self.choose(a, None, success).await?;
        let b = self.choose(b, None, success).await?;
        let in_a: HashSet<_> = a.kept.iter().map(|kept| kept.id).collect();
        Ok(ConversationsCompared {
            comparison: Comparison::of(&a.figures(), &b.figures()),
            in_both: b.kept.iter().filter(|kept| in_a.contains(&kept.id)).count(),
            is_partial: a.is_partial || b.is_partial,
            a: a.total(),
            b: b.total(),
        })
    }

    fn check(&self, field: &str, success: &Success) -> Result<(), Refusal> {
        self.context.limits.name(field, &success.score)
    }

    /// Reads what is kept of the conversations that a filter means, those active last first, within bounds.
    async fn choose(
        &self,
        filter: &ConversationFilter,
        grouping: Option<&Grouping>,
        success: &Success,
    ) -> ServiceResult<Choice> {
        let lists = &self.context.lists;
        let (mut choice, mut traces_left, mut after) = (Choice::default(), lists.traces_at_once, None);
        for _ in 0..PAGES {
            let left = lists.conversations_at_once.saturating_sub(choice.kept.len());
            let page = PageRequest { first: left.clamp(1, AT_ONCE), after };
            let found = self.conversations.list(filter, ConversationOrder::default(), &page).await?;
            let (end, has_next) = (found.end, found.has_next);
            if left == 0 || traces_left == 0 {
                choice.is_partial |= has_next || !found.items.is_empty();
                return Ok(choice);
            }
            let rows: Vec<_> = found.items.into_iter().map(|(_, row)| row).collect();
            self.add(&rows, grouping, success, &mut traces_left, &mut choice).await?;
            after = end.map(|cursor| cursor.encode());
            if !has_next || after.is_none() {
                return Ok(choice);
            }
        }
        choice.is_partial = true;
        Ok(choice)
    }

    /// Adds some conversations: three calls to the engine.
    async fn add(
        &self,
        rows: &[Conversation],
        grouping: Option<&Grouping>,
        success: &Success,
        traces_left: &mut usize,
        choice: &mut Choice,
    ) -> ServiceResult<()> {
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let targets: Vec<_> = ids.iter().map(|id| ScoreTarget::Conversation(*id)).collect();
        let scores = self.scores.of_targets(&targets).await?;
        let first = TRACES.min(*traces_left);
        let pages = self.tracing.conversation_traces(&ids, &PageRequest { first, after: None }).await?;
        for ((row, scores), page) in rows.iter().zip(scores).zip(pages) {
            // A part of its traces would be wrong figures that look right.
            let is_spent = first < TRACES && page.has_next || page.items.len() > *traces_left;
            if is_spent || page.has_next {
                choice.is_partial = true;
                // Those that follow do not count either: to take only the short ones would be a choice.
                *traces_left = if is_spent { 0 } else { *traces_left };
                continue;
            }
            *traces_left -= page.items.len();
            let traces: Vec<_> = page.items.into_iter().map(|(_, trace)| trace).collect();
            let judged = success.judge(&scores);
            let figures = ConversationFigures::of(row.message_count(), &traces, is_timed(row), judged);
            choice.kept.push(Kept { id: row.id, keys: keys(row, grouping), figures });
        }
        Ok(())
    }
}

impl Choice {
    fn figures(&self) -> Vec<ConversationFigures> {
        self.kept.iter().map(|kept| kept.figures).collect()
    }

    fn total(&self) -> GroupFigures {
        GroupFigures::of(&self.figures())
    }
}

/// The groups that a conversation belongs to.
fn keys(row: &Conversation, grouping: Option<&Grouping>) -> Vec<Option<String>> {
    match grouping {
        None => Vec::new(),
        Some(Grouping::Tag { prefix }) => {
            row.tags.iter().filter(|tag| tag.starts_with(prefix)).cloned().map(Some).collect()
        }
        Some(Grouping::User) => vec![row.user_id.clone()],
        Some(Grouping::Model) => vec![row.model_name.clone()],
    }
}
