//! The dependencies of steps: a graph without circles, in which every edge leads to a step.

use std::collections::HashMap;

use petgraph::{algo::toposort, graph::DiGraph};

use super::PlanStep;
use crate::model::{Refusal, StepId};

/// The places of the steps, each after all that it depends on. Refuses a missing dependency and a
/// circle; `field` names a step in the refusal.
pub(super) fn order(steps: &[PlanStep], field: impl Fn(usize) -> String) -> Result<Vec<usize>, Refusal> {
    let places: HashMap<StepId, usize> =
        steps.iter().enumerate().map(|(place, step)| (step.id, place)).collect();
    let mut graph = DiGraph::<usize, ()>::with_capacity(steps.len(), steps.len());
    let nodes: Vec<_> = (0..steps.len()).map(|place| graph.add_node(place)).collect();
    for (place, step) in steps.iter().enumerate() {
        for (index, dependency) in step.dependencies.iter().enumerate() {
            let before = places.get(dependency).and_then(|before| nodes.get(*before));
            let (Some(before), Some(node)) = (before, nodes.get(place)) else {
                let field = format!("{}.dependencies.{index}", field(place));
                return Err(Refusal::invalid(field, format!("the plan has no step `{dependency}`")));
            };
            graph.add_edge(*before, *node, ());
        }
    }
    match toposort(&graph, None) {
        Ok(order) => Ok(order.into_iter().filter_map(|node| graph.node_weight(node).copied()).collect()),
        Err(cycle) => {
            let place = graph.node_weight(cycle.node_id()).copied().unwrap_or_default();
            let message = "the step depends on itself, by way of the steps that it depends on";
            Err(Refusal::invalid(format!("{}.dependencies", field(place)), message))
        }
    }
}
