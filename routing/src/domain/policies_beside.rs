//! What is stored of policies beside a domain: of queues and conversations, from level 7 on.

use super::policies::Policies;
use super::standing::Stand;
use super::{ConvNo, Domain, QueueNo};
use serde::{Deserialize, Serialize, Serializer};
use std::iter::once;
use std::sync::Arc;

/// A move sends so many at once.
const PART: usize = 500;

/// What there is of policies beside a domain: of those entities alone that have something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoliciesBeside {
    queues: Vec<(QueueNo, Policies)>,
    conversations: Vec<(ConvNo, Stand)>,
}

impl PoliciesBeside {
    pub(crate) fn is_empty(&self) -> bool {
        self.queues.is_empty() && self.conversations.is_empty()
    }
}

/// Some of what [`PoliciesBeside`] is stored as: its fields, in order.
#[derive(Debug)]
pub(crate) enum PoliciesPiece<'a> {
    Count(usize),
    Queue(QueueNo, &'a Policies),
    Conversation(ConvNo, Stand),
}

impl Serialize for PoliciesPiece<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => (*count as u64).serialize(serializer),
            Self::Queue(no, policies) => (no, policies).serialize(serializer),
            Self::Conversation(no, stand) => (no, stand).serialize(serializer),
        }
    }
}

impl Domain {
    fn policed(&self) -> impl Iterator<Item = (QueueNo, &Policies)> {
        let policed = self.queues.iter().filter(|queue| !queue.policies.is_empty());
        policed.map(|queue| (queue.no, &*queue.policies))
    }

    fn standing(&self) -> impl Iterator<Item = (ConvNo, Stand)> {
        self.conversations.values().filter_map(|conv| Some((conv.no, *conv.standing.as_deref()?)))
    }

    /// Whether there is anything of policies beside the domain.
    pub(crate) fn has_policies(&self) -> bool {
        // Whoever stands under a policy does so under that of a queue that is there.
        self.policed().next().is_some()
    }

    /// All that is stored of policies beside the domain.
    pub(crate) fn policies_beside(&self) -> PoliciesBeside {
        PoliciesBeside {
            queues: self.policed().map(|(no, policies)| (no, policies.clone())).collect(),
            conversations: self.standing().collect(),
        }
    }

    /// The same in small pieces, to be written one after the other.
    pub(crate) fn policies_pieces(&self) -> impl Iterator<Item = PoliciesPiece<'_>> {
        once(PoliciesPiece::Count(self.policed().count()))
            .chain(self.policed().map(|(no, policies)| PoliciesPiece::Queue(no, policies)))
            .chain(once(PoliciesPiece::Count(self.standing().count())))
            .chain(self.standing().map(|(no, stand)| PoliciesPiece::Conversation(no, stand)))
    }

    /// The same in parts that a move sends.
    pub(crate) fn policies_parts(&self) -> Vec<PoliciesBeside> {
        let PoliciesBeside { queues, conversations } = self.policies_beside();
        let none = PoliciesBeside::default;
        let queues = queues.chunks(PART).map(|part| PoliciesBeside { queues: part.to_vec(), ..none() });
        let conversations =
            conversations.chunks(PART).map(|part| PoliciesBeside { conversations: part.to_vec(), ..none() });
        queues.chain(conversations).collect()
    }

    /// Puts what is beside the domain, or a part of it, in its place; the domain is indexed after it.
    pub(crate) fn put_policies(&mut self, beside: PoliciesBeside) {
        for (no, policies) in beside.queues {
            if let Some(queue) = self.queues.get_mut(no.0) {
                queue.policies = Arc::new(policies);
            }
        }
        for (no, stand) in beside.conversations {
            if let Some(conversation) = self.conversations.get_mut(&no) {
                conversation.standing = Some(Box::new(stand));
            }
        }
    }
}
