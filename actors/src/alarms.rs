//! Conditions a person must look at: kept, bounded, and written to the log at ERROR.

use crate::AlarmNote;
use consensus::env::SharedClock;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// Alarms kept; older ones are only in the node's log.
const ALARMS_MAX: usize = 200;

/// The node's alarms. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Alarms {
    clock: SharedClock,
    notes: Arc<Mutex<VecDeque<AlarmNote>>>,
}

impl Alarms {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, notes: Arc::default() }
    }

    /// Raises an alarm. The same text as one of those kept only renews its time.
    pub(crate) fn raise(&self, text: String) {
        tracing::error!(alarm = %text);
        let wall_ms = self.clock.wall_ms();
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.retain(|note| note.text != text);
        if notes.len() == ALARMS_MAX {
            notes.pop_front();
        }
        notes.push_back(AlarmNote { wall_ms, text });
    }

    pub(crate) fn list(&self) -> Vec<AlarmNote> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
