//! One source of settings: each may be absent.

use crate::telemetry::Format;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// A key that a file or the environment may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name in files; in the environment `CENTRALITA_` and the name in capitals.
    pub name: &'static str,
    /// What it does, with its default.
    pub about: &'static str,
}

/// All keys.
pub const KEYS: &[Key] = &[
    Key { name: "data", about: "folder of this node's data; default ./centralita-data" },
    Key { name: "listen", about: "HOST:PORT for clients and peers; default 127.0.0.1:7400" },
    Key {
        name: "advertise",
        about: "HOST:PORT at which the others reach this node; default what it listens at",
    },
    Key {
        name: "join",
        about: "addresses of nodes of the cluster to join, with commas between; default none",
    },
    Key {
        name: "bootstrap_expect",
        about: "nodes that found the cluster together, 1 to 9: they find each other by `join`; default none",
    },
    Key {
        name: "zone",
        about: "what this node shares its fate with, for example its availability zone; default none",
    },
    Key { name: "node", about: "this node's number, from 1; default 1" },
    Key { name: "cluster", about: "the cluster's name, the same on every node; default centralita" },
    Key { name: "members", about: "table of node number = \"HOST:PORT\"; default this node alone" },
    Key { name: "shards", about: "Raft groups, fixed when the cluster is born; default 8" },
    Key { name: "speed", about: "log time per real time, above 1 for demonstrations only; default 1" },
    Key {
        name: "events_bytes_max",
        about: "bytes of events kept per shard, from 16384; the oldest go first; default 1073741824 (1 GiB)",
    },
    Key {
        name: "events_age_max_s",
        about: "seconds of log time that events are kept, as seen from the shard's newest; 0: no limit; default 604800 (7 days)",
    },
    Key { name: "log", about: "filter of log lines, for example info or warn,actors=debug; default info" },
    Key { name: "log_format", about: "human or json; default human" },
    Key { name: "otlp", about: "OTLP collector for traces, for example http://127.0.0.1:4317; default none" },
];

/// The smallest store of events.
pub(crate) const EVENTS_BYTES_LEAST: u64 = 16 << 10;
/// The highest limit of age that is not none: a hundred years.
pub(crate) const AGE_S_MOST: u64 = 100 * 365 * 24 * 60 * 60;

/// What one source says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    /// Folder of this node's data.
    pub data: Option<PathBuf>,
    /// `HOST:PORT` for clients and peers.
    pub listen: Option<String>,
    /// `HOST:PORT` at which the others reach this node.
    pub advertise: Option<String>,
    /// Nodes of the cluster to join.
    pub join: Option<Vec<String>>,
    /// Nodes that found the cluster together.
    pub bootstrap_expect: Option<u32>,
    /// What this node shares its fate with.
    pub zone: Option<String>,
    /// This node's number, from 1.
    pub node: Option<u64>,
    /// The cluster's name.
    pub cluster: Option<String>,
    /// All members.
    pub members: Option<BTreeMap<u64, String>>,
    /// Raft groups.
    pub shards: Option<u32>,
    /// Log time per real time.
    pub speed: Option<u32>,
    /// Bytes of events kept per shard.
    pub events_bytes_max: Option<u64>,
    /// Seconds of log time that events are kept; 0 is no limit.
    pub events_age_max_s: Option<u64>,
    /// Filter of log lines.
    pub log: Option<String>,
    /// How log lines look.
    pub log_format: Option<Format>,
    /// OTLP collector.
    pub otlp: Option<String>,
}

impl Layer {
    /// Sets a key from text. `None` when there is no such key.
    pub(super) fn set(&mut self, key: &str, text: &str) -> Option<Result<(), String>> {
        let outcome = match key {
            "data" => text_of(text).map(|text| self.data = Some(PathBuf::from(text))),
            "listen" => address(text).map(|address| self.listen = Some(address)),
            "advertise" => address(text).map(|address| self.advertise = Some(address)),
            "join" => text
                .split(',')
                .map(|part| address(part.trim()))
                .collect::<Result<Vec<_>, _>>()
                .map(|addresses| self.join = Some(addresses)),
            "bootstrap_expect" => number(text, 1, 9).map(|nodes| self.bootstrap_expect = Some(nodes as u32)),
            "zone" => zone(text).map(|zone| self.zone = Some(zone)),
            "node" => number(text, 1, u64::MAX).map(|node| self.node = Some(node)),
            "cluster" => text_of(text).map(|cluster| self.cluster = Some(cluster)),
            "members" => text
                .split(',')
                .map(|part| member(part.trim()))
                .collect::<Result<Vec<_>, _>>()
                .and_then(|members| members.into_iter().try_for_each(|(id, at)| self.add_member(id, at))),
            "shards" => number(text, 1, 1_024).map(|shards| self.shards = Some(shards as u32)),
            "speed" => number(text, 1, 10_000).map(|speed| self.speed = Some(speed as u32)),
            "events_bytes_max" => {
                number(text, EVENTS_BYTES_LEAST, u64::MAX).map(|bytes| self.events_bytes_max = Some(bytes))
            }
            "events_age_max_s" => number(text, 0, AGE_S_MOST).map(|age| self.events_age_max_s = Some(age)),
            "log" => text_of(text).map(|log| self.log = Some(log)),
            "log_format" => format(text).map(|format| self.log_format = Some(format)),
            "otlp" => text_of(text).map(|otlp| self.otlp = Some(otlp)),
            _ => return None,
        };
        Some(outcome)
    }

    /// Adds a member.
    pub(crate) fn add_member(&mut self, id: u64, at: String) -> Result<(), String> {
        match self.members.get_or_insert_default().insert(id, at) {
            None => Ok(()),
            Some(_) => Err(format!("node {id} is listed twice")),
        }
    }

    /// What this layer says, and where it is silent, the one below.
    #[must_use]
    pub fn over(self, below: Layer) -> Layer {
        Layer {
            data: self.data.or(below.data),
            listen: self.listen.or(below.listen),
            advertise: self.advertise.or(below.advertise),
            join: self.join.or(below.join),
            bootstrap_expect: self.bootstrap_expect.or(below.bootstrap_expect),
            zone: self.zone.or(below.zone),
            node: self.node.or(below.node),
            cluster: self.cluster.or(below.cluster),
            members: self.members.or(below.members),
            shards: self.shards.or(below.shards),
            speed: self.speed.or(below.speed),
            events_bytes_max: self.events_bytes_max.or(below.events_bytes_max),
            events_age_max_s: self.events_age_max_s.or(below.events_age_max_s),
            log: self.log.or(below.log),
            log_format: self.log_format.or(below.log_format),
            otlp: self.otlp.or(below.otlp),
        }
    }
}

fn format(text: &str) -> Result<Format, String> {
    match text {
        "human" => Ok(Format::Human),
        "json" => Ok(Format::Json),
        _ => Err(format!("'{text}' is not a format: use human or json")),
    }
}

fn text_of(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn number(text: &str, least: u64, most: u64) -> Result<u64, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ if most == u64::MAX => Err(format!("'{text}' is not a whole number from {least}")),
        _ => Err(format!("'{text}' is not a whole number from {least} to {most}")),
    }
}

/// Reads `HOST:PORT`.
///
/// # Errors
/// A sentence with an example.
pub(crate) fn address(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err(format!("'{text}' is not HOST:PORT: it looks like '127.0.0.1:7400'")),
    }
}

/// Reads a zone.
///
/// # Errors
/// What is right.
pub(crate) fn zone(text: &str) -> Result<String, String> {
    if text.is_empty() || !consensus::is_zone(text) {
        return Err(format!("'{text}' is not a zone: use letters, digits, . _ / and -"));
    }
    Ok(text.to_owned())
}

/// Reads `N=HOST:PORT`.
///
/// # Errors
/// A sentence with an example.
pub(crate) fn member(text: &str) -> Result<(u64, String), String> {
    let bad = || format!("'{text}' is not N=HOST:PORT: it looks like '2=10.0.0.2:7400'");
    let (id, at) = text.split_once('=').ok_or_else(bad)?;
    let id = id.trim().parse().ok().filter(|id| *id > 0).ok_or_else(bad)?;
    Ok((id, address(at.trim()).map_err(|_| bad())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_can_be_set_and_bad_values_say_what_is_right() {
        for key in KEYS {
            let mut layer = Layer::default();
            let good = match key.name {
                "listen" | "advertise" => "127.0.0.1:0",
                "join" => "a:1,b:2",
                "members" => "1=a:1, 2=b:2",
                "node" | "shards" | "speed" | "bootstrap_expect" | "events_age_max_s" => "3",
                "events_bytes_max" => "65536",
                "log_format" => "json",
                _ => "text",
            };
            assert_eq!(layer.set(key.name, good), Some(Ok(())), "{}", key.name);
            assert_ne!(layer, Layer::default(), "{} is stored", key.name);
        }
        let mut layer = Layer::default();
        for (key, bad) in [
            ("listen", "7400"),
            ("listen", ":7400"),
            ("listen", "host:70000"),
            ("join", "a:1,b"),
            ("advertise", "a"),
            ("bootstrap_expect", "0"),
            ("zone", "eu west"),
            ("zone", ""),
            ("node", "0"),
            ("shards", "0"),
            ("shards", "1025"),
            ("speed", "-1"),
            ("events_bytes_max", "1GiB"),
            ("events_bytes_max", "16383"),
            ("events_age_max_s", "7d"),
            ("members", "1=a:1,1=b:1"),
            ("members", "a:1"),
            ("log_format", "xml"),
            ("data", ""),
        ] {
            assert!(matches!(layer.set(key, bad), Some(Err(_))), "{key} = {bad}");
        }
        assert_eq!(layer.set("lisen", "x"), None);
    }
}
