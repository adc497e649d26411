//! The environment as a layer: `CENTRALITA_` and the key in capitals.

use super::layer::{KEYS, Layer};
use super::{ConfigError, nearest};

const PREFIX: &str = "CENTRALITA_";

/// Names with the prefix that are not keys of a node but known all the same.
const OTHERS: &[&str] = &["CENTRALITA_CONFIG", "CENTRALITA_TARGET", "CENTRALITA_ALLOW_TEST_FAULTS"];

/// Reads variables. Names that look like a misspelt key are refused; others with the prefix are
/// somebody else's.
///
/// # Errors
/// When a value is bad or a name is probably a slip.
pub fn from_environment(variables: impl IntoIterator<Item = (String, String)>) -> Result<Layer, ConfigError> {
    let mut layer = Layer::default();
    let known: Vec<String> =
        KEYS.iter().map(|key| format!("{PREFIX}{}", key.name.to_ascii_uppercase())).collect();
    for (name, value) in variables {
        let Some(key) = name.strip_prefix(PREFIX) else { continue };
        if OTHERS.contains(&name.as_str()) {
            continue;
        }
        match layer.set(&key.to_ascii_lowercase(), &value) {
            Some(Ok(())) => {}
            Some(Err(problem)) => return Err(ConfigError::at(name, problem)),
            None => {
                // Compared without the prefix, which all have in common.
                let names = known.iter().map(|known| &known[PREFIX.len()..]);
                if let Some(meant) = nearest(key, names).filter(|meant| is_slip(key, meant)) {
                    let problem = format!("unknown variable: did you mean {PREFIX}{meant}?");
                    return Err(ConfigError::at(name, problem));
                }
            }
        }
    }
    Ok(layer)
}

fn is_slip(given: &str, meant: &str) -> bool {
    strsim::damerau_levenshtein(given, meant) <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, value: &str) -> Result<Layer, ConfigError> {
        from_environment([(name.to_owned(), value.to_owned()), ("PATH".to_owned(), "x".to_owned())])
    }

    #[test]
    fn keys_slips_and_strangers() {
        assert_eq!(read("CENTRALITA_SHARDS", "3").expect("a key").shards, Some(3));
        let slip = read("CENTRALITA_SHRADS", "3").unwrap_err().to_string();
        assert!(slip.contains("CENTRALITA_SHARDS"), "{slip}");
        assert!(
            read("CENTRALITA_SHARDS", "many").unwrap_err().to_string().starts_with("CENTRALITA_SHARDS: ")
        );
        assert_eq!(read("CENTRALITA_BANK_TRACES", "x"), Ok(Layer::default()));
        assert_eq!(read("CENTRALITA_TARGET", "x"), Ok(Layer::default()));
    }
}
