//! What must hold of every plan that is kept, whatever was done to it.

use super::{Plan, PlanStatus, PlanStep, StepStatus, graph};

impl Plan {
    /// What is wrong with the plan, if anything is: a plan that the rules made has no fault.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        if let Err(refusal) = graph::order(&self.steps, |place| format!("steps.{place}")) {
            return Some(refusal.to_string());
        }
        let done = self.steps.iter().all(|step| step.status.is_done());
        let first_open = self.steps.iter().position(|step| !step.status.is_done());
        let faults = [
            (self.status == PlanStatus::Completed && !done, "it is completed and a step is not done"),
            (!self.status.is_final() && done && !self.steps.is_empty(), "its steps are done and it goes on"),
            (self.status.is_final() != self.completed_at.is_some(), "its end does not fit its status"),
            (
                self.current_step_index as usize != first_open.unwrap_or(self.steps.len()),
                "its current step is another",
            ),
        ];
        let fault = faults.into_iter().find(|(wrong, _)| *wrong).map(|(_, message)| message.to_owned());
        fault.or_else(|| self.steps.iter().enumerate().find_map(|(place, step)| self.step_fault(place, step)))
    }

    fn step_fault(&self, place: usize, step: &PlanStep) -> Option<String> {
        let depends_on = step.dependencies.iter().filter_map(|id| self.step(*id));
        let stopped = depends_on
            .map(|step| step.status)
            .any(|status| matches!(status, StepStatus::Failed | StepStatus::Blocked));
        let running = step.attempts.iter().filter(|attempt| attempt.status == StepStatus::Running).count();
        let numbers = step.attempts.iter().map(|attempt| attempt.number as usize);
        let over = self.status.is_final();
        let faults = [
            (step.order as usize != place, "stands at another place than its order"),
            (step.revision > self.revision, "changed after the plan did"),
            (!numbers.eq(1..=step.attempts.len()), "does not count its attempts"),
            (running != usize::from(step.status == StepStatus::Running), "does not run as its attempts do"),
            (step.status == StepStatus::Blocked && !stopped, "is blocked by nothing"),
            (step.status == StepStatus::Pending && stopped, "waits and is not blocked"),
            (step.status == StepStatus::Running && !self.is_ready(step), "runs before what it depends on"),
            (
                over && matches!(step.status, StepStatus::Pending | StepStatus::Running),
                "goes on after the plan",
            ),
            (!over && step.status == StepStatus::Cancelled, "is cancelled in a plan that goes on"),
        ];
        let (_, fault) = faults.into_iter().find(|(wrong, _)| *wrong)?;
        Some(format!("step {place} {fault}"))
    }
}
