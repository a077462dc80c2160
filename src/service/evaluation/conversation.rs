//! One conversation, with its branches where they are asked for.

use std::{
    cmp::Reverse,
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Evaluations, is_timed};
use crate::{
    model::{
        ConversationId, TraceId,
        conversation::Conversation,
        evaluation::{ConversationEvaluation, Material, TraceDigest},
        page::PageRequest,
        plan::Plan,
        score::Score,
        trace::Trace,
    },
    service::ServiceResult,
    store::keyspace::Deleted,
};

/// Plans of one conversation that are read: each is read whole, with all its steps.
const PLANS: usize = 1_000;

/// Spans whose heads are held at a time. Those of a larger trace are held together anyhow.
const SPANS_HELD: u64 = 20_000;

/// A conversation, with its branches where they count too.
#[derive(Default)]
struct Family {
    members: Vec<Conversation>,
    is_partial: bool,
}

/// What was read of the traces of a conversation.
#[derive(Default)]
struct Read {
    traces: Vec<(Trace, TraceDigest)>,
    plans: Vec<Plan>,
    scores: Vec<Score>,
    traces_left_out: u64,
    is_partial: bool,
}

impl Evaluations {
    /// How each of these conversations went, with its branches (and theirs) where that is asked for; `None`
    /// where there is no such conversation. A fixed number of calls to the engine, but one more for each level
    /// of branches and for every so many thousand spans.
    pub async fn conversations(
        &self,
        wanted: &[(ConversationId, bool)],
    ) -> ServiceResult<Vec<Option<Arc<ConversationEvaluation>>>> {
        let families = self.families(wanted).await?;
        let read = self.read(&families).await?;
        let evaluated =
            families.into_iter().zip(read).map(|(family, read)| evaluated(family.as_ref()?, read));
        Ok(evaluated.map(|evaluated| evaluated.map(Arc::new)).collect())
    }

    async fn families(&self, wanted: &[(ConversationId, bool)]) -> ServiceResult<Vec<Option<Family>>> {
        let ids: Vec<_> = wanted.iter().map(|(id, _)| *id).collect();
        let found = self.conversations.get_many(&ids).await?.into_iter();
        let alone = |found: Conversation| Family { members: vec![found], is_partial: false };
        let mut families: Vec<_> = found.map(|found| found.map(alone)).collect();
        for (family, (_, with_branches)) in families.iter_mut().zip(wanted) {
            if let Some(family) = family.as_mut().filter(|_| *with_branches) {
                self.add_branches(family).await?;
            }
        }
        Ok(families)
    }

    /// Adds the branches of a conversation, level by level.
    async fn add_branches(&self, family: &mut Family) -> ServiceResult<()> {
        let most = self.context.lists.conversations_at_once;
        let mut level: Vec<_> =
            family.members.iter().filter(|it| it.branch_count > 0).map(|it| it.id).collect();
        while !level.is_empty() {
            let page = PageRequest { first: most, after: None };
            let pages = self.conversations.branches(&level, &page).await?;
            level.clear();
            for page in pages {
                family.is_partial |= page.has_next;
                for (_, branch) in page.items {
                    if family.members.len() >= most {
                        family.is_partial = true;
                        return Ok(());
                    }
                    level.extend((branch.branch_count > 0).then_some(branch.id));
                    family.members.push(branch);
                }
            }
        }
        Ok(())
    }

    /// Reads for all families together, each within its part of what may be read at once.
    async fn read(&self, families: &[Option<Family>]) -> ServiceResult<Vec<Read>> {
        let mut read: Vec<Read> = families.iter().map(|_| Read::default()).collect();
        let family_of: HashMap<ConversationId, Vec<usize>> = family_of(families);
        let ids: Vec<ConversationId> = family_of.keys().copied().collect();
        let newest = self.newest_traces(&ids, &family_of, &mut read).await?;
        let kept = self.within_bounds(newest, &mut read);
        self.digest(kept, &mut read).await?;
        self.read_plans(&ids, &family_of, &mut read).await?;
        self.read_scores(&ids, &family_of, &mut read).await?;
        Ok(read)
    }

    /// The newest traces of each family.
    async fn newest_traces(
        &self,
        ids: &[ConversationId],
        family_of: &HashMap<ConversationId, Vec<usize>>,
        read: &mut [Read],
    ) -> ServiceResult<Vec<Vec<Trace>>> {
        let mut newest: Vec<Vec<Trace>> = read.iter().map(|_| Vec::new()).collect();
        let first = (self.context.lists.traces_at_once / ids.len().max(1)).max(1);
        let pages = self.tracing.conversation_traces(ids, &PageRequest { first, after: None }).await?;
        for (id, page) in ids.iter().zip(pages) {
            for family in family_of.get(id).into_iter().flatten() {
                if let (Some(traces), Some(read)) = (newest.get_mut(*family), read.get_mut(*family)) {
                    // How many more there are would take reading them.
                    read.traces_left_out += u64::from(page.has_next);
                    traces.extend(page.items.iter().map(|(_, trace)| trace.clone()));
                }
            }
        }
        Ok(newest)
    }

    /// Of the traces of each family the newest, as many as have no more spans than are read at once.
    fn within_bounds(&self, newest: Vec<Vec<Trace>>, read: &mut [Read]) -> Vec<(usize, TraceId, u64)> {
        let most = (self.context.lists.spans_at_once / read.len().max(1)) as u64;
        let mut kept = Vec::new();
        for (family, (mut traces, read)) in newest.into_iter().zip(read).enumerate() {
            traces.sort_unstable_by_key(|trace| Reverse((trace.start_time, trace.id)));
            let (mut spans, all) = (0_u64, traces.len());
            let before = kept.len();
            for trace in traces {
                spans = spans.saturating_add(trace.summary.span_count);
                if spans > most {
                    break;
                }
                kept.push((family, trace.id, trace.summary.span_count));
            }
            read.traces_left_out += (all - (kept.len() - before)) as u64;
            read.is_partial |= read.traces_left_out > 0;
        }
        kept
    }

    /// Analyses traces, a part of them at a time, and keeps what an evaluation needs.
    async fn digest(&self, kept: Vec<(usize, TraceId, u64)>, read: &mut [Read]) -> ServiceResult<()> {
        let mut rest = kept.as_slice();
        while !rest.is_empty() {
            let mut spans = 0_u64;
            let fits = |(_, _, count): &&(usize, TraceId, u64)| {
                spans = spans.saturating_add(*count);
                spans <= SPANS_HELD
            };
            let count = rest.iter().take_while(fits).count().max(1);
            let (part, later) = rest.split_at(count.min(rest.len()));
            rest = later;
            let ids: Vec<_> = part.iter().map(|(_, id, _)| *id).collect();
            let digests = self.tracing.digests(&ids).await?;
            for ((family, _, _), found) in part.iter().zip(digests) {
                if let (Some(read), Some(found)) = (read.get_mut(*family), found) {
                    read.traces.push(found);
                }
            }
            // Others want the thread too.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    async fn read_plans(
        &self,
        ids: &[ConversationId],
        family_of: &HashMap<ConversationId, Vec<usize>>,
        read: &mut [Read],
    ) -> ServiceResult<()> {
        let page = PageRequest { first: (PLANS / ids.len().max(1)).max(1), after: None };
        let pages = self.plans.for_conversations(ids, &page).await?;
        for (id, page) in ids.iter().zip(pages) {
            for family in family_of.get(id).into_iter().flatten() {
                if let Some(read) = read.get_mut(*family) {
                    read.is_partial |= page.has_next;
                    read.plans.extend(page.items.iter().map(|(_, plan)| plan.clone()));
                }
            }
        }
        Ok(())
    }

    /// Reads the scores of the conversations, their messages, their traces and those traces' spans.
    async fn read_scores(
        &self,
        ids: &[ConversationId],
        family_of: &HashMap<ConversationId, Vec<usize>>,
        read: &mut [Read],
    ) -> ServiceResult<()> {
        let mut owners: HashMap<Deleted, Vec<usize>> = HashMap::new();
        for id in ids {
            owners.insert(Deleted::Conversation(*id), family_of.get(id).cloned().unwrap_or_default());
        }
        for (family, read) in read.iter().enumerate() {
            for (trace, _) in &read.traces {
                owners.entry(Deleted::Trace(trace.id)).or_default().push(family);
            }
        }
        let wanted: Vec<Deleted> = owners.keys().copied().collect();
        for (owner, (scores, more)) in wanted.iter().zip(self.scores.of_owners(&wanted).await?) {
            for family in owners.get(owner).into_iter().flatten() {
                if let Some(read) = read.get_mut(*family) {
                    read.is_partial |= more;
                    read.scores.extend(scores.iter().cloned());
                }
            }
        }
        Ok(())
    }
}

/// The families that each conversation is a member of.
fn family_of(families: &[Option<Family>]) -> HashMap<ConversationId, Vec<usize>> {
    let mut family_of: HashMap<ConversationId, Vec<usize>> = HashMap::new();
    for (index, family) in families.iter().enumerate() {
        for member in family.iter().flat_map(|family| &family.members) {
            family_of.entry(member.id).or_default().push(index);
        }
    }
    family_of
}

fn evaluated(family: &Family, read: Read) -> Option<ConversationEvaluation> {
    let first = family.members.first()?.id;
    let own = |it: &Conversation| {
        if it.id == first { it.message_count() } else { it.next_ordinal.saturating_sub(it.first_ordinal) }
    };
    let untimed: HashSet<_> =
        family.members.iter().filter(|member| !is_timed(member)).map(|member| member.id).collect();
    let Read { traces, plans, scores, traces_left_out, is_partial } = read;
    let material = Material {
        conversations: family.members.len() as u64,
        messages: family.members.iter().map(own).fold(0, u64::saturating_add),
        traces,
        plans,
        scores,
        traces_left_out,
        is_partial: is_partial || family.is_partial,
    };
    let timed = |trace: &Trace| trace.conversation_id.is_none_or(|id| !untimed.contains(&id));
    Some(ConversationEvaluation::of(&material, timed))
}
