//! Consultations: who is asked never has the conversation unless it is handed over, and has it when its owner is gone.

use super::Step;
use crate::command::{TransferFallback, TransferTarget};
use crate::event::{OfferEnd, Revoked};
use crate::settings::limits::HOPS_MAX;
use crate::view::{ConversationView, OfferView, Stage};
use crate::{Command, EventKind};

/// For R-1: conversations that went over to somebody who was only asked for advice.
pub(super) fn taken_over(step: &Step<'_>) -> Vec<String> {
    let owned = consulted(step).filter_map(|(before, offer)| {
        let owner = step.after.conversations.get(&before.id).and_then(|now| now.stage.owner());
        let handed = step.events.iter().any(|event| {
            matches!(&event.kind, EventKind::TransferStarted { conversation, target, .. }
                if *conversation == before.id && *target == TransferTarget::Agent(offer.agent))
        });
        (owner == Some(offer.agent) && !handed).then(|| {
            format!(
                "{} was asked for advice about {} and owns it: nobody handed it over",
                offer.agent, before.id
            )
        })
    });
    owned.collect()
}

/// For R-18: conversations that wait again since their owner is gone, though somebody was consulted about them.
pub(super) fn left_alone(step: &Step<'_>) -> Vec<String> {
    // A transfer is its owner's own decision.
    if matches!(step.entry.request.command, Command::Transfer { .. } | Command::TransferAnew { .. }) {
        return Vec::new();
    }
    let waits = consulted(step).filter_map(|(before, offer)| {
        let now = step.after.conversations.get(&before.id)?;
        let waits = matches!(now.stage, Stage::Waiting(_) | Stage::Offered(_));
        let revoked = step.events.iter().any(|event| {
            matches!(&event.kind, EventKind::OfferEnded { offer: ended, end, .. }
                if *ended == offer.id && *end == OfferEnd::Revoked(Revoked::Transferred))
        });
        (waits && offer.connecting && before.hops < HOPS_MAX && revoked).then(|| {
            format!("{} waits again, though {} is consulted about it and there", before.id, offer.agent)
        })
    });
    waits.collect()
}

/// What was assigned before the entry, with an offer to somebody who was asked for advice.
fn consulted<'a>(step: &'a Step<'_>) -> impl Iterator<Item = (&'a ConversationView, &'a OfferView)> {
    step.conversations_before().filter_map(|before| {
        let advice = |offer: &&OfferView| matches!(offer.transfer, Some(TransferFallback::Advice { .. }));
        Some((before, before.offer.as_ref().filter(advice)?))
    })
}
