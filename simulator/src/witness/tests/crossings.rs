//! Transfers between domains of two shards: sound ones are silent, and what does not fit is seen.

use super::super::{Applied, Broken, Options, Witness};
use routing::command::{Arrival, By, Recall, TransferFallback, TransferTarget};
use routing::entry::Request;
use routing::outcome::{DoneWhat, Landing, NotTaken};
use routing::settings::{
    AcceptMode, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use routing::{
    AccountId, Channel, Command, ConversationId, DomainId, Effects, Entry, LogTime, Owed, PlantedBug,
    Position, Priority, QueueId, Shard, ShardId, Span, TouchpointId,
};

const HOME: DomainId = DomainId(1);
const FAR: DomainId = DomainId(2);

/// Two shards with a domain each, and one replica of both.
struct Pair {
    witness: Witness,
    shards: [Shard; 2],
    indexes: [u64; 2],
}

impl Pair {
    fn new(bug: Option<PlantedBug>) -> Self {
        let mut witness = Witness::new(Options::default());
        let mut shards = [Shard::new(ShardId(1)), Shard::new(ShardId(2))];
        for shard in &mut shards {
            witness.began(1, shard.id());
            if let Some(bug) = bug {
                shard.plant(bug);
            }
        }
        let mut pair = Self { witness, shards, indexes: [0; 2] };
        for domain in [HOME, FAR] {
            let settings = DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
            pair.apply(domain, Command::CreateDomain { account: AccountId(1), settings });
            let settings = QueueSettings { name: "q".to_owned(), ..QueueSettings::default() };
            pair.apply(domain, Command::CreateQueue { settings });
            let accept = AcceptMode::Manual { ring: Span::seconds(20) };
            let step = ToQueue { queues: vec![QueueId::new(domain, 1)], priority: Priority(0), accept };
            let mode = RoutingMode::ToQueue(step);
            let settings = TouchpointSettings { address: "t".to_owned(), channel: Channel::Voice, mode };
            pair.apply(domain, Command::CreateTouchpoint { settings });
        }
        pair
    }

    fn apply(&mut self, domain: DomainId, command: Command) -> DoneWhat {
        let at = (domain.0 - 1) as usize;
        self.indexes[at] += 1;
        let position = Position { index: self.indexes[at], ordinal: 0 };
        let request = Request { id: None, domain, expected_version: None, command };
        let entry =
            Entry { position, time: LogTime(self.indexes[at] * 1_000), wall_ms: 1_700_000_000_000, request };
        let mut effects = Effects::default();
        let shard = &mut self.shards[at];
        let outcome = shard.apply(&entry, &mut effects);
        self.witness.applied(&Applied {
            node: 1,
            entry: &entry,
            outcome: &outcome,
            events: &effects.events,
            shard,
            last_of_index: true,
        });
        outcome.unwrap_or_else(|rejected| panic!("{entry:?}: {rejected}")).what
    }

    /// A call that has left for the other domain.
    fn left(&mut self) -> (ConversationId, Owed) {
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, 1),
            customer: "c".to_owned(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        let DoneWhat::Conversation { id, .. } = self.apply(HOME, Command::Start(arrival)) else {
            panic!("no conversation")
        };
        let target = TransferTarget::Touchpoint(TouchpointId::new(FAR, 1));
        let (fallback, by) = (TransferFallback::Source, By::System);
        self.apply(HOME, Command::Transfer { conversation: id, target, fallback, by });
        (id, self.owed())
    }

    fn owed(&self) -> Owed {
        let shard = &self.shards[0];
        shard.owed(shard.now(), 1, &|_, _, _| false).remove(0)
    }

    fn deliver(&mut self, owed: &Owed) -> Landing {
        match self.apply(FAR, owed.command.clone()) {
            DoneWhat::Landed(landing) => landing,
            other => panic!("{other:?}"),
        }
    }

    fn settle(&mut self, owed: &Owed, landing: Landing) {
        let (conversation, number) = (owed.crossing.from, owed.crossing.number);
        let recall = owed.recall.clone();
        self.apply(HOME, Command::Settle { conversation, number, recall, landing });
    }

    fn broken(&self) -> Vec<&'static str> {
        self.witness.broken().iter().map(|Broken { promise, .. }| *promise).collect()
    }
}

#[test]
fn sound_ones_are_silent_and_counted() {
    let mut pair = Pair::new(None);
    let (_, owed) = pair.left();
    let landing = pair.deliver(&owed);
    assert_eq!(pair.deliver(&owed), landing);
    pair.settle(&owed, landing);
    let (id, _) = pair.left();
    pair.apply(HOME, Command::Abandon { conversation: id });
    let recall = pair.owed();
    assert_eq!(recall.recall, Some(Recall::Abandoned));
    let landing = pair.deliver(&recall);
    pair.settle(&recall, landing);
    assert_eq!(pair.broken(), [""; 0], "{:?}", pair.witness.broken());
    let figures = pair.witness.figures();
    assert_eq!(
        (figures.crossings_left, figures.crossings_arrived, figures.crossings_repeated),
        (2, 1, 1),
        "{figures:?}"
    );
    assert_eq!((figures.crossings_recalled, figures.crossings_withdrawn), (1, 1), "{figures:?}");
}

/// Answers that the other domain never gave.
#[test]
fn what_one_domain_says_and_the_other_did_not_do_is_seen() {
    let elsewhere = Landing::Arrived(ConversationId::new(FAR, 77));
    let refused = Landing::Refused(NotTaken::Full);
    type Forge = (&'static str, bool, Landing);
    let forged: [Forge; 4] = [
        ("ended as moved, never sent", false, elsewhere.clone()),
        ("ended as moved, to another one", true, elsewhere),
        ("taken back, though it is there", true, Landing::Withdrawn),
        ("taken back, never asked", false, refused),
    ];
    for (what, delivered, landing) in forged {
        let mut pair = Pair::new(None);
        let (_, owed) = pair.left();
        if delivered {
            pair.deliver(&owed);
        }
        pair.settle(&owed, landing);
        assert_eq!(pair.broken(), ["R-17"], "{what}");
        let home = pair.shards[0].conversation(owed.crossing.from).expect("known");
        if !delivered && !home.stage.is_terminal() {
            pair.deliver(&owed);
            assert_eq!(pair.broken(), ["R-17"; 2], "{what}, and then it arrives");
        }
    }
}

#[test]
fn planted_faults_are_seen() {
    let mut pair = Pair::new(Some(PlantedBug::ArrivedTwice));
    let (_, owed) = pair.left();
    pair.deliver(&owed);
    assert_eq!(pair.broken(), [""; 0]);
    pair.deliver(&owed);
    assert!(pair.broken().contains(&"R-17"), "{:?}", pair.broken());

    let mut pair = Pair::new(Some(PlantedBug::RecalledUnasked));
    let (id, owed) = pair.left();
    pair.deliver(&owed);
    pair.apply(HOME, Command::Abandon { conversation: id });
    assert!(pair.broken().contains(&"R-17"), "{:?}", pair.broken());
}
