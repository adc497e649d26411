//! Rules of policies: each is carried out in its time, once, in the order of its policy, and as that says.

use super::entities::Stand;
use super::model::{Action, Event, Kind, Place, Policy};
use super::replay::Replay;
use super::violation::Promise;
use routing::{ConversationId, QueueId};

/// What is told of a rule.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) queue: QueueId,
    pub(super) number: u32,
    pub(super) rule: u8,
    pub(super) action: &'a Action,
}

impl Replay<'_> {
    /// A queue has another policy.
    pub(super) fn policy_changed(&mut self, queue: QueueId, number: u32, policy: &Policy) {
        let before = self.policies.number(queue);
        if self.whole && number != before + 1 {
            let what = format!("policy {number} of a queue follows its policy {before}");
            self.broken(Promise::R15, &[queue.to_string()], what);
        }
        self.policies.tell(queue, number, policy.clone());
    }

    /// A conversation comes to wait: it goes on to stand under the policy of one of its queues, or begins to stand under
    /// that of the first of them. Its queues are those without what a step widens them by, and it is not always seen which
    /// those are: then both may be.
    pub(super) fn comes_to_wait(&mut self, id: ConversationId, place: &Place, at_us: u64) {
        let known = self.conversations.entry(id).or_default();
        let Place::Queues(queues) = place else {
            known.standing.clear();
            return;
        };
        let Some(first) = queues.first().copied() else { return };
        let begun = self.policies.begin(first, at_us);
        let mut standing: Vec<Option<Stand>> = Vec::new();
        let mut may = |stand: Option<Stand>| {
            let same = |stand: &Stand| (stand.queue, stand.number);
            if !standing.iter().any(|known| known.as_ref().map(same) == stand.as_ref().map(same)) {
                standing.push(stand);
            }
        };
        let before = if known.standing.is_empty() { vec![None] } else { std::mem::take(&mut known.standing) };
        for stand in before {
            let stays = stand.filter(|stand| queues.contains(&stand.queue));
            if stays.is_some() {
                may(stays);
            }
            if stays.is_none_or(|stand| stand.queue != first && known.is_widened_by(stand.queue)) {
                may(begun);
            }
        }
        known.standing = standing;
    }

    /// A queue is gone, and all standing under its policies with it.
    pub(super) fn nobody_stands_under(&mut self, queue: QueueId) {
        for known in self.conversations.values_mut() {
            for standing in &mut known.standing {
                standing.take_if(|stand| stand.queue == queue);
            }
        }
    }

    /// a rule is carried out that is to be.
    pub(super) fn rule_applied(&mut self, event: &Event, id: ConversationId, told: Told<'_>) {
        let Told { queue, number, rule, action } = told;
        let known = self.conversations.entry(id).or_default();
        let waits = known.in_line() && matches!(known.place, Some(Place::Queues(_)));
        let seen = known.arrived_at.is_some() && self.whole;
        let may = std::mem::take(&mut known.standing);
        let fits = may.iter().copied().find(|standing| self.is_due(*standing, told, event.at_us).is_ok());
        let standing = fits.or_else(|| may.first().copied()).flatten();
        if seen && !waits {
            self.wrong_rule(id, told, "it waits for no offer in queues");
        }
        if seen && let Err(what) = self.is_due(standing, told, event.at_us) {
            self.wrong_rule(id, told, &what);
        }
        // Believed all the same.
        let after_us = self.says(told).map_or(0, |(after_us, _)| after_us);
        let since_us = standing.map_or(event.at_us, |stand| stand.since_us.saturating_add(after_us));
        let moved = match action {
            Action::MoveTo(to) => self.policies.begin(*to, since_us),
            _ => None,
        };
        let known = self.conversations.entry(id).or_default();
        known.standing = vec![standing.map(|stand| Stand { queue, number, applied: rule, ..stand })];
        known.follows = Some(action.clone());
        match action {
            Action::MoveTo(_) => {
                known.standing = vec![moved];
                // The other queue has other people.
                known.at = 0;
            }
            Action::AddQueue(more) => {
                known.follows = None;
                if let Some(Place::Queues(queues)) = &mut known.place
                    && !queues.contains(more)
                {
                    queues.push(*more);
                }
                self.stand(id);
            }
            _ => {}
        }
    }

    /// When a rule is due, and what is done then.
    fn says(&self, told: Told<'_>) -> Option<(u64, &Action)> {
        let policy = self.policies.version(told.queue, told.number)?;
        let rule = policy.rules.get(usize::from(told.rule).checked_sub(1)?)?;
        Some((rule.after_us, &rule.then))
    }

    /// Whether this rule may be carried out now where a conversation stands.
    fn is_due(&self, standing: Option<Stand>, told: Told<'_>, at_us: u64) -> Result<(), String> {
        let Told { queue, number, rule, action } = told;
        let Some((after_us, says)) = self.says(told) else {
            return Err("no such rule was ever told".to_owned());
        };
        if says != action {
            return Err(format!("it says {says:?}"));
        }
        let Some(stand) = standing.filter(|stand| (stand.queue, stand.number) == (queue, number)) else {
            return Err(match standing {
                Some(Stand { queue, number, .. }) => format!("it stands under policy {number} of {queue}"),
                None => "it stands under no policy".to_owned(),
            });
        };
        if rule <= stand.applied {
            return Err(format!("rule {} was carried out before", stand.applied));
        }
        let due_us = stand.since_us.saturating_add(after_us);
        if at_us < due_us {
            return Err(format!("it is due {} µs later", due_us - at_us));
        }
        Ok(())
    }

    fn wrong_rule(&mut self, id: ConversationId, told: Told<'_>, what: &str) {
        let Told { queue, number, rule, action } = told;
        let what = format!("rule {rule} of policy {number} is carried out, {action:?}, but {what}");
        self.broken(Promise::R18, &[id.to_string(), queue.to_string()], what);
    }

    /// what a rule says is what happens next, and without a rule it does not.
    pub(super) fn follow(&mut self, id: ConversationId, event: &Event) {
        let known = self.conversations.entry(id).or_default();
        let Some(action) = known.follows.take() else {
            let by_rule = matches!(
                event.kind,
                Kind::Waiting { overflow: true, .. } | Kind::Reprioritised { by_rule: true, .. }
            );
            if by_rule && known.arrived_at.is_some() {
                self.broken(Promise::R18, &[id.to_string()], "no rule says that".to_owned());
            }
            return;
        };
        let fits = match (&action, &event.kind) {
            // Its first steps are for nobody who is left.
            (Action::MoveTo(_), Kind::Relaxed { .. }) => {
                known.follows = Some(action);
                return;
            }
            (Action::Prioritise(wanted), Kind::Reprioritised { priority, by_rule: true, .. }) => {
                priority == wanted
            }
            (Action::MoveTo(queue), Kind::Waiting { place: Place::Queues(queues), overflow: true, .. }) => {
                known.arrived_at.is_none() || known.is_moved_to(*queue, queues)
            }
            (Action::ToInbox, Kind::Waiting { place: Place::Inbox(queues), overflow: true, .. }) => {
                match &known.place {
                    Some(Place::Queues(own)) => queues.iter().all(|queue| own.contains(queue)),
                    _ => true,
                }
            }
            (Action::SendTo(_), Kind::Departed { .. }) => true,
            (Action::CallBack, Kind::CallbackRequested { .. }) => true,
            (Action::Close(_), Kind::Ended { abandoned, owner_lost, .. }) => !abandoned && !owner_lost,
            _ => false,
        };
        if !fits {
            let what = format!("a rule says {action:?}, and what follows is another thing");
            self.broken(Promise::R18, &[id.to_string()], what);
        }
    }

    /// what a rule says is done in the same entry.
    pub(super) fn nothing_followed(&mut self, id: ConversationId) {
        let Some(action) = self.conversations.get_mut(&id).and_then(|known| known.follows.take()) else {
            return;
        };
        let what = format!("a rule says {action:?}, and nothing of it follows in that entry");
        self.broken(Promise::R18, &[id.to_string()], what);
    }
}
