//! A table of names and values.

use comfy_table::{Table, presets};

/// Names and values as text.
#[must_use]
pub fn facts(facts: &[(&str, String)]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    for (name, value) in facts {
        table.add_row([*name, value]);
    }
    format!("{table}\n")
}
