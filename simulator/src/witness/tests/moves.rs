//! Domains that move between two shards: sound moves are silent, and what a move breaks is seen.

use super::super::{Applied, Options, Witness};
use routing::command::{Arrival, MovePart};
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::settings::{
    AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
};
use routing::{
    AccountId, Channel, Command, DomainId, Effects, Entry, Event, LogTime, MovePiece, PlantedBug, Position,
    Priority, QueueId, RequestId, Shard, ShardId, Span, TouchpointId, level,
};

const HOME: DomainId = DomainId(1);

/// Two shards, the second one's time far ahead, and one replica of both.
struct Pair {
    witness: Witness,
    shards: [Shard; 2],
    indexes: [u64; 2],
    events: Vec<Event>,
    moves: u64,
}

impl Pair {
    /// With a domain on the first shard: an agent, a queue, a call that waits.
    fn new(bug: Option<PlantedBug>) -> Self {
        let mut witness = Witness::new(Options::default());
        let shards = [Shard::new(ShardId(1)), Shard::new(ShardId(2))];
        shards.iter().for_each(|shard| witness.began(1, shard.id()));
        let mut pair = Self { witness, shards, indexes: [0; 2], events: Vec::new(), moves: 0 };
        if let Some(bug) = bug {
            pair.shards.iter_mut().for_each(|shard| shard.plant(bug));
        }
        for place in 0..2 {
            pair.apply(place, DomainId::SHARD, None, Command::SetLevel { level: level::MOVES });
        }
        let settings = DomainSettings { name: "d".to_owned(), ..DomainSettings::default() };
        pair.apply(0, HOME, None, Command::CreateDomain { account: AccountId(1), settings });
        let settings = QueueSettings { name: "q".to_owned(), ..QueueSettings::default() };
        pair.apply(0, HOME, None, Command::CreateQueue { settings });
        let queues = vec![QueueId::new(HOME, 1)];
        let name = "a".to_owned();
        let settings = AgentSettings { name, queues: queues.clone(), ..AgentSettings::default() };
        pair.apply(0, HOME, None, Command::CreateAgent { settings });
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues, priority: Priority(0), accept });
        let settings = TouchpointSettings { address: "t".to_owned(), channel: Channel::Voice, mode };
        pair.apply(0, HOME, None, Command::CreateTouchpoint { settings });
        pair.call(0, 1);
        pair
    }

    fn apply(&mut self, place: usize, domain: DomainId, id: Option<RequestId>, command: Command) -> DoneWhat {
        self.indexes[place] += 1;
        let index = self.indexes[place];
        let position = Position { index, ordinal: 0 };
        let time = LogTime(index * 1_000 + 77_000_000 * place as u64);
        let request = Request { id, domain, expected_version: None, command };
        let entry = Entry { position, time, wall_ms: 1_700_000_000_000, request };
        let mut effects = Effects::default();
        let shard = &mut self.shards[place];
        let outcome = shard.apply(&entry, &mut effects);
        self.witness.applied(&Applied {
            node: 1,
            entry: &entry,
            outcome: &outcome,
            events: &effects.events,
            shard,
            last_of_index: true,
        });
        if !matches!(entry.request.command, Command::Move(_)) {
            self.events.extend(effects.events);
        }
        outcome.unwrap_or_else(|rejected| panic!("{entry:?}: {rejected}")).what
    }

    /// A call under this request id.
    fn call(&mut self, place: usize, id: u128) -> DoneWhat {
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, 1),
            customer: "c".to_owned(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        let id = RequestId(1_700_000_000_000 << 80 | id);
        self.apply(place, HOME, Some(id), Command::Start(arrival))
    }

    fn part(&mut self, place: usize, part: MovePart) {
        self.apply(place, HOME, None, Command::Move(Box::new(part)));
    }

    /// To the other shard; what is sent, pieces and record, may be meddled with.
    fn moves(&mut self, from: usize, meddle: impl Fn(&mut Vec<MovePiece>, &mut Vec<Event>)) {
        let to = 1 - from;
        self.moves += 1;
        let number = self.moves;
        self.part(from, MovePart::Freeze { number, to: self.shards[to].id() });
        let mut pieces: Vec<MovePiece> = self.shards[from].leaving().expect("it rests").pieces().collect();
        let mut events = self.events.clone();
        meddle(&mut pieces, &mut events);
        self.part(to, MovePart::Take { number, part: 0, last: true, pieces });
        self.part(to, MovePart::Record { number, events });
        self.part(to, MovePart::End { number, placed: true });
        self.part(from, MovePart::End { number, placed: true });
    }

    fn promises(&self) -> Vec<&'static str> {
        self.witness.broken().iter().map(|broken| broken.promise).collect()
    }
}

#[test]
fn a_sound_move_is_silent_and_promises_go_on_over_it() {
    let mut pair = Pair::new(None);
    let first = pair.call(0, 2);
    for from in [0, 1, 0] {
        pair.moves(from, |_, _| {});
        pair.call(1 - from, 10 + from as u128 + u128::from(pair.moves));
        assert_eq!(pair.call(1 - from, 2), first, "answered as before");
    }
    pair.moves += 1;
    let (number, to) = (pair.moves, ShardId(1));
    pair.part(1, MovePart::Freeze { number, to });
    pair.part(1, MovePart::End { number, placed: false });
    pair.call(1, 99);
    assert_eq!(pair.promises(), [""; 0], "{:?}", pair.witness.broken());
    let figures = pair.witness.figures();
    assert_eq!((figures.moves_begun, figures.moves_done, figures.moves_given_up), (4, 3, 1), "{figures:?}");
}

#[test]
fn a_domain_that_arrives_otherwise_than_it_left_is_seen() {
    type Meddle = fn(&mut Vec<MovePiece>, &mut Vec<Event>);
    let rows: [(&str, &str, Meddle); 3] = [
        ("a conversation is left behind", "move", |pieces, _| {
            let place = pieces.iter().position(|piece| format!("{piece:?}").contains("Conversation("));
            pieces.remove(place.expect("one waits"));
        }),
        ("another event is sent along", "R-15", |_, events| {
            events.last_mut().expect("some").wall_ms += 1;
        }),
        ("answers are left behind", "R-16", |pieces, _| {
            pieces.retain(|piece| !format!("{piece:?}").contains("Answer"));
        }),
    ];
    for (what, promise, meddle) in rows {
        let mut pair = Pair::new(None);
        pair.moves(0, meddle);
        pair.call(1, 1);
        assert!(pair.promises().contains(&promise), "{what}: {:?}", pair.witness.broken());
    }
}

#[test]
fn planted_faults_of_moves_are_seen() {
    for (bug, promise) in [(PlantedBug::MovedWithoutRequests, "R-16"), (PlantedBug::MovedAndStayed, "move")] {
        let mut pair = Pair::new(Some(bug));
        pair.moves(0, |_, _| {});
        pair.call(1, 1);
        assert!(pair.promises().contains(&promise), "{}: {:?}", bug.name(), pair.witness.broken());
    }
}
