//! The report as one HTML page that needs nothing else.

use super::curves::Curves;
use super::plots::{self, CannotDraw};
use super::{CallRecord, Interval, Report, Shares};
use crate::workload::Workload;
use routing::Span;
use std::fmt::Write;

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// The figures.
    pub report: &'a Report,
    /// The staff and the length of the day.
    pub workload: &'a Workload,
    /// The calls: those of the first run where there were several.
    pub records: &'a [CallRecord],
    /// Offers: log time since the start, and milliseconds from what made it possible to the desk.
    pub latencies: &'a [(Span, f64)],
}

const STYLE: &str = "
:root { color: #1f2730; background: #f5f6f8; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 1100px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; margin: 0; } h2 { font-size: 16px; margin: 0 0 6px; }
.sub { color: #5b6570; margin: 2px 0 20px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(128px, 1fr)); gap: 12px; margin-bottom: 16px; }
.tile, .card { background: #fff; border: 1px solid #e2e6ea; border-radius: 8px; padding: 12px 16px; }
.tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
.tile span { color: #5b6570; font-size: 13px; } .bad b { color: #b3261e; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 16px; }
.card { margin-bottom: 0; } .wide { margin-top: 16px; overflow-x: auto; }
.figures { font-size: 13px; } .figures td, .figures th { padding: 2px 8px; }
svg { width: 100%; height: auto; display: block; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 4px 10px; border-bottom: 1px solid #edf0f2; }
th:first-child, td:first-child { text-align: left; } th { color: #5b6570; font-weight: 500; }
td i { color: #8a939c; font-style: normal; } tr.total td { font-weight: 600; }
ul { margin: 0; padding-left: 18px; color: #45505b; }
";

/// Renders the page.
///
/// # Errors
/// A picture cannot be drawn.
pub fn page(page: &Page<'_>) -> Result<String, CannotDraw> {
    let report = page.report;
    let curves = Curves::new(page.workload, page.records, page.latencies);
    let mut html = String::new();
    let title = format!("{}: {}", report.source, escaped(&report.workload));
    let _ = write!(
        html,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1><p class=\"sub\">{}</p>\n",
        subtitle(page)
    );
    html.push_str(&tiles(report));
    html.push_str("<div class=\"cards\">\n");
    card(&mut html, "Callers waiting", &plots::queue(&curves)?);
    card(&mut html, "Agents", &plots::occupancy(&curves)?);
    card(&mut html, "Waits", &plots::waits(page.records)?);
    if !page.latencies.is_empty() {
        card(&mut html, "Latency of offers", &plots::latency(&curves)?);
    }
    html.push_str(&figures(report));
    html.push_str("</div>\n");
    html.push_str(&days(report));
    html.push_str("<div class=\"card wide\"><h2>How it was made</h2><ul>\n");
    for note in &report.notes {
        let _ = writeln!(html, "<li>{}</li>", escaped(note));
    }
    html.push_str("</ul></div>\n</body></html>\n");
    Ok(html)
}

fn subtitle(page: &Page<'_>) -> String {
    let report = page.report;
    let mut text = format!("{} calls, {} agents", report.arrivals, page.workload.agents.len());
    if report.replications > 1 {
        let _ = write!(text, ", {} replications", report.replications);
    }
    if (page.records.len() as u64) < report.arrivals {
        let _ = write!(text, "; pictures show the first {} calls", page.records.len());
        if report.days.len() > 1 {
            let _ = write!(text, ", those of {}", escaped(&page.workload.name));
        }
    }
    text
}

fn tiles(report: &Report) -> String {
    let percent = |share: f64| format!("{:.1} %", share * 100.0);
    let mut tiles = vec![
        ("served", report.served.to_string(), false),
        ("hung up", percent(report.abandoned_share), false),
        ("waited", percent(report.waited_share), false),
        ("mean wait", format!("{:.1} s", report.wait_mean_s), false),
        ("answered in time", percent(report.service_level), false),
        ("occupancy", percent(report.occupancy), false),
    ];
    if let Some(latency) = report.offer_latency_ms {
        tiles.push(("offer latency, p99", format!("{:.1} ms", latency.p99), false));
    }
    tiles.push(("broken promises", report.broken_promises.to_string(), report.broken_promises > 0));
    let mut html = String::from("<div class=\"tiles\">");
    for (name, value, bad) in tiles {
        let class = if bad { "tile bad" } else { "tile" };
        let _ = write!(html, "<div class=\"{class}\"><b>{value}</b><span>{name}</span></div>");
    }
    html + "</div>\n"
}

fn card(html: &mut String, title: &str, svg: &str) {
    let _ = writeln!(html, "<div class=\"card\"><h2>{title}</h2>{svg}</div>");
}

fn figures(report: &Report) -> String {
    let interval = |key: &str, unit: f64, digits: usize| {
        report.intervals.get(key).map_or(String::new(), |Interval { low, high }| {
            format!("{:.digits$} to {:.digits$}", low * unit, high * unit)
        })
    };
    let mut rows = Vec::new();
    let mut share = |name: String, value: f64, key: &str| {
        rows.push((name, format!("{:.2} %", value * 100.0), interval(key, 100.0, 2)));
    };
    share("waited".to_owned(), report.waited_share, "waited_share_ci");
    if let Some(value) = report.wait_probability {
        share("not answered at once".to_owned(), value, "wait_probability_ci");
    }
    share("abandoned".to_owned(), report.abandoned_share, "abandoned_share_ci");
    share(format!("answered within {} s", report.threshold_s), report.service_level, "service_level_ci");
    share("occupancy".to_owned(), report.occupancy, "occupancy_ci");
    let mut time = |name: &str, value: f64, key: &str| {
        rows.push((name.to_owned(), format!("{value:.2} s"), interval(key, 1.0, 2)));
    };
    time("mean wait", report.wait_mean_s, "wait_mean_s_ci");
    time("90th percentile of the wait", report.wait_p90_s, "wait_p90_s_ci");
    time("mean contact", report.service_mean_s, "service_mean_s_ci");
    time("mean answer to an offer", report.answer_mean_s, "");
    let mut count = |name: &str, value: Option<u64>| {
        if let Some(value) = value {
            rows.push((name.to_owned(), value.to_string(), String::new()));
        }
    };
    count("arrivals", Some(report.arrivals));
    count("served", Some(report.served));
    count("abandoned", Some(report.abandoned));
    count("unserved", Some(report.unserved));
    count("commands acknowledged", report.acknowledged);
    count("acknowledged and lost", report.lost);
    count("outcome unknown", report.unknown);
    if let Some(gap) = report.longest_gap_ms {
        rows.push(("longest gap without an offer".to_owned(), format!("{gap:.1} ms"), String::new()));
    }
    if let Some(latency) = report.offer_latency_ms {
        let text = format!("{:.2} / {:.2} / {:.2} ms", latency.p50, latency.p99, latency.p999);
        rows.push(("offer latency p50 / p99 / p99.9".to_owned(), text, String::new()));
    }
    let title =
        report.confidence.map_or(String::new(), |c| format!("{} % interval", (c * 1e4).round() / 100.0));
    let mut html = format!(
        "<div class=\"card figures\"><h2>Figures</h2><table><tr><th>figure</th><th>value</th><th>{title}</th></tr>\n"
    );
    for (name, value, interval) in rows {
        let _ = writeln!(html, "<tr><td>{name}</td><td>{value}</td><td>{interval}</td></tr>");
    }
    html + "</table></div>\n"
}

fn days(report: &Report) -> String {
    if report.days.is_empty() {
        return String::new();
    }
    let mut html = String::from(
        "<div class=\"card wide\"><h2>Simulated, <i style=\"color:#8a939c;font-style:normal\">and as logged</i></h2><table>\
         <tr><th>day</th><th>calls</th><th>waited %</th><th>abandoned %</th><th>mean wait s</th>\
         <th>mean contact s</th></tr>\n",
    );
    for day in &report.days {
        let both = |figure: fn(&Shares) -> f64| {
            format!("<td>{:.1} <i>{:.1}</i></td>", figure(&day.simulated), figure(&day.logged))
        };
        let class = if day.day == "total" { " class=\"total\"" } else { "" };
        let _ = writeln!(
            html,
            "<tr{class}><td>{}</td><td>{} <i>{}</i></td>{}{}{}{}</tr>",
            escaped(&day.day),
            day.simulated.arrivals,
            day.logged.arrivals,
            both(|shares| shares.waited_share * 100.0),
            both(|shares| shares.abandoned_share * 100.0),
            both(|shares| shares.wait_mean_s),
            both(|shares| shares.service_mean_s),
        );
    }
    html + "</table></div>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{CallEnd, report};

    #[test]
    fn the_page_holds_its_pictures_and_escapes_names() {
        let workload = Workload { length: Span::seconds(3_600), ..Workload::default() };
        let end = CallEnd::Abandoned;
        let records = [CallRecord {
            at: Span::ZERO,
            late: Span::ZERO,
            queue: 0,
            wait: Span::seconds(30),
            waited: true,
            end,
        }];
        let mut report = report("day", "<b>", &[], Span::seconds(20), 0.99);
        report.notes.push("a & b".to_owned());
        let latencies = [(Span::seconds(1), 2.0)];
        let html =
            page(&Page { report: &report, workload: &workload, records: &records, latencies: &latencies })
                .unwrap();
        assert_eq!(html.matches("<svg").count(), 4);
        assert!(html.contains("day: &lt;b&gt;") && html.contains("a &amp; b"));
        assert!(
            !html.contains("http://") || html.matches("http://").count() == html.matches("xmlns").count()
        );
        // Nothing to draw is drawn as nothing.
        let empty =
            page(&Page { report: &report, workload: &workload, records: &[], latencies: &[] }).unwrap();
        assert_eq!(empty.matches("<svg").count(), 3);
    }
}
