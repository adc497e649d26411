//! Conversations: their arrival and their pictures.

use super::agent::write_offer;
use super::ids::{id, optional_id};
use super::scalar::{channel_code, priority};
use super::{Read, callback, criteria, event, policy};
use crate::problem::Problem;
use proto::v1;
use routing::command::Arrival;
use routing::event::{Ending, Place};
use routing::outcome::DoneWhat;
use routing::view::{ConversationView, Stage};
use routing::{Done, LogTime};

/// Reads an arrival.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_arrival(start: &v1::StartRequest) -> Read<Arrival> {
    Ok(Arrival {
        touchpoint: id("touchpoint", &start.touchpoint)?,
        customer: start.customer.clone(),
        reference: start.reference.clone(),
        priority: start.priority.map(|given| priority("priority", given)).transpose()?,
        continues: optional_id("continues", &start.continues)?,
    })
}

/// Writes the answer to an arrival.
#[must_use]
pub fn write_started(done: &Done) -> Option<v1::StartResponse> {
    let (id, offer, agent, resumed) = match &done.what {
        DoneWhat::Conversation { id, offer, agent } => (id, offer, agent, false),
        DoneWhat::Resumed { id, offer, agent } => (id, offer, agent, true),
        _ => return None,
    };
    Some(v1::StartResponse {
        receipt: Some(super::mutation::receipt(done)),
        conversation: id.to_string(),
        offer: offer.map(|offer| offer.to_string()).unwrap_or_default(),
        agent: agent.map(|agent| agent.to_string()).unwrap_or_default(),
        resumed,
    })
}

/// Writes a stage.
#[must_use]
pub fn write_stage(stage: &Stage) -> v1::Stage {
    match stage {
        Stage::Waiting(Place::Inbox(_)) => v1::Stage::InInbox,
        Stage::Waiting(_) => v1::Stage::Queued,
        Stage::Offered(_) => v1::Stage::Offered,
        Stage::Assigned(_) => v1::Stage::Assigned,
        Stage::Wrapping(_) => v1::Stage::Wrapping,
        Stage::Ended(Ending::Abandoned) => v1::Stage::Abandoned,
        Stage::Ended(_) => v1::Stage::Closed,
        Stage::Transferring => v1::Stage::Transferring,
    }
}

/// The stage of a conversation, which may be that of its offer.
#[must_use]
pub fn stage_of(conversation: &ConversationView) -> v1::Stage {
    match &conversation.stage {
        Stage::Offered(_) if conversation.offer.as_ref().is_some_and(|offer| offer.connecting) => {
            v1::Stage::Connecting
        }
        stage => write_stage(stage),
    }
}

/// Reads the stages of a filter; empty means all.
///
/// # Errors
/// `INVALID_ARGUMENT` when one is unspecified or unknown.
pub fn read_stages(codes: &[i32]) -> Read<Vec<v1::Stage>> {
    let stage = |(place, code): (usize, &i32)| match v1::Stage::try_from(*code) {
        Ok(v1::Stage::Unspecified) | Err(_) => Err(Problem::field(
            format!("stages[{place}]"),
            format!("{code} is not a stage: use STAGE_QUEUED (1) to STAGE_CONNECTING (9), or none for all"),
        )),
        Ok(stage) => Ok(stage),
    };
    codes.iter().enumerate().map(stage).collect()
}

/// Writes a conversation as it stands at `now`.
#[must_use]
pub fn write(conversation: &ConversationView, now: LogTime) -> v1::Conversation {
    let dedicated = match &conversation.stage {
        Stage::Waiting(Place::Dedicated(agent)) | Stage::Offered(Place::Dedicated(agent)) => Some(*agent),
        _ => None,
    };
    let about = (conversation.channel, conversation.customer.as_str());
    v1::Conversation {
        id: conversation.id.to_string(),
        version: conversation.version.0,
        stage: stage_of(conversation).into(),
        channel: channel_code(conversation.channel),
        touchpoint: conversation.touchpoint.to_string(),
        priority: conversation.priority.0.into(),
        arrived_at_us: conversation.arrived_at.0,
        weight: conversation.weight.0.into(),
        queues: conversation.queues.iter().map(ToString::to_string).collect(),
        agent: conversation.stage.owner().or(dedicated).map(|agent| agent.to_string()).unwrap_or_default(),
        offer: conversation.offer.as_ref().map(|offer| write_offer(offer, Some(about))),
        hops: conversation.hops,
        customer: conversation.customer.clone(),
        reference: conversation.reference.clone(),
        assigned_at_us: conversation.assigned_at.map(|at| at.0),
        ended_at_us: conversation.ended_at.map(|at| at.0),
        ending: match &conversation.stage {
            Stage::Ended(ending) => event::ending_name(ending).to_owned(),
            _ => String::new(),
        },
        dedicated: dedicated.is_some(),
        now_us: now.0,
        transferring_to: conversation.departure.as_ref().map(|way| way.to.to_string()).unwrap_or_default(),
        moved_to: match &conversation.stage {
            Stage::Ended(Ending::Moved { to }) => to.to_string(),
            _ => String::new(),
        },
        seeking: conversation.seeking.as_deref().map(criteria::write_seeking),
        standing: conversation.standing.as_deref().map(policy::write_standing),
        idle: conversation.idle,
        callback: conversation.callback.as_deref().map(callback::write_callback),
        also_offered: conversation.also.iter().map(|offer| write_offer(offer, Some(about))).collect(),
    }
}
