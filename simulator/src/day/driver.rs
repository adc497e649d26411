//! The event loop: what happens next, in a fixed order.

use super::core::{Core, DOMAIN, Fault, Names, Stuck, set_up, shift_over};
use super::judge::judge;
use super::live::{LiveCalls, State};
use crate::report::{CallEnd, CallRecord, WaitTally};
use crate::workload::{Call, Workload};
use routing::command::{Arrival, By, Command, Intent};
use routing::event::{Ending, EventKind, OfferEnd};
use routing::outcome::DoneWhat;
use routing::{ConversationId, OfferId, Span};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::iter::Peekable;

/// Arrivals between two calls of the progress function.
const PROGRESS_EVERY: u64 = 4_096;

/// How to run.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Go on after the day's end, without new arrivals, until nobody waits.
    pub drain: bool,
    /// Keep the record and let the history checker judge it at the end; for runs that are not long.
    pub judge: bool,
    /// Check every promise after every entry; slow.
    pub check: bool,
    /// How long agents take to answer an offer whose call says nothing of it ([`Call::answer`]), less
    /// than the longest ring time ([`routing::settings::limits::RING_MAX`]); at once where it is zero.
    pub answer: Span,
    /// Estimate how long each wait will be that begins from then on, to be compared with what it was. The queues'
    /// service is measured then. It changes no decision.
    pub estimates_from: Option<Span>,
    /// A fault for the core, to show that it is seen.
    #[doc(hidden)]
    pub plant: Option<routing::PlantedBug>,
}

/// What a run leaves beside its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Promises found broken: by the checks that were asked for, and by what the desks saw.
    pub broken: u64,
    /// The first few in words.
    pub seen: Vec<String>,
    /// Entries applied.
    pub entries: u64,
    /// How far estimates of waits were off, if there were any.
    pub waits: WaitTally,
}

/// What is scheduled. The order of the variants is the order at one instant: staff comes, contacts
/// end, offers are answered, callers lose patience (arrivals come in between, see [`Rank`]), staff goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    ShiftBegins { agent: u32 },
    ContactEnds { call: u64, agent: u32 },
    Answers { offer: OfferId, conversation: u64, agent: u32 },
    PatienceEnds { call: u64 },
    ShiftEnds { agent: u32 },
}

impl Next {
    /// Whether it comes before an arrival at the same instant.
    fn before_arrival(self) -> bool {
        matches!(self, Next::ShiftBegins { .. } | Next::ContactEnds { .. } | Next::Answers { .. })
    }
}

/// Runs a workload. `calls` are its calls, in order of arrival (those of `workload.calls`, or a
/// stream too long to be kept); arrivals from its length on are left out. Each call is given to
/// `record` once it is decided. `progress` is told the virtual time now and then.
///
/// # Errors
/// [`Fault`]: a bug, or a workload beyond the core's limits.
pub fn run(
    workload: &Workload,
    calls: impl Iterator<Item = Call>,
    options: Options,
    record: &mut dyn FnMut(CallRecord),
    progress: &mut dyn FnMut(Span),
) -> Result<Ran, Fault> {
    let mut core = Core::new(options.check, options.judge);
    let takes_time = |answer: Span| answer > Span::ZERO;
    let rings =
        takes_time(options.answer) || workload.calls.iter().any(|call| call.answer.is_some_and(takes_time));
    let names = set_up(&mut core, workload, rings, options.estimates_from.is_some())?;
    if let Some(bug) = options.plant {
        core.plant(bug);
    }
    let mut driver = Driver {
        workload,
        core,
        names,
        now: Span::ZERO,
        live: LiveCalls::default(),
        next: BinaryHeap::new(),
        answer: options.answer,
        estimates_from: options.estimates_from,
        waits: WaitTally::default(),
        offers: Vec::new(),
        offered: vec![None; workload.agents.len()],
        busy: vec![None; workload.agents.len()],
        stuck: Stuck::default(),
        broken: 0,
        seen: Vec::new(),
        record,
    };
    for (agent, index) in workload.agents.iter().zip(0..) {
        for shift in &agent.shifts {
            driver.schedule(shift.from, Next::ShiftBegins { agent: index });
            driver.schedule(shift.to, Next::ShiftEnds { agent: index });
        }
    }
    driver.all(calls.peekable(), options.drain, progress)?;
    driver.finish()
}

struct Driver<'a> {
    workload: &'a Workload,
    core: Core,
    names: Names,
    now: Span,
    live: LiveCalls,
    next: BinaryHeap<Reverse<(u64, Next)>>,
    answer: Span,
    estimates_from: Option<Span>,
    waits: WaitTally,
    /// Offers of the last entry that the desks have not yet looked at.
    offers: Vec<(OfferId, ConversationId, u32)>,
    /// The offer each agent has not yet answered, by what its desk was told.
    offered: Vec<Option<OfferId>>,
    /// The call each agent has, by what its desk was told.
    busy: Vec<Option<u64>>,
    stuck: Stuck,
    broken: u64,
    seen: Vec<String>,
    record: &'a mut dyn FnMut(CallRecord),
}

impl Driver<'_> {
    fn schedule(&mut self, at: Span, what: Next) {
        self.next.push(Reverse((at.0, what)));
    }

    fn all(
        &mut self,
        mut calls: Peekable<impl Iterator<Item = Call>>,
        drain: bool,
        progress: &mut dyn FnMut(Span),
    ) -> Result<(), Fault> {
        let mut arrivals = 0;
        loop {
            let arrival = calls.peek().map(|call| call.at).filter(|at| *at < self.workload.length);
            let scheduled = self.next.peek().map(|Reverse((at, what))| (Span(*at), *what));
            let (at, what) = match (arrival, scheduled) {
                (None, None) => break,
                (Some(arrival), None) => (arrival, None),
                (None, Some((at, what))) => (at, Some(what)),
                (Some(arrival), Some((at, what))) => {
                    let first = at < arrival || (at == arrival && what.before_arrival());
                    if first { (at, Some(what)) } else { (arrival, None) }
                }
            };
            if at > self.workload.length && (!drain || (arrival.is_none() && self.live.is_empty())) {
                break;
            }
            if self.by_itself(at)? {
                // What the core did may have brought something that comes before.
                continue;
            }
            self.now = at;
            if let Some(what) = what {
                self.next.pop();
                self.happen(what)?;
            } else if let Some(call) = calls.next() {
                self.arrive(call)?;
                arrivals += 1;
                if arrivals % PROGRESS_EVERY == 0 {
                    progress(at);
                }
            }
        }
        Ok(())
    }

    /// Who waits still is unserved.
    fn finish(mut self) -> Result<Ran, Fault> {
        while self.now < self.workload.length && self.by_itself(self.workload.length)? {}
        let end = self.workload.length.max(self.now);
        for live in self.live.iter().filter(|live| live.state == State::Waiting) {
            if live.said.is_some() {
                self.waits.unserved();
            }
            let wait = Span(end.0 - live.call.at.0);
            (self.record)(CallRecord {
                at: live.call.at,
                late: Span::ZERO,
                queue: live.call.queue,
                wait,
                waited: wait > Span::ZERO,
                end: CallEnd::Unserved,
            });
        }
        let entries = self.core.entries();
        let verdict = self.core.take_record().map(|record| judge(self.workload, &self.names, record));
        let (mut broken, mut seen) = self.core.broken();
        if let Some(verdict) = verdict {
            broken += verdict.broken;
            seen.extend(verdict.violations.iter().take(10).map(ToString::to_string));
        }
        seen.append(&mut self.seen);
        Ok(Ran { broken: broken + self.broken, seen, entries, waits: self.waits })
    }

    fn happen(&mut self, what: Next) -> Result<(), Fault> {
        match what {
            Next::ShiftBegins { agent } => self.presence(agent, Intent::Available),
            Next::ShiftEnds { agent } => self.presence(agent, shift_over()),
            Next::ContactEnds { call, agent } => {
                self.live.remove(call);
                self.busy[agent as usize] = None;
                let by = By::Agent(self.names.desks[agent as usize]);
                self.must(Command::EndContact { conversation: ConversationId::new(DOMAIN, call), by })
            }
            Next::Answers { offer, conversation, agent } => {
                // Withdrawn meanwhile: the desk knows, and does not answer.
                if self.offered[agent as usize] != Some(offer) {
                    return Ok(());
                }
                self.accept(offer, ConversationId::new(DOMAIN, conversation), agent)?;
                self.look_at_offers()
            }
            Next::PatienceEnds { call } => {
                let Some(live) = self.live.get(call) else { return Ok(()) };
                live.overdue = true;
                if live.state != State::Waiting || live.ringing {
                    return Ok(());
                }
                self.must(Command::Abandon { conversation: ConversationId::new(DOMAIN, call) })
            }
        }
    }

    fn presence(&mut self, agent: u32, intent: Intent) -> Result<(), Fault> {
        let desk = self.names.desks[agent as usize];
        self.must(Command::SetPresence { agent: desk.agent, intent, by: By::Agent(desk) })
    }

    fn arrive(&mut self, call: Call) -> Result<(), Fault> {
        let arrival = Arrival {
            touchpoint: self.names.touchpoints[call.queue as usize],
            customer: String::new(),
            reference: String::new(),
            priority: Some(call.priority),
            continues: None,
        };
        let done = self.core.must(self.now, Command::Start(arrival))?;
        let DoneWhat::Conversation { id, offer, .. } = done else {
            return Err(self.fault(format!("a start was answered with {done:?}")));
        };
        self.live.insert(id.number, call);
        if offer.is_none() && self.estimates_from.is_some_and(|from| from <= self.now) {
            let said = self.core.expected(id);
            if let Some(live) = self.live.get(id.number) {
                live.said = Some(said);
            }
        }
        if let Some(patience) = call.patience {
            // At zero this comes after everything else of this instant that an agent could do.
            self.schedule(
                Span(self.now.0.saturating_add(patience.0)),
                Next::PatienceEnds { call: id.number },
            );
        }
        self.after_entry()
    }

    fn must(&mut self, command: Command) -> Result<(), Fault> {
        self.core.must(self.now, command)?;
        self.after_entry()
    }

    /// Lets the core do the next thing that is due up to a moment; whether there was one.
    fn by_itself(&mut self, until: Span) -> Result<bool, Fault> {
        let Some(at) = self.core.step_by_itself(self.now, until) else { return Ok(false) };
        self.stuck.note(at)?;
        self.now = at;
        self.after_entry()?;
        Ok(true)
    }

    /// Reads the events of an entry; desks accept what they are offered, at once or after a while.
    fn after_entry(&mut self) -> Result<(), Fault> {
        self.read()?;
        self.look_at_offers()
    }

    fn look_at_offers(&mut self) -> Result<(), Fault> {
        let mut taken = 0;
        while let Some(&(offer, conversation, agent)) = self.offers.get(taken) {
            taken += 1;
            let own = self.live.get(conversation.number).and_then(|live| live.call.answer);
            let answer = own.unwrap_or(self.answer);
            if answer == Span::ZERO {
                self.accept(offer, conversation, agent)?;
            } else {
                let at = Span(self.now.0.saturating_add(answer.0));
                self.schedule(at, Next::Answers { offer, conversation: conversation.number, agent });
            }
        }
        self.offers.clear();
        Ok(())
    }

    fn accept(&mut self, offer: OfferId, conversation: ConversationId, agent: u32) -> Result<(), Fault> {
        let desk = self.names.desks[agent as usize];
        match self.core.apply(self.now, Command::Accept { desk, offer }) {
            Ok(_) => self.read(),
            Err(why) => {
                self.broke(format!(
                    "{}: the accept of {offer} for {conversation} was refused: {why}",
                    desk.agent
                ));
                Ok(())
            }
        }
    }

    fn read(&mut self) -> Result<(), Fault> {
        self.core.no_alarm(self.now)?;
        // Taken out of `self`, so that handlers may change it.
        let events = std::mem::take(self.core.events_mut());
        let result = events.iter().try_for_each(|event| self.event(&event.kind));
        *self.core.events_mut() = events;
        result
    }

    fn event(&mut self, kind: &EventKind) -> Result<(), Fault> {
        match kind {
            EventKind::Offered(made) | EventKind::OfferedBecause(made, _) => match self
                .names
                .agent(made.agent)
            {
                Some(index) => {
                    if let Some(other) = self.busy[index] {
                        self.broke(format!(
                            "R-2: {} is offered {} while it has conv {other}",
                            made.agent, made.conversation
                        ));
                    }
                    self.offers.push((
                        made.offer,
                        made.conversation,
                        u32::try_from(index).unwrap_or(u32::MAX),
                    ));
                    self.offered[index] = Some(made.offer);
                    let now = self.now;
                    if let Some(live) = self.live.get(made.conversation.number) {
                        live.first_offered.get_or_insert(now);
                        live.offered = now;
                        live.ringing = true;
                    }
                    Ok(())
                }
                None => Err(self.fault(format!("{} went to {}, whom nobody made", made.offer, made.agent))),
            },
            EventKind::OfferEnded { conversation, offer, agent, end } => {
                if let Some(live) = self.live.get(conversation.number) {
                    live.ringing = false;
                    if live.overdue && *end != OfferEnd::Accepted {
                        self.schedule(self.now, Next::PatienceEnds { call: conversation.number });
                    }
                }
                if let Some(index) = self.names.agent(*agent)
                    && self.offered[index] == Some(*offer)
                {
                    self.offered[index] = None;
                }
                Ok(())
            }
            EventKind::Assigned { conversation, agent, .. } => match self.names.agent(*agent) {
                Some(index) => self.contact(conversation.number, index),
                None => Err(self.fault(format!("{conversation} went to {agent}, whom nobody made"))),
            },
            EventKind::Ended { conversation, ending: Ending::Abandoned, .. } => {
                self.abandoned(conversation.number);
                Ok(())
            }
            EventKind::Ended { conversation, ending: Ending::Expired | Ending::OwnerLost, .. } => {
                Err(self.fault(format!("{conversation} was ended by the core")))
            }
            _ => Ok(()),
        }
    }

    fn contact(&mut self, number: u64, agent: usize) -> Result<(), Fault> {
        let index = u32::try_from(agent).unwrap_or(u32::MAX);
        let now = self.now;
        let Some(live) = self.live.get(number) else {
            self.broke(format!("R-6: conv {number} is over and was assigned"));
            return Ok(());
        };
        if live.state != State::Waiting {
            self.broke(format!("R-1: conv {number} was assigned twice"));
            return Ok(());
        }
        live.state = State::Contact(index);
        let call = live.call;
        self.busy[agent] = Some(number);
        let wait = Span(now.0 - call.at.0);
        let waited = live.first_offered.is_none_or(|first| first > call.at);
        let answer = Span(now.0 - live.offered.0);
        if let Some(said) = live.said {
            self.waits.answered(said, Span(wait.0 - answer.0));
        }
        let end = CallEnd::Served { service: call.service, agent: index, answer };
        (self.record)(CallRecord { at: call.at, late: Span::ZERO, queue: call.queue, wait, waited, end });
        let ends = Span(now.0.saturating_add(call.service.0));
        self.schedule(ends, Next::ContactEnds { call: number, agent: index });
        Ok(())
    }

    fn abandoned(&mut self, number: u64) {
        let Some(live) = self.live.remove(number) else {
            self.broke(format!("R-6: conv {number} is over and was abandoned"));
            return;
        };
        if live.said.is_some() {
            self.waits.abandoned();
        }
        let wait = Span(self.now.0 - live.call.at.0);
        (self.record)(CallRecord {
            at: live.call.at,
            late: Span::ZERO,
            queue: live.call.queue,
            wait,
            waited: wait > Span::ZERO,
            end: CallEnd::Abandoned,
        });
    }

    fn broke(&mut self, what: String) {
        self.broken += 1;
        if self.seen.len() < 10 {
            self.seen.push(format!("at {:.3} s, {what}", self.now.as_seconds_f64()));
        }
    }

    fn fault(&self, what: String) -> Fault {
        Fault::Core { at_s: self.now.as_seconds_f64(), what }
    }
}
