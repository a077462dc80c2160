//! The roots that evaluate many conversations.

use async_graphql::{Context, Enum, Object};

use super::{compare::ConversationComparison, group::ConversationsEvaluation};
use crate::{
    graphql::{
        conversation::ConversationFilterInput,
        error::Result,
        request,
        scalar::{Given, OptionalGiven},
    },
    model::{Refusal, evaluation::Success},
    service::evaluation::Grouping,
};

/// Evaluations of many conversations.
#[derive(Default)]
pub(in crate::graphql) struct EvaluationQuery;

/// By what conversations are put into groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
enum ConversationGrouping {
    /// By each of their tags: a conversation is in as many groups as it has tags.
    Tag,
    /// By their user.
    User,
    /// By the model that they are held with.
    Model,
}

/// The least number that is a success, where the client names none.
const SUCCESS_THRESHOLD: f64 = 1.0;

/// See [`EvaluationQuery`].
#[Object]
impl EvaluationQuery {
    /// What conversations come to: how many succeeded, how long they took, what they cost, all together and by groups.
    #[expect(clippy::too_many_arguments, reason = "they are the arguments of the field")]
    async fn evaluate_conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which conversations.")] filter: Option<ConversationFilterInput>,
        #[graphql(desc = "By what they are put into groups; left out, there are none.")] group_by: Option<
            ConversationGrouping,
        >,
        #[graphql(desc = "With `groupBy: TAG`: only tags that begin so, as `trial-`.")] tag_prefix: Option<
            String,
        >,
        #[graphql(
            desc = "The score of a conversation that says whether it succeeded; of several of this name the last one.",
            default = "reward"
        )]
        success_score: String,
        #[graphql(
            desc = "The least number that is a success, 1 where nothing is said; a boolean is one where it is true."
        )]
        success_threshold: Option<Given<f64>>,
    ) -> Result<ConversationsEvaluation> {
        let filter = filter.unwrap_or_default().into_model("filter")?;
        let grouping = grouping(group_by, tag_prefix)?;
        let success = success(success_score, success_threshold)?;
        let evaluations = &request::of(ctx)?.services.evaluations;
        Ok(evaluations.groups(&filter, grouping.as_ref(), &success).await?.into())
    }

    /// Two choices of conversations against each other: the differences of their figures, and how sure they are.
    async fn compare_conversations(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "One choice.")] a: ConversationFilterInput,
        #[graphql(desc = "The other.")] b: ConversationFilterInput,
        #[graphql(
            desc = "The score of a conversation that says whether it succeeded; of several of this name the last one.",
            default = "reward"
        )]
        success_score: String,
        #[graphql(
            desc = "The least number that is a success, 1 where nothing is said; a boolean is one where it is true."
        )]
        success_threshold: Option<Given<f64>>,
    ) -> Result<ConversationComparison> {
        let (a, b) = (a.into_model("a")?, b.into_model("b")?);
        let success = success(success_score, success_threshold)?;
        Ok(request::of(ctx)?.services.evaluations.compare(&a, &b, &success).await?.into())
    }
}

fn success(score: String, threshold: Option<Given<f64>>) -> Result<Success, Refusal> {
    Ok(Success { score, threshold: threshold.read("successThreshold")?.unwrap_or(SUCCESS_THRESHOLD) })
}

fn grouping(
    group_by: Option<ConversationGrouping>,
    tag_prefix: Option<String>,
) -> Result<Option<Grouping>, Refusal> {
    match (group_by, tag_prefix) {
        (Some(ConversationGrouping::Tag), prefix) => {
            Ok(Some(Grouping::Tag { prefix: prefix.unwrap_or_default() }))
        }
        (_, Some(_)) => Err(Refusal::invalid("tagPrefix", "only with `groupBy: TAG`")),
        (Some(ConversationGrouping::User), None) => Ok(Some(Grouping::User)),
        (Some(ConversationGrouping::Model), None) => Ok(Some(Grouping::Model)),
        (None, None) => Ok(None),
    }
}
