//! What the encoded form of views leaves out of callbacks, since it is older. There is none of it below feature level
//! 11, and from there on every node can read this.

use crate::{Answer, Found};
use routing::ConversationId;
use routing::callback::{Callback, CallbackSettings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an answer says of callbacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CallbackBeside {
    settings: Option<CallbackSettings>,
    conversations: BTreeMap<ConversationId, Callback>,
}

impl CallbackBeside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let settings = if let Found::Domain(domain) = &answer.found { domain.callback } else { None };
        let conversations = answer.found.conversations().iter();
        let conversations = conversations
            .filter_map(|one| Some((one.id, Callback::clone(one.callback.as_deref()?))))
            .collect();
        let beside = Self { settings, conversations };
        (beside != Self::default()).then_some(beside)
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(mut self, mut answer: Answer) -> Answer {
        if let Found::Domain(domain) = &mut answer.found {
            domain.callback = self.settings;
        }
        for conversation in answer.found.conversations_mut() {
            conversation.callback = self.conversations.remove(&conversation.id).map(Box::new);
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
    use routing::command::{Arrival, By};
    use routing::pace::Pace;
    use routing::settings::{
        AcceptMode, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
    };
    use routing::{
        AccountId, Channel, Command, DomainId, Priority, QueueId, Shard, ShardId, Span, TouchpointId, level,
    };

    /// Answers about a domain that calls back, and a conversation that is to be called back, arrive as they were, with
    /// what else is beside them.
    #[test]
    fn answers_arrive_with_what_is_beside_them() {
        let (queue, by) = (QueueId::new(HOME, 1), By::System);
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept });
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let callback = CallbackSettings {
            attempts: 3,
            retry_after: Span::seconds(60),
            dial: Span::seconds(30),
            expires_after: Span::seconds(600),
            resume_within: Span::ZERO,
        };
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, 1),
            customer: "c".into(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        let conversation = ConversationId::new(HOME, 1);
        let mut shard = Shard::new(ShardId(1));
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::CALLBACK }]);
        apply(
            &mut shard,
            HOME,
            vec![
                Command::SetPace { pace: Some(Pace { offers: 1, per: Span::seconds(60) }), by: by.clone() },
                Command::SetCallback { callback: Some(callback), by },
                Command::CreateQueue { settings: QueueSettings { name: "q".into(), ..Default::default() } },
                Command::CreateTouchpoint {
                    settings: TouchpointSettings { address: "v".into(), channel: Channel::Voice, mode },
                },
                Command::Start(arrival.clone()),
                Command::Start(arrival),
                Command::RequestCallback { conversation, contact: "9".into(), not_before: None },
            ],
        );
        for query in [Query::Domain(HOME), Query::Conversation(conversation)] {
            let answer = read(&shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let received: PeerAnswer = codec::decode(&sent).expect("readable");
            let PeerAnswer::AnswerLater(bare, ..) = &received else { panic!("{received:?}") };
            assert_ne!(**bare, answer, "left out of the encoded form");
            assert_eq!(received.whole().expect("an answer"), answer);
        }
        let other = read(&shard, &Query::Conversation(ConversationId::new(HOME, 2))).expect("known");
        assert!(matches!(PeerAnswer::from(other), PeerAnswer::Answer(_)), "its older form will do");
    }
}
