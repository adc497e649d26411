//! shim
#![allow(missing_docs, dead_code)]
use std::collections::BTreeMap;
#[derive(Default)]
pub struct Witness {
    entries: BTreeMap<u32, (u64, u32)>,
    n: u64,
    events: u64,
}
pub struct Figures {
    pub entries: u64,
    pub events: u64,
}
impl Figures {
    pub fn by_name(&self) -> BTreeMap<String, u64> {
        BTreeMap::from([("entries".into(), self.entries), ("events".into(), self.events)])
    }
}
pub struct B {
    pub promise: &'static str,
    pub before: Vec<String>,
}
impl std::fmt::Display for B {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.promise)
    }
}
pub struct Applied<'a> {
    pub node: u64,
    pub entry: &'a routing::Entry,
    pub outcome: &'a routing::Outcome,
    pub events: &'a [routing::Event],
    pub shard: &'a routing::Shard,
}
impl Witness {
    pub fn began(&mut self, _: u64, _: routing::ShardId) {}
    pub fn applied(&mut self, a: &Applied<'_>) {
        let p = (a.entry.position.index, a.entry.position.ordinal);
        let e = self.entries.entry(a.shard.id().0).or_default();
        if p > *e {
            *e = p;
            self.n += 1;
            self.events += a.events.len() as u64;
        }
    }
    pub fn passed(&mut self, _: u64, _: &routing::Shard, _: u64) {}
    pub fn restored(&mut self, _: u64, _: &routing::Shard, _: u64) {}
    pub fn broken(&self) -> &[B] {
        &[]
    }
    pub fn figures(&self) -> Figures {
        Figures { entries: self.n, events: self.events }
    }
}
