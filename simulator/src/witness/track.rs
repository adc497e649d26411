//! One shard: where its replicas are, and whether they agree.

use super::chain::{Chain, Link};
use super::frontier::Frontier;
use super::ledger::Ledger;
use super::states::States;
use super::{Applied, Broken, Options};
use routing::{Position, Shard, ShardId, fingerprint};
use std::collections::BTreeMap;

/// Where a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// Its next position has this number.
    Before(u64),
    /// It started where the witness no longer, or not yet, knows the positions.
    Unknown,
    /// It went another way and is not followed until it starts again.
    Lost,
}

/// A shard with all its replicas.
#[derive(Debug)]
pub(super) struct Track {
    shard: ShardId,
    options: Options,
    chain: Chain,
    replicas: BTreeMap<u64, Cursor>,
    states: States,
    frontier: Frontier,
}

/// Where a position stands.
enum Standing {
    /// The first replica to come to it.
    Frontier,
    /// Behind the frontier: to be compared with this.
    Behind(Link),
    /// Not to be looked at.
    Skip,
}

impl Track {
    pub(super) fn new(shard: ShardId, options: Options) -> Self {
        Self {
            shard,
            options,
            chain: Chain::new(options.positions_kept),
            replicas: BTreeMap::new(),
            states: States::default(),
            frontier: Frontier::new(options),
        }
    }

    pub(super) fn began(&mut self, node: u64) {
        self.replicas.insert(node, Cursor::Before(0));
    }

    pub(super) fn applied(&mut self, seen: &Applied<'_>, ledger: &mut Ledger) {
        let position = seen.entry.position;
        let link = Link {
            position,
            last: seen.last_of_index,
            entry: fingerprint(seen.entry),
            outcome: fingerprint(seen.outcome),
            events: fingerprint(seen.events),
        };
        match self.stand(seen.node, position, ledger) {
            Standing::Skip => return,
            Standing::Frontier => {
                self.chain.push(link);
                self.frontier.check(seen, ledger);
            }
            Standing::Behind(known) => {
                ledger.figures.entries_compared += 1;
                if known != link {
                    self.disagree(seen, &link, &known, ledger);
                    return;
                }
            }
        }
        if seen.last_of_index {
            self.index_ended(seen.node, seen.shard, position.index, ledger);
        }
    }

    pub(super) fn unreadable(
        &mut self,
        node: u64,
        position: Position,
        last: bool,
        why: &str,
        ledger: &mut Ledger,
    ) {
        let link = Link { position, last, entry: 0, outcome: 0, events: 0 };
        match self.stand(node, position, ledger) {
            Standing::Frontier => self.chain.push(link),
            Standing::Behind(known) if known != link => {
                self.replicas.insert(node, Cursor::Lost);
            }
            _ => {}
        }
        self.report("R-14", node, position, format!("a command that cannot be read: {why}"), ledger);
    }

    pub(super) fn passed(&mut self, node: u64, shard: &Shard, index: u64, ledger: &mut Ledger) {
        let link = Link::empty(index);
        match self.stand(node, link.position, ledger) {
            Standing::Skip => return,
            Standing::Frontier => {
                ledger.figures.indexes_passed += 1;
                self.chain.push(link);
            }
            // A different length shows in the position already.
            Standing::Behind(_) => {}
        }
        self.index_ended(node, shard, index, ledger);
    }

    /// Where a replica's next position stands, and moves the replica there.
    fn stand(&mut self, node: u64, position: Position, ledger: &mut Ledger) -> Standing {
        let number = match self.replicas.get(&node).copied().unwrap_or(Cursor::Unknown) {
            Cursor::Lost => return Standing::Skip,
            Cursor::Before(number) => number,
            Cursor::Unknown => match self.chain.find(position) {
                Some(number) => number,
                // A first replica that was never announced, or one that goes on at the head.
                None if self.chain.head().is_none_or(|head| head.leads_to(position)) => self.chain.next(),
                None => {
                    ledger.figures.entries_too_old += 1;
                    return Standing::Skip;
                }
            },
        };
        if number == self.chain.next() {
            self.replicas.insert(node, Cursor::Before(number + 1));
            if let Some(head) = self.chain.head().copied().filter(|head| !head.leads_to(position)) {
                let text = format!("after {} came {}", shown(head.position), shown(position));
                self.report("R-14", node, position, text, ledger);
                self.frontier.blind();
            }
            return Standing::Frontier;
        }
        let Some(known) = self.chain.get(number).copied() else {
            // Too far behind to be compared: it may catch up with what is kept.
            self.replicas.insert(node, Cursor::Unknown);
            ledger.figures.entries_too_old += 1;
            return Standing::Skip;
        };
        if known.position != position {
            let text = format!(
                "node {node} came to {} where others came to {}",
                shown(position),
                shown(known.position)
            );
            self.report("R-14", node, position, text, ledger);
            self.replicas.insert(node, Cursor::Lost);
            return Standing::Skip;
        }
        self.replicas.insert(node, Cursor::Before(number + 1));
        Standing::Behind(known)
    }

    /// A replica applied something else, or something else came of it. Once per life of a replica:
    /// all that follows differs too.
    fn disagree(&mut self, seen: &Applied<'_>, link: &Link, known: &Link, ledger: &mut Ledger) {
        self.replicas.insert(seen.node, Cursor::Lost);
        let what = if known.entry != link.entry {
            "another entry"
        } else if known.outcome != link.outcome {
            "another outcome"
        } else if known.events != link.events {
            "other events"
        } else {
            "another end of the batch"
        };
        let text = format!(
            "node {} has {what} than the first replica\n  node {}: {:?} answered {:?} with {:?}\n  first: {}",
            seen.node,
            seen.node,
            seen.entry,
            seen.outcome,
            seen.events.iter().map(|event| &event.kind).collect::<Vec<_>>(),
            self.frontier.describe(seen.entry.position)
        );
        self.report("R-14", seen.node, seen.entry.position, text, ledger);
    }

    /// Hashes the state now and then; where the frontier did, all do.
    fn index_ended(&mut self, node: u64, shard: &Shard, index: u64, ledger: &mut Ledger) {
        let at_head = self.chain.head().is_some_and(|head| head.position.index == index);
        if at_head && self.states.is_due(index) {
            self.states.taken(index, self.options.hash_every, self.frontier.size());
            self.state(node, shard, index, ledger);
        } else if self.states.is_known(index) {
            self.state(node, shard, index, ledger);
        }
    }

    pub(super) fn state(&mut self, node: u64, shard: &Shard, index: u64, ledger: &mut Ledger) {
        if self.replicas.get(&node) == Some(&Cursor::Lost) {
            return;
        }
        ledger.figures.hashes_taken += 1;
        ledger.figures.hashes_compared += u64::from(self.states.is_known(index));
        if let Some((_, other)) = self.states.note(index, node, shard.state_hash()) {
            let text = format!(
                "the states of nodes {node} and {other} differ after index {index}{}",
                self.frontier.differences(shard, index)
            );
            let position = Position { index, ordinal: 0 };
            self.report("R-14", node, position, text, ledger);
            self.replicas.insert(node, Cursor::Lost);
        }
    }

    pub(super) fn restored(&mut self, node: u64, shard: &Shard, index: u64, ledger: &mut Ledger) {
        let head = self.chain.head().map(|head| head.position.index);
        if head.is_none_or(|head| head < index) {
            // Nobody can have taken this snapshot.
            let text = match head {
                Some(head) => format!("a snapshot of index {index}, the first replica is at {head}"),
                None => format!("a snapshot of index {index}, and nothing was applied yet"),
            };
            let position = Position { index, ordinal: 0 };
            let text = format!("{text}: from here on only agreement is checked");
            self.report("witness", node, position, text, ledger);
            self.frontier.blind();
            self.chain.push(Link::empty(index));
        }
        self.replicas.insert(node, Cursor::Before(self.chain.behind(index)));
        self.state(node, shard, index, ledger);
    }

    fn report(
        &self,
        promise: &'static str,
        node: u64,
        position: Position,
        text: String,
        ledger: &mut Ledger,
    ) {
        let events = if ledger.has_room() { self.frontier.events_about(&text) } else { Vec::new() };
        let at = self.frontier.now();
        ledger.add(Broken { promise, shard: self.shard, position, at, node, text, events });
    }
}

fn shown(position: Position) -> String {
    let Position { index, ordinal } = position;
    if ordinal == super::chain::NO_COMMAND {
        format!("index {index} without commands")
    } else {
        format!("index {index}.{ordinal}")
    }
}
