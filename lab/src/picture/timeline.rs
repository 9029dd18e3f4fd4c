//! Genre probabilities over time, above the waveform they belong to.

use super::canvas::{Align, Canvas, Ink, text_width};
use super::{capitalised, class_ink, save};
use anyhow::{Result, ensure};
use std::path::Path;

/// A stretch of time with a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Where it begins, in seconds.
    pub from: f64,
    /// Where it ends, in seconds.
    pub to: f64,
    /// What is written on it, e.g. `jazz` or `uncertain`.
    pub text: String,
    /// The class whose colour it wears; grey without one.
    pub class: Option<usize>,
}

/// What a timeline shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Timeline<'a> {
    /// Headline.
    pub title: &'a str,
    /// Length in seconds, above 0.
    pub seconds: f64,
    /// Class names.
    pub classes: &'a [String],
    /// Probability of each class at moments spread evenly over the time: one row of `classes.len()` numbers a moment,
    /// row after row.
    pub probabilities: &'a [f32],
    /// Mono samples spread evenly over the time; may be empty.
    pub waveform: &'a [f32],
    /// What really plays, where that is known; may be empty.
    pub truth: &'a [Span],
    /// What was decided; may be empty.
    pub verdicts: &'a [Span],
}

const WIDTH: f32 = 960.0;
const LEFT: f32 = 84.0;
const RIGHT: f32 = 104.0;
const STRIP: f32 = 26.0;
const CURVES: f32 = 220.0;
const WAVE: f32 = 92.0;
const GAP: f32 = 14.0;

/// Draws a timeline as a PNG file, whole or not at all.
///
/// # Errors
/// When the numbers do not fit together, or the file cannot be written.
pub fn timeline(path: &Path, timeline: &Timeline) -> Result<()> {
    let classes = timeline.classes.len();
    ensure!(classes > 0, "a timeline needs classes");
    ensure!(timeline.seconds > 0.0 && timeline.seconds.is_finite(), "a timeline needs a length above 0 s");
    ensure!(
        timeline.probabilities.len().is_multiple_of(classes),
        "{} probabilities are no whole rows of {classes} classes",
        timeline.probabilities.len()
    );
    save(&draw(timeline), path)
}

fn draw(timeline: &Timeline) -> Canvas {
    let strips = [("plays", timeline.truth), ("decided", timeline.verdicts)];
    let strips: Vec<_> = strips.into_iter().filter(|(_, spans)| !spans.is_empty()).collect();
    let wave = if timeline.waveform.is_empty() { 0.0 } else { WAVE + GAP };
    let top = 52.0;
    let curves_top =
        top + strips.len() as f32 * (STRIP + 6.0) + if strips.is_empty() { 0.0 } else { GAP - 6.0 };
    let bottom = curves_top + CURVES + GAP + wave - if wave > 0.0 { 0.0 } else { GAP };
    let mut canvas = Canvas::new(WIDTH, bottom + 46.0);
    canvas.text(LEFT, 26.0, 18.0, Align::Left, true, Ink::DARK, timeline.title);

    let mut y = top;
    for (name, spans) in strips {
        canvas.text(LEFT - 10.0, y + STRIP / 2.0, 12.0, Align::Right, false, Ink::MUTED, name);
        strip(&mut canvas, y, timeline.seconds, spans);
        y += STRIP + 6.0;
    }
    curves(&mut canvas, curves_top, timeline);
    if wave > 0.0 {
        waveform(&mut canvas, curves_top + CURVES + GAP, timeline.waveform);
    }
    time_axis(&mut canvas, curves_top, bottom, timeline.seconds);
    canvas
}

fn plot_width() -> f32 {
    WIDTH - LEFT - RIGHT
}

fn x_at(seconds: f64, of: f64) -> f32 {
    LEFT + plot_width() * (seconds / of).clamp(0.0, 1.0) as f32
}

fn strip(canvas: &mut Canvas, y: f32, seconds: f64, spans: &[Span]) {
    canvas.rect(LEFT, y, plot_width(), STRIP, Ink::FAINT.tint(0.4));
    for span in spans {
        let (from, to) = (x_at(span.from, seconds), x_at(span.to, seconds));
        let ink = span.class.map_or(Ink(0xc9, 0xce, 0xd6), class_ink);
        canvas.rect(from, y, (to - from - 1.0).max(0.5), STRIP, ink);
        let text = capitalised(&span.text);
        if text_width(&text, 12.0) + 8.0 < to - from {
            canvas.text((from + to) / 2.0, y + STRIP / 2.0, 12.0, Align::Centre, true, ink.text_on(), &text);
        }
    }
}

/// Stacked probabilities: at each moment the heights add up to the whole.
fn curves(canvas: &mut Canvas, top: f32, timeline: &Timeline) {
    let classes = timeline.classes.len();
    let rows: Vec<Vec<f32>> = columns(timeline.probabilities, classes);
    canvas.rect(LEFT, top, plot_width(), CURVES, Ink::FAINT.tint(0.4));
    let x = |i: usize| LEFT + plot_width() * i as f32 / (rows.len().max(2) - 1) as f32;
    let y = |share: f32| top + CURVES * (1.0 - share.clamp(0.0, 1.0));
    let mut floor = vec![0.0_f32; rows.len()];
    for class in 0..classes {
        let ceiling: Vec<f32> = floor.iter().zip(&rows).map(|(floor, row)| floor + row[class]).collect();
        let mut outline: Vec<(f32, f32)> =
            ceiling.iter().enumerate().map(|(i, &share)| (x(i), y(share))).collect();
        let upper = outline.clone();
        outline.extend(floor.iter().enumerate().rev().map(|(i, &share)| (x(i), y(share))));
        canvas.area(&outline, class_ink(class).tint(0.85));
        if class + 1 < classes {
            canvas.line(&upper, 0.7, Ink::WHITE);
        }
        floor = ceiling;
    }
    for percent in [0, 25, 50, 75, 100] {
        let at = y(percent as f32 / 100.0);
        canvas.line(&[(LEFT - 4.0, at), (LEFT, at)], 0.8, Ink::MUTED);
        canvas.text(LEFT - 8.0, at, 11.0, Align::Right, false, Ink::MUTED, &format!("{percent} %"));
    }
    // The key stands in the order of the layers, from the top down.
    let spacing = (CURVES / classes as f32).min(24.0);
    for class in 0..classes {
        let at = top + spacing * (classes - 1 - class) as f32 + spacing / 2.0;
        let left = WIDTH - RIGHT + 14.0;
        canvas.rect(left, at - 6.0, 12.0, 12.0, class_ink(class).tint(0.85));
        let name = capitalised(&timeline.classes[class]);
        canvas.text(left + 18.0, at, 12.0, Align::Left, false, Ink::DARK, &name);
    }
    label_layers(canvas, &rows, timeline.classes, x, y);
}

/// Writes a class's name into its layer wherever the layer is thick and long enough, so that colour is not needed.
fn label_layers(
    canvas: &mut Canvas,
    rows: &[Vec<f32>],
    classes: &[String],
    x: impl Fn(usize) -> f32,
    y: impl Fn(f32) -> f32,
) {
    for class in 0..classes.len() {
        let name = capitalised(&classes[class]);
        let needed = text_width(&name, 13.0) + 14.0;
        let thick = |row: &Vec<f32>| row[class] > 0.22;
        let mut start = 0;
        while start < rows.len() {
            let Some(first) = rows[start..].iter().position(thick).map(|offset| start + offset) else {
                break;
            };
            let end =
                rows[first..].iter().position(|row| !thick(row)).map_or(rows.len(), |offset| first + offset);
            if x(end - 1) - x(first) > needed {
                let middle = (first + end) / 2;
                let below: f32 = rows[middle][..class].iter().sum();
                let at = y(below + rows[middle][class] / 2.0);
                let ink = class_ink(class).tint(0.85).text_on();
                canvas.text(x(middle), at, 13.0, Align::Centre, true, ink, &name);
            }
            start = end;
        }
    }
}

/// At most two moments a pixel, each the mean of its neighbourhood.
fn columns(probabilities: &[f32], classes: usize) -> Vec<Vec<f32>> {
    let frames = probabilities.len() / classes;
    let count = frames.min((2.0 * plot_width()) as usize);
    (0..count)
        .map(|i| {
            let (from, to) = (i * frames / count, ((i + 1) * frames / count).max(i * frames / count + 1));
            let mean = |class: usize| {
                (from..to).map(|f| probabilities[f * classes + class]).filter(|p| p.is_finite()).sum::<f32>()
                    / (to - from) as f32
            };
            (0..classes).map(mean).collect()
        })
        .collect()
}

fn waveform(canvas: &mut Canvas, top: f32, samples: &[f32]) {
    canvas.rect(LEFT, top, plot_width(), WAVE, Ink::FAINT.tint(0.4));
    let columns = (plot_width() * Canvas::SCALE) as usize;
    let peak = samples.iter().filter(|x| x.is_finite()).fold(1e-6_f32, |peak, x| peak.max(x.abs()));
    let middle = top + WAVE / 2.0;
    let reach = 0.48 * WAVE / peak;
    for column in 0..columns {
        let from = column * samples.len() / columns;
        let to = ((column + 1) * samples.len() / columns).max(from + 1).min(samples.len());
        let (mut low, mut high, mut power) = (0.0_f32, 0.0_f32, 0.0_f32);
        for &x in samples[from.min(to)..to].iter().filter(|x| x.is_finite()) {
            (low, high, power) = (low.min(x), high.max(x), power + x * x);
        }
        let rms = (power / (to - from.min(to)).max(1) as f32).sqrt();
        let x = LEFT + column as f32 / Canvas::SCALE;
        let bar = 1.0 / Canvas::SCALE;
        canvas.rect(x, middle - high * reach, bar, ((high - low) * reach).max(0.4), Ink(0x9a, 0xa3, 0xaf));
        canvas.rect(x, middle - rms * reach, bar, (2.0 * rms * reach).max(0.4), Ink(0x5c, 0x64, 0x70));
    }
    canvas.text(LEFT - 10.0, middle, 12.0, Align::Right, false, Ink::MUTED, "waveform");
}

fn time_axis(canvas: &mut Canvas, top: f32, bottom: f32, seconds: f64) {
    let steps = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    let step = steps.into_iter().find(|step| seconds / step <= 12.0).unwrap_or(7200.0);
    canvas.line(&[(LEFT, bottom), (WIDTH - RIGHT, bottom)], 1.0, Ink::MUTED);
    let mut tick = 0;
    while f64::from(tick) * step <= seconds * 1.0001 {
        let at = f64::from(tick) * step;
        let x = x_at(at, seconds);
        canvas.line(&[(x, bottom), (x, bottom + 5.0)], 1.0, Ink::MUTED);
        if tick > 0 && x < WIDTH - RIGHT - 1.0 {
            canvas.line(&[(x, top), (x, bottom)], 0.5, Ink::FAINT);
        }
        let text = if step >= 1.0 && seconds >= 120.0 {
            format!("{}:{:02}", at as u64 / 60, at as u64 % 60)
        } else if step >= 1.0 {
            format!("{at:.0} s")
        } else {
            format!("{at:.1} s")
        };
        canvas.text(x, bottom + 16.0, 11.0, Align::Centre, false, Ink::MUTED, &text);
        tick += 1;
    }
}
