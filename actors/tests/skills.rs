//! Skills and criteria between nodes: in answers of the leader, and not in logs of a lower level.

mod harness;

use actors::{Applied, CallError, Engine, EngineConfig, Found, Probe, Query, Spot};
use harness::{Cluster, LONG, Site, eventually, run};
use routing::command::By;
use routing::criteria::{Criteria, Skill, Step};
use routing::settings::QueueSettings;
use routing::{AgentId, Command, ConversationId, Rejected, Shard, Span, level};
use std::sync::{Arc, Mutex};

const RING: Span = Span::seconds(60);

#[derive(Debug, Default)]
struct Recorder(Mutex<Vec<Command>>);

impl Probe for Recorder {
    fn applied(&self, applied: &Applied<'_>) {
        self.0.lock().unwrap().push(applied.entry.request.command.clone());
    }

    fn restored(&self, _: Spot, _: &Shard) {}
}

fn spanish() -> Vec<Skill> {
    vec![Skill { name: "es".into(), level: 80 }]
}

fn set_skills(agent: AgentId) -> Command {
    Command::SetSkills { agent, skills: spanish(), by: By::System }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_its_level_a_command_is_refused_before_it_is_in_the_log() {
    let recorder = Arc::new(Recorder::default());
    let probe: Arc<dyn Probe> = recorder.clone();
    let below = level::SKILLS - 1;
    let config = EngineConfig { probe: Some(probe), level: below, ..EngineConfig::default() };
    let cluster = Cluster::start_with(1, config, |_| {}).await;
    let engine = cluster.engine(1);
    let site = Site::create(engine, 1, RING).await;
    eventually("the highest level that the node knows", || {
        let raised = |command: &Command| matches!(command, Command::SetLevel { level } if *level == below);
        // Both shards.
        (recorder.0.lock().unwrap().iter().filter(|command| raised(command)).count() == 2).then_some(())
    })
    .await;
    let refused = run(engine, site.domain, set_skills(site.agents[0])).await;
    assert_eq!(refused, Err(CallError::Rejected(Rejected::Level { level: below })));
    let settings = QueueSettings { name: "later".into(), ..QueueSettings::default() };
    run(engine, site.domain, Command::CreateQueue { settings: settings.clone() }).await.unwrap();
    let applied = recorder.0.lock().unwrap().clone();
    assert!(applied.contains(&Command::CreateQueue { settings }), "what came after it is there");
    assert!(!applied.iter().any(|command| matches!(command, Command::SetSkills { .. })), "proposed");
    cluster.stop_all().await;
}

async fn shown(engine: &Engine, agent: AgentId, conversation: ConversationId) -> (Vec<Skill>, Criteria) {
    let answer = engine.query(Query::Agent(agent), LONG).await.unwrap();
    let Found::Agent(view) = answer.found else { panic!("{answer:?}") };
    let answer = engine.query(Query::Conversation(conversation), LONG).await.unwrap();
    let Found::Conversation(found) = answer.found else { panic!("{answer:?}") };
    (view.skills, found.seeking.expect("criteria").criteria)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_shows_what_the_leader_knows() {
    let cluster = Cluster::start(3).await;
    let site = Site::create(cluster.engine(1), 1, RING).await;
    let agent = site.agents[0];
    let known = async {
        while let Err(refused) = run(cluster.engine(1), site.domain, set_skills(agent)).await {
            assert!(matches!(refused, CallError::Rejected(Rejected::Level { .. })), "{refused:?}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LONG, known).await.expect("the cluster comes to the level");
    let conversation = site.start(cluster.engine(1)).await;
    let criteria = Criteria { steps: vec![Step { required: spanish(), ..Step::default() }] };
    let change = Command::ChangeCriteria { conversation, criteria: criteria.clone(), by: By::System };
    run(cluster.engine(2), site.domain, change).await.unwrap();
    for node in 1..=3 {
        let shown = shown(cluster.engine(node), agent, conversation).await;
        assert_eq!(shown, (spanish(), criteria.clone()), "at node {node}");
    }
    cluster.stop_all().await;
}
