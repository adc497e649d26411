//! Skills and criteria over the API: who gets an offer, how what is asked for gives way, and what is
//! shown of it.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, run, until};
use proto::v1;
use proto::v1::reply::Result as Outcome;
use proto::v1::seeking::Status::{Active, Expired, Inactive, Joined};
use tempfile::TempDir;
use tonic::Code;

const HOUR_MS: u64 = 3_600_000;

fn skill(name: &str, level: u32) -> v1::Skill {
    v1::Skill { name: name.into(), level }
}

fn named(agent: &str, lasts_ms: u64) -> v1::Step {
    v1::Step { agents: vec![agent.to_owned()], lasts_ms, ..v1::Step::default() }
}

fn able(name: &str, level: u32, lasts_ms: u64) -> v1::Step {
    v1::Step { required: vec![skill(name, level)], lasts_ms, ..v1::Step::default() }
}

fn criteria<const N: usize>(steps: [v1::Step; N]) -> Option<v1::Criteria> {
    Some(v1::Criteria { steps: steps.into() })
}

async fn set_skills(
    client: &Client,
    agent: &str,
    skills: Vec<v1::Skill>,
) -> Result<v1::Receipt, tonic::Status> {
    let (agent, supervisor) = (agent.to_owned(), "sol".to_owned());
    let request = v1::SetSkillsRequest { mutation: mutation(), supervisor, agent, skills };
    client.retry(|| async { client.supervisor().set_skills(request.clone()).await }).await
}

/// Until the shard is at the level that knows of them.
async fn first_skills(client: &Client, agent: &str, skills: Vec<v1::Skill>) {
    until("the level of skills", || async {
        match set_skills(client, agent, skills.clone()).await {
            Ok(_) => Some(()),
            Err(status) => {
                assert_eq!(reason(&status), "LEVEL_TOO_LOW", "{status:?}");
                None
            }
        }
    })
    .await;
}

async fn gates(client: &Client, conversation: &str) -> Vec<(String, String, String)> {
    let request = v1::ExplainWaitRequest { conversation: conversation.to_owned() };
    let why = client.retry(|| async { client.supervisor().explain_wait(request.clone()).await }).await;
    why.expect("known").agents.into_iter().map(|one| (one.agent, one.gate, one.detail)).collect()
}

/// Waits until a conversation asks for this step.
async fn relaxed_to(client: &Client, conversation: &str, step: u32) -> v1::Seeking {
    until("the next step", || async {
        let seeking = client.conversation(conversation).await.seeking.expect("criteria");
        (seeking.step == step).then_some(seeking)
    })
    .await
}

fn fields(events: &[v1::Event], kind: &str, subject: &str) -> serde_json::Value {
    let found = events.iter().find(|event| event.r#type == kind && event.subject == subject);
    serde_json::from_str(&found.unwrap_or_else(|| panic!("no {kind} of {subject}")).json).expect("an object")
}

#[tokio::test]
async fn a_step_gives_way_to_the_next_and_the_offer_goes_to_who_meets_it() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 3).await;
    let [away, low, high] = &tenant.agents[..] else { panic!("three agents") };
    first_skills(&client, low, vec![skill("es", 40)]).await;
    set_skills(&client, high, vec![skill("es", 90), skill("billing", 1)]).await.expect("known by now");

    // For a moment its own agent, who is away; then Spanish, which who is there does not speak well enough.
    let mut lows = Desk::open(&client, low).await;
    lows.available().await;
    let steps = criteria([named(away, 1_000), able("es", 80, HOUR_MS)]);
    let started = client.start(&v1::StartRequest { criteria: steps.clone(), ..tenant.call() }).await;
    assert_eq!(started.offer, "");
    let call = started.conversation;
    let seeking = relaxed_to(&client, &call, 2).await;
    assert_eq!(seeking.criteria, steps);
    assert_eq!(seeking.statuses, [i32::from(Expired), Active.into()]);
    assert!(seeking.until_us.is_some());
    let wanted = (low.clone(), "skill".to_owned(), "es at 40, 80 required".to_owned());
    assert!(gates(&client, &call).await.contains(&wanted), "{:?}", gates(&client, &call).await);

    // Who has been idle for longer does not get it.
    let mut highs = Desk::open(&client, high).await;
    highs.available().await;
    let offer = highs.offer().await;
    assert_eq!((&offer.conversation, &offer.agent), (&call, high));
    assert!(matches!(highs.accept(&offer.id).await, Outcome::Accepted(_)));
    let seeking = client.conversation(&call).await.seeking.expect("criteria");
    assert_eq!((seeking.step, seeking.statuses), (2, vec![Expired.into(), Joined.into()]));

    let record = client.record(&tenant.domain).await;
    let of_call: Vec<&str> =
        record.iter().filter(|event| event.subject == call).map(|event| event.r#type.as_str()).collect();
    let wanted = ["arrived", "criteria_changed", "waiting", "relaxed", "offered", "offer_ended", "assigned"];
    assert_eq!(of_call, wanted);
    let changed = fields(&record, "skills_changed", high);
    assert_eq!(changed["skills"][1], serde_json::json!({ "name": "es", "level": 90 }));
    assert_eq!(changed["by"], "supervisor:sol");
    let relaxed = fields(&record, "relaxed", &call);
    assert_eq!((&relaxed["step"], &relaxed["queues"][0]), (&2.into(), &tenant.queue.as_str().into()));
    node.assert_no_errors();
}

#[tokio::test]
async fn a_touchpoint_asks_for_what_arrives_there_and_a_supervisor_for_something_else() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 2).await;
    let [away, here] = &tenant.agents[..] else { panic!("two agents") };
    first_skills(&client, away, vec![skill("es", 90)]).await;
    let request = v1::SetCriteriaRequest {
        supervisor: "sol".into(),
        mutation: mutation(),
        touchpoint: tenant.touchpoint.clone(),
        criteria: criteria([named(away, HOUR_MS), able("es", 50, 0)]),
    };
    client.admin().set_criteria(request.clone()).await.expect("the touchpoint asks for it");
    let list = v1::ListRequest { domain: tenant.domain.clone(), ..Default::default() };
    let touchpoints = client.admin().list_touchpoints(list).await.expect("a list").into_inner().touchpoints;
    assert_eq!(touchpoints[0].criteria, request.criteria);
    let record = client.record(&tenant.domain).await;
    let changed = record.iter().find(|event| event.r#type == "touchpoint_criteria_changed").expect("told");
    assert!(changed.json.contains("supervisor:sol"), "{}", changed.json);

    let mut desk = Desk::open(&client, here).await;
    desk.available().await;
    let call = client.start(&tenant.call()).await.conversation;
    let seeking = client.conversation(&call).await.seeking.expect("the touchpoint's");
    assert_eq!((seeking.step, seeking.statuses), (1, vec![Active.into(), Inactive.into()]));
    let why = gates(&client, &call).await;
    assert!(why.iter().any(|(agent, gate, _)| agent == away && gate == "lease"), "{why:?}");
    let others = why.iter().find(|(agent, gate, _)| agent == here && gate == "others_named");
    let (_, _, detail) = others.unwrap_or_else(|| panic!("{why:?}"));
    assert!(detail.starts_with("only the agents it names may have it for 3"), "{detail}");
    let shown = run(&["ctl", "--target", &node.address, "get", &call]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("step 1 of 2") && shown.contains("inactive"), "{shown}");

    // In place; then, by time alone, anybody.
    let change = v1::ChangeCriteriaRequest {
        mutation: mutation(),
        supervisor: "sol".into(),
        conversation: call.clone(),
        criteria: criteria([able("es", 50, 1_000)]),
    };
    client.supervisor().change_criteria(change).await.expect("it waits");
    let offer = desk.offer().await;
    assert_eq!(offer.conversation, call);
    let seeking = client.conversation(&call).await.seeking.expect("criteria");
    assert_eq!((seeking.step, seeking.statuses), (0, vec![Expired.into()]));
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    let record = client.record(&tenant.domain).await;
    assert_eq!(fields(&record, "relaxed", &call)["step"], 0);
    let kept = fields(&record, "touchpoint_criteria_changed", &tenant.touchpoint);
    assert_eq!(kept["criteria"]["steps"][0]["lasts_ms"], HOUR_MS);

    // Without steps: not what the touchpoint asks for. A transfer may ask anew.
    let plain = v1::StartRequest { criteria: Some(v1::Criteria::default()), ..tenant.call() };
    let plain = client.start(&plain).await.conversation;
    assert_eq!(client.conversation(&plain).await.seeking, None);
    let target = v1::transfer_target::Target::Queue(tenant.queue.clone());
    let transfer = v1::SupervisorTransferRequest {
        mutation: mutation(),
        supervisor: "sol".into(),
        conversation: plain.clone(),
        target: Some(v1::TransferTarget { target: Some(target) }),
        criteria: criteria([able("es", 50, 0)]),
        ..Default::default()
    };
    client.supervisor().transfer(transfer).await.expect("it goes");
    assert_eq!(client.conversation(&plain).await.seeking.expect("anew").statuses, [i32::from(Active)]);
    node.assert_no_errors();
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_the_shell_shows_and_sets_skills() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let agent = tenant.agents[0].as_str();
    first_skills(&client, agent, vec![skill("es", 40)]).await;

    let refused = set_skills(&client, agent, vec![skill("es", 256 + 80)]).await.expect_err("no such level");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID"));
    assert!(refused.message().starts_with("skills[0].level: 336"), "{}", refused.message());
    let start = |steps| v1::StartRequest { criteria: criteria(steps), ..tenant.call() };
    let refused = client.routing().start(start([able("dansk", 1, 0)])).await.expect_err("nobody ever had it");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_SKILL"));
    let refused = client.routing().start(start([able("es", 0, 0)])).await.expect_err("no such level");
    assert_eq!(reason(&refused), "INVALID");
    let change = v1::SetCriteriaRequest {
        supervisor: "sol".into(),
        mutation: mutation(),
        touchpoint: tenant.touchpoint.clone(),
        criteria: None,
    };
    let refused = client.admin().set_criteria(change).await.expect_err("says nothing");
    assert!(refused.message().starts_with("criteria: is required"), "{}", refused.message());

    let ctl = |args: &[&str]| {
        let output = run(&[&["ctl", "--target", &node.address, "--as", "sol"], args].concat());
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = ctl(&["skills", agent]);
    assert!(said.contains("SKILL") && said.contains("es") && said.contains("40"), "{said}");
    assert!(ctl(&["skills", agent, "es=90", "billing=50"]).starts_with("done"));
    let said: serde_json::Value = serde_json::from_str(&ctl(&["--json", "skills", agent])).expect("JSON");
    let wanted = serde_json::json!([{ "name": "billing", "level": 50 }, { "name": "es", "level": 90 }]);
    assert_eq!(said["skills"], wanted);
    let said = ctl(&["list", "agents", "--domain", &tenant.domain]);
    assert!(said.contains("billing=50, es=90"), "{said}");
    ctl(&["skills", agent, "--clear"]);
    let said = ctl(&["list", "agents", "--domain", &tenant.domain]);
    assert!(!said.contains("SKILLS"), "{said}");
    let steps = r#"{"steps": [{"required": [{"name": "es", "level": 80}], "lasts_ms": 60000}]}"#;
    let said = ctl(&["create", "conversation", "--touchpoint", &tenant.touchpoint, "c", "--criteria", steps]);
    let call = said.split_whitespace().next().expect("an id");
    let said = ctl(&["list", "conversations", "--domain", &tenant.domain]);
    assert!(said.contains(call) && said.contains("step 1 of 1: es=80 for 60.0 s"), "{said}");
    node.assert_no_errors();
}

/// docs/routing/explain.md goes through it: why this agent, and why a queue's agents get nothing.
#[tokio::test]
async fn an_offer_says_why_its_agent_and_a_queue_why_nobody() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 3).await;
    let [low, able_one, off] = &tenant.agents[..] else { panic!("three agents") };
    until("the latest level", || async {
        (client.state().await.level == ::routing::level::LATEST).then_some(())
    })
    .await;
    first_skills(&client, low, vec![skill("es", 40)]).await;
    set_skills(&client, able_one, vec![skill("es", 90)]).await.expect("known by now");
    let mut lows = Desk::open(&client, low).await;
    lows.available().await;
    let mut ables = Desk::open(&client, able_one).await;
    ables.available().await;
    let call = || v1::StartRequest { criteria: criteria([able("es", 80, HOUR_MS)]), ..tenant.call() };
    client.start(&call()).await;
    let offer = ables.offer().await;

    let request = v1::ExplainPickRequest { offer: offer.id.clone() };
    let why = client.retry(|| async { client.supervisor().explain_pick(request.clone()).await }).await;
    let why = why.expect("made just now");
    assert_eq!((&why.agent, &why.conversation, why.way.as_str()), (able_one, &offer.conversation, "policy"));
    assert_eq!(why.policy, i32::from(v1::PickPolicy::LongestIdle));
    let [passed] = &why.passed_over[..] else { panic!("{why:?}") };
    assert_eq!((&passed.agent, passed.detail.as_str()), (low, "es at 40, 80 required"));
    let record = client.record(&tenant.domain).await;
    let offered = fields(&record, "offered", &offer.conversation);
    assert_eq!(offered["picked"]["passed_over"][0]["gate"], "skill");
    let sequence = record.iter().find(|event| event.r#type == "offered").expect("one").sequence;
    assert_eq!(why.sequence, sequence);
    let never = v1::ExplainPickRequest { offer: offer.id.clone() + "9" };
    let unknown = client.supervisor().explain_pick(never).await.expect_err("never made");
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_OFFER"));

    // It is taken; the next one waits, and of three agents nobody can have it.
    assert!(matches!(ables.accept(&offer.id).await, Outcome::Accepted(_)));
    let waits = client.start(&call()).await.conversation;
    let request = v1::ExplainQueueRequest { queue: tenant.queue.clone() };
    let why = client.retry(|| async { client.supervisor().explain_queue(request.clone()).await }).await;
    let why = why.expect("known");
    assert_eq!((why.waiting, &why.conversation, why.paused), (1, &waits, false));
    let gates: Vec<_> =
        why.gates.iter().map(|one| (one.gate.as_str(), one.agents, &one.examples[0].agent)).collect();
    assert_eq!(gates, [("lease", 1, off), ("capacity", 1, able_one), ("skill", 1, low)]);

    let ctl = |args: &[&str]| {
        let said = run(&[&["ctl", "--target", &node.address], args].concat());
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (said.status.success(), text(&said.stdout), text(&said.stderr))
    };
    let (done, table, _) = ctl(&["explain", "pick", &offer.id]);
    assert!(done && table.contains("passed over") && table.contains("es at 40, 80 required"), "{table}");
    let (done, _, said) = ctl(&["explain", "pick", &waits]);
    assert!(!done && said.contains("has no offer now"), "{said}");
    let (done, table, _) = ctl(&["explain", "queue", &tenant.queue]);
    assert!(done && table.contains(&format!("1 waits; {waits}")) && table.contains("lease"), "{table}");
    node.assert_no_errors();
}
