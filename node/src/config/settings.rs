//! What a node runs with, once all layers are put together.

use super::{ConfigError, Layer};
use crate::telemetry::Format;
use actors::EventLimits;
use routing::Span;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A node's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Folder of this node's data.
    pub data: PathBuf,
    /// `HOST:PORT` to listen at, for clients and peers.
    pub listen: String,
    /// `HOST:PORT` at which the others reach this node, if it is another.
    pub advertise: Option<String>,
    /// Nodes of the cluster to join.
    pub join: Vec<String>,
    /// Nodes that found the cluster together.
    pub bootstrap_expect: Option<u32>,
    /// What this node shares its fate with; empty: it is not said.
    pub zone: String,
    /// This node's number, from 1; not used where the cluster gives it.
    pub node: u64,
    /// The cluster's name.
    pub cluster: String,
    /// All members; empty means this node alone, at the address it listens at.
    pub members: BTreeMap<u64, String>,
    /// Raft groups, fixed when the cluster is born.
    pub shards: u32,
    /// Log time per real time.
    pub speed: u32,
    /// How a shard's events are kept.
    pub events: EventLimits,
    /// What of number, shards and speed was said, and not filled in: a cluster that exists must
    /// agree with it.
    pub said: Said,
    /// Filter of log lines.
    pub log: String,
    /// How log lines look.
    pub log_format: Format,
    /// OTLP collector.
    pub otlp: Option<String>,
}

/// What an operator has said of what a cluster knows better.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Said {
    /// This node's number.
    pub node: Option<u64>,
    /// Raft groups.
    pub shards: Option<u32>,
    /// Log time per real time.
    pub speed: Option<u32>,
}

/// Fills in the defaults and checks what concerns more than one key.
///
/// # Errors
/// When the members do not name this node.
pub fn resolve(layer: Layer) -> Result<Settings, ConfigError> {
    let said = Said { node: layer.node, shards: layer.shards, speed: layer.speed };
    let members = layer.members.unwrap_or_default();
    let node = layer.node.unwrap_or(1);
    if !members.is_empty() && !members.contains_key(&node) {
        let names: Vec<String> = members.keys().map(ToString::to_string).collect();
        let problem = format!(
            "node {node} is not among the members ({}): give this node's own number, and list it too",
            names.join(", ")
        );
        return Err(ConfigError::at("node", problem));
    }
    let join = layer.join.unwrap_or_default();
    if !members.is_empty() && (!join.is_empty() || layer.bootstrap_expect.is_some()) {
        let problem = "members are listed already: give either members, or join and bootstrap_expect";
        return Err(ConfigError::at("join", problem));
    }
    if join.is_empty() && layer.bootstrap_expect.is_some_and(|nodes| nodes > 1) {
        let problem = "the others must be found: give the addresses of some of them with join";
        return Err(ConfigError::at("bootstrap_expect", problem));
    }
    // A member that says nothing else listens where its peers look for it.
    let listen = layer.listen.or_else(|| members.get(&node).cloned());
    Ok(Settings {
        data: layer.data.unwrap_or_else(|| PathBuf::from("centralita-data")),
        listen: listen.unwrap_or_else(|| "127.0.0.1:7400".to_owned()),
        advertise: layer.advertise,
        join,
        bootstrap_expect: layer.bootstrap_expect,
        zone: layer.zone.unwrap_or_default(),
        node,
        cluster: layer.cluster.unwrap_or_else(|| "centralita".to_owned()),
        members,
        shards: layer.shards.unwrap_or(8),
        speed: layer.speed.unwrap_or(1),
        events: events(layer.events_bytes_max, layer.events_age_max_s),
        said,
        log: layer.log.unwrap_or_else(|| "info".to_owned()),
        log_format: layer.log_format.unwrap_or_default(),
        otlp: layer.otlp,
    })
}

/// Whole segments go, so a small store has small ones.
const SEGMENTS_PER_STORE: u64 = 8;

fn events(bytes_max: Option<u64>, age_max_s: Option<u64>) -> EventLimits {
    let default = EventLimits::default();
    let retained_bytes_max = bytes_max.unwrap_or(default.retained_bytes_max);
    let retained_age_max = match age_max_s {
        None => default.retained_age_max,
        Some(0) => None,
        Some(age_s) => Some(Span::seconds(age_s)),
    };
    let segment_bytes = default.segment_bytes.min(retained_bytes_max / SEGMENTS_PER_STORE);
    EventLimits { retained_bytes_max, retained_age_max, segment_bytes, ..default }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_go_before_environment_before_file_before_defaults() {
        let flags = Layer { node: Some(1), ..Layer::default() };
        let env = Layer { node: Some(2), shards: Some(2), ..Layer::default() };
        let file = Layer { node: Some(3), shards: Some(3), speed: Some(3), ..Layer::default() };
        let settings = resolve(flags.over(env).over(file)).expect("complete");
        assert_eq!((settings.node, settings.shards, settings.speed), (1, 2, 3));
        assert_eq!(settings.cluster, "centralita");
    }

    #[test]
    fn events_are_kept_by_size_and_age_as_told() {
        let of = |bytes, age| {
            let layer = Layer { events_bytes_max: bytes, events_age_max_s: age, ..Layer::default() };
            resolve(layer).expect("complete").events
        };
        assert_eq!(of(None, None), EventLimits::default());
        assert_eq!(of(None, Some(0)).retained_age_max, None);
        assert_eq!(of(None, Some(60)).retained_age_max, Some(Span::seconds(60)));
        let small = of(Some(64 << 10), None);
        assert_eq!((small.retained_bytes_max, small.segment_bytes), (64 << 10, 8 << 10));
    }

    #[test]
    fn a_member_must_be_in_its_own_list_and_listens_there() {
        let mut layer = Layer { node: Some(2), ..Layer::default() };
        layer.add_member(1, "a:1".into()).expect("first");
        assert!(resolve(layer.clone()).unwrap_err().to_string().contains("among the members (1)"));
        layer.add_member(2, "b:2".into()).expect("second");
        assert_eq!(resolve(layer).expect("listed").listen, "b:2");
    }
}
