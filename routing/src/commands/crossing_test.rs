//! Transfers between two domains of one shard, message by message.

use crate::command::{By, Intent, Recall, TransferFallback, TransferTarget};
use crate::event::Ending;
use crate::outcome::{DoneWhat, Landing, NotTaken};
use crate::scene::{Scene, person};
use crate::settings::{
    AcceptMode, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings, limits,
};
use crate::testing::{DOMAIN, supervisor};
use crate::view::Stage;
use crate::{
    AccountId, Channel, Command, ConversationId, DomainId, EventKind, LogTime, Outcome, Owed, Priority,
    QueueId, Reconciled, Rejected, Shard, Span, TouchpointId,
};

const THERE: DomainId = DomainId(2);

/// Two domains of one account; the second has one queue and two touchpoints.
struct Two {
    s: Scene,
    voice: TouchpointId,
    mail: TouchpointId,
}

impl Two {
    fn new() -> Self {
        Self::of(1, 10)
    }

    fn of(account: u32, waiting_max: u64) -> Self {
        let mut two =
            Self { s: Scene::new(), voice: TouchpointId::new(THERE, 1), mail: TouchpointId::new(THERE, 2) };
        let settings = DomainSettings { name: "e".to_owned(), ..DomainSettings::default() };
        two.ok(THERE, Command::CreateDomain { account: AccountId(account), settings });
        let settings = QueueSettings { name: "q".to_owned(), waiting_max, ..QueueSettings::default() };
        two.ok(THERE, Command::CreateQueue { settings });
        let queues = vec![QueueId::new(THERE, 1)];
        for (channel, address) in [(Channel::Voice, "v"), (Channel::Email, "m")] {
            let accept = AcceptMode::Manual { ring: Span::seconds(20) };
            let step = ToQueue { queues: queues.clone(), priority: Priority(0), accept };
            let mode = RoutingMode::ToQueue(step);
            let settings = TouchpointSettings { address: address.to_owned(), channel, mode };
            two.ok(THERE, Command::CreateTouchpoint { settings });
        }
        two
    }

    fn apply(&mut self, domain: DomainId, command: Command) -> Outcome {
        let entry = self.s.world.entry(domain, command, None);
        self.s.world.effects.clear();
        self.s.world.shard.apply(&entry, &mut self.s.world.effects)
    }

    fn ok(&mut self, domain: DomainId, command: Command) -> DoneWhat {
        let shown = format!("{command:?}");
        self.apply(domain, command).unwrap_or_else(|rejected| panic!("{shown}: {rejected}")).what
    }

    fn events(&self) -> String {
        self.s.world.events().join(" ")
    }

    fn leave(&mut self, to: TouchpointId, fallback: TransferFallback, by: By) {
        let (conversation, target) = (self.s.id, TransferTarget::Touchpoint(to));
        self.s.world.ok(Command::Transfer { conversation, target, fallback, by });
    }

    /// Owned by the first desk, then sent to the second domain.
    fn left(&mut self, to: TouchpointId, fallback: TransferFallback) {
        self.s.assigned();
        self.leave(to, fallback, By::Agent(self.s.a));
    }

    fn owed(&self) -> Vec<Owed> {
        self.s.world.shard.owed(self.s.world.shard.now(), usize::MAX, &|_, _, _| false)
    }

    /// The only message owed.
    fn message(&self) -> Owed {
        let mut owed = self.owed();
        assert_eq!(owed.len(), 1, "{owed:?}");
        owed.remove(0)
    }

    fn deliver(&mut self, owed: &Owed) -> Landing {
        match self.ok(owed.to, owed.command.clone()) {
            DoneWhat::Landed(landing) => landing,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, owed: &Owed, landing: Landing) {
        let (conversation, number) = (owed.crossing.from, owed.crossing.number);
        let recall = owed.recall.clone();
        self.ok(conversation.domain, Command::Settle { conversation, number, recall, landing });
    }

    fn carry(&mut self) -> Landing {
        let owed = self.message();
        let landing = self.deliver(&owed);
        self.settle(&owed, landing.clone());
        landing
    }

    fn stage_of(&self, id: ConversationId) -> &'static str {
        self.s.world.stage(id)
    }

    fn there(&self) -> Vec<ConversationId> {
        let view = self.s.world.shard.view(THERE).expect("made");
        view.conversations.keys().copied().collect()
    }
}

fn arrived(landing: Landing) -> ConversationId {
    match landing {
        Landing::Arrived(id) => id,
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_leaves_arrives_and_ends_as_moved() {
    let mut two = Two::new();
    let arrived_at = LogTime(two.s.world.time);
    two.s.assigned();
    two.s.pass(40);
    two.leave(two.voice, TransferFallback::Source, By::Agent(two.s.a));
    assert_eq!(two.events(), "TransferStarted Released");
    assert_eq!((two.s.stage(), two.s.world.load(two.s.a)), ("transferring", 0), "its points are free");
    two.s.pass(2);
    two.s.world.tick();
    let owed = two.message();
    let id = arrived(two.deliver(&owed));
    assert_eq!(two.events(), "ArrivedFrom Waiting");
    let seen = two.s.world.shard.conversation(id).expect("there");
    assert_eq!((seen.arrived_at, seen.hops, seen.customer.as_str()), (arrived_at, 1, "customer"));
    assert_eq!(two.s.stage(), "transferring", "until that is settled");
    two.settle(&owed, Landing::Arrived(id));
    assert_eq!(two.events(), "Ended");
    let seen = two.s.world.shard.conversation(two.s.id).expect("kept for a while");
    assert_eq!(seen.stage, Stage::Ended(Ending::Moved { to: id }));
    assert!(two.owed().is_empty() && !two.s.world.shard.owes());
}

#[test]
fn a_priority_goes_with_it_and_it_may_come_home() {
    let mut two = Two::new();
    two.s.id = two.s.world.started(two.s.voice, Some(Priority(7))).0;
    two.leave(two.voice, TransferFallback::Source, supervisor());
    let id = arrived(two.carry());
    let view = two.s.world.shard.conversation(id).expect("there");
    assert_eq!((view.priority, view.stage.name()), (Priority(7), "queued"));
    let target = TransferTarget::Touchpoint(two.s.voice);
    let (fallback, by) = (TransferFallback::Source, supervisor());
    two.ok(THERE, Command::Transfer { conversation: id, target, fallback, by });
    let home = arrived(two.carry());
    assert_eq!((home.domain, two.s.world.shard.conversation(home).expect("home").hops), (two.s.id.domain, 2));
    assert_eq!((two.stage_of(two.s.id), two.stage_of(id)), ("closed", "closed"));
}

#[test]
fn what_is_sent_again_arrives_once() {
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::Source);
    let owed = two.message();
    let id = arrived(two.deliver(&owed));
    assert_eq!(two.deliver(&owed), Landing::Arrived(id));
    assert_eq!(two.events(), "");
    assert_eq!(two.there(), [id]);
    two.settle(&owed, Landing::Arrived(id));
    // The answer of a second message, or of a former leader.
    let (conversation, number, landing) = (two.s.id, owed.crossing.number, Landing::Arrived(id));
    let again = Command::Settle { conversation, number, recall: None, landing };
    assert!(matches!(two.apply(conversation.domain, again), Err(Rejected::WrongState { .. })));
    // The next message says from where on the first domain knows; what is older is forgotten.
    two.s.waiting();
    two.leave(two.voice, TransferFallback::Source, supervisor());
    two.carry();
    let late = two.apply(owed.to, owed.command);
    assert!(matches!(&late, Err(Rejected::Unknown { kind, .. }) if kind == "transfer"), "{late:?}");
    assert_eq!(two.there().len(), 2);
}

#[test]
fn refusals_and_their_fallbacks() {
    let gone = TouchpointId::new(THERE, 99);
    type Case = (&'static str, fn() -> Two, fn(&Two) -> TouchpointId, NotTaken);
    let cases: [Case; 4] = [
        ("another account", || Two::of(2, 10), |two| two.voice, NotTaken::OtherAccount),
        ("another channel", Two::new, |two| two.mail, NotTaken::OtherChannel),
        ("no room", || Two::of(1, 0), |two| two.voice, NotTaken::Full),
        ("no touchpoint", Two::new, |_| TouchpointId::new(THERE, 99), NotTaken::UnknownTouchpoint),
    ];
    for (what, make, to, why) in cases {
        let mut two = make();
        two.left(to(&two), TransferFallback::LastQueues);
        two.s.away(two.s.a);
        assert_eq!(two.carry(), Landing::Refused(why), "{what}");
        assert_eq!(two.events(), "TransferRefused TransferFailed Waiting", "{what}");
        assert_eq!((two.s.stage(), two.there().len()), ("queued", 0), "{what}");
    }
    // The agent who sent it away gets it again, alone for a while; then its queues.
    let mut two = Two::new();
    two.left(gone, TransferFallback::Source);
    two.s.away(two.s.a);
    two.s.ready(two.s.b);
    two.carry();
    assert_eq!((two.s.stage(), two.s.world.load(two.s.b)), ("queued", 0));
    two.s.pass(limits::BACK_TO_SOURCE_MAX.0 / 1_000_000);
    two.s.world.tick();
    assert_eq!(two.s.world.offer_of(two.s.id).map(|(_, agent)| agent), Some(two.s.b.agent));
    let mut two = Two::new();
    two.left(gone, TransferFallback::Source);
    two.carry();
    assert_eq!(two.s.world.offer_of(two.s.id).map(|(_, agent)| agent), Some(two.s.a.agent));
    // Another queue.
    let mut two = Two::new();
    two.left(gone, TransferFallback::Queue(two.s.plain));
    two.s.away(two.s.a);
    two.carry();
    assert_eq!(two.s.world.shard.conversation(two.s.id).expect("known").queues, [two.s.plain]);
    // The hop that is too many is refused at home already.
    let mut two = Two::new();
    two.s.waiting();
    for hop in 0..limits::HOPS_MAX {
        let queue = if hop % 2 == 0 { two.s.plain } else { two.s.queue };
        let (conversation, target) = (two.s.id, TransferTarget::Queue(queue));
        let (fallback, by) = (TransferFallback::Source, supervisor());
        two.s.world.ok(Command::Transfer { conversation, target, fallback, by });
    }
    let (conversation, target) = (two.s.id, TransferTarget::Touchpoint(two.voice));
    let (fallback, by) = (TransferFallback::Source, supervisor());
    let refused = two.s.world.refused(Command::Transfer { conversation, target, fallback, by });
    assert_eq!(refused, Rejected::HopLimit { limit: limits::HOPS_MAX });
}

fn in_time(two: &mut Two) {
    two.s.pass(limits::CROSSING_MAX.0 / 1_000_000);
    two.s.world.tick();
}

#[test]
fn late_is_called_back_and_only_the_other_domain_says_what_became_of_it() {
    // It never got there: from now on it never will.
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::LastQueues);
    two.s.away(two.s.a);
    let first = two.message();
    in_time(&mut two);
    assert_eq!((two.events().as_str(), two.s.stage()), ("Recalled", "transferring"));
    assert_eq!(two.message().recall, Some(Recall::TimedOut));
    assert_eq!(two.carry(), Landing::Withdrawn);
    assert_eq!((two.events().as_str(), two.s.stage()), ("TransferFailed Waiting", "queued"));
    assert_eq!(two.deliver(&first), Landing::Withdrawn, "the first message, late");
    assert!(two.there().is_empty());
    // It did get there, and only the answer was lost.
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::LastQueues);
    let first = two.message();
    let id = arrived(two.deliver(&first));
    in_time(&mut two);
    assert_eq!(two.carry(), Landing::Arrived(id));
    assert_eq!((two.s.stage(), two.stage_of(id)), ("closed", "queued"));
    // The answer comes after the recall, which is then needless.
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::LastQueues);
    let first = two.message();
    let landing = two.deliver(&first);
    in_time(&mut two);
    two.settle(&first, landing);
    assert_eq!((two.s.stage(), two.owed().len()), ("closed", 0));
}

#[test]
fn a_customer_who_leaves_on_the_way_has_left_in_whichever_domain_it_is() {
    // Before it arrived.
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::Source);
    two.s.world.ok(Command::Abandon { conversation: two.s.id });
    assert_eq!((two.events().as_str(), two.s.stage()), ("Recalled", "transferring"));
    two.s.world.ok(Command::Abandon { conversation: two.s.id });
    assert_eq!(two.events(), "", "once is enough");
    assert_eq!(two.carry(), Landing::Withdrawn);
    assert_eq!((two.s.stage(), two.there().len()), ("abandoned", 0));
    // After it arrived, which nobody here knew.
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::Source);
    let first = two.message();
    let id = arrived(two.deliver(&first));
    two.s.world.ok(Command::Abandon { conversation: two.s.id });
    two.settle(&first, Landing::Arrived(id));
    assert_eq!(two.s.stage(), "transferring", "that answer knows nothing of the recall");
    assert_eq!(two.carry(), Landing::Arrived(id));
    assert_eq!((two.s.stage(), two.stage_of(id)), ("closed", "abandoned"));
    // Refused, which is certain whatever was sent: it ends at home.
    let mut two = Two::of(2, 10);
    two.left(two.voice, TransferFallback::Source);
    let first = two.message();
    let refused = two.deliver(&first);
    two.s.world.ok(Command::Abandon { conversation: two.s.id });
    two.settle(&first, refused);
    assert_eq!((two.s.stage(), two.owed().len()), ("abandoned", 0));
    // It was on its way home again from there.
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::Source);
    let first = two.message();
    let id = arrived(two.deliver(&first));
    let (target, fallback) = (TransferTarget::Touchpoint(two.s.voice), TransferFallback::Source);
    two.ok(THERE, Command::Transfer { conversation: id, target, fallback, by: supervisor() });
    two.s.world.ok(Command::Abandon { conversation: two.s.id });
    let recall = two.owed().into_iter().find(|owed| owed.to == THERE).expect("owed");
    let landing = two.deliver(&recall);
    two.settle(&recall, landing);
    assert_eq!((two.s.stage(), two.stage_of(id)), ("closed", "transferring"));
    assert_eq!(two.carry(), Landing::Withdrawn);
    assert_eq!(two.stage_of(id), "abandoned");
}

#[test]
fn a_close_on_the_way_closes_in_whichever_domain_it_is() {
    for force in [false, true] {
        for there in [false, true] {
            let mut two = Two::new();
            two.left(two.voice, TransferFallback::Source);
            let first = two.message();
            let id = there.then(|| arrived(two.deliver(&first)));
            let (conversation, reason, by) = (two.s.id, "r".to_owned(), supervisor());
            two.s.world.ok(if force {
                Command::ForceClose { conversation, reason, by }
            } else {
                Command::Close { conversation, reason, by }
            });
            // Whoever comes second changes nothing.
            two.s.world.ok(Command::Abandon { conversation });
            assert_eq!(two.events(), "");
            two.carry();
            assert_eq!(two.s.stage(), "closed");
            let closed = |id| two.s.world.shard.conversation(id).expect("known").stage;
            let last = id.map_or_else(|| closed(two.s.id), closed);
            assert!(matches!(last, Stage::Ended(Ending::Closed { .. })), "{force} {there}: {last:?}");
        }
    }
}

#[test]
fn nobody_touches_it_on_the_way() {
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::Source);
    let (conversation, by) = (two.s.id, supervisor());
    let (target, fallback) = (TransferTarget::Queue(two.s.plain), TransferFallback::Source);
    let priority = Priority(1);
    for command in [
        Command::Transfer { conversation, target, fallback, by: by.clone() },
        Command::Reprioritise { conversation, priority, by: by.clone() },
        Command::EndContact { conversation, by: by.clone() },
        Command::Assign { desk: two.s.b, conversation },
    ] {
        let refused = two.s.world.refused(command);
        assert!(
            matches!(&refused, Rejected::WrongState { state, .. } if state == "transferring"),
            "{refused}"
        );
    }
    // Nor do its owner's end, its queue's or its touchpoint's.
    two.s.world.ok(Command::LogOut { agent: two.s.a.agent, by });
    for touchpoint in [two.s.voice, two.s.mail] {
        two.s.world.ok(Command::DeleteTouchpoint { touchpoint });
    }
    for queue in [two.s.queue, two.s.plain] {
        two.s.world.ok(Command::DeleteQueue { queue });
    }
    two.s.world.ok(Command::DeleteAgent { agent: two.s.a.agent });
    assert_eq!(two.s.stage(), "transferring");
    // Called back it has no place any more.
    in_time(&mut two);
    two.carry();
    assert_eq!(two.events(), "TransferFailed Ended");
    assert_eq!(two.s.stage(), "closed");
}

#[test]
fn a_touchpoint_of_its_own_domain_is_refused_and_the_outbox_is_bounded() {
    let mut two = Two::new();
    two.s.waiting();
    let (fallback, by) = (TransferFallback::Source, supervisor());
    let home = TransferTarget::Touchpoint(two.s.mail);
    let command = Command::Transfer { conversation: two.s.id, target: home, fallback, by: by.clone() };
    assert!(matches!(two.s.world.refused(command), Rejected::Invalid { .. }));
    let target = TransferTarget::Touchpoint(two.voice);
    for _ in 0..limits::CROSSINGS_MAX {
        let conversation = two.s.world.start(two.s.voice);
        two.s.world.ok(Command::Transfer { conversation, target, fallback, by: by.clone() });
    }
    let command = Command::Transfer { conversation: two.s.id, target, fallback, by };
    assert!(matches!(two.s.world.refused(command.clone()), Rejected::Full { .. }));
    assert_eq!(two.s.world.shard.owed(LogTime(0), 7, &|_, _, _| false).len(), 7);
    let first = two.owed().remove(0);
    let landing = two.deliver(&first);
    two.settle(&first, landing);
    two.s.world.ok(command);
}

#[test]
fn a_snapshot_between_two_messages_goes_on_and_a_restored_domain_counts_on() {
    let mut two = Two::new();
    two.left(two.voice, TransferFallback::Source);
    let owed = two.message();
    let id = arrived(two.deliver(&owed));
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&two.s.world.shard, config).expect("a state");
    let again: crate::Shard = bincode::serde::decode_from_slice(&bytes, config).expect("the same state").0;
    assert_eq!(again.state_hash(), two.s.world.shard.state_hash());
    two.s.world.shard = again;
    assert_eq!(two.message(), owed);
    assert_eq!(two.deliver(&owed), Landing::Arrived(id));
    // What a former life of this domain sent after the backup has other numbers.
    two.s.world.shard.reborn();
    two.s.id = two.s.world.start(two.s.voice);
    two.leave(two.voice, TransferFallback::Source, supervisor());
    let numbers: Vec<u64> = two.owed().iter().map(|owed| owed.crossing.number).collect();
    assert_eq!((numbers.len(), numbers[0]), (2, 1));
    assert!(numbers[1] > 1_000, "{numbers:?}");
}

#[test]
fn an_agent_there_is_offered_it_in_the_entry_of_its_arrival() {
    let mut two = Two::new();
    let settings = person(&[QueueId::new(THERE, 1)]);
    let DoneWhat::Agent(agent) = two.ok(THERE, Command::CreateAgent { settings }) else { panic!("no agent") };
    two.ok(THERE, Command::OpenSession { agent });
    two.ok(THERE, Command::SetPresence { agent, intent: Intent::Available, by: supervisor() });
    two.left(two.voice, TransferFallback::Source);
    let owed = two.message();
    let id = arrived(two.deliver(&owed));
    assert_eq!(two.events(), "ArrivedFrom Waiting Offered");
    assert_eq!(two.s.world.offer_of(id).map(|(_, agent)| agent), Some(agent));
    let from = two.s.world.effects.events.iter().find_map(|event| match event.kind {
        EventKind::ArrivedFrom { from, .. } => Some(from),
        _ => None,
    });
    assert_eq!(from, Some(two.s.id));
}

/// Each domain as in one of two moments: before the crossing, or after it is settled.
#[test]
fn domains_restored_to_different_moments_have_it_once() {
    let mut two = Two::new();
    two.s.assigned();
    let before = two.s.world.shard.clone();
    two.leave(two.voice, TransferFallback::Source, By::Agent(two.s.a));
    let left = two.s.world.shard.clone();
    let id = arrived(two.carry());
    let after = two.s.world.shard.clone();
    let stage = |shard: &Shard, id| shard.conversation(id).map(|seen| seen.stage.name());

    // It would be in both: its own domain had not sent it yet.
    let (mut home, mut far) = (before.clone().without(THERE), after.clone().without(DOMAIN));
    let done = Shard::reconcile(&mut [&mut home, &mut far]);
    assert_eq!((done.closed, done.returned), (vec![id], vec![]));
    assert_eq!((stage(&home, two.s.id), stage(&far, id)), (Some("assigned"), Some("closed")));

    // It would be in none: the other domain had not seen it yet.
    let (mut home, mut far) = (after.clone().without(THERE), before.clone().without(DOMAIN));
    let done = Shard::reconcile(&mut [&mut home, &mut far]);
    assert_eq!((done.closed, done.returned), (vec![], vec![two.s.id]));
    assert_eq!((stage(&home, two.s.id), stage(&far, id)), (Some("queued"), None));
    assert!(home.is_pending(), "somebody is offered it by the next entry");

    // On its way, or over on both sides: nothing to put right.
    for (one, other) in [(&left, &before), (&left, &after), (&after, &after), (&before, &before)] {
        let (mut home, mut far) = (one.clone().without(THERE), other.clone().without(DOMAIN));
        let hashes = (home.state_hash(), far.state_hash());
        assert_eq!(Shard::reconcile(&mut [&mut home, &mut far]), Reconciled::default());
        assert_eq!((home.state_hash(), far.state_hash()), hashes);
    }
}
