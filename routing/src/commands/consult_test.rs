//! Consultations: who is asked, who has it, and how it ends.

use crate::command::{By, Decline, Desk, Intent, TransferFallback, TransferTarget};
use crate::event::{EventKind, OfferEnd, Revoked};
use crate::handling::Handling;
use crate::outcome::DoneWhat;
use crate::picked::Way;
use crate::scene::{Row, Scene, as_it_is, lunch, play};
use crate::settings::limits::HOPS_MAX;
use crate::settings::{LeaseLoss, LeasePolicy};
use crate::testing::{DOMAIN, supervisor, through_bytes};
use crate::{AgentId, Channel, Command, LogTime, OfferId, Rejected, Span, level};

const LASTS: Span = Span::seconds(600);

fn raised(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::CONSULT });
}

/// The first desk has a call, the second one is ready.
fn both(s: &mut Scene) {
    raised(s);
    s.assigned();
    s.ready(s.b);
}

fn consult(s: &Scene, agent: AgentId, lasts: Span, by: By) -> Command {
    Command::Consult { conversation: s.id, agent, lasts, by }
}

fn ask(s: &mut Scene) -> Command {
    consult(s, s.b.agent, LASTS, By::Agent(s.a))
}

fn end(s: &Scene, by: By) -> Command {
    Command::EndConsult { conversation: s.id, by }
}

fn complete(s: &Scene, by: By) -> Command {
    Command::CompleteConsult { conversation: s.id, by }
}

/// The second desk is asked.
fn asked(s: &mut Scene) {
    both(s);
    let command = ask(s);
    s.world.ok(command);
    s.offer = s.world.offer_of(s.id).expect("asked").0;
}

fn accept(s: &Scene) -> Command {
    Command::Accept { desk: s.b, offer: s.offer }
}

/// The second desk has accepted.
fn consulting(s: &mut Scene) {
    asked(s);
    s.world.ok(accept(s));
}

fn busy(s: &mut Scene, overdraft: bool) {
    s.set(|settings| settings.overdraft = overdraft);
    both(s);
    let id = s.id;
    s.waiting();
    s.world.accept(s.id);
    s.id = id;
}

fn owner(s: &Scene) -> Option<AgentId> {
    s.world.shard.conversation(s.id).expect("known").stage.owner()
}

fn loads(s: &Scene) -> [u32; 2] {
    [s.a, s.b].map(|desk| s.world.load(desk))
}

/// The end of the consultation, as its owner's desk is told.
fn told(s: &Scene) -> Vec<OfferEnd> {
    let ended = s.world.effects.events.iter().filter_map(|event| match &event.kind {
        EventKind::ConsultEnded { owner, agent, end, .. } => {
            assert_eq!((*owner, *agent, event.kind.desk()), (s.a.agent, s.b.agent, Some(s.a.agent)));
            Some(end.clone())
        }
        _ => None,
    });
    ended.collect()
}

#[test]
fn asking() {
    let begins = "ConsultStarted Offered";
    let rows: &[Row] = &[
        ("by its owner", both, ask, "done assigned", begins),
        ("by a supervisor", both, |s| consult(s, s.b.agent, LASTS, supervisor()), "done assigned", begins),
        (
            "for a second",
            both,
            |s| consult(s, s.b.agent, Span::seconds(1), By::System),
            "done assigned",
            begins,
        ),
        (
            "for four hours",
            both,
            |s| consult(s, s.b.agent, Span(14_400_000_000), By::System),
            "done assigned",
            begins,
        ),
        ("for less", both, |s| consult(s, s.b.agent, Span(999_999), By::System), "Invalid", ""),
        ("for longer", both, |s| consult(s, s.b.agent, Span(14_400_000_001), By::System), "Invalid", ""),
        ("by the customer", both, |s| consult(s, s.b.agent, LASTS, By::Customer), "NotAllowed", ""),
        ("by another agent", both, |s| consult(s, s.b.agent, LASTS, By::Agent(s.b)), "NotAllowed", ""),
        ("by an old desk", both, |s| consult(s, s.b.agent, LASTS, By::Agent(s.stale())), "StaleEpoch", ""),
        ("its owner", both, |s| consult(s, s.a.agent, LASTS, By::System), "Invalid", ""),
        ("nobody known", both, |s| consult(s, AgentId::new(DOMAIN, 9), LASTS, By::System), "Unknown", ""),
        (
            "who takes no offers",
            |s| {
                both(s);
                s.away(s.b);
            },
            ask,
            "NotAllowed",
            "",
        ),
        ("who has no room", |s| busy(s, false), ask, "NoCapacity", ""),
        ("who has no room, and may overdraw", |s| busy(s, true), ask, "done assigned", begins),
        ("below its level", Scene::assigned, ask, "Level", ""),
        (
            "about what waits",
            |s| {
                raised(s);
                s.waiting();
            },
            ask,
            "WrongState queued",
            "",
        ),
        (
            "about what is wrapped up",
            |s| {
                raised(s);
                s.wrapping();
                s.ready(s.b);
            },
            ask,
            "WrongState wrapping",
            "",
        ),
        (
            "once more: the former one is over",
            asked,
            ask,
            "done assigned",
            "OfferEnded ConsultEnded ConsultStarted Offered",
        ),
        (
            "instead of a transfer",
            |s| {
                raised(s);
                s.moving(TransferFallback::Source);
            },
            ask,
            "done assigned",
            "OfferEnded ConsultStarted Offered",
        ),
        ("of nobody, where nobody is asked", both, |s| end(s, By::System), "WrongState assigned", ""),
        (
            "a transfer is not asked for in this way",
            both,
            |s| {
                let (target, by) = (TransferTarget::Agent(s.b.agent), By::Agent(s.a));
                let fallback = TransferFallback::Advice { lasts: LASTS };
                Command::Transfer { conversation: s.id, target, fallback, by }
            },
            "Invalid",
            "",
        ),
        ("unknown to all", as_it_is, ask, "Level", ""),
    ];
    play(rows);
}

#[test]
fn while_it_rings() {
    let declined = "OfferEnded ConsultEnded";
    let rows: &[Row] = &[
        ("accepted", asked, |s| accept(s), "done assigned", "Consulting"),
        (
            "declined",
            asked,
            |s| Command::Reject { desk: s.b, offer: s.offer, decline: Decline { reason: "busy".to_owned() } },
            "done assigned",
            declined,
        ),
        ("taken back", asked, |s| end(s, By::Agent(s.a)), "done assigned", declined),
        ("ended by a supervisor", asked, |s| end(s, supervisor()), "done assigned", declined),
        ("who is asked declines, and does not end it", asked, |s| end(s, By::Agent(s.b)), "NotAllowed", ""),
        ("not handed over yet", asked, |s| complete(s, By::Agent(s.a)), "WrongState assigned", ""),
        ("not connected", asked, |s| Command::Connected { desk: s.b, offer: s.offer }, "WrongState", ""),
        (
            "not answered",
            |s| {
                asked(s);
                s.pass(20);
            },
            |_| Command::Tick,
            "done assigned",
            declined,
        ),
        (
            "who is asked goes",
            asked,
            |s| lunch(s.b),
            "done assigned",
            "PresenceChanged OfferEnded ConsultEnded",
        ),
        (
            "its owner is logged out: it waits again",
            asked,
            |s| Command::LogOut { agent: s.a.agent, by: supervisor() },
            "done offered",
            "LeaseLost OfferEnded ConsultEnded Released Waiting PresenceChanged Offered",
        ),
    ];
    play(rows);
}

#[test]
fn once_it_is_accepted() {
    let over = "OfferEnded ConsultEnded";
    let handed = "TransferStarted OfferEnded Released Assigned";
    let rows: &[Row] = &[
        ("ended by its owner", consulting, |s| end(s, By::Agent(s.a)), "done assigned", over),
        ("ended by who was asked", consulting, |s| end(s, By::Agent(s.b)), "done assigned", over),
        ("ended by a supervisor", consulting, |s| end(s, supervisor()), "done assigned", over),
        ("not by the customer", consulting, |s| end(s, By::Customer), "NotAllowed", ""),
        ("handed over by its owner", consulting, |s| complete(s, By::Agent(s.a)), "done assigned", handed),
        ("handed over by a supervisor", consulting, |s| complete(s, supervisor()), "done assigned", handed),
        ("not taken by who was asked", consulting, |s| complete(s, By::Agent(s.b)), "NotAllowed", ""),
        ("accepted again", consulting, |s| accept(s), "WrongState", ""),
        (
            "declined now",
            consulting,
            |s| Command::Reject { desk: s.b, offer: s.offer, decline: Decline { reason: String::new() } },
            "WrongState",
            "",
        ),
        ("connected", consulting, |s| Command::Connected { desk: s.b, offer: s.offer }, "WrongState", ""),
        (
            "not connected",
            consulting,
            |s| Command::ConnectFailed { desk: s.b, offer: s.offer, reason: String::new() },
            "WrongState",
            "",
        ),
        (
            "the contact is over",
            consulting,
            |s| Command::EndContact { conversation: s.id, by: By::Customer },
            "done wrapping",
            "OfferEnded ConsultEnded Wrapping",
        ),
        (
            "closed",
            consulting,
            |s| Command::ForceClose { conversation: s.id, reason: String::new(), by: supervisor() },
            "done closed",
            "OfferEnded ConsultEnded Ended",
        ),
        (
            "transferred elsewhere",
            consulting,
            |s| Command::Transfer {
                conversation: s.id,
                target: TransferTarget::Inbox(s.plain),
                fallback: TransferFallback::Source,
                by: By::Agent(s.a),
            },
            "done in_inbox",
            "OfferEnded ConsultEnded TransferStarted Released Waiting",
        ),
        (
            "who was asked goes to lunch: it goes on",
            consulting,
            |s| lunch(s.b),
            "done assigned",
            "PresenceChanged",
        ),
        (
            "who was asked loses the session",
            consulting,
            |s| Command::LoseLease { desk: s.b },
            "done assigned",
            "LeaseLost OfferEnded ConsultEnded",
        ),
        (
            "its owner loses the session: it goes on",
            consulting,
            |s| Command::LoseLease { desk: s.a },
            "done assigned",
            "LeaseLost",
        ),
        (
            "its owner is logged out",
            consulting,
            |s| Command::LogOut { agent: s.a.agent, by: supervisor() },
            "done assigned",
            "LeaseLost TransferStarted OfferEnded Released Assigned PresenceChanged",
        ),
        (
            "its owner is deleted",
            consulting,
            |s| Command::DeleteAgent { agent: s.a.agent },
            "done assigned",
            "TransferStarted OfferEnded Released Assigned AgentDeleted",
        ),
    ];
    play(rows);
}

/// The example of docs/routing/consult.md.
#[test]
fn ana_asks_ben_before_she_hands_over() {
    let mut s = Scene::new();
    both(&mut s);
    let [ana, ben] = [s.a, s.b];
    // She asks; it rings at Ben, and says that it is for advice.
    let command = ask(&mut s);
    s.world.ok(command);
    s.offer = s.world.offer_of(s.id).expect("asked").0;
    let offered = s.world.effects.events.iter().find_map(|event| event.kind.offered());
    assert_eq!(offered.and_then(|(_, picked)| picked).map(|picked| picked.way), Some(Way::Consult));
    assert_eq!((owner(&s), loads(&s)), (Some(ana.agent), [51, 51]));
    // He accepts: she has it still, and is told; it may last ten minutes.
    let done = s.world.ok(accept(&s));
    let deadline = LogTime(s.world.time + LASTS.0);
    let answer = DoneWhat::Consulting { conversation: s.id, agent: ben.agent, deadline };
    assert_eq!((done.what, s.world.events()), (answer, vec!["Consulting".to_owned()]));
    assert_eq!(s.world.effects.events[0].kind.desk(), Some(ana.agent));
    assert_eq!((owner(&s), loads(&s)), (Some(ana.agent), [51, 51]));
    // She hands over: it is his, and counts as a transfer.
    s.world.ok(complete(&s, By::Agent(ana)));
    assert_eq!((owner(&s), loads(&s)), (Some(ben.agent), [0, 51]));
    assert_eq!(s.world.shard.conversation(s.id).expect("known").hops, 1);
    // What was the offer's is over.
    assert!(matches!(s.world.refused(accept(&s)), Rejected::OfferOver { .. }));
}

#[test]
fn how_it_ended_is_told_and_nobody_missed_anything() {
    let by = By::Agent(Desk { agent: AgentId::new(DOMAIN, 2), epoch: crate::Epoch(1) });
    type Case = (fn(&mut Scene), fn(&Scene) -> Command, OfferEnd);
    let cases: [Case; 4] = [
        (consulting, |s| end(s, By::Agent(s.b)), OfferEnd::ConsultOver { by }),
        (consulting, |_| Command::Tick, OfferEnd::ConsultOver { by: By::System }),
        (asked, |_| Command::Tick, OfferEnd::TimedOut),
        (consulting, |s| Command::LoseLease { desk: s.b }, OfferEnd::Revoked(Revoked::LeaseLost)),
    ];
    for (given, command, expected) in cases {
        let mut s = Scene::new();
        given(&mut s);
        let command = command(&s);
        if command == Command::Tick {
            s.pass(600);
        }
        s.world.ok(command);
        assert_eq!(told(&s), std::slice::from_ref(&expected));
        assert_eq!((owner(&s), loads(&s)), (Some(s.a.agent), [51, 0]), "{expected:?}");
        let misses = u32::from(expected == OfferEnd::TimedOut);
        assert_eq!(s.world.shard.agent(s.b.agent).expect("made").misses, misses, "{expected:?}");
    }
}

/// A moment before its time it goes on.
#[test]
fn it_lasts_as_long_as_was_said() {
    let mut s = Scene::new();
    consulting(&mut s);
    s.world.time += LASTS.0 - 1;
    s.world.tick();
    assert!(told(&s).is_empty());
    s.world.time += 1;
    s.world.tick();
    assert_eq!(told(&s), [OfferEnd::ConsultOver { by: By::System }]);
}

/// With a time to connect an accept has two steps; a consultation has one, and is connected already when it is handed over.
#[test]
fn there_is_no_second_step_to_it() {
    let mut s = Scene::new();
    both(&mut s);
    let mut handling = Handling::default();
    handling.connect[Channel::Voice.index()] = Some(Span::seconds(5));
    s.world.ok(Command::SetHandling { handling, by: supervisor() });
    let command = ask(&mut s);
    s.world.ok(command);
    s.offer = s.world.offer_of(s.id).expect("asked").0;
    assert!(matches!(s.world.ok(accept(&s)).what, DoneWhat::Consulting { .. }));
    s.pass(5);
    s.world.tick();
    assert!(told(&s).is_empty());
    s.world.ok(complete(&s, By::Agent(s.a)));
    assert_eq!(owner(&s), Some(s.b.agent));
}

/// Grace runs while the owner's session is lost; when it is over, whoever is consulted has it, whatever becomes of
/// what nobody is there for.
#[test]
fn who_is_consulted_takes_over_when_the_grace_time_is_over() {
    for (then, left) in [
        (LeaseLoss::Requeue, [0, 51]),
        (LeaseLoss::Close, [0, 51]),
        // Kept for its owner, for as long as it takes; the consultation ends at its time.
        (LeaseLoss::Keep, [51, 51]),
    ] {
        let mut s = Scene::new();
        let policy = LeasePolicy { grace: Span::seconds(30), then };
        s.set(|settings| settings.lease[Channel::Voice.index()] = policy);
        consulting(&mut s);
        s.lose();
        s.pass(29);
        s.world.tick();
        assert_eq!(owner(&s), Some(s.a.agent));
        s.pass(1);
        s.world.tick();
        assert_eq!((s.stage(), loads(&s)), ("assigned", left), "{then:?}");
    }
}

/// After the last of its transfers it can be asked about, not handed over: not by its owner, and not since that one is gone.
#[test]
fn the_twelfth_hop_is_refused_here_too() {
    let mut s = Scene::new();
    both(&mut s);
    for hop in 0..HOPS_MAX {
        let (from, to) = if hop % 2 == 0 { (s.a, s.b) } else { (s.b, s.a) };
        s.world.ok(consult(&s, to.agent, LASTS, By::Agent(from)));
        let (offer, _) = s.world.offer_of(s.id).expect("asked");
        s.world.ok(Command::Accept { desk: to, offer });
        s.world.ok(complete(&s, By::Agent(from)));
    }
    assert_eq!(owner(&s), Some(s.b.agent));
    s.world.ok(consult(&s, s.a.agent, LASTS, By::Agent(s.b)));
    let (offer, _) = s.world.offer_of(s.id).expect("asked");
    s.world.ok(Command::Accept { desk: s.a, offer });
    assert!(matches!(s.world.refused(complete(&s, By::Agent(s.b))), Rejected::HopLimit { .. }));
    s.away(s.a);
    s.world.ok(Command::LogOut { agent: s.b.agent, by: supervisor() });
    assert_eq!((s.stage(), loads(&s)), ("queued", [0, 0]));
}

/// Who is consulted drains when that is over.
#[test]
fn draining_waits_for_the_end_of_it() {
    let mut s = Scene::new();
    consulting(&mut s);
    s.world.presence(s.b, Intent::Draining { next: "home".to_owned() });
    assert_eq!(s.world.events(), ["PresenceChanged"]);
    s.world.ok(end(&s, By::Agent(s.a)));
    assert_eq!(s.world.events(), ["OfferEnded", "PresenceChanged", "ConsultEnded"]);
}

/// A snapshot has it: whoever reads it ends it and hands over as if nothing had been.
#[test]
fn it_is_in_the_picture_that_is_stored() {
    for given in [asked as fn(&mut Scene), consulting] {
        let mut s = Scene::new();
        given(&mut s);
        let before = s.world.shard.view(DOMAIN);
        let mut restored = through_bytes(&mut s.world.shard);
        assert_eq!(restored.view(DOMAIN), before);
        std::mem::swap(&mut s.world.shard, &mut restored);
        s.pass(5);
        s.world.ok(end(&s, By::Agent(s.a)));
        assert_eq!(loads(&s), [51, 0]);
        assert_eq!(s.world.offer_of(s.id), None::<(OfferId, AgentId)>);
    }
}
