//! The last minutes of decisions, written by the audio thread and read by the window.
//!
//! The window shows the past even when it was closed while that happened, so the plugin keeps the record. One point
//! is one 64-bit atomic: it is never torn, and writing one costs a store.

use idiom_engine::{Genre, Posterior, Verdict};
use std::sync::atomic::{AtomicU64, Ordering};

/// Time from one point to the next in seconds: ten analysis frames.
pub const POINT_S: f32 = 0.2;
/// How many points the window shows: three minutes.
pub const SHOWN: usize = 900;
/// How many points are kept. More than are shown, so that the writer stays clear of what a reader reads.
const KEPT: usize = 1024;

/// The decision at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Probability of each genre in 255ths.
    pub posterior: [u8; 5],
    /// The genre in force.
    pub genre: Option<Genre>,
    /// What the decision stage made of the sound.
    pub verdict: Verdict,
}

impl Point {
    /// The moment that a [decision](idiom_engine::Telemetry::decision) tells of.
    pub fn of((posterior, genre, verdict): (Posterior, Option<Genre>, Verdict)) -> Point {
        Point { posterior: posterior.0.map(|p| (p.clamp(0.0, 1.0) * 255.0).round() as u8), genre, verdict }
    }

    fn pack(self) -> u64 {
        let [a, b, c, d, e] = self.posterior;
        let genre = self.genre.map_or(0, |genre| genre as u8 + 1);
        u64::from_le_bytes([a, b, c, d, e, genre, self.verdict as u8, 0])
    }

    fn unpack(bits: u64) -> Point {
        let [a, b, c, d, e, genre, verdict, _] = bits.to_le_bytes();
        Point {
            posterior: [a, b, c, d, e],
            genre: usize::from(genre).checked_sub(1).and_then(Genre::from_index),
            verdict: Verdict::ALL.get(usize::from(verdict)).copied().unwrap_or_default(),
        }
    }
}

/// See the [module](self). One writer, any number of readers.
pub struct History {
    points: [AtomicU64; KEPT],
    /// How many points were ever written.
    written: AtomicU64,
}

impl Default for History {
    fn default() -> Self {
        Self { points: std::array::from_fn(|_| AtomicU64::new(0)), written: AtomicU64::new(0) }
    }
}

impl History {
    /// Audio thread: one more point.
    pub fn push(&self, point: Point) {
        let written = self.written.load(Ordering::Relaxed);
        self.points[written as usize % KEPT].store(point.pack(), Ordering::Relaxed);
        self.written.store(written + 1, Ordering::Release);
    }

    /// How many points were ever written.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    /// The last points, oldest first, at most [`SHOWN`].
    pub fn recent(&self) -> Vec<Point> {
        let written = self.written();
        let first = written.saturating_sub(SHOWN as u64);
        let load = |i: u64| Point::unpack(self.points[i as usize % KEPT].load(Ordering::Relaxed));
        (first..written).map(load).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(n: u8) -> Point {
        Point {
            posterior: [n, 255, 0, 1, 2],
            genre: Genre::from_index(usize::from(n) % 6),
            verdict: Verdict::ALL[usize::from(n) % Verdict::ALL.len()],
        }
    }

    #[test]
    fn the_last_minutes_come_back_in_order() {
        let history = History::default();
        assert!(history.recent().is_empty());
        for n in 0..=200 {
            history.push(point(n));
        }
        assert_eq!(history.recent(), (0..=200).map(point).collect::<Vec<_>>());
        for n in 0..3000 {
            history.push(point((n % 251) as u8));
        }
        let expected: Vec<_> = (3000 - SHOWN..3000).map(|n| point((n % 251) as u8)).collect();
        assert_eq!(history.recent(), expected);
    }

    #[test]
    fn a_point_keeps_what_was_decided() {
        let point = Point::of((Posterior::UNIFORM, Some(Genre::Rock), Verdict::Silent));
        assert_eq!(point, Point { posterior: [51; 5], genre: Some(Genre::Rock), verdict: Verdict::Silent });
        assert_eq!(Point::unpack(point.pack()), point);
    }
}
