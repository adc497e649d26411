//! R-7 and what every state shown owes to the record: a desk's welcome, and the last picture of
//! all, are what the events up to their sequence make of it.
//!
//! A quarantined domain is left out from its last event on: what it shows may be torn, in the midst
//! of an entry whose events were never told (`docs/routing/RULES.md`).

use super::case::{Case, Who};
use super::picture::Picture;
use super::read::Stage;
use super::sight::{AgentSeen, Said, Sight};
use simulator::checker::model::Kind;

pub(super) fn check(case: &mut Case) {
    let tale = case.tale;
    if tale.holes > 0 {
        return;
    }
    let torn =
        tale.events.iter().find(|event| matches!(event.kind, Kind::Quarantined)).map(|event| event.sequence);
    let mut welcomes: Vec<(&Sight, &AgentSeen)> = tale
        .sights
        .iter()
        .filter_map(|sight| match &sight.said {
            Said::Welcome(agent, _) => Some((sight, &**agent)),
            _ => None,
        })
        .collect();
    welcomes.sort_by_key(|(sight, _)| sight.cursor);
    let mut picture = Picture::default();
    let mut events = tale.events.iter().peekable();
    for (sight, agent) in welcomes {
        if sight.cursor > tale.reached() || torn.is_some_and(|torn| torn <= sight.cursor) {
            break;
        }
        while let Some(event) = events.next_if(|event| event.sequence <= sight.cursor) {
            picture.apply(event);
        }
        if let Some(what) = picture.differs_agent(agent) {
            let seen = format!("the welcome at {} shows {what}", sight.cursor);
            case.broken("R-7", sight.at_us / 1_000, sight.cursor, seen, &[Who::Agent(sight.agent)]);
        }
    }
    let Some(audit) = &tale.audit else { return };
    if torn.is_some_and(|torn| torn <= audit.sequence) {
        return;
    }
    // From the beginning again: a desk may have been welcomed after the last picture was taken.
    let mut picture = Picture::default();
    for event in tale.events.iter().take_while(|event| event.sequence <= audit.sequence) {
        picture.apply(event);
    }
    for agent in &audit.agents {
        if let Some(what) = picture.differs_agent(agent) {
            let seen = format!("read at {}, {what}", audit.sequence);
            case.broken("R-7", 0, audit.sequence, seen, &[Who::Agent(agent.agent)]);
        }
    }
    for conversation in &audit.conversations {
        if let Some(what) = picture.differs_conversation(conversation) {
            let seen = format!("read at {}, {what}", audit.sequence);
            case.broken("R-3", 0, audit.sequence, seen, &[Who::Conversation(conversation.id)]);
        }
    }
    // Terminal ones may be forgotten; live ones may not be missing.
    let shown: std::collections::BTreeSet<_> = audit.conversations.iter().map(|seen| seen.id).collect();
    for (id, known) in &picture.conversations {
        if !matches!(known.stage(), Stage::Ended { .. }) && !shown.contains(id) {
            let seen =
                format!("{id} is {:?} by the record at {}, and not listed", known.stage(), audit.sequence);
            case.broken("R-13", 0, audit.sequence, seen, &[Who::Conversation(*id)]);
        }
    }
}
