//! The engine as two shards, between which domains move while they work. Whoever asks it is told what
//! one shard that nothing ever left would say, events and all: that is what a move has to be.

use super::machine::{Engine, Machine};
use routing::command::MovePart;
use routing::entry::Request;
use routing::outcome::DoneWhat;
use routing::settings::DomainSettings;
use routing::view::DomainView;
use routing::{
    AccountId, Command, DomainId, Entry, Event, LogTime, MovePiece, Outcome, PlantedBug, Position, Rejected,
    Shard, ShardId, Whereabouts, level,
};
use std::collections::BTreeMap;

const CONFIG: bincode::config::Configuration = bincode::config::standard();
/// The log time of the second shard is ahead of the first one's by so much.
const SKEW_US: u64 = 5_000_000_007;
/// Pieces of a part.
const AT_ONCE: usize = 7;
/// A domain that nothing is known of, so that what names it only lets time pass.
const NOBODY: DomainId = DomainId(4_000_000_000);

/// Two shards.
pub struct Split {
    shards: [Engine; 2],
    home: BTreeMap<DomainId, usize>,
    now: LogTime,
    moves: u64,
    bug: Option<PlantedBug>,
}

fn through_bytes<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    let bytes = bincode::serde::encode_to_vec(value, CONFIG).expect("serialises");
    bincode::serde::decode_from_slice(&bytes, CONFIG).expect("deserialises").0
}

/// The state as it is read from a snapshot of it that was written in pieces.
fn restored(shard: &mut Shard) -> Shard {
    let frozen = shard.freeze();
    let bytes: Vec<u8> = frozen
        .pieces()
        .flat_map(|piece| bincode::serde::encode_to_vec(piece, CONFIG).expect("serialises"))
        .collect();
    let (again, read) = bincode::serde::decode_from_slice::<Shard, _>(&bytes, CONFIG).expect("deserialises");
    assert_eq!(read, bytes.len(), "all of it is read");
    assert_eq!(again.state_hash(), shard.state_hash());
    again
}

impl Split {
    /// Two empty shards, at the level at which domains move.
    pub fn new() -> Self {
        let shards = [1, 2].map(|id| Engine::of(Shard::new(ShardId(id))));
        Self { shards, home: BTreeMap::new(), now: LogTime(0), moves: 0, bug: None }
    }

    /// With this fault in both.
    pub fn planted(mut self, bug: PlantedBug) -> Self {
        self.shards.iter_mut().for_each(|engine| engine.shard.plant(bug));
        self.bug = Some(bug);
        self
    }

    /// Moves that were made and given up.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    fn at(&mut self, place: usize, entry: &Entry) -> (Outcome, Vec<Event>) {
        let mut entry = entry.clone();
        entry.time.0 += SKEW_US * place as u64;
        self.shards[place].apply(&entry)
    }

    fn part(&mut self, place: usize, domain: DomainId, part: MovePart) -> Result<DoneWhat, Rejected> {
        let command = Command::Move(Box::new(part));
        let request = Request { id: None, domain, expected_version: None, command };
        let entry = Entry { position: Position::default(), time: self.now, wall_ms: 0, request };
        let (outcome, events) = self.at(place, &entry);
        assert!(events.is_empty(), "a move tells nothing: {events:?}");
        outcome.map(|done| done.what)
    }

    /// Moves a domain to the other shard, or nearly.
    fn change(&mut self, domain: DomainId, placed: bool) {
        let from = self.home[&domain];
        let to = 1 - from;
        self.moves += 1;
        let number = self.moves;
        let there = ShardId(u32::try_from(to + 1).expect("two"));
        let freeze = MovePart::Freeze { number, to: there };
        match self.part(from, domain, freeze.clone()) {
            Err(Rejected::Quarantined | Rejected::Level { .. }) => return,
            other => assert_eq!(other, Ok(DoneWhat::Ok)),
        }
        assert_eq!(self.part(from, domain, freeze), Ok(DoneWhat::Ok), "again");
        assert_eq!(self.shards[from].shard.whereabouts(domain), Whereabouts::Moving);
        self.restart(from);
        let leaving = self.shards[from].shard.leaving().expect("it rests");
        let pieces: Vec<MovePiece> = leaving.pieces().collect();
        let parts: Vec<&[MovePiece]> = pieces.chunks(AT_ONCE).collect();
        let sent = if placed { parts.len() } else { parts.len() / 2 };
        for (part, pieces) in parts[..sent].iter().enumerate() {
            let part = u32::try_from(part).expect("few");
            let take = through_bytes(&MovePart::Take {
                number,
                part,
                last: part as usize + 1 == parts.len(),
                pieces: pieces.to_vec(),
            });
            let here = Ok(DoneWhat::Parts(part + 1));
            assert_eq!(self.part(to, domain, take.clone()), here);
            if part % 3 == 0 {
                assert_eq!(self.part(to, domain, take), here, "again");
                self.restart(to);
            }
        }
        // Nothing is done of it on the way, on either side.
        for place in [from, to].into_iter().take(1 + usize::from(sent > 0)) {
            let command =
                Command::CreateDomain { account: AccountId(1), settings: DomainSettings::default() };
            let request = Request { id: None, domain, expected_version: None, command };
            let entry = Entry { position: Position::default(), time: self.now, wall_ms: 0, request };
            assert_eq!(self.at(place, &entry).0, Err(Rejected::Moving));
        }
        for place in [to, from] {
            assert_eq!(self.part(place, domain, MovePart::End { number, placed }), Ok(DoneWhat::Ok));
            assert_eq!(self.part(place, domain, MovePart::End { number, placed }), Ok(DoneWhat::Ok), "again");
        }
        if placed {
            self.home.insert(domain, to);
            assert_eq!(self.shards[from].shard.whereabouts(domain), Whereabouts::Gone(there));
        }
        self.restart(to);
    }

    /// A replica goes on from its snapshot.
    fn restart(&mut self, place: usize) {
        let shard = &mut self.shards[place].shard;
        *shard = restored(shard);
        if let Some(bug) = self.bug {
            shard.plant(bug);
        }
    }
}

impl Machine for Split {
    fn apply(&mut self, entry: &Entry) -> (Outcome, Vec<Event>) {
        let index = entry.position.index;
        let movable = self.home.keys().copied().nth(usize::try_from(index / 5 % 3).expect("small"));
        if index.is_multiple_of(5)
            && let Some(domain) = movable
        {
            self.change(domain, index.is_multiple_of(10));
        }
        self.now = self.now.max(entry.time);
        let domain = entry.request.domain;
        if domain == DomainId::SHARD {
            let (outcome, mut events) = self.at(0, entry);
            events.extend(self.at(1, entry).1);
            return (outcome, events);
        }
        let place = self.home.get(&domain).copied().unwrap_or(0);
        let mut passing = entry.clone();
        passing.request =
            Request { id: None, domain: NOBODY, expected_version: None, command: Command::Tick };
        self.at(1 - place, &passing).0.expect_err("nobody");
        let (outcome, events) = self.at(place, entry);
        if outcome.is_ok() && matches!(entry.request.command, Command::CreateDomain { .. }) {
            self.home.entry(domain).or_insert(place);
        }
        (outcome, events)
    }

    fn views(&self) -> BTreeMap<DomainId, DomainView> {
        self.home.iter().filter_map(|(id, place)| Some((*id, self.shards[*place].shard.view(*id)?))).collect()
    }

    fn owed(&self, now: LogTime) -> Vec<(DomainId, Command)> {
        let mut owed = Vec::new();
        for (place, engine) in self.shards.iter().enumerate() {
            let now = LogTime(now.0 + SKEW_US * place as u64);
            owed.extend(engine.shard.owed(now, usize::MAX, &|_, _, _| false));
        }
        // As one shard says it: by the domain that owes it.
        owed.sort_by_key(|owed| owed.crossing.from.domain);
        owed.into_iter().map(|owed| (owed.to, owed.command)).collect()
    }

    fn prepare(&mut self) -> Option<Entry> {
        let command = Command::SetLevel { level: level::MOVES };
        let request = Request { id: None, domain: DomainId::SHARD, expected_version: None, command };
        Some(Entry { position: Position::default(), time: LogTime(0), wall_ms: 0, request })
    }
}
