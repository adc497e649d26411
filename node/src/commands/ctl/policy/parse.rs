//! Rules and targets in words, as people write them.

use crate::commands::ctl::settings::millis;
use proto::v1;
use proto::v1::condition::{Is, Measure};
use proto::v1::rule::Then;
use routing::{BadId, QueueId, TouchpointId};
use std::str::FromStr;

const RULE: &str = "a rule looks like `20s when available < 1 then move queue_1_2`";
const CONDITION: &str = "a condition looks like `waiting >= 5` or `available of queue_1_2 < 1`";
const ACTIONS: &str = "use `priority N`, `add QUEUE`, `move QUEUE`, `inbox`, `send TOUCHPOINT`, `close \"REASON\"` or `callback`";
const TARGET: &str = "a service target looks like `80% in 20s`";

/// What can be asked of a queue, by its name in rules.
pub(super) const MEASURES: [(&str, Measure); 6] = [
    ("signed_on", Measure::SignedOn),
    ("available", Measure::Available),
    ("waiting", Measure::Waiting),
    ("position", Measure::Position),
    ("service_level", Measure::ServiceLevel),
    ("open", Measure::Open),
];

/// The error says which part is wrong, and what would be right.
type Parsed<T> = Result<T, String>;

/// Words and comparisons, from left to right.
struct Words<'a> {
    rest: &'a str,
}

fn compares(one: char) -> bool {
    matches!(one, '<' | '>' | '=')
}

impl<'a> Words<'a> {
    fn peek(&self) -> Option<&'a str> {
        let rest = self.rest.trim_start();
        let first = rest.chars().next()?;
        let end = rest.find(|one: char| one.is_whitespace() || compares(one) != compares(first));
        Some(&rest[..end.unwrap_or(rest.len())])
    }

    fn next(&mut self) -> Option<&'a str> {
        let word = self.peek()?;
        self.rest = &self.rest.trim_start()[word.len()..];
        Some(word)
    }

    /// Takes this word, if it is the next one.
    fn take(&mut self, word: &str) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.next();
        }
        found
    }

    /// Refuses more words.
    fn end(&self) -> Parsed<()> {
        match self.rest.trim() {
            "" => Ok(()),
            more => Err(format!("'{more}' is too much: nothing follows here")),
        }
    }
}

/// Reads `AFTER [when CONDITION [and CONDITION]...] then ACTION`.
pub(super) fn rule(text: &str) -> Parsed<v1::Rule> {
    let mut words = Words { rest: text };
    let after = words.next().ok_or_else(|| format!("is empty: {RULE}"))?;
    let after_ms = millis(after).map_err(|bad| format!("its time: {bad}"))?;
    let mut when = Vec::new();
    match words.next() {
        Some("then") => {}
        Some("when") => loop {
            let place = when.len() + 1;
            when.push(condition(&mut words).map_err(|bad| format!("condition {place}: {bad}"))?);
            match words.next() {
                Some("and") => {}
                Some("then") => break,
                Some(other) => {
                    return Err(format!("after condition {place}: '{other}' should be `and` or `then`"));
                }
                None => return Err(format!("after condition {place}: `then` is missing: {RULE}")),
            }
        },
        Some(other) => return Err(format!("after its time: '{other}' should be `when` or `then`")),
        None => return Err(format!("after its time: `then` is missing: {RULE}")),
    }
    let then = action(&mut words).and_then(|then| words.end().map(|()| then));
    Ok(v1::Rule { after_ms, when, then: Some(then.map_err(|bad| format!("its action: {bad}"))?) })
}

/// Reads `MEASURE [of QUEUE] < N`, or `>= N`.
fn condition(words: &mut Words<'_>) -> Parsed<v1::Condition> {
    let word = words.next().ok_or_else(|| format!("is missing: {CONDITION}"))?;
    let measure = MEASURES.iter().find(|(name, _)| *name == word).map(|(_, measure)| *measure);
    let measure = measure.ok_or_else(|| {
        let all: Vec<&str> = MEASURES.iter().map(|(name, _)| *name).collect();
        format!("'{word}' is no measure: use one of {}", all.join(", "))
    })?;
    let of = if words.take("of") { id::<QueueId>("`of`", words.next())? } else { String::new() };
    let comparison = words.next().ok_or_else(|| format!("`< N` or `>= N` is missing: {CONDITION}"))?;
    let bound = words.peek().and_then(|word| bound(measure, word));
    let is = match (comparison, bound) {
        ("<", Some(bound)) => Is::Below(bound),
        (">=", Some(bound)) => Is::AtLeast(bound),
        ("<" | ">=", None) => {
            let found = words.next().map_or_else(|| "nothing".to_owned(), |word| format!("'{word}'"));
            return Err(format!("{found} after `{comparison}` should be a number"));
        }
        (">", Some(bound)) => {
            return Err(format!("`> {bound}` cannot be said: say `>= {}`", u64::from(bound) + 1));
        }
        ("<=", Some(bound)) => {
            return Err(format!("`<= {bound}` cannot be said: say `< {}`", u64::from(bound) + 1));
        }
        (other, _) => return Err(format!("'{other}' should be `<` or `>=`: {CONDITION}")),
    };
    words.next();
    Ok(v1::Condition { of, measure: measure.into(), is: Some(is) })
}

fn bound(measure: Measure, word: &str) -> Option<u32> {
    let percent = word.strip_suffix('%').filter(|_| measure == Measure::ServiceLevel);
    percent.unwrap_or(word).parse().ok()
}

fn action(words: &mut Words<'_>) -> Parsed<Then> {
    match words.next() {
        Some("priority") => {
            let word = words.next().unwrap_or_default();
            let priority: Result<u8, _> = word.parse();
            let priority =
                priority.map_err(|_| format!("'{word}' is no priority: use 0 to 255, higher goes first"))?;
            Ok(Then::Prioritise(priority.into()))
        }
        Some("add") => Ok(Then::AddQueue(id::<QueueId>("`add`", words.next())?)),
        Some("move") => Ok(Then::MoveTo(id::<QueueId>("`move`", words.next())?)),
        Some("inbox") => Ok(Then::ToInbox(true)),
        Some("send") => Ok(Then::SendTo(id::<TouchpointId>("`send`", words.next())?)),
        Some("callback") => Ok(Then::CallBack(true)),
        Some("close") => quoted(words).map(Then::Close),
        Some(other) => Err(format!("'{other}' is no action: {ACTIONS}")),
        None => Err(format!("is missing: {ACTIONS}")),
    }
}

fn id<T: FromStr<Err = BadId>>(after: &str, word: Option<&str>) -> Parsed<String> {
    let word = word.unwrap_or_default();
    match word.parse::<T>() {
        Ok(_) => Ok(word.to_owned()),
        Err(bad) if word.is_empty() => {
            Err(format!("what follows {after} is missing: {} looks like {}", bad.expected, bad.example))
        }
        Err(bad) => Err(format!("after {after}: {bad}")),
    }
}

/// Reads a text in double quotes; `\"` and `\\` stand for themselves.
fn quoted(words: &mut Words<'_>) -> Parsed<String> {
    let rest = words.rest.trim_start();
    let inside = rest.strip_prefix('"').ok_or("put the reason in double quotes: close \"nobody is free\"")?;
    let mut text = String::new();
    let mut all = inside.char_indices();
    while let Some((at, one)) = all.next() {
        match one {
            '"' => {
                words.rest = &inside[at + 1..];
                return Ok(text);
            }
            '\\' => text.extend(all.next().map(|(_, next)| next)),
            _ => text.push(one),
        }
    }
    Err("the reason's closing quote is missing".to_owned())
}

/// Reads `80% in 20s`.
pub(super) fn target(text: &str) -> Parsed<v1::ServiceTarget> {
    let mut words = Words { rest: text };
    let word = words.next().unwrap_or_default();
    let percent = word.strip_suffix('%').unwrap_or(word).parse();
    let percent = percent.map_err(|_| format!("'{word}' is no percentage: {TARGET}"))?;
    words.take("%");
    if !words.take("in") {
        return Err(format!("`in` is missing after the percentage: {TARGET}"));
    }
    let within_ms = millis(words.next().unwrap_or_default())?;
    words.end()?;
    Ok(v1::ServiceTarget { within_ms, percent })
}

#[cfg(test)]
mod tests {
    use super::super::words;
    use super::*;

    #[test]
    fn what_is_shown_parses_back() {
        let as_shown = [
            "0s then inbox",
            "2m when position >= 4 then callback",
            "0s when signed_on < 1 then move queue_1_2",
            "500ms when position >= 2 then add queue_1_3",
            "20s when waiting of queue_1_2 >= 5 and service_level < 80 then priority 9",
            "2m when available of queue_1_2 < 1 and available < 1 then send touch_2_1",
            "1h then close \"nobody is free\"",
            r#"24h then close "he said \"no\" and \\ then left when <1""#,
        ];
        for text in as_shown {
            let parsed = rule(text).expect(text);
            assert_eq!(words::rule(&parsed), text);
            assert_eq!(rule(&words::rule(&parsed)), Ok(parsed));
        }
        let written = [
            (
                "  60s  when waiting>=5  and available<1 then inbox ",
                "1m when waiting >= 5 and available < 1 then inbox",
            ),
            ("90m when service_level < 80% then close \"\"", "90m when service_level < 80 then close \"\""),
            ("3600000ms then close  \"  x \"", "1h then close \"  x \""),
        ];
        for (text, shown) in written {
            assert_eq!(words::rule(&rule(text).expect(text)), shown);
        }
        for (text, shown) in
            [("80% in 20s", "80% in 20s"), ("80 % in 60s", "80% in 1m"), ("1 in 1h", "1% in 1h")]
        {
            let parsed = target(text).expect(text);
            assert_eq!(words::target(parsed), shown);
            assert_eq!(target(shown), Ok(parsed));
        }
    }

    #[test]
    fn what_is_wrong_says_where_and_what_would_be_right() {
        let table = [
            ("", "is empty: a rule looks like"),
            ("then inbox", "its time: 'then' is not a time: it looks like 500ms, 30s"),
            ("20 then inbox", "its time: '20' is not a time"),
            ("20s", "after its time: `then` is missing"),
            ("20s if waiting < 1 then inbox", "after its time: 'if' should be `when` or `then`"),
            ("20s when", "condition 1: is missing: a condition looks like"),
            ("20s when then inbox", "condition 1: 'then' is no measure: use one of signed_on, available"),
            ("20s when waiting < 1 and busy < 1 then inbox", "condition 2: 'busy' is no measure"),
            ("20s when waiting of sales < 1 then inbox", "condition 1: after `of`: "),
            (
                "20s when waiting of",
                "condition 1: what follows `of` is missing: a queue id looks like queue_1_1",
            ),
            ("20s when waiting", "condition 1: `< N` or `>= N` is missing"),
            ("20s when waiting is 3 then inbox", "condition 1: 'is' should be `<` or `>=`"),
            ("20s when waiting = 3 then inbox", "condition 1: '=' should be `<` or `>=`"),
            ("20s when waiting > 3 then inbox", "condition 1: `> 3` cannot be said: say `>= 4`"),
            ("20s when waiting <= 3 then inbox", "condition 1: `<= 3` cannot be said: say `< 4`"),
            ("20s when waiting < many then inbox", "condition 1: 'many' after `<` should be a number"),
            ("20s when waiting < 80% then inbox", "condition 1: '80%' after `<` should be a number"),
            ("20s when waiting < -1 then inbox", "condition 1: '-1' after `<` should be a number"),
            ("20s when waiting >=", "condition 1: nothing after `>=` should be a number"),
            ("20s when waiting < 1", "after condition 1: `then` is missing"),
            (
                "20s when waiting < 1 or waiting < 2 then inbox",
                "after condition 1: 'or' should be `and` or `then`",
            ),
            ("20s then", "its action: is missing: use `priority N`"),
            ("20s then overflow queue_1_2", "its action: 'overflow' is no action: use `priority N`"),
            ("20s then priority", "its action: '' is no priority"),
            ("20s then priority 256", "its action: '256' is no priority: use 0 to 255"),
            ("20s then move", "its action: what follows `move` is missing: a queue id looks like queue_1_1"),
            ("20s then add touch_1_1", "its action: after `add`: "),
            ("20s then send queue_1_1", "its action: after `send`: "),
            ("20s then inbox queue_1_1", "its action: 'queue_1_1' is too much"),
            ("20s then close late", "its action: put the reason in double quotes"),
            ("20s then close \"late", "its action: the reason's closing quote is missing"),
            ("20s then close \"late\" now", "its action: 'now' is too much"),
        ];
        for (text, said) in table {
            let bad = rule(text).expect_err(text);
            assert!(bad.starts_with(said), "{text}: {bad}");
        }
        for (text, said) in [
            ("", "'' is no percentage: a service target looks like `80% in 20s`"),
            ("most in 20s", "'most' is no percentage"),
            ("80%", "`in` is missing"),
            ("80% within 20s", "`in` is missing"),
            ("80% in 20", "'20' is not a time"),
            ("80% in 20s or so", "'or so' is too much"),
        ] {
            let bad = target(text).expect_err(text);
            assert!(bad.starts_with(said), "{text}: {bad}");
        }
    }
}
