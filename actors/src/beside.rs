//! What the encoded form of views leaves out, since it is older: nodes of earlier releases read it too.

use crate::Answer;
use routing::criteria::{Criteria, Seeking, Skill};
use routing::view::{AgentView, ConversationView, TouchpointView};
use routing::{AgentId, ConversationId, TouchpointId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What an answer says of skills and criteria. There is none of it below feature level 6, and from there on
/// every node can read this.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Beside {
    skills: BTreeMap<AgentId, Vec<Skill>>,
    criteria: BTreeMap<TouchpointId, Criteria>,
    seeking: BTreeMap<ConversationId, Box<Seeking>>,
}

impl Beside {
    /// What is beside an answer, if anything is.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        let mut beside = Self::default();
        answer.found.agents().iter().for_each(|agent| beside.agent(agent));
        answer.found.touchpoints().iter().for_each(|touchpoint| beside.touchpoint(touchpoint));
        answer.found.conversations().iter().for_each(|conversation| beside.conversation(conversation));
        (beside != Self::default()).then_some(beside)
    }

    fn agent(&mut self, agent: &AgentView) {
        if !agent.skills.is_empty() {
            self.skills.insert(agent.id, agent.skills.clone());
        }
    }

    fn touchpoint(&mut self, touchpoint: &TouchpointView) {
        if !touchpoint.criteria.steps.is_empty() {
            self.criteria.insert(touchpoint.id, touchpoint.criteria.clone());
        }
    }

    fn conversation(&mut self, conversation: &ConversationView) {
        if let Some(seeking) = &conversation.seeking {
            self.seeking.insert(conversation.id, seeking.clone());
        }
    }

    /// The answer as it was before it was encoded.
    pub(crate) fn put_back(mut self, mut answer: Answer) -> Answer {
        for agent in answer.found.agents_mut() {
            agent.skills = self.skills.remove(&agent.id).unwrap_or_default();
        }
        for touchpoint in answer.found.touchpoints_mut() {
            touchpoint.criteria = self.criteria.remove(&touchpoint.id).unwrap_or_default();
        }
        for conversation in answer.found.conversations_mut() {
            conversation.seeking = self.seeking.remove(&conversation.id);
        }
        answer
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Query;
    use crate::shard::read;
    use crate::wire::PeerAnswer;
    use proto::codec;
    use routing::command::{Arrival, By};
    use routing::criteria::Step;
    use routing::entry::Request;
    use routing::settings::{
        AcceptMode, AgentSettings, DomainSettings, QueueSettings, RoutingMode, ToQueue, TouchpointSettings,
    };
    use routing::{
        AccountId, Channel, Command, DomainId, Effects, Entry, LogTime, Position, Priority, QueueId, Shard,
        ShardId, Span, level,
    };

    pub(crate) const HOME: DomainId = DomainId(1);

    /// Applies commands that are done.
    pub(crate) fn apply(shard: &mut Shard, domain: DomainId, commands: Vec<Command>) {
        for command in commands {
            let index = shard.now().0 + 1;
            let request = Request { id: None, domain, expected_version: None, command };
            let position = Position { index, ordinal: 0 };
            let entry = Entry { position, time: LogTime(index), wall_ms: 1, request };
            shard.apply(&entry, &mut Effects::default()).expect("done");
        }
    }

    /// Two agents, a touchpoint, a conversation.
    fn plain() -> Shard {
        let mut shard = Shard::new(ShardId(1));
        let queues = vec![QueueId::new(HOME, 1)];
        let agent =
            |name: &str| AgentSettings { name: name.into(), queues: queues.clone(), ..Default::default() };
        let accept = AcceptMode::Manual { ring: Span::seconds(20) };
        let mode = RoutingMode::ToQueue(ToQueue { queues: queues.clone(), priority: Priority(0), accept });
        let arrival = Arrival {
            touchpoint: TouchpointId::new(HOME, 1),
            customer: "c".into(),
            reference: String::new(),
            priority: None,
            continues: None,
        };
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let commands = vec![
            Command::CreateDomain { account: AccountId(1), settings },
            Command::CreateQueue { settings: QueueSettings { name: "q".into(), ..Default::default() } },
            Command::CreateAgent { settings: agent("a") },
            Command::CreateAgent { settings: agent("b") },
            Command::CreateTouchpoint {
                settings: TouchpointSettings { address: "t".into(), channel: Channel::Email, mode },
            },
            Command::Start(arrival),
        ];
        apply(&mut shard, HOME, commands);
        shard
    }

    fn with_skills() -> Shard {
        let mut shard = plain();
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::SKILLS }]);
        let skills = vec![Skill { name: "es".into(), level: 80 }];
        let step = Step { required: skills.clone(), ..Step::default() };
        let criteria = Criteria { steps: vec![step] };
        let commands = vec![
            Command::SetSkills { agent: AgentId::new(HOME, 2), skills, by: By::System },
            Command::SetCriteria {
                touchpoint: TouchpointId::new(HOME, 1),
                criteria: criteria.clone(),
                by: By::System,
            },
            Command::ChangeCriteria { conversation: ConversationId::new(HOME, 1), criteria, by: By::System },
        ];
        apply(&mut shard, HOME, commands);
        shard
    }

    fn queries() -> Vec<Query> {
        let (agent, conversation) = (AgentId::new(HOME, 2), ConversationId::new(HOME, 1));
        vec![
            Query::Agent(agent),
            Query::Agents { domain: HOME, after: None, limit: 10 },
            Query::Desk(agent),
            Query::Touchpoint(TouchpointId::new(HOME, 1)),
            Query::Touchpoints { domain: HOME, after: None, limit: 10 },
            Query::Conversation(conversation),
            Query::Conversations { domain: HOME, after: None, limit: 10 },
        ]
    }

    #[test]
    fn what_is_beside_an_answer_arrives_with_it() {
        let shard = with_skills();
        for query in queries() {
            let answer = read(&shard, &query).expect("known");
            let sent = codec::encode(&PeerAnswer::from(answer.clone()));
            let PeerAnswer::AnswerBeside(bare, beside) = codec::decode(&sent).expect("readable") else {
                panic!("nothing beside the answer to {query:?}")
            };
            assert_ne!(*bare, answer, "{query:?}: left out of the encoded form");
            assert_eq!(beside.put_back(*bare), answer, "{query:?}");
        }
    }

    #[test]
    fn an_answer_with_nothing_beside_it_is_as_it_always_was() {
        let (shard, skilled) = (plain(), with_skills());
        for query in queries() {
            let answer = read(&shard, &query).expect("known");
            assert!(matches!(PeerAnswer::from(answer), PeerAnswer::Answer(_)), "{query:?}");
        }
        for query in
            [Query::Domain(HOME), Query::Agent(AgentId::new(HOME, 1)), Query::Queue(QueueId::new(HOME, 1))]
        {
            let answer = read(&skilled, &query).expect("known");
            assert!(matches!(PeerAnswer::from(answer), PeerAnswer::Answer(_)), "{query:?}");
        }
    }
}
