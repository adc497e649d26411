//! What the encoded form of views leaves out of handling, since it is older. There is none of it below feature
//! level 9, and from there on every node can read this.

use crate::{Answer, Found, SessionMessage};
use routing::handling::Handling;
use routing::view::{AgentView, ConversationView, OfferView};
use routing::{ConversationId, OfferId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What an answer says of handling.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HandlingBeside {
    handling: Option<Handling>,
    connecting: BTreeSet<OfferId>,
    idle: BTreeSet<ConversationId>,
}

impl HandlingBeside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let mut beside = Self::default();
        if let Found::Domain(domain) = &answer.found {
            beside.handling = Some(domain.handling.clone()).filter(|handling| !handling.is_empty());
        }
        answer.found.agents().iter().for_each(|agent| beside.agent(agent));
        answer.found.conversations().iter().for_each(|conversation| beside.conversation(conversation));
        (beside != Self::default()).then_some(beside)
    }

    fn agent(&mut self, agent: &AgentView) {
        self.connecting.extend(agent.offers.iter().filter(|offer| offer.connecting).map(|offer| offer.id));
        let idle = agent.holdings.iter().filter(|holding| holding.idle);
        self.idle.extend(idle.map(|holding| holding.conversation));
    }

    fn conversation(&mut self, conversation: &ConversationView) {
        let offer = conversation.offer.iter().filter(|offer| offer.connecting);
        self.connecting.extend(offer.map(|offer| offer.id));
        self.idle.extend(conversation.idle.then_some(conversation.id));
    }

    /// What is beside the welcome among messages to a desk, if there is one and anything is: nothing else that a desk is
    /// told leaves something out.
    pub(crate) fn of_messages(messages: &[SessionMessage]) -> Option<Self> {
        let mut beside = Self::default();
        for message in messages {
            if let SessionMessage::Welcome(view) = message {
                beside.agent(&view.agent);
            }
        }
        (beside != Self::default()).then_some(beside)
    }

    /// The messages as they were before they were encoded.
    pub(crate) fn put_back_messages(&self, messages: &mut [SessionMessage]) {
        for message in messages {
            if let SessionMessage::Welcome(view) = message {
                self.put_back_agent(&mut view.agent);
            }
        }
    }

    fn put_back_agent(&self, agent: &mut AgentView) {
        agent.offers.iter_mut().for_each(|offer| self.put_back_offer(offer));
        for holding in &mut agent.holdings {
            holding.idle = self.idle.contains(&holding.conversation);
        }
    }

    fn put_back_offer(&self, offer: &mut OfferView) {
        offer.connecting = self.connecting.contains(&offer.id);
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(mut self, mut answer: Answer) -> Answer {
        if let Found::Domain(domain) = &mut answer.found {
            domain.handling = self.handling.take().unwrap_or_default();
        }
        answer.found.agents_mut().iter_mut().for_each(|agent| self.put_back_agent(agent));
        for conversation in answer.found.conversations_mut() {
            conversation.offer.iter_mut().for_each(|offer| self.put_back_offer(offer));
            conversation.idle = self.idle.contains(&conversation.id);
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
    use routing::blocks::{ChannelRule, Effect};
    use routing::command::{Arrival, By, Desk, Intent};
    use routing::settings::{
        AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
    };
    use routing::{
        AccountId, AgentId, Channel, ChannelSet, Command, ConversationId, DomainId, Epoch, OfferId, Priority,
        QueueId, Shard, ShardId, Span, TouchpointId, level,
    };

    /// A call that is being connected, an e-mail that waits on its customer, and a domain with rules between
    /// channels too: every answer arrives as it was, and its older form says none of it.
    #[test]
    fn answers_arrive_with_what_is_beside_them() {
        let (queue, agent) = (QueueId::new(HOME, 1), AgentId::new(HOME, 1));
        let desk = Desk { agent, epoch: Epoch(1) };
        let mut handling = Handling::default();
        handling.connect[Channel::Voice.index()] = Some(Span::seconds(9));
        let by = By::System;
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let touchpoint = |channel, address: &str| {
            let accept = AcceptMode::Manual { ring: Span::seconds(20) };
            let mode = RoutingMode::ToQueue(ToQueue { queues: vec![queue], priority: Priority(0), accept });
            Command::CreateTouchpoint {
                settings: TouchpointSettings { address: address.into(), channel, mode },
            }
        };
        let start = |number| {
            let touchpoint = TouchpointId::new(HOME, number);
            let (customer, reference) = ("c".to_owned(), String::new());
            Command::Start(Arrival { touchpoint, customer, reference, priority: None, continues: None })
        };
        let offer = |number| OfferId::new(HOME, number);
        let mut shard = Shard::new(ShardId(1));
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::HANDLING }]);
        apply(
            &mut shard,
            HOME,
            vec![
                Command::SetHandling { handling: handling.clone(), by: by.clone() },
                Command::CreateQueue { settings: QueueSettings { name: "q".into(), ..Default::default() } },
                Command::CreateAgent {
                    settings: AgentSettings { name: "a".into(), queues: vec![queue], ..Default::default() },
                },
                touchpoint(Channel::Voice, "v"),
                touchpoint(Channel::Email, "e"),
                Command::OpenSession { agent },
                Command::SetPresence { agent, intent: Intent::Available, by: by.clone() },
                start(2),
                Command::Accept { desk, offer: offer(1) },
                Command::SetIdle { conversation: ConversationId::new(HOME, 1), idle: true, by: by.clone() },
                start(1),
                Command::Accept { desk, offer: offer(2) },
            ],
        );
        let arrives = |shard: &Shard, query: Query| {
            let answer = read(shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let received: PeerAnswer = codec::decode(&sent).expect("readable");
            let PeerAnswer::AnswerHandled(bare, ..) = &received else { panic!("{received:?}") };
            assert_ne!(**bare, answer, "left out of the encoded form");
            assert_eq!(received.whole().expect("an answer"), answer);
        };
        arrives(&shard, Query::Domain(HOME));
        arrives(&shard, Query::Agent(agent));
        arrives(&shard, Query::Desk(agent));
        // So does the welcome of a desk at another node.
        let Found::Desk(view) = read(&shard, &Query::Desk(agent)).expect("known").found else {
            panic!("a desk")
        };
        let sent = vec![SessionMessage::InboxChanged, SessionMessage::Welcome(Box::new(view))];
        let beside = HandlingBeside::of_messages(&sent).expect("something");
        let mut received: Vec<SessionMessage> = codec::decode(&codec::encode(&sent)).expect("readable");
        assert_ne!(received, sent, "left out of the encoded form");
        beside.put_back_messages(&mut received);
        assert_eq!(received, sent);
        assert_eq!(HandlingBeside::of_messages(&sent[..1]), None);
        for number in [1, 2] {
            arrives(&shard, Query::Conversation(ConversationId::new(HOME, number)));
        }
        let set = |channel| ChannelSet::default().with(channel);
        let (effect, channels, during) = (Effect::Block, set(Channel::Chat), set(Channel::Voice));
        let rules = vec![ChannelRule { effect, channels, during }];
        apply(&mut shard, HOME, vec![Command::SetChannelRules { rules, by }]);
        arrives(&shard, Query::Domain(HOME));
    }
}
