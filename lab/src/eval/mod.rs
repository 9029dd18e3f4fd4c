//! How well a model names genres: runs sounds through the engine's own code and counts.
//!
//! ```text
//! clip ─ listen (front end, network or rules, decision stage) ─ clip ─┬─ report      names of clips and of 3 s, calibration
//!                                                                     ├─ run         accuracy against listening time
//!                                                                     └─ steady      wrong switches, first decision
//! clips of different genres, cut together ───────────────────────────── starts      time to the first correct decision
//! noise, tones, room tone ───────────────────────────────────────────── nothing     what is claimed of them
//! clips at other levels, rates, through codecs ──────────────────────── robustness  whether the name stays the same
//! ```
//!
//! [`evaluate`] turns predictions into a [`Report`], whoever made the predictions; [`run`] makes them with a
//! [`Listener`], which hears clips as the plugin does, and measures the rest besides.

mod clip;
mod listen;
mod nothing;
mod report;
mod robustness;
mod run;
mod starts;
mod steady;
mod text;

pub use listen::{Heard, Listener};
pub use nothing::{Kind, NothingReport};
pub use report::{ClassReport, Prediction, ReliabilityBin, Report, evaluate};
pub use robustness::Agreement;
pub use run::{Evaluation, ListeningPoint, Mistake, Options, run};
pub use starts::StartsReport;
pub use steady::SteadyReport;

/// Length of the short excerpts that are judged besides whole clips, in seconds.
pub const EXCERPT_SECONDS: f64 = 3.0;

/// Times after which it is measured how right a model is, in seconds.
pub const LISTENING_SECONDS: [f64; 5] = [0.5, 1.0, EXCERPT_SECONDS, 10.0, 30.0];

/// Frames at a clip's beginning that do not count towards its mean posterior, because hardly anything was heard: 0.5 s,
/// as in the engine's decision.
pub const LISTENING_FRAMES: usize = 25;

#[cfg(test)]
mod tests;
