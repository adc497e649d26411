//! `RequestCallback` and `CancelCallback`: what waits is to be called back, or no longer.

use super::checks::{Answered, done, invalid, not_allowed, text};
use super::wrong_state;
use crate::callback::limits::CONTACT_BYTES_MAX;
use crate::domain::{Cx, Domain, PlaceKind, State};
use crate::event::{Ending, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::{ConversationId, Rejected, Span};

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    contact: &str,
    not_before: Option<Span>,
) -> Answered {
    text("contact", contact, CONTACT_BYTES_MAX)?;
    let no = domain.named_conversation(id)?;
    let Some(terms) = domain.callback else {
        return not_allowed("the domain calls nobody back: SetCallback says how");
    };
    if not_before.is_some_and(|span| span >= terms.expires_after) {
        return invalid(
            "not_before",
            "later than the callback expires: use less than callback.expires_after",
        );
    }
    let conversation = domain.conv(no);
    let in_line = conversation.place != PlaceKind::Inbox;
    match conversation.state {
        State::Waiting | State::Offered if conversation.calling.is_some() => {
            return called_back("it is so already; CancelCallback ends it");
        }
        State::Waiting | State::Offered if in_line && !conversation.is_connecting() => {}
        _ => return wrong_state(domain, no, "only what waits in line, or rings, can be called back"),
    }
    let not_before = not_before.filter(|span| *span > Span::ZERO).map(|span| cx.now + span);
    domain.call_back(cx, no, terms, contact.to_owned(), not_before);
    done(DoneWhat::Ok, Subject::Conversation(id))
}

pub(super) fn cancel(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId) -> Answered {
    let no = domain.named_conversation(id)?;
    if domain.conv(no).calling.is_none() {
        return wrong_state(domain, no, "nobody is to be called back");
    }
    domain.end(cx, no, Ending::Abandoned, String::new(), Revoked::Abandoned);
    done(DoneWhat::Ok, Subject::Conversation(id))
}

/// The refusal of what cannot be done with a conversation that is to be called back.
pub(super) fn called_back<T>(needed: &str) -> Result<T, Rejected> {
    Err(Rejected::WrongState { state: "to be called back".to_owned(), needed: needed.to_owned() })
}
