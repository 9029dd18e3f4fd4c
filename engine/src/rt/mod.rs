//! The audio thread's room: frames, features, network, decision, mix.
//!
//! Nothing in here allocates (after construction), locks, waits, prints or calls the system, and nothing panics.

pub mod decision;
pub mod mix;
pub mod features;
pub mod spectral_rules;
pub mod frames;
pub mod net;
