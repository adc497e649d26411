//! Tables for people, JSON for machines.

use super::json::to_json;
use crate::failure::Failure;
use comfy_table::Table;
use comfy_table::presets::NOTHING;
use prost::Message;
use proto::v1;
use std::fmt::Display;

/// How results are printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// JSON instead of tables.
    pub(super) json: bool,
}

impl Output {
    /// Prints a message: as JSON, or as the table, or tables, that it gives.
    pub(super) fn print<M: Message, T: Display>(
        self,
        name: &str,
        message: &M,
        table: impl FnOnce(&M) -> T,
    ) -> Result<(), Failure> {
        if self.json {
            println!("{:#}", to_json(name, message)?);
        } else {
            println!("{}", table(message));
        }
        Ok(())
    }

    /// Prints a message on one line: as JSON, or as the line it gives.
    pub(super) fn line<M: Message>(
        self,
        name: &str,
        message: &M,
        line: impl FnOnce(&M) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            println!("{}", to_json(name, message)?);
        } else {
            println!("{}", line(message));
        }
        Ok(())
    }

    /// Prints that a change was made.
    pub(super) fn done(self, receipt: &v1::Receipt) -> Result<(), Failure> {
        self.line("Receipt", receipt, |receipt| {
            format!("done (version {}, event {})", receipt.version, receipt.sequence)
        })
    }
}

/// A table with these columns.
pub(super) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header);
    table
}

/// A table with more columns, each of them where any row has something in it.
pub(super) fn table_and<const N: usize, const M: usize>(
    header: [&str; N],
    more: [&str; M],
    rows: Vec<([String; N], [String; M])>,
) -> Table {
    let used: [bool; M] = std::array::from_fn(|at| rows.iter().any(|(_, last)| !last[at].is_empty()));
    let mut table = table(header);
    table.set_header(header.into_iter().chain(only(used, more)));
    table.add_rows(rows.into_iter().map(|(row, last)| row.into_iter().chain(only(used, last))));
    table
}

fn only<T, const M: usize>(used: [bool; M], all: [T; M]) -> impl Iterator<Item = T> {
    all.into_iter().zip(used).filter_map(|(one, used)| used.then_some(one))
}

/// Two columns: names and values.
pub(super) fn facts<const N: usize>(facts: [(&str, String); N]) -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    for (name, value) in facts {
        table.add_row([name.to_owned(), value]);
    }
    table
}

/// The last part of an enum's name, in lower case.
pub(super) fn short(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_ascii_lowercase()
}

/// A channel's name.
pub(super) fn channel(code: i32) -> String {
    v1::Channel::try_from(code).map_or_else(|_| code.to_string(), |one| short(one.as_str_name(), "CHANNEL_"))
}

/// A stage's name.
pub(super) fn stage(code: i32) -> String {
    v1::Stage::try_from(code).map_or_else(|_| code.to_string(), |one| short(one.as_str_name(), "STAGE_"))
}

/// Microseconds as seconds.
pub(super) fn seconds(us: u64) -> String {
    format!("{}.{} s", us / 1_000_000, us / 100_000 % 10)
}

/// An intent in words.
pub(super) fn intent(intent: Option<&v1::Intent>) -> String {
    use v1::intent::Intent as Kind;
    match intent.and_then(|intent| intent.intent.as_ref()) {
        Some(Kind::Available(_)) => "available".to_owned(),
        Some(Kind::Unavailable(why)) => format!("unavailable ({})", why.reason),
        Some(Kind::Draining(then)) => format!("draining ({})", then.next),
        None => String::new(),
    }
}
