//! One customer: comes, waits, perhaps leaves, perhaps ends the contact, perhaps is never heard of
//! again.

use super::caller::{Caller, Manner, Settled, timed};
use super::realm::Realm;
use super::request::{mutation, request_id};
use super::submit::Job;
use crate::checks::{Answer, Asked, Outcome, Read, Stage, now_us};
use crate::plan::LoadPlan;
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use proto::v1::submit_request::Command;
use routing::ConversationId;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

/// Of customers: those who come with criteria of their own.
const ASKS: f64 = 0.3;
/// Of customers: those who try once only.
const IMPATIENT: f64 = 0.05;
/// Of customers: those who vanish without a word.
const VANISH: f64 = 0.2;
/// Of contacts still running at the end of patience: ended by the customer.
const HANGS_UP: f64 = 0.3;

pub(super) struct Customer {
    pub(super) realm: Arc<Realm>,
    pub(super) caller: Caller,
    pub(super) load: LoadPlan,
    pub(super) number: u64,
    /// The backend's stream, for those who come by it.
    pub(super) submit: Option<mpsc::Sender<Job>>,
}

impl Customer {
    pub(super) async fn run(mut self) {
        let _open = self.realm.history.open(format!("customers of {}", self.realm.domain));
        let draw = &mut self.caller.draw;
        let touchpoint = *draw.pick(&self.realm.touchpoints);
        let request = request_id(draw);
        let reference = format!("customer {} of {}", self.number, self.realm.domain);
        let start = v1::StartRequest {
            mutation: mutation(request),
            touchpoint: touchpoint.to_string(),
            customer: format!("c{}", self.number),
            reference: reference.clone(),
            priority: draw.chance(0.3).then(|| u32::try_from(draw.range(0, 3)).unwrap_or(0)),
            continues: String::new(),
            criteria: draw.chance(ASKS).then(|| self.realm.criteria(draw)),
        };
        let impatient = draw.chance(IMPATIENT);
        let vanishes = draw.chance(VANISH);
        let patience = draw.exponential(self.load.patience);
        let repeats = draw.chance(self.load.repeat);
        let asked = Asked::Start(reference);
        let manner = if impatient { Manner::ONCE } else { Manner::ORDINARY };
        let answer = match self.start(&asked, request, &start, manner).await {
            Some(answer) => answer,
            None => return,
        };
        let Some(id) = answer.conversation else { return };
        if repeats {
            self.caller.history.count("mischief", "start_repeated");
            let pause = self.caller.draw.millis(0, 2_000);
            self.caller.sleep(pause).await;
            self.unary(&asked, request, &start, Manner::ORDINARY).await;
        }
        if vanishes {
            self.caller.history.count("mischief", "customer_vanished");
            return;
        }
        if self.lives() && !self.caller.sleep(patience).await && self.lives() {
            self.leave(id).await;
        }
    }

    fn lives(&self) -> bool {
        self.caller.plays()
    }

    async fn start(
        &mut self,
        asked: &Asked,
        request: u128,
        start: &v1::StartRequest,
        manner: Manner,
    ) -> Option<Answer> {
        if let Some(submit) = self.submit.take() {
            let (told, outcome) = oneshot::channel();
            let command = Command::Start(start.clone());
            let job = Job { request, asked: asked.clone(), command, told };
            if submit.send(job).await.is_ok() {
                match outcome.await {
                    Ok(Outcome::Done(answer)) => return Some(answer),
                    Ok(Outcome::Refused(_)) => return None,
                    // The same request goes on by itself.
                    Ok(Outcome::NotDone | Outcome::Unknown) | Err(_) => {}
                }
            }
        }
        self.unary(asked, request, start, manner).await
    }

    async fn unary(
        &mut self,
        asked: &Asked,
        request: u128,
        start: &v1::StartRequest,
        manner: Manner,
    ) -> Option<Answer> {
        let settled = self
            .caller
            .settle(asked, request, manner, |line, deadline| {
                let start = start.clone();
                async move { RoutingClient::new(line).start(timed(start, deadline)).await }
            })
            .await;
        match settled {
            Settled::Done(_, answer) => Some(answer),
            Settled::Refused(_) | Settled::Unknown => None,
        }
    }

    /// Patience is over.
    async fn leave(&mut self, id: ConversationId) {
        let history = Arc::clone(&self.realm.history);
        match history.stage(id) {
            Some(Stage::Ended { .. } | Stage::Wrapping) => {
                if self.caller.draw.chance(0.2) {
                    self.look(id).await;
                }
            }
            Some(Stage::Assigned) => {
                if self.caller.draw.chance(HANGS_UP) {
                    let request = request_id(&mut self.caller.draw);
                    let end =
                        v1::EndContactRequest { mutation: mutation(request), conversation: id.to_string() };
                    self.caller
                        .settle(&Asked::CustomerEnds(id), request, Manner::ORDINARY, |line, deadline| {
                            let end = end.clone();
                            async move { RoutingClient::new(line).end_contact(timed(end, deadline)).await }
                        })
                        .await;
                }
            }
            _ if self.caller.draw.chance(0.1) => {
                let request = request_id(&mut self.caller.draw);
                let close = v1::CloseRequest {
                    mutation: mutation(request),
                    conversation: id.to_string(),
                    reason: "solved elsewhere".to_owned(),
                };
                self.caller
                    .settle(&Asked::Close(id), request, Manner::ORDINARY, |line, deadline| {
                        let close = close.clone();
                        async move { RoutingClient::new(line).close(timed(close, deadline)).await }
                    })
                    .await;
            }
            _ => {
                let request = request_id(&mut self.caller.draw);
                let abandon =
                    v1::AbandonRequest { mutation: mutation(request), conversation: id.to_string() };
                let settled = self
                    .caller
                    .settle(&Asked::Abandon(id), request, Manner::ORDINARY, |line, deadline| {
                        let abandon = abandon.clone();
                        async move { RoutingClient::new(line).abandon(timed(abandon, deadline)).await }
                    })
                    .await;
                if matches!(settled, Settled::Done(..)) && self.caller.draw.chance(0.1) {
                    self.look(id).await;
                }
            }
        }
    }

    /// Reads the conversation twice, from nodes that are drawn.
    async fn look(&mut self, id: ConversationId) {
        for _ in 0..2 {
            look(&mut self.caller, id).await;
        }
    }
}

/// Reads a conversation and writes down what it shows.
pub(super) async fn look(caller: &mut Caller, id: ConversationId) {
    let sent_us = now_us();
    let get = || v1::GetConversationRequest { conversation: id.to_string() };
    let found = caller
        .read(Manner::ONCE, |line, deadline| {
            let get = get();
            async move { RoutingClient::new(line).get_conversation(timed(get, deadline)).await }
        })
        .await;
    if let Ok(found) = found
        && let Some(seen) = super::seen::conversation(&found)
    {
        caller.history.read(Read { sent_us, returned_us: now_us(), seen });
    }
}
