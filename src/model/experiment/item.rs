//! The run of one item in an experiment.

use bincode::{Decode, Encode};

use crate::model::{
    DatasetItemId, ExperimentId, Timestamp, TraceId, dataset::ItemState, text::shortened, words::words,
};

words! {
    /// Where the run of an item stands.
    ItemStatus {
        /// It goes on, or goes on again once the server does.
        Running = 1 "RUNNING",
        /// It gave an answer.
        Completed = 2 "COMPLETED",
        /// It gave none.
        Failed = 3 "FAILED",
        /// It was stopped.
        Cancelled = 4 "CANCELLED",
    }
}

/// The run of one item, once it has begun.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ExperimentItem {
    /// The experiment.
    pub experiment_id: ExperimentId,
    /// The item.
    pub item_id: DatasetItemId,
    /// The item as it stood in the experiment's version of the dataset.
    pub item: ItemState,
    /// Which run of the item it is, from 1.
    pub repetition: u32,
    /// Where it stands.
    pub status: ItemStatus,
    /// How often it was begun: again where the server stopped in its midst.
    pub attempt: u32,
    /// The trace of the last attempt. It may be gone since.
    pub trace_id: TraceId,
    /// The beginning of the answer.
    pub output_preview: Option<String>,
    /// Why there is none.
    pub error: Option<String>,
    /// What evaluators could not judge, and why.
    pub evaluator_errors: Vec<String>,
    /// When it first began.
    pub started_at: Timestamp,
    /// When it ended, and was judged.
    pub ended_at: Option<Timestamp>,
    /// The experiment's revision that last changed it.
    pub revision: u64,
}

/// What came of a run.
#[derive(Debug, Clone)]
pub struct ItemEnd {
    /// Where it stands: not `RUNNING`.
    pub status: ItemStatus,
    /// What the agent answered.
    pub output: Option<String>,
    /// Why it did not.
    pub error: Option<String>,
    /// What evaluators could not judge, and why.
    pub evaluator_errors: Vec<String>,
}

/// Bytes of an answer or an error that a list shows.
pub const PREVIEW_BYTES: usize = 1_000;

impl ExperimentItem {
    /// The run as it ended.
    #[must_use]
    pub fn ended(&self, end: &ItemEnd, now: Timestamp) -> Self {
        let ItemEnd { status, output, error, evaluator_errors } = end;
        let preview = |text: &Option<String>| text.as_deref().map(|text| shortened(text, PREVIEW_BYTES));
        Self {
            status: *status,
            output_preview: preview(output),
            error: preview(error),
            evaluator_errors: evaluator_errors.iter().map(|text| shortened(text, PREVIEW_BYTES)).collect(),
            ended_at: Some(now.max(self.started_at)),
            ..self.clone()
        }
    }
}
