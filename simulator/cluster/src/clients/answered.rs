//! Answers, as far as the checks want them.

use crate::checks::Answer;
use proto::v1;

/// What every change answers.
pub(super) trait Answered {
    /// For the checks.
    fn answer(&self) -> Answer;
}

fn receipt(receipt: Option<&v1::Receipt>) -> Answer {
    receipt.map_or_else(Answer::default, Answered::answer)
}

impl Answered for v1::Receipt {
    fn answer(&self) -> Answer {
        Answer { sequence: self.sequence, version: self.version, at_us: self.at_us, ..Answer::default() }
    }
}

impl Answered for v1::StartResponse {
    fn answer(&self) -> Answer {
        Answer {
            conversation: self.conversation.parse().ok(),
            offer: self.offer.parse().ok(),
            agent: self.agent.parse().ok(),
            ..receipt(self.receipt.as_ref())
        }
    }
}

impl Answered for v1::AcceptResponse {
    fn answer(&self) -> Answer {
        Answer {
            conversation: self.conversation.parse().ok(),
            agent: self.agent.parse().ok(),
            ..receipt(self.receipt.as_ref())
        }
    }
}

impl Answered for v1::Created {
    fn answer(&self) -> Answer {
        receipt(self.receipt.as_ref())
    }
}

// What these show besides the id is read now, and may be another thing at a retry.
impl Answered for v1::Account {
    fn answer(&self) -> Answer {
        Answer::default()
    }
}

impl Answered for v1::Domain {
    fn answer(&self) -> Answer {
        Answer::default()
    }
}
