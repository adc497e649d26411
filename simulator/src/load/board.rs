//! What is known of each call while the load runs: the link between customers and desks, and the
//! figures shown live.

use super::latency::Latency;
use super::pulse::Pulse;
use crate::workload::Workload;
use routing::ConversationId;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Latencies kept one by one, for the picture.
const POINTS_MAX: usize = 100_000;

/// Where a call stands, as clients know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not begun.
    Before,
    /// Nobody has it.
    Waiting,
    /// An offer is at a desk.
    Ringing,
    /// An agent has it.
    Taken,
    /// Over.
    Over,
}

/// Live figures of one queue.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueueFigures {
    /// Name.
    pub name: String,
    /// Arrived.
    pub arrivals: u64,
    /// Waiting now.
    pub waiting: u64,
    /// Answered.
    pub served: u64,
    /// Hung up.
    pub abandoned: u64,
}

/// Live figures of one domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// By queue.
    pub queues: Vec<QueueFigures>,
    /// Agents on duty.
    pub on_duty: u64,
    /// Of these, with a call.
    pub busy: u64,
}

struct Call {
    stage: Stage,
    intended: Option<Instant>,
    noticed: Option<Instant>,
    at_once: Option<bool>,
    told: Option<watch::Sender<Stage>>,
}

#[derive(Default, Clone, Copy)]
struct Desk {
    on_duty: bool,
    work: u32,
    free: bool,
}

struct State {
    calls: Vec<Call>,
    by_conversation: HashMap<ConversationId, usize>,
    desks: Vec<Desk>,
    pulse: Pulse,
    figures: Figures,
    points: Vec<(usize, Duration)>,
}

/// The board of one domain.
pub struct Board {
    state: Mutex<State>,
    queue_of_call: Vec<u32>,
    queues_of_desk: Vec<Vec<u32>>,
    /// From the intended start to the offer's notice at the desk, of calls offered at once.
    pub offer_latency: Latency,
    /// From the intended start to the answer.
    pub start_latency: Latency,
    /// From sending an accept to its answer.
    pub accept_latency: Latency,
}

impl Board {
    /// Nothing has begun.
    #[must_use]
    pub fn new(workload: &Workload, now: Instant) -> Self {
        let call =
            |_| Call { stage: Stage::Before, intended: None, noticed: None, at_once: None, told: None };
        let queues = workload.queues.iter();
        let queues = queues.map(|queue| QueueFigures { name: queue.name.clone(), ..QueueFigures::default() });
        let state = State {
            calls: workload.calls.iter().map(call).collect(),
            by_conversation: HashMap::new(),
            desks: vec![Desk::default(); workload.agents.len()],
            pulse: Pulse::new(workload.queues.len(), now),
            figures: Figures { queues: queues.collect(), on_duty: 0, busy: 0 },
            points: Vec::new(),
        };
        Self {
            state: Mutex::new(state),
            queue_of_call: workload.calls.iter().map(|call| call.queue).collect(),
            queues_of_desk: workload.agents.iter().map(|agent| agent.queues.clone()).collect(),
            offer_latency: Latency::default(),
            start_latency: Latency::default(),
            accept_latency: Latency::default(),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().expect("no panic holds this lock"))
    }

    fn queue(&self, call: usize) -> u32 {
        self.queue_of_call[call]
    }

    /// A call is about to be started; the receiver follows it.
    #[must_use]
    pub fn arrives(&self, call: usize, intended: Instant) -> watch::Receiver<Stage> {
        let (told, follows) = watch::channel(Stage::Waiting);
        let queue = self.queue(call);
        self.with(|state| {
            let entry = &mut state.calls[call];
            entry.stage = Stage::Waiting;
            entry.intended = Some(intended);
            entry.told = Some(told);
            state.figures.queues[queue as usize].arrivals += 1;
            state.pulse.waits(queue, true, Instant::now());
        });
        follows
    }

    /// The start was answered; `at_once` when the answer carries an offer.
    pub fn started(&self, call: usize, conversation: ConversationId, at_once: bool) {
        let intended = self.with(|state| {
            state.by_conversation.insert(conversation, call);
            state.calls[call].at_once = Some(at_once);
            state.calls[call].intended
        });
        if let Some(intended) = intended {
            self.start_latency.record(Instant::now().saturating_duration_since(intended));
        }
        self.offer_latency_of(call);
    }

    fn offer_latency_of(&self, call: usize) {
        let latency = self.with(|state| {
            let entry = &mut state.calls[call];
            let (Some(true), Some(noticed), Some(intended)) = (entry.at_once, entry.noticed, entry.intended)
            else {
                return None;
            };
            entry.at_once = Some(false);
            let latency = noticed.saturating_duration_since(intended);
            if state.points.len() < POINTS_MAX {
                state.points.push((call, latency));
            }
            Some(latency)
        });
        if let Some(latency) = latency {
            self.offer_latency.record(latency);
        }
    }

    /// An offer of a call is at a desk. Showing it again changes nothing.
    pub fn rings(&self, call: usize, conversation: ConversationId) {
        let now = Instant::now();
        self.with(|state| {
            state.by_conversation.insert(conversation, call);
            state.pulse.offer(now);
            state.calls[call].noticed.get_or_insert(now);
        });
        self.moves(call, Stage::Ringing);
        self.offer_latency_of(call);
    }

    /// The call of a conversation, if it is one of this run.
    #[must_use]
    pub fn call_of(&self, conversation: ConversationId) -> Option<usize> {
        self.with(|state| state.by_conversation.get(&conversation).copied())
    }

    /// A call's stage changes.
    pub fn moves(&self, call: usize, to: Stage) {
        let queue = self.queue(call);
        let now = Instant::now();
        self.with(|state| {
            let entry = &mut state.calls[call];
            let from = entry.stage;
            if from == to || from == Stage::Over {
                return;
            }
            entry.stage = to;
            if let Some(told) = &entry.told {
                told.send_replace(to);
            }
            if to == Stage::Over {
                entry.told = None;
            }
            if (from == Stage::Waiting) != (to == Stage::Waiting) {
                state.pulse.waits(queue, to == Stage::Waiting, now);
            }
            let figures = &mut state.figures.queues[queue as usize];
            match (from, to) {
                (_, Stage::Taken) => figures.served += 1,
                (Stage::Taken, Stage::Waiting) => figures.served = figures.served.saturating_sub(1),
                (Stage::Waiting | Stage::Ringing, Stage::Over) => figures.abandoned += 1,
                _ => {}
            }
        });
    }

    /// What a desk says of itself: on duty, and how much work is in hand.
    pub fn desk(&self, desk: usize, on_duty: bool, work: usize) {
        let now = Instant::now();
        let work = u32::try_from(work).unwrap_or(u32::MAX);
        self.with(|state| {
            let was = state.desks[desk];
            let free = on_duty && work == 0;
            state.desks[desk] = Desk { on_duty, work, free };
            let step = |count: &mut u64, was: bool, is: bool| match (was, is) {
                (false, true) => *count += 1,
                (true, false) => *count -= 1,
                _ => {}
            };
            step(&mut state.figures.on_duty, was.on_duty || was.work > 0, on_duty || work > 0);
            step(&mut state.figures.busy, was.work > 0, work > 0);
            if was.free != free {
                state.pulse.free(&self.queues_of_desk[desk], free, now);
            }
        });
    }

    /// Whether every call is over.
    #[must_use]
    pub fn all_over(&self) -> bool {
        self.with(|state| state.calls.iter().all(|call| call.stage == Stage::Over))
    }

    /// The figures now.
    #[must_use]
    pub fn figures(&self) -> Figures {
        self.with(|state| {
            let mut figures = state.figures.clone();
            for (queue, index) in figures.queues.iter_mut().zip(0..) {
                queue.waiting = u64::from(state.pulse.waiting(index));
            }
            figures
        })
    }

    /// Latencies of offers by call, as far as they are kept.
    #[must_use]
    pub fn points(&self) -> Vec<(usize, Duration)> {
        self.with(|state| state.points.clone())
    }

    /// Ends the watch for gaps and tells the longest.
    #[must_use]
    pub fn longest_gap(&self) -> Duration {
        self.with(|state| {
            state.pulse.end(Instant::now());
            state.pulse.longest()
        })
    }
}
