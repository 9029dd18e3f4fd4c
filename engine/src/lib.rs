//! Everything Idiom's audio callback runs, and the worker thread beside it. No window, no plugin API.
//!
//! * [`rt`] is the audio thread's room: nothing in it allocates, locks, waits, prints or calls the system.
//! * [`worker`] is the worker's room: it loads and compiles models and runs what the audio thread may not.
//! * [`model`] reads model files; it is the only place that knows file formats.
//! * [`link`] holds the rings between the two rooms, and nothing else is between them.
//!
//! A host of the engine makes an [`Engine`] for the audio thread and keeps the [`Handle`] for everybody else:
//!
//! ```
//! use idiom_engine::{Backend, Config, Controls, Genre, Handle, Quantization, Transport};
//!
//! let handle = Handle::new();
//! handle.select(Backend::Spectral, Quantization::Auto);
//! let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: true });
//! let controls = Controls { manual: Some(Genre::Jazz), ..Controls::default() };
//! // A second of a tone, in blocks as a host sends them.
//! for start in (0..48_000).step_by(480) {
//!     let tone = |i: usize| 0.3 * (0.05 * (start + i) as f32).sin();
//!     let (mut left, mut right): (Vec<f32>, Vec<f32>) = (0..480).map(|i| (tone(i), tone(i))).unzip();
//!     engine.process(&mut [&mut left, &mut right], Transport::default(), &controls);
//! }
//! let seen = handle.telemetry().snapshot();
//! assert_eq!((seen.genre, seen.backend), (Some(Genre::Jazz), Backend::Spectral));
//! assert!(seen.frames >= 49);
//! ```

pub mod controls;
pub mod engine;
pub mod genre;
pub mod link;
pub mod metrics;
pub mod model;
pub mod profile;
pub mod rt;
pub mod sinc;
pub mod spectrum;
pub mod telemetry;
pub mod telemetry_c;
pub mod worker;

pub use controls::{Backend, Controls, LimiterMode, Mode, Quantization, Section, Transport, Uncertain};
pub use engine::{Config, Engine, Handle, Status};
pub use genre::{Genre, Posterior};
pub use metrics::Metrics;
pub use rt::cache::CacheLimits;
pub use telemetry::{Snapshot, Telemetry, Verdict};
pub use telemetry_c::IdiomSnapshot;

/// What the README shows compiles and runs.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
