//! Where two traces part.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, BufRead};

/// Equal lines shown before the difference, and lines of either side after it.
const CONTEXT: usize = 5;
/// Bytes of a line shown.
const SHOWN_MAX: usize = 1_000;

/// The first difference of two traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Line, from 1.
    pub line: u64,
    /// The simulated time in it, as the trace shows it; empty if neither line has one.
    pub at: String,
    /// The last equal lines, oldest first.
    pub before: Vec<String>,
    /// The line of the first trace and what follows; empty: it ended before.
    pub left: Vec<String>,
    /// The line of the second and what follows.
    pub right: Vec<String>,
}

/// Reads two traces up to the first difference; `None`: they are the same to the byte.
///
/// # Errors
/// What reading gives.
pub fn first_difference(mut left: impl BufRead, mut right: impl BufRead) -> io::Result<Option<Difference>> {
    let (mut a, mut b) = (Vec::new(), Vec::new());
    let mut before: VecDeque<Vec<u8>> = VecDeque::new();
    for line in 1.. {
        next(&mut left, &mut a)?;
        next(&mut right, &mut b)?;
        if a != b {
            let at = time(&a).or_else(|| time(&b)).unwrap_or_default();
            return Ok(Some(Difference {
                line,
                at,
                before: before.iter().map(|line| shown(line)).collect(),
                left: rest(&mut left, a)?,
                right: rest(&mut right, b)?,
            }));
        }
        if a.is_empty() {
            break;
        }
        if before.len() == CONTEXT {
            before.pop_front();
        }
        before.push_back(a.clone());
    }
    Ok(None)
}

fn next(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<()> {
    line.clear();
    from.read_until(b'\n', line).map(drop)
}

/// A differing line and those after it.
fn rest(from: &mut impl BufRead, first: Vec<u8>) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut line = first;
    while !line.is_empty() && lines.len() <= CONTEXT {
        lines.push(shown(&line));
        next(from, &mut line)?;
    }
    Ok(lines)
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line.get(..SHOWN_MAX).unwrap_or(line));
    text.trim_end_matches('\n').to_owned()
}

/// The second word of a line, if it is a time.
fn time(line: &[u8]) -> Option<String> {
    let text = shown(line);
    let word = text.split(' ').nth(1)?;
    word.parse::<f64>().is_ok().then(|| word.to_owned())
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = if self.at.is_empty() { "an unknown moment" } else { &self.at };
        writeln!(f, "line {}, {at} s of simulated time", self.line)?;
        for line in &self.before {
            writeln!(f, "    {line}")?;
        }
        for (sign, lines) in [('-', &self.left), ('+', &self.right)] {
            if lines.is_empty() {
                writeln!(f, "  {sign} (ended)")?;
            }
            for line in lines {
                writeln!(f, "  {sign} {line}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(left: &str, right: &str) -> Option<Difference> {
        first_difference(left.as_bytes(), right.as_bytes()).unwrap()
    }

    #[test]
    fn equal_traces_have_none() {
        assert_eq!(compare("", ""), None);
        assert_eq!(compare("1 0.1 a\n2 0.2 b\n", "1 0.1 a\n2 0.2 b\n"), None);
    }

    #[test]
    fn the_first_is_found_with_what_is_around_it() {
        let lines = |eighth: &str| {
            let mut lines: Vec<String> = (1..=20).map(|n| format!("{n} 0.{n:06} event")).collect();
            lines[7] = eighth.to_owned();
            lines.join("\n")
        };
        let found = compare(&lines("8 1.500000 INFO ours"), &lines("8 1.500000 INFO theirs")).unwrap();
        assert_eq!((found.line, found.at.as_str()), (8, "1.500000"));
        assert_eq!(found.before.len(), CONTEXT);
        assert_eq!(found.before.last().unwrap(), "7 0.000007 event");
        assert_eq!(found.left[0], "8 1.500000 INFO ours");
        assert_eq!(found.right[0], "8 1.500000 INFO theirs");
        assert_eq!(found.left.len(), 1 + CONTEXT);
        assert!(found.to_string().contains("line 8, 1.500000 s"));
    }

    #[test]
    fn one_that_ends_early_differs_at_its_end() {
        let found = compare("1 0.1 a\n", "1 0.1 a\n2 0.2 b\n").unwrap();
        assert_eq!((found.line, found.left.len(), found.right.len()), (2, 0, 1));
        assert_eq!(found.at, "0.2");
        assert!(found.to_string().contains("(ended)"));
    }

    #[test]
    fn a_missing_last_line_break_is_a_difference() {
        assert_eq!(compare("1 0.1 a", "1 0.1 a\n").unwrap().line, 1);
    }
}
