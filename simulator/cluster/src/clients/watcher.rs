//! Somebody who follows a domain's events, at one node after the other.

use super::Phase;
use super::caller::{Caller, reason};
use proto::v1;
use proto::v1::events_client::EventsClient;
use routing::DomainId;
use std::time::Duration;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};

/// Time to open a watch.
const OPEN: Duration = Duration::from_secs(3);
/// Silence after which another node is asked.
const SILENCE: Duration = Duration::from_secs(5);
/// The same when everybody waits for the end.
const SILENCE_AT_THE_END: Duration = Duration::from_millis(1_500);
/// Pause before another node is asked.
const PAUSE: Duration = Duration::from_millis(100);
/// Of resumptions: those that read some events again, to compare them.
const LOOKS_BACK: f64 = 0.3;
/// So many events at most.
const BACK_MAX: u64 = 50;
/// Nodes in a row that must say that what is wanted is gone.
const GONE: u32 = 12;

/// Until the run is over.
pub(super) async fn run(domain: DomainId, mut caller: Caller) {
    let mut next: u64 = 1;
    let mut gone = 0;
    let mut node = None;
    let mut first = true;
    while *caller.phase.borrow() != Phase::Over {
        let (at, line) = caller.lines.draw(&mut caller.draw, node);
        node = Some(at);
        let back = if caller.draw.chance(LOOKS_BACK) { caller.draw.range(0, BACK_MAX) } else { 0 };
        let from = if gone > 0 { next } else { next.saturating_sub(back).max(1) };
        let request =
            v1::WatchRequest { domain: domain.to_string(), from, until_now: false, ..Default::default() };
        let opened = timeout(OPEN, EventsClient::new(line).watch(request)).await;
        let mut stream = match opened {
            Ok(Ok(stream)) => stream.into_inner(),
            Ok(Err(status)) => {
                compacted(&caller, domain, &status, &mut next, &mut gone);
                sleep(PAUSE).await;
                continue;
            }
            Err(_) => continue,
        };
        if !first {
            caller.history.count("watch", "resumed");
        }
        first = false;
        let mut expected = from;
        loop {
            let patience = if caller.plays() { SILENCE } else { SILENCE_AT_THE_END };
            match timeout(patience, stream.message()).await {
                Ok(Ok(Some(event))) => {
                    gone = 0;
                    if event.sequence != expected {
                        let what = format!(
                            "{domain}: {at} shows sequence {} where {expected} was due, watched from {from}",
                            event.sequence
                        );
                        caller.history.found("R-15", what);
                    }
                    expected = event.sequence + 1;
                    next = next.max(expected);
                    caller.history.event(domain, &event, &at.to_string());
                }
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(status)) => {
                    compacted(&caller, domain, &status, &mut next, &mut gone);
                    break;
                }
            }
            if *caller.phase.borrow() == Phase::Over {
                return;
            }
        }
        sleep(PAUSE).await;
    }
}

/// What was wanted is gone at one node; others may have it. If none has, what is left is taken.
fn compacted(caller: &Caller, domain: DomainId, status: &Status, next: &mut u64, gone: &mut u32) {
    if status.code() != Code::OutOfRange || reason(status) != "COMPACTED" {
        return;
    }
    caller.history.count("watch", "compacted");
    *gone += 1;
    if *gone >= GONE {
        use tonic_types::StatusExt;
        let info = status.get_details_error_info();
        let oldest = info.and_then(|info| info.metadata.get("oldest").and_then(|text| text.parse().ok()));
        if let Some(oldest) = oldest.filter(|oldest| *oldest > *next) {
            caller.history.skip_to(domain, oldest);
            *next = oldest;
        }
        *gone = 0;
    }
}
