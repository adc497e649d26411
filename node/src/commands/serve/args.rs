//! The flags of `serve`, put together with environment and file.

use super::faults::Faults;
use crate::config::{AGE_S_MOST, EVENTS_BYTES_LEAST, Layer, Settings, from_environment, from_file, resolve};
use crate::failure::{Failure, Kind};
use crate::telemetry::Format;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  One durable node, data in ./centralita-data:
    centralita serve
  A node more for a cluster that runs:
    centralita serve --data d2 --listen 10.0.0.2:7400 --join 10.0.0.1:7400
  Three nodes that found a cluster together, started in any order (the same on each, with its own --listen):
    centralita serve --listen 10.0.0.1:7400 --join 10.0.0.1:7400,10.0.0.2:7400,10.0.0.3:7400 --bootstrap-expect 3
  Three nodes from a fixed list (the same members on each, another --node and --data):
    centralita serve --node 1 --data d1 --member 1=10.0.0.1:7400 --member 2=10.0.0.2:7400 \\
        --member 3=10.0.0.3:7400 --listen 0.0.0.0:7400
  From a file, with one setting changed:
    centralita serve --config centralita.toml --log debug

Flags go before the environment (CENTRALITA_ and the key in capitals), the environment before the
file. `centralita config keys` lists every key. When the node serves, it prints one line of JSON on
stdout: {\"ready\":true,\"address\":…}. SIGINT and SIGTERM stop it gracefully.";

/// Runs a node.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A TOML file with settings.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of this node's data [default: ./centralita-data].
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Where to listen, for clients and peers [default: this member's address, or 127.0.0.1:7400].
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::config::address)]
    pub listen: Option<String>,
    /// Where the others reach this node [default: where it listens].
    #[arg(long, value_name = "HOST:PORT", value_parser = crate::config::address)]
    pub advertise: Option<String>,
    /// Nodes of the cluster to join, one that answers is enough. A node that has joined does not need it.
    #[arg(long, value_name = "HOST:PORT", value_delimiter = ',', value_parser = crate::config::address)]
    pub join: Vec<String>,
    /// Founds a cluster together with others, once so many have found each other by --join.
    #[arg(long, value_name = "NODES", value_parser = clap::value_parser!(u32).range(1..=9))]
    pub bootstrap_expect: Option<u32>,
    /// What this node shares its fate with, for example its availability zone: replicas are spread over zones.
    #[arg(long, value_name = "NAME", value_parser = crate::config::zone)]
    pub zone: Option<String>,
    /// This node's number, from 1 [default: 1]; one that joins gets its number from the cluster.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub node: Option<u64>,
    /// The cluster's name, the same on every node [default: centralita].
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// A member of the cluster, this node included; repeat for each. None: this node alone.
    #[arg(long = "member", value_name = "N=HOST:PORT", value_parser = crate::config::member)]
    pub members: Vec<(u64, String)>,
    /// Raft groups that hold domains, fixed when the cluster is born [default: 8].
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=1_024))]
    pub shards: Option<u32>,
    /// Log time runs this many times as fast as real time; above 1 for demonstrations only
    /// [default: 1].
    #[arg(long, value_name = "FACTOR", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub speed: Option<u32>,
    /// Bytes of events kept per shard; the oldest go first [default: 1 GiB].
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(EVENTS_BYTES_LEAST..))]
    pub events_bytes_max: Option<u64>,
    /// Seconds of log time that events are kept, 0 for no limit [default: 604800, 7 days].
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=AGE_S_MOST))]
    pub events_age_max_s: Option<u64>,
    /// Which log lines are written, for example info or warn,actors=debug [default: info].
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// How log lines look [default: human].
    #[arg(long, value_enum)]
    pub log_format: Option<Format>,
    /// An OTLP collector for traces, for example http://127.0.0.1:4317 [default: none].
    #[arg(long, value_name = "ENDPOINT")]
    pub otlp: Option<String>,
    /// Stops when its standard input ends: a parent that dies takes its nodes with it.
    #[arg(long, hide = true)]
    pub stop_on_stdin_eof: bool,
    /// Faults on purpose, for tests.
    #[command(flatten)]
    pub faults: super::faults::FaultArgs,
}

impl Args {
    /// All layers put together.
    ///
    /// # Errors
    /// When one of them is wrong.
    pub(super) fn settle(
        self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Settings, Faults), Failure> {
        let variables: Vec<(String, String)> = variables.into_iter().collect();
        let variable =
            |name: &str| variables.iter().find(|(given, _)| given == name).map(|(_, value)| value.clone());
        let allowed = variable("CENTRALITA_ALLOW_TEST_FAULTS").as_deref() == Some("1");
        let config = self.config.clone().or_else(|| variable("CENTRALITA_CONFIG").map(PathBuf::from));
        let file = config.as_deref().map_or_else(|| Ok(Layer::default()), from_file)?;
        let environment = from_environment(variables)?;
        let faults = Faults::allow(&self.faults, allowed)?;
        let flags = self.layer()?;
        Ok((resolve(flags.over(environment).over(file))?, faults))
    }

    fn layer(self) -> Result<Layer, Failure> {
        let mut layer = Layer {
            data: self.data,
            listen: self.listen,
            advertise: self.advertise,
            join: (!self.join.is_empty()).then_some(self.join),
            bootstrap_expect: self.bootstrap_expect,
            zone: self.zone,
            node: self.node,
            cluster: self.cluster,
            members: None,
            shards: self.shards,
            speed: self.speed,
            events_bytes_max: self.events_bytes_max,
            events_age_max_s: self.events_age_max_s,
            log: self.log,
            log_format: self.log_format,
            otlp: self.otlp,
        };
        for (id, address) in self.members {
            layer
                .add_member(id, address)
                .map_err(|problem| Failure::new(Kind::Config, format!("--member: {problem}")))?;
        }
        Ok(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_flag_goes_before_its_variable() {
        let args = Args { shards: Some(3), ..Args::default() };
        let env = variables(&[("CENTRALITA_SHARDS", "5"), ("CENTRALITA_SPEED", "7")]);
        let (settings, _) = args.settle(env).expect("good");
        assert_eq!((settings.shards, settings.speed), (3, 7));
    }

    #[test]
    fn hidden_flags_need_leave() {
        let args = || Args {
            faults: super::super::faults::FaultArgs { skip_sync: true, ..Default::default() },
            ..Args::default()
        };
        let failure = args().settle(Vec::new()).expect_err("no leave");
        assert!(failure.message.contains("CENTRALITA_ALLOW_TEST_FAULTS=1"), "{failure}");
        let env = variables(&[("CENTRALITA_ALLOW_TEST_FAULTS", "1")]);
        assert!(args().settle(env).expect("leave").1.skip_sync);
    }

    #[test]
    fn a_member_twice_is_refused() {
        let twice = vec![(1, "a:1".to_owned()), (1, "b:1".to_owned())];
        let args = Args { members: twice, ..Args::default() };
        assert_eq!(args.settle(Vec::new()).expect_err("twice").kind, Kind::Config);
    }
}
