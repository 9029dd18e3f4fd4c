//! From the network's posterior, frame by frame, to a genre that a person can rely on.
//!
//! The posterior is smoothed, silence is left out of it, and the genre in force changes only when another one is
//! likely enough, leads clearly, and the present one has been held for a while. What is not clear is called so:
//! [`Verdict::Uncertain`] keeps the last genre on show while the mix eases towards neutral ([`Outcome::weights`]).

use crate::controls::{Controls, Mode};
use crate::genre::{GENRES, Genre, Posterior};
use crate::telemetry::Verdict;

/// Length of a frame in seconds.
const FRAME_S: f32 = 0.020;

/// Time constant of the posterior's smoothing in seconds. Short, because the network itself averages over seconds:
/// this only takes out what flickers from frame to frame.
const SMOOTHING_S: f32 = 0.3;

/// Sound that has to be heard before anything is said, in frames (0.5 s). Shorter excerpts are told apart badly
/// even by people: Gjerdingen & Perrott (2008) found listeners still improving from 0.25 to 0.475 s.
const LISTENING_FRAMES: u32 = 25;

/// A genre stays in force for at least this many frames (1.5 s), so that it changes less often than once a bar of
/// slow music.
const HOLD_FRAMES: u32 = 75;

/// By how much probability a challenger must lead the genre in force. Matters when the threshold is set low;
/// at thresholds above 0.5 the threshold itself asks for more.
const LEAD: f32 = 0.15;

/// A recognised genre becomes uncertain only this far below the threshold, so that a posterior that sits on the
/// threshold does not flicker.
const THRESHOLD_HYSTERESIS: f32 = 0.05;

/// Levels below this are silence whatever came before, in dBFS RMS: the noise of a quiet microphone chain.
const GATE_FLOOR_DBFS: f32 = -65.0;

/// Levels above this (plus [`GATE_HYSTERESIS_DB`]) are sound whatever came before, in dBFS RMS.
const GATE_CEILING_DBFS: f32 = -55.0;

/// Between the two, the gate lies this far below the recent peak level, in dB. A pianissimo 40 dB below the tutti of
/// a quiet recording is music; the same level after a loud master is a pause.
const GATE_BELOW_PEAK_DB: f32 = 45.0;

/// How far above the gate the level must rise to end a silence, in dB.
const GATE_HYSTERESIS_DB: f32 = 3.0;

/// How fast the recent peak level is forgotten while there is sound, in dB per frame (0.5 dB/s).
const PEAK_DECAY_DB: f32 = 0.5 * FRAME_S;

/// Frames below the gate before the verdict says silence (0.3 s). Pauses between words are shorter.
const SILENT_FRAMES: u32 = 15;

/// What the decision stage makes of everything up to a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Smoothed probability of each genre.
    pub posterior: Posterior,
    /// The genre in force, `None` before the first.
    pub genre: Option<Genre>,
    /// What is made of the present sound.
    pub verdict: Verdict,
    /// Smoothed probability of the genre in force (of the likeliest before the first), `0..=1`.
    pub confidence: f32,
}

impl Outcome {
    /// How much of each genre's profile the mix should take; what is missing to 1 is the neutral profile's share.
    /// `None` means: stay where you are (silence, freeze).
    ///
    /// A recognised sound takes each profile by its probability. An uncertain one takes less of all of them the
    /// further its likeliest genre lies below `threshold`, so that a guess never sounds like a decision. Before the
    /// first genre the sound is left alone.
    pub fn weights(&self, threshold: f32) -> Option<[f32; GENRES]> {
        match self.verdict {
            Verdict::Silent | Verdict::Frozen => None,
            Verdict::Listening => Some([0.0; GENRES]),
            Verdict::Manual => Some(self.genre.map_or([0.0; GENRES], |genre| Posterior::certain(genre).0)),
            Verdict::Recognised => Some(self.posterior.0),
            Verdict::Uncertain if self.genre.is_none() => Some([0.0; GENRES]),
            Verdict::Uncertain => {
                let share = (self.posterior.top().1 / threshold.clamp(1e-3, 1.0)).min(1.0);
                Some(self.posterior.0.map(|p| p * share))
            }
        }
    }
}

/// See the [module](self). One instance follows one stream of frames.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Smoothed posterior; means nothing while `heard` is 0.
    smooth: [f32; GENRES],
    /// Frames with sound and a usable posterior since the start; stops counting once it no longer matters.
    heard: u32,
    /// The genre in force, apart from what the user sets.
    genre: Option<Genre>,
    /// Frames since the genre in force took over.
    held: u32,
    /// Whether the genre in force is likely enough, with hysteresis.
    certain: bool,
    /// Recent peak level in dBFS, from which the silence gate is counted.
    peak_dbfs: f32,
    /// Whether the last frame was below the gate.
    below_gate: bool,
    /// Consecutive frames below the gate.
    quiet: u32,
    /// The genre that was in force when the user froze it.
    frozen: Option<Option<Genre>>,
}

impl Decision {
    /// A decision stage that has heard nothing.
    pub fn new() -> Decision {
        Decision {
            smooth: Posterior::UNIFORM.0,
            heard: 0,
            genre: None,
            held: 0,
            certain: false,
            peak_dbfs: GATE_CEILING_DBFS + GATE_BELOW_PEAK_DB,
            below_gate: true,
            quiet: 0,
            frozen: None,
        }
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        *self = Decision::new();
    }

    /// Takes in one frame (20 ms): the network's posterior and the frame's level in dBFS RMS.
    ///
    /// A posterior that is not one (not finite, negative, not summing to 1) and a level that is not a number are
    /// ignored: the frame then changes nothing but the passing of time.
    pub fn update(&mut self, posterior: &Posterior, level_dbfs: f32, controls: &Controls) -> Outcome {
        let threshold = if controls.threshold.is_finite() { controls.threshold.clamp(0.0, 1.0) } else { 1.0 };
        self.held = self.held.saturating_add(1);
        self.gate(level_dbfs);
        if !self.below_gate && posterior.is_valid() {
            self.smooth(posterior);
            self.judge(threshold);
        }
        self.report(controls)
    }

    /// Follows the level and decides whether this frame is silence.
    fn gate(&mut self, level_dbfs: f32) {
        if level_dbfs.is_nan() {
            return;
        }
        let gate = (self.peak_dbfs - GATE_BELOW_PEAK_DB).clamp(GATE_FLOOR_DBFS, GATE_CEILING_DBFS);
        let opening = if self.below_gate { GATE_HYSTERESIS_DB } else { 0.0 };
        self.below_gate = level_dbfs < gate + opening;
        if self.below_gate {
            self.quiet = self.quiet.saturating_add(1);
        } else {
            self.quiet = 0;
            self.peak_dbfs = (self.peak_dbfs - PEAK_DECAY_DB).max(level_dbfs.min(0.0));
        }
    }

    /// One-pole smoothing, a plain average while that is the shorter memory.
    fn smooth(&mut self, posterior: &Posterior) {
        let steady = 1.0 - (-FRAME_S / SMOOTHING_S).exp();
        let share = steady.max(1.0 / (self.heard + 1) as f32);
        for (smooth, p) in self.smooth.iter_mut().zip(posterior.0) {
            *smooth += share * (p - *smooth);
        }
        self.heard = (self.heard + 1).min(1_000_000);
    }

    /// Lets a challenger take over, and says whether the genre in force is likely enough.
    fn judge(&mut self, threshold: f32) {
        if self.heard < LISTENING_FRAMES {
            return;
        }
        let smooth = Posterior(self.smooth);
        let (top, p) = smooth.top();
        let takes_over = match self.genre {
            _ if p < threshold => false,
            None => true,
            Some(present) => top != present && self.held >= HOLD_FRAMES && p >= smooth.of(present) + LEAD,
        };
        if takes_over {
            self.genre = Some(top);
            self.held = 0;
        }
        let margin = if self.certain { THRESHOLD_HYSTERESIS } else { 0.0 };
        self.certain = self.genre.is_some_and(|genre| smooth.of(genre) >= threshold - margin);
    }

    /// What to show and to mix by, after the user's say.
    fn report(&mut self, controls: &Controls) -> Outcome {
        let posterior = Posterior(self.smooth);
        let confidence = |genre: Option<Genre>| genre.map_or(posterior.top().1, |genre| posterior.of(genre));
        let heard = Outcome {
            posterior,
            genre: self.genre,
            confidence: confidence(self.genre),
            verdict: if self.quiet >= SILENT_FRAMES {
                Verdict::Silent
            } else if self.heard < LISTENING_FRAMES {
                Verdict::Listening
            } else if self.certain {
                Verdict::Recognised
            } else {
                Verdict::Uncertain
            },
        };
        if controls.mode != Mode::Hold {
            self.frozen = None;
        }
        if controls.manual.is_some() {
            let genre = controls.manual;
            Outcome { genre, confidence: confidence(genre), verdict: Verdict::Manual, ..heard }
        } else if controls.mode == Mode::Hold {
            let genre = *self.frozen.get_or_insert(self.genre);
            Outcome { genre, confidence: confidence(genre), verdict: Verdict::Frozen, ..heard }
        } else {
            heard
        }
    }
}

impl Default for Decision {
    fn default() -> Self {
        Self::new()
    }
}
