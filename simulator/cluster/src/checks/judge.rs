//! The outside checks, in their order.

use super::call::Call;
use super::case::Case;
use super::sight::Said;
use super::situations::Situations;
use super::tale::Tale;
use super::{r01, r03, r04, r06, r10, r13, r16, r19, record, state};
use crate::report::Broken;
use simulator::checker::model::{Action, Kind, OfferEnd};
use std::collections::{BTreeMap, BTreeSet};

/// Judges a domain.
pub(super) fn tale(tale: &Tale, broken: &mut Vec<Broken>) {
    let mut case = Case::new(tale);
    if tale.quarantined && !tale.poisoned {
        let seen = "is in quarantine, although nobody made it panic".to_owned();
        case.broken("R-20", 0, 0, seen, &[]);
    }
    r01::check(&mut case);
    r03::check(&mut case);
    r04::check(&mut case);
    r06::check(&mut case);
    r10::check(&mut case);
    r13::check(&mut case);
    for (first, again) in r16::differing(&tale.calls) {
        case.broken("R-16", again.returned_us / 1_000, 0, r16::describe(first, again), &[]);
    }
    r19::check(&mut case);
    state::check(&mut case);
    record::check(&mut case);
    broken.append(&mut case.found);
}

/// Judges calls that belong to no domain.
pub(super) fn unplaced(calls: &[Call], broken: &mut Vec<Broken>) {
    for (first, again) in r16::differing(calls) {
        let seen = r16::describe(first, again);
        let at_ms = again.returned_us / 1_000;
        broken.push(Broken { promise: "R-16".to_owned(), at_ms, seen, before: Vec::new() });
    }
}

/// The name under which what a rule does is counted.
fn rule(action: &Action) -> &'static str {
    match action {
        Action::Prioritise(_) => "rule.prioritise",
        Action::AddQueue(_) => "rule.add_queue",
        Action::MoveTo(_) => "rule.move_to",
        Action::ToInbox => "rule.to_inbox",
        Action::SendTo(_) => "rule.send_to",
        Action::Close(_) => "rule.close",
        Action::CallBack => "rule.call_back",
    }
}

/// What the record and the streams say of how much happened.
pub(super) fn counts<'a>(tales: impl Iterator<Item = &'a Tale>, counts: &mut BTreeMap<String, u64>) {
    let mut add = |name: &str, by: u64| *counts.entry(name.to_owned()).or_insert(0) += by;
    for tale in tales {
        add("domains", 1);
        add("quarantines", u64::from(tale.quarantined));
        add("audits", u64::from(tale.audit.is_some()));
        add("watch.holes", tale.holes);
        for event in &tale.events {
            let name = match &event.kind {
                Kind::Arrived { .. } => "conversations",
                Kind::Offered { .. } => "offers",
                Kind::OfferEnded { end: OfferEnd::Accepted, .. } => "accepts",
                Kind::OfferEnded { end: OfferEnd::Rejected, .. } => "rejects",
                Kind::OfferEnded { end: OfferEnd::TimedOut, .. } => "timeouts",
                Kind::OfferEnded { end: OfferEnd::Revoked, .. } => "revocations",
                Kind::OfferEnded { end: OfferEnd::NotConnected, .. } => "not_connected",
                Kind::OfferEnded { end: OfferEnd::ConsultOver, .. } => "consults_over",
                Kind::Connecting { .. } => "connecting",
                Kind::ConsultStarted { .. } => "consult_started",
                Kind::Consulting { .. } => "consulting",
                Kind::ConsultEnded { .. } => "consult_ended",
                Kind::IdleChanged { .. } => "idle_changed",
                Kind::WrapUpExtended { .. } => "wrap_ups_extended",
                Kind::HandlingChanged => "handling_changed",
                Kind::PaceChanged { .. } => "pace_changed",
                Kind::RingChanged { .. } => "ring_changed",
                Kind::CallbackChanged => "callback_changed",
                Kind::CallbackRequested { .. } => "callbacks",
                Kind::CallbackTried { .. } => "callbacks_tried",
                Kind::Resumed { .. } => "resumed",
                Kind::Assigned { offer: None, .. } => "pulls",
                Kind::TransferStarted { .. } => "transfers",
                Kind::TransferFailed { .. } => "transfers_failed",
                Kind::Departed { .. } => "departures",
                Kind::Recalled { .. } => "recalls",
                Kind::Wrapping { .. } => "wrapups",
                Kind::Ended { abandoned: true, .. } => "abandoned",
                Kind::Ended { .. } => "ended",
                Kind::LeaseLost { .. } => "leases_lost",
                Kind::SessionOpened { .. } => "sessions",
                Kind::QueuePaused { .. } => "pauses",
                Kind::QueueHours { open: true, .. } => "hours_opened",
                Kind::QueueHours { closed: true, .. } => "hours_closed",
                Kind::QueueHours { .. } => "hours_closing",
                Kind::QueueDeleted(_) => "queues_deleted",
                Kind::AgentDeleted(_) => "agents_deleted",
                Kind::SkillsChanged { .. } => "skills_changed",
                Kind::CriteriaChanged { .. } => "criteria_changed",
                Kind::Relaxed { .. } => "relaxed",
                Kind::PolicyChanged { .. } => "policy_changed",
                Kind::ChannelRulesChanged { .. } => "channel_rules_changed",
                Kind::RuleApplied { action, .. } => {
                    add(rule(action), 1);
                    "rule_applied"
                }
                _ => continue,
            };
            add(name, 1);
        }
        let Situations { returns_with_work, offers_reprioritised, breaks_of_its_own, consults_completed } =
            Situations::of(tale);
        add("returns_with_work", returns_with_work);
        add("offers_reprioritised", offers_reprioritised);
        add("breaks_of_its_own", breaks_of_its_own);
        add("consult_completed", consults_completed);
        let mut shown = BTreeSet::new();
        for sight in &tale.sights {
            match &sight.said {
                Said::Welcome(_, offers) => {
                    let again = offers.iter().filter(|offer| !shown.insert(offer.offer)).count();
                    add("redeliveries", again as u64);
                }
                Said::Offered(offer) => add("redeliveries", u64::from(!shown.insert(offer.offer))),
                Said::SessionEnded(reason) => add(&format!("session_ended.{reason}"), 1),
                _ => {}
            }
        }
        let mut requests = BTreeSet::new();
        let again = tale.calls.iter().filter(|call| !requests.insert(call.request)).count();
        add("requests_sent_again", again as u64);
    }
}
