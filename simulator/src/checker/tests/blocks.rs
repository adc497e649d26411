//! Rules between channels, as told: what they keep from whom, and what they do not.

use super::*;
use crate::checker::model::ChannelRule;
use Channel::{Chat, Sms, Voice};

fn rule(blocks: bool, channels: &[Channel], during: &[Channel]) -> ChannelRule {
    let set = |some: &[Channel]| some.iter().copied().collect();
    ChannelRule { blocks, channels: set(channels), during: set(during) }
}
fn told(rules: &[ChannelRule]) -> Kind {
    Kind::ChannelRulesChanged { rules: rules.to_vec() }
}
fn no_chat_while_on_voice() -> Kind {
    told(&[rule(true, &[Chat], &[Voice])])
}
fn arrived_by(number: u64, channel: Channel) -> Kind {
    let reference = format!("call {number}");
    Kind::Arrived { conversation: conv(number), channel, priority: 0, reference, from: None }
}
/// Of little weight.
fn offered_small(number: u64, by: u64) -> Kind {
    let Kind::Offered { conversation, offer, agent, deadline_us, .. } = offered(number, by, 1) else {
        unreachable!()
    };
    Kind::Offered { conversation, offer, agent, weight: 20, deadline_us, consult: false }
}
fn pulled(number: u64) -> Kind {
    Kind::Assigned { conversation: conv(number), agent: agent(1), offer: None, weight: 20, overdraft: 0 }
}
fn idle() -> Vec<Kind> {
    vec![Kind::Other("tick".to_owned())]
}

/// One agent on duty, chats and messages of 20 points, then these entries; and many more in which nothing happens.
fn with(entries: Vec<Vec<Kind>>) -> History {
    let begins = vec![vec![opened(1, 1), presence(1, true)]];
    let mut history = history(1, [begins, entries, vec![idle(); 6]].concat());
    history.facts.weights = [(Voice, 51), (Chat, 20), (Sms, 20)].into();
    history
}

/// The same, with a call in hand.
fn on_voice(rules: Kind, entries: Vec<Vec<Kind>>) -> History {
    let call = vec![
        vec![rules],
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
    ];
    with([call, entries].concat())
}

fn chat(number: u64) -> Vec<Kind> {
    vec![arrived_by(number, Chat), waiting(number)]
}

#[test]
fn what_is_blocked_waits_until_the_work_is_over() {
    let history = on_voice(
        no_chat_while_on_voice(),
        [vec![chat(2)], vec![idle(); 6], vec![vec![ended(1), offered_small(2, 2)]]].concat(),
    );
    assert_eq!(check(&history).violations, []);
}

#[test]
fn r4_offered_what_is_blocked() {
    let offers = || vec![vec![arrived_by(2, Chat), waiting(2), offered_small(2, 2)]];
    let verdict = caught(&on_voice(no_chat_while_on_voice(), offers()), Promise::R4);
    assert!(verdict.violations[0].what.contains("works on voice"), "{verdict:#?}");
    // Of the rules about it the last one decides.
    let both = |first, last| told(&[rule(first, &[Chat, Sms], &[Voice]), rule(last, &[Chat], &[Voice])]);
    assert_eq!(check(&on_voice(both(true, false), offers())).violations, []);
    caught(&on_voice(both(false, true), offers()), Promise::R4);
    assert_eq!(check(&on_voice(told(&[rule(true, &[Sms], &[Voice])]), offers())).violations, []);
    // A transfer is a human's doing.
    let transfer = vec![vec![
        arrived_by(2, Chat),
        waiting(2),
        Kind::TransferStarted { conversation: conv(2), agent: Some(agent(1)) },
        offered_small(2, 2),
    ]];
    assert_eq!(check(&on_voice(no_chat_while_on_voice(), transfer)).violations, []);
}

#[test]
fn r4_a_live_offer_is_work_and_a_channel_may_block_itself() {
    let rules = || told(&[rule(true, &[Chat], &[Chat])]);
    let ringing = |then: Vec<Kind>| {
        with(vec![vec![rules()], [chat(1), vec![offered_small(1, 1)]].concat(), [chat(2), then].concat()])
    };
    assert_eq!(check(&ringing(Vec::new())).violations, []);
    caught(&ringing(vec![offered_small(2, 2)]), Promise::R4);
}

#[test]
fn a_wrap_up_blocks_while_it_holds_points() {
    let wrapping = |then: Vec<Kind>| {
        on_voice(
            no_chat_while_on_voice(),
            vec![chat(2), [vec![Kind::Wrapping { conversation: conv(1) }], then].concat()],
        )
    };
    let none = |mut history: History| {
        history.facts.wrap_up_hold = Some(0);
        history
    };
    let offer = || vec![offered_small(2, 2)];
    assert_eq!(check(&wrapping(Vec::new())).violations, []);
    caught(&wrapping(offer()), Promise::R4);
    assert_eq!(check(&none(wrapping(offer()))).violations, []);
    caught(&none(wrapping(Vec::new())), Promise::R8);
    // With other settings of the domain it is not known how many it holds.
    let unknown = vec![vec![Kind::DomainChanged], chat(2), vec![Kind::Wrapping { conversation: conv(1) }]];
    let unknown = [unknown, vec![offer()]].concat();
    assert_eq!(check(&on_voice(no_chat_while_on_voice(), unknown)).violations, []);
}

#[test]
fn r8_what_is_blocked_no_more_waits_beside_a_free_agent() {
    caught(&on_voice(no_chat_while_on_voice(), vec![chat(2), vec![ended(1)]]), Promise::R8);
    caught(&on_voice(no_chat_while_on_voice(), vec![chat(2), vec![told(&[])]]), Promise::R8);
    let blocked = || vec![told(&[rule(true, &[Chat], &[Voice]), rule(true, &[Sms], &[Voice])])];
    assert_eq!(check(&on_voice(no_chat_while_on_voice(), vec![chat(2), blocked()])).violations, []);
}

#[test]
fn r9_offered_past_what_is_blocked_and_past_what_is_not() {
    let past =
        |rules| on_voice(rules, vec![chat(2), vec![arrived_by(3, Sms), waiting(3), offered_small(3, 2)]]);
    assert_eq!(check(&past(no_chat_while_on_voice())).violations, []);
    caught(&past(told(&[])), Promise::R9);
}

/// Room may be held for a bigger one when the agent comes to work on what blocks it.
#[test]
fn room_may_be_held_for_what_came_to_be_blocked() {
    let rules = || told(&[rule(true, &[Voice], &[Sms])]);
    let held = |late: bool| {
        let (call, pull) = (vec![arrived(2), waiting(2)], vec![pulled(3)]);
        let inbox = Kind::Waiting {
            conversation: conv(3),
            place: Place::Inbox(vec![queue()]),
            again: false,
            owner_lost: false,
            overflow: false,
        };
        let mail = vec![arrived_by(3, Sms), inbox];
        let then = if late { [pull, call] } else { [call, pull] };
        let rest = vec![chat(4)];
        on_voice(rules(), [vec![mail], then.to_vec(), rest].concat())
    };
    assert_eq!(check(&held(false)).violations, []);
    caught(&held(true), Promise::R8);
}

/// It came while the call rang: the agent was never free for it, and nothing is held.
#[test]
fn a_call_that_is_taken_is_the_work_that_rang() {
    let sms = || vec![arrived_by(3, Sms), waiting(3)];
    let history = with(vec![
        vec![no_chat_while_on_voice()],
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        chat(2),
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        sms(),
    ]);
    caught(&history, Promise::R8);
}

#[test]
fn what_rules_there_are_is_not_known_of_a_history_that_begins_late() {
    let mut late = on_voice(told(&[]), vec![chat(2)]);
    caught(&late, Promise::R8);
    late.events.retain(|event| !matches!(event.kind, Kind::ChannelRulesChanged { .. }));
    for (event, sequence) in late.events.iter_mut().zip(5..) {
        event.sequence = sequence;
    }
    late.first_sequence = 5;
    assert_eq!(check(&late).violations, []);
}

#[test]
fn rules_are_read_as_the_core_and_the_api_tell_them() {
    use routing::blocks::{ChannelRule as Told, Effect};
    let set = |some: &[Channel]| some.iter().copied().collect();
    let rules = [(Effect::Block, &[Chat, Channel::DigitalConnect][..]), (Effect::Allow, &[Sms][..])];
    let rules =
        rules.map(|(effect, channels)| Told { effect, channels: set(channels), during: set(&[Voice]) });
    let kind =
        routing::EventKind::ChannelRulesChanged { rules: rules.to_vec(), by: routing::command::By::System };
    let event = routing::Event {
        domain: D,
        sequence: routing::Sequence(1),
        position: routing::Position { index: 1, ordinal: 0 },
        at: routing::LogTime(1),
        wall_ms: 1,
        version: routing::Version(1),
        kind,
    };
    let of_core = Event::from(&event);
    let wanted =
        told(&[rule(true, &[Chat, Channel::DigitalConnect], &[Voice]), rule(false, &[Sms], &[Voice])]);
    assert_eq!(of_core.kind, wanted);
    let wire = |json: &str| proto::v1::Event {
        sequence: 1,
        r#type: "channel_rules_changed".to_owned(),
        json: json.to_owned(),
        ..proto::v1::Event::default()
    };
    let json = r#"{ "rules": [
        { "effect": "EFFECT_BLOCK", "channels": ["CHANNEL_CHAT", "CHANNEL_DIGITAL_CONNECT"], "during": ["CHANNEL_VOICE"] },
        { "effect": "EFFECT_ALLOW", "channels": ["CHANNEL_SMS"], "during": ["CHANNEL_VOICE"] }
    ], "by": "system" }"#;
    assert_eq!(from_wire(&wire(json)).expect("readable").kind, wanted);
    for bad in [
        "{}",
        r#"{ "rules": [{ "effect": "EFFECT_LATER", "channels": [], "during": [] }] }"#,
        r#"{ "rules": [{ "effect": "EFFECT_BLOCK", "channels": ["chat"], "during": ["CHANNEL_VOICE"] }] }"#,
        r#"{ "rules": [{ "effect": "EFFECT_BLOCK", "channels": ["CHANNEL_FAX"], "during": [] }] }"#,
    ] {
        assert!(from_wire(&wire(bad)).is_err(), "{bad}");
    }
}
