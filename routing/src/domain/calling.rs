//! Conversations that are to be called back, abandoned ones whose place was resumed, and what is stored of both
//! beside a domain, from level 11 on.

use super::{ConvNo, Conversation, Cx, Domain, State};
use crate::callback::{Callback, CallbackSettings, EXPIRED, NOT_REACHED};
use crate::command::By;
use crate::deadlines::Due;
use crate::event::{Ending, EventKind, OfferEnd, Requeued, Revoked};
use crate::shard::PlantedBug;
use crate::{LogTime, Span};
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;

/// A move sends so many at once.
const PART: usize = 500;

/// A callback under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Calling {
    pub(crate) callback: Callback,
    /// As they were when it was asked for.
    terms: CallbackSettings,
    /// When it expires; none: that waits for an offer's outcome.
    pub(crate) due: Option<LogTime>,
}

/// What is stored of callbacks beside a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallbackBeside {
    /// Of a move only the first part has it.
    settings: Option<CallbackSettings>,
    calling: Vec<(ConvNo, Calling)>,
    resumed: Vec<ConvNo>,
}

impl CallbackBeside {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Some of what [`CallbackBeside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum CallbackPiece<'a> {
    Settings(Option<CallbackSettings>),
    Count(usize),
    Calling(ConvNo, &'a Calling),
    Resumed(ConvNo),
}

impl Serialize for CallbackPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Settings(settings) => settings.serialize(serializer),
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Calling(no, calling) => (no, calling).serialize(serializer),
            Self::Resumed(no) => no.serialize(serializer),
        }
    }
}

impl Conversation {
    /// Until when nobody is offered it: it stands in no line.
    pub(crate) fn rests_until(&self) -> Option<LogTime> {
        self.calling.as_ref()?.callback.not_before
    }
}

impl Domain {
    fn calling(&self) -> impl Iterator<Item = (ConvNo, &Calling)> {
        self.conversations.values().filter_map(|conv| Some((conv.no, conv.calling.as_deref()?)))
    }

    fn resumed(&self) -> impl Iterator<Item = ConvNo> {
        self.conversations.values().filter(|conv| conv.resumed).map(|conv| conv.no)
    }

    /// Callbacks that wait and stand in no line.
    pub(crate) fn resting(&self) -> impl Iterator<Item = &Conversation> {
        self.index.0.resting.iter().map(|no| self.conv(*no)).filter(|conv| conv.state == State::Waiting)
    }

    /// Whether there is anything of callbacks beside the domain.
    pub(crate) fn has_callbacks(&self) -> bool {
        // What began under settings goes on without them.
        self.callback.is_some() || self.calling().next().is_some() || self.resumed().next().is_some()
    }

    /// All that is stored of callbacks beside the domain.
    pub(crate) fn callback_beside(&self) -> CallbackBeside {
        CallbackBeside {
            settings: self.callback,
            calling: self.calling().map(|(no, calling)| (no, calling.clone())).collect(),
            resumed: self.resumed().collect(),
        }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn callback_pieces(&self) -> impl Iterator<Item = CallbackPiece<'_>> {
        once(CallbackPiece::Settings(self.callback))
            .chain(once(CallbackPiece::Count(self.calling().count())))
            .chain(self.calling().map(|(no, calling)| CallbackPiece::Calling(no, calling)))
            .chain(once(CallbackPiece::Count(self.resumed().count())))
            .chain(self.resumed().map(CallbackPiece::Resumed))
    }

    /// The same in parts, for a move.
    pub(crate) fn callback_parts(&self) -> Vec<CallbackBeside> {
        let CallbackBeside { settings, calling, resumed } = self.callback_beside();
        let none = CallbackBeside::default;
        let first = settings.map(|settings| CallbackBeside { settings: Some(settings), ..none() });
        let calling = calling.chunks(PART).map(|some| CallbackBeside { calling: some.to_vec(), ..none() });
        let resumed = resumed.chunks(PART).map(|some| CallbackBeside { resumed: some.to_vec(), ..none() });
        first.into_iter().chain(calling).chain(resumed).collect()
    }

    /// Puts it in its place; the domain is indexed after it.
    pub(crate) fn put_callbacks(&mut self, beside: CallbackBeside) {
        self.callback = beside.settings.or(self.callback);
        for (no, calling) in beside.calling {
            if let Some(conversation) = self.conversations.get_mut(&no) {
                conversation.calling = Some(Box::new(calling));
            }
        }
        for no in beside.resumed {
            if let Some(conversation) = self.conversations.get_mut(&no) {
                conversation.resumed = true;
            }
        }
    }

    /// How long a connection may take that is made after an accept, if there is a second step.
    pub(crate) fn connects_within(&self, no: ConvNo) -> Option<Span> {
        let conversation = self.conv(no);
        match &conversation.calling {
            Some(calling) => Some(calling.terms.dial),
            None => self.handling.connects_within(conversation.channel),
        }
    }

    /// A conversation that waits, or rings, is one that is to be called back, by these settings and not before that
    /// time.
    pub(crate) fn call_back(
        &mut self,
        cx: &mut Cx<'_>,
        no: ConvNo,
        terms: CallbackSettings,
        contact: String,
        not_before: Option<LogTime>,
    ) {
        let ringing = self.conv(no).offer.is_some();
        let offer = ringing.then(|| self.take_offer(cx, no, OfferEnd::Revoked(Revoked::CalledBack)));
        self.take_offers(cx, no, Revoked::CalledBack);
        if !ringing {
            self.leave_lines(no);
        }
        self.clear_wait(no);
        let expires_at = cx.now + terms.expires_after;
        let callback =
            Callback { contact: contact.clone(), requested_at: cx.now, attempts: 0, not_before, expires_at };
        let conversation = self.conv_mut(no);
        conversation.calling = Some(Box::new(Calling { callback, terms, due: Some(expires_at) }));
        if cx.planted(PlantedBug::CallbackToTheEnd) {
            conversation.arrived_at = cx.now;
        }
        self.index.0.deadlines.add(expires_at, Due::Callback(no));
        self.rest_until(no, not_before);
        let conversation = no.id(self.id);
        self.emit(cx, EventKind::CallbackRequested { conversation, contact, not_before, expires_at });
        match offer {
            Some(offer) => _ = self.wait_after_offer(cx, no, &offer, Requeued::Revoked),
            None => self.enter_lines(no),
        }
    }

    /// An agent dialled and did not reach the customer: it waits again, and rests first, or that was the last attempt.
    pub(crate) fn not_reached(&mut self, cx: &mut Cx<'_>, no: ConvNo, reason: String) {
        let offer = self.take_offer(cx, no, OfferEnd::NotConnected { reason });
        let calling = self.conv_mut(no).calling.as_mut().expect("only callbacks are tried");
        calling.callback.attempts += 1;
        let attempts = calling.callback.attempts;
        let again = attempts < calling.terms.attempts;
        let not_before = again.then(|| cx.now + calling.terms.retry_after);
        let conversation = no.id(self.id);
        self.emit(cx, EventKind::CallbackTried { conversation, attempts, not_before });
        if !again {
            let ending = Ending::Closed { reason: NOT_REACHED.to_owned(), by: By::System };
            self.end(cx, no, ending, String::new(), Revoked::Closed);
            return;
        }
        if !cx.planted(PlantedBug::CalledTooEarly) {
            self.rest_until(no, not_before);
        }
        self.wait_after_offer(cx, no, &offer, Requeued::NotConnected);
    }

    /// Nobody is offered it before then. It stands in no line.
    fn rest_until(&mut self, no: ConvNo, until: Option<LogTime>) {
        self.rest_no_more(no);
        let Some(at) = until else { return };
        if let Some(calling) = &mut self.conv_mut(no).calling {
            calling.callback.not_before = until;
            self.index.0.resting.insert(no);
            self.index.0.deadlines.add(at, Due::Rested(no));
        }
    }

    fn rest_no_more(&mut self, no: ConvNo) {
        let rested =
            self.conv_mut(no).calling.as_mut().and_then(|calling| calling.callback.not_before.take());
        if let Some(at) = rested {
            self.index.0.deadlines.remove(at, Due::Rested(no));
        }
        self.index.0.resting.remove(&no);
    }

    /// A callback has rested: it stands in its lines from now on.
    pub(crate) fn rested(&mut self, no: ConvNo) {
        self.rest_no_more(no);
        if self.conv(no).state == State::Waiting {
            self.rules_go_on(no);
            self.enter_lines(no);
        }
    }

    /// A callback stood for as long as it may; if an offer of it is live, that is waited for.
    pub(crate) fn callback_over(&mut self, cx: &mut Cx<'_>, no: ConvNo) {
        if let Some(calling) = &mut self.conv_mut(no).calling {
            calling.due = None;
        }
        if self.conv(no).state == State::Waiting {
            let ending = Ending::Closed { reason: EXPIRED.to_owned(), by: By::System };
            self.end(cx, no, ending, String::new(), Revoked::Expired);
        }
    }

    /// A callback comes to wait: that it expires need not wait any longer.
    pub(crate) fn callback_runs_on(&mut self, no: ConvNo) {
        let Some(calling) = &mut self.conv_mut(no).calling else { return };
        if calling.due.is_none() {
            let at = calling.callback.expires_at;
            calling.due = Some(at);
            self.index.0.deadlines.add(at, Due::Callback(no));
        }
    }

    /// It is no callback any more: the customer was reached, or it ended.
    pub(crate) fn end_callback(&mut self, no: ConvNo) {
        self.rest_no_more(no);
        let calling = self.conv_mut(no).calling.take();
        if let Some(at) = calling.and_then(|calling| calling.due) {
            self.index.0.deadlines.remove(at, Due::Callback(no));
        }
    }

    /// The abandoned conversation whose place one that starts now by this channel has again, if there is one.
    pub(crate) fn resumes(&self, cx: &Cx<'_>, former: ConvNo, channel: crate::Channel) -> bool {
        let within = self.callback.map_or(Span::ZERO, |settings| settings.resume_within);
        self.conversations.get(&former).is_some_and(|conversation| {
            let lately = conversation.ended_at.is_some_and(|ended| ended + within >= cx.now);
            let free = !conversation.resumed || cx.planted(PlantedBug::ResumedTwice);
            let abandoned = conversation.state == State::Ended(Box::new(Ending::Abandoned));
            within > Span::ZERO && abandoned && lately && free && conversation.channel == channel
        })
    }
}
