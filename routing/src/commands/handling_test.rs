//! Accepting in two steps, weights while the customer is waited for, longer wrap-ups.

use crate::command::{By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use crate::event::{EventKind, OfferEnd};
use crate::handling::Handling;
use crate::outcome::DoneWhat;
use crate::scene::{Row, Scene, as_it_is, lunch, play};
use crate::settings::WrapUpHold;
use crate::testing::{DOMAIN, supervisor, through_bytes};
use crate::{Channel, Command, ConversationId, LogTime, OfferId, Points, Rejected, Span, level};

const CONNECT: Span = Span::seconds(8);

fn ways() -> Handling {
    let mut handling = Handling { extend_max: Span::seconds(60), ..Handling::default() };
    handling.connect[Channel::Voice.index()] = Some(CONNECT);
    handling.idle[Channel::Email.index()] = Some(Points(5));
    handling.idle[Channel::Whatsapp.index()] = Some(Points(0));
    handling
}

fn set(handling: Handling, by: By) -> Command {
    Command::SetHandling { handling, by }
}

fn raised(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::HANDLING });
}

fn handled(s: &mut Scene) {
    raised(s);
    s.world.ok(set(ways(), supervisor()));
}

/// Accepted by the first desk, and being connected.
fn connecting(s: &mut Scene) {
    handled(s);
    s.offered();
    s.world.accept(s.id);
}

/// An e-mail of the first desk that waits on its customer.
fn idle(s: &mut Scene) {
    handled(s);
    s.ready(s.a);
    s.pulled();
    s.world.ok(rest(true, s));
}

fn wrapping(s: &mut Scene) {
    raised(s);
    s.world.ok(set(Handling { extend_max: Span::seconds(60), ..Handling::default() }, supervisor()));
    s.wrapping();
}

fn accept(s: &mut Scene) -> Command {
    Command::Accept { desk: s.a, offer: s.offer }
}

fn connected(s: &mut Scene) -> Command {
    Command::Connected { desk: s.a, offer: s.offer }
}

fn failed(s: &mut Scene) -> Command {
    Command::ConnectFailed { desk: s.a, offer: s.offer, reason: "no dial tone".to_owned() }
}

fn rest(idle: bool, s: &Scene) -> Command {
    Command::SetIdle { conversation: s.id, idle, by: By::Agent(s.a) }
}

fn extend(seconds: u64, by: By, s: &Scene) -> Command {
    Command::ExtendWrapUp { conversation: s.id, longer: Span::seconds(seconds), by }
}

fn gone(s: &mut Scene) {
    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.voice });
    s.world.ok(Command::DeleteTouchpoint { touchpoint: s.mail });
    s.world.ok(Command::DeleteQueue { queue: s.queue });
}

type Change = fn(&mut Handling);

#[test]
fn what_is_taken() {
    let of = |change: Change| {
        let mut handling = ways();
        change(&mut handling);
        set(handling, supervisor())
    };
    let mut s = Scene::new();
    let before = s.world.refused(set(ways(), supervisor()));
    assert_eq!(before, Rejected::Level { level: level::FIRST });
    raised(&mut s);
    let wrong: [(Change, &str); 4] = [
        (|h| h.connect[0] = Some(Span(999_999)), "handling.connect[voice]"),
        (|h| h.connect[1] = Some(Span(300_000_001)), "handling.connect[chat]"),
        (|h| h.idle[3] = Some(Points(101)), "handling.idle[email]"),
        (|h| h.extend_max = Span(14_400_000_001), "handling.extend_max"),
    ];
    for (change, named) in wrong {
        let refused = s.world.refused(of(change));
        assert!(matches!(&refused, Rejected::Invalid { field, .. } if field == named), "{refused:?}");
    }
    let rows: &[Row] = &[
        ("ways", raised, |_| set(ways(), supervisor()), "done", "HandlingChanged"),
        ("the same again", handled, |_| set(ways(), supervisor()), "done", ""),
        ("none", handled, |_| set(Handling::default(), By::System), "done", "HandlingChanged"),
        ("none where there are none", raised, |_| set(Handling::default(), supervisor()), "done", ""),
        ("by an agent", raised, |s| set(ways(), By::Agent(s.a)), "NotAllowed", ""),
        ("by a customer", raised, |_| set(ways(), By::Customer), "NotAllowed", ""),
        ("by a stale desk", raised, |s| set(ways(), By::Agent(s.stale())), "StaleEpoch", ""),
    ];
    play(rows);
}

#[test]
fn an_accept_in_two_steps() {
    let rows: &[Row] = &[
        (
            "the first",
            |s| {
                handled(s);
                s.offered();
            },
            accept,
            "done offered",
            "Connecting",
        ),
        ("the first again", connecting, accept, "WrongState offered", ""),
        ("the second", connecting, connected, "done assigned", "OfferEnded Assigned"),
        (
            "the second alone",
            |s| {
                handled(s);
                s.offered();
            },
            connected,
            "WrongState offered",
            "",
        ),
        (
            "the second again",
            |s| {
                connecting(s);
                let again = connected(s);
                s.world.ok(again);
            },
            connected,
            "OfferOver assigned",
            "",
        ),
        ("it fails: nobody else", connecting, failed, "done queued", "OfferEnded Waiting"),
        (
            "it fails: the next",
            |s| {
                connecting(s);
                s.ready(s.b);
            },
            failed,
            "done offered",
            "OfferEnded Waiting Offered",
        ),
        (
            "it fails before it was accepted",
            |s| {
                handled(s);
                s.offered();
            },
            failed,
            "WrongState offered",
            "",
        ),
        (
            "a reason that is too long",
            connecting,
            |s| Command::ConnectFailed { desk: s.a, offer: s.offer, reason: "x".repeat(257) },
            "Invalid offered",
            "",
        ),
        (
            "another agent",
            connecting,
            |s| Command::Connected { desk: s.b, offer: s.offer },
            "OfferOver offered",
            "",
        ),
        (
            "a stale desk",
            connecting,
            |s| Command::Connected { desk: s.stale(), offer: s.offer },
            "StaleEpoch offered",
            "",
        ),
        (
            "an unknown offer",
            connecting,
            |s| Command::Connected { desk: s.a, offer: OfferId::new(s.id.domain, 77) },
            "OfferOver offered",
            "",
        ),
        (
            "one moment before its time",
            |s| {
                connecting(s);
                s.world.time += CONNECT.0 - 1;
            },
            connected,
            "done assigned",
            "OfferEnded Assigned",
        ),
        (
            "late, without a tick",
            |s| {
                connecting(s);
                s.pass(8);
            },
            connected,
            "OfferOver queued",
            "OfferEnded Waiting",
        ),
        (
            "the agent thinks better of it",
            connecting,
            |s| Command::Reject { desk: s.a, offer: s.offer, decline: Decline { reason: "r".to_owned() } },
            "done queued",
            "OfferEnded Waiting",
        ),
        (
            "the customer leaves meanwhile",
            connecting,
            |s| Command::Abandon { conversation: s.id },
            "done abandoned",
            "OfferEnded Ended",
        ),
        (
            "no longer available: what was accepted goes on",
            connecting,
            |s| lunch(s.a),
            "done offered",
            "PresenceChanged",
        ),
        (
            "the lease is lost",
            connecting,
            |s| Command::LoseLease { desk: s.a },
            "done queued",
            "LeaseLost OfferEnded Waiting",
        ),
        (
            "the queue is paused: what was accepted goes on",
            connecting,
            |s| Command::PauseQueue { queue: s.queue, paused: true, by: supervisor() },
            "done offered",
            "QueuePaused",
        ),
        (
            "the agent no longer handles it: what was accepted goes on",
            connecting,
            |s| {
                let settings = s.world.shard.agent(s.a.agent).expect("made").settings;
                let settings = crate::settings::AgentSettings {
                    channels: crate::ChannelSet::default().with(Channel::Chat),
                    queues: Vec::new(),
                    ..settings
                };
                Command::UpdateAgent { agent: s.a.agent, settings }
            },
            "done offered",
            "AgentChanged",
        ),
        (
            "its queue is gone: it lives by the offer",
            |s| {
                connecting(s);
                gone(s);
            },
            connected,
            "done assigned",
            "OfferEnded Assigned",
        ),
        (
            "its queue is gone, and it fails",
            |s| {
                connecting(s);
                gone(s);
            },
            failed,
            "done closed",
            "OfferEnded Ended",
        ),
        (
            "a supervisor moves it meanwhile",
            connecting,
            |s| Command::Transfer {
                conversation: s.id,
                target: TransferTarget::Queue(s.plain),
                fallback: TransferFallback::Source,
                by: supervisor(),
            },
            "done offered",
            "OfferEnded TransferStarted Waiting Offered",
        ),
        (
            "no connection to make any more: it is made all the same",
            |s| {
                connecting(s);
                s.world.ok(set(Handling::default(), supervisor()));
            },
            connected,
            "done assigned",
            "OfferEnded Assigned",
        ),
    ];
    play(rows);
}

#[test]
fn the_answer_says_until_when() {
    let mut s = Scene::new();
    handled(&mut s);
    s.offered();
    s.pass(3);
    let command = accept(&mut s);
    let what = s.world.ok(command).what;
    let deadline = LogTime(s.world.time) + CONNECT;
    assert_eq!(what, DoneWhat::Connecting { conversation: s.id, agent: s.a.agent, deadline });
    let seen = s.world.shard.conversation(s.id).expect("known");
    let offer = seen.offer.as_ref().expect("live");
    assert!(offer.connecting && offer.queue.is_none() && offer.deadline == deadline);
    assert_eq!((seen.stage.name(), seen.stage_name()), ("offered", "connecting"));
    assert_eq!(s.world.load(s.a), 51);
    let refused = s.world.refused(Command::EndContact { conversation: s.id, by: supervisor() });
    assert!(refused.to_string().contains("the conversation is connecting"), "{refused}");
}

/// Twice not connected and once not answered: three misses, and the agent is taken out.
#[test]
fn what_is_not_connected_is_a_miss() {
    let mut s = Scene::new();
    handled(&mut s);
    s.set(|settings| {
        settings.miss_limit = 3;
        settings.exclude_missed = Span::seconds(1);
    });
    s.offered();
    let misses = |s: &Scene| s.world.shard.agent(s.a.agent).expect("made").misses;
    s.world.accept(s.id);
    s.pass(8);
    s.world.tick();
    assert!(s.world.effects.events.iter().any(|event| matches!(&event.kind,
        EventKind::OfferEnded { end: OfferEnd::NotConnected { reason }, .. } if reason.is_empty())));
    assert_eq!((misses(&s), s.rings(s.id)), (1, None), "excluded for a second");
    s.pass(1);
    s.world.tick();
    s.offer = s.world.offer_of(s.id).expect("again").0;
    s.world.accept(s.id);
    let command = failed(&mut s);
    s.world.ok(command);
    assert_eq!(misses(&s), 2);
    s.pass(1);
    s.world.tick();
    s.pass(20);
    s.world.tick();
    assert_eq!(misses(&s), 3);
    assert_eq!(
        s.world.shard.agent(s.a.agent).expect("made").intent,
        Intent::Unavailable { reason: "missed".to_owned() }
    );
}

#[test]
fn a_draining_agent_is_done_when_its_connection_comes_to_nothing() {
    let mut s = Scene::new();
    connecting(&mut s);
    s.world.presence(s.a, Intent::Draining { next: "home".to_owned() });
    assert_eq!(s.world.events(), ["PresenceChanged"]);
    let other = s.world.shard.clone();
    let command = failed(&mut s);
    s.world.ok(command);
    assert_eq!(s.world.events(), ["OfferEnded", "PresenceChanged", "Waiting"]);
    s.world.shard = other;
    let command = connected(&mut s);
    s.world.ok(command);
    assert_eq!(s.world.events(), ["OfferEnded", "Assigned"]);
}

#[test]
fn the_source_of_a_transfer_keeps_it_until_the_other_is_connected() {
    let mut s = Scene::new();
    handled(&mut s);
    s.offered();
    s.world.accept(s.id);
    let command = connected(&mut s);
    s.world.ok(command);
    s.ready(s.b);
    let (target, fallback, by) = (TransferTarget::Agent(s.b.agent), TransferFallback::Source, By::Agent(s.a));
    s.world.ok(Command::Transfer { conversation: s.id, target, fallback, by });
    let offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.ok(Command::Accept { desk: s.b, offer });
    assert_eq!((s.world.load(s.a), s.world.load(s.b), s.stage()), (51, 51, "assigned"));
    let other = s.world.shard.clone();
    s.world.ok(Command::Connected { desk: s.b, offer });
    assert_eq!(s.world.events(), ["OfferEnded", "Released", "Assigned"]);
    assert_eq!((s.world.load(s.a), s.world.load(s.b)), (0, 51));
    s.world.shard = other;
    s.world.ok(Command::ConnectFailed { desk: s.b, offer, reason: String::new() });
    assert_eq!(s.world.events(), ["OfferEnded", "TransferFailed"]);
    assert_eq!((s.world.load(s.a), s.world.load(s.b)), (51, 0));
}

/// The dedicated agent is there, so the time until the fallback stands still; where the connection fails, it
/// need not be waited for.
#[test]
fn a_dedicated_line_and_its_fallback() {
    let dedicated = |s: &mut Scene| {
        handled(s);
        s.ready(s.a);
        s.dedicated(Some((s.plain, Span::seconds(5))));
        s.offer = s.world.offer_of(s.id).expect("offered").0;
        s.pass(3);
        s.world.accept(s.id);
        s.pass(4);
        s.world.tick();
        assert_eq!(s.stage(), "offered");
    };
    let rows: &[Row] = &[
        ("it is connected", dedicated, connected, "done assigned", "OfferEnded Assigned"),
        ("it is not", dedicated, failed, "done queued", "OfferEnded Waiting"),
    ];
    play(rows);
    let mut s = Scene::new();
    dedicated(&mut s);
    let command = failed(&mut s);
    s.world.ok(command);
    s.ready(s.b);
    assert_eq!(s.rings(s.id), Some(s.b.agent), "in the fallback queue");
}

#[test]
fn while_the_customer_is_waited_for() {
    let rows: &[Row] = &[
        (
            "it rests",
            |s| {
                idle(s);
                s.world.ok(rest(false, s));
            },
            |s| rest(true, s),
            "done assigned",
            "IdleChanged",
        ),
        ("again", idle, |s| rest(true, s), "done assigned", ""),
        ("it wakes", idle, |s| rest(false, s), "done assigned", "IdleChanged"),
        (
            "the customer wakes it",
            idle,
            |s| Command::SetIdle { conversation: s.id, idle: false, by: By::Customer },
            "done assigned",
            "IdleChanged",
        ),
        (
            "a customer lets nothing rest",
            |s| {
                handled(s);
                s.ready(s.a);
                s.pulled();
            },
            |s| Command::SetIdle { conversation: s.id, idle: true, by: By::Customer },
            "NotAllowed assigned",
            "",
        ),
        (
            "another agent",
            idle,
            |s| Command::SetIdle { conversation: s.id, idle: false, by: By::Agent(s.b) },
            "NotAllowed assigned",
            "",
        ),
        (
            "a supervisor",
            idle,
            |s| Command::SetIdle { conversation: s.id, idle: false, by: supervisor() },
            "done assigned",
            "IdleChanged",
        ),
        (
            "nobody's",
            |s| {
                handled(s);
                s.in_inbox();
            },
            |s| rest(true, s),
            "WrongState in_inbox",
            "",
        ),
        ("unknown", handled, |s| rest(true, s), "Unknown", ""),
        (
            "its contact ends: it weighs what it weighed",
            idle,
            |s| Command::EndContact { conversation: s.id, by: By::Agent(s.a) },
            "done wrapping",
            "IdleChanged Wrapping",
        ),
        (
            "it is moved on",
            idle,
            |s| Command::Transfer {
                conversation: s.id,
                target: TransferTarget::Inbox(s.plain),
                fallback: TransferFallback::Source,
                by: By::Agent(s.a),
            },
            "done in_inbox",
            "TransferStarted Released Waiting",
        ),
    ];
    play(rows);
}

/// One worked example: docs/routing/handling.md goes through it with the same numbers.
#[test]
fn room_while_the_customer_thinks() {
    let mut s = Scene::new();
    handled(&mut s);
    s.set(|settings| settings.weights[Channel::Email.index()] = Points(40));
    s.ready(s.a);
    let mails: Vec<ConversationId> = [(); 2].map(|()| s.world.start(s.mail)).into();
    for mail in &mails {
        s.world.ok(Command::Assign { desk: s.a, conversation: *mail });
    }
    assert_eq!(s.world.load(s.a), 80);
    s.waiting();
    let call = s.id;
    assert_eq!(s.rings(call), None, "a call needs 51, and 20 are free");
    s.id = mails[0];
    s.world.ok(rest(true, &s));
    assert_eq!((s.world.load(s.a), s.rings(call)), (45 + 51, Some(s.a.agent)), "5 and 40: 55 were free");
    // The customer writes: it is woken, whatever else the agent has.
    s.world.accept(call);
    s.world.ok(Command::SetIdle { conversation: mails[0], idle: false, by: By::Customer });
    let woken = &s.world.effects.events[0].kind;
    assert!(
        matches!(woken, EventKind::IdleChanged { idle: false, weight: Points(40), overdraft: 31, .. }),
        "{woken:?}"
    );
    assert_eq!(s.world.load(s.a), 131);
}

#[test]
fn a_wrap_up_that_takes_longer() {
    let rows: &[Row] = &[
        ("by its owner", wrapping, |s| extend(60, By::Agent(s.a), s), "done wrapping", "WrapUpExtended"),
        ("by a supervisor", wrapping, |s| extend(1, supervisor(), s), "done wrapping", "WrapUpExtended"),
        ("by a customer", wrapping, |s| extend(1, By::Customer, s), "NotAllowed wrapping", ""),
        ("by another agent", wrapping, |s| extend(1, By::Agent(s.b), s), "NotAllowed wrapping", ""),
        ("too much", wrapping, |s| extend(61, By::Agent(s.a), s), "Invalid wrapping", ""),
        ("nothing", wrapping, |s| extend(0, By::Agent(s.a), s), "Invalid wrapping", ""),
        (
            "where the domain allows none",
            |s| {
                raised(s);
                s.wrapping();
            },
            |s| extend(1, By::Agent(s.a), s),
            "Invalid wrapping",
            "",
        ),
        (
            "before it began",
            |s| {
                raised(s);
                s.assigned();
            },
            |s| extend(1, By::Agent(s.a), s),
            "WrongState assigned",
            "",
        ),
        ("unknown", as_it_is_raised, |s| extend(1, By::Agent(s.a), s), "Unknown", ""),
    ];
    play(rows);

    let mut s = Scene::new();
    wrapping(&mut s);
    s.pass(29);
    s.world.ok(extend(40, By::Agent(s.a), &s));
    let refused = s.world.refused(extend(21, By::Agent(s.a), &s)).to_string();
    assert!(refused.contains("1 s to 20 s"), "{refused}");
    s.world.ok(extend(20, supervisor(), &s));
    let refused = s.world.refused(extend(1, By::Agent(s.a), &s)).to_string();
    assert!(refused.contains("complete it"), "{refused}");
    s.pass(60);
    s.world.tick();
    assert_eq!(s.stage(), "wrapping", "30 + 60 s, less a second");
    s.pass(1);
    s.world.tick();
    assert_eq!(s.stage(), "closed");
}

fn as_it_is_raised(s: &mut Scene) {
    as_it_is(s);
    raised(s);
}

/// What weighs nothing while it rests blocks nothing, and takes part of no wrap-up hold until it is woken.
#[test]
fn what_rests_may_weigh_nothing() {
    let mut s = Scene::new();
    handled(&mut s);
    s.set(|settings| settings.wrap_up_hold = WrapUpHold::Some(Points(10)));
    let touchpoint = s.world.touchpoint(Channel::Whatsapp, &[s.queue]);
    s.ready(s.a);
    s.id = s.world.start(touchpoint);
    s.world.accept(s.id);
    assert_eq!(s.world.load(s.a), 25);
    s.world.ok(rest(true, &s));
    assert_eq!(s.world.load(s.a), 0);
    let desk: Desk = s.a;
    s.world.ok(Command::EndContact { conversation: s.id, by: By::Agent(desk) });
    assert_eq!((s.world.load(s.a), s.stage()), (10, "wrapping"));
}

#[test]
fn a_snapshot_has_all_of_it_and_goes_on_alike() {
    let mut s = Scene::new();
    idle(&mut s);
    let mail = s.id;
    s.world.ok(Command::EndContact { conversation: mail, by: supervisor() });
    s.world.ok(extend(20, supervisor(), &s));
    s.pulled();
    s.world.ok(rest(true, &s));
    let second = s.id;
    s.waiting();
    s.offer = s.world.offer_of(s.id).expect("offered").0;
    s.world.accept(s.id);
    for handling in [ways(), Handling::default()] {
        s.world.ok(set(handling, supervisor()));
        let again = through_bytes(&mut s.world.shard);
        assert_eq!(again, s.world.shard);
        assert_eq!(again.state_hash(), s.world.shard.state_hash());
        assert_eq!(again.view(DOMAIN), s.world.shard.view(DOMAIN));
    }
    s.world.shard = through_bytes(&mut s.world.shard);
    let command = connected(&mut s);
    s.world.ok(command);
    s.id = second;
    s.world.ok(rest(false, &s));
    assert_eq!(s.world.load(s.a), 51 + 20 + 20, "the call, the wrap-up and the mail that is woken");
}
