//! What the encoded form of views leaves out of policies, since it is older than they are.

use crate::Answer;
use routing::policy::{PolicyView, Standing};
use routing::view::{ConversationView, QueueView};
use routing::{ConversationId, QueueId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an answer says of policies. There is none of it below feature level 7, and from there on every node
/// can read this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PoliciesBeside {
    queues: BTreeMap<QueueId, PolicyView>,
    standing: BTreeMap<ConversationId, Standing>,
}

impl PoliciesBeside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let mut beside = Self::default();
        answer.found.queues().iter().for_each(|queue| beside.queue(queue));
        answer.found.conversations().iter().for_each(|conversation| beside.conversation(conversation));
        (beside != Self::default()).then_some(beside)
    }

    fn queue(&mut self, queue: &QueueView) {
        if !queue.policy.is_empty() {
            self.queues.insert(queue.id, queue.policy.clone());
        }
    }

    fn conversation(&mut self, conversation: &ConversationView) {
        if let Some(standing) = conversation.standing.as_deref() {
            self.standing.insert(conversation.id, *standing);
        }
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(mut self, mut answer: Answer) -> Answer {
        for queue in answer.found.queues_mut() {
            queue.policy = self.queues.remove(&queue.id).unwrap_or_default();
        }
        for conversation in answer.found.conversations_mut() {
            conversation.standing = self.standing.remove(&conversation.id).map(Box::new);
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
    use routing::criteria::{Criteria, Skill, Step};
    use routing::policy::{Action, Policy, Rule, Target};
    use routing::settings::{
        AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
    };
    use routing::{
        AccountId, AgentId, Channel, Command, DomainId, Priority, Shard, ShardId, Span, TouchpointId, level,
    };

    /// Two queues, an agent with a skill, two touchpoints of which one asks for it.
    fn skilled() -> Shard {
        let mut shard = Shard::new(ShardId(1));
        let queues = vec![QueueId::new(HOME, 1)];
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: queues.clone(), priority: Priority(0), accept });
        let touchpoint = |address: &str| Command::CreateTouchpoint {
            settings: TouchpointSettings {
                address: address.into(),
                channel: Channel::Email,
                mode: mode.clone(),
            },
        };
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let queue = |name: &str| Command::CreateQueue {
            settings: QueueSettings { name: name.into(), ..Default::default() },
        };
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::POLICIES }]);
        let skills = vec![Skill { name: "es".into(), level: 80 }];
        let step = Step { required: skills.clone(), ..Step::default() };
        let commands = vec![
            queue("q"),
            queue("r"),
            Command::CreateAgent {
                settings: AgentSettings { name: "a".into(), queues, ..Default::default() },
            },
            touchpoint("t"),
            touchpoint("u"),
            Command::SetSkills { agent: AgentId::new(HOME, 1), skills, by: By::System },
            Command::SetCriteria {
                touchpoint: TouchpointId::new(HOME, 2),
                criteria: Criteria { steps: vec![step] },
                by: By::System,
            },
        ];
        apply(&mut shard, HOME, commands);
        shard
    }

    fn start(shard: &mut Shard, touchpoint: u64) {
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, touchpoint),
            customer: "c".into(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        apply(shard, HOME, vec![Command::Start(arrival)]);
    }

    /// The same, one queue with a policy; a conversation without criteria, and one with.
    fn with_policy() -> Shard {
        let mut shard = skilled();
        let after = Span::seconds(9);
        let rule = Rule { after, when: Vec::new(), then: Action::AddQueue(QueueId::new(HOME, 2)) };
        let target = Some(Target { within: Span::seconds(20), percent: 80 });
        let policy = Policy { rules: vec![rule], target };
        let queue = QueueId::new(HOME, 1);
        apply(&mut shard, HOME, vec![Command::SetPolicy { queue, policy, by: By::System }]);
        start(&mut shard, 1);
        start(&mut shard, 2);
        shard
    }

    fn queries() -> Vec<Query> {
        vec![
            Query::Queue(QueueId::new(HOME, 1)),
            Query::Queues { domain: HOME, after: None, limit: 10 },
            Query::Conversation(ConversationId::new(HOME, 1)),
            Query::Conversation(ConversationId::new(HOME, 2)),
            Query::Conversations { domain: HOME, after: None, limit: 10 },
        ]
    }

    #[test]
    fn what_is_beside_an_answer_arrives_with_it() {
        let shard = with_policy();
        for query in queries() {
            let answer = read(&shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let received = codec::decode(&sent).expect("readable");
            let PeerAnswer::AnswerUnderPolicies(bare, ..) = &received else {
                panic!("nothing beside the answer to {query:?}")
            };
            assert_ne!(**bare, answer, "{query:?}: left out of the encoded form");
            assert_eq!(received.whole().expect("an answer"), answer, "{query:?}");
        }
    }

    #[test]
    fn an_answer_without_policies_keeps_its_older_form() {
        let (mut shard, with) = (skilled(), with_policy());
        start(&mut shard, 1);
        start(&mut shard, 2);
        let answer = |shard: &Shard, query: &Query| PeerAnswer::from(read(shard, query).expect("known"));
        for query in queries() {
            let answer = answer(&shard, &query);
            let asks = matches!(query, Query::Conversations { .. })
                || query == Query::Conversation(ConversationId::new(HOME, 2));
            let as_before = match &answer {
                PeerAnswer::Answer(_) => !asks,
                PeerAnswer::AnswerBeside(..) => asks,
                _ => false,
            };
            assert!(as_before, "{query:?}: {answer:?}");
        }
        let queue = answer(&with, &Query::Queue(QueueId::new(HOME, 2)));
        assert!(matches!(queue, PeerAnswer::Answer(_)), "{queue:?}");
        let agent = answer(&with, &Query::Agent(AgentId::new(HOME, 1)));
        assert!(matches!(agent, PeerAnswer::AnswerBeside(..)), "{agent:?}");
        for bare in [answer(&shard, &Query::Domain(HOME)), agent, queue] {
            bare.whole().expect("an answer");
        }
    }
}
