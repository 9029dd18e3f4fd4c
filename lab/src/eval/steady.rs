//! What the decision stage makes of material that stays of one genre.

use idiom_engine::rt::decision::Outcome;
use idiom_engine::rt::features::HOP_SECONDS;
use idiom_engine::{Genre, Verdict};
use serde::{Deserialize, Serialize};

/// What the decision stage did during one clip, or several.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steady {
    /// Frames heard.
    pub frames: usize,
    /// Frames in which the right genre was recognised, a wrong one was, and none was likely enough.
    pub right: usize,
    /// See [`right`](Self::right).
    pub wrong: usize,
    /// See [`right`](Self::right).
    pub uncertain: usize,
    /// Changes from one genre in force to another that is wrong.
    pub wrong_switches: usize,
    /// Whether the first genre in force was right, of each clip that got one.
    pub first_right: Vec<bool>,
    /// Seconds until the right genre was recognised for the first time, of each clip; infinite where it never was.
    pub first_correct_s: Vec<f64>,
}

/// The same as shares and rates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SteadyReport {
    /// Minutes of material.
    pub minutes: f64,
    /// Changes from one genre in force to another that is wrong, a minute.
    pub wrong_switches_per_minute: f64,
    /// Share of the clips whose first genre in force was the right one, of those that got one.
    pub first_decision_right: Option<f64>,
    /// Median of the seconds from a clip's beginning, after silence, until its genre is recognised. `None` when that
    /// never happens in half of the clips.
    pub first_correct_s: Option<f64>,
    /// Share of the time in which the right genre is recognised.
    pub right: f64,
    /// Share of the time in which a wrong genre is recognised.
    pub wrong: f64,
    /// Share of the time in which no genre is likely enough.
    pub uncertain: f64,
}

impl Steady {
    /// Follows the outcomes of one clip of this genre from a fresh start.
    pub fn of(outcomes: &[Outcome], genre: Genre) -> Steady {
        let mut steady = Steady { frames: outcomes.len(), ..Steady::default() };
        let mut first_correct = f64::INFINITY;
        let mut in_force = None;
        for (frame, outcome) in outcomes.iter().enumerate() {
            if outcome.genre != in_force {
                match in_force {
                    None => steady.first_right.push(outcome.genre == Some(genre)),
                    Some(_) => steady.wrong_switches += usize::from(outcome.genre != Some(genre)),
                }
                in_force = outcome.genre;
            }
            match outcome.verdict {
                Verdict::Recognised if outcome.genre == Some(genre) => {
                    steady.right += 1;
                    first_correct = first_correct.min(seconds(frame + 1));
                }
                Verdict::Recognised => steady.wrong += 1,
                Verdict::Uncertain => steady.uncertain += 1,
                _ => {}
            }
        }
        steady.first_correct_s.push(first_correct);
        steady
    }

    /// Adds another clip's.
    pub fn add(&mut self, other: Steady) {
        self.frames += other.frames;
        self.right += other.right;
        self.wrong += other.wrong;
        self.uncertain += other.uncertain;
        self.wrong_switches += other.wrong_switches;
        self.first_right.extend(other.first_right);
        self.first_correct_s.extend(other.first_correct_s);
    }

    /// As shares and rates.
    pub fn report(&self) -> SteadyReport {
        let minutes = seconds(self.frames) / 60.0;
        let share = |frames: usize| frames as f64 / self.frames.max(1) as f64;
        let first = self.first_right.iter().filter(|right| **right).count();
        SteadyReport {
            minutes,
            wrong_switches_per_minute: self.wrong_switches as f64 / minutes.max(1e-9),
            first_decision_right: (!self.first_right.is_empty())
                .then(|| first as f64 / self.first_right.len() as f64),
            first_correct_s: median(&self.first_correct_s),
            right: share(self.right),
            wrong: share(self.wrong),
            uncertain: share(self.uncertain),
        }
    }
}

/// Length of so many frames in seconds.
pub fn seconds(frames: usize) -> f64 {
    frames as f64 * (f64::from(HOP_SECONDS) * 1e4).round() / 1e4
}

/// The middle value (the upper of two); `None` of nothing, or when it is infinite.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(values.len() / 2).copied().filter(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(parts: &[(usize, Option<Genre>, Verdict)]) -> Vec<Outcome> {
        let one = |&(frames, genre, verdict): &(usize, Option<Genre>, Verdict)| {
            vec![Outcome { genre, verdict, ..Outcome::default() }; frames]
        };
        parts.iter().flat_map(one).collect()
    }

    #[test]
    fn switches_and_times_are_those_counted_by_hand() {
        let (jazz, rock) = (Some(Genre::Jazz), Some(Genre::Rock));
        let clip = outcomes(&[
            (25, None, Verdict::Listening),
            (25, None, Verdict::Uncertain),
            (100, rock, Verdict::Recognised),
            (50, jazz, Verdict::Recognised),
            (50, jazz, Verdict::Uncertain),
            (50, rock, Verdict::Recognised),
        ]);
        let mut steady = Steady::of(&clip, Genre::Jazz);
        assert_eq!((steady.frames, steady.right, steady.wrong, steady.uncertain), (300, 50, 150, 75));
        assert_eq!((steady.wrong_switches, &steady.first_right[..]), (1, &[false][..]));
        assert!((steady.first_correct_s[0] - 3.02).abs() < 1e-9, "{:?}", steady.first_correct_s);
        steady.add(Steady::of(&outcomes(&[(50, jazz, Verdict::Recognised)]), Genre::Jazz));
        steady.add(Steady::of(&outcomes(&[(250, rock, Verdict::Recognised)]), Genre::Jazz));
        let report = steady.report();
        assert!((report.minutes - 0.2).abs() < 1e-9);
        assert!((report.wrong_switches_per_minute - 5.0).abs() < 1e-6);
        assert_eq!(report.first_decision_right, Some(1.0 / 3.0));
        assert!((report.first_correct_s.unwrap() - 3.02).abs() < 1e-9);
        assert!((report.right - 100.0 / 600.0).abs() < 1e-9 && (report.wrong - 400.0 / 600.0).abs() < 1e-9);
    }

    #[test]
    fn a_median_of_what_mostly_never_happens_is_none() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[2.0, f64::INFINITY, 1.0]), Some(2.0));
        assert_eq!(median(&[f64::INFINITY, f64::INFINITY, 1.0]), None);
    }
}
