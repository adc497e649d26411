//! What was told of callbacks and of resumed places, and what follows from it: parts of.

use super::{Ghost, Step};
use crate::callback::{Callback, CallbackSettings};
use crate::event::{Ending, Event, EventKind};
use crate::view::{ConversationView, Stage};
use crate::{ConversationId, LogTime};
use std::collections::{BTreeMap, BTreeSet};

/// The settings, the callbacks that stand, and the places that were resumed.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// None: they were never told.
    settings: Option<Option<CallbackSettings>>,
    standing: BTreeMap<ConversationId, Callback>,
    resumed: BTreeSet<ConversationId>,
}

impl Told {
    /// Takes an event in; an offer that was made before its time is said.
    pub(super) fn take(&mut self, event: &Event) -> Option<String> {
        match &event.kind {
            EventKind::CallbackChanged { callback, .. } => self.settings = Some(*callback),
            EventKind::CallbackRequested { conversation, contact, not_before, expires_at } => {
                let callback = Callback {
                    contact: contact.clone(),
                    requested_at: event.at,
                    attempts: 0,
                    not_before: *not_before,
                    expires_at: *expires_at,
                };
                self.standing.insert(*conversation, callback);
            }
            EventKind::CallbackTried { conversation, attempts, not_before } => {
                if let Some(callback) = self.standing.get_mut(conversation) {
                    (callback.attempts, callback.not_before) = (*attempts, *not_before);
                }
            }
            EventKind::Assigned { conversation, .. } | EventKind::Ended { conversation, .. } => {
                self.standing.remove(conversation);
            }
            EventKind::Resumed { from, .. } => drop(self.resumed.insert(*from)),
            EventKind::OfferedBecause(offered, picked) if !picked.way.is_by_hand() => {
                let not_before = self.standing.get(&offered.conversation)?.not_before?;
                return (not_before > event.at).then(|| {
                    format!(
                        "{} of {} was made at {:?}, and not to be called back before {not_before:?}",
                        offered.offer, offered.conversation, event.at
                    )
                });
            }
            _ => {}
        }
        None
    }
}

/// For R-4: offers of this entry that were made too early.
pub(super) fn too_early(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut told = ghost.calling.clone();
    step.events.iter().filter_map(|event| told.take(event)).collect()
}

/// For R-3: what differs from what was told last.
pub(super) fn kept(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut told = ghost.calling.clone();
    for event in step.events {
        told.take(event);
    }
    let (has, now, mut broken) = (step.after.summary.callback, step.after.now, Vec::new());
    if told.settings.is_some_and(|told| told != has) {
        broken.push(format!("the domain was to call back by {:?} and does by {has:?}", told.settings));
    }
    for c in step.conversations() {
        let told = told.standing.get(&c.id).map(|callback| past(callback, now));
        let has = c.callback.as_deref().map(|callback| past(callback, now));
        // What the checker did not see from the beginning it cannot judge.
        if told.is_some() && told != has {
            broken.push(format!("{} was to be called back by {told:?} and is by {has:?}", c.id));
        }
    }
    broken
}

/// A callback without a time to rest that is over by now: whether it is over in time, R-18 looks at.
fn past(callback: &Callback, now: LogTime) -> Callback {
    Callback { not_before: callback.not_before.filter(|at| *at > now), ..callback.clone() }
}

/// For R-10: places that were resumed by whom they were not for.
pub(super) fn resumed(step: &Step<'_>, ghost: &Ghost) -> Vec<String> {
    let mut taken = ghost.calling.resumed.clone();
    let mut broken = Vec::new();
    for event in step.events {
        let EventKind::Resumed { conversation, from, arrived_at } = &event.kind else { continue };
        let mut wrong = |what: &str| broken.push(format!("{conversation} has the place of {from}: {what}"));
        if !taken.insert(*from) {
            wrong("somebody had it before");
        }
        let Some(before) = step.before else { continue };
        let within = before.summary.callback.map_or(0, |settings| settings.resume_within.0);
        let Some(former) = before.conversations.get(from) else {
            wrong("that is forgotten");
            continue;
        };
        if former.stage != Stage::Ended(Ending::Abandoned) {
            wrong("nobody left it");
        }
        if former.arrived_at != *arrived_at {
            wrong("that arrived at another time");
        }
        if former.ended_at.is_none_or(|ended| ended.0 + within < event.at.0) {
            wrong("that is too long ago");
        }
        if step.after.conversations.get(conversation).is_some_and(|c| c.channel != former.channel) {
            wrong("it came by another channel");
        }
    }
    broken
}

/// Whether nobody is to be offered a conversation yet.
pub(super) fn rests(conversation: &ConversationView) -> bool {
    conversation.callback.as_ref().is_some_and(|callback| callback.not_before.is_some())
}
