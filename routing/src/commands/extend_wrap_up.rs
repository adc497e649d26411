//! `ExtendWrapUp`: a wrap-up lasts longer.

use super::checks::{Answered, done, invalid, not_allowed};
use super::wrong_state;
use crate::command::By;
use crate::deadlines::Due;
use crate::domain::{Cx, Domain, State};
use crate::event::{EventKind, Subject};
use crate::outcome::DoneWhat;
use crate::{ConversationId, Span};

pub(super) fn apply(
    domain: &mut Domain,
    cx: &mut Cx<'_>,
    id: ConversationId,
    longer: Span,
    by: &By,
) -> Answered {
    let caller = domain.caller(by)?;
    let no = domain.named_conversation(id)?;
    let State::Wrapping(owner) = domain.conv(no).state else {
        return wrong_state(domain, no, "only a wrap-up can be extended");
    };
    if *by == By::Customer || caller.is_some_and(|caller| caller != owner) {
        return not_allowed("only its owner or a supervisor extends a wrap-up");
    }
    let left = domain.handling.extend_max.0.saturating_sub(domain.conv(no).handled.longer.0);
    if longer < Span::seconds(1) || longer.0 > left {
        let problem = match left {
            0 => "the domain lets no wrap-up last longer than this one does: complete it".to_owned(),
            left => format!("use 1 s to {} s: that much is left for this wrap-up", left / 1_000_000),
        };
        return invalid("longer", problem);
    }
    let conversation = domain.conv_mut(no);
    let before = conversation.work_deadline.expect("a wrap-up ends by itself");
    let deadline = before + longer;
    conversation.work_deadline = Some(deadline);
    conversation.handled.longer.0 += longer.0;
    domain.index.0.deadlines.remove(before, Due::WrapUp(no));
    domain.index.0.deadlines.add(deadline, Due::WrapUp(no));
    let agent = owner.id(domain.id);
    domain.emit(cx, EventKind::WrapUpExtended { conversation: id, agent, deadline, by: by.clone() });
    done(DoneWhat::Ok, Subject::Conversation(id))
}
