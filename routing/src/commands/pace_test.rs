//! The pace of offers.

use crate::command::{Arrival, By, Desk, TransferFallback, TransferTarget};
use crate::pace::Pace;
use crate::scene::{Row, Scene, as_it_is, play};
use crate::settings::{AcceptMode, RoutingMode, ToQueue};
use crate::testing::{supervisor, through_bytes};
use crate::view::Gate;
use crate::{Channel, Command, ConversationId, LogTime, Points, Priority, Rejected, Span, level};

fn raised(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::PACE });
}

fn pace(offers: u8, seconds: u64) -> Option<Pace> {
    Some(Pace { offers, per: Span::seconds(seconds) })
}

fn set(pace: Option<Pace>, by: By) -> Command {
    Command::SetPace { pace, by }
}

fn paced(s: &mut Scene) {
    raised(s);
    s.world.ok(set(pace(2, 60), supervisor()));
}

#[test]
fn table() {
    let rows: &[Row] = &[
        ("a pace", raised, |_| set(pace(3, 60), supervisor()), "done", "PaceChanged"),
        ("the same", paced, |_| set(pace(2, 60), supervisor()), "done", ""),
        ("none", paced, |_| set(None, By::System), "done", "PaceChanged"),
        ("none already", raised, |_| set(None, By::System), "done", ""),
        ("none at all", raised, |_| set(pace(0, 60), supervisor()), "Invalid", ""),
        ("too many", raised, |_| set(pace(21, 60), supervisor()), "Invalid", ""),
        ("the most", raised, |_| set(pace(20, 3_600), supervisor()), "done", "PaceChanged"),
        (
            "too short",
            raised,
            |_| set(Some(Pace { offers: 1, per: Span(999_999) }), supervisor()),
            "Invalid",
            "",
        ),
        ("too long", raised, |_| set(pace(1, 3_601), supervisor()), "Invalid", ""),
        ("by an agent", raised, |s| set(pace(1, 60), By::Agent(s.a)), "NotAllowed", ""),
        ("by the customer", raised, |_| set(pace(1, 60), By::Customer), "NotAllowed", ""),
        ("below its level", as_it_is, |_| set(None, supervisor()), "Level", ""),
    ];
    play(rows);
}

/// E-mails that weigh 10 wait; whoever is there first can take ten of them.
struct Morning {
    s: Scene,
    mails: Vec<ConversationId>,
}

fn backlog(number: usize) -> Morning {
    let mut s = Scene::new();
    s.set(|settings| settings.weights[Channel::Email.index()] = Points(10));
    let mode = RoutingMode::ToQueue(ToQueue {
        queues: vec![s.queue],
        priority: Priority(0),
        accept: AcceptMode::Manual { ring: Span::seconds(600) },
    });
    let email = s.world.touchpoint_with(Channel::Email, mode);
    raised(&mut s);
    let mails = (0..number).map(|_| s.world.start(email)).collect();
    Morning { s, mails }
}

impl Morning {
    fn offered(&self, desk: Desk) -> usize {
        self.mails.iter().filter(|mail| self.s.rings(**mail) == Some(desk.agent)).count()
    }

    fn tick(&mut self, seconds: u64) {
        self.s.pass(seconds);
        self.s.world.ok(Command::Tick);
    }

    fn until(&self, desk: Desk) -> Option<LogTime> {
        self.s.world.shard.agent(desk.agent).expect("made").paced_until
    }
}

/// One worked example: docs/routing/pace.md goes through it with the same numbers.
#[test]
fn the_first_in_the_morning() {
    let mut m = backlog(12);
    let (ana, ben) = (m.s.a, m.s.b);
    m.s.world.ok(set(pace(3, 60), supervisor()));
    m.s.ready(ana);
    let began = LogTime(m.s.world.time);
    assert_eq!((m.offered(ana), m.until(ana)), (3, Some(began + Span::seconds(60))), "8:00:00");
    let gate = |m: &Morning, mail: usize, desk: Desk| {
        let why = m.s.world.shard.explain_wait(m.mails[mail]).expect("known");
        why.agents.into_iter().find(|(agent, _)| *agent == desk.agent).expect("of its queue").1
    };
    assert_eq!(gate(&m, 11, ana), Gate::Paced { until: began + Span::seconds(60) });
    m.s.pass(20);
    m.s.ready(ben);
    assert_eq!((m.offered(ana), m.offered(ben)), (3, 3), "8:00:20");
    m.tick(39);
    assert_eq!((m.offered(ana), m.offered(ben)), (3, 3), "8:00:59");
    m.tick(1);
    assert_eq!((m.offered(ana), m.offered(ben)), (6, 3), "8:01:00");
    m.tick(20);
    assert_eq!((m.offered(ana), m.offered(ben)), (6, 6), "8:01:20");
    // Without it Ben would have had two of the twelve.
    let mut m = backlog(12);
    m.s.ready(ana);
    m.s.pass(20);
    m.s.ready(ben);
    assert_eq!((m.offered(ana), m.offered(ben)), (10, 2));
}

/// The window slides: it is not begun anew by the first offer after it.
#[test]
fn the_window_slides() {
    let mut m = backlog(0);
    m.s.world.ok(set(pace(2, 60), supervisor()));
    let (ana, voice) = (m.s.a, m.s.voice);
    m.s.ready(ana);
    let call = |m: &mut Morning| {
        let id = m.s.world.start(voice);
        let rings = m.s.rings(id).is_some();
        m.s.world.ok(Command::Abandon { conversation: id });
        rings
    };
    assert!(call(&mut m), "0 s");
    m.s.pass(50);
    assert!(call(&mut m), "50 s");
    m.s.pass(9);
    assert!(!call(&mut m), "59 s: two within a minute");
    m.s.pass(1);
    assert!(call(&mut m), "60 s: that of 0 s is over");
    m.s.pass(49);
    assert!(!call(&mut m), "109 s: those of 50 and 60 s");
    m.s.pass(1);
    assert!(call(&mut m), "110 s");
}

#[test]
fn transfers_count_and_are_made_all_the_same() {
    let mut m = backlog(0);
    m.s.world.ok(set(pace(1, 60), supervisor()));
    let (ana, ben, voice) = (m.s.a, m.s.b, m.s.voice);
    m.s.ready(ana);
    let first = m.s.world.start(voice);
    m.s.world.accept(first);
    m.s.world.ok(Command::EndContact { conversation: first, by: supervisor() });
    m.s.ready(ben);
    let second = m.s.world.start(voice);
    m.s.world.accept(second);
    assert_eq!(m.s.world.shard.conversation(second).expect("known").stage.owner(), Some(ben.agent));
    assert!(m.until(ana).is_some());
    m.s.pass(30);
    m.s.change(ana.agent, |settings| settings.capacity = Points(100));
    let target = TransferTarget::Agent(ana.agent);
    let fallback = TransferFallback::LastQueues;
    m.s.world.ok(Command::Transfer { conversation: second, target, fallback, by: supervisor() });
    assert_eq!(m.s.rings(second), Some(ana.agent), "a human chose");
    let later = LogTime(m.s.world.time) + Span::seconds(60);
    assert_eq!(m.until(ana), Some(later), "and it counts");
}

#[test]
fn another_pace_counts_at_once_from_what_is_known() {
    let mut m = backlog(10);
    let ana = m.s.a;
    m.s.world.ok(set(pace(2, 60), supervisor()));
    m.s.ready(ana);
    assert_eq!(m.offered(ana), 2);
    let began = LogTime(m.s.world.time);
    m.s.pass(10);
    // Four: two are known.
    m.s.world.ok(set(pace(4, 60), supervisor()));
    assert_eq!((m.offered(ana), m.until(ana)), (4, Some(began + Span::seconds(60))));
    // One: the last one of ten seconds later.
    m.s.world.ok(set(pace(1, 60), supervisor()));
    assert_eq!(m.until(ana), Some(began + Span::seconds(70)));
    // One in five seconds, six later: it is over already.
    m.s.pass(6);
    m.s.world.ok(set(pace(1, 5), supervisor()));
    assert_eq!(m.offered(ana), 5);
    m.s.world.ok(set(None, supervisor()));
    assert_eq!((m.offered(ana), m.until(ana)), (10, None));
    // What was before is forgotten with it.
    m.s.world.ok(set(pace(1, 3_600), supervisor()));
    assert_eq!(m.until(ana), None);
}

/// Who is paced holds no room: another may hold it for the same call.
#[test]
fn who_is_paced_holds_no_room() {
    let mut m = backlog(0);
    let (ana, voice) = (m.s.a, m.s.voice);
    m.s.change(ana.agent, |settings| settings.capacity = Points(60));
    let email = m.s.world.touchpoint(Channel::Email, &[m.s.queue]);
    m.s.ready(ana);
    m.s.world.ok(set(pace(2, 60), supervisor()));
    m.s.world.start(email);
    m.s.pass(1);
    let call = m.s.world.start(voice);
    m.s.pass(1);
    m.s.world.start(email);
    let held = |m: &Morning| m.s.world.shard.agent(ana.agent).expect("made").held_for;
    assert_eq!(held(&m).map(|(held, _)| held), Some(call));
    // The one that it gets for its rank is its second.
    let arrival = Arrival {
        touchpoint: email,
        customer: "c".to_owned(),
        reference: String::new(),
        priority: Some(Priority(9)),
        continues: None,
    };
    m.s.world.ok(Command::Start(arrival));
    assert_eq!((held(&m), m.until(ana).is_some()), (None, true));
}

#[test]
fn it_is_in_snapshots_and_goes_with_its_agent() {
    let mut m = backlog(9);
    let ana = m.s.a;
    m.s.world.ok(set(pace(3, 60), supervisor()));
    m.s.ready(ana);
    let until = m.until(ana).expect("paced");
    m.s.pass(5);
    m.s.world.shard = through_bytes(&mut m.s.world.shard);
    assert_eq!((m.until(ana), m.offered(ana)), (Some(until), 3));
    assert_eq!(m.s.world.shard.next_deadline(), Some(until));
    m.tick(55);
    assert_eq!(m.offered(ana), 6, "and it is over in its time");
    m.s.world.ok(Command::DeleteAgent { agent: ana.agent });
    assert!(
        m.s.world
            .shard
            .next_deadline()
            .is_some_and(|next| next > LogTime(m.s.world.time) + Span::seconds(60))
    );
    assert_eq!(
        m.s.world.refused(set(pace(3, 0), supervisor())),
        Rejected::Invalid { field: "pace.per".to_owned(), problem: "use 1 s to 3600 s".to_owned() }
    );
}
