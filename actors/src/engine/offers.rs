//! An offer's event, found in the record by its number.

use crate::{Engine, WatchError};
use routing::{DomainId, Event, OfferId, Sequence};
use std::sync::Arc;

/// Reads of the record for one offer. Halving takes about twenty; the rest is for long stretches without offers.
const READS_MAX: u32 = 256;

impl Engine {
    /// The event with which an offer was made, `None` if the record does not have it (any more). Offers are
    /// numbered in the order of their events, so the record is halved until it is found. `upto` is an event
    /// that the caller knows of: until this node has it, this waits.
    ///
    /// # Errors
    /// See [`WatchError`]; `Behind` when the record is too long and too empty to look through.
    pub async fn offer_event(
        &self,
        offer: OfferId,
        upto: Sequence,
    ) -> Result<Option<Arc<Event>>, WatchError> {
        // What is looked for is at `low` or later, and before `high`.
        let (mut low, mut high) = (1, upto.0 + 1);
        // The first look is at the end: it waits until that is here, and new offers are what is asked for most.
        let mut at = upto.0.max(1);
        for _ in 0..READS_MAX {
            if low >= high {
                return Ok(None);
            }
            let events = match self.events_from(offer.domain, Sequence(at)).await {
                Ok(events) => events,
                Err(WatchError::Compacted { oldest }) if oldest.0 > low => {
                    low = oldest.0;
                    at = low + high.saturating_sub(low) / 2;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let mut numbers = events.iter().filter_map(|event| Some((event, event.kind.offered()?.0.offer)));
            if let Some((event, _)) = numbers.clone().find(|(_, made)| *made == offer) {
                return Ok(Some(event.clone()));
            }
            let next = events.last().map_or(high, |last| last.sequence.0 + 1);
            match numbers.next() {
                Some((_, first)) if first.number > offer.number => high = high.min(at),
                // All offers that were read are older: it is after them.
                Some(_) => low = low.max(next),
                // No offer among what was read: go on behind it, which says where they are.
                None if next < high => {
                    at = next;
                    continue;
                }
                None => high = high.min(at),
            }
            at = low + high.saturating_sub(low) / 2;
        }
        Err(WatchError::Behind { at: Sequence(at) })
    }

    async fn events_from(&self, domain: DomainId, from: Sequence) -> Result<Vec<Arc<Event>>, WatchError> {
        self.watch(domain, from).await?.next().await
    }
}
