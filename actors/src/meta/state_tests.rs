//! What the meta group's state does, command by command.

use super::*;

fn id(made_at_ms: u64, number: u128) -> RequestId {
    RequestId(u128::from(made_at_ms) << 80 | number)
}

fn late_account(state: &mut MetaState, made_ms: u64, time_s: u64, wall_ms: u64) -> MetaOutcome {
    let command = MetaCommand::CreateAccount { name: format!("at {time_s}") };
    let request = MetaRequest { id: id(made_ms, u128::from(time_s)), command };
    state.apply(request, time_s * 1_000_000, wall_ms)
}

fn account(state: &mut MetaState, number: u128, name: &str) -> MetaOutcome {
    let command = MetaCommand::CreateAccount { name: name.to_owned() };
    state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
}

fn domain(state: &mut MetaState, number: u128, account: u32) -> MetaOutcome {
    let command = MetaCommand::PlaceDomain { account: AccountId(account) };
    state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
}

#[test]
fn a_retry_gets_the_first_answer_and_another_content_is_refused() {
    let mut state = MetaState::new(2);
    let first = account(&mut state, 1, "Acme");
    assert_eq!(account(&mut state, 1, "Acme"), first);
    assert_eq!(account(&mut state, 1, "Other"), Err(Rejected::RequestIdReused));
    assert_eq!(state.accounts().len(), 1);
    let late = late_account(&mut state, 1_000, 2_000, 2_000_000);
    assert!(matches!(late, Err(Rejected::RequestTooOld { .. })), "{late:?}");
}

#[test]
fn a_leader_whose_clock_is_behind_asks_by_the_clock_of_the_group() {
    const HOUR_MS: u64 = 3_600_000;
    let mut state = MetaState::new(1);
    late_account(&mut state, 2 * HOUR_MS, 1, 2 * HOUR_MS).unwrap();
    // By its own clock its requests are too old, for as long as that is not set right.
    let own = late_account(&mut state, HOUR_MS, 2, HOUR_MS);
    assert!(matches!(own, Err(Rejected::RequestTooOld { .. })), "{own:?}");
    for time_s in 3..400 {
        let made_ms = HOUR_MS.max(state.asked_from_ms());
        late_account(&mut state, made_ms, time_s, HOUR_MS).unwrap();
    }
}

#[test]
fn a_leader_whose_clock_is_an_hour_ahead_shuts_nobody_out() {
    const HOUR_MS: u64 = 3_600_000;
    let mut state = MetaState::new(1);
    late_account(&mut state, 1_000, 1, 1_000).unwrap();
    for time_s in 2..10 {
        let honest_ms = time_s * 1_000;
        late_account(&mut state, honest_ms, time_s, honest_ms + HOUR_MS).unwrap();
        let command = MetaCommand::PlaceDomain { account: AccountId(1) };
        let own = MetaRequest { id: id(honest_ms + HOUR_MS, u128::from(time_s)), command };
        state.apply(own, time_s * 1_000_000, honest_ms + HOUR_MS).unwrap();
    }
    for time_s in (10..12_000).step_by(60) {
        late_account(&mut state, time_s * 1_000, time_s, time_s * 1_000).unwrap();
    }
}

#[test]
fn a_node_joins_once_and_its_number_is_not_given_again() {
    let mut state = MetaState::new(1);
    let mut number = 0;
    let mut ask = |command: MetaCommand| {
        number += 1;
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    };
    let join = |nonce, port: u16| MetaCommand::Join { nonce, address: format!("host:{port}") };
    let refused = |outcome: MetaOutcome| matches!(outcome, Err(Rejected::InUse { .. }));
    assert_eq!(ask(join(7, 4)), Ok(MetaDone::Unfounded));
    let founders = |count: u64| (1..=count).map(|id| (NodeId(id), format!("host:{id}"))).collect();
    ask(MetaCommand::Found { members: founders(3) }).unwrap();
    ask(MetaCommand::Found { members: founders(5) }).unwrap();
    let joined = |outcome: MetaOutcome| match outcome {
        Ok(MetaDone::Joined { node, members }) => (node.0, members.len()),
        other => panic!("{other:?}"),
    };
    assert_eq!(joined(ask(join(7, 4))), (4, 4));
    assert_eq!(joined(ask(join(7, 4))), (4, 4), "its answer was lost");
    assert!(refused(ask(join(8, 4))), "another one at the same address");
    assert_eq!(joined(ask(join(8, 5))), (5, 5));
    ask(MetaCommand::Leave { node: NodeId(5) }).unwrap();
    ask(MetaCommand::Gone { node: NodeId(5) }).unwrap();
    ask(MetaCommand::Leave { node: NodeId(5) }).unwrap();
    assert_eq!(joined(ask(join(9, 5))), (6, 5));
    assert!(matches!(ask(MetaCommand::Leave { node: NodeId(9) }), Err(Rejected::Unknown { .. })));
    for node in [1, 2, 3, 4].map(NodeId) {
        ask(MetaCommand::Leave { node }).unwrap();
    }
    assert!(refused(ask(MetaCommand::Leave { node: NodeId(6) })), "the last one");
    assert_eq!(state.removed(), BTreeSet::from([NodeId(5)]));
    assert!(state.members()[&NodeId(4)].leaving);
}

#[test]
fn settings_are_in_a_snapshot_and_one_without_them_is_read() {
    let mut state = MetaState::new(2);
    account(&mut state, 1, "Acme").unwrap();
    let before = state.encode();
    assert_eq!(before, codec::encode(&state), "as builds without settings write it");
    assert_eq!(MetaState::decode(&before).unwrap().replicas(), 5);
    let mut set = |number, replicas| {
        let command = MetaCommand::SetReplicas { replicas };
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    };
    assert!(matches!(set(2, 4), Err(Rejected::Invalid { .. })));
    set(3, 3).unwrap();
    let read = MetaState::decode(&state.encode()).unwrap();
    assert_eq!(read.replicas(), 3);
    assert_eq!((read.hash(), &read), (state.hash(), &state));
    assert!(MetaState::decode(&before[..before.len() - 1]).is_err());
}

#[test]
fn the_level_only_rises_and_is_in_a_snapshot() {
    let mut state = MetaState::new(2);
    let mut number = 0;
    let mut ask = |state: &mut MetaState, command: MetaCommand| {
        number += 1;
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    };
    let hold = |hold| MetaCommand::HoldLevel { hold };
    let raise = |level| MetaCommand::SetLevel { level };
    assert_eq!(state.level(), 1);
    assert_eq!(ask(&mut state, hold(true)), Err(Rejected::Level { level: 1 }), "others may not know it");
    ask(&mut state, raise(2)).unwrap();
    ask(&mut state, raise(2)).unwrap();
    assert!(matches!(ask(&mut state, raise(1)), Err(Rejected::Invalid { .. })));
    ask(&mut state, hold(true)).unwrap();
    for replicas in [5, 3] {
        ask(&mut state, MetaCommand::SetReplicas { replicas }).unwrap();
        let read = MetaState::decode(&state.encode()).unwrap();
        assert_eq!((read.level(), read.level_held(), read.replicas()), (2, true, usize::from(replicas)));
        assert_eq!((read.hash(), &read), (state.hash(), &state));
    }
    ask(&mut state, hold(false)).unwrap();
    assert!(!state.level_held());
}

#[test]
fn zones_are_of_members_and_in_a_snapshot() {
    let mut state = MetaState::new(1);
    let mut number = 0;
    let mut ask = |state: &mut MetaState, command: MetaCommand| {
        number += 1;
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    };
    let zone = |node, zone: &str| MetaCommand::SetZone { node: NodeId(node), zone: zone.to_owned() };
    let members = (1..=2).map(|id| (NodeId(id), format!("host:{id}"))).collect();
    ask(&mut state, MetaCommand::Found { members }).unwrap();
    ask(&mut state, MetaCommand::SetLevel { level: 2 }).unwrap();
    assert_eq!(ask(&mut state, zone(1, "a")), Err(Rejected::Level { level: 2 }));
    ask(&mut state, MetaCommand::SetLevel { level: 3 }).unwrap();
    assert!(matches!(ask(&mut state, zone(1, "a b")), Err(Rejected::Invalid { .. })));
    ask(&mut state, zone(1, "a")).unwrap();
    ask(&mut state, zone(2, "b")).unwrap();
    ask(&mut state, zone(9, "c")).unwrap();
    let zones = |state: &MetaState| state.zones().values().cloned().collect::<String>();
    assert_eq!(zones(&state), "ab");
    let read = MetaState::decode(&state.encode()).unwrap();
    assert_eq!((zones(&read).as_str(), read.level(), &read), ("ab", 3, &state));
    ask(&mut state, zone(1, "")).unwrap();
    ask(&mut state, MetaCommand::Leave { node: NodeId(2) }).unwrap();
    ask(&mut state, MetaCommand::Gone { node: NodeId(2) }).unwrap();
    assert_eq!(zones(&state), "");
}

#[test]
fn somebody_can_always_lead_and_who_cannot_is_in_a_snapshot() {
    let mut state = MetaState::new(1);
    let mut number = 0;
    let mut ask = |state: &mut MetaState, command: MetaCommand| {
        number += 1;
        state.apply(MetaRequest { id: id(1_000, number), command }, 1, 1_000)
    };
    let drain = |node, drained| MetaCommand::Drain { node: NodeId(node), drained };
    let members = (1..=3).map(|id| (NodeId(id), format!("host:{id}"))).collect();
    ask(&mut state, MetaCommand::Found { members }).unwrap();
    ask(&mut state, MetaCommand::SetLevel { level: level::MOVES }).unwrap();
    assert_eq!(ask(&mut state, drain(1, true)), Err(Rejected::Level { level: level::MOVES }));
    ask(&mut state, MetaCommand::SetLevel { level: level::DRAINS }).unwrap();
    let before = state.encode();
    assert!(matches!(ask(&mut state, drain(9, true)), Err(Rejected::Unknown { .. })));
    ask(&mut state, drain(1, true)).unwrap();
    ask(&mut state, drain(1, true)).unwrap();
    ask(&mut state, MetaCommand::Leave { node: NodeId(2) }).unwrap();
    let last = ask(&mut state, drain(3, true));
    assert!(matches!(last, Err(Rejected::InUse { .. })), "one leaves, one is drained: {last:?}");
    let read = MetaState::decode(&state.encode()).unwrap();
    assert_eq!((read.drained(), &read), (&BTreeSet::from([NodeId(1)]), &state));
    assert_eq!(read.hash(), state.hash());
    assert!(MetaState::decode(&before).unwrap().drained().is_empty(), "of a build that knew none");
    ask(&mut state, drain(1, false)).unwrap();
    ask(&mut state, drain(3, true)).unwrap();
    ask(&mut state, MetaCommand::Leave { node: NodeId(3) }).unwrap();
    ask(&mut state, MetaCommand::Gone { node: NodeId(3) }).unwrap();
    assert!(state.drained().is_empty());
}

#[test]
fn domains_go_to_the_emptiest_shard_and_are_listed_once_confirmed() {
    let mut state = MetaState::new(2);
    account(&mut state, 1, "Acme").unwrap();
    assert!(matches!(domain(&mut state, 2, 9), Err(Rejected::Unknown { .. })));
    for number in 3..7 {
        domain(&mut state, number, 1).unwrap();
    }
    let shards: Vec<u32> = (1..=4).map(|id| state.place(DomainId(id)).unwrap().shard.0).collect();
    assert_eq!(shards, [1, 2, 1, 2]);
    assert!(state.domains().is_empty());
    let confirm = MetaCommand::ConfirmDomain { domain: DomainId(2) };
    state.apply(MetaRequest { id: id(1_000, 8), command: confirm }, 2, 1_000).unwrap();
    assert_eq!(state.domains().len(), 1);
    assert_eq!(state.domains_on(ShardId(2)), 1);
}
