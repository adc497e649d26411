//! A second tab: the same agent says hello somewhere else, stays a while, and is gone.

use super::link::Link;
use crate::checks::{Said, Shown, Sight, now_us};
use crate::clients::caller::Caller;
use crate::clients::request::{request_id, text};
use crate::clients::seen;
use proto::v1;
use proto::v1::desk_response::Message;
use proto::v1::notice::Notice as Told;
use routing::AgentId;
use tokio::time::{Instant, timeout_at};

/// Takes the session over for a while; it answers nothing that it is shown.
pub(super) async fn run(agent: AgentId, mut caller: Caller) {
    let (node, line) = caller.lines.draw(&mut caller.draw, None);
    let hello = v1::Hello {
        agent: agent.to_string(),
        request_id: text(request_id(&mut caller.draw)),
        cursor: None,
        epoch: None,
    };
    let number = caller.history.stream();
    let Some(mut link) = Link::open(node, line, number, hello).await else { return };
    let until = Instant::now() + caller.draw.millis(1_000, 5_000);
    let mut epoch = 0;
    while let Ok(Some(response)) = timeout_at(until, link.next()).await {
        let said = match response.message {
            Some(Message::Welcome(welcome)) => {
                epoch = welcome.epoch;
                let shown = welcome.agent.unwrap_or_default();
                let offers: Vec<Shown> = shown.offers.iter().filter_map(seen::offer).collect();
                let Some(known) = seen::agent(&shown) else { return };
                caller.history.count("desk_did", "tab_welcomed");
                Said::Welcome(Box::new(known), offers)
            }
            Some(Message::Notice(notice)) => match notice.notice {
                Some(Told::Offered(offer)) => match seen::offer(&offer) {
                    Some(offer) => Said::Offered(offer),
                    None => continue,
                },
                Some(Told::Presence(intent)) => Said::Presence(seen::is_available(Some(&intent))),
                Some(Told::Assigned(assigned)) => match assigned.conversation.parse() {
                    Ok(id) => Said::Assigned(id),
                    Err(_) => continue,
                },
                Some(Told::Released(released)) => match released.conversation.parse() {
                    Ok(id) => Said::Released(id),
                    Err(_) => continue,
                },
                Some(Told::Ended(ended)) => match ended.conversation.parse() {
                    Ok(id) => Said::Ended(id),
                    Err(_) => continue,
                },
                Some(Told::SessionEnded(ended)) => Said::SessionEnded(ended.reason),
                _ => continue,
            },
            _ => continue,
        };
        let (cursor, stream) = (response.cursor, link.number);
        caller.history.sight(Sight { agent, epoch, stream, at_us: now_us(), cursor, said });
    }
}
