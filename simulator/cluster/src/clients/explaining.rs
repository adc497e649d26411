//! Supervisors ask why: why something waits, why a queue's agents get nothing, why an agent was picked. What
//! they are told of an offer must be that offer.

use super::caller::{Manner, timed};
use super::customer::look;
use super::supervisor::Supervisor;
use crate::checks::Stage;
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::supervisor_client::SupervisorClient;

impl Supervisor {
    pub(super) async fn explain(&mut self) {
        let Some(id) = self.some_live() else { return };
        let explained = self
            .caller
            .read(Manner::ONCE, |line, deadline| {
                let request = v1::ExplainWaitRequest { conversation: id.to_string() };
                async move { SupervisorClient::new(line).explain_wait(timed(request, deadline)).await }
            })
            .await;
        if explained.is_ok() {
            self.realm.history.count("read", "explained");
        }
        look(&mut self.caller, id).await;
        self.expected_wait().await;
        self.explain_queue().await;
        self.explain_pick().await;
    }

    /// What its customer may expect: a time, or why there is none, and never both.
    async fn expected_wait(&mut self) {
        let pick = self.caller.draw.bits();
        let waiting = self.realm.history.some_at(self.realm.domain, Stage::Waiting, pick);
        let Some(id) = waiting else { return };
        let who = Some(v1::expected_wait_request::Who::Conversation(id.to_string()));
        let told = self
            .caller
            .read(Manner::ONCE, |line, deadline| {
                let request = v1::ExpectedWaitRequest { who: who.clone() };
                async move { RoutingClient::new(line).expected_wait(timed(request, deadline)).await }
            })
            .await;
        let Ok(told) = told else { return };
        let known = told.wait_us.is_some();
        self.realm.history.count("why", if known { "expected" } else { "not_expected" });
        if known != told.unknown.is_empty() || known && told.position == 0 {
            self.realm.history.found("R-3", format!("what {id} may expect is {told:?}"));
        }
    }

    async fn explain_queue(&mut self) {
        let queue = self.some_queue();
        let explained = self
            .caller
            .read(Manner::ONCE, |line, deadline| {
                let request = v1::ExplainQueueRequest { queue: queue.to_string() };
                async move { SupervisorClient::new(line).explain_queue(timed(request, deadline)).await }
            })
            .await;
        if let Ok(explained) = explained {
            self.realm.history.count("why", "queue");
            if explained.queue != queue.to_string() {
                let seen = format!("asked about {queue}, was told about {}", explained.queue);
                self.realm.history.found("R-3", seen);
            }
        }
    }

    /// Of an offer that was live just now: whoever has seen it may ask.
    async fn explain_pick(&mut self) {
        let drawn = self.caller.draw.bits();
        let Some(id) = self.realm.history.some_offered(self.realm.domain, drawn) else { return };
        let found = self
            .caller
            .read(Manner::ONCE, |line, deadline| {
                let request = v1::GetConversationRequest { conversation: id.to_string() };
                async move { RoutingClient::new(line).get_conversation(timed(request, deadline)).await }
            })
            .await;
        let Some(offer) = found.ok().and_then(|found| found.offer) else { return };
        let why = self
            .caller
            .read(Manner::ONCE, |line, deadline| {
                let request = v1::ExplainPickRequest { offer: offer.id.clone() };
                async move { SupervisorClient::new(line).explain_pick(timed(request, deadline)).await }
            })
            .await;
        // Refused: the node that was asked began with a snapshot after it, or the offer's event is too old.
        let Ok(why) = why else { return };
        self.realm.history.count("why", if why.way.is_empty() { "older_offer" } else { "pick" });
        // What is being connected is its queue's no longer.
        let queue = if offer.connecting { &offer.queue } else { &why.queue };
        let told = (&why.offer, &why.conversation, &why.agent, queue, why.made_at_us);
        let seen = (&offer.id, &offer.conversation, &offer.agent, &offer.queue, offer.made_at_us);
        if told != seen {
            self.realm
                .history
                .found("R-3", format!("an offer was {seen:?}, and by its explanation {told:?}"));
        }
        if why.passed_over.iter().any(|one| one.agent == why.agent)
            || why.next.iter().any(|one| one.agent == why.agent)
        {
            let seen = format!("{} was picked, and passed over or next by the same explanation", why.agent);
            self.realm.history.found("R-9", seen);
        }
    }
}
