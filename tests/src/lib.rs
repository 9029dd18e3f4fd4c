//! What Idiom is tested with from outside: a host without a window, and the sound to play through it.
//!
//! * [`host`] loads a `.clap` and runs it block by block, as a DAW does; [`vst3_host`] does it with a `.vst3`.
//! * [`vst3_info`] and [`vst3_preset`] write the files that belong to a `.vst3`.
//! * `screen` is the windows of a host, on Linux.
//! * [`built`] finds the built plugin and takes its stored state apart.
//! * [`signals`] makes test sound.
//! * [`demo`] is what `cargo xtask demo` is made of, [`bench`] what `cargo xtask bench` is.

pub mod bench;
pub mod built;
pub mod demo;
pub mod host;
#[cfg(target_os = "linux")]
pub mod screen;
pub mod signals;
pub mod vst3_host;
pub mod vst3_info;
pub mod vst3_preset;

/// Says that a part of a test is left out. `cargo xtask test` collects these lines for its summary.
pub fn skipped(name: &str, reason: &str) {
    println!("SKIPPED: {name}: {reason}");
}
