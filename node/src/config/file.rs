//! A TOML file as a layer. Every refusal names file and line.

use super::layer::{KEYS, Layer};
use super::{ConfigError, nearest};
use std::path::Path;
use toml::de::{DeTable, DeValue};

/// Reads a file.
///
/// # Errors
/// When it cannot be read, is no TOML, or has an unknown key or a bad value.
pub fn from_file(path: &Path) -> Result<Layer, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::at(&name, format!("cannot be read: {error}")))?;
    from_text(&name, &text)
}

/// Reads a file's text; `name` is for messages.
///
/// # Errors
/// As [`from_file`].
pub fn from_text(name: &str, text: &str) -> Result<Layer, ConfigError> {
    let at = |offset: usize| format!("{name}:{}", line(text, offset));
    let table = DeTable::parse(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        ConfigError::at(at(start), error.message().trim_end())
    })?;
    let mut layer = Layer::default();
    for (key, value) in table.get_ref().iter() {
        let place = at(key.span().start);
        let key: &str = key.get_ref();
        if key == "members" {
            read_members(&mut layer, value.get_ref(), &at, &place)?;
            continue;
        }
        let outcome = match scalar(value.get_ref()) {
            Some(text) => layer.set(key, &text),
            None if KEYS.iter().any(|known| known.name == key) => {
                Some(Err(format!("is {}, not a single value", kind(value.get_ref()))))
            }
            None => None,
        };
        match outcome {
            Some(Ok(())) => {}
            Some(Err(problem)) => return Err(ConfigError::at(place, format!("{key}: {problem}"))),
            None => return Err(ConfigError::at(place, unknown(key))),
        }
    }
    Ok(layer)
}

fn read_members(
    layer: &mut Layer,
    value: &DeValue<'_>,
    at: &impl Fn(usize) -> String,
    place: &str,
) -> Result<(), ConfigError> {
    let DeValue::Table(members) = value else {
        let example = "[members]\n  1 = \"10.0.0.1:7400\"\n  2 = \"10.0.0.2:7400\"";
        return Err(ConfigError::at(
            place,
            format!("members is {}, but should be a table:\n  {example}", kind(value)),
        ));
    };
    for (key, value) in members.iter() {
        let place = at(key.span().start);
        let key: &str = key.get_ref();
        let text = scalar(value.get_ref()).unwrap_or_default();
        super::layer::member(&format!("{key}={text}"))
            .and_then(|(id, address)| layer.add_member(id, address))
            .map_err(|problem| ConfigError::at(place, format!("members: {problem}")))?;
    }
    Ok(())
}

fn unknown(key: &str) -> String {
    let names = || KEYS.iter().map(|known| known.name);
    match nearest(key, names()) {
        Some(meant) => format!("unknown key '{key}': did you mean '{meant}'?"),
        None => format!("unknown key '{key}': the keys are {}", names().collect::<Vec<_>>().join(", ")),
    }
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    Some(match value {
        DeValue::String(text) => text.clone().into_owned(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        _ => return None,
    })
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Table(_) => "a table",
        DeValue::Array(_) => "a list",
        _ => "a single value",
    }
}

fn line(text: &str, offset: usize) -> usize {
    text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file() {
        let text = "listen = \"0.0.0.0:7400\"\nnode = 2\nshards = 4\n\n[members]\n1 = \"a:1\"\n2 = \"b:2\"\n";
        let layer = from_text("c.toml", text).expect("reads");
        assert_eq!((layer.node, layer.shards), (Some(2), Some(4)));
        assert_eq!(layer.members.expect("members").len(), 2);
    }

    #[test]
    fn refusals_name_line_and_the_nearest_key() {
        for (text, wanted) in [
            ("node = 1\nlisen = \"a:1\"\n", "c.toml:2: unknown key 'lisen': did you mean 'listen'?"),
            ("xyzzy = 1", "c.toml:1: unknown key 'xyzzy': the keys are data, listen"),
            ("\n\nshards = 0", "c.toml:3: shards: '0' is not a whole number from 1 to 1024"),
            ("node = 1\nnode = 2", "c.toml:2: "),
            ("node = ", "c.toml:1: "),
            ("members = 3", "c.toml:1: members is a single value"),
            ("[members]\n1 = \"a:1\"\nx = \"b:1\"", "c.toml:3: members: 'x=b:1' is not N=HOST:PORT"),
            ("[listen]\na = 1", "c.toml:1: listen: is a table"),
            ("[server]\nlisten = \"a:1\"", "c.toml:1: unknown key 'server'"),
        ] {
            let error = from_text("c.toml", text).unwrap_err().to_string();
            assert!(error.starts_with(wanted), "{text:?} gave {error:?}");
        }
    }
}
