//! `Withdraw`: another domain calls a conversation back.

use super::checks::{Answered, done};
use super::{abandon, arrive, close};
use crate::command::{Crossing, Recall};
use crate::domain::crossings::Known;
use crate::domain::{ConvNo, Cx, Domain};
use crate::event::Subject;
use crate::outcome::{DoneWhat, Landing};

pub(super) fn apply(domain: &mut Domain, cx: &mut Cx<'_>, crossing: &Crossing, recall: &Recall) -> Answered {
    let landing = match domain.crossings.meet(crossing) {
        Known::Settled => return arrive::settled(crossing),
        Known::Landed(landing) => landing,
        Known::New => {
            domain.crossings.land(crossing, Landing::Withdrawn);
            Landing::Withdrawn
        }
    };
    if let Landing::Arrived(id) = landing
        && let Some(no) = ConvNo::of(id, domain.id)
        && domain.conversations.get(&no).is_some_and(|conversation| !conversation.is_terminal())
    {
        match recall {
            Recall::TimedOut => {}
            Recall::Abandoned => {
                abandon::apply(domain, cx, id)?;
            }
            Recall::Closed { reason, by } => {
                close::close(domain, cx, no, reason, by)?;
            }
        }
    }
    done(DoneWhat::Landed(landing), Subject::Domain(domain.id))
}
