//! The roots that say what of runs is recorded, and change it.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use crate::{
    graphql::{
        error::Result,
        ids,
        payload::{outcome, payload},
        request,
        scalar::{BigInt, Given, OptionalGiven},
    },
    model::Refusal,
    service::agents::TracingFlags,
};

/// Tells what of runs is recorded.
#[derive(Default)]
pub(in crate::graphql) struct TracingQuery;

/// See [`TracingQuery`].
#[Object]
impl TracingQuery {
    /// What is recorded of the runs of agents of this server.
    #[expect(clippy::unused_async, reason = "the library wants it so")]
    async fn tracing_settings(&self, ctx: &Context<'_>) -> Result<TracingSettings> {
        Ok(request::of(ctx)?.services.agents.tracing_flags().into())
    }
}

/// Changes what of runs is recorded.
#[derive(Default)]
pub(in crate::graphql) struct TracingMutation;

/// See [`TracingMutation`].
#[Object]
impl TracingMutation {
    /// Changes what is recorded of the runs of agents of this server, from the next run on and until the server stops;
    /// for good in `dendro.toml`. What is left out stays. What other systems report is recorded as they send it.
    async fn update_tracing_settings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to change.")] input: UpdateTracingSettingsInput,
    ) -> Result<UpdateTracingSettingsPayload> {
        let agents = &request::of(ctx)?.services.agents;
        let change = async |change: Change| agents.change_tracing_flags(|flags| change.apply(flags)).await;
        Ok(outcome(input.into_model(), change).await?.into())
    }
}

/// What is recorded of the runs of agents. A run keeps the settings that held when it began.
#[derive(SimpleObject)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
struct TracingSettings {
    /// Tells settings apart in client caches: equal ones have equal IDs.
    id: ID,
    /// Whether runs are recorded at all. Conversations and plans are kept either way.
    enabled: bool,
    /// The share of runs that are recorded, from 0 to 1, chosen by a hash of the trace's ID. Those that do not end
    /// well, are slow, or have more than a mebibyte to record always are.
    sample_ratio: f64,
    /// Milliseconds from which a run is slow.
    slow_ms: BigInt,
    /// Whether spans and traces have what went in. Without it a run cannot be replayed.
    capture_inputs: bool,
    /// Whether spans and traces have what came out.
    capture_outputs: bool,
    /// Whether the spans of model calls and tool calls have what the agent knew then.
    memory_snapshots: bool,
    /// Regular expressions: what matches one is `[redacted]` in spans and traces.
    redact: Vec<String>,
}

impl From<TracingFlags> for TracingSettings {
    fn from(flags: TracingFlags) -> Self {
        let id = ids::of_content(&format!("{flags:?}"));
        let TracingFlags {
            enabled,
            sample_ratio,
            slow_ms,
            capture_inputs,
            capture_outputs,
            memory_snapshots,
            redact,
        } = flags;
        let slow_ms = BigInt(slow_ms);
        Self { id, enabled, sample_ratio, slow_ms, capture_inputs, capture_outputs, memory_snapshots, redact }
    }
}

/// What is to change. What is left out stays.
#[derive(InputObject)]
struct UpdateTracingSettingsInput {
    /// Whether runs are recorded at all.
    enabled: Option<bool>,
    /// The share of runs that are recorded, from 0 to 1.
    sample_ratio: Option<Given<f64>>,
    /// Milliseconds from which a run is slow.
    slow_ms: Option<Given<u64>>,
    /// Whether spans and traces have what went in.
    capture_inputs: Option<bool>,
    /// Whether spans and traces have what came out.
    capture_outputs: Option<bool>,
    /// Whether the spans of model calls and tool calls have what the agent knew then.
    memory_snapshots: Option<bool>,
    /// Regular expressions, in place of those that hold: what matches one is `[redacted]` in spans and traces.
    redact: Option<Vec<String>>,
}

/// A change that was read.
struct Change {
    input: UpdateTracingSettingsInput,
    sample_ratio: Option<f64>,
    slow_ms: Option<u64>,
}

impl UpdateTracingSettingsInput {
    fn into_model(mut self) -> Result<Change, Refusal> {
        let sample_ratio = self.sample_ratio.take().read("sampleRatio")?;
        let slow_ms = self.slow_ms.take().read("slowMs")?;
        Ok(Change { input: self, sample_ratio, slow_ms })
    }
}

impl Change {
    fn apply(self, flags: &mut TracingFlags) {
        let UpdateTracingSettingsInput {
            enabled,
            capture_inputs,
            capture_outputs,
            memory_snapshots,
            redact,
            ..
        } = self.input;
        set(&mut flags.enabled, enabled);
        set(&mut flags.sample_ratio, self.sample_ratio);
        set(&mut flags.slow_ms, self.slow_ms);
        set(&mut flags.capture_inputs, capture_inputs);
        set(&mut flags.capture_outputs, capture_outputs);
        set(&mut flags.memory_snapshots, memory_snapshots);
        set(&mut flags.redact, redact);
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

payload!(
    /// What is recorded from now on.
    UpdateTracingSettingsPayload {
        /// The settings as they are now; null where the change was refused.
        settings: TracingSettings
    }
);
