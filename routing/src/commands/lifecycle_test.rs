//! The ordinary way of a contact, and restoring in the middle of it.

use crate::Channel;
use crate::command::{Decline, Intent};
use crate::settings::QueueSettings;
use crate::testing::World;
use crate::{Command, Rejected, Span};

#[test]
fn a_contact_from_arrival_to_completed() {
    let mut world = World::new();
    let queue = world.queue_with(QueueSettings {
        name: "q".to_owned(),
        wrap_up_max: Span::seconds(30),
        ..QueueSettings::default()
    });
    let touchpoint = world.touchpoint(Channel::Voice, &[queue]);
    let desk = world.ready(&[queue]);
    let (conversation, offer) = world.started(touchpoint, None);
    assert_eq!(offer.map(|(_, agent)| agent), Some(desk.agent));
    assert_eq!(world.events(), ["Arrived", "Waiting", "Offered"]);
    assert_eq!((world.stage(conversation), world.load(desk)), ("offered", 51));
    world.accept(conversation);
    assert_eq!(world.events(), ["OfferEnded", "Assigned"]);
    world.ok(Command::EndContact { conversation, by: crate::command::By::Customer });
    assert_eq!((world.stage(conversation), world.load(desk)), ("wrapping", 51));
    let notes = "done".to_owned();
    world.ok(Command::Complete { desk, conversation, disposition: None, notes });
    assert_eq!((world.stage(conversation), world.load(desk)), ("closed", 0));
    assert!(matches!(world.refused(Command::Abandon { conversation }), Rejected::WrongState { .. }));
    world.pass(Span::seconds(301));
    world.tick();
    assert!(world.shard.conversation(conversation).is_none(), "forgotten after its retention");
    assert_eq!(world.shard.next_deadline(), None);
}

#[test]
fn a_rejected_offer_goes_to_the_next_and_a_missed_one_too() {
    let mut world = World::new();
    let queue = world.queue();
    let touchpoint = world.touchpoint(Channel::Voice, &[queue]);
    let (first, second) = (world.ready(&[queue]), world.ready(&[queue]));
    let (conversation, offered) = world.started(touchpoint, None);
    let (offer, agent) = offered.expect("somebody is free");
    assert_eq!(agent, first.agent, "longest idle, then lowest id");
    world.ok(Command::Reject { desk: first, offer, decline: Decline { reason: String::new() } });
    assert_eq!(world.events(), ["OfferEnded", "Waiting", "Offered"]);
    assert_eq!(world.offer_of(conversation).map(|(_, agent)| agent), Some(second.agent));
    world.pass(Span::seconds(20));
    let (offer, _) = world.offer_of(conversation).expect("offered");
    assert_eq!(world.refused(Command::Accept { desk: second, offer }), Rejected::OfferOver { offer });
    assert_eq!(world.shard.agent(second.agent).map(|agent| agent.misses), Some(1));
    assert_eq!(world.stage(conversation), "queued", "both are excluded");
    world.pass(Span::seconds(1));
    world.tick();
    assert_eq!(world.stage(conversation), "offered", "nobody is left: the exclusions are waived");
}

#[test]
fn leaving_available_revokes_and_freed_room_is_used() {
    let mut world = World::new();
    let queue = world.queue();
    let touchpoint = world.touchpoint(Channel::Voice, &[queue]);
    let desk = world.ready(&[queue]);
    let (first, second) = (world.start(touchpoint), world.start(touchpoint));
    assert_eq!((world.stage(first), world.stage(second)), ("offered", "queued"));
    world.presence(desk, Intent::Unavailable { reason: "lunch".to_owned() });
    assert_eq!(world.events(), ["PresenceChanged", "OfferEnded", "Waiting"]);
    assert_eq!(world.load(desk), 0);
    world.presence(desk, Intent::Available);
    assert_eq!(world.stage(first), "offered");
    world.ok(Command::Abandon { conversation: first });
    assert_eq!(world.events(), ["OfferEnded", "Ended", "Offered"]);
    assert_eq!((world.stage(first), world.stage(second)), ("abandoned", "offered"));
}

#[test]
fn a_restored_shard_is_equal_and_goes_on_alike() {
    let mut world = World::new();
    let queue = world.queue();
    let touchpoint = world.touchpoint(Channel::Chat, &[queue]);
    let desk = world.ready(&[queue]);
    let conversations: Vec<_> = (0..7).map(|_| world.start(touchpoint)).collect();
    world.accept(conversations[0]);
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&world.shard, config).expect("serialises");
    let (restored, read): (crate::Shard, usize) =
        bincode::serde::decode_from_slice(&bytes, config).expect("deserialises");
    assert_eq!(read, bytes.len());
    assert_eq!(restored, world.shard);
    assert_eq!(restored.state_hash(), world.shard.state_hash());
    assert_eq!(restored.next_deadline(), world.shard.next_deadline());
    let mut other =
        World { shard: restored, effects: crate::Effects::default(), time: 0, index: world.index };
    other.time = world.time;
    let command = Command::EndContact { conversation: conversations[0], by: crate::command::By::Agent(desk) };
    let answers = (world.ok(command.clone()), other.ok(command));
    assert_eq!(answers.0, answers.1);
    assert_eq!(world.shard, other.shard);
    assert_eq!(world.events(), other.events());
}
