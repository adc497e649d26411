//! Reading from any sequence on.

use super::EventStore;
use super::frame::FrameReader;
use super::table::Lookup;
use crate::WatchError;
use routing::{DomainId, Event, Sequence};
use std::sync::Arc;

/// Events handed out at once at most.
const READ_EVENTS_MAX: usize = 256;

impl EventStore {
    /// Events of a domain from `from` on, in order and without a gap; empty if there are none yet.
    ///
    /// # Errors
    /// See [`WatchError`].
    pub(crate) async fn read(&self, domain: DomainId, from: Sequence) -> Result<Vec<Arc<Event>>, WatchError> {
        let lookup = self.table().lookup(domain, from.0, READ_EVENTS_MAX);
        match lookup {
            Lookup::Memory(events) => Ok(events),
            Lookup::Wait => Ok(Vec::new()),
            Lookup::Compacted { oldest } => Err(WatchError::Compacted { oldest: Sequence(oldest) }),
            Lookup::Closed => Err(WatchError::Stopping),
            Lookup::Missing => Err(self.damaged(domain, from, "it is not in any file")),
            Lookup::Files { segment, mark, last } => {
                let upto = last.min(from.0 + READ_EVENTS_MAX as u64 - 1);
                let mut frames = FrameReader::new(&segment, mark.offset);
                let mut events: Vec<Arc<Event>> = Vec::new();
                let mut wanted = from.0;
                while wanted <= upto {
                    let frame = frames.next().await;
                    let frame = frame.map_err(|error| self.damaged(domain, from, &error.to_string()))?;
                    let Some((_, found)) = frame else { break };
                    for event in found {
                        if event.domain == domain && event.sequence.0 == wanted && wanted <= upto {
                            events.push(Arc::new(event));
                            wanted += 1;
                        }
                    }
                }
                if events.is_empty() {
                    // The rest of this segment does not hold it: it was removed meanwhile, or never there.
                    let oldest = self.table().oldest(domain);
                    if from < oldest {
                        return Err(WatchError::Compacted { oldest });
                    }
                    return Err(self.damaged(domain, from, "the file that should hold it does not"));
                }
                Ok(events)
            }
        }
    }

    fn damaged(&self, domain: DomainId, from: Sequence, why: &str) -> WatchError {
        let text = format!("event {} of {domain} cannot be read here: {why}; watch at another node", from.0);
        self.shared.alarms.raise(text.clone());
        WatchError::Damaged(text)
    }
}
