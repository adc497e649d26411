//! What the encoded form of views leaves out of offers to several agents, since it is older. There is none of it below
//! feature level 11, and from there on every node can read this.

use crate::Answer;
use routing::view::OfferView;
use routing::{ConversationId, QueueId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an answer says of offers to several.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RingBeside {
    /// Of those queues alone that offer to more than one.
    queues: BTreeMap<QueueId, u8>,
    /// Their other offers, none of which is accepted yet.
    conversations: BTreeMap<ConversationId, Vec<OfferView>>,
}

impl RingBeside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let queues = answer.found.queues().iter();
        let queues = queues.filter(|queue| queue.ring > 1).map(|queue| (queue.id, queue.ring)).collect();
        let conversations = answer.found.conversations().iter().filter(|one| !one.also.is_empty());
        let conversations = conversations.map(|one| (one.id, one.also.clone())).collect();
        let beside = Self { queues, conversations };
        (beside != Self::default()).then_some(beside)
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(mut self, mut answer: Answer) -> Answer {
        for queue in answer.found.queues_mut() {
            queue.ring = self.queues.get(&queue.id).copied().unwrap_or(1);
        }
        for conversation in answer.found.conversations_mut() {
            conversation.also = self.conversations.remove(&conversation.id).unwrap_or_default();
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;
    use crate::beside::tests::{HOME, apply};
    use crate::shard::read;
    use crate::wire::PeerAnswer;
    use proto::codec;
    use routing::command::{Arrival, By, Intent};
    use routing::settings::{
        AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
    };
    use routing::{
        AccountId, AgentId, Channel, ChannelSet, Command, DomainId, Priority, Shard, ShardId, Span,
        TouchpointId, level,
    };

    /// Answers about a queue that offers to two, and about a conversation that rings at two, arrive as they were.
    #[test]
    fn answers_arrive_with_what_is_beside_them() {
        let (queue, by) = (QueueId::new(HOME, 1), By::System);
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept });
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let agent = || Command::CreateAgent {
            settings: AgentSettings {
                name: "a".into(),
                channels: ChannelSet::default().with(Channel::Voice),
                queues: vec![queue],
                ..AgentSettings::default()
            },
        };
        let mut shard = Shard::new(ShardId(1));
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::RING }]);
        let mut commands = vec![
            Command::CreateQueue { settings: QueueSettings { name: "q".into(), ..Default::default() } },
            Command::CreateTouchpoint {
                settings: TouchpointSettings { address: "v".into(), channel: Channel::Voice, mode },
            },
            Command::SetRing { queue, agents: 2, by: by.clone() },
            agent(),
            agent(),
        ];
        for number in 1..=2 {
            let agent = AgentId::new(HOME, number);
            commands.push(Command::OpenSession { agent });
            commands.push(Command::SetPresence { agent, intent: Intent::Available, by: by.clone() });
        }
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, 1),
            customer: "c".into(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        commands.push(Command::Start(arrival));
        apply(&mut shard, HOME, commands);
        let conversation = ConversationId::new(HOME, 1);
        assert_eq!(shard.conversation(conversation).expect("known").offers().count(), 2);
        for query in [Query::Queue(queue), Query::Conversation(conversation)] {
            let answer = read(&shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let received: PeerAnswer = codec::decode(&sent).expect("readable");
            assert!(matches!(received, PeerAnswer::AnswerLater(..)), "{received:?}");
            assert_eq!(received.whole().expect("an answer"), answer);
        }
    }
}
