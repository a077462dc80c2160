//! Having runs judged: the one place where experiments meet evaluators.

use super::Experiments;
use crate::{
    model::{
        Refusal, TraceId,
        component::{ComponentRef, ComponentVersion},
        dataset::DatasetItem,
    },
    service::ServiceResult,
};

impl Experiments {
    /// Refuses what cannot judge.
    #[expect(clippy::unused_self, reason = "evaluators are asked here")]
    pub(super) fn check_judge(&self, evaluator: &ComponentVersion) -> Result<(), Refusal> {
        let message = format!("`{}` is of a kind that this server does not run", evaluator.component_id);
        Err(Refusal::invalid("componentId", message))
    }

    /// Has evaluators judge a run that gave an answer, by what the item expects. Answers what could not be judged, and
    /// why: that an evaluator fails is no failure of the run.
    #[expect(clippy::unused_self, clippy::unused_async, reason = "evaluators are asked here")]
    pub(super) async fn judge(
        &self,
        _evaluators: &[ComponentRef],
        _trace: TraceId,
        _item: &DatasetItem,
    ) -> ServiceResult<Vec<String>> {
        Ok(Vec::new())
    }
}
