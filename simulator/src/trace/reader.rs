//! Reads and checks a trace, line by line.

use super::{LoggedCall, LoggedEnd, Trace};
use crate::workload::span_of;
use csv::StringRecord;
use std::io::Read;
use std::path::Path;

/// Calls one trace may hold.
const CALLS_MAX: usize = 10_000_000;
/// Length of a type's or an agent's name in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Longest wait or contact a line may state, seconds.
const DURATION_S_MAX: f64 = 86_400.0;

/// Columns in the order of the documentation; a file may have them in any order, and more.
const COLUMNS: [&str; 8] =
    ["date", "arrival_s", "type", "priority", "queue_s", "outcome", "service_s", "agent"];

/// A trace that cannot be used, and where.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// The file cannot be opened.
    #[error("{file}: {source}")]
    Open {
        /// The file as given.
        file: String,
        /// Why.
        source: std::io::Error,
    },
    /// A line is wrong.
    #[error("{file}:{line}: {reason}")]
    Line {
        /// The file as given.
        file: String,
        /// The line, from 1, the header included.
        line: u64,
        /// What is wrong and what would be right.
        reason: String,
    },
}

/// Reads a trace from a file.
///
/// # Errors
/// The file cannot be read, or the first line that is not a call, by number.
pub fn read(path: &Path) -> Result<Trace, TraceError> {
    let file = path.display().to_string();
    let input =
        std::fs::File::open(path).map_err(|source| TraceError::Open { file: file.clone(), source })?;
    read_from(&file, std::io::BufReader::new(input))
}

/// Reads a trace from anywhere; `file` names it in errors.
///
/// # Errors
/// As [`read`].
pub fn read_from(file: &str, input: impl Read) -> Result<Trace, TraceError> {
    let at = |line: u64, reason: String| TraceError::Line { file: file.to_owned(), line, reason };
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(input);
    let header = reader.headers().map_err(|error| at(1, csv_reason(&error)))?.clone();
    let columns = Columns::find(&header).map_err(|reason| at(1, reason))?;

    let mut calls = Vec::new();
    let mut record = StringRecord::new();
    loop {
        let next_line = reader.position().line();
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(error) => {
                let line = error.position().map_or(next_line, csv::Position::line);
                return Err(at(line, csv_reason(&error)));
            }
        }
        let line = record.position().map_or(next_line, csv::Position::line);
        if record.len() != header.len() {
            return Err(at(line, format!("{} fields, the header has {}", record.len(), header.len())));
        }
        if calls.len() == CALLS_MAX {
            return Err(at(line, format!("more than {CALLS_MAX} calls: split the file by date")));
        }
        calls.push(columns.call(&record).map_err(|reason| at(line, reason))?);
    }
    if calls.is_empty() {
        return Err(at(1, "no calls follow the header".to_owned()));
    }
    calls.sort_by_key(|call| (call.date, call.arrival));
    Ok(Trace { calls })
}

fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Utf8 { err, .. } => format!("not UTF-8: {err}"),
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    }
}

/// Where each column is.
struct Columns([usize; COLUMNS.len()]);

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, String> {
        let mut places = [0; COLUMNS.len()];
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            let mut found = header.iter().enumerate().filter(|(_, title)| *title == name);
            *place = match (found.next(), found.next()) {
                (Some((index, _)), None) => index,
                (Some(_), Some(_)) => return Err(format!("column '{name}' is there twice")),
                (None, _) => {
                    return Err(format!(
                        "column '{name}' is missing: the header needs {}",
                        COLUMNS.join(",")
                    ));
                }
            };
        }
        Ok(Self(places))
    }

    fn call(&self, record: &StringRecord) -> Result<LoggedCall, String> {
        let [date, arrival, kind, priority, queue, outcome, service, agent] =
            self.0.map(|index| record.get(index).unwrap_or_default());
        let service_s = if service.is_empty() { 0.0 } else { seconds("service_s", service, DURATION_S_MAX)? };
        let end = match outcome {
            "AGENT" if service.is_empty() => return Err("service_s is empty for a served call".to_owned()),
            "AGENT" => LoggedEnd::Agent {
                service: span_of(service_s),
                agent: if agent.is_empty() { None } else { Some(name("agent", agent)?) },
            },
            // Real logs have seconds here for callers who left while being connected.
            "HANG" => LoggedEnd::Hang,
            other => return Err(format!("outcome '{other}' is neither AGENT nor HANG")),
        };
        let arrival_s = seconds("arrival_s", arrival, DURATION_S_MAX)?;
        if arrival_s >= DURATION_S_MAX {
            return Err(format!("arrival_s {arrival} is after midnight: it must be below 86400"));
        }
        Ok(LoggedCall {
            date: date.parse().map_err(|bad: super::BadDate| format!("date {bad}"))?,
            arrival: span_of(arrival_s),
            kind: name("type", kind)?,
            priority: priority
                .parse()
                .map_err(|_| format!("priority '{priority}' is not a whole number from 0 to 255"))?,
            queue: span_of(seconds("queue_s", queue, DURATION_S_MAX)?),
            end,
        })
    }
}

fn name(column: &str, text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err(format!("{column} is empty")),
        1..=NAME_BYTES_MAX => Ok(text.to_owned()),
        longer => Err(format!("{column} is {longer} bytes long: at most {NAME_BYTES_MAX}")),
    }
}

fn seconds(column: &str, text: &str, max: f64) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=max).contains(&value) => Ok(value),
        Ok(_) => Err(format!("{column} {text} is not between 0 and {max}")),
        Err(_) => Err(format!("{column} '{text}' is not a number of seconds")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use routing::Span;

    const HEADER: &str = "date,arrival_s,type,priority,customer,queue_s,outcome,service_s,agent\n";

    fn message(lines: &str) -> String {
        read_from("t.csv", format!("{HEADER}{lines}").as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_good_trace_is_read_in_order_of_arrival() {
        let text = format!(
            "{HEADER}1999-02-02,5,PS,0,,0,HANG,0,\n1999-02-01,60.5,NW,2,C1,7,AGENT,30,A1\n1999-02-01,9,PS,0,,0,AGENT,3,\n"
        );
        let trace = read_from("t.csv", text.as_bytes()).unwrap();
        assert_eq!(trace.dates().len(), 2);
        let day: Vec<_> = trace.day("1999-02-01".parse().unwrap()).collect();
        assert_eq!(day.len(), 2);
        assert_eq!(day[0].contact(), None);
        assert_eq!(day[1].contact(), Some(("A1", Span::millis(67_500), Span::millis(97_500))));
        assert_eq!(day[1].priority, 2);
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let text =
            "agent,type,date,arrival_s,priority,queue_s,outcome,service_s\nA1,PS,1999-02-01,1,0,2,AGENT,3\n";
        assert_eq!(read_from("t.csv", text.as_bytes()).unwrap().calls[0].kind, "PS");
    }

    #[test]
    fn a_bad_line_is_named_with_file_line_and_reason() {
        const GOOD: &str = "1999-02-01,5,PS,0,,0,HANG,0,\n";
        for (bad, reason) in [
            ("1999-02-30,5,PS,0,,0,HANG,0,", "date '1999-02-30' is not a date: write it as 1999-02-10"),
            ("1999-02-01,x,PS,0,,0,HANG,0,", "arrival_s 'x' is not a number of seconds"),
            ("1999-02-01,-1,PS,0,,0,HANG,0,", "arrival_s -1 is not between 0 and 86400"),
            ("1999-02-01,86400,PS,0,,0,HANG,0,", "arrival_s 86400 is after midnight: it must be below 86400"),
            ("1999-02-01,NaN,PS,0,,0,HANG,0,", "arrival_s NaN is not between 0 and 86400"),
            ("1999-02-01,5,,0,,0,HANG,0,", "type is empty"),
            ("1999-02-01,5,PS,256,,0,HANG,0,", "priority '256' is not a whole number from 0 to 255"),
            ("1999-02-01,5,PS,0,,inf,HANG,0,", "queue_s inf is not between 0 and 86400"),
            ("1999-02-01,5,PS,0,,0,GONE,0,", "outcome 'GONE' is neither AGENT nor HANG"),
            ("1999-02-01,5,PS,0,,0,AGENT,,A1", "service_s is empty for a served call"),
            ("1999-02-01,5,PS,0,,0,HANG,-9,", "service_s -9 is not between 0 and 86400"),
            ("1999-02-01,5,PS,0,,0,HANG", "7 fields, the header has 9"),
        ] {
            assert_eq!(message(&format!("{GOOD}{bad}\n{GOOD}")), format!("t.csv:3: {reason}"));
        }
    }

    #[test]
    fn an_unusable_file_says_why() {
        assert_eq!(message(""), "t.csv:1: no calls follow the header");
        let error = read_from("t.csv", "date,type\n".as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with("t.csv:1: column 'arrival_s' is missing"), "{error}");
        let twice = HEADER.replace("customer", "type");
        let error = read_from("t.csv", twice.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "t.csv:1: column 'type' is there twice");
        let bytes = [HEADER.as_bytes(), b"1999-02-01,5,\xff,0,,0,HANG,0,\n"].concat();
        let error = read_from("t.csv", &bytes[..]).unwrap_err().to_string();
        assert!(error.starts_with("t.csv:2: not UTF-8"), "{error}");
        let error = read(Path::new("no-such-trace.csv")).unwrap_err().to_string();
        assert!(error.starts_with("no-such-trace.csv: "), "{error}");
    }
}
