//! Making a plan, and changing it while it is carried out.

use std::collections::HashMap;

use super::{Plan, PlanStatus, PlanStep, StepStatus, graph};
use crate::model::{
    ConversationId, Json, PlanId, Refusal, StepId, Timestamp, clock::Ids, limits::RecordLimits,
    refusal::Entity,
};

/// Retries of a plan that names no number.
const DEFAULT_RETRIES: u32 = 3;

/// What is asked of a new plan.
#[derive(Debug, Clone)]
pub struct NewPlan {
    /// The id, where the caller chooses it.
    pub id: Option<PlanId>,
    /// The conversation it serves.
    pub conversation_id: ConversationId,
    /// What it is for.
    pub title: String,
    /// The same at length.
    pub description: Option<String>,
    /// Whatever the agent keeps with it: a JSON object.
    pub context: Option<Json>,
    /// How often a failed step may be tried again; `None`: three times.
    pub max_retries: Option<u32>,
    /// Minutes from the first step's start until the plan fails.
    pub timeout_minutes: Option<u32>,
    /// Its steps, in order.
    pub steps: Vec<NewStep>,
}

/// What is asked of a new step.
#[derive(Debug, Clone, Default)]
pub struct NewStep {
    /// The id, where the caller chooses it.
    pub id: Option<StepId>,
    /// A name by which other steps of the same request can say that they depend on it.
    pub key: Option<String>,
    /// What is to be done.
    pub description: String,
    /// The steps that must be done before it, by key or id.
    pub dependencies: Vec<String>,
}

/// A change of a plan. `None` leaves a field as it is; `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
pub struct PlanRevision {
    /// See [`Plan::title`].
    pub title: Option<String>,
    /// See [`Plan::description`].
    pub description: Option<Option<String>>,
    /// See [`Plan::context`].
    pub context: Option<Json>,
    /// See [`Plan::max_retries`].
    pub max_retries: Option<u32>,
    /// See [`Plan::timeout_minutes`].
    pub timeout_minutes: Option<Option<u32>>,
    /// Steps that are added at the end.
    pub add_steps: Vec<NewStep>,
    /// Steps that have not begun and are taken out. No step that stays may depend on them.
    pub remove_steps: Vec<StepId>,
    /// Steps that have not begun and change.
    pub change_steps: Vec<StepChange>,
}

/// A change of a step that has not begun.
#[derive(Debug, Clone)]
pub struct StepChange {
    /// The step.
    pub id: StepId,
    /// See [`PlanStep::description`].
    pub description: Option<String>,
    /// The steps that must be done before it, by key (of added steps) or id.
    pub dependencies: Option<Vec<String>>,
}

impl NewPlan {
    /// The plan, if it can be one.
    pub fn build(self, ids: &dyn Ids, now: Timestamp, limits: &RecordLimits) -> Result<Plan, Refusal> {
        let mut plan = Plan {
            id: self.id.unwrap_or_else(|| ids.next().into()),
            conversation_id: self.conversation_id,
            title: self.title,
            description: self.description,
            status: PlanStatus::Pending,
            current_step_index: 0,
            context: self.context.unwrap_or_default(),
            max_retries: self.max_retries.unwrap_or(DEFAULT_RETRIES),
            timeout_minutes: self.timeout_minutes,
            created_at: now,
            updated_at: now,
            started_at: None,
            completed_at: None,
            error_message: None,
            revision: 0,
            steps: Vec::new(),
        };
        plan.check(limits)?;
        let mut steps = Vec::new();
        add_steps(&mut steps, &self.steps, "steps", (ids, limits))?;
        resolve_all(&mut steps, &self.steps, 0, "steps")?;
        graph::order(&steps, |place| format!("steps.{place}"))?;
        plan.change(now, |plan| plan.steps = steps);
        Ok(plan)
    }
}

impl Plan {
    fn check(&self, limits: &RecordLimits) -> Result<(), Refusal> {
        limits.name("title", &self.title)?;
        limits.text("description", self.description.as_deref())?;
        limits.object("context", Some(&self.context))?;
        if self.max_retries > limits.plan_retries {
            let message = format!("{} retries, {} are allowed", self.max_retries, limits.plan_retries);
            return Err(Refusal::limit("maxRetries", message));
        }
        if self.timeout_minutes == Some(0) {
            return Err(Refusal::invalid(
                "timeoutMinutes",
                "a plan needs at least a minute; leave it out for no limit",
            ));
        }
        Ok(())
    }

    /// Changes the plan. Nothing has changed where it is refused.
    pub fn revise(
        &mut self,
        revision: &PlanRevision,
        ids: &dyn Ids,
        now: Timestamp,
        limits: &RecordLimits,
    ) -> Result<(), Refusal> {
        if self.status.is_final() {
            return Err(Refusal::IllegalTransition {
                entity: Entity::Plan,
                state: self.status.to_string(),
                action: "be revised".to_owned(),
                legal: Vec::new(),
            });
        }
        let mut revised = self.clone();
        revised.revise_fields(revision);
        revised.check(limits)?;
        let steps = revised.revised_steps(revision, ids, limits)?;
        revised.change(now, |plan| plan.steps = steps);
        // Steps that stand as they stood keep their revision: `change` compared with the old ones.
        *self = revised;
        Ok(())
    }

    fn revise_fields(&mut self, revision: &PlanRevision) {
        if let Some(title) = &revision.title {
            self.title.clone_from(title);
        }
        if let Some(description) = &revision.description {
            self.description.clone_from(description);
        }
        if let Some(context) = &revision.context {
            self.context.clone_from(context);
        }
        self.max_retries = revision.max_retries.unwrap_or(self.max_retries);
        self.timeout_minutes = revision.timeout_minutes.unwrap_or(self.timeout_minutes);
    }

    fn revised_steps(
        &self,
        revision: &PlanRevision,
        ids: &dyn Ids,
        limits: &RecordLimits,
    ) -> Result<Vec<PlanStep>, Refusal> {
        let mut steps = self.steps.clone();
        for (index, id) in revision.remove_steps.iter().enumerate() {
            unbegun(&mut steps, *id, &format!("removeSteps.{index}"))?;
            steps.retain(|step| step.id != *id);
        }
        let first_new = steps.len();
        add_steps(&mut steps, &revision.add_steps, "addSteps", (ids, limits))?;
        resolve_all(&mut steps, &revision.add_steps, first_new, "addSteps")?;
        let keys = keys(&steps, &revision.add_steps, first_new);
        for (index, change) in revision.change_steps.iter().enumerate() {
            let field = format!("changeSteps.{index}");
            let dependencies = change.dependencies.as_ref();
            let dependencies = dependencies.map(|names| resolve(names, &keys, &field)).transpose()?;
            let step = unbegun(&mut steps, change.id, &format!("{field}.stepId"))?;
            if let Some(description) = &change.description {
                check_description(description, &format!("{field}.description"), limits)?;
                step.description.clone_from(description);
            }
            step.dependencies = dependencies.unwrap_or_else(|| std::mem::take(&mut step.dependencies));
        }
        for (place, step) in steps.iter_mut().enumerate() {
            step.order = u32::try_from(place).unwrap_or(u32::MAX);
        }
        graph::order(&steps, |place| format!("steps.{place}"))?;
        Ok(steps)
    }
}

/// A step that has not begun.
fn unbegun<'a>(steps: &'a mut [PlanStep], id: StepId, field: &str) -> Result<&'a mut PlanStep, Refusal> {
    let step = steps.iter_mut().find(|step| step.id == id);
    let step = step.ok_or_else(|| Refusal::not_found(field, Entity::Step, id))?;
    if matches!(step.status, StepStatus::Pending | StepStatus::Blocked) {
        return Ok(step);
    }
    Err(Refusal::invalid(
        field,
        format!("the step is {}; only one that has not begun can be changed", step.status),
    ))
}

fn check_description(description: &str, field: &str, limits: &RecordLimits) -> Result<(), Refusal> {
    if description.trim().is_empty() {
        return Err(Refusal::invalid(field, "must not be blank"));
    }
    limits.text(field, Some(description))
}

/// Adds steps whose dependencies are still to be resolved.
fn add_steps(
    steps: &mut Vec<PlanStep>,
    new: &[NewStep],
    field: &str,
    (ids, limits): (&dyn Ids, &RecordLimits),
) -> Result<(), Refusal> {
    limits.count(field, steps.len() + new.len(), limits.plan_steps)?;
    for (index, step) in new.iter().enumerate() {
        let field = format!("{field}.{index}");
        limits.optional_name(&format!("{field}.key"), step.key.as_deref())?;
        check_description(&step.description, &format!("{field}.description"), limits)?;
        limits.count(&format!("{field}.dependencies"), step.dependencies.len(), limits.plan_steps)?;
        let id = step.id.unwrap_or_else(|| ids.next().into());
        if steps.iter().any(|known| known.id == id) {
            return Err(Refusal::already_exists(format!("{field}.stepId"), Entity::Step, id));
        }
        let same_key = |other: &NewStep| step.key.is_some() && other.key == step.key;
        if new.iter().take(index).any(same_key) {
            return Err(Refusal::invalid(format!("{field}.key"), "another step has this key"));
        }
        steps.push(PlanStep {
            id,
            order: u32::try_from(steps.len()).unwrap_or(u32::MAX),
            description: step.description.clone(),
            status: StepStatus::Pending,
            result: None,
            error_message: None,
            started_at: None,
            completed_at: None,
            dependencies: Vec::new(),
            attempts: Vec::new(),
            revision: 0,
        });
    }
    Ok(())
}

/// The steps by key, for those that have one.
fn keys(steps: &[PlanStep], new: &[NewStep], first_new: usize) -> HashMap<String, StepId> {
    let added = steps.iter().skip(first_new).zip(new);
    added.filter_map(|(step, new)| Some((new.key.clone()?, step.id))).collect()
}

fn resolve_all(
    steps: &mut [PlanStep],
    new: &[NewStep],
    first_new: usize,
    field: &str,
) -> Result<(), Refusal> {
    let keys = keys(steps, new, first_new);
    for (index, (step, new)) in steps.iter_mut().skip(first_new).zip(new).enumerate() {
        step.dependencies = resolve(&new.dependencies, &keys, &format!("{field}.{index}"))?;
    }
    Ok(())
}

/// The ids of steps that are named by key or id, each once.
fn resolve(names: &[String], keys: &HashMap<String, StepId>, field: &str) -> Result<Vec<StepId>, Refusal> {
    let mut ids = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let id = keys.get(name).copied().or_else(|| name.parse().ok()).ok_or_else(|| {
            let message = format!(
                "`{}` is neither the key nor the id of a step",
                crate::model::text::shortened(name, 60)
            );
            Refusal::invalid(format!("{field}.dependencies.{index}"), message)
        })?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use proptest::prelude::*;

    use super::*;
    use crate::model::plan::{PlanAction, StepAction, StepActionKind};

    #[derive(Default)]
    struct Counting(AtomicU64);

    impl Ids for Counting {
        fn next(&self) -> uuid::Uuid {
            uuid::Uuid::from_u128(u128::from(self.0.fetch_add(1, Ordering::Relaxed)) + 1)
        }
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_nanos(minute * 60_000_000_000)
    }

    fn plan(steps: &[(&str, &[&str])]) -> Result<Plan, Refusal> {
        let steps = steps.iter().map(|(key, dependencies)| NewStep {
            key: Some((*key).to_owned()),
            description: format!("do {key}"),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
            ..NewStep::default()
        });
        let new = NewPlan {
            id: None,
            conversation_id: ConversationId::from_bytes([1; 16]),
            title: "a plan".to_owned(),
            description: None,
            context: None,
            max_retries: Some(1),
            timeout_minutes: None,
            steps: steps.collect(),
        };
        new.build(&Counting::default(), at(0), &RecordLimits::default())
    }

    #[test]
    fn a_circle_and_a_missing_step_are_refused_by_name() {
        let field = |steps| plan(steps).unwrap_err().field().unwrap().to_owned();
        assert_eq!(field(&[("a", &["a"])]), "steps.0.dependencies");
        assert!(field(&[("x", &[]), ("a", &["c"]), ("b", &["a"]), ("c", &["b"])]).ends_with(".dependencies"));
        assert_eq!(field(&[("a", &[]), ("b", &["a", "nobody"])]), "steps.1.dependencies.1");
        let unknown = StepId::from_bytes([9; 16]).to_string();
        assert_eq!(field(&[("a", &[&unknown])]), "steps.0.dependencies.0");
    }

    #[test]
    fn a_failed_step_blocks_until_it_is_tried_again_and_then_fails_the_plan() {
        use StepStatus::{Blocked, Cancelled, Failed, Pending, Running};

        let mut plan = plan(&[("a", &[]), ("b", &["a"]), ("c", &["b"]), ("d", &[])]).unwrap();
        let id = |plan: &Plan, place: usize| plan.steps[place].id;
        let statuses = |plan: &Plan| plan.steps.iter().map(|step| step.status).collect::<Vec<_>>();
        let a = id(&plan, 0);
        plan.advance(a, StepAction::Start { span: None }, at(1)).unwrap();
        plan.advance(a, StepAction::Fail { error: "no".to_owned() }, at(2)).unwrap();
        assert_eq!(statuses(&plan), [Failed, Blocked, Blocked, Pending]);
        plan.advance(a, StepAction::Start { span: None }, at(3)).unwrap();
        assert_eq!(statuses(&plan), [Running, Pending, Pending, Pending]);
        plan.advance(a, StepAction::Fail { error: "again".to_owned() }, at(4)).unwrap();
        assert_eq!(
            (plan.status, statuses(&plan)),
            (PlanStatus::Failed, vec![Failed, Blocked, Blocked, Cancelled])
        );
        assert_eq!(plan.steps[0].attempts.len(), 2);
        let refusal = plan.advance(a, StepAction::Start { span: None }, at(5)).unwrap_err();
        assert!(matches!(refusal, Refusal::IllegalTransition { legal, .. } if legal.is_empty()));
        // Taken up, it goes on where it failed, with one more attempt.
        plan.timeout_minutes = Some(3);
        plan.control(PlanAction::Retry, at(65)).unwrap();
        assert_eq!(
            (plan.status, statuses(&plan)),
            (PlanStatus::Running, vec![Failed, Blocked, Blocked, Pending])
        );
        assert_eq!((plan.timeout_minutes, &plan.error_message, plan.completed_at), (Some(67), &None, None));
        assert_eq!(plan.fault(), None);
        plan.advance(a, StepAction::Start { span: None }, at(66)).unwrap();
        plan.advance(a, StepAction::Fail { error: "still".to_owned() }, at(67)).unwrap();
        assert_eq!((plan.status, plan.steps[0].attempts.len()), (PlanStatus::Failed, 3));
    }

    #[test]
    fn a_change_keeps_the_revision_of_what_stays() {
        let mut plan = plan(&[("a", &[]), ("b", &["a"])]).unwrap();
        let (a, b) = (plan.steps[0].id, plan.steps[1].id);
        let add = NewStep {
            description: "more".to_owned(),
            dependencies: vec![b.to_string()],
            ..NewStep::default()
        };
        let ids = Counting(AtomicU64::new(100));
        let revision = PlanRevision { add_steps: vec![add], ..PlanRevision::default() };
        plan.revise(&revision, &ids, at(1), &RecordLimits::default()).unwrap();
        assert_eq!(plan.steps.iter().map(|step| step.revision).collect::<Vec<_>>(), [1, 1, 2]);
        let revision = PlanRevision { remove_steps: vec![a], ..PlanRevision::default() };
        let refusal = plan.revise(&revision, &ids, at(2), &RecordLimits::default()).unwrap_err();
        assert_eq!(refusal.field(), Some("steps.0.dependencies.0"));
    }

    /// Six steps; each may depend on earlier ones.
    fn any_plan() -> impl Strategy<Value = Plan> {
        prop::collection::vec(any::<u8>(), 6).prop_map(|masks| {
            let names = ["a", "b", "c", "d", "e", "f"];
            let chosen: Vec<Vec<&str>> = masks
                .iter()
                .enumerate()
                .map(|(place, mask)| {
                    (0..place).filter(|bit| mask & (1 << bit) != 0).map(|bit| names[bit]).collect()
                })
                .collect();
            let steps: Vec<(&str, &[&str])> =
                names.iter().zip(&chosen).map(|(name, of)| (*name, of.as_slice())).collect();
            plan(&steps).unwrap()
        })
    }

    fn action(kind: StepActionKind) -> StepAction {
        match kind {
            StepActionKind::Start => StepAction::Start { span: None },
            StepActionKind::Complete => StepAction::Complete { result: None },
            StepActionKind::Fail => StepAction::Fail { error: "e".to_owned() },
            StepActionKind::Skip => StepAction::Skip,
            StepActionKind::Interrupt => StepAction::Interrupt,
        }
    }

    proptest! {
        #[test]
        fn any_sequence_of_actions_keeps_the_rules(
            mut plan in any_plan(),
            actions in prop::collection::vec((0..6_usize, 0..5_usize, 0..12_usize), 0..60),
        ) {
            for (place, kind, control) in actions {
                let kind = StepActionKind::ALL[kind];
                let step = plan.steps[place].clone();
                let (legal, before) = (plan.legal(&step), plan.clone());
                prop_assert_eq!(plan.advance(step.id, action(kind), at(1)).is_ok(), legal.contains(&kind));
                if !legal.contains(&kind) {
                    prop_assert_eq!(&plan, &before);
                }
                if let Some(control) = PlanAction::ALL.get(control) {
                    let legal = plan.legal_actions().contains(control);
                    prop_assert_eq!(plan.control(*control, at(2)).is_ok(), legal);
                }
                for step in &plan.steps {
                    let stopped = step.dependencies.iter().any(|id| {
                        matches!(plan.step(*id).unwrap().status, StepStatus::Failed | StepStatus::Blocked)
                    });
                    match step.status {
                        StepStatus::Blocked => prop_assert!(stopped),
                        StepStatus::Pending => prop_assert!(!stopped && !plan.status.is_final()),
                        StepStatus::Running => prop_assert!(!plan.status.is_final() && plan.is_ready(step)),
                        _ => {}
                    }
                    let running = step.attempts.iter().filter(|attempt| attempt.status == StepStatus::Running).count();
                    prop_assert_eq!(running, usize::from(step.status == StepStatus::Running));
                    prop_assert!(step.attempts.len() <= plan.max_retries as usize + 1);
                }
                let done = plan.steps.iter().all(|step| step.status.is_done());
                prop_assert_eq!(plan.fault(), None);
                prop_assert_eq!(plan.status == PlanStatus::Completed, done && plan.status != PlanStatus::Cancelled);
            }
        }
    }
}
