//! The audio thread's room: frames, features, network, decision, mix.
//!
//! Nothing in here allocates (after construction), locks, waits, prints or calls the system, and nothing panics.

pub mod cache;
pub mod cache_control;
pub mod classic;
pub mod decision;
pub mod features;
pub mod frames;
pub mod history;
pub mod mix;
pub mod net;
pub mod recognizer;
pub mod remote;
pub mod sample_ring;
pub mod sketch;
pub mod slot;
pub mod spectral_rules;
pub mod tap;
pub mod watch;
