//! A command that earlier releases cannot read is not in the log of a shard below its level.

use crate::harness;

use actors::{Applied, CallError, EngineConfig, Probe, Spot};
use harness::{Cluster, Site, eventually, run};
use routing::command::By;
use routing::handling::Handling;
use routing::policy::Policy;
use routing::settings::QueueSettings;
use routing::{Command, Rejected, Shard, Span, level};
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

/// A command of each level that brought any to domains.
fn commands(site: &Site) -> Vec<Command> {
    let by = By::System;
    vec![
        Command::SetSkills { agent: site.agents[0], skills: Vec::new(), by: by.clone() },
        Command::SetPolicy { queue: site.queue, policy: Policy::default(), by: by.clone() },
        Command::SetChannelRules { rules: Vec::new(), by: by.clone() },
        Command::SetHandling { handling: Handling::default(), by: by.clone() },
        Command::SetPace { pace: None, by: by.clone() },
        Command::SetSchedule { name: "office".into(), schedule: None, by: by.clone() },
        Command::SetCallback { callback: None, by },
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn below_its_level_a_command_is_refused_before_it_is_in_the_log() {
    for (place, level) in [
        level::SKILLS,
        level::POLICIES,
        level::BLOCKS,
        level::HANDLING,
        level::PACE,
        level::HOURS,
        level::CALLBACK,
    ]
    .into_iter()
    .enumerate()
    {
        let recorder = Arc::new(Recorder::default());
        let probe: Arc<dyn Probe> = recorder.clone();
        let below = level - 1;
        let config = EngineConfig { probe: Some(probe), level: below, ..EngineConfig::default() };
        let cluster = Cluster::start_with(1, config, |_| {}).await;
        let engine = cluster.engine(1);
        let site = Site::create(engine, 1, RING).await;
        eventually("the highest level that the node knows", || {
            let raised =
                |command: &Command| matches!(command, Command::SetLevel { level } if *level == below);
            // Both shards.
            (recorder.0.lock().unwrap().iter().filter(|command| raised(command)).count() == 2).then_some(())
        })
        .await;
        let command = commands(&site).swap_remove(place);
        assert_eq!(command.level(), level);
        let refused = run(engine, site.domain, command.clone()).await;
        assert_eq!(refused, Err(CallError::Rejected(Rejected::Level { level: below })));
        let settings = QueueSettings { name: "later".into(), ..QueueSettings::default() };
        run(engine, site.domain, Command::CreateQueue { settings: settings.clone() }).await.unwrap();
        let applied = recorder.0.lock().unwrap().clone();
        assert!(applied.contains(&Command::CreateQueue { settings }), "what came after it is there");
        assert!(!applied.contains(&command), "proposed");
        cluster.stop_all().await;
    }
}
