//! Whether every conversation that went between domains is in exactly one of them in the end.

use crate::crossing::Traveller;
use proto::v1;
use std::collections::{BTreeMap, BTreeSet};

/// What the records of all domains say.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By conversation, how each of its lives ended: one end is what there is at most.
    ends: BTreeMap<String, Vec<End>>,
    /// By the conversation that was left elsewhere, what it became here.
    arrivals: BTreeMap<String, Vec<String>>,
    /// Conversations that set out for another domain or another place.
    sent: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    ending: String,
    /// What it is in the other domain, if it moved.
    to: String,
}

/// What is wrong with a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It is in no domain.
    Lost,
    /// It is in more than one, or ended more than once.
    Twice(String),
    /// It ended as moved to something that is not there.
    Astray(String),
    /// It was never sent, though that was acknowledged.
    NotSent,
    /// It goes on though its customer left, as was acknowledged.
    GoesOn,
}

impl Ledger {
    /// Takes down what an event says.
    pub fn note(&mut self, event: &v1::Event) {
        let fields = || serde_json::from_str::<serde_json::Value>(&event.json).unwrap_or_default();
        let text =
            |fields: &serde_json::Value, key: &str| fields[key].as_str().unwrap_or_default().to_owned();
        match event.r#type.as_str() {
            "arrived" => {
                self.ends.entry(event.conversation.clone()).or_default();
            }
            "arrived_from" => {
                self.ends.entry(event.conversation.clone()).or_default();
                let from = text(&fields(), "from");
                self.arrivals.entry(from).or_default().push(event.conversation.clone());
            }
            "transfer_started" => {
                self.sent.insert(event.conversation.clone());
            }
            "ended" => {
                let fields = fields();
                let end = End { ending: text(&fields, "ending"), to: text(&fields, "to") };
                self.ends.entry(event.conversation.clone()).or_default().push(end);
            }
            _ => {}
        }
    }

    /// What is wrong with a traveller, wherever it is; nothing: it is in one domain.
    pub fn judge(&self, traveller: &Traveller) -> Option<Wrong> {
        let mut now = traveller.conversation.as_str();
        if traveller.sent && self.ends.contains_key(now) && !self.sent.contains(now) {
            return Some(Wrong::NotSent);
        }
        // It set out once, so it is in one other domain at most; a chain of more is astray.
        for _ in 0..2 {
            let Some(ends) = self.ends.get(now) else { return Some(Wrong::Lost) };
            let there = self.arrivals.get(now).map_or(&[][..], Vec::as_slice);
            if ends.len() > 1 {
                return Some(Wrong::Twice(format!("{now} ended {} times", ends.len())));
            }
            if there.len() > 1 {
                return Some(Wrong::Twice(format!("{now} arrived as {}", there.join(" and "))));
            }
            match (ends.first(), there.first()) {
                (Some(end), Some(there)) if end.ending == "moved" && end.to == *there => now = there,
                (Some(end), _) if end.ending == "moved" => {
                    return Some(Wrong::Astray(format!("{now} moved to {}", end.to)));
                }
                (_, Some(there)) => {
                    return Some(Wrong::Twice(format!("{now} did not move, and arrived as {there}")));
                }
                (None, None) if traveller.left => return Some(Wrong::GoesOn),
                (_, None) => return None,
            }
        }
        Some(Wrong::Astray(format!("{} went on from {now}", traveller.conversation)))
    }

    /// Conversations that ended as moved.
    pub fn moved(&self) -> usize {
        self.ends.values().flatten().filter(|end| end.ending == "moved").count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, conversation: &str, json: &str) -> v1::Event {
        v1::Event {
            r#type: kind.to_owned(),
            conversation: conversation.to_owned(),
            json: json.to_owned(),
            ..Default::default()
        }
    }

    fn arrived(id: &str) -> v1::Event {
        event("arrived", id, "{}")
    }

    fn came(id: &str, from: &str) -> v1::Event {
        event("arrived_from", id, &format!("{{\"from\":\"{from}\"}}"))
    }

    fn moved(id: &str, to: &str) -> v1::Event {
        event("ended", id, &format!("{{\"ending\":\"moved\",\"to\":\"{to}\"}}"))
    }

    fn ended(id: &str, ending: &str) -> v1::Event {
        event("ended", id, &format!("{{\"ending\":\"{ending}\"}}"))
    }

    fn judged(events: &[v1::Event], left: bool) -> Option<Wrong> {
        let mut ledger = Ledger::default();
        ledger.note(&event("transfer_started", "a", "{}"));
        events.iter().for_each(|event| ledger.note(event));
        ledger.judge(&Traveller { conversation: "a".to_owned(), sent: true, left })
    }

    #[test]
    fn in_exactly_one_domain_is_right() {
        for (what, events, left) in [
            ("it waits where it was, or waits there again", vec![arrived("a")], false),
            ("its customer left before", vec![arrived("a"), ended("a", "abandoned")], true),
            ("it arrived", vec![arrived("a"), came("b", "a"), moved("a", "b")], false),
            (
                "and its customer left there",
                vec![arrived("a"), came("b", "a"), moved("a", "b"), ended("b", "abandoned")],
                true,
            ),
            ("the order of domains is any", vec![came("b", "a"), arrived("a"), moved("a", "b")], false),
        ] {
            assert_eq!(judged(&events, left), None, "{what}");
        }
    }

    #[test]
    fn what_was_acknowledged_as_sent_is_in_the_record() {
        let mut ledger = Ledger::default();
        ledger.note(&arrived("a"));
        let traveller = |sent| Traveller { conversation: "a".to_owned(), sent, left: false };
        assert_eq!(ledger.judge(&traveller(false)), None);
        assert_eq!(ledger.judge(&traveller(true)), Some(Wrong::NotSent));
        ledger.note(&event("transfer_started", "a", "{}"));
        assert_eq!(ledger.judge(&traveller(true)), None);
    }

    #[test]
    fn in_none_in_two_or_in_spite_of_its_customer_is_not() {
        use Wrong::{Astray, GoesOn, Lost, Twice};
        let twice = |wrong: &Wrong| matches!(wrong, Twice(_));
        let astray = |wrong: &Wrong| matches!(wrong, Astray(_));
        let lost = |wrong: &Wrong| *wrong == Lost;
        let goes_on = |wrong: &Wrong| *wrong == GoesOn;
        type Case<'a> = (&'a str, Vec<v1::Event>, bool, &'a dyn Fn(&Wrong) -> bool);
        let cases: Vec<Case<'_>> = vec![
            ("nobody knows it", vec![arrived("other")], false, &lost),
            ("it arrived and stayed", vec![arrived("a"), came("b", "a")], false, &twice),
            (
                "it arrived and ended otherwise",
                vec![arrived("a"), came("b", "a"), ended("a", "abandoned")],
                false,
                &twice,
            ),
            (
                "it arrived twice",
                vec![arrived("a"), came("b", "a"), came("c", "a"), moved("a", "b")],
                false,
                &twice,
            ),
            (
                "it ended twice",
                vec![arrived("a"), came("b", "a"), moved("a", "b"), moved("a", "b")],
                false,
                &twice,
            ),
            ("it left and arrived nowhere", vec![arrived("a"), moved("a", "b")], false, &astray),
            ("it is said to be another", vec![arrived("a"), came("c", "a"), moved("a", "b")], false, &astray),
            ("its customer left, here", vec![arrived("a")], true, &goes_on),
            ("its customer left, there", vec![arrived("a"), came("b", "a"), moved("a", "b")], true, &goes_on),
        ];
        for (what, events, left, is) in cases {
            let wrong = judged(&events, left);
            assert!(wrong.as_ref().is_some_and(is), "{what}: {wrong:?}");
        }
    }
}
