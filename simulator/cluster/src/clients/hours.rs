//! Opening hours, and somebody who sets them: with draws of its own, so that all others are as without it. In some
//! domains alone, and closed for seconds: who waits meanwhile is to be served.

use super::caller::{Caller, Manner, Settled, Tries, timed};
use super::realm::Realm;
use super::request::{EPOCH_MS, mutation, request_id};
use crate::checks::{Asked, Opened, now_ms};
use crate::determinism::Draw;
use proto::v1;
use proto::v1::admin_client::AdminClient;
use proto::v1::hours::Closing;
use proto::v1::schedule_date::Opening;
use proto::v1::supervisor_client::SupervisorClient;
use routing::QueueId;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Who acts.
const NAME: &str = "hours@example.org";
/// Of domains: those with queues that open and close.
const WITH_HOURS: f64 = 0.35;
/// Mean time between two acts.
const EVERY: Duration = Duration::from_secs(8);
/// Between two tries to take hours away at the end.
const TIDY: Duration = Duration::from_secs(2);
const SCHEDULE: &str = "short";
const DAY_S: u64 = 86_400;
const DAYS: [v1::Weekday; 7] = [
    v1::Weekday::Monday,
    v1::Weekday::Tuesday,
    v1::Weekday::Wednesday,
    v1::Weekday::Thursday,
    v1::Weekday::Friday,
    v1::Weekday::Saturday,
    v1::Weekday::Sunday,
];

/// Acts until everybody is to finish; then every queue is open for good, and `open` ends.
pub(super) async fn run(realm: Arc<Realm>, mut caller: Caller, open: Opened) {
    if !caller.draw.chance(WITH_HOURS) {
        return;
    }
    let mut tries = Tries::default();
    while tries.another(&mut caller).await && !set(&realm, &mut caller).await {}
    let mut kept: BTreeSet<QueueId> = BTreeSet::new();
    for place in 0..realm.queues.len() {
        if caller.draw.chance(0.5) {
            keep(&realm, &mut caller, place, &mut kept).await;
        }
    }
    while caller.acts_again(&realm, EVERY).await {
        if caller.draw.chance(0.5) {
            set(&realm, &mut caller).await;
        } else {
            let place = usize::try_from(caller.draw.range(0, realm.queues.len() as u64 - 1)).unwrap_or(0);
            keep(&realm, &mut caller, place, &mut kept).await;
        }
    }
    // A late command may bring hours back, so it is looked after until the end.
    let mut open = Some(open);
    while !caller.is_over() && !realm.is_quarantined() {
        let mut all = true;
        for queue in &kept {
            all &= hours(&mut caller, *queue, None, Manner::FOR_EVER).await;
        }
        if all {
            open = None;
        }
        if kept.is_empty() {
            break;
        }
        caller.sleep(TIDY).await;
    }
    drop(open);
}

/// Gives the domain another schedule; whether it has it.
async fn set(realm: &Realm, caller: &mut Caller) -> bool {
    let wanted = schedule(&mut caller.draw, (EPOCH_MS + now_ms()) / 1_000);
    let id = request_id(&mut caller.draw);
    let request = v1::SetScheduleRequest {
        mutation: mutation(id),
        supervisor: NAME.to_owned(),
        domain: realm.domain.to_string(),
        name: SCHEDULE.to_owned(),
        schedule: Some(wanted),
    };
    let settled = caller
        .settle(&Asked::Configure("set_schedule"), id, Manner::ORDINARY, |line, deadline| {
            let request = request.clone();
            async move { AdminClient::new(line).set_schedule(timed(request, deadline)).await }
        })
        .await;
    matches!(settled, Settled::Done(..))
}

/// Lets a queue keep to it, or to none.
async fn keep(realm: &Realm, caller: &mut Caller, place: usize, kept: &mut BTreeSet<QueueId>) {
    let queue = realm.queues[place].0;
    let closing = if caller.draw.chance(0.5) { Closing::ServeOut } else { Closing::Hold };
    let wanted = v1::Hours { schedule: SCHEDULE.to_owned(), closing: closing.into() };
    let wanted = Some(wanted).filter(|_| caller.draw.chance(0.8));
    // Whatever becomes of it.
    kept.insert(queue);
    hours(caller, queue, wanted, Manner::ORDINARY).await;
}

/// Sets a queue's hours; whether they are set.
async fn hours(caller: &mut Caller, queue: QueueId, hours: Option<v1::Hours>, manner: Manner) -> bool {
    let id = request_id(&mut caller.draw);
    let (supervisor, queue) = (NAME.to_owned(), queue.to_string());
    let request = v1::SetHoursRequest { mutation: mutation(id), supervisor, queue, hours };
    let settled = caller
        .settle(&Asked::Configure("set_hours"), id, manner, |line, deadline| {
            let request = request.clone();
            async move { SupervisorClient::new(line).set_hours(timed(request, deadline)).await }
        })
        .await;
    // Below its level there is nothing to take away.
    matches!(settled, Settled::Done(..)) || matches!(settled, Settled::Refused(why) if why == "LEVEL_TOO_LOW")
}

/// Open but for breaks of some seconds from this time on, given in seconds since 1970.
fn schedule(draw: &mut Draw, now_s: u64) -> v1::Schedule {
    let (mut openings, mut from) = (Vec::new(), 0);
    let mut to = now_s % DAY_S + draw.range(1, 8);
    let opening = |from: u64, to: u64| {
        let [from_s, to_s] = [from, to].map(|at| u32::try_from(at).unwrap_or(0));
        Opening { from_s, to_s }
    };
    while openings.len() < 15 && to < DAY_S - 60 {
        openings.push(opening(from, to));
        from = to + draw.range(1, 4);
        to = from + draw.range(2, 10);
    }
    openings.push(opening(from, DAY_S));
    let day = i32::try_from(now_s / DAY_S).unwrap_or(0) - 20_454;
    let date = format!("2026-01-{:02}", day + 1);
    let week = DAYS.map(|day| v1::WeekOpening { day: day.into(), from_s: 0, to_s: 86_400 }).to_vec();
    // Now and then it is asked for what cannot be, and refused.
    let zone = if draw.chance(0.05) { "Nowhere/Land" } else { "UTC" };
    v1::Schedule { zone: zone.to_owned(), week, dates: vec![v1::ScheduleDate { date, openings }] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::convert::hours::read_schedule;

    #[test]
    fn schedules_close_for_seconds_soon_and_are_open_in_the_end() {
        let now_ms = EPOCH_MS + 45_000;
        let mut unsound = 0;
        for seed in 0..200 {
            let wire = schedule(&mut Draw::new(seed, "hours"), now_ms / 1_000);
            let Ok(schedule) = read_schedule(wire, now_ms) else {
                unsound += 1;
                continue;
            };
            let (mut at, mut closed_ms, mut times) = (now_ms, 0, 0);
            while let Some(until) = schedule.at(at).until_ms {
                closed_ms += if schedule.at(at).open { 0 } else { until - at };
                times += u32::from(!schedule.at(at).open);
                at = until;
            }
            assert!(schedule.at(at).open, "{schedule:?}");
            assert!((5..20).contains(&times) && closed_ms / u64::from(times) < 5_000, "{times} {closed_ms}");
        }
        assert!((1..40).contains(&unsound), "{unsound}");
    }
}
