//! What Idiom is tested with from outside: a host without a window, and the sound to play through it.
//!
//! * [`host`] loads a `.clap` and runs it block by block, as a DAW does.
//! * [`signals`] makes test sound.

pub mod host;
pub mod signals;
