//! Consultations before a transfer: over the API, at both desks, and from the command line.

use crate::harness;

use harness::{Client, Desk, Node, Start, Tenant, mutation, reason};
use proto::v1;
use proto::v1::desk_request::Message;
use proto::v1::notice::{ConsultEnded, Consulting, Notice as Told};
use proto::v1::reply::Result as Outcome;
use serde_json::Value;
use tempfile::TempDir;
use tonic::Code;

/// An owner with a call, and somebody whom it can ask.
struct Pair {
    client: Client,
    tenant: Tenant,
    call: String,
    owner: Desk,
    asked: Desk,
    node: Node,
    _folder: TempDir,
}

impl Pair {
    async fn with_a_call() -> Self {
        let folder = TempDir::new().expect("a folder");
        let node = Start::new(&folder.path().join("data")).serve();
        let client = Client::of(&node);
        let tenant = Tenant::make(&client, 2).await;
        tenant.raised(&client).await;
        let mut owner = Desk::open(&client, &tenant.agents[0]).await;
        let mut asked = Desk::open(&client, &tenant.agents[1]).await;
        owner.available().await;
        let call = client.start(&tenant.call()).await.conversation;
        let first = owner.offer().await;
        assert!(!first.consult, "{first:?}");
        let Outcome::Accepted(accepted) = owner.accept(&first.id).await else { panic!("it is ours") };
        assert_eq!(accepted.consult_until_us, None);
        asked.available().await;
        Self { client, tenant, call, owner, asked, node, _folder: folder }
    }

    /// The owner asks.
    async fn asks(&mut self, lasts_ms: u64) -> Outcome {
        let request = v1::DeskConsultRequest {
            mutation: mutation(),
            conversation: self.call.clone(),
            asked: self.tenant.agents[1].clone(),
            lasts_ms,
            ..Default::default()
        };
        self.owner.ask(Message::Consult(request)).await
    }

    /// The owner asks and the other one accepts; the offer, and the answer to that.
    async fn consults(&mut self, lasts_ms: u64) -> (v1::Offer, v1::AcceptResponse) {
        let outcome = self.asks(lasts_ms).await;
        assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        let offer = self.asked.offer().await;
        assert!(offer.consult && !offer.connecting && offer.conversation == self.call, "{offer:?}");
        let Outcome::Accepted(accepted) = self.asked.accept(&offer.id).await else { panic!("it may") };
        (offer, accepted)
    }

    async fn ends(desk: &mut Desk, call: &str) -> Outcome {
        let conversation = call.to_owned();
        let request = v1::DeskEndConsultRequest { mutation: mutation(), conversation, ..Default::default() };
        desk.ask(Message::EndConsult(request)).await
    }

    async fn completes(&mut self) -> Outcome {
        let conversation = self.call.clone();
        let request =
            v1::DeskCompleteConsultRequest { mutation: mutation(), conversation, ..Default::default() };
        self.owner.ask(Message::CompleteConsult(request)).await
    }

    async fn is_consulting(&mut self) -> Consulting {
        self.owner
            .notice("that the other one has accepted", |told| match told {
                Told::Consulting(told) => Some(told.clone()),
                _ => None,
            })
            .await
    }

    async fn has_it_alone(&mut self) -> ConsultEnded {
        self.owner
            .notice("that the consultation is over", |told| match told {
                Told::ConsultEnded(told) => Some(told.clone()),
                _ => None,
            })
            .await
    }

    /// How the other one's offer ended.
    async fn offer_ended(&mut self, offer: &str) -> (String, String) {
        self.asked
            .notice("the end of its offer", |told| match told {
                Told::OfferEnded(ended) if ended.offer == offer => {
                    Some((ended.end.clone(), ended.why.clone()))
                }
                _ => None,
            })
            .await
    }
}

fn refused(outcome: Outcome) -> String {
    let Outcome::Failure(failure) = outcome else { panic!("refused, but it is {outcome:?}") };
    failure.reason
}

/// What happened, as the record tells it: types with what consultations are about.
fn told(events: &[v1::Event], kind: &str) -> Vec<Value> {
    let of_kind = events.iter().filter(|event| event.r#type == kind);
    of_kind.map(|event| serde_json::from_str(&event.json).expect("an object")).collect()
}

#[tokio::test]
async fn an_owner_asks_and_goes_on_and_asks_again_and_hands_over() {
    let mut pair = Pair::with_a_call().await;
    let (first, second) = (pair.tenant.agents[0].clone(), pair.tenant.agents[1].clone());
    let call = pair.call.clone();
    let (offer, accepted) = pair.consults(120_000).await;
    let until = accepted.consult_until_us.expect("it is a consultation");
    assert_eq!((&accepted.conversation, &accepted.agent, accepted.connect_by_us), (&call, &second, None));
    let told_owner = pair.is_consulting().await;
    assert_eq!((told_owner.conversation, told_owner.agent), (call.clone(), second.clone()));
    assert_eq!((told_owner.offer, told_owner.deadline_us), (offer.id.clone(), until));
    assert_eq!(until - accepted.receipt.expect("done").at_us, 120_000_000);
    let shown = pair.client.conversation(&call).await;
    assert_eq!((shown.stage(), &shown.agent), (v1::Stage::Assigned, &first));
    assert!(shown.offer.is_some_and(|offer| offer.consult && offer.connecting && offer.agent == second));
    // It is ended as a consultation, and as nothing else.
    let request = v1::RejectRequest { mutation: mutation(), offer: offer.id.clone(), ..Default::default() };
    assert_eq!(refused(pair.asked.ask(Message::Reject(request)).await), "WRONG_STATE");
    let request =
        v1::ConnectedRequest { mutation: mutation(), offer: offer.id.clone(), ..Default::default() };
    assert_eq!(refused(pair.asked.ask(Message::Connected(request)).await), "WRONG_STATE");
    assert_eq!(refused(pair.asked.accept(&offer.id).await), "WRONG_STATE");

    // A desk that comes back is shown what it takes part in.
    let hello = pair.asked.resume();
    pair.asked = Desk::try_open(&pair.client, hello).await.expect("the session goes on");
    let offers = pair.asked.welcome.agent.clone().expect("its own").offers;
    assert!(
        matches!(&offers[..], [one] if one.consult && one.connecting && one.id == offer.id),
        "{offers:?}"
    );

    assert!(matches!(Pair::ends(&mut pair.owner, &call).await, Outcome::Done(_)));
    let over = pair.has_it_alone().await;
    assert_eq!((over.conversation, over.agent), (call.clone(), second.clone()));
    assert_eq!((over.end.as_str(), &over.why), ("consult_over", &first));
    assert_eq!(pair.offer_ended(&offer.id).await, ("consult_over".to_owned(), first.clone()));
    assert_eq!(refused(Pair::ends(&mut pair.owner, &call).await), "WRONG_STATE");

    // The one who is asked may end it too, once it takes part.
    let (offer, _) = pair.consults(0).await;
    let started = pair.is_consulting().await;
    assert!(matches!(Pair::ends(&mut pair.asked, &call).await, Outcome::Done(_)));
    assert_eq!(pair.has_it_alone().await.why, second);
    assert_eq!(pair.offer_ended(&offer.id).await.1, second);

    let (offer, accepted) = pair.consults(0).await;
    assert!(accepted.consult_until_us > Some(started.deadline_us), "half an hour from now");
    assert!(matches!(pair.completes().await, Outcome::Done(_)));
    let assigned = pair
        .asked
        .notice("that it has the call", |told| match told {
            Told::Assigned(assigned) => Some(assigned.clone()),
            _ => None,
        })
        .await;
    assert_eq!((assigned.conversation, assigned.offer), (call.clone(), offer.id.clone()));
    pair.owner.notice("that it has it no more", |told| matches!(told, Told::Released(_)).then_some(())).await;
    let shown = pair.client.conversation(&call).await;
    assert_eq!((shown.stage(), shown.agent, shown.hops), (v1::Stage::Assigned, second.clone(), 1));

    let events = pair.client.record(&pair.tenant.domain).await;
    let ways: Vec<Value> =
        told(&events, "offered").into_iter().map(|event| event["picked"]["way"].clone()).collect();
    assert_eq!(ways, ["policy", "consult", "consult", "consult"]);
    let begun = told(&events, "consult_started");
    assert_eq!((&begun[0]["agent"], &begun[0]["by"]), (&second.clone().into(), &first.clone().into()));
    assert_eq!((begun.len(), told(&events, "consulting").len()), (3, 3));
    assert_eq!(told(&events, "consult_ended").len(), 2);
    let consulting = events.iter().find(|event| event.r#type == "consulting").expect("told");
    assert_eq!(consulting.agent, second);
    let explained = pair.node.ctl(&["explain", "pick", &offer.id]).expect("known");
    assert!(explained.contains("to ask for advice"), "{explained}");
    pair.node.assert_no_errors();
}

#[tokio::test]
async fn who_is_asked_declines_and_whoever_is_consulted_has_what_its_owner_left() {
    let mut pair = Pair::with_a_call().await;
    let (call, second) = (pair.call.clone(), pair.tenant.agents[1].clone());
    assert!(matches!(pair.asks(0).await, Outcome::Done(_)));
    let offer = pair.asked.offer().await;
    assert_eq!(refused(pair.completes().await), "WRONG_STATE");
    let request = v1::RejectRequest {
        mutation: mutation(),
        offer: offer.id,
        reason: "at lunch".to_owned(),
        ..Default::default()
    };
    assert!(matches!(pair.asked.ask(Message::Reject(request)).await, Outcome::Done(_)));
    let over = pair.has_it_alone().await;
    assert_eq!((over.end.as_str(), over.why.as_str()), ("rejected", "at lunch"));
    assert_eq!(pair.client.conversation(&call).await.agent, pair.tenant.agents[0]);

    let (offer, _) = pair.consults(60_000).await;
    pair.node.ctl(&["log-out", &pair.tenant.agents[0]]).expect("its session is over");
    assert_eq!(pair.offer_ended(&offer.id).await.0, "accepted");
    assert_eq!(pair.client.conversation(&call).await.agent, second);
    let events = pair.client.record(&pair.tenant.domain).await;
    assert_eq!(told(&events, "transfer_started").last().expect("told")["by"], "system");
    assert!(matches!(pair.asked.end_contact(&call).await, Outcome::Done(_)));
    pair.node.assert_no_errors();
}

#[tokio::test]
async fn a_supervisor_has_others_consulted() {
    let mut pair = Pair::with_a_call().await;
    let (call, second) = (pair.call.clone(), pair.tenant.agents[1].clone());
    let node = &pair.node;
    let nobody = node.ctl(&["consult", &call]).expect("shown");
    assert!(nobody.contains("nobody is consulted"), "{nobody}");
    node.ctl(&["consult", &call, "--agent", &second, "--minutes", "5"]).expect("asked");
    let offer = pair.asked.offer().await;
    assert!(offer.consult, "{offer:?}");
    assert!(node.ctl(&["consult", &call]).expect("shown").contains("is asked"));
    assert!(matches!(pair.asked.accept(&offer.id).await, Outcome::Accepted(_)));
    let listed = node.ctl(&["list", "conversations", "--domain", &pair.tenant.domain]).expect("a list");
    assert!(listed.contains("CONSULTED") && listed.contains(&format!("{second} is consulted")), "{listed}");
    node.ctl(&["consult", &call, "--end"]).expect("over");
    let refused = node.ctl(&["consult", &call, "--complete"]).expect_err("nobody is consulted");
    assert!(refused.contains("nobody is consulted about it"), "{refused}");
    node.ctl(&["consult", &call, "--agent", &second]).expect("asked again");
    let offer = pair.asked.offer().await;
    assert!(matches!(pair.asked.accept(&offer.id).await, Outcome::Accepted(_)));
    let done: Value =
        serde_json::from_str(&node.ctl(&["--json", "consult", &call, "--complete"]).expect("done"))
            .expect("a receipt");
    assert!(done["sequence"].is_string() || done["sequence"].is_number(), "{done}");
    assert_eq!(pair.client.conversation(&call).await.agent, second);

    let request = |asked: &str, lasts_ms| v1::SupervisorConsultRequest {
        mutation: mutation(),
        supervisor: "sol".to_owned(),
        conversation: call.clone(),
        asked: asked.to_owned(),
        lasts_ms,
    };
    let first = pair.tenant.agents[0].clone();
    for (asked, lasts_ms, field) in [("", 0, "asked"), (&first, 999, "lasts"), (&first, 14_400_001, "lasts")]
    {
        let status = pair.client.supervisor().consult(request(asked, lasts_ms)).await.expect_err("unsound");
        assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
        assert!(status.message().contains(field), "{status:?}");
    }
    let itself = pair.client.supervisor().consult(request(&second, 0)).await.expect_err("its own");
    assert_eq!((itself.code(), reason(&itself)), (Code::InvalidArgument, "INVALID".to_owned()));
    pair.node.assert_no_errors();
}
