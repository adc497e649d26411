//! Pictures of a run as inline SVG.

use super::curves::{Curve, Curves};
use super::{CallEnd, CallRecord};
use plotters::coord::Shift as Offset;
use plotters::prelude::*;

const SIZE: (u32, u32) = (600, 270);
const BLUE: RGBColor = RGBColor(37, 99, 175);
const ORANGE: RGBColor = RGBColor(214, 106, 26);
const GREY: RGBColor = RGBColor(130, 138, 148);
const GRID: RGBColor = RGBColor(228, 231, 235);
const TEXT: RGBColor = RGBColor(70, 78, 88);

/// A picture failed: plotters' reason.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw: {0}")]
pub struct CannotDraw(String);

type Drawn = Result<String, CannotDraw>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Offset>;

/// How a curve is drawn.
enum Style {
    Filled(RGBColor),
    Line(RGBColor),
    Thin(RGBColor),
}

/// People waiting over the day.
pub(super) fn queue(curves: &Curves) -> Drawn {
    let peak = ("most at once", &curves.waiting_peak, Style::Thin(ORANGE));
    let mean = ("mean", &curves.waiting, Style::Filled(BLUE));
    over_time(curves.hours, "callers waiting", &[mean, peak])
}

/// Staff and its use over the day.
pub(super) fn occupancy(curves: &Curves) -> Drawn {
    let busy = ("in contact", &curves.busy, Style::Filled(BLUE));
    let present = ("on shift", &curves.present, Style::Line(GREY));
    over_time(curves.hours, "agents", &[busy, present])
}

/// Latencies of offers over the day.
pub(super) fn latency(curves: &Curves) -> Drawn {
    let high = ("99th percentile", &curves.latency.1, Style::Thin(ORANGE));
    let median = ("median", &curves.latency.0, Style::Line(BLUE));
    over_time(curves.hours, "ms from cause to offer", &[high, median])
}

/// How long callers waited, by how it ended.
pub(super) fn waits(records: &[CallRecord]) -> Drawn {
    const BARS: usize = 40;
    let mut waited: Vec<(f64, bool)> = records
        .iter()
        .filter(|call| call.waited)
        .map(|call| (call.wait.as_seconds_f64(), matches!(call.end, CallEnd::Served { .. })))
        .collect();
    waited.sort_by(|a, b| a.0.total_cmp(&b.0));
    // The longest waits go into the last bar, so that one of them does not flatten all the others.
    let long = waited.get(waited.len() * 99 / 100).map_or(1.0, |(wait, _)| *wait);
    let width = nice(long / 40.0);
    let mut served = [0_u32; BARS];
    let mut left = [0_u32; BARS];
    for (wait, was_served) in &waited {
        let bar = bar(*wait / width, BARS);
        if *was_served { served[bar] += 1 } else { left[bar] += 1 }
    }
    let top = served.iter().zip(&left).map(|(a, b)| a + b).max().unwrap_or(0).max(1);
    draw(|area| {
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(38)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..width * 40.0, 0.0..f64::from(top) * 1.12)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GREY)
            .label_style(("sans-serif", 13).into_font().color(&TEXT))
            .x_desc("seconds waited, by those who waited (the last bar: and longer)")
            .y_desc("callers")
            .x_label_formatter(&|value| format!("{value:.0}"))
            .y_label_formatter(&|value| format!("{value:.0}"))
            .draw()?;
        let bars = |counts: [u32; BARS], below: [u32; BARS], colour: RGBColor| {
            counts.into_iter().zip(below).zip(0_u32..).filter(|((count, _), _)| *count > 0).map(
                move |((count, below), index)| {
                    let x = f64::from(index) * width;
                    let y = f64::from(below);
                    let corners = [(x + width * 0.06, y), (x + width * 0.94, y + f64::from(count))];
                    Rectangle::new(corners, colour.filled())
                },
            )
        };
        chart.draw_series(bars(served, [0; BARS], BLUE))?.label("answered").legend(|(x, y)| key(x, y, BLUE));
        chart
            .draw_series(bars(left, served, ORANGE))?
            .label("hung up or unserved")
            .legend(|(x, y)| key(x, y, ORANGE));
        legend(&mut chart)?;
        Ok(())
    })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast of a float saturates")]
fn bar(position: f64, bars: usize) -> usize {
    (position as usize).min(bars - 1)
}

/// 1, 2 or 5 times a power of ten, not below the value.
fn nice(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(1e-3).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= value).unwrap_or(power)
}

fn over_time(hours: f64, what: &str, curves: &[(&str, &Curve, Style)]) -> Drawn {
    let top = curves.iter().flat_map(|(_, curve, _)| curve.iter()).map(|(_, y)| *y).fold(0.0, f64::max);
    let top = if top > 0.0 { top * 1.15 } else { 1.0 };
    draw(|area| {
        let mut chart = ChartBuilder::on(area)
            .margin(10)
            .margin_right(24)
            .x_label_area_size(38)
            .y_label_area_size(52)
            .build_cartesian_2d(0.0..hours.max(1e-9), 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GREY)
            .label_style(("sans-serif", 13).into_font().color(&TEXT))
            .x_labels(13)
            .x_desc("hours since the start")
            .y_desc(what)
            .x_label_formatter(&|value| trimmed(*value))
            .y_label_formatter(&|value| trimmed(*value))
            .draw()?;
        for (name, curve, style) in curves {
            let points = curve.iter().copied();
            match style {
                Style::Filled(colour) => {
                    let series =
                        AreaSeries::new(points, 0.0, colour.mix(0.35)).border_style(colour.stroke_width(1));
                    let colour = *colour;
                    chart.draw_series(series)?.label(*name).legend(move |(x, y)| key(x, y, colour));
                }
                Style::Line(colour) => {
                    let colour = *colour;
                    let series = LineSeries::new(points, colour.stroke_width(2));
                    chart.draw_series(series)?.label(*name).legend(move |(x, y)| key(x, y, colour));
                }
                Style::Thin(colour) => {
                    let colour = *colour;
                    let series = LineSeries::new(points, colour.stroke_width(1));
                    chart.draw_series(series)?.label(*name).legend(move |(x, y)| key(x, y, colour));
                }
            }
        }
        legend(&mut chart)?;
        Ok(())
    })
}

/// At most two digits after the point, none that say nothing.
fn trimmed(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn key(x: i32, y: i32, colour: RGBColor) -> Rectangle<(i32, i32)> {
    Rectangle::new([(x + 4, y - 4), (x + 14, y + 5)], colour.filled())
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;
type Failed = Box<dyn std::error::Error>;

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>) -> Result<(), Failed> {
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE.mix(0.85))
        .label_font(("sans-serif", 13).into_font().color(&TEXT))
        .draw()
        .map_err(|error| error.to_string().into())
}

fn draw(paint: impl FnOnce(&Area<'_>) -> Result<(), Failed>) -> Drawn {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let drawn = paint(&area).and_then(|()| area.present().map_err(Into::into));
        drawn.map_err(|error| CannotDraw(error.to_string()))?;
    }
    // Scales with the page instead of keeping its size in pixels.
    let (width, height) = SIZE;
    Ok(svg.replacen(&format!("width=\"{width}\" height=\"{height}\" "), "", 1))
}
