//! Runs that are kept: the seed of every bug that was found and fixed.

use super::Case;
use crate::commands::Overrides;
use crate::plan::{Bug, StackKind};
use anyhow::{Context, ensure};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// A kept run: a file in `simulator/cluster/scenarios/`, named after what went wrong.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The file's name.
    #[serde(skip)]
    pub name: String,
    /// What went wrong, and why.
    pub why: String,
    /// The seed.
    pub seed: u64,
    /// The stack.
    pub stack: StackKind,
    /// See [`Overrides`].
    pub nodes: Option<u64>,
    /// See [`Overrides`].
    pub shards: Option<u32>,
    /// See [`Overrides`].
    pub minutes: Option<f64>,
    /// See [`Overrides`].
    pub rate: Option<f64>,
    /// See [`Overrides`].
    pub agents: Option<u16>,
    /// See [`Overrides`].
    pub faults: Option<Vec<String>>,
    /// See [`Overrides`].
    pub bug: Option<Bug>,
    /// The promises of which the run must break one, for planted faults; none: it must be good.
    #[serde(default)]
    pub breaks: Vec<String>,
}

impl Scenario {
    /// Where they are kept.
    #[must_use]
    pub fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
    }

    /// All of a folder, in order of names.
    ///
    /// # Errors
    /// A file cannot be read or says nonsense.
    pub fn all(folder: &Path) -> anyhow::Result<Vec<Scenario>> {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let paths: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut paths = paths?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        ensure!(!paths.is_empty(), "no scenarios in {}", folder.display());
        paths.iter().map(|path| Self::read(path).with_context(|| path.display().to_string())).collect()
    }

    fn read(path: &Path) -> anyhow::Result<Scenario> {
        let mut scenario: Scenario = toml::from_str(&std::fs::read_to_string(path)?)?;
        scenario.name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(scenario)
    }

    /// The run.
    #[must_use]
    pub fn case(&self) -> Case {
        let overrides = Overrides {
            nodes: self.nodes,
            shards: self.shards,
            minutes: self.minutes,
            rate: self.rate,
            agents: self.agents,
            faults: self.faults.clone(),
            bug: self.bug,
        };
        Case { seed: self.seed, stack: self.stack, overrides }
    }

    /// Judges what was broken; `Err` says what should have been.
    ///
    /// # Errors
    /// Something broke that must not, or nothing did.
    pub fn judge(&self, broken: Option<&str>) -> Result<(), String> {
        match broken {
            None if self.breaks.is_empty() => Ok(()),
            None => Err(format!("nothing broke, but one of {} should", self.breaks.join(", "))),
            Some(promise) if self.breaks.iter().any(|expected| expected == promise) => Ok(()),
            Some(promise) if self.breaks.is_empty() => Err(format!("{promise} broke")),
            Some(promise) => Err(format!("{promise} broke instead of one of {}", self.breaks.join(", "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
why = "a late accept was taken"
seed = 17
stack = "full"
faults = ["crash", "loss"]
minutes = 0.5
"#;

    #[test]
    fn files_are_read_in_order_and_others_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Scenario::all(folder.path()).is_err(), "an empty folder tests nothing");
        std::fs::write(folder.path().join("b.toml"), TEXT).unwrap();
        std::fs::write(folder.path().join("a.toml"), TEXT).unwrap();
        std::fs::write(folder.path().join("README.md"), "not one").unwrap();
        let all = Scenario::all(folder.path()).unwrap();
        assert_eq!(all.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        let command = "cargo sim cluster --seed 17 --stack full --minutes 0.5 --faults crash,loss";
        assert_eq!(all[0].case().command(), command);
    }

    #[test]
    fn a_word_too_much_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.toml"), format!("{TEXT}\nnode = 3\n")).unwrap();
        assert!(format!("{:#}", Scenario::all(folder.path()).unwrap_err()).contains("node"));
    }

    #[test]
    fn judged_by_what_should_break() {
        let mut scenario: Scenario = toml::from_str(TEXT).unwrap();
        assert_eq!(scenario.judge(None), Ok(()));
        assert!(scenario.judge(Some("R-1")).is_err());
        scenario.breaks = vec!["R-1".to_owned(), "R-5".to_owned()];
        assert_eq!(scenario.judge(Some("R-5")), Ok(()));
        assert!(scenario.judge(Some("R-2")).is_err());
        assert!(scenario.judge(None).is_err());
    }

    #[test]
    fn the_kept_ones_can_be_read() {
        for scenario in Scenario::all(&Scenario::folder()).unwrap() {
            assert!(!scenario.why.trim().is_empty(), "{}", scenario.name);
        }
    }
}
