//! `Settle`: what became of a conversation on its way to another domain.

use super::checks::{Answered, done};
use super::wrong_state;
use crate::ConversationId;
use crate::command::Recall;
use crate::domain::{Cx, Domain};
use crate::event::Subject;
use crate::outcome::{DoneWhat, Landing};

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    number: u64,
    sent: Option<&Recall>,
    landing: &Landing,
) -> Answered {
    let no = domain.named_conversation(id)?;
    let Some(departure) = domain.conv(no).departure.as_ref().filter(|departure| departure.number == number)
    else {
        return wrong_state(domain, no, "only one that is on this way can be settled");
    };
    // What arrived ends as the recall says, and it was not told of a later one: it is asked again.
    let told = matches!(departure.recall, None | Some(Recall::TimedOut)) || departure.recall.as_ref() == sent;
    if told || !matches!(landing, Landing::Arrived(_)) {
        domain.settle(cx, no, landing.clone());
    }
    done(DoneWhat::Ok, Subject::Conversation(id))
}
