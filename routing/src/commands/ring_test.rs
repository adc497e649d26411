//! Offers to several agents at once.

use crate::command::{Arrival, By, Decline, Desk, Intent};
use crate::event::{EventKind, OfferEnd, Revoked};
use crate::handling::Handling;
use crate::picked::Way;
use crate::scene::{Row, Scene, as_it_is, person, play, requires};
use crate::settings::{AcceptMode, RoutingMode, ToQueue};
use crate::testing::{supervisor, through_bytes};
use crate::{AgentId, Channel, Command, ConversationId, OfferId, Points, Priority, Rejected, Span, level};

fn raised(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::RING });
}

fn set(s: &Scene, agents: u8, by: By) -> Command {
    Command::SetRing { queue: s.queue, agents, by }
}

fn ringing(s: &mut Scene) {
    raised(s);
    s.world.ok(set(s, 2, supervisor()));
}

#[test]
fn table() {
    let rows: &[Row] = &[
        ("at two", raised, |s| set(s, 2, supervisor()), "done", "RingChanged"),
        ("the same", ringing, |s| set(s, 2, supervisor()), "done", ""),
        ("at one again", ringing, |s| set(s, 1, By::System), "done", "RingChanged"),
        ("at one already", raised, |s| set(s, 1, By::System), "done", ""),
        ("at nobody", raised, |s| set(s, 0, supervisor()), "Invalid", ""),
        ("the most", raised, |s| set(s, 10, supervisor()), "done", "RingChanged"),
        ("too many", raised, |s| set(s, 11, supervisor()), "Invalid", ""),
        (
            "an unknown queue",
            raised,
            |_| Command::SetRing {
                queue: crate::QueueId::new(crate::testing::DOMAIN, 9),
                agents: 2,
                by: supervisor(),
            },
            "Unknown",
            "",
        ),
        ("by an agent", raised, |s| set(s, 2, By::Agent(s.a)), "NotAllowed", ""),
        ("by the customer", raised, |s| set(s, 2, By::Customer), "NotAllowed", ""),
        ("below its level", as_it_is, |s| set(s, 2, supervisor()), "Level", ""),
    ];
    play(rows);
}

/// A queue that rings at so many, with more desks than the two of the scene.
struct Ring {
    s: Scene,
    desks: Vec<Desk>,
}

fn ring(at: u8, desks: usize) -> Ring {
    let mut s = Scene::new();
    raised(&mut s);
    s.world.ok(set(&s, at, supervisor()));
    let mut all = vec![s.a, s.b];
    while all.len() < desks {
        let agent = s.world.agent_with(person(&[s.queue, s.plain]));
        all.push(s.world.desk(agent));
    }
    all.iter().for_each(|desk| s.ready(*desk));
    Ring { s, desks: all }
}

impl Ring {
    fn offers(&self, id: ConversationId) -> Vec<(OfferId, AgentId)> {
        let view = self.s.world.shard.conversation(id).expect("known");
        view.offers().map(|offer| (offer.id, offer.agent)).collect()
    }

    fn at(&self, id: ConversationId) -> Vec<usize> {
        let place = |agent| self.desks.iter().position(|desk| desk.agent == agent).expect("one of them");
        self.offers(id).into_iter().map(|(_, agent)| place(agent)).collect()
    }

    fn to(&self, id: ConversationId, desk: usize) -> OfferId {
        let view = self.s.world.shard.conversation(id).expect("known");
        view.offer_to(self.desks[desk].agent).expect("rings there").id
    }

    fn accept(&self, id: ConversationId, desk: usize) -> Command {
        Command::Accept { desk: self.desks[desk], offer: self.to(id, desk) }
    }

    fn reject(&mut self, id: ConversationId, desk: usize) {
        let (desk, offer) = (self.desks[desk], self.to(id, desk));
        self.s.world.ok(Command::Reject { desk, offer, decline: Decline { reason: "busy".to_owned() } });
    }

    fn loads(&self) -> Vec<u32> {
        self.desks.iter().map(|desk| self.s.world.load(*desk)).collect()
    }
}

/// The example of docs/routing/ring.md.
#[test]
fn the_first_who_accepts_has_it() {
    let mut r = ring(3, 4);
    let call = r.s.world.start(r.s.voice);
    assert_eq!(r.s.world.events(), ["Arrived", "Waiting", "Offered", "Offered", "Offered"]);
    assert_eq!(r.at(call), [0, 1, 2]);
    assert_eq!(r.loads(), [51, 51, 51, 0]);
    let late = r.accept(call, 0);
    let command = r.accept(call, 1);
    r.s.world.ok(command);
    assert_eq!(r.s.world.events(), ["OfferEnded", "OfferEnded", "OfferEnded", "Assigned"]);
    let ends: Vec<(AgentId, OfferEnd)> =
        r.s.world
            .effects
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::OfferEnded { agent, end, .. } => Some((*agent, end.clone())),
                _ => None,
            })
            .collect();
    let taken = OfferEnd::Revoked(Revoked::Taken);
    let expected =
        [(0, taken.clone()), (2, taken), (1, OfferEnd::Accepted)].map(|(at, end)| (r.desks[at].agent, end));
    assert_eq!(ends, expected);
    assert_eq!(r.loads(), [0, 51, 0, 0]);
    // The other's click, a moment later, has a definite answer.
    assert!(matches!(r.s.world.refused(late), Rejected::OfferOver { .. }));
}

#[test]
fn it_rings_on_at_the_others_until_nobody_is_left() {
    let mut r = ring(3, 3);
    let call = r.s.world.start(r.s.voice);
    r.reject(call, 0);
    assert_eq!((r.s.world.events(), r.at(call)), (vec!["OfferEnded".to_owned()], vec![1, 2]));
    r.s.away(r.desks[2]);
    assert_eq!((r.s.world.stage(call), r.at(call)), ("offered", vec![1]));
    r.s.world.ok(Command::LoseLease { desk: r.desks[1] });
    // Nobody is left but who declined.
    assert_eq!((r.s.world.stage(call), r.at(call)), ("queued", vec![]));
    assert_eq!(r.loads(), [0, 0, 0]);
    r.s.pass(1);
    r.s.world.tick();
    assert_eq!(r.at(call), [0], "the exclusion is waived");
}

#[test]
fn who_does_not_answer_misses_it_all_at_once() {
    let mut r = ring(2, 3);
    let call = r.s.world.start(r.s.voice);
    assert_eq!(r.at(call), [0, 1]);
    r.s.pass(20);
    r.s.world.tick();
    let misses = |r: &Ring, at: usize| r.s.world.shard.agent(r.desks[at].agent).expect("made").misses;
    assert_eq!([0, 1, 2].map(|at| misses(&r, at)), [1, 1, 0]);
    assert_eq!(r.at(call), [2], "those who missed it are excluded");
}

/// A call that rings at several takes nobody from what waits already.
#[test]
fn only_those_ring_whom_nothing_that_waits_could_have() {
    let mut r = ring(3, 3);
    r.desks.clone().iter().for_each(|desk| r.s.away(*desk));
    let calls: Vec<ConversationId> = (0..2).map(|_| r.s.world.start(r.s.voice)).collect();
    r.s.ready(r.desks[2]);
    assert_eq!((r.at(calls[0]), r.at(calls[1])), (vec![2], vec![]));
    r.s.ready(r.desks[1]);
    assert_eq!((r.at(calls[0]), r.at(calls[1])), (vec![2], vec![1]));
    // Whoever comes later does not join what rings.
    r.s.ready(r.desks[0]);
    assert_eq!((r.at(calls[0]), r.at(calls[1])), (vec![2], vec![1]));
    let third = r.s.world.start(r.s.voice);
    assert_eq!(r.at(third), [0]);
}

#[test]
fn what_ends_it_ends_all_of_it() {
    type How = fn(&mut Ring, ConversationId) -> Command;
    let ways: [(&str, How, &str); 5] = [
        ("the customer leaves", |_, id| Command::Abandon { conversation: id }, "abandoned"),
        (
            "a close",
            |_, id| Command::Close { conversation: id, reason: "x".to_owned(), by: supervisor() },
            "closed",
        ),
        (
            "a transfer",
            |r, id| Command::Transfer {
                conversation: id,
                target: crate::command::TransferTarget::Agent(r.desks[3].agent),
                fallback: crate::command::TransferFallback::LastQueues,
                by: supervisor(),
            },
            "offered",
        ),
        (
            "its queue is paused",
            |r, _| Command::PauseQueue { queue: r.s.queue, paused: true, by: supervisor() },
            "queued",
        ),
        (
            "by force",
            |_, id| Command::ForceClose { conversation: id, reason: "x".to_owned(), by: supervisor() },
            "closed",
        ),
    ];
    for (name, how, stage) in ways {
        let mut r = ring(3, 4);
        let call = r.s.world.start(r.s.voice);
        let command = how(&mut r, call);
        r.s.world.ok(command);
        assert_eq!(r.s.world.stage(call), stage, "{name}");
        assert_eq!(r.loads()[..3], [0, 0, 0], "{name}");
    }
}

/// What is refused changes nothing, not even the order in which offers stand.
#[test]
fn what_is_refused_leaves_the_offers_as_they_were() {
    let mut r = ring(3, 4);
    let call = r.s.world.start(r.s.voice);
    let (desk, offer) = (r.desks[2], r.to(call, 2));
    let failed = Command::ConnectFailed { desk, offer, reason: "x".to_owned() };
    let wordy = Decline { reason: "x".repeat(1_025) };
    let others = Command::Accept { desk: r.desks[3], offer };
    for command in
        [Command::Connected { desk, offer }, failed, Command::Reject { desk, offer, decline: wordy }, others]
    {
        r.s.world.refused(command);
        assert_eq!(r.at(call), [0, 1, 2]);
    }
}

#[test]
fn who_accepts_in_two_steps_has_it_alone_from_the_first_on() {
    let mut r = ring(2, 2);
    let mut handling = Handling::default();
    handling.connect[Channel::Voice.index()] = Some(Span::seconds(9));
    r.s.world.ok(Command::SetHandling { handling, by: supervisor() });
    let call = r.s.world.start(r.s.voice);
    let command = r.accept(call, 1);
    r.s.world.ok(command);
    assert_eq!(r.s.world.events(), ["OfferEnded", "Connecting"]);
    assert_eq!((r.at(call), r.loads()), (vec![1], vec![0, 51]));
    r.s.pass(9);
    r.s.world.tick();
    assert_eq!(r.at(call), [0], "not connected: the other one is offered it");
}

/// Neither without the skill nor without the room.
#[test]
fn who_may_not_have_it_does_not_ring() {
    let mut r = ring(5, 5);
    r.s.can(r.desks[1], &[("es", 1)]);
    r.s.can(r.desks[3], &[("es", 1)]);
    r.s.can(r.desks[4], &[("es", 1)]);
    r.s.change(r.desks[4].agent, |settings| settings.capacity = Points(50));
    let call = r.s.asking(vec![requires(&[("es", 1)], 0)]);
    assert_eq!(r.at(call), [1, 3]);
}

#[test]
fn by_hand_alone_and_from_queues_alone() {
    let mut r = ring(3, 3);
    let accept = AcceptMode::Automatic { confirm: Span::seconds(5) };
    let mode = RoutingMode::ToQueue(ToQueue { queues: vec![r.s.queue], priority: Priority(0), accept });
    let automatic = r.s.world.touchpoint_with(Channel::Chat, mode);
    let chat = r.s.world.start(automatic);
    assert_eq!(r.at(chat), [0]);
    r.s.dedicated(None);
    assert_eq!(r.at(r.s.id), [0]);
}

/// The pick of each is explained: who else could have had it, and nobody who rings already.
#[test]
fn each_offer_says_why() {
    let mut r = ring(2, 3);
    let call = r.s.world.start(r.s.voice);
    let picked: Vec<_> =
        r.s.world
            .effects
            .events
            .iter()
            .filter_map(|event| match &event.kind {
                EventKind::OfferedBecause(offered, picked) => Some((offered.agent, picked.clone())),
                _ => None,
            })
            .collect();
    assert_eq!(picked.len(), 2);
    let next: Vec<Vec<AgentId>> =
        picked.iter().map(|(_, picked)| picked.next.iter().map(|other| other.agent).collect()).collect();
    assert_eq!(next, [vec![r.desks[1].agent, r.desks[2].agent], vec![r.desks[2].agent]]);
    assert!(
        picked
            .iter()
            .all(|(_, picked)| matches!(picked.way, Way::Policy(_)) && picked.passed_over.is_empty())
    );
    assert_eq!(r.at(call), [0, 1]);
}

/// Agents with room for both: the same one does not get it twice.
#[test]
fn it_rings_once_at_each() {
    let mut r = ring(10, 2);
    let mode = RoutingMode::ToQueue(ToQueue {
        queues: vec![r.s.queue],
        priority: Priority(0),
        accept: AcceptMode::Manual { ring: Span::seconds(20) },
    });
    let mails = r.s.world.touchpoint_with(Channel::Email, mode);
    r.s.set(|settings| settings.weights[Channel::Email.index()] = Points(10));
    let mail = r.s.world.start(mails);
    assert_eq!((r.at(mail), r.loads()), (vec![0, 1], vec![10, 10]));
}

/// Another number counts from the next offer on, and what rings goes on.
#[test]
fn what_rings_goes_on_when_its_queue_does_that_no_longer() {
    let mut r = ring(2, 3);
    let first = r.s.world.start(r.s.voice);
    r.s.world.ok(set(&r.s, 1, supervisor()));
    assert_eq!(r.at(first), [0, 1]);
    let copy = through_bytes(&mut r.s.world.shard);
    assert_eq!(copy.state_hash(), r.s.world.shard.state_hash());
    assert_eq!(copy.view(crate::testing::DOMAIN), r.s.world.shard.view(crate::testing::DOMAIN));
    r.s.world.shard = copy;
    let command = r.accept(first, 0);
    r.s.world.ok(command);
    assert_eq!(r.loads(), [51, 0, 0]);
    let second = r.s.world.start(r.s.voice);
    assert_eq!(r.at(second).len(), 1);
}

/// An agent that leaves the queue, or is deleted, stops ringing; the others do not.
#[test]
fn an_agent_that_goes_stops_ringing_alone() {
    let mut r = ring(3, 3);
    let call = r.s.world.start(r.s.voice);
    let plain = r.s.plain;
    r.s.change(r.desks[0].agent, |settings| settings.queues = vec![plain]);
    assert_eq!(r.at(call), [1, 2]);
    r.s.world.ok(Command::DeleteAgent { agent: r.desks[1].agent });
    assert_eq!(r.at(call), [2]);
    r.s.world.presence(r.desks[2], Intent::Draining { next: "home".to_owned() });
    assert_eq!(r.at(call), [0; 0]);
}

/// With a pace each offer counts, and who had as many as it allows does not ring.
#[test]
fn the_pace_counts_what_rings() {
    let mut r = ring(2, 2);
    let pace = Some(crate::pace::Pace { offers: 1, per: Span::seconds(60) });
    r.s.world.ok(Command::SetPace { pace, by: supervisor() });
    let first = r.s.world.start(r.s.voice);
    assert_eq!(r.at(first), [0, 1]);
    let arrival = Arrival {
        touchpoint: r.s.voice,
        customer: "c".to_owned(),
        reference: String::new(),
        priority: None,
        continues: None,
    };
    r.s.world.ok(Command::Abandon { conversation: first });
    r.s.world.ok(Command::Start(arrival));
    assert_eq!(r.loads(), [0, 0]);
}
