//! One customer: comes when it is time, leaves when patience ends.

use super::board::Stage;
use super::caller::{Answered, settle};
use super::site::Site;
use super::target::Target;
use crate::checker::model::Asked;
use proto::v1;
use proto::v1::routing_client::RoutingClient;
use routing::{ConversationId, Span};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use uuid::Uuid;

fn mutation(request: Uuid) -> Option<v1::Mutation> {
    Some(v1::Mutation { request_id: request.to_string(), expected_version: None })
}

/// Starts the call at the moment it was meant for and follows it until an agent has it or the
/// customer leaves. `repeat`: sends the same request once more after the answer, which must not
/// change anything.
pub(super) async fn run(target: Arc<Target>, site: Arc<Site>, call: usize, intended: Instant, repeat: bool) {
    let follows = site.board.arrives(call, intended);
    let plan = site.workload.calls[call];
    let reference = site.customer(call);
    let request = Uuid::now_v7();
    let wire = v1::StartRequest {
        mutation: mutation(request),
        touchpoint: site.touchpoints[plan.queue as usize].to_string(),
        customer: reference.clone(),
        reference: reference.clone(),
        priority: Some(u32::from(plan.priority.0)),
        continues: String::new(),
        criteria: None,
    };
    let asked = Asked::Start { reference };
    let start = |channel| {
        let wire = wire.clone();
        async move { RoutingClient::new(channel).start(wire).await }
    };
    let deadline = Instant::now() + site.patience;
    let Ok(started) = settle(&target, &site.recorder, &asked, request, deadline, start).await else {
        // Refused or unknown: the record says so, and the report counts it.
        site.board.moves(call, Stage::Over);
        return;
    };
    let now = Instant::now();
    let arrived_us = started.answer.at_us();
    if started.sent.is_some() {
        site.clock.observe(arrived_us, started.sent, now);
    }
    let Some(conversation) = started.answer.answer().conversation else { return };
    let at_once = !started.answer.offer.is_empty();
    site.board.started(call, conversation, at_once);
    if repeat {
        let _ = settle(&target, &site.recorder, &asked, request, deadline, start).await;
    }
    if plan.patience == Some(Span::ZERO) {
        if !at_once {
            abandon(&target, &site, call, conversation, None).await;
        }
        return;
    }
    if let Some(patience) = plan.patience {
        let due_us = arrived_us.saturating_add(patience.0);
        // To be stamped with that moment, not sent at it.
        let ends = site.clock.real_at(due_us.saturating_sub(site.leave_lead.us()));
        if unanswered(follows, ends).await {
            abandon(&target, &site, call, conversation, Some(due_us)).await;
        }
    }
}

/// Waits until an agent has the call (`false`), or patience has ended and no desk rings (`true`).
async fn unanswered(mut follows: watch::Receiver<Stage>, ends: Instant) -> bool {
    let ends = tokio::time::Instant::from_std(ends);
    let taken = follows.wait_for(|stage| matches!(stage, Stage::Taken | Stage::Over));
    if tokio::time::timeout_at(ends, taken).await.is_ok() {
        return false;
    }
    // A desk that rings at the last moment is picked up by itself: no hanging up into that.
    match follows.wait_for(|stage| *stage != Stage::Ringing).await {
        Ok(stage) => *stage == Stage::Waiting,
        Err(_) => false,
    }
}

async fn abandon(
    target: &Target,
    site: &Site,
    call: usize,
    conversation: ConversationId,
    due_us: Option<u64>,
) {
    let request = Uuid::now_v7();
    let wire = v1::AbandonRequest { mutation: mutation(request), conversation: conversation.to_string() };
    let asked = Asked::Abandon { conversation };
    let deadline = Instant::now() + site.patience;
    let left = settle(target, &site.recorder, &asked, request, deadline, |channel| {
        let wire = wire.clone();
        async move { RoutingClient::new(channel).abandon(wire).await }
    })
    .await;
    if let Ok(left) = left {
        if let (Some(due_us), Some(_)) = (due_us, left.sent) {
            site.leave_lead.learn(due_us, left.answer.at_us(), site.clock.speed());
        }
        site.board.moves(call, Stage::Over);
    }
}
