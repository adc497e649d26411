//! What happens, while it happens: a table drawn anew on a terminal, a line now and then elsewhere.

use comfy_table::{Cell, CellAlignment, Table, presets};
use routing::Span;
use simulator::load::{Figures, Progress, QueueFigures, Watcher};
use std::io::{IsTerminal, stderr};
use std::time::Duration;

/// Between two pictures on a terminal.
const PICTURE: Duration = Duration::from_millis(250);
/// Between two lines elsewhere.
const LINE: Duration = Duration::from_secs(5);
/// Rows of a table; more queues are summed up.
const ROWS_MAX: usize = 24;

/// Shows the progress until it is aborted.
pub async fn show(watcher: Watcher) {
    if stderr().is_terminal() {
        let mut height = 0;
        loop {
            let picture = picture(&watcher.progress());
            // Back up over the former picture, and clear from there.
            let back = if height > 0 { format!("\x1b[{height}A\x1b[J") } else { String::new() };
            eprintln!("{back}{picture}");
            height = picture.lines().count();
            tokio::time::sleep(PICTURE).await;
        }
    }
    loop {
        eprintln!("{}", line(&watcher.progress()));
        tokio::time::sleep(LINE).await;
    }
}

fn clock(at: Span) -> String {
    let s = at.0 / 1_000_000;
    format!("{:02}:{:02}:{:02}", s / 3_600, s / 60 % 60, s % 60)
}

fn total<'a>(queues: impl Iterator<Item = &'a QueueFigures>) -> QueueFigures {
    queues.fold(QueueFigures { name: "all".to_owned(), ..QueueFigures::default() }, |mut sum, queue| {
        sum.arrivals += queue.arrivals;
        sum.waiting += queue.waiting;
        sum.served += queue.served;
        sum.abandoned += queue.abandoned;
        sum
    })
}

fn line(progress: &Progress) -> String {
    let all = total(progress.sites.iter().flat_map(|(_, figures)| &figures.queues));
    let sum = |of: fn(&Figures) -> u64| progress.sites.iter().map(|(_, figures)| of(figures)).sum::<u64>();
    format!(
        "{} of {}: {} arrived, {} waiting, {} served, {} left; {} of {} agents busy",
        clock(progress.now),
        clock(progress.length),
        all.arrivals,
        all.waiting,
        all.served,
        all.abandoned,
        sum(|figures| figures.busy),
        sum(|figures| figures.on_duty)
    )
}

fn picture(progress: &Progress) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["domain", "queue", "arrived", "waiting", "served", "left", "agents busy"]);
    let number = |count: u64| Cell::new(count).set_alignment(CellAlignment::Right);
    let mut row = |domain: &str, queue: &QueueFigures, agents: &str| {
        table.add_row([
            Cell::new(domain),
            Cell::new(&queue.name),
            number(queue.arrivals),
            number(queue.waiting),
            number(queue.served),
            number(queue.abandoned),
            Cell::new(agents).set_alignment(CellAlignment::Right),
        ]);
    };
    let detailed =
        progress.sites.iter().map(|(_, figures)| figures.queues.len() + 1).sum::<usize>() <= ROWS_MAX;
    for (number, (_, figures)) in progress.sites.iter().enumerate() {
        let domain = format!("{}", number + 1);
        if detailed {
            for queue in &figures.queues {
                row(&domain, queue, "");
            }
        }
        let agents = format!("{} of {}", figures.busy, figures.on_duty);
        row(&domain, &total(figures.queues.iter()), &agents);
    }
    format!("{}\n{table}", line(progress))
}
