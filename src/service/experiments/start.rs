//! Starting and stopping experiments. What cannot be run is told when it is asked for.

use std::collections::BTreeMap;

use super::Experiments;
use crate::{
    model::{
        DatasetId, ExperimentId, Refusal,
        component::{ComponentRef, VersionSelector},
        dataset::Dataset,
        experiment::{Experiment, ExperimentSetup, ExperimentStatus, ItemCounts},
        refusal::Entity,
    },
    service::{ServiceError, ServiceResult, agents::TrialAgent, deletion},
    store::{
        Touched,
        keyspace::{self, Deleted, Nothing},
    },
};

/// What is to be run over what.
#[derive(Debug, Clone)]
pub struct StartExperiment {
    /// The id, where the caller chooses it.
    pub id: Option<ExperimentId>,
    /// What people call it; `None`: as the agent and the dataset.
    pub name: Option<String>,
    /// The dataset.
    pub dataset_id: DatasetId,
    /// Which version of it; `None`: the newest.
    pub dataset_version: Option<u64>,
    /// The agent.
    pub agent: ChosenVersion,
    /// Versions of a prompt, a model's settings or tools, in place of the agent's own.
    pub components: Vec<ComponentRef>,
    /// Another model, with the same settings.
    pub model: Option<String>,
    /// Values of the instructions' variables, beside those that the agent has.
    pub variables: BTreeMap<String, String>,
    /// What judges each run that gave an answer.
    pub evaluators: Vec<ChosenVersion>,
    /// How often each item is run; `None`: once.
    pub repetitions: Option<u32>,
    /// Runs that go on at the same time; `None`: four.
    pub parallelism: Option<u32>,
    /// Runs that may fail; with one more, the experiment is given up. `None`: all.
    pub max_errors: Option<u64>,
}

/// A component and which version of it.
#[derive(Debug, Clone)]
pub struct ChosenVersion {
    /// The component: `agents/support`.
    pub component_id: String,
    /// Which version of it.
    pub version: VersionSelector,
}

impl From<(String, VersionSelector)> for ChosenVersion {
    fn from((component_id, version): (String, VersionSelector)) -> Self {
        Self { component_id, version }
    }
}

/// Runs that go on at the same time, where nobody says.
const PARALLELISM: u32 = 4;

impl Experiments {
    /// Starts an experiment, which goes on by itself. Durable when it returns.
    pub async fn start(&self, start: StartExperiment) -> ServiceResult<Experiment> {
        let setup = self.setup(&start).await?;
        let dataset = self.datasets.get_many(&[start.dataset_id]).await?.pop().flatten();
        let dataset =
            dataset.ok_or_else(|| Refusal::not_found("datasetId", Entity::Dataset, start.dataset_id))?;
        let dataset_version = dataset.version_number("datasetVersion", start.dataset_version)?;
        let total = self.runs_over(&dataset, dataset_version, &setup).await?;
        let usual = || format!("{} over {}", setup.agent.component_id, dataset.name);
        let experiment = Experiment {
            id: start.id.unwrap_or_else(|| self.context.new_id()),
            name: start.name.unwrap_or_else(usual),
            dataset_id: start.dataset_id,
            dataset_version,
            setup,
            status: ExperimentStatus::Running,
            error: None,
            counts: ItemCounts { total, ..ItemCounts::default() },
            created_at: self.context.now(),
            ended_at: None,
            revision: 1,
        };
        self.context.limits.name("name", &experiment.name)?;
        self.place(experiment.id)?;
        match self.put_new(&experiment).await {
            Ok(()) => self.set_off(experiment.id),
            Err(error) => {
                self.carried.lock().remove(&experiment.id);
                return Err(error);
            }
        }
        Ok(experiment)
    }

    /// Checks what is to be run, and finds the exact version of the agent.
    async fn setup(&self, start: &StartExperiment) -> ServiceResult<ExperimentSetup> {
        let limits = self.limits();
        let repetitions = between("repetitions", start.repetitions.unwrap_or(1), MOST_REPETITIONS)?;
        let parallelism = start.parallelism.unwrap_or(PARALLELISM.min(limits.parallelism));
        let parallelism = between("parallelism", parallelism, limits.parallelism)?;
        self.context.limits.count("components", start.components.len(), self.context.limits.list_items)?;
        self.context.limits.count("evaluators", start.evaluators.len(), limits.evaluators)?;
        let ChosenVersion { component_id, version } = &start.agent;
        let agent = self.agents.trial_version(component_id, version).await.map_err(of_agent)?;
        let evaluators = self.chosen_evaluators(&start.evaluators).await?;
        let setup = ExperimentSetup {
            agent,
            components: start.components.clone(),
            model: start.model.clone(),
            variables: start.variables.clone().into_iter().collect(),
            evaluators,
            repetitions,
            parallelism,
            max_errors: start.max_errors,
        };
        self.agents.check_trial(&trial_agent(&setup)).await?;
        Ok(setup)
    }

    /// The exact versions of evaluators, each of which can judge.
    async fn chosen_evaluators(&self, chosen: &[ChosenVersion]) -> ServiceResult<Vec<ComponentRef>> {
        let mut evaluators = Vec::with_capacity(chosen.len());
        for (index, ChosenVersion { component_id, version }) in chosen.iter().enumerate() {
            let field = format!("evaluators.{index}");
            let resolved = self.evaluators.resolve(component_id, version).await;
            let (reference, _) = resolved.map_err(|error| error.below(&field))?;
            if evaluators.contains(&reference) {
                return Err(Refusal::invalid(field, format!("`{component_id}` is named twice")).into());
            }
            evaluators.push(reference);
        }
        Ok(evaluators)
    }

    /// How many runs there are to be.
    async fn runs_over(
        &self,
        dataset: &Dataset,
        version: u64,
        setup: &ExperimentSetup,
    ) -> ServiceResult<u64> {
        let found = self.datasets.versions(&[(dataset.id, version)]).await?.pop().flatten();
        let items = found.map_or(0, |version| version.item_count);
        if items == 0 {
            let message = format!("version {version} of `{}` has no items", dataset.name);
            return Err(Refusal::invalid("datasetId", message).into());
        }
        let (total, most) = (items.saturating_mul(setup.repetitions.into()), self.limits().runs);
        if total > most {
            let message = format!("{items} items make {total} runs; {most} are allowed");
            return Err(Refusal::limit("repetitions", message).into());
        }
        Ok(total)
    }

    /// Takes a place among those that go on.
    fn place(&self, id: ExperimentId) -> ServiceResult<()> {
        let (most, mut carried) = (self.limits().running, self.carried.lock());
        if carried.contains(&id) {
            return Err(Refusal::already_exists("experimentId", Entity::Experiment, id).into());
        }
        if carried.len() >= most {
            let message = format!("{most} experiments go on already; wait for one, or stop one");
            return Err(Refusal::limit("datasetId", message).into());
        }
        carried.insert(id);
        Ok(())
    }

    async fn put_new(&self, experiment: &Experiment) -> ServiceResult<()> {
        let id = experiment.id;
        let started = self.context.store.transact::<_, ServiceError, _>(|tx| {
            Box::pin(async move {
                if tx.get(keyspace::EXPERIMENT, &id).await?.is_some() {
                    return Err(Refusal::already_exists("experimentId", Entity::Experiment, id).into());
                }
                deletion::refuse_pending(tx, "experimentId", Deleted::Experiment(id)).await?;
                tx.put_indexed(None, experiment)?;
                tx.put(keyspace::EXPERIMENT_RUN, &id, &Nothing)?;
                tx.touch(Touched::Experiment { id, revision: experiment.revision });
                Ok(())
            })
        });
        started.await
    }

    /// Stops an experiment: no further item is run, and the runs that go on are stopped.
    pub async fn cancel(&self, id: ExperimentId) -> ServiceResult<Experiment> {
        self.change(id, Experiment::cancel).await
    }
}

/// Times that an item may be run at most: what more of them would tell, more items tell better.
const MOST_REPETITIONS: u32 = 100;

fn between(field: &str, value: u32, most: u32) -> Result<u32, Refusal> {
    if (1..=most).contains(&value) {
        return Ok(value);
    }
    Err(Refusal::invalid(field, format!("{value} is not from 1 to {most}")))
}

/// A refusal of the agent's component, under the name that it has here.
fn of_agent(error: ServiceError) -> ServiceError {
    match error {
        ServiceError::Refused(Refusal::NotFound { field, entity, id }) if field == "componentId" => {
            Refusal::NotFound { field: "agentId".to_owned(), entity, id }.into()
        }
        other => other,
    }
}

/// Who is tried out.
pub(super) fn trial_agent(setup: &ExperimentSetup) -> TrialAgent {
    TrialAgent {
        agent: setup.agent.clone(),
        components: setup.components.clone(),
        model: setup.model.clone(),
        variables: setup.variables.iter().cloned().collect(),
    }
}
