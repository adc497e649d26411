//! Which rules between channels are taken, and what agents are not offered by them.

use crate::blocks::limits::CHANNEL_RULES_MAX;
use crate::blocks::{ChannelRule, Effect};
use crate::command::{By, TransferFallback, TransferTarget};
use crate::scene::{Row, Scene, as_it_is, names, play};
use crate::settings::{AcceptMode, RoutingMode, WrapUpHold};
use crate::testing::{DOMAIN, World, supervisor};
use crate::view::Gate;
use crate::{Channel, ChannelSet, Command, ConversationId, Points, Priority, Rejected, Shard, Span, level};
use Channel::{Chat, Email, Sms, Voice, Whatsapp};

fn rule(effect: Effect, channels: &[Channel], during: &[Channel]) -> ChannelRule {
    let set = |some: &[Channel]| some.iter().copied().collect();
    ChannelRule { effect, channels: set(channels), during: set(during) }
}

fn block(channels: &[Channel], during: &[Channel]) -> ChannelRule {
    rule(Effect::Block, channels, during)
}

fn allow(channels: &[Channel], during: &[Channel]) -> ChannelRule {
    rule(Effect::Allow, channels, during)
}

fn set(rules: &[ChannelRule]) -> Command {
    Command::SetChannelRules { rules: rules.to_vec(), by: supervisor() }
}

/// At the level of rules between channels.
fn raised(s: &mut Scene) {
    s.world.ok(Command::SetLevel { level: level::BLOCKS });
}

fn with(s: &mut Scene, rules: &[ChannelRule]) {
    raised(s);
    s.world.ok(set(rules));
}

/// A new one by this channel, in the queue; to whom it rings.
fn comes(s: &mut Scene, channel: Channel) -> ConversationId {
    let touchpoint = s.world.touchpoint(channel, &[s.queue]);
    s.world.start(touchpoint)
}

fn gate(s: &Scene, conversation: ConversationId) -> Gate {
    let explained = s.world.shard.explain_wait(conversation).expect("known");
    explained.agents.into_iter().find(|(agent, _)| *agent == s.a.agent).expect("of its queue").1
}

#[test]
fn what_is_taken() {
    let rows: &[Row] = &[
        ("below the level", as_it_is, |_| set(&[]), "Level", ""),
        ("first ones", raised, |_| set(&[block(&[Chat], &[Voice])]), "done", "ChannelRulesChanged"),
        ("none where there were none", raised, |_| set(&[]), "done", ""),
        (
            "the same again",
            |s| with(s, &[block(&[Chat], &[Voice])]),
            |_| set(&[block(&[Chat], &[Voice])]),
            "done",
            "",
        ),
        (
            "in another order",
            |s| with(s, &[block(&[Chat], &[Voice]), allow(&[Chat], &[Voice])]),
            |_| set(&[allow(&[Chat], &[Voice]), block(&[Chat], &[Voice])]),
            "done",
            "ChannelRulesChanged",
        ),
        ("none", |s| with(s, &[block(&[Chat], &[Voice])]), |_| set(&[]), "done", "ChannelRulesChanged"),
        (
            "by the system",
            raised,
            |_| Command::SetChannelRules { rules: vec![block(&[Chat], &[Chat])], by: By::System },
            "done",
            "ChannelRulesChanged",
        ),
        (
            "by an agent",
            raised,
            |s| Command::SetChannelRules { rules: Vec::new(), by: By::Agent(s.a) },
            "NotAllowed",
            "",
        ),
        (
            "by a stale desk",
            raised,
            |s| Command::SetChannelRules { rules: Vec::new(), by: By::Agent(s.stale()) },
            "StaleEpoch",
            "",
        ),
        (
            "not sound, by the customer",
            raised,
            |_| Command::SetChannelRules { rules: vec![block(&[], &[Voice])], by: By::Customer },
            "Invalid",
            "",
        ),
        (
            "by the customer",
            raised,
            |_| Command::SetChannelRules { rules: Vec::new(), by: By::Customer },
            "NotAllowed",
            "",
        ),
        (
            "as many as there may be",
            raised,
            |_| set(&[block(&[Chat], &[Voice]); CHANNEL_RULES_MAX]),
            "done",
            "ChannelRulesChanged",
        ),
        ("one more", raised, |_| set(&[block(&[Chat], &[Voice]); CHANNEL_RULES_MAX + 1]), "Invalid", ""),
        ("of no channel", raised, |_| set(&[block(&[], &[Voice])]), "Invalid", ""),
        ("during none", raised, |_| set(&[allow(&[Chat], &[])]), "Invalid", ""),
        (
            "of an unknown channel",
            raised,
            |_| set(&[ChannelRule { channels: ChannelSet(0x81), ..block(&[Chat], &[Voice]) }]),
            "Invalid",
            "",
        ),
        (
            "during an unknown one",
            raised,
            |_| set(&[ChannelRule { during: ChannelSet(0x80), ..block(&[Chat], &[Voice]) }]),
            "Invalid",
            "",
        ),
    ];
    play(rows);
}

#[test]
fn expected_versions_speak_of_the_domain() {
    let mut s = Scene::new();
    raised(&mut s);
    let version = s.world.shard.domain(DOMAIN).expect("made").version;
    let done = s.world.ok(set(&[block(&[Chat], &[Voice])]));
    assert_eq!(done.version.0, version.0 + 1);
    let mut entry = s.world.entry(DOMAIN, set(&[]), None);
    entry.request.expected_version = Some(version);
    let outcome = s.world.shard.apply(&entry, &mut s.world.effects);
    assert_eq!(outcome, Err(Rejected::VersionMismatch { current: done.version }));
}

/// The table of docs/routing/channel-rules.md.
#[test]
fn a_call_and_a_chat() {
    let mut s = Scene::new();
    let rules =
        [block(&[Chat, Sms, Whatsapp], &[Voice]), allow(&[Sms], &[Voice]), block(&[Voice], &[Chat, Voice])];
    with(&mut s, &rules);
    s.ready(s.a);
    let call = comes(&mut s, Voice);
    assert_eq!(s.rings(call), Some(s.a.agent), "0 s: she does nothing");
    s.pass(1);
    let chat = comes(&mut s, Chat);
    assert_eq!((s.rings(chat), gate(&s, chat)), (None, Gate::Blocked { by: Voice }), "1 s: the call rings");
    s.pass(1);
    let sms = comes(&mut s, Sms);
    assert_eq!(s.rings(sms), Some(s.a.agent), "2 s: the second rule is the last one about it");
    s.world.ok(Command::ForceClose { conversation: sms, reason: "x".to_owned(), by: supervisor() });
    s.pass(1);
    s.world.accept(call);
    assert_eq!((s.rings(chat), gate(&s, chat)), (None, Gate::Blocked { by: Voice }), "3 s: she talks");
    s.pass(7);
    s.world.ok(Command::EndContact { conversation: call, by: By::Customer });
    assert_eq!((s.rings(chat), gate(&s, chat)), (None, Gate::Blocked { by: Voice }), "10 s: she wraps up");
    s.pass(2);
    let (conversation, desk) = (call, s.a);
    let complete = Command::Complete { desk, conversation, disposition: None, notes: String::new() };
    s.world.ok(complete);
    assert_eq!(s.rings(chat), Some(s.a.agent), "12 s: the wrap-up is done");
    s.pass(1);
    let second = comes(&mut s, Voice);
    assert_eq!((s.rings(second), gate(&s, second)), (None, Gate::Blocked { by: Chat }), "13 s: a chat rings");
    s.pass(1);
    s.world.ok(set(&[]));
    assert_eq!(s.world.events(), ["ChannelRulesChanged", "Offered"]);
    assert_eq!(s.rings(second), Some(s.a.agent), "14 s: no rules any more");
}

#[test]
fn a_wrap_up_that_holds_no_points_blocks_nothing() {
    for (hold, blocked) in
        [(WrapUpHold::All, true), (WrapUpHold::Some(Points(1)), true), (WrapUpHold::None, false)]
    {
        let mut s = Scene::new();
        s.set(|settings| settings.wrap_up_hold = hold);
        with(&mut s, &[block(&[Chat], &[Voice])]);
        s.assigned();
        let chat = comes(&mut s, Chat);
        assert_eq!(s.rings(chat), None);
        s.world.ok(Command::EndContact { conversation: s.id, by: By::Customer });
        assert_eq!(s.rings(chat).is_none(), blocked, "{hold:?}");
        s.world.ok(Command::Abandon { conversation: chat });
        s.world.shard = loaded(&stored(&s.world.shard));
        let later = comes(&mut s, Chat);
        assert_eq!(s.rings(later).is_none(), blocked, "{hold:?}, as it was stored");
    }
}

/// Of every way in which something is offered by itself.
#[test]
fn nobody_is_offered_what_is_blocked() {
    let mut s = Scene::new();
    with(&mut s, &[block(&[Chat], &[Voice])]);
    s.assigned();
    let queued = comes(&mut s, Chat);
    let accept = AcceptMode::Manual { ring: Span::seconds(20) };
    let mode = RoutingMode::Dedicated { agent: s.a.agent, accept, fallback: None };
    let own = s.world.touchpoint_with(Chat, mode);
    let dedicated = s.world.start(own);
    let (voice, touchpoint) = (s.voice, s.world.touchpoint(Chat, &[s.queue]));
    s.voice = touchpoint;
    let named = s.asking(vec![names(&[s.a], 600)]);
    s.voice = voice;
    for conversation in [queued, dedicated, named] {
        assert_eq!((s.rings(conversation), gate(&s, conversation)), (None, Gate::Blocked { by: Voice }));
    }
    s.ready(s.b);
    assert_eq!(s.rings(queued), Some(s.b.agent), "who does nothing gets it");
    // All that waits for the first desk alone rings as soon as nothing blocks it.
    s.world.ok(set(&[allow(&[Chat], &[Voice]), block(&[Email], &[Voice])]));
    assert_eq!(s.world.events(), ["ChannelRulesChanged", "Offered"]);
    let load = s.world.load(s.a);
    assert_eq!((s.rings(dedicated), load), (Some(s.a.agent), 51 + 25), "the older one; 24 points are left");
    assert!(matches!(gate(&s, named), Gate::Capacity { .. }));
}

#[test]
fn a_channel_may_block_itself() {
    let mut s = Scene::new();
    with(&mut s, &[block(&[Chat], &[Chat])]);
    s.ready(s.a);
    let [first, second] = [(); 2].map(|()| comes(&mut s, Chat));
    assert_eq!((s.rings(first), s.rings(second)), (Some(s.a.agent), None));
    assert_eq!(gate(&s, second), Gate::Blocked { by: Chat });
    s.world.ok(Command::Abandon { conversation: first });
    assert_eq!(s.rings(second), Some(s.a.agent));
}

#[test]
fn the_gate_is_between_the_cap_and_capacity() {
    let mut s = Scene::new();
    with(&mut s, &[block(&[Voice], &[Voice])]);
    s.assigned();
    let call = comes(&mut s, Voice);
    assert_eq!(gate(&s, call), Gate::Blocked { by: Voice }, "49 points are left all the same");
    s.change(s.a.agent, |settings| settings.caps[Voice.index()] = Some(1));
    assert_eq!(gate(&s, call), Gate::ChannelCap { cap: 1 });
}

#[test]
fn the_first_channel_that_blocks_is_told() {
    let mut s = Scene::new();
    with(&mut s, &[block(&[Sms], &[Voice, Chat])]);
    s.ready(s.a);
    let [chat, call] = [Chat, Voice].map(|channel| comes(&mut s, channel));
    let sms = comes(&mut s, Sms);
    assert_eq!(gate(&s, sms), Gate::Blocked { by: Voice });
    s.world.ok(Command::Abandon { conversation: call });
    assert_eq!((s.rings(sms), gate(&s, sms)), (None, Gate::Blocked { by: Chat }));
    s.world.ok(Command::Abandon { conversation: chat });
    assert_eq!(s.rings(sms), Some(s.a.agent));
}

/// What an agent has and what rings is left to it, and settings do not touch the rules.
#[test]
fn a_change_takes_nothing_away() {
    let mut s = Scene::new();
    raised(&mut s);
    s.assigned();
    let chat = comes(&mut s, Chat);
    assert_eq!(s.rings(chat), Some(s.a.agent));
    s.world.ok(set(&[block(&[Chat], &[Voice])]));
    assert_eq!((s.world.events().join(" "), s.rings(chat)), ("ChannelRulesChanged".into(), Some(s.a.agent)));
    s.world.accept(chat);
    s.set(|settings| settings.hold_max = Span::seconds(5));
    assert_eq!(s.world.shard.domain(DOMAIN).expect("made").channel_rules, [block(&[Chat], &[Voice])]);
    let next = comes(&mut s, Chat);
    assert_eq!((s.rings(next), gate(&s, next)), (None, Gate::Blocked { by: Voice }), "they go on");
}

/// A desk with a call asks for mail; and another one sends it a chat.
#[test]
fn a_human_may_go_beyond_them_where_overdraft_is_allowed() {
    let rules = [block(&[Email, Chat], &[Voice])];
    let blocked = |channel| Rejected::Blocked { channel, by: Voice };
    for overdraft in [false, true] {
        let mut s = Scene::new();
        s.set(|settings| settings.overdraft = overdraft);
        with(&mut s, &rules);
        s.assigned();
        s.in_inbox();
        let pull = Command::Assign { desk: s.a, conversation: s.id };
        let chat = comes(&mut s, Chat);
        let target = TransferTarget::Agent(s.a.agent);
        let (fallback, by) = (TransferFallback::Source, supervisor());
        let transfer = Command::Transfer { conversation: chat, target, fallback, by };
        if overdraft {
            s.world.ok(pull);
            s.world.ok(transfer);
            assert_eq!((s.stage(), s.rings(chat)), ("assigned", Some(s.a.agent)));
        } else {
            assert_eq!(s.world.refused(pull), blocked(Email));
            assert_eq!(s.world.refused(transfer), blocked(Chat));
            s.change(s.a.agent, |settings| settings.capacity = Points(60));
            let pull = Command::Assign { desk: s.a, conversation: s.id };
            assert!(matches!(s.world.refused(pull), Rejected::NoCapacity { .. }), "room is looked at first");
        }
    }
}

/// A call that ranks first needs more room than there is; mail would fit.
fn beside_a_chat(rules: &[ChannelRule]) -> (Scene, ConversationId, ConversationId) {
    let mut s = Scene::new();
    s.set(|settings| settings.weights[Chat.index()] = Points(60));
    with(&mut s, rules);
    s.ready(s.a);
    let chat = comes(&mut s, Chat);
    s.world.accept(chat);
    let call = s.world.started(s.voice, Some(Priority(9))).0;
    let mail = comes(&mut s, Email);
    (s, call, mail)
}

#[test]
fn room_is_not_held_for_what_is_blocked() {
    let (mut s, call, mail) = beside_a_chat(&[]);
    let held = |s: &Scene| s.world.shard.agent(s.a.agent).expect("made").held_for.map(|held| held.0);
    assert_eq!((held(&s), s.rings(mail)), (Some(call), None), "held for the call");
    s.world.ok(set(&[block(&[Voice], &[Chat])]));
    assert_eq!(s.world.events(), ["ChannelRulesChanged", "Offered"]);
    assert_eq!((held(&s), s.rings(mail)), (None, Some(s.a.agent)), "what was held is free");
    let (s, call, mail) = beside_a_chat(&[block(&[Voice], &[Chat])]);
    assert_eq!((held(&s), s.rings(mail)), (None, Some(s.a.agent)), "not even begun");
    assert_eq!(gate(&s, call), Gate::Blocked { by: Chat });
}

#[test]
fn what_is_held_stays_held_to_its_time() {
    let (mut s, call, mail) = beside_a_chat(&[block(&[Voice], &[Email])]);
    assert_eq!(gate(&s, mail), Gate::HeldFor(call));
    s.pulled();
    assert_eq!((gate(&s, call), gate(&s, mail)), (Gate::Blocked { by: Email }, Gate::HeldFor(call)));
    s.pass(29);
    s.world.tick();
    assert_eq!(s.rings(mail), None);
    s.pass(1);
    s.world.tick();
    assert_eq!(s.rings(mail), Some(s.a.agent));
}

fn loaded(bytes: &[u8]) -> Shard {
    bincode::serde::decode_from_slice(bytes, bincode::config::standard()).expect("deserialises").0
}

fn stored(shard: &Shard) -> Vec<u8> {
    bincode::serde::encode_to_vec(shard, bincode::config::standard()).expect("serialises")
}

#[test]
fn what_is_stored_says_all_and_only_from_the_level_on() {
    let mut s = Scene::new();
    s.world.ok(Command::SetLevel { level: level::BLOCKS - 1 });
    s.assigned();
    let chat = comes(&mut s, Chat);
    let below = s.world.shard.clone();
    raised(&mut s);
    let without = s.world.shard.clone();
    // A level is one byte, and so is that there are no rules.
    assert_eq!(stored(&without).len(), stored(&below).len() + 1);
    s.world.ok(Command::Abandon { conversation: chat });
    s.world.ok(set(&[block(&[Chat], &[Voice]), allow(&[Sms], &[Voice])]));
    let mut other = s.world.shard.clone();
    let bytes = stored(&s.world.shard);
    let config = bincode::config::standard();
    let again = loaded(&bytes);
    assert_eq!(again, s.world.shard);
    assert_eq!(again.view(DOMAIN), s.world.shard.view(DOMAIN));
    assert_eq!(again.state_hash(), s.world.shard.state_hash());
    let frozen = s.world.shard.freeze();
    assert_eq!(frozen.state_hash(), again.state_hash());
    let pieces: Vec<u8> = frozen
        .pieces()
        .flat_map(|piece| bincode::serde::encode_to_vec(&piece, config).expect("serialises"))
        .collect();
    assert!(pieces == bytes, "written in pieces it is the same");

    // Two states that differ in their rules alone.
    other.forget_rules(DOMAIN);
    assert_ne!(other.state_hash(), again.state_hash());

    let mut s = Scene { world: World { shard: again, ..s.world }, ..s };
    let chat = comes(&mut s, Chat);
    assert_eq!((s.rings(chat), gate(&s, chat)), (None, Gate::Blocked { by: Voice }));
}
