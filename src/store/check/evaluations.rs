//! Evaluations, the rules by which new traces are evaluated, and the evaluators that both name.

use super::Check;
use crate::{
    model::{component::ComponentRef, evaluation::Evaluation},
    store::{StoreResult, keyspace},
};

impl Check<'_> {
    /// Evaluations add up, and evaluators are there that evaluations and rules name.
    pub(super) async fn evaluations(&mut self) -> StoreResult<()> {
        self.indexed::<Evaluation>().await?;
        let mut from = None;
        while let Some(evaluations) = self.page(keyspace::EVALUATION, &mut from).await? {
            for (raw, _, evaluation) in &evaluations {
                if let Some(fault) = evaluation.fault() {
                    self.report.note(keyspace::EVALUATION.name, raw, fault);
                }
                self.evaluators_exist(keyspace::EVALUATION.name, raw, &evaluation.evaluators).await?;
            }
        }
        let mut from = None;
        while let Some(rules) = self.page(keyspace::EVALUATION_RULE, &mut from).await? {
            for (raw, name, rule) in &rules {
                if rule.name != *name {
                    let name = keyspace::EVALUATION_RULE.name;
                    self.report.note(name, raw, "the record names another key than its own");
                }
                self.evaluators_exist(keyspace::EVALUATION_RULE.name, raw, &rule.evaluators).await?;
            }
        }
        // A mark may be left of a trace that is gone: whoever takes it sees that.
        let mut from = None;
        while self.page(keyspace::EVALUATION_DUE, &mut from).await?.is_some() {}
        Ok(())
    }

    pub(super) async fn evaluators_exist(
        &mut self,
        table: &'static str,
        raw: &[u8],
        evaluators: &[ComponentRef],
    ) -> StoreResult<()> {
        let keys: Vec<_> =
            evaluators.iter().map(|version| (version.component_id.clone(), version.version_hash)).collect();
        let found = self.readable(keyspace::COMPONENT_VERSION, &keys).await?;
        if found.iter().any(Option::is_none) {
            self.report.note(table, raw, "an evaluator that it names does not exist");
        }
        Ok(())
    }
}
