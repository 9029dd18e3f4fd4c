//! The workshop beside the plugin: read and make audio, train, optimize, export and evaluate genre models.
//!
//! Features and inference come from [`idiom_engine`], so what is trained here is what plays there.
//!
//! * [`audio`] reads every common sound file and writes WAV.
//! * [`cards`] keeps what model cards say of their files true.
//! * [`dataset`] finds labelled clips and splits them so that no artist is in two folds.
//! * [`eval`] measures how well a model names genres.
//! * [`export`] makes every shipped file of a network.
//! * [`features`] turns clips into feature columns through the engine, and remembers them.
//! * [`optimize`] makes models smaller and faster, and compares them.
//! * [`picture`] draws what was recognised.
//! * [`mod@reference`] measures recordings and makes profiles of them.
//! * [`render`] plays sound through the whole engine offline.
//! * [`selftest`] checks that everything works on this machine.
//! * [`synth`] composes and renders music and speech of each genre.
//! * [`files`] writes whole files or none; [`interrupt`] turns Ctrl-C into an orderly stop.

pub mod audio;
pub mod cards;
pub mod cli;
pub mod dataset;
pub mod eval;
pub mod export;
pub mod features;
pub mod files;
pub mod interrupt;
pub mod optimize;
pub mod picture;
pub mod reference;
pub mod render;
pub mod selftest;
pub mod synth;
#[cfg(feature = "train")]
pub mod train;
