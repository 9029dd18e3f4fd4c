//! Instruments: each function plays one note or stroke as mono samples at the wanted rate.
//!
//! Nothing is sampled; all sounds are computed from strings, modes, noise and oscillators.

pub mod amp;
pub mod drums;
pub mod electronic;
pub mod guitar;
pub mod keys;
pub mod orchestra;
pub mod organ;
pub mod winds;

/// One note to play.
#[derive(Clone, Copy, Debug)]
pub struct Note {
    /// MIDI note number; fractions are microtones.
    pub pitch: f32,
    /// How long it is held.
    pub seconds: f32,
    /// How hard it is played, `0..=1`.
    pub force: f32,
}

impl Note {
    /// A note.
    pub fn new(pitch: i32, seconds: f32, force: f32) -> Note {
        Note { pitch: pitch as f32, seconds: seconds.max(0.02), force: force.clamp(0.02, 1.0) }
    }
}
