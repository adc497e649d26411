//! The pace of offers: "Pace" of the rules.

use super::Did;
use super::state::{Dom, invalid, not_allowed};
use routing::command::By;
use routing::event::Subject;
use routing::outcome::DoneWhat;
use routing::pace::Pace;
use routing::{AgentId, EventKind};

impl Dom {
    pub fn set_pace(&mut self, pace: Option<Pace>, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        if let Some(Pace { offers, per }) = pace {
            if offers == 0 || offers > 20 {
                return Err(invalid("pace.offers"));
            }
            if per.0 < 1_000_000 || per.0 > 3_600_000_000 {
                return Err(invalid("pace.per"));
            }
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        if self.pace == pace {
            return Ok((DoneWhat::Ok, Subject::Domain(self.id)));
        }
        // Of the time before as many offers are known as the former pace asked for.
        let known = self.pace.map_or(0, |former| usize::from(former.offers));
        for person in self.people.values_mut() {
            let forgotten = person.offered_at.len().saturating_sub(known);
            person.offered_at.drain(..forgotten);
            if pace.is_none() {
                person.offered_at.clear();
            }
        }
        self.pace = pace;
        let everybody: Vec<AgentId> = self.people.keys().copied().collect();
        for agent in everybody {
            self.count_offers(agent);
        }
        self.emit(EventKind::PaceChanged { pace, by });
        Ok((DoneWhat::Ok, Subject::Domain(self.id)))
    }

    /// It was offered something.
    pub fn note_offer(&mut self, agent: AgentId) {
        if self.pace.is_some() {
            let now = self.now;
            self.p(agent).offered_at.push(now);
            self.count_offers(agent);
        }
    }

    /// Whether it had as much as the pace allows.
    fn count_offers(&mut self, agent: AgentId) {
        let (pace, now) = (self.pace, self.now);
        let person = self.p(agent);
        person.paced = pace.and_then(|Pace { offers, per }| {
            let within = person.offered_at.iter().filter(|at| **at + per > now).count();
            let nth = person.offered_at.iter().rev().nth(usize::from(offers) - 1);
            (within >= usize::from(offers)).then(|| *nth.expect("so many") + per)
        });
        if person.paced.is_some() {
            person.holds = None;
        }
    }
}
