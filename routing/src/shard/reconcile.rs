//! Transfers between domains whose shards were restored to different moments.

use super::Shard;
use crate::command::By;
use crate::deadlines::Due;
use crate::domain::{ConvNo, Cx, Domain, State};
use crate::event::{Ending, Requeued, Revoked};
use crate::settings::limits::{EXPIRIES_PER_ENTRY_MAX, MATCHES_PER_ENTRY_MAX};
use crate::{ConversationId, DomainId, Effects, Position};
use std::collections::BTreeMap;

/// What was put right.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// They had arrived from a domain that, as it was restored, had not sent them: closed here.
    pub closed: Vec<ConversationId>,
    /// They had arrived in a domain that, as it was restored, has not seen them: they wait again.
    pub returned: Vec<ConversationId>,
}

impl Shard {
    /// Puts transfers between domains right in states that were taken from a backup, each perhaps at
    /// another moment, before they are [`Shard::reborn`]. What is on its way needs nothing: it is
    /// asked for by its number, as after any crash. What one domain knows to be over and the other
    /// never began would be in both, or in none. A function of the states; not for groups that run.
    pub fn reconcile(shards: &mut [&mut Shard]) -> Reconciled {
        let domains = || shards.iter().flat_map(|shard| shard.domains.values());
        let sent: BTreeMap<(DomainId, DomainId), u64> = domains()
            .flat_map(|domain| domain.crossings.sent().map(|(to, last)| ((domain.id, to), last)))
            .collect();
        let minted: BTreeMap<DomainId, u64> =
            domains().map(|domain| (domain.id, domain.counters.conversation)).collect();
        let mut done = Reconciled::default();
        for shard in shards {
            let ids: Vec<DomainId> = shard.domains.keys().copied().collect();
            for id in ids {
                shard.reconcile_domain(id, &sent, &minted, &mut done);
                shard.reindex(id);
            }
        }
        done
    }

    fn reconcile_domain(
        &mut self,
        id: DomainId,
        sent: &BTreeMap<(DomainId, DomainId), u64>,
        minted: &BTreeMap<DomainId, u64>,
        done: &mut Reconciled,
    ) {
        let mut effects = Effects::default();
        let mut cx = Cx {
            now: self.now_of(id),
            wall_ms: 0,
            position: Position::default(),
            level: self.level,
            effects: &mut effects,
            planted: None,
            expiries_left: EXPIRIES_PER_ENTRY_MAX,
            matches_left: MATCHES_PER_ENTRY_MAX,
        };
        let domain = self.domains.get_mut(&id).expect("just listed");
        if domain.quarantined.is_some() {
            return;
        }
        let unsent = domain.crossings.unknown_to(|from| {
            // Nothing is known of a domain that is not in the backup.
            minted.contains_key(&from).then(|| sent.get(&(from, id)).copied().unwrap_or(0))
        });
        for conversation in unsent {
            let no = ConvNo::of(conversation, id);
            if let Some(no) = no.filter(|no| domain.conversations.get(no).is_some_and(|c| !c.is_terminal())) {
                domain.close_restored(&mut cx, no);
                done.closed.push(conversation);
            }
        }
        for no in domain.moved_to(|to| minted.get(&to.domain).is_some_and(|last| to.number > *last)) {
            domain.take_back(&mut cx, no);
            done.returned.push(no.id(id));
        }
    }
}

impl Domain {
    fn close_restored(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        if self.conv(no).state == State::Transferring {
            // It has gone on since: whoever has it by now is asked to close it.
            let reason = "restored: it has not left its former domain".to_owned();
            self.recall(cx, no, &crate::command::Recall::Closed { reason, by: By::System });
            return;
        }
        let reason = "restored: it has not left its former domain".to_owned();
        self.end(cx, no, Ending::Closed { reason, by: By::System }, String::new(), Revoked::Closed);
    }

    /// Conversations that ended as moved to one for which this holds, in order.
    fn moved_to(&self, is_lost: impl Fn(ConversationId) -> bool) -> Vec<ConvNo> {
        let lost = |state: &State| match state {
            State::Ended(ending) => matches!(**ending, Ending::Moved { to } if is_lost(to)),
            _ => false,
        };
        self.conversations.values().filter(|c| lost(&c.state)).map(|c| c.no).collect()
    }

    fn take_back(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        let conversation = self.conv_mut(no);
        conversation.ended_at = None;
        if let Some(at) = conversation.forget_at.take() {
            self.index.0.deadlines.remove(at, Due::Forget(no));
        }
        self.index.0.live += 1;
        self.enter_place(cx, no, Requeued::Fallback);
    }
}
