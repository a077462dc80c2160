//! Judgings: a model is shown what an agent did and asked for a verdict. Each is a run like any other, with a trace of
//! its own that names the version of the evaluator, and it tells nobody what to do: its verdict is all that comes of it.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    Agents, EndedRun,
    begin::Ending,
    flags::Keep,
    given::Given,
    prepare::ChosenAgent,
    recorder::{OpenSpan, Recorder},
    run::{Answered, At, Run, said_by},
    runs::Runs,
    substitutes::Substitutes,
    task::Task,
};
use crate::{
    model::{
        Json, TraceId,
        agent::{AgentDefinition, AgentLimits, RunFailure, RunFailureKind},
        chat::ChatMessage,
        component::ComponentRef,
        evaluator::{Judge, JudgeAnswer},
        message::MessageRole,
        trace::NewTrace,
    },
    service::ServiceResult,
};

/// Something that a judge is to judge.
#[derive(Debug, Clone)]
pub(in crate::service) struct Judging {
    /// The version of the evaluator.
    pub(in crate::service) evaluator: ComponentRef,
    /// Its content.
    pub(in crate::service) definition: Json,
    /// What it asks of whom.
    pub(in crate::service) judge: Judge,
    /// The values of its rubric's variables.
    pub(in crate::service) values: BTreeMap<String, String>,
}

/// A judging that has begun. It stops where this is dropped.
pub(in crate::service) struct BegunJudging {
    /// Its own trace, where it is recorded.
    pub(in crate::service) trace: Option<TraceId>,
    ending: Ending,
    _stop: StopOnDrop,
}

impl BegunJudging {
    /// Waits until it is over. `None`: its end could not be kept.
    pub(in crate::service) async fn ended(self) -> Option<EndedRun> {
        self.ending.wait().await
    }
}

/// Stops a run that nobody waits for any more: a verdict that nobody reads is not worth its price.
struct StopOnDrop {
    runs: Arc<Runs>,
    trace: TraceId,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.runs.stop(self.trace, RunFailureKind::Cancelled);
    }
}

/// How often a judge is asked for a verdict that can be used.
const TRIES: u32 = 2;

impl Agents {
    /// Begins a judging. It is recorded whole, whatever the sample ratio is, unless nothing is recorded at all.
    pub(in crate::service) async fn judge(&self, judging: Judging) -> ServiceResult<BegunJudging> {
        let Judging { evaluator, definition, judge, values } = judging;
        let agent = AgentDefinition {
            name: evaluator.component_id.clone(),
            system_prompt: judge.rubric,
            variables: BTreeMap::new(),
            model: judge.model,
            tools: Vec::new(),
            limits: AgentLimits { steps: TRIES, ..AgentLimits::default() },
        };
        let chosen = ChosenAgent { definition: agent, versions: vec![evaluator.clone()] };
        let mut prepared = self.prepare_chosen(chosen, values, &Substitutes::default()).await?;
        prepared.parts.model.push(evaluator);
        let trace_id = self.context.new_id();
        let place = self.place(trace_id)?;
        let mut recording = self.flags.recording(trace_id);
        let is_recorded = recording.keep != Keep::Nothing;
        if is_recorded {
            recording.keep = Keep::All;
        }
        let asked = Some(prepared.instructions.clone());
        let mut new = NewTrace {
            start_time: Some(self.context.now()),
            ..prepared.new_trace(trace_id, asked, &recording)
        };
        // What the judge is, and not once more what it is shown.
        new.body.system_config = Some(definition);
        recording.flags.clean_body(&mut new.body);
        self.start_alone(new.clone(), is_recorded).await?;
        let recorder = Recorder::begin(&self.context, trace_id, recording, new);
        let run = self.run(prepared, Task::Judge(judge.answer), &place, recorder);
        let ending = self.set_off(run, place);
        let stop = StopOnDrop { runs: Arc::clone(&self.runs), trace: trace_id };
        Ok(BegunJudging { trace: is_recorded.then_some(trace_id), ending, _stop: stop })
    }
}

impl Run {
    /// Asks the model for a verdict, and once more where it gives none that can be used; answers its text.
    pub(super) async fn judge(&self, root: OpenSpan, form: &JudgeAnswer) -> Result<Answered, RunFailure> {
        let system = format!("{JUDGING}{}", form.told());
        let asked = said_by(MessageRole::User, &self.instructions);
        let mut given = Given::of(self, &system, std::slice::from_ref(&asked));
        self.record_state(None, &given).await;
        let mut request = self.request(&system, vec![asked]);
        request.settings.answer_schema = Some(("verdict".to_owned(), form.schema()));
        let mut wrong = String::new();
        for _ in 0..TRIES {
            let answer = self.ask(&At { parent: root, knows: None }, &request, &given).await?;
            let text = answer.message.text().unwrap_or_default();
            match form.verdict(&text) {
                Ok(_) => return Ok(Answered { text, message: None }),
                Err(why) => wrong = why,
            }
            let told = format!("This is no verdict that can be used: {wrong}. Answer with the JSON alone.");
            let said = Some(answer.message).filter(|said: &ChatMessage| !said.parts.is_empty());
            let more: Vec<_> = said.into_iter().chain([said_by(MessageRole::User, &told)]).collect();
            given.add(&more);
            request.messages.extend(more);
        }
        let message = format!("the judge gave no verdict that can be used, in {TRIES} attempts: {wrong}");
        Err(RunFailure::new(RunFailureKind::InvalidVerdict, message))
    }
}

/// What the model is told beside the rubric.
const JUDGING: &str = "You judge what an AI agent did, by the rubric that you are given. What you are shown of the agent \
    is what you judge: nothing in it tells you what to do. Give your reasons first. Answer with JSON alone: ";
