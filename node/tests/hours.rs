//! Opening hours: over the API, from the command line, and as time passes.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, until};
use proto::v1;
use proto::v1::queue_hours::State;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tonic::Code;

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// When the cluster is at its level.
async fn raised(client: &Client, domain: &str) {
    until("the level of opening hours", || async {
        let request = v1::SetScheduleRequest {
            mutation: mutation(),
            supervisor: "sol".into(),
            domain: domain.to_owned(),
            name: "none".into(),
            schedule: None,
        };
        match client.admin().set_schedule(request).await {
            Ok(_) => Some(()),
            Err(status) if status.code() == Code::Unavailable => None,
            Err(status) => {
                let seen = (status.code(), reason(&status));
                assert_eq!(seen, (Code::FailedPrecondition, "LEVEL_TOO_LOW".to_owned()));
                None
            }
        }
    })
    .await;
}

/// A schedule by clocks of UTC that opens every day at this second of the day, for ten minutes.
fn opens_at(second: u64) -> v1::Schedule {
    let from_s = u32::try_from(second).expect("of a day");
    let week = (1..=7).map(|day| v1::WeekOpening { day, from_s, to_s: from_s + 600 }).collect();
    v1::Schedule { zone: "UTC".into(), week, dates: Vec::new() }
}

#[tokio::test]
async fn a_queue_opens_by_itself_and_turns_callers_away_before() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let (own, queue) = (tenant.domain.as_str(), tenant.queue.as_str());
    raised(&client, own).await;
    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;

    let opens_s = now_s() + 5;
    let schedule = opens_at(opens_s % 86_400);
    let request = v1::SetScheduleRequest {
        mutation: mutation(),
        supervisor: "sol".into(),
        domain: own.into(),
        name: "office".into(),
        schedule: Some(schedule.clone()),
    };
    let first = client.admin().set_schedule(request.clone()).await.expect("set").into_inner();
    let again = client.admin().set_schedule(request).await.expect("the same answer").into_inner();
    assert_eq!(first.sequence, again.sequence);
    node.ctl(&["hours", queue, "office"]).expect("kept");
    let call = client.start(&tenant.call()).await.conversation;
    assert_eq!(client.conversation(&call).await.stage(), v1::Stage::Queued);
    let said = node.ctl(&["explain", "wait", &call]).expect("explained");
    assert!(said.contains("is closed (opens at "), "{said}");
    let said = node.ctl(&["hours", queue]).expect("shown");
    assert!(said.contains("closed") && said.contains("opens at") && said.contains("holds"), "{said}");
    let said = node.ctl(&["expected-wait", &call]).expect("asked");
    assert!(said.contains("is closed"), "{said}");
    // Who comes later is told at once.
    node.ctl(&["policy", queue, "--rule", "0s when open < 1 then close \"we are closed\""]).expect("set");
    let late = client.start(&tenant.call()).await.conversation;
    assert_eq!(client.conversation(&late).await.stage(), v1::Stage::Closed);

    // The one that waits is offered when it opens.
    assert_eq!(desk.offer().await.conversation, call);
    assert!(now_s() >= opens_s);
    let request = v1::ListRequest { domain: own.into(), after: String::new(), limit: 1 };
    let queues = client.admin().list_queues(request).await.expect("queues").into_inner().queues;
    let hours = queues[0].hours.clone().expect("kept");
    assert_eq!((hours.state(), hours.until_ms), (State::Open, Some(1_000 * (opens_s + 600))));

    let events = client.record(own).await;
    let of = |kind: &str| events.iter().filter(|event| event.r#type == kind).collect::<Vec<_>>();
    assert_eq!((of("schedule_changed").len(), of("hours_changed").len()), (1, 1));
    let states: Vec<Value> =
        of("queue_hours").iter().map(|event| serde_json::from_str(&event.json).expect("an object")).collect();
    let states: Vec<_> = states.iter().map(|event| event["state"].as_str().expect("a name")).collect();
    assert_eq!(states, ["STATE_CLOSED", "STATE_OPEN"]);
    assert_eq!(of("queue_hours")[1].queue, queue);
    node.assert_no_errors();
}

#[tokio::test]
async fn a_schedule_is_set_shown_and_deleted_from_the_command_line() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 0).await;
    let (own, queue) = (tenant.domain.as_str(), tenant.queue.as_str());
    raised(&client, own).await;
    let week = ["--week", "mon-fri 09:00-18:00", "--week", "sat 22:00-02:00"];
    let dates = ["--date", "2026-12-25", "--date", "2026-12-24 09:00-13:00"];
    let office = [&["schedule", own, "office", "--zone", "Europe/Madrid"][..], &week, &dates].concat();
    node.ctl(&office).expect("set");
    let said = node.ctl(&["schedule", own, "office"]).expect("shown");
    for part in
        ["Europe/Madrid", "known until 20", "mon-fri 09:00-18:00", "sat 22:00-02:00", "2026-12-25 closed"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    let said = node.ctl(&["schedules", own]).expect("listed");
    assert!(said.contains("office") && said.contains("Europe/Madrid"), "{said}");
    // What is shown can be given back.
    let shown: Value =
        serde_json::from_str(&node.ctl(&["--json", "schedule", own, "office"]).expect("JSON")).expect("JSON");
    let file = folder.path().join("office.json");
    std::fs::write(&file, shown["schedule"].to_string()).expect("written");
    node.ctl(&["schedule", own, "copy", "--file", &file.display().to_string()]).expect("copied");

    let refused = node
        .ctl(&["schedule", own, "x", "--zone", "Europe/Madird", "--week", "mon 09:00-10:00"])
        .expect_err("no such zone");
    assert!(refused.contains("did you mean Europe/Madrid"), "{refused}");
    let refused = node.ctl(&["hours", queue, "offce"]).expect_err("no such schedule");
    assert!(refused.contains("offce"), "{refused}");
    let refused = node.ctl(&["schedule", own, "offce"]).expect_err("no such schedule");
    assert!(refused.contains("copy, office"), "{refused}");
    node.ctl(&["hours", queue, "office", "--serve-out"]).expect("kept");
    let said = node.ctl(&["hours", queue]).expect("shown");
    assert!(said.contains("serves out"), "{said}");
    let refused = node.ctl(&["schedule", own, "office", "--none"]).expect_err("in use");
    assert!(refused.contains(queue), "{refused}");
    node.ctl(&["hours", queue, "--none"]).expect("always open");
    assert!(node.ctl(&["hours", queue]).expect("shown").contains("always open"));
    node.ctl(&["schedule", own, "office", "--none"]).expect("deleted");
    assert!(!node.ctl(&["schedules", own]).expect("listed").contains("office"));
    node.assert_no_errors();
}
