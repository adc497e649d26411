//! What the encoded form of a domain leaves out of its rules between channels, since it is older than they are. There
//! are none below feature level 8, and from there on every node can read them.

use crate::{Answer, Found};
use routing::blocks::ChannelRule;

/// What is beside an answer, if anything is: nothing else is beside one that is a domain.
pub(crate) fn of(answer: &Answer) -> Option<Vec<ChannelRule>> {
    match &answer.found {
        Found::Domain(domain) if !domain.channel_rules.is_empty() => Some(domain.channel_rules.clone()),
        _ => None,
    }
}

/// The answer as it was before it was encoded.
pub(crate) fn put_back(mut answer: Answer, rules: Vec<ChannelRule>) -> Answer {
    if let Found::Domain(domain) = &mut answer.found {
        domain.channel_rules = rules;
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Query;
    use crate::beside::tests::{HOME, apply};
    use crate::shard::read;
    use crate::wire::PeerAnswer;
    use proto::codec;
    use routing::blocks::Effect;
    use routing::command::By;
    use routing::settings::DomainSettings;
    use routing::{AccountId, Channel, ChannelSet, Command, DomainId, Shard, ShardId, level};

    #[test]
    fn a_domain_arrives_with_its_rules_and_keeps_its_older_form_without() {
        let settings = DomainSettings { name: "d".into(), ..DomainSettings::default() };
        let mut shard = Shard::new(ShardId(1));
        apply(&mut shard, HOME, vec![Command::CreateDomain { account: AccountId(1), settings }]);
        apply(&mut shard, DomainId::SHARD, vec![Command::SetLevel { level: level::BLOCKS }]);
        let answer = |shard: &Shard| read(shard, &Query::Domain(HOME)).expect("known");
        assert!(matches!(PeerAnswer::from(answer(&shard)), PeerAnswer::Answer(_)));

        let set = |channel| ChannelSet::default().with(channel);
        let (effect, channels, during) = (Effect::Block, set(Channel::Chat), set(Channel::Voice));
        let rules = vec![ChannelRule { effect, channels, during }];
        apply(&mut shard, HOME, vec![Command::SetChannelRules { rules, by: By::System }]);
        let answer = answer(&shard);
        let sent = codec::encode(&PeerAnswer::from(answer.clone()));
        let received = codec::decode(&sent).expect("readable");
        let PeerAnswer::AnswerUnderRules(bare, _) = &received else { panic!("nothing beside {received:?}") };
        assert_ne!(**bare, answer, "left out of the encoded form");
        assert_eq!(received.whole().expect("an answer"), answer);
    }
}
