//! `Abandon`: the customer left.

use super::checks::{Answered, done};
use super::wrong_state;
use crate::ConversationId;
use crate::domain::{Cx, Domain, State};
use crate::event::{Ending, Revoked, Subject};
use crate::outcome::DoneWhat;
use crate::shard::PlantedBug;

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, id: ConversationId) -> Answered {
    let no = domain.named_conversation(id)?;
    match domain.conv(no).state {
        State::Waiting | State::Offered => {
            domain.end(cx, no, Ending::Abandoned, String::new(), Revoked::Abandoned);
        }
        State::Assigned(_) => domain.end_contact(cx, no),
        State::Wrapping(_) => {}
        State::Ended(_) if domain.planted(PlantedBug::EndingRewritten) => {
            domain.conv_mut(no).state = State::Ended(Box::new(Ending::Expired));
        }
        State::Ended(_) => return wrong_state(domain, no, "it has ended already"),
    }
    done(DoneWhat::Ok, Subject::Conversation(id))
}
