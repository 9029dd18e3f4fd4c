//! The benchmark: what a frame and a block cost, in one run with other engines.
//!
//! * [`rounds`]: interleaved rounds and their statistics.
//! * [`stages`]: our own stages.
//! * [`chain`]: the processors of the mix, and an equalizer of another crate.
//! * [`peers`]: the same network in other engines.
//! * [`loading`]: how long a host waits for a scan and for an instance.
//! * [`memory`]: what instances and the window take.

pub mod chain;
pub mod loading;
pub mod memory;
pub mod peers;
pub mod rounds;
pub mod stages;
