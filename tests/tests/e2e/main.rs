//! The built plugin in a host, as a DAW meets it.

mod descriptor;
mod genres;
mod hostile;
mod lifecycle;
mod process;
mod sound;
mod state;
mod vst3;
