//! Having runs judged: the one place where experiments meet evaluators.

use super::Experiments;
use crate::{
    model::{TraceId, component::ComponentRef, dataset::DatasetItem, evaluations::Outcome},
    service::{ServiceError, ServiceResult},
};

impl Experiments {
    /// Has evaluators judge a run that gave an answer, by what the item expects. Answers what could not be judged, and
    /// why: that an evaluator fails is no failure of the run. Judging again changes nothing but the judgements.
    pub(super) async fn judge(
        &self,
        evaluators: &[ComponentRef],
        trace: TraceId,
        item: &DatasetItem,
    ) -> ServiceResult<Vec<String>> {
        let (expected, mut failures) = (item.content.expected.as_ref(), Vec::new());
        for evaluator in evaluators {
            let failure = match self.evaluators.evaluate(evaluator, trace, expected).await {
                Ok(Outcome::Scored { .. }) => continue,
                Ok(Outcome::Skipped(why) | Outcome::Failed(why)) => why,
                Err(ServiceError::Refused(refusal)) => refusal.to_string(),
                Err(error) => return Err(error),
            };
            failures.push(format!("{}: {failure}", evaluator.component_id));
        }
        Ok(failures)
    }
}
