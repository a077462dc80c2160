//! What many conversations come to.

use async_graphql::SimpleObject;

use super::parts::IntervalFigures;
use crate::{
    graphql::{
        analysis::{DistributionFigures, NANOS_A_MILLI},
        scalar::int,
    },
    model::evaluation::{GroupFigures, Rate},
    service::evaluation::{ConversationGroup, ConversationGroups},
};

/// What conversations come to, all together and by groups.
#[derive(SimpleObject)]
pub(super) struct ConversationsEvaluation {
    /// All of them.
    total: ConversationGroupFigures,
    /// By groups, the largest first: 200 at most. Empty where no grouping is asked for.
    groups: Vec<ConversationGroupFigures>,
    /// Groups that were left out.
    groups_left_out: i32,
    /// Whether conversations were left out: those that were active longest ago, once there are more than
    /// `lists.conversations_at_once`, or their traces are more than `lists.traces_at_once`; and one that has more
    /// than 1,000 traces.
    is_partial: bool,
}

impl From<ConversationGroups> for ConversationsEvaluation {
    fn from(found: ConversationGroups) -> Self {
        let group = |ConversationGroup { key, figures }| ConversationGroupFigures::of(key, &figures);
        Self {
            total: ConversationGroupFigures::of(None, &found.total),
            groups: found.groups.into_iter().map(group).collect(),
            groups_left_out: int(found.groups_left_out),
            is_partial: found.is_partial,
        }
    }
}

/// What conversations come to. Each spread is over one value a conversation.
#[derive(SimpleObject)]
pub(super) struct ConversationGroupFigures {
    /// The tag, user or model that they have in common; null of all, and of those that have none.
    key: Option<String>,
    /// How many there are.
    conversation_count: i32,
    /// How many succeeded.
    success: RateFigures,
    /// Turns; null where there are no conversations.
    turns: Option<DistributionFigures>,
    /// Messages; null where there are no conversations.
    messages: Option<DistributionFigures>,
    /// Calls of language models; null where there are no conversations.
    model_calls: Option<DistributionFigures>,
    /// Calls of tools; null where there are no conversations.
    tool_calls: Option<DistributionFigures>,
    /// Spans that ended with an error; null where there are no conversations.
    errors: Option<DistributionFigures>,
    /// Tokens, over those that report any; null where none does.
    tokens: Option<DistributionFigures>,
    /// Cost in US dollars as far as it is known, over those with a known one; null where none has.
    cost_usd: Option<DistributionFigures>,
    /// How long the traces that ended took together, in milliseconds, over those of which more than the order of what
    /// happened is known; null where there are none.
    duration_ms: Option<DistributionFigures>,
}

impl ConversationGroupFigures {
    pub(super) fn of(key: Option<String>, figures: &GroupFigures) -> Self {
        let spread = |spread: &Option<_>, scale| {
            spread.as_ref().map(|spread| DistributionFigures::scaled(spread, scale))
        };
        Self {
            key,
            conversation_count: int(figures.conversations),
            success: RateFigures::from(&figures.success),
            turns: spread(&figures.turns, 1.0),
            messages: spread(&figures.messages, 1.0),
            model_calls: spread(&figures.model_calls, 1.0),
            tool_calls: spread(&figures.tool_calls, 1.0),
            errors: spread(&figures.errors, 1.0),
            tokens: spread(&figures.tokens, 1.0),
            cost_usd: spread(&figures.cost, 1.0),
            duration_ms: spread(&figures.duration, NANOS_A_MILLI),
        }
    }
}

/// How many of those that were judged succeeded.
#[derive(SimpleObject)]
pub(super) struct RateFigures {
    /// Those that were judged: by a number or a boolean of the score's name.
    judged_count: i32,
    /// Of them: those that succeeded.
    success_count: i32,
    /// The part that succeeded, 0 to 1; null where none was judged.
    rate: Option<f64>,
    /// Wilson's score interval of the rate; null where none was judged.
    interval: Option<IntervalFigures>,
}

impl From<&Rate> for RateFigures {
    fn from(rate: &Rate) -> Self {
        Self {
            judged_count: int(rate.judged),
            success_count: int(rate.succeeded),
            rate: rate.rate(),
            interval: IntervalFigures::scaled(rate.interval(), 1.0),
        }
    }
}
