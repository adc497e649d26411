//! The report for people at a terminal.

use super::{DayFigures, ExpectedWaits, QueueFigures, Report, Shares};
use comfy_table::{Cell, CellAlignment, Table, presets};

/// The figures as text, with the days beside their log where there are any.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut table = new(&["figure", "value", &interval_title(report)]);
    let mut row = |name: &str, value: String, key: &str, percent: bool| {
        let interval = report.intervals.get(key).map_or(String::new(), |interval| {
            if percent {
                format!("{:.2} to {:.2} %", interval.low * 100.0, interval.high * 100.0)
            } else {
                format!("{:.3} to {:.3}", interval.low, interval.high)
            }
        });
        table.add_row(vec![Cell::new(name), right(value), right(interval)]);
    };
    for (name, count) in [
        ("arrivals", report.arrivals),
        ("served", report.served),
        ("abandoned", report.abandoned),
        ("unserved", report.unserved),
    ] {
        row(name, count.to_string(), "", false);
    }
    let percent = |share: f64| format!("{:.2} %", share * 100.0);
    row("waited", percent(report.waited_share), "waited_share_ci", true);
    if let Some(probability) = report.wait_probability {
        row("not answered at once", percent(probability), "wait_probability_ci", true);
    }
    row("abandoned", percent(report.abandoned_share), "abandoned_share_ci", true);
    row("wait, mean", format!("{:.3} s", report.wait_mean_s), "wait_mean_s_ci", false);
    row("wait, 90th percentile", format!("{:.2} s", report.wait_p90_s), "wait_p90_s_ci", false);
    let level = format!("answered within {} s", report.threshold_s);
    row(&level, percent(report.service_level), "service_level_ci", true);
    row("contact, mean", format!("{:.2} s", report.service_mean_s), "service_mean_s_ci", false);
    row("answer to an offer, mean", format!("{:.3} s", report.answer_mean_s), "", false);
    row("occupancy", percent(report.occupancy), "occupancy_ci", true);
    if let Some(latency) = report.offer_latency_ms {
        let text = format!("{:.2} / {:.2} / {:.2} ms", latency.p50, latency.p99, latency.p999);
        row("offer latency p50 / p99 / p99.9", text, "", false);
    }
    for (name, count) in
        [("acknowledged", report.acknowledged), ("lost", report.lost), ("unknown", report.unknown)]
    {
        if let Some(count) = count {
            row(name, count.to_string(), "", false);
        }
    }
    if let Some(gap) = report.longest_gap_ms {
        row("longest gap without an offer", format!("{gap:.1} ms"), "", false);
    }
    row("broken promises", report.broken_promises.to_string(), "", false);
    let mut text = format!("{}: {}\n{table}\n", report.source, report.workload);
    if !report.queues.is_empty() {
        text.push_str(&format!("\nby queue\n{}\n", queues(report)));
    }
    if !report.days.is_empty() {
        text.push_str(&format!("\nsimulated | logged\n{}\n", days(&report.days)));
    }
    if let Some(expected) = &report.expected_wait {
        text.push_str(&waits(expected));
    }
    for note in &report.notes {
        text.push_str(&format!("- {note}\n"));
    }
    text
}

/// How far expected waits were off.
fn waits(expected: &ExpectedWaits) -> String {
    let ExpectedWaits { answered, abandoned, unserved, unknown, ways } = expected;
    let mut table = new(&[
        "estimate",
        "waits",
        "mean s",
        "deviation s",
        "MAE s",
        "RMSE s",
        "bias s",
        "±30 s %",
        "±half %",
    ]);
    for row in ways {
        let name = match row.way.as_str() {
            "answer" => "as answered",
            "queue_length" => "queue length",
            "head_of_line" => "head of line",
            "plain_exits" => "plain exits, 15 min",
            "mean_wait" => "mean wait, 15 min",
            "queue_length_of_both" => "queue length, of both",
            "head_of_line_of_both" => "head of line, of both",
            other => other,
        };
        let seconds = |figure: f64| right(format!("{figure:.1}"));
        let percent = |share: f64| right(format!("{:.1}", share * 100.0));
        table.add_row(vec![
            Cell::new(name),
            right(row.waits.to_string()),
            seconds(row.wait_mean_s),
            seconds(row.wait_deviation_s),
            seconds(row.absolute_mean_s),
            seconds(row.root_mean_square_s),
            seconds(row.bias_s),
            percent(row.within_30_s),
            percent(row.within_half),
        ]);
    }
    format!(
        "\nexpected wait | error of the estimate when the wait began\n{table}\n- Compared: {answered} calls that waited \
         and were answered, {unknown} of them without an estimate. {abandoned} callers who left are not: how long it \
         would have been is not known ({unserved} more were unserved).\n"
    )
}

/// The queues one below the other; of the mean wait with its interval.
fn queues(report: &Report) -> Table {
    let within = format!("within {} s %", report.threshold_s);
    let interval = interval_title(report);
    let mut table = new(&["queue", "calls", "waited %", "abandoned %", &within, "mean wait s", &interval]);
    for queue in &report.queues {
        let QueueFigures { waited_share, abandoned_share, service_level, wait_mean_s, intervals, .. } = queue;
        let percent = |share: &f64| right(format!("{:.1}", share * 100.0));
        let interval = intervals.get("wait_mean_s_ci");
        table.add_row(vec![
            Cell::new(&queue.queue),
            right(queue.arrivals.to_string()),
            percent(waited_share),
            percent(abandoned_share),
            percent(service_level),
            right(format!("{wait_mean_s:.2}")),
            right(interval.map_or(String::new(), |ci| format!("{:.2} to {:.2}", ci.low.max(0.0), ci.high))),
        ]);
    }
    table
}

fn days(days: &[DayFigures]) -> Table {
    let mut table = new(&["day", "calls", "waited %", "abandoned %", "mean wait s", "mean contact s"]);
    for day in days {
        let both = |figure: fn(&Shares) -> f64| {
            right(format!("{:.1} | {:.1}", figure(&day.simulated), figure(&day.logged)))
        };
        table.add_row(vec![
            Cell::new(&day.day),
            right(format!("{} | {}", day.simulated.arrivals, day.logged.arrivals)),
            both(|shares| shares.waited_share * 100.0),
            both(|shares| shares.abandoned_share * 100.0),
            both(|shares| shares.wait_mean_s),
            both(|shares| shares.service_mean_s),
        ]);
    }
    table
}

fn interval_title(report: &Report) -> String {
    match report.confidence {
        Some(confidence) => format!("{} % interval", (confidence * 1e4).round() / 100.0),
        None => String::new(),
    }
}

fn new(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(titles.iter().map(Cell::new));
    table
}

fn right(text: String) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}
