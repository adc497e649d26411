//! `ctl hours`: whether a queue is open, and what it keeps to.

use super::client::{Client, mutation};
use super::get;
use super::output::{Output, facts, short};
use super::schedule::instant;
use crate::failure::Failure;
use proto::v1;
use proto::v1::hours::Closing;
use proto::v1::queue_hours::State;
use proto::v1::supervisor_client::SupervisorClient;

pub(super) const EXAMPLES: &str = "\
Examples:
  centralita ctl hours queue_1_1
  centralita ctl hours queue_1_1 office
  centralita ctl hours queue_1_1 office --serve-out
  centralita ctl hours queue_1_1 --none

While its hours last a queue makes offers. After them it is closed: who waits there waits on, at its age, and what
rings goes on ringing. With --serve-out it goes on making offers until nobody waits for one and none rings.
What happens to who comes meanwhile is said by its policy: ctl policy queue_1_1 --rule '0s when open < 1 then ...'.";

/// Shows a queue's hours, or lets it keep to a schedule.
#[derive(Debug, clap::Args)]
pub(super) struct Hours {
    /// Whose.
    queue: String,
    /// The name of a schedule of its domain.
    #[arg(conflicts_with = "none")]
    schedule: Option<String>,
    /// Who waits when hours end is served out.
    #[arg(long, requires = "schedule")]
    serve_out: bool,
    /// It is always open.
    #[arg(long)]
    none: bool,
}

impl Hours {
    pub(super) async fn run(self, client: &Client, out: Output, supervisor: String) -> Result<(), Failure> {
        if self.schedule.is_none() && !self.none {
            let queue = get::queue(client, &self.queue).await?;
            let hours = queue.hours.clone().unwrap_or_default();
            return out.print("QueueHours", &hours, |_| shown(&queue));
        }
        let closing = if self.serve_out { Closing::ServeOut } else { Closing::Hold };
        let hours = self.schedule.map(|schedule| v1::Hours { schedule, closing: closing.into() });
        let request = v1::SetHoursRequest { mutation: mutation(), supervisor, queue: self.queue, hours };
        let call =
            || async { SupervisorClient::new(client.channel.clone()).set_hours(request.clone()).await };
        out.done(&client.call(call).await?)
    }
}

fn shown(queue: &v1::Queue) -> String {
    let Some(hours) = &queue.hours else { return format!("{} has no hours: it is always open", queue.id) };
    let kept = hours.hours.clone().unwrap_or_default();
    let closing =
        if kept.closing() == Closing::ServeOut { "serves out who waits" } else { "holds who waits" };
    let next = match (hours.until_ms, hours.state()) {
        (None, _) => "nothing changes ever".to_owned(),
        (Some(until_ms), State::Open) => format!("hours end at {}", instant(until_ms)),
        (Some(until_ms), _) => format!("opens at {}", instant(until_ms)),
    };
    let state = short(hours.state().as_str_name(), "STATE_");
    facts([
        ("queue", queue.id.clone()),
        ("schedule", kept.schedule),
        ("when hours end", closing.to_owned()),
        ("state", state),
        ("next", next),
    ])
    .to_string()
}

/// Whether a queue makes offers, in a word.
pub(super) fn state(queue: &v1::Queue) -> String {
    match &queue.hours {
        _ if queue.paused => "paused".to_owned(),
        Some(hours) => short(hours.state().as_str_name(), "STATE_"),
        None => "open".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_says_how_it_stands() {
        let mut queue = v1::Queue { id: "queue_1_1".into(), ..Default::default() };
        assert_eq!((shown(&queue).contains("always open"), state(&queue)), (true, "open".to_owned()));
        let hours = v1::Hours { schedule: "office".into(), closing: Closing::ServeOut.into() };
        let until_ms = Some(1_796_058_000_000);
        queue.hours = Some(v1::QueueHours { hours: Some(hours), state: State::Closing.into(), until_ms });
        let said = shown(&queue);
        assert!(said.contains("serves out") && said.contains("opens at 2026-11-30"), "{said}");
        assert_eq!(state(&queue), "closing");
        queue.paused = true;
        assert_eq!(state(&queue), "paused");
    }
}
