//! Consultations, as told.

use super::*;

/// Long after all of it.
const LATER: u64 = 3_600_000_000;

fn started(to: u64) -> Kind {
    Kind::ConsultStarted { conversation: conv(1), agent: agent(to) }
}
fn asked(by: u64, to: u64) -> Kind {
    let Kind::Offered { conversation, offer, agent, weight, deadline_us, .. } = offered(1, by, to) else {
        unreachable!("an offer")
    };
    Kind::Offered { conversation, offer, agent, weight, deadline_us, consult: true }
}
fn consulting(owner: u64, by: u64, to: u64) -> Kind {
    Kind::Consulting {
        conversation: conv(1),
        owner: agent(owner),
        offer: offer(by),
        agent: agent(to),
        deadline_us: LATER,
    }
}
fn over(owner: u64, to: u64, end: OfferEnd) -> Kind {
    Kind::ConsultEnded { conversation: conv(1), owner: agent(owner), agent: agent(to), end, leaves: false }
}
fn released(of: u64) -> Kind {
    Kind::Released { conversation: conv(1), agent: agent(of) }
}
fn transfer(to: Option<u64>) -> Kind {
    Kind::TransferStarted { conversation: conv(1), agent: to.map(agent) }
}

/// The first agent has a call and asks the second one; what follows.
fn asks(then: Vec<Vec<Kind>>) -> History {
    let begins = vec![
        vec![arrived(1), waiting(1), offered(1, 1, 1)],
        vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)],
        vec![started(2), asked(2, 2)],
    ];
    on_duty([begins, then].concat())
}

/// The same, and the second agent has accepted.
fn consults(then: Vec<Vec<Kind>>) -> History {
    asks([vec![vec![consulting(1, 2, 2)]], then].concat())
}

fn ends(end: OfferEnd) -> Vec<Kind> {
    vec![offer_ended(1, 2, end), over(1, 2, end)]
}

fn handed_over() -> Vec<Kind> {
    vec![transfer(Some(2)), offer_ended(1, 2, OfferEnd::Accepted), released(1), assigned(1, 2, 2)]
}

/// The owner is gone, and the call waits again.
fn left() -> Vec<Kind> {
    let (conversation, owner, agent, end) = (conv(1), agent(1), agent(2), OfferEnd::Revoked);
    let told = Kind::ConsultEnded { conversation, owner, agent, end, leaves: true };
    vec![offer_ended(1, 2, OfferEnd::Revoked), told, released(1), waiting_again(1)]
}

#[test]
fn what_comes_of_a_consultation() {
    for end in [OfferEnd::Rejected, OfferEnd::TimedOut, OfferEnd::Revoked, OfferEnd::ConsultOver] {
        assert_eq!(check(&asks(vec![ends(end)])).violations, [], "{end:?}");
    }
    for end in [OfferEnd::Revoked, OfferEnd::ConsultOver] {
        assert_eq!(check(&consults(vec![ends(end)])).violations, [], "{end:?}");
    }
    assert_eq!(check(&consults(vec![handed_over()])).violations, []);
    let again = vec![ends(OfferEnd::ConsultOver), vec![started(2), asked(3, 2)], vec![consulting(1, 3, 2)]];
    assert_eq!(check(&consults(again)).violations, []);
    let closed =
        vec![offer_ended(1, 2, OfferEnd::Revoked), over(1, 2, OfferEnd::Revoked), released(1), ended(1)];
    assert_eq!(check(&consults(vec![closed])).violations, []);
}

#[test]
fn r1_advice_that_takes_over() {
    let taken = || vec![offer_ended(1, 2, OfferEnd::Accepted), released(1), assigned(1, 2, 2)];
    caught(&asks(vec![taken()]), Promise::R1);
    caught(&consults(vec![taken()]), Promise::R1);
    caught(&asks(vec![handed_over()]), Promise::R1);
    caught(&consults(vec![vec![transfer(Some(2))], taken()]), Promise::R1);
}

#[test]
fn r1_nobody_asked_or_the_wrong_one() {
    caught(&asks(vec![vec![consulting(2, 2, 2)]]), Promise::R1);
    let deadline_us = LATER;
    let connecting =
        Kind::Connecting { conversation: conv(1), offer: offer(2), agent: agent(2), deadline_us };
    caught(&asks(vec![vec![connecting]]), Promise::R1);
    let first = vec![arrived(1), waiting(1), offered(1, 1, 1)];
    caught(&on_duty(vec![first.clone(), vec![consulting(1, 1, 1)]]), Promise::R1);
    let has = vec![offer_ended(1, 1, OfferEnd::Accepted), assigned(1, 1, 1)];
    // By a transfer's offer, which is no question.
    let moving = vec![transfer(Some(2)), offered(1, 2, 2)];
    let wrong = vec![first.clone(), has.clone(), moving, vec![consulting(1, 2, 2)]];
    caught(&on_duty(wrong), Promise::R1);
    caught(&on_duty(vec![first.clone(), has.clone(), vec![asked(2, 2)]]), Promise::R1);
    caught(&on_duty(vec![first.clone(), has, vec![started(1)]]), Promise::R1);
    caught(&on_duty(vec![first, vec![started(2)]]), Promise::R1);
}

#[test]
fn r3_and_r1_the_owner_is_told_once_and_the_right_one() {
    let bare = |end| vec![offer_ended(1, 2, end)];
    caught(&consults(vec![bare(OfferEnd::ConsultOver)]), Promise::R3);
    caught(&asks(vec![bare(OfferEnd::Rejected)]), Promise::R3);
    let twice = vec![ends(OfferEnd::ConsultOver), vec![over(1, 2, OfferEnd::ConsultOver)]];
    caught(&consults(twice), Promise::R3);
    let other = vec![offer_ended(1, 2, OfferEnd::ConsultOver), over(2, 2, OfferEnd::ConsultOver)];
    caught(&consults(vec![other]), Promise::R1);
}

#[test]
fn r18_who_was_consulted_has_what_its_owner_left() {
    caught(&consults(vec![left()]), Promise::R18);
    assert_eq!(check(&asks(vec![left()])).violations, [], "it had not accepted");
    let moved = [vec![transfer(None)], left()].concat();
    assert_eq!(check(&consults(vec![moved])).violations, [], "its owner transferred it");
}

#[test]
fn r19_it_ends_as_what_it_was() {
    caught(&consults(vec![ends(OfferEnd::TimedOut)]), Promise::R19);
    caught(&consults(vec![ends(OfferEnd::NotConnected)]), Promise::R19);
    let waits = vec![arrived(1), waiting(1), offered(1, 1, 1)];
    caught(
        &on_duty(vec![waits, vec![offer_ended(1, 1, OfferEnd::ConsultOver), waiting_again(1)]]),
        Promise::R19,
    );
}

#[test]
fn r3_what_the_desk_was_answered() {
    let answered = |mut history: History, sequence: u64| {
        let accept = Asked::Accept { offer: offer(2), agent: agent(2), epoch: 1 };
        history.calls.push(call(1, accept, done(sequence, None, None)));
        history
    };
    let last = consults(Vec::new()).events.len() as u64;
    assert_eq!(check(&answered(consults(Vec::new()), last)).violations, []);
    caught(&answered(consults(Vec::new()), last - 1), Promise::R3);
}

#[test]
fn it_is_read_from_the_wire() {
    let read = |r#type: &str, json: &str| {
        let (r#type, json) = (r#type.to_owned(), json.to_owned());
        from_wire(&proto::v1::Event { r#type, json, sequence: 1, ..Default::default() }).expect("read").kind
    };
    let begun =
        read("consult_started", r#"{"conversation":"conv_1_1","agent":"agent_1_2","by":"agent_1_1"}"#);
    assert_eq!(begun, started(2));
    let offered = r#"{"conversation":"conv_1_1","offer":"offer_1_2","agent":"agent_1_2","weight":51,
        "deadline_us":1000000000000,"picked":{"way":"consult"}}"#;
    assert_eq!(read("offered", offered), asked(2, 2));
    let accepted = r#"{"conversation":"conv_1_1","owner":"agent_1_1","offer":"offer_1_2","agent":"agent_1_2",
        "deadline_us":3600000000}"#;
    assert_eq!(read("consulting", accepted), consulting(1, 2, 2));
    let ended = r#"{"conversation":"conv_1_1","owner":"agent_1_1","agent":"agent_1_2","end":"consult_over",
        "why":"system"}"#;
    assert_eq!(read("consult_ended", ended), over(1, 2, OfferEnd::ConsultOver));
}
