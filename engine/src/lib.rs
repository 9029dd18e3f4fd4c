//! Everything Idiom's audio callback runs, and the worker thread beside it. No window, no plugin API.
//!
//! * [`rt`] is the audio thread's room: nothing in it allocates, locks, waits, prints or calls the system.
//! * [`worker`] is the worker's room: it loads and compiles models and runs what the audio thread may not.
//! * [`model`] reads model files; it is the only place that knows file formats.
//! * [`link`] holds the rings between the two rooms, and nothing else is between them.
//!
//! A host of the engine makes an [`Engine`] for the audio thread and keeps the [`Handle`] for everybody else.

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
