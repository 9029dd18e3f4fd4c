//! Training: from folders of sounds and a teacher's table to a model file.
//!
//! ```text
//! sounds ─ columns (the engine's front end) ─┐
//! soft_labels (a teacher's table) ───────────┼─ batch (crops, varied by augment) ─ net ─ loss ─ optimizer ─┐
//! negatives (noise, tones, near silence) ────┘          └── kernels as burn operations ◄───────────────────┘
//! ```
//!
//! Nothing random depends on anything but the configuration's seed and the step, so a run that was killed continues
//! from its [checkpoint](checkpoint) to the same weights.

pub mod augment;
pub mod batch;
pub mod checkpoint;
pub mod classic;
pub mod config;
pub mod crossval;
pub mod kernels;
pub mod negatives;
pub mod net;
pub mod ops;
pub mod optimizer;
pub mod rendition;
pub mod run;
pub mod soft_labels;
pub mod sounds;
pub mod trainer;
pub mod validate;

#[cfg(test)]
mod tests;
