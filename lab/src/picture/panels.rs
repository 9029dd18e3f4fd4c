//! The parts of an evaluation's sheet, each drawn into an area with its headline.

use super::canvas::{Align, Canvas, Ink, text_width};
use super::{capitalised, class_ink};
use crate::eval::{Agreement, Evaluation, ListeningPoint, NothingReport, ReliabilityBin, Report};

/// Where a part stands on the sheet.
#[derive(Clone, Copy, Debug)]
pub struct Area {
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// From the left edge to the right one.
    pub width: f32,
    /// From the upper edge to the lower one.
    pub height: f32,
}

/// The colour of a full cell, and of a curve that stands alone.
const FULL: Ink = Ink(0x00, 0x5a, 0x8c);
/// The second of two curves.
const SECOND: Ink = Ink(0xd5, 0x5e, 0x00);
const RIGHT: Ink = Ink(0x00, 0x9e, 0x73);
const WRONG: Ink = Ink(0xd5, 0x5e, 0x00);
const OPEN: Ink = Ink(0xc9, 0xce, 0xd6);
/// Height of a headline with the room below it.
const HEAD: f32 = 34.0;
/// Height of a line in a list.
const LINE: f32 = 21.0;

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn headline(canvas: &mut Canvas, area: Area, text: &str, note: &str) {
    canvas.text(area.x, area.y + 8.0, 15.0, Align::Left, true, Ink::DARK, text);
    let x = area.x + text_width(text, 15.0) + 14.0;
    canvas.text(x, area.y + 8.5, 11.5, Align::Left, false, Ink::MUTED, note);
}

/// Side of a cell of the confusion matrix, and the room for class names beside it.
fn cell(report: &Report, width: f32) -> (f32, f32) {
    let names = report.classes.iter().map(|class| text_width(&capitalised(class), 12.5)).fold(0.0, f32::max);
    let names = names.min(0.3 * width) + 12.0;
    (((width - names) / report.classes.len() as f32).min(74.0), names)
}

/// Height that the confusion matrix needs at this width.
pub fn confusion_height(report: &Report, width: f32) -> f32 {
    HEAD + 24.0 + report.classes.len() as f32 * cell(report, width).0.min(56.0)
}

/// Clips by true and named class.
pub fn confusion(canvas: &mut Canvas, area: Area, report: &Report) {
    headline(canvas, area, "Confusion", "rows: what it is; columns: what it is named; clips");
    let (wide, names) = cell(report, area.width);
    let high = wide.min(56.0);
    let (left, top) = (area.x + names, area.y + HEAD + 24.0);
    for (i, class) in report.classes.iter().enumerate() {
        let name = capitalised(class);
        let fitting = |room: f32| (12.5 * room / text_width(&name, 12.5)).min(12.5);
        let (x, y) = (left + (i as f32 + 0.5) * wide, top + (i as f32 + 0.5) * high);
        canvas.text(x, top - 11.0, fitting(wide - 6.0), Align::Centre, true, Ink::DARK, &name);
        canvas.text(left - 12.0, y, fitting(names - 12.0), Align::Right, true, Ink::DARK, &name);
    }
    for (row, counts) in report.confusion.iter().enumerate() {
        let total: usize = counts.iter().sum();
        for (column, &clips) in counts.iter().enumerate() {
            let share = clips as f32 / total.max(1) as f32;
            let ink = if clips == 0 { Ink::FAINT.tint(0.35) } else { FULL.tint(0.08 + 0.92 * share) };
            let (x, y) = (left + column as f32 * wide, top + row as f32 * high);
            canvas.rect(x + 1.0, y + 1.0, wide - 2.0, high - 2.0, ink);
            if clips > 0 {
                let (x, y, size) = (x + wide / 2.0, y + high / 2.0, high / 56.0);
                let (count, share) = (clips.to_string(), format!("{:.0} %", 100.0 * share));
                canvas.text(x, y - 8.0 * size, 16.0 * size, Align::Centre, true, ink.text_on(), &count);
                canvas.text(x, y + 11.0 * size, 11.0 * size, Align::Centre, false, ink.text_on(), &share);
            }
        }
    }
}

/// Recall and precision of each class as bars.
pub fn classes(canvas: &mut Canvas, area: Area, report: &Report) {
    headline(
        canvas,
        area,
        "Recall and precision",
        "upper bar: how many are found; lower: how many namings are right",
    );
    let step = (area.height - HEAD) / report.classes.len() as f32;
    let names = cell(report, area.width).1;
    let (left, reach) = (area.x + names, area.width - names - 56.0);
    for (i, class) in report.per_class.iter().enumerate() {
        let (y, high) = (area.y + HEAD + i as f32 * step, (0.36 * step).min(20.0));
        let middle = y + step / 2.0;
        let name = capitalised(&class.class);
        let size = (12.5 * (names - 12.0) / text_width(&name, 12.5)).min(12.5);
        canvas.text(left - 12.0, middle, size, Align::Right, true, Ink::DARK, &name);
        for (share, top, tint) in
            [(class.recall, middle - high - 1.0, 0.95), (class.precision, middle + 1.0, 0.5)]
        {
            canvas.rect(left, top, reach, high, Ink::FAINT.tint(0.45));
            let text = share.map_or("–".to_owned(), percent);
            canvas.rect(left, top, reach * share.unwrap_or(0.0) as f32, high, class_ink(i).tint(tint));
            canvas.text(left + reach + 8.0, top + high / 2.0, 11.5, Align::Left, false, Ink::DARK, &text);
        }
    }
}

/// A square of axes: the plot's own area, with a grid and percent on both sides where asked for.
fn axes(canvas: &mut Canvas, area: Area) -> Area {
    let plot = Area {
        x: area.x + 44.0,
        y: area.y + HEAD,
        width: area.width - 60.0,
        height: area.height - HEAD - 34.0,
    };
    canvas.rect(plot.x, plot.y, plot.width, plot.height, Ink::FAINT.tint(0.3));
    for share in [0, 20, 40, 60, 80, 100] {
        let y = plot.y + plot.height * (1.0 - share as f32 / 100.0);
        canvas.line(&[(plot.x, y), (plot.x + plot.width, y)], 0.6, Ink::FAINT);
        canvas.text(plot.x - 8.0, y, 11.0, Align::Right, false, Ink::MUTED, &format!("{share} %"));
    }
    plot
}

/// Balanced accuracy against listening time, and what guessing gives.
pub fn listening(canvas: &mut Canvas, area: Area, points: &[ListeningPoint], chance: f64) {
    headline(canvas, area, "Accuracy against listening time", "balanced; each excerpt heard alone");
    let plot = axes(canvas, area);
    let known: Vec<&ListeningPoint> =
        points.iter().filter(|point| point.balanced_accuracy.is_some()).collect();
    let ends = points
        .iter()
        .map(|point| point.seconds.ln())
        .fold((f64::MAX, f64::MIN), |e, x| (e.0.min(x), e.1.max(x)));
    let x = |seconds: f64| {
        plot.x + plot.width * (0.06 + 0.88 * ((seconds.ln() - ends.0) / (ends.1 - ends.0).max(1e-9)) as f32)
    };
    let y = |share: f64| plot.y + plot.height * (1.0 - share as f32);
    let mut from = plot.x;
    while from < plot.x + plot.width {
        canvas.line(&[(from, y(chance)), (from + 4.0, y(chance))], 1.0, Ink::MUTED);
        from += 9.0;
    }
    let right = plot.x + plot.width - 6.0;
    canvas.text(right, y(chance) + 10.0, 11.0, Align::Right, false, Ink::MUTED, "guessing");
    let place = |point: &ListeningPoint| (x(point.seconds), y(point.balanced_accuracy.unwrap_or(0.0)));
    canvas.line(&known.iter().map(|point| place(point)).collect::<Vec<_>>(), 2.2, FULL);
    for point in known {
        let (x, y) = place(point);
        canvas.dot(x, y, 4.5, FULL);
        let text = percent(point.balanced_accuracy.unwrap_or(0.0));
        canvas.text(x, y - 15.0, 12.0, Align::Centre, true, Ink::DARK, &text);
    }
    for point in points {
        let text = format!("{} s", point.seconds);
        canvas.text(
            x(point.seconds),
            plot.y + plot.height + 14.0,
            11.5,
            Align::Centre,
            false,
            Ink::DARK,
            &text,
        );
    }
}

/// Accuracy against confidence: what is well calibrated lies on the diagonal.
pub fn reliability(canvas: &mut Canvas, area: Area, report: &Report) {
    headline(canvas, area, "Reliability", "how often a naming is right, by how probable it was said to be");
    let plot = axes(canvas, area);
    let place = |confidence: f64, accuracy: f64| {
        (plot.x + plot.width * confidence as f32, plot.y + plot.height * (1.0 - accuracy as f32))
    };
    for share in [0, 20, 40, 60, 80, 100] {
        let (x, y) = place(f64::from(share) / 100.0, 0.0);
        canvas.text(x, y + 14.0, 11.0, Align::Centre, false, Ink::MUTED, &format!("{share} %"));
    }
    canvas.line(&[place(0.0, 0.0), place(1.0, 1.0)], 1.2, OPEN);
    let curves: [(&[ReliabilityBin], Ink, &str, Option<f64>); 2] = [
        (&report.reliability_3s, SECOND, "3 s", report.expected_calibration_error_3s),
        (&report.reliability, FULL, "clips", Some(report.expected_calibration_error)),
    ];
    let mut key = plot.y + 16.0;
    for (bins, ink, name, error) in curves {
        let total: usize = bins.iter().map(|bin| bin.count).sum();
        let bins: Vec<&ReliabilityBin> = bins.iter().filter(|bin| bin.count > 0).collect();
        let Some(error) = error.filter(|_| total > 0) else { continue };
        let points: Vec<(f32, f32)> = bins.iter().map(|bin| place(bin.confidence, bin.accuracy)).collect();
        canvas.line(&points, 1.6, ink);
        for (bin, (x, y)) in bins.iter().zip(points) {
            // The area stands for the number.
            canvas.dot(x, y, 2.0 + 14.0 * (bin.count as f32 / total as f32).sqrt(), ink.tint(0.75));
        }
        canvas.dot(plot.x + 18.0, key, 5.0, ink.tint(0.75));
        let text = format!("{name}: off by {} on average", percent(error));
        canvas.text(plot.x + 30.0, key, 12.0, Align::Left, false, Ink::DARK, &text);
        key += 20.0;
    }
}

/// Parts of a whole with their names and colours.
type Parts = Vec<(f64, &'static str, Ink)>;

/// The bars of [`sharing`]: what they are of, and their parts.
fn shares(evaluation: &Evaluation) -> Vec<(String, Parts)> {
    let mut bars: Vec<(String, Parts)> = Vec::new();
    if let Some(steady) = &evaluation.steady {
        let rest = (1.0 - steady.right - steady.wrong - steady.uncertain).max(0.0);
        let parts = vec![
            (steady.right, "right", RIGHT),
            (steady.uncertain, "uncertain", OPEN),
            (steady.wrong, "wrong", WRONG),
            (rest, "waiting", Ink::FAINT),
        ];
        let first = steady.first_decision_right.map_or(String::new(), |share| {
            format!("; the first genre named is right in {} of the clips", percent(share))
        });
        bars.push((format!("Time while a clip plays, {:.0} minutes{first}", steady.minutes), parts));
    }
    if let Some(starts) = &evaluation.starts {
        let later = (1.0 - starts.within_1_5_s - starts.never).max(0.0);
        let parts = vec![
            (starts.within_1_5_s, "within 1.5 s", RIGHT),
            (later, "within 10 s", RIGHT.tint(0.45)),
            (starts.never, "not within 10 s", WRONG),
        ];
        bars.push((format!("Recognised after a cut from another genre, {} cuts", starts.starts), parts));
    }
    bars
}

/// Height of one bar with its title and key.
const SHARE: f32 = 86.0;

/// Height that [`sharing`] needs.
pub fn sharing_height(evaluation: &Evaluation) -> f32 {
    HEAD + shares(evaluation).len() as f32 * SHARE
}

/// How the decision stage spends its time, and how soon it follows a cut.
pub fn sharing(canvas: &mut Canvas, area: Area, evaluation: &Evaluation) {
    headline(canvas, area, "Decisions", "with the plugin's default settings");
    let mut y = area.y + HEAD;
    for (title, parts) in shares(evaluation) {
        canvas.text(area.x, y + 6.0, 12.0, Align::Left, false, Ink::DARK, &title);
        let mut x = area.x;
        let mut key = area.x;
        for (share, name, ink) in parts.into_iter().filter(|part| part.0 > 0.0005) {
            let width = area.width * share as f32;
            canvas.rect(x, y + 18.0, (width - 1.0).max(0.5), 26.0, ink);
            x += width;
            let text = format!("{name} {}", percent(share));
            canvas.rect(key, y + 53.0, 11.0, 11.0, ink);
            canvas.text(key + 16.0, y + 59.0, 11.5, Align::Left, false, Ink::DARK, &text);
            key += text_width(&text, 11.5) + 34.0;
        }
        y += SHARE;
    }
}

/// Most kinds that are shown one by one.
const MOST_KINDS: usize = 12;

/// Height that [`nothing`] needs.
pub fn nothing_height(report: &NothingReport) -> f32 {
    HEAD + report.kinds.len().min(MOST_KINDS) as f32 * LINE
}

/// How often a genre is claimed of each kind of sound of nothing.
pub fn nothing(canvas: &mut Canvas, area: Area, report: &NothingReport) {
    headline(canvas, area, "Noise, tones, room tone", "share of the time in which a genre is claimed");
    let mut kinds: Vec<_> = report.kinds.iter().collect();
    if kinds.len() > MOST_KINDS {
        kinds.sort_by(|a, b| b.claimed.total_cmp(&a.claimed));
        kinds.truncate(MOST_KINDS);
    }
    let rows = kinds.iter().map(|kind| (kind.kind.as_str(), Some(kind.claimed), None));
    list(canvas, Area { y: area.y + HEAD, ..area }, 130.0, rows, 0.0, |share| {
        if share > 0.05 { WRONG } else { RIGHT }
    });
}

/// Height that [`robustness`] needs; 0 when there is nothing to show.
pub fn robustness_height(rows: &[Agreement]) -> f32 {
    if rows.is_empty() { 0.0 } else { HEAD + rows.len().div_ceil(2) as f32 * LINE }
}

/// How often a clip keeps its name when it is played in another way.
pub fn robustness(canvas: &mut Canvas, area: Area, rows: &[Agreement]) {
    headline(
        canvas,
        area,
        "However it is played",
        "clips that are named as the original is; bars begin at 80 %",
    );
    let width = (area.width - 44.0) / 2.0;
    for (column, half) in rows.chunks(rows.len().div_ceil(2)).enumerate() {
        let x = area.x + column as f32 * (width + 44.0);
        let rows = half.iter().map(|one| (one.change.as_str(), one.agree, one.remark.as_deref()));
        let area = Area { x, y: area.y + HEAD, width, height: area.height - HEAD };
        list(canvas, area, 170.0, rows, 0.8, |share| if share < 0.98 { WRONG } else { RIGHT });
    }
}

/// Named shares as bars, one a line, from `least` to 1. A row without a share shows its remark.
fn list<'a>(
    canvas: &mut Canvas,
    area: Area,
    names: f32,
    rows: impl Iterator<Item = (&'a str, Option<f64>, Option<&'a str>)>,
    least: f64,
    ink: impl Fn(f64) -> Ink,
) {
    let (left, reach) = (area.x + names, area.width - names - 56.0);
    for (i, (name, share, remark)) in rows.enumerate() {
        let y = area.y + (i as f32 + 0.5) * LINE;
        let size = (12.0 * (names - 12.0) / text_width(name, 12.0)).min(12.0);
        canvas.text(left - 12.0, y, size, Align::Right, false, Ink::DARK, name);
        canvas.rect(left, y - 6.5, reach, 13.0, Ink::FAINT.tint(0.45));
        if let Some(share) = share {
            let width = reach * ((share - least) / (1.0 - least)).clamp(0.0, 1.0) as f32;
            canvas.rect(left, y - 6.5, width, 13.0, ink(share).tint(0.8));
            canvas.text(left + reach + 8.0, y, 11.5, Align::Left, false, Ink::DARK, &percent(share));
        } else if let Some(remark) = remark {
            let size = (11.0 * (reach - 10.0) / text_width(remark, 11.0)).min(11.0);
            canvas.text(left + 6.0, y, size, Align::Left, false, Ink::MUTED, remark);
        }
    }
}
