//! The built plugin in a host, as a DAW meets it.

mod clap_rules;
mod descriptor;
mod desk;
mod genres;
mod hostile;
mod lifecycle;
mod mix;
mod orders;
mod process;
mod sound;
mod state;
mod user_models;
mod vst3;
mod vst3_rules;
