//! What is wrong with a disk at present.

use super::step::{Area, Operation, Step};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::io;
use std::time::Duration;

/// What is wrong with a disk.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Each fails one operation.
    next: Vec<(Operation, Option<Area>)>,
    /// Every so many reads one fails; how many were done since.
    reads: Option<(u32, u32)>,
    pub full: bool,
    latency: Option<Latency>,
}

#[derive(Debug)]
struct Latency {
    min: Duration,
    /// Microseconds above the least.
    spread_us: u64,
    rng: ChaCha8Rng,
}

impl Faults {
    pub(super) fn fail_next(&mut self, operation: Operation, area: Option<Area>) {
        self.next.push((operation, area));
    }

    pub(super) fn fail_reads(&mut self, every: Option<u32>) {
        self.reads = every.map(|every| (every.max(1), 0));
    }

    pub(super) fn cancel(&mut self) {
        self.next.clear();
        self.reads = None;
    }

    pub(super) fn set_latency(&mut self, min: Duration, max: Duration, seed: u64) {
        let spread_us = u64::try_from(max.saturating_sub(min).as_micros()).unwrap_or(u64::MAX - 1);
        let slow = !max.max(min).is_zero();
        self.latency = slow.then(|| Latency { min, spread_us, rng: ChaCha8Rng::seed_from_u64(seed) });
    }

    /// How long the next operation takes.
    pub(super) fn delay(&mut self) -> Duration {
        let Some(Latency { min, spread_us, rng }) = &mut self.latency else { return Duration::ZERO };
        let above_us = if *spread_us == 0 { 0 } else { rng.next_u64() % (*spread_us + 1) };
        *min + Duration::from_micros(above_us)
    }

    /// Whether an operation may go ahead.
    ///
    /// # Errors
    /// The fault it meets.
    pub(super) fn check(&mut self, step: Step) -> io::Result<()> {
        let planned = self.next.iter().position(|(operation, area)| step.is(*operation, *area));
        if let Some(planned) = planned {
            self.next.remove(planned);
            return Err(planned_failure(step));
        }
        if step.operation == Operation::Read
            && let Some((every, done)) = &mut self.reads
        {
            *done += 1;
            if *done >= *every {
                *done = 0;
                return Err(planned_failure(step));
            }
        }
        if self.full && matches!(step.operation, Operation::Write | Operation::Create) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(())
    }
}

fn planned_failure(step: Step) -> io::Error {
    io::Error::other(format!("planned failure of a {}", step.operation))
}
