//! Policies between nodes: in answers of the leader, and carried out by whoever leads.

use crate::harness;

use actors::{CallError, Engine, Found, Query};
use harness::{Cluster, LONG, Site, run};
use routing::command::{By, TransferFallback, TransferTarget};
use routing::criteria::Criteria;
use routing::policy::{Action, Policy, PolicyView, Rule, Standing, Target};
use routing::{Command, ConversationId, QueueId, Rejected, Span, TouchpointId};

const RING: Span = Span::seconds(60);

fn policy(rules: Vec<Rule>) -> Policy {
    Policy { rules, target: Some(Target { within: Span::seconds(20), percent: 80 }) }
}

fn rule(after: Span, then: Action) -> Rule {
    Rule { after, when: Vec::new(), then }
}

fn set(queue: QueueId, policy: Policy) -> Command {
    Command::SetPolicy { queue, policy, by: By::System }
}

/// Until the shard is at the level that knows of them.
async fn first_policy(engine: &Engine, queue: QueueId, policy: Policy) {
    let known = async {
        while let Err(refused) = run(engine, queue.domain, set(queue, policy.clone())).await {
            assert!(matches!(refused, CallError::Rejected(Rejected::Level { .. })), "{refused:?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, known).await.expect("the cluster comes to the level");
}

async fn shown(
    engine: &Engine,
    queue: QueueId,
    conversation: ConversationId,
) -> (PolicyView, Option<Standing>) {
    let answer = engine.query(Query::Queue(queue), LONG).await.unwrap();
    let Found::Queue(view) = answer.found else { panic!("{answer:?}") };
    let answer = engine.query(Query::Conversation(conversation), LONG).await.unwrap();
    let Found::Conversation(found) = answer.found else { panic!("{answer:?}") };
    (view.policy, found.standing.map(|standing| *standing))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_shows_what_the_leader_knows_and_whoever_leads_carries_rules_out() {
    let cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let queue = site.queue;
    let hour = policy(vec![rule(Span::seconds(3_600), Action::ToInbox)]);
    first_policy(cluster.engine(1), queue, hour.clone()).await;
    let conversation = site.start(cluster.engine(1)).await;
    let first = shown(cluster.engine(1), queue, conversation).await;
    assert_eq!((first.0.number, &first.0.policy), (1, &hour));
    let standing = first.1.expect("it stands under it");
    assert_eq!((standing.queue, standing.number, standing.decided), (queue, 1, 0));
    for node in 2..=3 {
        assert_eq!(shown(cluster.engine(node), queue, conversation).await, first, "at node {node}");
    }

    // By time alone.
    let late = Action::Close { reason: "late".into() };
    let soon = policy(vec![rule(Span::millis(100), late)]);
    run(cluster.engine(2), site.domain, set(queue, soon)).await.unwrap();
    let next = site.start(cluster.engine(3)).await;
    let closed = async {
        while harness::stage(cluster.engine(3), next).await != "closed" {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, closed).await.expect("the rule is carried out");
    let (view, standing) = shown(cluster.engine(2), queue, next).await;
    assert_eq!(
        (view.number, view.older, standing),
        (2, vec![1], None),
        "the first call stands under the first"
    );
    let overflowed: u64 = view.minutes.iter().map(|minute| minute.service.overflowed).sum();
    assert_eq!(overflowed, 1);
    cluster.stop_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_to_another_account_by_a_rule_or_with_other_criteria() {
    let cluster = Cluster::start(1).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    let other = Site::create(engine, 1, RING).await;
    let send = |there| policy(vec![rule(Span::seconds(1), Action::SendTo(TouchpointId::new(there, 1)))]);
    let foreign = run(engine, site.domain, set(site.queue, send(other.domain))).await;
    assert!(matches!(foreign, Err(CallError::Rejected(Rejected::NotAllowed { .. }))), "{foreign:?}");
    let nowhere = run(engine, site.domain, set(site.queue, send(routing::DomainId(99)))).await;
    assert_eq!(nowhere, Err(CallError::Rejected(Rejected::UnknownDomain)));
    let transfer = Command::TransferAnew {
        conversation: site.start(engine).await,
        target: TransferTarget::Touchpoint(other.touchpoint),
        fallback: TransferFallback::LastQueues,
        criteria: Criteria::default(),
        by: By::System,
    };
    let foreign = run(engine, site.domain, transfer).await;
    assert!(matches!(foreign, Err(CallError::Rejected(Rejected::NotAllowed { .. }))), "{foreign:?}");
    cluster.stop_all().await;
}
