//! How well a model names genres: runs clips through the engine's own code and counts.
//!
//! [`evaluate`] turns predictions into a [`Report`], whoever made the predictions; [`run`] makes them with a
//! [`Listener`], which hears clips as the plugin does.

mod listen;
mod report;
mod run;
mod text;

pub use listen::{LISTENING_FRAMES, Listener};
pub use report::{ClassReport, Prediction, ReliabilityBin, Report, evaluate};
pub use run::{Evaluation, run};

/// Length of the short excerpts that are judged besides whole clips, in seconds.
pub const EXCERPT_SECONDS: f64 = 3.0;

#[cfg(test)]
mod tests;
