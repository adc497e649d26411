//! What a node keeps of how it came to its cluster: a small file in its data folder.

use crate::failure::{Failure, Kind};
use crate::services::name_of;
use consensus::NodeId;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

const FILE: &str = "node.json";
const TEMPORARY: &str = "node.json.tmp";
/// The file of consensus that says whose a folder is.
const IDENTITY: &str = "identity";

/// The cluster a node belongs to, and what it was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands::serve) struct Belongs {
    /// The cluster's id: its name, and what was drawn at its birth.
    pub(in crate::commands::serve) cluster: String,
    /// The node.
    pub(in crate::commands::serve) node: NodeId,
    /// It founded the cluster.
    pub(in crate::commands::serve) founder: bool,
    /// Shards of the cluster.
    pub(in crate::commands::serve) shards: u32,
    /// Log time per real time.
    pub(in crate::commands::serve) speed: u32,
    /// Nodes with their addresses, itself included, at that time.
    pub(in crate::commands::serve) members: BTreeMap<NodeId, String>,
}

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Drawn once: a join whose answer was lost is the same join when it is asked for again.
    pub(super) nonce: u128,
    /// Where the others reach it.
    pub(super) address: String,
    /// Its cluster, once it has one.
    pub(super) belongs: Option<Belongs>,
}

impl Record {
    /// Reads a folder's record; `None` when it has none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn load(folder: &Path) -> Result<Option<Record>, Failure> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(folder, &error)),
        };
        let record = serde_json::from_str(&text).ok().and_then(|value: Value| read(&value));
        record.map(Some).ok_or_else(|| unusable(folder, &format!("{FILE} is not what a node writes")))
    }

    /// Writes it, durably.
    ///
    /// # Errors
    /// The disk's.
    pub(super) fn save(&self, folder: &Path) -> Result<(), Failure> {
        let write = || -> io::Result<()> {
            fs::create_dir_all(folder)?;
            let mut file = File::create(folder.join(TEMPORARY))?;
            file.write_all(format!("{:#}\n", write(self)).as_bytes())?;
            file.sync_all()?;
            fs::rename(folder.join(TEMPORARY), folder.join(FILE))?;
            File::open(folder)?.sync_all()
        };
        write().map_err(|error| unusable(folder, &error))
    }

    /// The name of its cluster.
    pub(super) fn name(&self) -> Option<&str> {
        self.belongs.as_ref().map(|belongs| name_of(&belongs.cluster))
    }
}

/// Whether a folder holds a node's data already.
pub(super) fn is_used(folder: &Path) -> bool {
    folder.join(IDENTITY).exists()
}

fn unusable(folder: &Path, error: &impl ToString) -> Failure {
    let message = format!("the data folder {}: {}", folder.display(), error.to_string());
    Failure::new(Kind::Data, message)
        .remedy("nothing was changed; choose another folder with --data, or put this one right")
}

fn write(record: &Record) -> Value {
    let belongs = record.belongs.as_ref().map(|belongs| {
        let members: BTreeMap<String, &String> =
            belongs.members.iter().map(|(id, address)| (id.0.to_string(), address)).collect();
        json!({
            "cluster": belongs.cluster,
            "node": belongs.node.0,
            "founder": belongs.founder,
            "shards": belongs.shards,
            "speed": belongs.speed,
            "members": members,
        })
    });
    json!({ "nonce": format!("{:032x}", record.nonce), "address": record.address, "belongs": belongs })
}

fn read(value: &Value) -> Option<Record> {
    let nonce = u128::from_str_radix(value["nonce"].as_str()?, 16).ok()?;
    let belongs = match &value["belongs"] {
        Value::Null => None,
        belongs => {
            let member = |(id, address): (&String, &Value)| {
                Some((NodeId(id.parse().ok()?), address.as_str()?.to_owned()))
            };
            Some(Belongs {
                cluster: belongs["cluster"].as_str()?.to_owned(),
                node: NodeId(belongs["node"].as_u64()?),
                founder: belongs["founder"].as_bool()?,
                shards: u32::try_from(belongs["shards"].as_u64()?).ok()?,
                speed: u32::try_from(belongs["speed"].as_u64()?).ok()?,
                members: belongs["members"].as_object()?.iter().map(member).collect::<Option<_>>()?,
            })
        }
    };
    Some(Record { nonce, address: value["address"].as_str()?.to_owned(), belongs })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_anything_else_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().join("data");
        assert_eq!(Record::load(&folder), Ok(None));
        let mut record = Record { nonce: 7 << 100, address: "a:1".to_owned(), belongs: None };
        record.save(&folder).expect("saved");
        assert_eq!(Record::load(&folder), Ok(Some(record.clone())));
        record.belongs = Some(Belongs {
            cluster: "acme/0123".to_owned(),
            node: NodeId(4),
            founder: false,
            shards: 8,
            speed: 1,
            members: BTreeMap::from([(NodeId(1), "b:1".to_owned()), (NodeId(4), "a:1".to_owned())]),
        });
        record.save(&folder).expect("saved again");
        assert_eq!(Record::load(&folder), Ok(Some(record.clone())));
        assert_eq!(record.name(), Some("acme"));
        for bad in ["", "{}", "{\"nonce\": \"xyz\"}"] {
            fs::write(folder.join(FILE), bad).expect("written");
            assert_eq!(Record::load(&folder).expect_err(bad).kind, Kind::Data);
        }
    }
}
