//! The roots that start, stop and delete experiments.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::Experiment;
use crate::{
    graphql::{
        agent::inputs,
        error::Result,
        evaluator::EvaluatorRefInput,
        ids,
        inputs::{ComponentRefInput, number},
        payload::{outcome, payload},
        refusal::Refusal,
        request,
        scalar::{Given, OptionalGiven, PlainId},
    },
    model::{self, ExperimentId, Json},
    service::experiments::{ChosenVersion, StartExperiment},
};

/// Starts, stops and deletes experiments.
#[derive(Default)]
pub(in crate::graphql) struct ExperimentMutation;

/// See [`ExperimentMutation`].
#[Object]
impl ExperimentMutation {
    /// Runs a version of an agent over the items of a dataset, each in a trace of its own, and has the runs judged. Answers
    /// at once; follow it with `experimentProgress`. It goes on after a restart of the server: runs that were over are
    /// not made again.
    async fn start_experiment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is to be run over what.")] input: StartExperimentInput,
    ) -> Result<StartExperimentPayload> {
        let experiments = &request::of(ctx)?.services.experiments;
        Ok(outcome(input.into_model(), async |start| experiments.start(start).await).await?.into())
    }

    /// Stops an experiment: no further item is run, and the runs that go on end as `CANCELLED`. What was run stays.
    async fn cancel_experiment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which experiment.")] input: CancelExperimentInput,
    ) -> Result<CancelExperimentPayload> {
        let experiments = &request::of(ctx)?.services.experiments;
        Ok(outcome(input.into_model(), async |id| experiments.cancel(id).await).await?.into())
    }

    /// Deletes an experiment and what it noted of its runs; one that runs is refused. The traces of its runs stay, with
    /// their scores, and so does its dataset.
    async fn delete_experiment(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which experiment.")] input: DeleteExperimentInput,
    ) -> Result<DeleteExperimentPayload> {
        let experiments = &request::of(ctx)?.services.experiments;
        let deleted = outcome(input.into_model(), async |id| experiments.delete(id).await).await?;
        Ok(match deleted {
            Ok(experiment) => {
                DeleteExperimentPayload { experiment_id: Some(PlainId(experiment.id.uuid())), refusal: None }
            }
            Err(refusal) => DeleteExperimentPayload { experiment_id: None, refusal: Some(refusal.into()) },
        })
    }
}

/// An experiment.
#[derive(InputObject)]
struct StartExperimentInput {
    /// The ID, where the client chooses it: a UUID. A second experiment with it is refused.
    experiment_id: Option<ID>,
    /// What people call it; the agent and the dataset, where nothing is said.
    name: Option<String>,
    /// The dataset: its global ID or UUID.
    dataset_id: ID,
    /// The version of the dataset; without it the newest.
    dataset_version: Option<Given<u64>>,
    /// The agent: its component's global ID, or its own: `agents/support`.
    agent_id: ID,
    /// The hash that names the version of the agent; without it and `label` it is the one registered last.
    version_hash: Option<String>,
    /// A label that points at the version: `production`.
    label: Option<String>,
    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    components: Option<Vec<ComponentRefInput>>,
    /// Another model, with the same settings: `openai/gpt-4o-mini`.
    model: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has: an object of texts.
    variables: Option<Given<Json>>,
    /// What judges each run that gave an answer.
    evaluators: Option<Vec<EvaluatorRefInput>>,
    /// How often each item is run; once, where nothing is said.
    repetitions: Option<Given<u32>>,
    /// Runs that go on at the same time; four, where nothing is said.
    parallelism: Option<Given<u32>>,
    /// Runs that may fail: with one more, the experiment is given up. Without it all may.
    max_errors: Option<Given<u32>>,
}

/// An experiment that is to stop.
#[derive(InputObject)]
struct CancelExperimentInput {
    /// The experiment: its global ID or UUID.
    experiment_id: ID,
}

/// An experiment that is to go.
#[derive(InputObject)]
struct DeleteExperimentInput {
    /// The experiment: its global ID or UUID.
    experiment_id: ID,
}

impl StartExperimentInput {
    fn into_model(self) -> Result<StartExperiment, model::Refusal> {
        let agent = ChosenVersion {
            component_id: ids::read_component("agentId", &self.agent_id)?,
            version: inputs::version(self.version_hash, self.label)?,
        };
        let evaluators = EvaluatorRefInput::all(self.evaluators.unwrap_or_default())?.into_iter();
        Ok(StartExperiment {
            id: ids::read_optional("experimentId", self.experiment_id.as_ref())?,
            name: self.name,
            dataset_id: ids::read("datasetId", &self.dataset_id)?,
            dataset_version: self.dataset_version.read("datasetVersion")?,
            agent,
            components: number(self.components, "components", ComponentRefInput::into_model)?,
            model: self.model,
            variables: inputs::texts(self.variables)?,
            evaluators: evaluators.map(ChosenVersion::from).collect(),
            repetitions: self.repetitions.read("repetitions")?,
            parallelism: self.parallelism.read("parallelism")?,
            max_errors: self.max_errors.read("maxErrors")?.map(u64::from),
        })
    }
}

impl CancelExperimentInput {
    fn into_model(self) -> Result<ExperimentId, model::Refusal> {
        ids::read("experimentId", &self.experiment_id)
    }
}

impl DeleteExperimentInput {
    fn into_model(self) -> Result<ExperimentId, model::Refusal> {
        ids::read("experimentId", &self.experiment_id)
    }
}

payload!(
    /// An experiment that was started.
    StartExperimentPayload {
        /// The experiment; null where it was refused.
        experiment: Experiment
    }
);

payload!(
    /// An experiment that was stopped.
    CancelExperimentPayload {
        /// The experiment as it stands: runs that go on may still be ending. Null where it was refused.
        experiment: Experiment
    }
);

/// An experiment that was deleted.
#[derive(SimpleObject)]
struct DeleteExperimentPayload {
    /// Its ID; null where it was refused.
    experiment_id: Option<PlainId>,
    /// Why it was refused.
    refusal: Option<Refusal>,
}
