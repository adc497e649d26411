//! Agents.

use super::criteria::write_skills;
use super::ids::ids;
use super::scalar::{channel, channel_code, points, required};
use super::{Read, intent};
use crate::problem::Problem;
use proto::v1;
use routing::command::TransferFallback;
use routing::settings::AgentSettings;
use routing::view::{AgentView, HoldingView, Lease, OfferView};
use routing::{Channel, ChannelSet, Points};

/// Reads an agent's settings.
///
/// # Errors
/// `INVALID_ARGUMENT` that names the field.
pub fn read_settings(settings: Option<v1::AgentSettings>) -> Read<AgentSettings> {
    let wire = required("settings", settings)?;
    let mut channels = ChannelSet::default();
    for (place, code) in wire.channels.iter().enumerate() {
        channels = channels.with(channel(&format!("settings.channels[{place}]"), *code)?);
    }
    let mut caps = [None; 7];
    for (place, cap) in wire.caps.iter().enumerate() {
        let field = format!("settings.caps[{place}].channel");
        let slot = &mut caps[channel(&field, cap.channel)?.index()];
        if slot.is_some() {
            return Err(Problem::field(field, "is capped twice: name each channel once"));
        }
        *slot = Some(u16::try_from(cap.conversations).map_err(|_| {
            let problem = format!("{} is out of range: 0 to 65,535", cap.conversations);
            Problem::field(format!("settings.caps[{place}].conversations"), problem)
        })?);
    }
    Ok(AgentSettings {
        name: wire.name,
        capacity: match wire.capacity {
            Some(capacity) => points("settings.capacity", capacity)?,
            None => Points::AGENT_MAX,
        },
        channels: if wire.channels.is_empty() { ChannelSet::ALL } else { channels },
        caps,
        queues: ids("settings.queues", &wire.queues)?,
    })
}

/// Writes an agent's settings.
#[must_use]
pub fn write_settings(settings: &AgentSettings) -> v1::AgentSettings {
    v1::AgentSettings {
        name: settings.name.clone(),
        capacity: Some(settings.capacity.0.into()),
        channels: settings.channels.iter().map(channel_code).collect(),
        caps: Channel::ALL
            .into_iter()
            .filter_map(|channel| {
                let cap = settings.caps[channel.index()]?;
                Some(v1::agent_settings::Cap { channel: channel_code(channel), conversations: cap.into() })
            })
            .collect(),
        queues: settings.queues.iter().map(ToString::to_string).collect(),
    }
}

/// Writes an agent with its live offers and what it holds.
#[must_use]
pub fn write(agent: &AgentView) -> v1::Agent {
    v1::Agent {
        id: agent.id.to_string(),
        version: agent.version.0,
        settings: Some(write_settings(&agent.settings)),
        intent: Some(intent::write(&agent.intent)),
        lease: match agent.lease {
            Lease::Live => "live",
            Lease::LostSince(_) => "lost",
            Lease::None => "none",
        }
        .to_owned(),
        epoch: agent.epoch.0,
        load: agent.load,
        offers: agent.offers.iter().map(|offer| write_offer(offer, None)).collect(),
        holdings: agent.holdings.iter().map(write_holding).collect(),
        misses: agent.misses,
        skills: write_skills(&agent.skills),
        paced_until_us: agent.paced_until.map(|until| until.0),
    }
}

fn write_holding(holding: &HoldingView) -> v1::Holding {
    v1::Holding {
        conversation: holding.conversation.to_string(),
        channel: channel_code(holding.channel),
        weight: holding.weight.0.into(),
        wrapping: holding.wrapping,
        idle: holding.idle,
    }
}

/// Writes a live offer; `about` is the channel and the customer of its conversation where the
/// picture at hand has them.
#[must_use]
pub fn write_offer(offer: &OfferView, about: Option<(Channel, &str)>) -> v1::Offer {
    v1::Offer {
        id: offer.id.to_string(),
        conversation: offer.conversation.to_string(),
        agent: offer.agent.to_string(),
        queue: offer.queue.map(|queue| queue.to_string()).unwrap_or_default(),
        weight: offer.weight.0.into(),
        automatic: matches!(offer.accept, routing::settings::AcceptMode::Automatic { .. }),
        made_at_us: offer.made_at.0,
        deadline_us: offer.deadline.0,
        channel: about.map_or(0, |(channel, _)| channel_code(channel)),
        customer: about.map_or_else(String::new, |(_, customer)| customer.to_owned()),
        connecting: offer.connecting,
        consult: matches!(offer.transfer, Some(TransferFallback::Advice { .. })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::{DomainId, QueueId};

    #[test]
    fn settings_round_trip() {
        let mut settings = AgentSettings {
            name: "Ana".into(),
            capacity: Points(80),
            channels: [Channel::Voice, Channel::Email].into_iter().collect(),
            queues: vec![QueueId::new(DomainId(1), 2)],
            ..AgentSettings::default()
        };
        settings.caps[Channel::Email.index()] = Some(3);
        assert_eq!(read_settings(Some(write_settings(&settings))), Ok(settings));
    }

    #[test]
    fn ranges_name_their_field() {
        let field = |settings: v1::AgentSettings| read_settings(Some(settings)).unwrap_err().field;
        let base = v1::AgentSettings::default;
        let cap = |channel, conversations| v1::agent_settings::Cap { channel, conversations };
        for (settings, wanted) in [
            (v1::AgentSettings { capacity: Some(0), ..base() }, "settings.capacity"),
            (v1::AgentSettings { capacity: Some(101), ..base() }, "settings.capacity"),
            (v1::AgentSettings { channels: vec![1, 0], ..base() }, "settings.channels[1]"),
            (v1::AgentSettings { queues: vec!["sales".into()], ..base() }, "settings.queues[0]"),
            (v1::AgentSettings { caps: vec![cap(1, 70_000)], ..base() }, "settings.caps[0].conversations"),
            (v1::AgentSettings { caps: vec![cap(1, 1), cap(1, 2)], ..base() }, "settings.caps[1].channel"),
        ] {
            assert_eq!(field(settings).as_deref(), Some(wanted));
        }
    }
}
