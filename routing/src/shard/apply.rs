//! One entry, step by step, as docs/routing/RULES.md says.

use super::{PlantedBug, Shard};
use crate::commands::{self, About, Answer};
use crate::digest::digest;
use crate::domain::{Cx, Domain};
use crate::effects::Alarm;
use crate::event::{EventKind, Subject};
use crate::fixed::Mix;
use crate::outcome::{Done, DoneWhat};
use crate::requests::Seen;
use crate::settings::DomainSettings;
use crate::settings::limits::{EXPIRIES_PER_ENTRY_MAX, MATCHES_PER_ENTRY_MAX};
use crate::{AccountId, Command, DomainId, Effects, Entry, Outcome, Rejected, Sequence, Version, level};
use std::hash::Hasher;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Shard {
    /// Applies one committed entry: expires what is due at its time, carries out its command,
    /// matches. Never panics: a panic of one domain quarantines that domain.
    ///
    /// `effects` is appended to, not cleared.
    pub fn apply(&mut self, entry: &Entry, effects: &mut Effects) -> Outcome {
        self.now = self.now.max(entry.time);
        self.index.0.wall_ms = entry.wall_ms;
        match &entry.request.command {
            Command::Tick | Command::Continue | Command::SetLevel { .. } => {
                self.apply_to_shard(entry, effects)
            }
            Command::Move(part) => self.apply_move(entry.request.domain, part, effects),
            _ => self.apply_to_domain(entry, effects),
        }
    }

    /// For an entry of a domain, in the domain's own time.
    fn cx<'a>(&self, domain: DomainId, entry: &Entry, effects: &'a mut Effects) -> Cx<'a> {
        Cx {
            now: self.now_of(domain),
            wall_ms: entry.wall_ms,
            position: entry.position,
            level: self.level,
            effects,
            planted: self.index.0.planted,
            expiries_left: EXPIRIES_PER_ENTRY_MAX,
            matches_left: MATCHES_PER_ENTRY_MAX,
        }
    }

    fn apply_to_shard(&mut self, entry: &Entry, effects: &mut Effects) -> Outcome {
        if entry.request.domain != DomainId::SHARD {
            return commands::checks::invalid("domain", "shard commands name domain 0");
        }
        if let Command::SetLevel { level } = entry.request.command {
            if level < self.level {
                return commands::checks::invalid(
                    "level",
                    format!("the shard runs at {} already", self.level),
                );
            }
            // Replicas stop before such an entry (`level::check_command`): to go on would part them.
            if level > level::REHEARSAL {
                return Err(Rejected::Level { level: self.level });
            }
            self.level = level;
            self.domains.values_mut().for_each(|domain| domain.index.0.level = level);
        } else {
            self.go_on(entry, effects);
        }
        Ok(Done { what: DoneWhat::Ok, at: self.now, sequence: Sequence(0), version: Version(0) })
    }

    /// Expires and matches over all domains, within one entry's bounds.
    fn go_on(&mut self, entry: &Entry, effects: &mut Effects) {
        let mut cx = self.cx(DomainId::SHARD, entry, effects);
        while let Some((at, id)) = self.index.0.changes.first().copied()
            && at <= entry.wall_ms
        {
            let domain = self.domains.get_mut(&id).expect("listed domains exist");
            domain.note_wall(entry.wall_ms);
            self.reindex(id);
        }
        while cx.expiries_left > 0
            && let Some((at, id)) = self.index.0.deadlines.first().copied()
            && at <= self.now
        {
            cx.now = self.now_of(id);
            let domain = self.domains.get_mut(&id).expect("listed domains exist");
            guard(domain, &mut cx, |domain, cx| {
                domain.expire_next(cx);
            });
            self.reindex(id);
        }
        for id in self.index.0.unmatched.clone() {
            cx.now = self.now_of(id);
            let domain = self.domains.get_mut(&id).expect("listed domains exist");
            guard(domain, &mut cx, Domain::run_matching);
            self.reindex(id);
        }
    }

    fn apply_to_domain(&mut self, entry: &Entry, effects: &mut Effects) -> Outcome {
        let request = &entry.request;
        let id = request.domain;
        match (self.check_here(id), &request.command) {
            (Ok(()), _) => {}
            (Err(Rejected::UnknownDomain), Command::CreateDomain { account, settings })
                if id != DomainId::SHARD =>
            {
                return self.create_domain(entry, effects, *account, settings);
            }
            (Err(refused), _) => return Err(refused),
        }
        let mut cx = self.cx(id, entry, effects);
        let domain = self.domains.get_mut(&id).expect("just found");
        if domain.quarantined.is_some() {
            return Err(Rejected::Quarantined);
        }
        let mut content = 0;
        if let Some(request_id) = request.id {
            content = content_of(entry);
            let window = domain.settings.request_window;
            match domain.requests.meet(request_id, &content, cx.now, entry.wall_ms, window) {
                Seen::New => {}
                Seen::Answered(outcome) if !cx.planted(PlantedBug::RequestsForgotten) => return outcome,
                Seen::Answered(_) => {}
                Seen::Reused => return Err(Rejected::RequestIdReused),
                Seen::TooOld => return Err(Rejected::RequestTooOld { window_s: window.0 / 1_000_000 }),
            }
        }
        let outcome =
            guard(domain, &mut cx, |domain, cx| domain.step(cx, entry)).unwrap_or(Err(Rejected::Quarantined));
        if let Some(request_id) = request.id
            && domain.quarantined.is_none()
        {
            domain.requests.remember(request_id, content, cx.now, outcome.clone());
        }
        self.reindex(id);
        if outcome == Err(Rejected::Quarantined) && self.index.0.planted == Some(PlantedBug::FaultSpreads) {
            self.domains.values_mut().for_each(|domain| domain.quarantined = Some("spread".to_owned()));
        }
        outcome
    }

    fn create_domain(
        &mut self,
        entry: &Entry,
        effects: &mut Effects,
        account: AccountId,
        settings: &DomainSettings,
    ) -> Outcome {
        commands::check_domain(settings)?;
        if let Some(expected) = entry.request.expected_version
            && expected != Version(0)
        {
            return Err(Rejected::VersionMismatch { current: Version(0) });
        }
        let window = settings.request_window;
        let mut domain = Domain::new(entry.request.domain, account, settings.clone());
        let content = content_of(entry);
        if let Some(id) = entry.request.id
            && let Seen::TooOld = domain.requests.meet(id, &content, self.now, entry.wall_ms, window)
        {
            return Err(Rejected::RequestTooOld { window_s: window.0 / 1_000_000 });
        }
        let mut cx = self.cx(entry.request.domain, entry, effects);
        (domain.index.0.planted, domain.index.0.level) = (cx.planted, cx.level);
        domain.emit(&mut cx, EventKind::DomainCreated);
        let outcome =
            Ok(Done { what: DoneWhat::Ok, at: cx.now, sequence: domain.sequence, version: domain.version });
        if let Some(id) = entry.request.id {
            domain.requests.remember(id, content, cx.now, outcome.clone());
        }
        self.domains.insert(entry.request.domain, domain);
        outcome
    }
}

fn content_of(entry: &Entry) -> u64 {
    let mut hasher = Mix::default();
    digest(&entry.request, &mut hasher);
    hasher.finish()
}

/// Does something with a domain; a panic quarantines the domain, the same way on every replica.
fn guard<T>(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    act: impl FnOnce(&mut Domain, &mut Cx<'_>) -> T,
) -> Option<T> {
    let events = cx.effects.events.len();
    let (sequence, version) = (domain.sequence, domain.version);
    match catch_unwind(AssertUnwindSafe(|| act(domain, cx))) {
        Ok(value) => Some(value),
        Err(panic) => {
            let reason = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                .unwrap_or_else(|| "a panic without a text".to_owned());
            // What the entry said before it failed was never true.
            cx.effects.events.truncate(events);
            domain.sequence = sequence;
            domain.version = version;
            domain.dirty.settle();
            domain.quarantined = Some(reason.clone());
            domain.emit(cx, EventKind::Quarantined { reason: reason.clone() });
            cx.effects.alarms.push(Alarm::Quarantined { domain: domain.id, reason });
            None
        }
    }
}

impl Domain {
    /// Steps 3 to 5 of an entry of this domain.
    fn step(&mut self, cx: &mut Cx<'_>, entry: &Entry) -> Outcome {
        self.note_clock(cx.wall_ms);
        self.note_wall(cx.wall_ms);
        if !cx.planted(PlantedBug::LateAccept) {
            self.expire_due(cx);
            self.expire_touched(cx, &entry.request.command);
        }
        let answer = self.check_version(entry).and_then(|()| self.command(cx, entry));
        self.expire_due(cx);
        self.run_matching(cx);
        let Answer { what, about } = answer?;
        let version = match about {
            About::Entity(subject) => self.version_of(subject).unwrap_or_default(),
            About::Gone(version) => version,
        };
        Ok(Done { what: self.as_it_stands(what), at: cx.now, sequence: self.sequence, version })
    }

    fn command(&mut self, cx: &mut Cx<'_>, entry: &Entry) -> Result<Answer, Rejected> {
        if let Command::CreateDomain { account, settings } = &entry.request.command {
            return if *account == self.account && *settings == self.settings {
                commands::checks::done(DoneWhat::Ok, Subject::Domain(self.id))
            } else {
                Err(Rejected::DomainExists)
            };
        }
        self.carry_out(cx, &entry.request.command)
    }

    fn check_version(&self, entry: &Entry) -> Result<(), Rejected> {
        let Some(expected) = entry.request.expected_version else { return Ok(()) };
        let current = match self.subject_of(&entry.request.command) {
            None => Some(Version(0)),
            Some(subject) => self.version_of(subject),
        };
        match current {
            Some(current) if current != expected => Err(Rejected::VersionMismatch { current }),
            _ => Ok(()),
        }
    }

    /// A started conversation is answered with the offer that the same entry made.
    fn as_it_stands(&self, what: DoneWhat) -> DoneWhat {
        let now = |id| {
            let offer = crate::domain::ConvNo::of(id, self.id)
                .and_then(|no| self.conversations.get(&no))
                .and_then(|conversation| conversation.offer.as_ref());
            (offer.map(|offer| offer.id(self.id)), offer.map(|offer| offer.agent.id(self.id)))
        };
        match what {
            DoneWhat::Conversation { id, .. } => {
                let (offer, agent) = now(id);
                DoneWhat::Conversation { id, offer, agent }
            }
            DoneWhat::Resumed { id, .. } => {
                let (offer, agent) = now(id);
                DoneWhat::Resumed { id, offer, agent }
            }
            other => other,
        }
    }
}
