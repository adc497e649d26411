//! Skills and criteria between nodes: in answers of the leader.

use crate::harness;

use actors::{CallError, Engine, Found, Query};
use harness::{Cluster, LONG, Site, run};
use routing::command::By;
use routing::criteria::{Criteria, Skill, Step};
use routing::{AgentId, Command, ConversationId, Rejected, Span};

const RING: Span = Span::seconds(60);

fn spanish() -> Vec<Skill> {
    vec![Skill { name: "es".into(), level: 80 }]
}

fn set_skills(agent: AgentId) -> Command {
    Command::SetSkills { agent, skills: spanish(), by: By::System }
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
