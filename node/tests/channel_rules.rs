//! Rules between channels over the API and from the command line: what is not offered by them, who may go beyond them,
//! and what is shown.

use crate::harness;

use harness::{Client, Desk, Start, Tenant, mutation, reason, until};
use proto::v1;
use proto::v1::channel_rule::Effect;
use proto::v1::reply::Result as Outcome;
use proto::v1::touchpoint_settings::{Mode, ToQueue};
use serde_json::Value;
use tempfile::TempDir;
use tonic::Code;

async fn set(client: &Client, domain: &str, rules: v1::ChannelRules) -> Result<v1::Receipt, tonic::Status> {
    let (supervisor, domain) = ("sol".into(), domain.to_owned());
    let request = v1::SetChannelRulesRequest { mutation: mutation(), supervisor, domain, rules: Some(rules) };
    client.retry(|| async { client.admin().set_channel_rules(request.clone()).await }).await
}

async fn domain(client: &Client, domain: &str) -> v1::Domain {
    let request = v1::GetDomainRequest { domain: domain.to_owned() };
    client.retry(|| async { client.admin().get_domain(request.clone()).await }).await.expect("a domain")
}

/// Starts a conversation by another channel in the same queue.
async fn comes(client: &Client, tenant: &Tenant, channel: v1::Channel) -> String {
    let step = ToQueue { queues: vec![tenant.queue.clone()], ..Default::default() };
    let settings = Some(v1::TouchpointSettings {
        address: channel.as_str_name().into(),
        channel: channel.into(),
        mode: Some(Mode::ToQueue(step)),
    });
    let domain = tenant.domain.clone();
    let request = v1::CreateTouchpointRequest { mutation: mutation(), domain, settings };
    let made = client.retry(|| async { client.admin().create_touchpoint(request.clone()).await }).await;
    let touchpoint = made.expect("a touchpoint").id;
    client.start(&v1::StartRequest { touchpoint, ..tenant.call() }).await.conversation
}

#[tokio::test]
async fn no_chat_while_on_voice() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 1).await;
    let own = tenant.domain.as_str();
    until("the level of rules between channels", || async {
        match set(&client, own, v1::ChannelRules::default()).await {
            Ok(_) => Some(()),
            Err(status) => {
                assert_eq!(
                    (status.code(), reason(&status).as_str()),
                    (Code::FailedPrecondition, "LEVEL_TOO_LOW")
                );
                None
            }
        }
    })
    .await;
    let said = node.ctl(&["channel-rules", own]).expect("shown");
    assert!(said.contains("no rules between channels"), "{said}");
    assert!(domain(&client, own).await.channel_rules.is_none());

    let rules = ["block chat,sms during voice", "allow sms during voice"];
    let said = node.ctl(&["channel-rules", own, "--rule", rules[0], "--rule", rules[1]]).expect("set");
    assert!(said.starts_with("done"), "{said}");
    let said = node.ctl(&["channel-rules", own]).expect("shown");
    assert!(rules.iter().all(|rule| said.contains(rule)), "{said}");
    let said = node.ctl(&["get", own]).expect("known");
    assert!(said.contains(&rules.join("; ")), "{said}");
    let version = domain(&client, own).await.version;

    // What an event has, and what the shell prints as JSON, can be given back: nothing changes.
    let events = client.record(own).await;
    let changed = events.iter().find(|event| event.r#type == "channel_rules_changed").expect("told");
    assert_eq!(changed.subject, own);
    let mut told: Value = serde_json::from_str(&changed.json).expect("an object");
    assert_eq!(told.as_object_mut().expect("an object").remove("by"), Some("supervisor:sol".into()));
    let shown: Value =
        serde_json::from_str(&node.ctl(&["--json", "channel-rules", own]).expect("JSON")).expect("JSON");
    let file = folder.path().join("rules.json");
    for given in [&told, &shown] {
        std::fs::write(&file, given.to_string()).expect("written");
        node.ctl(&["channel-rules", own, "--file", &file.display().to_string()]).expect("the same again");
    }
    assert_eq!(domain(&client, own).await.version, version);

    let mut desk = Desk::open(&client, &tenant.agents[0]).await;
    desk.available().await;
    let call = client.start(&tenant.call()).await.conversation;
    let offer = desk.offer().await;
    assert!(matches!(desk.accept(&offer.id).await, Outcome::Accepted(_)));
    let chat = comes(&client, &tenant, v1::Channel::Chat).await;
    let sms = comes(&client, &tenant, v1::Channel::Sms).await;
    assert_eq!(desk.offer().await.conversation, sms, "not the chat, though it is older");
    assert_eq!(client.conversation(&chat).await.stage(), v1::Stage::Queued);
    let said = node.ctl(&["explain", "wait", &chat]).expect("explained");
    assert!(said.contains("blocked") && said.contains("works on voice, which blocks the channel"), "{said}");

    // A supervisor may go beyond them, but where the domain allows no overdraft. Its settings leave them as they are.
    let mut settings = domain(&client, own).await.settings.expect("settings");
    settings.overdraft = Some(false);
    let request =
        v1::UpdateDomainRequest { mutation: mutation(), domain: own.into(), settings: Some(settings) };
    client.admin().update_domain(request).await.expect("changed");
    assert_eq!(domain(&client, own).await.channel_rules.expect("they stay").rules.len(), 2);
    let target = v1::transfer_target::Target::Agent(tenant.agents[0].clone());
    let transfer = v1::SupervisorTransferRequest {
        mutation: mutation(),
        supervisor: "sue".into(),
        conversation: chat.clone(),
        target: Some(v1::TransferTarget { target: Some(target) }),
        ..Default::default()
    };
    let refused = client.supervisor().transfer(transfer).await.expect_err("blocked");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "BLOCKED"));
    assert!(refused.message().contains("chat is blocked while the agent works on voice"), "{refused:?}");

    node.ctl(&["channel-rules", own, "--none"]).expect("taken away");
    assert_eq!(desk.offer().await.conversation, chat, "in the same entry");
    assert_eq!(client.conversation(&call).await.stage(), v1::Stage::Assigned);
    node.assert_no_errors();
}

#[tokio::test]
async fn what_cannot_be_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let node = Start::new(&folder.path().join("data")).serve();
    let client = Client::of(&node);
    let tenant = Tenant::make(&client, 0).await;
    let own = tenant.domain.as_str();
    let rule = v1::ChannelRule { effect: Effect::Block.into(), channels: vec![2], during: vec![1] };
    let many = |rule: &v1::ChannelRule, count| v1::ChannelRules { rules: vec![rule.clone(); count] };
    until("the level of rules between channels", || async { set(&client, own, many(&rule, 32)).await.ok() })
        .await;
    let refused = set(&client, own, many(&rule, 33)).await.expect_err("too many");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::InvalidArgument, "INVALID"));
    let nothing = v1::ChannelRule { channels: Vec::new(), ..rule.clone() };
    let refused = set(&client, own, many(&nothing, 1)).await.expect_err("of no channel");
    assert!(refused.message().starts_with("rules.rules[0].channels"), "{}", refused.message());
    let neither = v1::ChannelRule { effect: 0, ..rule };
    let refused = set(&client, own, many(&neither, 1)).await.expect_err("neither");
    assert!(refused.message().starts_with("rules.rules[0].effect"), "{}", refused.message());
    let request =
        v1::SetChannelRulesRequest { mutation: mutation(), domain: own.into(), ..Default::default() };
    let refused = client.admin().set_channel_rules(request).await.expect_err("says nothing");
    assert!(refused.message().starts_with("rules: is required"), "{}", refused.message());
    let refused = set(&client, "dom_999", v1::ChannelRules::default()).await.expect_err("no such domain");
    assert_eq!(refused.code(), Code::NotFound);
    let refused = node.ctl(&["channel-rules", own, "--rule", "block fax during voice"]).expect_err("fax");
    assert!(refused.contains("rule 1 ('block fax during voice'): before `during`: 'fax'"), "{refused}");
    assert_eq!(domain(&client, own).await.channel_rules.expect("as before").rules.len(), 32);
    node.assert_no_errors();
}
