//! Texts in conditions: asked of the index of texts before everything else.
//!
//! Where few traces have a text, they are known by their ids from then on. One that very many have is not looked up
//! whole: where the newest traces come first, those that have it are gone through as they are needed.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{Plan, Prepared, Queries, TraceOrdering, choices::Started, plan::Source};
use crate::{
    model::{
        Refusal, Timestamp, TraceId,
        query::{OrderDirection, QuerySource, SpanCondition, TextCondition, TraceCondition},
    },
    search::{Hit, Place},
    service::{ServiceError, ServiceResult, search::TextTraces},
};

/// When traces started, of which that is known before their rows are read.
pub(super) type Starts = HashMap<TraceId, Timestamp>;

/// Traces with a text up to which they are all looked up, whatever else is asked for.
const FEW: usize = 200;

/// The traces that have a text, of which the first are known.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) first: Vec<(Timestamp, TraceId)>,
    pub(super) rest: TextTraces,
}

impl Queries {
    /// A condition on traces with its plan, however much that looks at. The condition that is left does not ask for
    /// texts: what has them is known by its id, or the plan finds nothing else. `spans`: what has to hold for one of a
    /// trace's spans, beside the condition.
    pub(super) async fn planned(
        &self,
        condition: &TraceCondition,
        spans: Option<&SpanCondition>,
        ordering: TraceOrdering,
    ) -> ServiceResult<Prepared> {
        let required = condition.required();
        let started = Started::of(&required);
        let with_spans = |condition: &TraceCondition| match spans {
            Some(spans) => condition.clone().and(TraceCondition::Span(spans.clone())),
            None => condition.clone(),
        };
        let mut known = Vec::new();
        if let Some(text) = walked(condition, &required, ordering) {
            let texts = self.texts(text, &started)?;
            let first = self.search.find_traces(&texts, FEW + 1).await?;
            if first.len() <= FEW {
                known.push(first);
            } else {
                let rest = without_texts(condition.clone());
                // Where something else leaves few, they are looked at, if it can be told which of them have the text.
                let leaves_few = self.leaves_at_most(FEW, &with_spans(&rest)).await?;
                let all = if leaves_few { self.find_all(&texts).await? } else { None };
                let Some(all) = all else {
                    let plan = self.through(texts, &first, &with_spans(&rest), ordering).await?;
                    return Ok(Prepared { condition: rest, ordering, plan });
                };
                known.push(all);
            }
        } else {
            for text in condition.texts() {
                let texts = self.texts(text, &started)?;
                known.push(self.find_all(&texts).await?.ok_or_else(|| self.too_many())?);
            }
        }
        let (condition, starts) = with_known(condition.clone(), known)?;
        let plan = self.plan(&with_spans(&condition), &starts, ordering).await?;
        Ok(Prepared { condition, ordering, plan })
    }

    fn texts(&self, text: &TextCondition, started: &Started) -> ServiceResult<TextTraces> {
        let asked = self.search.asked("where.text.query", &text.query, text.kinds.clone())?;
        // Places go from the newest trace to the oldest.
        let behind =
            |before| Place { started: before, trace: TraceId::from_bytes([0; 16]), number: u32::MAX };
        Ok(TextTraces { asked, after: started.before.map(behind), from: started.from })
    }

    /// All traces with a text, of each a hit; `None`: there are too many.
    async fn find_all(&self, texts: &TextTraces) -> ServiceResult<Option<Vec<Hit>>> {
        let most = self.context.query.texts;
        let hits = self.search.find_traces(texts, most + 1).await?;
        Ok((hits.len() <= most).then_some(hits))
    }

    fn too_many(&self) -> Refusal {
        let most = self.context.query.texts;
        let message = format!(
            "more than {most} traces have this text; add words to it, ask for less time (`startTime`), or order by \
             `START_TIME`, the newest first"
        );
        Refusal::limit("where.text.query", message)
    }

    /// A plan that goes through the traces that have a text, of which the first are known, and fulfil the rest of a
    /// condition.
    async fn through(
        &self,
        texts: TextTraces,
        first: &[Hit],
        rest: &TraceCondition,
        ordering: TraceOrdering,
    ) -> ServiceResult<Plan> {
        let needs = rest.needs();
        let spans = if needs.heads || needs.bodies {
            let beside = self.plan(rest, &Starts::new(), ordering).await?.spans.unwrap_or(u64::MAX);
            // A trace is found by one document at least.
            let traces = self.search.count(&texts.asked).await?;
            Some(self.estimated_spans((traces, false), &Started::default()).await?.min(beside))
        } else {
            None
        };
        let rest = TextTraces { after: first.last().map(|hit| hit.place), ..texts };
        let known = first.iter().map(|hit| (hit.place.started, hit.place.trace)).collect();
        Ok(Plan {
            kind: QuerySource::Text,
            traces: first.len() as u64,
            more: true,
            spans,
            reads_attributes: needs.bodies,
            sorts: false,
            source: Source::Texts(Begun { first: known, rest }),
        })
    }
}

/// The text whose traces may be gone through one after the other: the only one that is looked for, which all must have,
/// where the newest come first, as they do in the index.
fn walked<'a>(
    condition: &'a TraceCondition,
    required: &[&'a TraceCondition],
    ordering: TraceOrdering,
) -> Option<&'a TextCondition> {
    if ordering.ranking().is_some()
        || ordering.direction != OrderDirection::Descending
        || required.iter().any(|one| matches!(one, TraceCondition::Among(_)))
    {
        return None;
    }
    let [text] = condition.texts()[..] else { return None };
    required.iter().any(|one| matches!(one, TraceCondition::Text(_))).then_some(text)
}

/// The condition with the traces in which its texts were found in place of them, and when those started.
fn with_known(condition: TraceCondition, known: Vec<Vec<Hit>>) -> ServiceResult<(TraceCondition, Starts)> {
    let mut starts = Starts::new();
    let mut known = known.into_iter().map(|hits| {
        starts.extend(hits.iter().map(|hit| (hit.place.trace, hit.place.started)));
        let ids: BTreeSet<_> = hits.iter().map(|hit| hit.place.trace).collect();
        TraceCondition::Among(Arc::new(ids))
    });
    let condition = condition.try_map::<ServiceError>(&mut |leaf| {
        Ok(match leaf {
            TraceCondition::Text(_) => known.next().unwrap_or(TraceCondition::Any(Vec::new())),
            leaf => leaf,
        })
    })?;
    drop(known);
    Ok((condition, starts))
}

/// The condition as if every trace had the texts.
fn without_texts(condition: TraceCondition) -> TraceCondition {
    let change = &mut |leaf| {
        Ok::<_, std::convert::Infallible>(match leaf {
            TraceCondition::Text(_) => TraceCondition::any(),
            leaf => leaf,
        })
    };
    match condition.try_map(change) {
        Ok(condition) => condition,
        Err(never) => match never {},
    }
}
