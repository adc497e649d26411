//! Callbacks and resumed places: "Callbacks" of the rules.

use super::Did;
use super::state::{Conv, Dom, invalid, not_allowed, wrong_state};
use routing::callback::{Callback, CallbackSettings};
use routing::command::By;
use routing::event::{Ending, OfferEnd, Place, Requeued, Revoked, Subject};
use routing::outcome::DoneWhat;
use routing::view::Stage;
use routing::{Channel, Command, ConversationId, EventKind, LogTime, Rejected, Span};

/// A callback under way.
#[derive(Debug, Clone)]
pub struct Calling {
    pub shown: Callback,
    /// The settings of then.
    pub terms: CallbackSettings,
    /// Its end waits for an offer's outcome.
    pub lingers: bool,
}

/// Whether a command is unknown below the level of callbacks.
pub fn is_of_callbacks(command: &Command) -> bool {
    matches!(
        command,
        Command::SetCallback { .. } | Command::RequestCallback { .. } | Command::CancelCallback { .. }
    ) || matches!(command, Command::SetPolicy { policy, .. } if policy.calls_back())
}

/// The refusal of what cannot be done with a callback.
pub fn called_back() -> Rejected {
    Rejected::WrongState { state: "to be called back".to_owned(), needed: String::new() }
}

fn within(span: Span, least_s: u64, most_s: u64) -> bool {
    (least_s * 1_000_000..=most_s * 1_000_000).contains(&span.0)
}

impl Conv {
    /// Nobody is to be offered it yet.
    pub fn rests(&self) -> bool {
        self.calling.as_ref().is_some_and(|calling| calling.shown.not_before.is_some())
    }

    pub fn rests_until(&self) -> Option<LogTime> {
        self.calling.as_ref().and_then(|calling| calling.shown.not_before)
    }

    pub fn callback_ends(&self) -> Option<LogTime> {
        self.calling.as_ref().filter(|calling| !calling.lingers).map(|calling| calling.shown.expires_at)
    }
}

impl Dom {
    pub fn set_callback(&mut self, callback: Option<CallbackSettings>, by: By) -> Did {
        if let By::Agent(desk) = &by {
            self.check_desk(*desk)?;
        }
        if let Some(c) = &callback {
            if c.attempts == 0 || c.attempts > 10 {
                return Err(invalid("callback.attempts"));
            }
            if !within(c.retry_after, 1, 86_400) {
                return Err(invalid("callback.retry_after"));
            }
            if !within(c.dial, 1, 300) {
                return Err(invalid("callback.dial"));
            }
            if !within(c.expires_after, 60, 7 * 86_400) {
                return Err(invalid("callback.expires_after"));
            }
            if c.resume_within > self.settings.closed_retention {
                return Err(invalid("callback.resume_within"));
            }
        }
        if !matches!(by, By::Supervisor(_) | By::System) {
            return Err(not_allowed());
        }
        if self.callback != callback {
            self.callback = callback;
            self.emit(EventKind::CallbackChanged { callback, by });
        }
        Ok((DoneWhat::Ok, Subject::Domain(self.id)))
    }

    pub fn request_callback(&mut self, id: ConversationId, contact: String, not_before: Option<Span>) -> Did {
        if contact.len() > 64 {
            return Err(invalid("contact"));
        }
        let c = self.conv(id)?;
        let Some(terms) = self.callback else { return Err(not_allowed()) };
        if not_before.is_some_and(|span| span >= terms.expires_after) {
            return Err(invalid("not_before"));
        }
        if c.calling.is_some() {
            return Err(called_back());
        }
        let waits = match &c.stage {
            Stage::Waiting(Place::Inbox(_)) | Stage::Offered(Place::Inbox(_)) => false,
            Stage::Waiting(_) => true,
            Stage::Offered(_) => !c.is_connecting(),
            _ => false,
        };
        if !waits {
            return Err(wrong_state(c));
        }
        let not_before = not_before.filter(|span| span.0 > 0).map(|span| self.now + span);
        self.call_back(id, terms, contact, not_before);
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    pub fn call_back(
        &mut self,
        id: ConversationId,
        terms: CallbackSettings,
        contact: String,
        not_before: Option<LogTime>,
    ) {
        let offer = self.convs[&id].offer.is_some().then(|| {
            let end = OfferEnd::Revoked(Revoked::CalledBack);
            self.end_offer(id, end)
        });
        self.end_offers(id, Revoked::CalledBack);
        self.end_hold_for(id);
        let expires_at = self.now + terms.expires_after;
        let shown = Callback {
            contact: contact.clone(),
            requested_at: self.now,
            attempts: 0,
            not_before,
            expires_at,
        };
        self.c(id).calling = Some(Calling { shown, terms, lingers: false });
        self.emit(EventKind::CallbackRequested { conversation: id, contact, not_before, expires_at });
        if let Some(offer) = offer {
            self.after_offer(id, &offer, Requeued::Revoked);
        }
    }

    pub fn cancel_callback(&mut self, id: ConversationId) -> Did {
        let c = self.conv(id)?;
        if c.calling.is_none() {
            return Err(wrong_state(c));
        }
        self.end(id, Ending::Abandoned, Revoked::Abandoned, String::new());
        Ok((DoneWhat::Ok, Subject::Conversation(id)))
    }

    /// Somebody dialled, and nobody answered.
    pub fn not_reached(&mut self, id: ConversationId, reason: String) {
        let offer = self.end_offer(id, OfferEnd::NotConnected { reason });
        let now = self.now;
        let calling = self.c(id).calling.as_mut().expect("a callback");
        calling.shown.attempts += 1;
        let attempts = calling.shown.attempts;
        let last = attempts == calling.terms.attempts;
        let not_before = if last { None } else { Some(now + calling.terms.retry_after) };
        calling.shown.not_before = not_before;
        self.emit(EventKind::CallbackTried { conversation: id, attempts, not_before });
        if last {
            let reason = "callback: the customer was not reached".to_owned();
            let ending = Ending::Closed { reason, by: By::System };
            self.end(id, ending, Revoked::Closed, String::new());
        } else {
            self.after_offer(id, &offer, Requeued::NotConnected);
        }
    }

    pub fn rested(&mut self, id: ConversationId) {
        self.c(id).calling.as_mut().expect("it rests").shown.not_before = None;
        self.rules_go_on(id);
    }

    pub fn callback_over(&mut self, id: ConversationId) {
        if !matches!(self.convs[&id].stage, Stage::Waiting(_)) {
            self.c(id).calling.as_mut().expect("a callback").lingers = true;
            return;
        }
        let ending = Ending::Closed { reason: "callback: expired".to_owned(), by: By::System };
        self.end(id, ending, Revoked::Expired, String::new());
    }

    /// Whether one that starts now by this channel has the place of this one.
    pub fn has_the_place_of(&self, former: ConversationId, channel: Channel) -> bool {
        let Some(settings) = self.callback else { return false };
        let Some(c) = self.convs.get(&former) else { return false };
        let since = self.now.0 - c.ended_at.map_or(0, |at| at.0);
        settings.resume_within > Span::ZERO
            && c.stage == Stage::Ended(Ending::Abandoned)
            && c.channel == channel
            && !c.resumed
            && since <= settings.resume_within.0
    }
}
