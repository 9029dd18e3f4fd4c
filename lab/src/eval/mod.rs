//! How well a model names genres: runs clips through the engine's own code and counts.
//!
//! [`evaluate`] turns predictions into a [`Report`], whoever made the predictions.

mod report;
mod text;

pub use report::{ClassReport, Prediction, ReliabilityBin, Report, evaluate};

/// Length of the short excerpts that are judged besides whole clips, in seconds.
pub const EXCERPT_SECONDS: f64 = 3.0;
