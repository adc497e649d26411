//! How long somebody may expect to wait.

use super::ids::id;
use super::{Read, hours, scalar};
use crate::problem::Problem;
use actors::Query;
use proto::v1;
use proto::v1::expected_wait_request::{OnArrival, Who};
use proto::v1::expected_wait_response::{self as response, InQueue};
use routing::Span;
use routing::expected::{self, ExpectedWait, Unknown, Way};

/// Reads the question.
///
/// # Errors
/// `INVALID_ARGUMENT` when nobody is asked for, or an id, channel or priority is none.
pub fn read(request: v1::ExpectedWaitRequest) -> Read<Query> {
    match request.who {
        Some(Who::Conversation(conversation)) => Ok(Query::ExpectedWait(id("conversation", &conversation)?)),
        Some(Who::OnArrival(OnArrival { queue, channel, priority })) => Ok(Query::ExpectedOnArrival {
            queue: id("on_arrival.queue", &queue)?,
            channel: scalar::channel("on_arrival.channel", channel)?,
            priority: scalar::priority("on_arrival.priority", priority)?,
        }),
        None => {
            let problem =
                "is required: a `conversation` that waits, or `on_arrival` with a queue and a channel";
            Err(Problem::field("who", problem))
        }
    }
}

/// Writes the answer.
#[must_use]
pub fn write(expected: &ExpectedWait) -> v1::ExpectedWaitResponse {
    let best = expected.best();
    let estimate = best.and_then(expected::InQueue::estimate);
    let unknown = expected.unknown.or_else(|| best.and_then(|best| best.unknown));
    v1::ExpectedWaitResponse {
        conversation: expected.conversation.map_or_else(String::new, |id| id.to_string()),
        now_us: expected.now.0,
        waited_us: expected.waited.0,
        wait_us: estimate.map(|estimate| estimate.wait.0),
        by: estimate.map_or(v1::ExpectedBy::Unspecified, |estimate| by(estimate.way)).into(),
        queue: best.map_or_else(String::new, |best| best.queue.to_string()),
        position: best.map_or(0, |best| best.position),
        unknown: name(unknown).to_owned(),
        detail: detail(expected),
        queues: expected.queues.iter().map(queue).collect(),
    }
}

fn queue(in_queue: &expected::InQueue) -> InQueue {
    let estimate = |estimate: &expected::Estimate| response::Estimate {
        by: by(estimate.way).into(),
        wait_us: estimate.wait.0,
    };
    InQueue {
        queue: in_queue.queue.to_string(),
        position: in_queue.position,
        estimates: in_queue.estimates.iter().map(estimate).collect(),
        unknown: name(in_queue.unknown).to_owned(),
    }
}

fn by(way: Way) -> v1::ExpectedBy {
    match way {
        Way::AtOnce => v1::ExpectedBy::AtOnce,
        Way::QueueLength => v1::ExpectedBy::QueueLength,
        Way::HeadOfLine => v1::ExpectedBy::HeadOfLine,
    }
}

fn name(unknown: Option<Unknown>) -> &'static str {
    match unknown {
        None => "",
        Some(Unknown::NotWaiting) => "not_waiting",
        Some(Unknown::ToBePulled) => "to_be_pulled",
        Some(Unknown::ForCertainAgents) => "for_certain_agents",
        Some(Unknown::Paused) => "paused",
        Some(Unknown::NobodyAvailable) => "nobody_available",
        Some(Unknown::NothingToGoBy) => "nothing_to_go_by",
        Some(Unknown::Closed(_)) => "closed",
        Some(Unknown::Rests(_)) => "rests",
    }
}

/// The answer in one sentence; where there is none, what to do about it.
fn detail(expected: &ExpectedWait) -> String {
    if let Some(why) = expected.unknown {
        return reason(why, None);
    }
    let Some(best) = expected.best() else { return "its queues are gone".to_owned() };
    let expected::InQueue { queue, position, .. } = best;
    let about = |wait: Span| format!("about {:.0} s", wait.as_seconds_f64());
    match best.estimate() {
        None => {
            let why = best.unknown.unwrap_or(Unknown::NothingToGoBy);
            format!("place {position} in {queue}; {}", reason(why, Some(&queue.to_string())))
        }
        Some(estimate) => match estimate.way {
            Way::AtOnce => format!("at once: somebody of {queue} is free for it"),
            Way::QueueLength => {
                let wait = about(estimate.wait);
                format!(
                    "place {position} in {queue}, {wait}: by those who left it in the last hour's busy minutes"
                )
            }
            Way::HeadOfLine => {
                let wait = about(estimate.wait);
                format!("place {position} in {queue}, {wait}: by how long the first in its line has waited")
            }
        },
    }
}

fn reason(unknown: Unknown, queue: Option<&str>) -> String {
    let queue = queue.unwrap_or("the queue");
    match unknown {
        Unknown::NotWaiting => "it does not wait".to_owned(),
        Unknown::ToBePulled => "it is in an inbox: agents pull what they choose".to_owned(),
        Unknown::ForCertainAgents => {
            "it waits for certain agents: `ctl explain wait` says what keeps them".to_owned()
        }
        Unknown::Paused => format!("not known: {queue} is paused"),
        Unknown::Closed(opens_ms) => format!("not known: {queue} is closed ({})", hours::opens(opens_ms)),
        Unknown::Rests(_) => {
            "it rests until its customer may be called back: `ctl explain wait` says how long".to_owned()
        }
        Unknown::NobodyAvailable => format!("not known: nobody of {queue} is available"),
        Unknown::NothingToGoBy => format!(
            "not known: nobody stands before it, and {queue} was not busy in the last hour or has no service target \
             (`ctl policy {queue} --service '80% in 20s'` gives it one)"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::expected::Estimate;
    use routing::{Channel, ConversationId, DomainId, LogTime, Priority, QueueId};

    fn in_queue(number: u64, estimates: Vec<Estimate>, unknown: Option<Unknown>) -> expected::InQueue {
        expected::InQueue { queue: QueueId::new(DomainId(1), number), position: 3, estimates, unknown }
    }

    fn waits(queues: Vec<expected::InQueue>, unknown: Option<Unknown>) -> ExpectedWait {
        let conversation = Some(ConversationId::new(DomainId(1), 7));
        ExpectedWait { conversation, now: LogTime(90_000_000), waited: Span::seconds(30), queues, unknown }
    }

    fn estimate(way: Way, seconds: u64) -> Estimate {
        Estimate { way, wait: Span::seconds(seconds) }
    }

    #[test]
    fn the_best_queue_is_the_answer_and_all_are_shown() {
        let ways = vec![estimate(Way::QueueLength, 60), estimate(Way::HeadOfLine, 40)];
        let paused = in_queue(1, Vec::new(), Some(Unknown::Paused));
        let said = write(&waits(vec![paused, in_queue(2, ways, None)], None));
        assert_eq!((said.wait_us, said.by()), (Some(60_000_000), v1::ExpectedBy::QueueLength));
        assert_eq!((said.queue.as_str(), said.position, said.unknown.as_str()), ("queue_1_2", 3, ""));
        assert!(said.detail.starts_with("place 3 in queue_1_2, about 60 s: "), "{}", said.detail);
        assert_eq!((said.queues.len(), said.queues[0].unknown.as_str()), (2, "paused"));
        let ways: Vec<_> = said.queues[1].estimates.iter().map(|one| (one.by(), one.wait_us)).collect();
        let wanted = [(v1::ExpectedBy::QueueLength, 60_000_000), (v1::ExpectedBy::HeadOfLine, 40_000_000)];
        assert_eq!(ways, wanted);
    }

    #[test]
    fn what_is_not_known_has_a_name_and_says_what_to_do() {
        let nothing = in_queue(2, Vec::new(), Some(Unknown::NothingToGoBy));
        let said = write(&waits(vec![nothing], None));
        assert_eq!((said.wait_us, said.by(), said.position), (None, v1::ExpectedBy::Unspecified, 3));
        assert_eq!(said.unknown, "nothing_to_go_by");
        assert!(said.detail.contains("ctl policy queue_1_2 --service"), "{}", said.detail);
        let said = write(&waits(Vec::new(), Some(Unknown::NotWaiting)));
        assert_eq!((said.unknown.as_str(), said.detail.as_str()), ("not_waiting", "it does not wait"));
    }

    #[test]
    fn questions() {
        let ask = |who| read(v1::ExpectedWaitRequest { who });
        let arrival = |channel, priority| {
            ask(Some(Who::OnArrival(OnArrival { queue: "queue_1_2".to_owned(), channel, priority })))
        };
        let wanted = Query::ExpectedOnArrival {
            queue: QueueId::new(DomainId(1), 2),
            channel: Channel::Voice,
            priority: Priority(2),
        };
        assert_eq!(arrival(v1::Channel::Voice.into(), 2), Ok(wanted));
        let field = |read: Read<Query>| read.expect_err("refused").field.expect("a field");
        assert_eq!(field(arrival(0, 2)), "on_arrival.channel");
        assert_eq!(field(arrival(1, 256)), "on_arrival.priority");
        assert_eq!(field(ask(Some(Who::Conversation("queue_1_2".to_owned())))), "conversation");
        assert_eq!(field(ask(None)), "who");
    }
}
