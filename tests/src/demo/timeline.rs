//! What the plugin decided over time, and its summary.

use anyhow::Result;
use idiom_engine::genre::GENRES;
use idiom_engine::{Backend, Genre, IdiomSnapshot, Quantization, Verdict};
use idiom_lab::picture::{self, Span};
use std::path::Path;

/// What the plugin said at one time.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Seconds since the start.
    pub time: f64,
    /// What it said.
    pub snapshot: IdiomSnapshot,
}

impl Point {
    /// The genre in force.
    pub fn genre(&self) -> Option<Genre> {
        usize::try_from(self.snapshot.genre).ok().and_then(Genre::from_index)
    }

    /// What the decision stage makes of the sound.
    pub fn verdict(&self) -> Verdict {
        Verdict::ALL.get(self.snapshot.verdict as usize).copied().unwrap_or_default()
    }

    /// The line of the table.
    pub fn row(&self) -> String {
        let s = &self.snapshot;
        let genre = self.genre().map_or("-", Genre::label);
        let number = |index: u32| u8::try_from(index).unwrap_or(u8::MAX);
        let backend = Backend::from_index(number(s.backend)).map_or("?", Backend::label);
        let quantization = match Backend::from_index(number(s.backend)) {
            Some(Backend::Classic | Backend::Spectral) => "-",
            _ => Quantization::from_index(number(s.quantization)).map_or("?", Quantization::label),
        };
        format!(
            "{:>7}  {genre:<11} {:>4.0} %  {:<11} {:>7.1} / {:<7.1} {backend:<14} {quantization}",
            clock(self.time),
            100.0 * s.confidence,
            self.verdict().label(),
            s.cost_ns[1] as f64 / 1000.0,
            s.cost_ns[2] as f64 / 1000.0,
        )
    }
}

/// The table's heading.
pub const HEADING: &str =
    "   time  genre        conf.  verdict      frame p50 / p99 us backend        arithmetic";

/// Minutes and seconds.
pub fn clock(seconds: f64) -> String {
    format!("{}:{:04.1}", seconds as u64 / 60, (seconds * 10.0).floor() / 10.0 % 60.0)
}

/// All points, evenly spaced.
#[derive(Debug, Default)]
pub struct Timeline {
    /// In order of time.
    pub points: Vec<Point>,
}

impl Timeline {
    /// Share of the time in which each genre was recognised (or set by hand, or frozen), and in which the plugin was
    /// uncertain, heard silence, or had not heard enough yet.
    pub fn shares(&self) -> ([f64; GENRES], [f64; 3]) {
        let (mut genres, mut others) = ([0.0; GENRES], [0.0; 3]);
        let one = 1.0 / self.points.len().max(1) as f64;
        for point in &self.points {
            match (point.verdict(), point.genre()) {
                (Verdict::Silent, _) => others[1] += one,
                (Verdict::Listening, _) => others[2] += one,
                (Verdict::Uncertain, _) | (_, None) => others[0] += one,
                (_, Some(genre)) => genres[genre.index()] += one,
            }
        }
        (genres, others)
    }

    /// How often the genre in force changed.
    pub fn switches(&self) -> usize {
        let genres: Vec<Genre> = self.points.iter().filter_map(Point::genre).collect();
        genres.windows(2).filter(|pair| pair[0] != pair[1]).count()
    }

    /// Stretches of one decision, for the picture.
    fn spans(&self) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let mut from = 0.0;
        for point in &self.points {
            let (text, class) = match (point.verdict(), point.genre()) {
                (Verdict::Recognised | Verdict::Manual | Verdict::Frozen, Some(genre)) => {
                    (genre.name().to_string(), Some(genre.index()))
                }
                (verdict, _) => (verdict.label().to_string(), None),
            };
            match spans.last_mut() {
                Some(last) if last.text == text => last.to = point.time,
                _ => spans.push(Span { from, to: point.time, text, class }),
            }
            from = point.time;
        }
        spans
    }

    /// Draws the probabilities over the waveform. `peaks` holds the loudest sample of each point, `truth` what really
    /// plays, where that is known.
    pub fn draw(&self, path: &Path, title: &str, seconds: f64, peaks: &[f32], truth: &[Span]) -> Result<()> {
        let classes = Genre::ALL.map(|genre| genre.name().to_string());
        let probabilities: Vec<f32> = self.points.iter().flat_map(|point| point.snapshot.posterior).collect();
        let waveform: Vec<f32> = peaks.iter().flat_map(|peak| [*peak, -peak]).collect();
        let timeline = picture::Timeline {
            title,
            seconds,
            classes: &classes,
            probabilities: &probabilities,
            waveform: &waveform,
            truth,
            verdicts: &self.spans(),
        };
        picture::timeline(path, &timeline)
    }

    /// The summary, a line each.
    pub fn summary(&self) -> Vec<String> {
        let (genres, others) = self.shares();
        let mut rows: Vec<(f64, &str)> =
            Genre::ALL.into_iter().map(|genre| (genres[genre.index()], genre.label())).collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        rows.extend(others.into_iter().zip(["uncertain", "silence", "listening"]));
        let mut lines: Vec<String> = rows
            .into_iter()
            .filter(|(share, _)| *share > 0.0)
            .map(|(share, name)| {
                let bar = "#".repeat((40.0 * share).round() as usize);
                format!("  {name:<11} {:>5.1} %  {bar}", 100.0 * share)
            })
            .collect();
        lines.push(format!("  {} changes of genre; while uncertain the last genre is held", self.switches()));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time: f64, genre: i32, verdict: Verdict) -> Point {
        Point { time, snapshot: IdiomSnapshot { genre, verdict: verdict as u32, ..IdiomSnapshot::EMPTY } }
    }

    #[test]
    fn the_shares_add_up_and_silence_counts_for_no_genre() {
        let timeline = Timeline {
            points: vec![
                point(0.0, -1, Verdict::Listening),
                point(1.0, 2, Verdict::Recognised),
                point(2.0, 2, Verdict::Uncertain),
                point(3.0, 2, Verdict::Silent),
                point(4.0, 4, Verdict::Recognised),
            ],
        };
        let (genres, others) = timeline.shares();
        assert_eq!(genres, [0.0, 0.0, 0.2, 0.0, 0.2]);
        assert_eq!((others, timeline.switches()), ([0.2, 0.2, 0.2], 1));
        let summary = timeline.summary().join("\n");
        assert!(summary.contains("Jazz         20.0 %") && !summary.contains("Rock"), "{summary}");
    }

    #[test]
    fn stretches_of_one_decision_become_one_span() {
        let timeline = Timeline {
            points: vec![
                point(0.1, -1, Verdict::Listening),
                point(0.2, 2, Verdict::Recognised),
                point(0.3, 2, Verdict::Recognised),
                point(0.4, 2, Verdict::Uncertain),
            ],
        };
        let spans: Vec<_> = timeline.spans().into_iter().map(|s| (s.from, s.to, s.text, s.class)).collect();
        let span = |from, to, text: &str, class| (from, to, text.to_string(), class);
        assert_eq!(
            spans,
            [
                span(0.0, 0.1, "listening", None),
                span(0.1, 0.3, "jazz", Some(2)),
                span(0.3, 0.4, "uncertain", None)
            ]
        );
    }

    #[test]
    fn the_clock_counts_minutes() {
        assert_eq!(clock(0.0), "0:00.0");
        assert_eq!(clock(59.96), "0:59.9");
        assert_eq!(clock(125.25), "2:05.2");
    }

    #[test]
    fn a_row_of_an_empty_snapshot_is_readable() {
        let row = point(1.0, -1, Verdict::Listening).row();
        assert!(row.contains("0:01.0") && row.contains("listening"), "{row}");
    }
}
