//! The benchmark: what a frame and a block cost, in one run with other engines.
//!
//! * [`rounds`]: interleaved rounds and their statistics.
//! * [`stages`]: our own stages.
//! * [`peers`]: the same network in other engines.

pub mod peers;
pub mod rounds;
pub mod stages;
