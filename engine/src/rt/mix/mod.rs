//! The mix stage: equalizer, compressor, output gain and bypass, moved by what the decision stage says.

use crate::controls::Controls;
use crate::profile::Profiles;
use crate::rt::decision::Outcome;
use crate::telemetry::MixState;

/// See the [module](self).
pub struct MixStage {}

impl MixStage {
    /// A mix stage at rest. Allocates nothing later.
    pub fn new(_sample_rate: f32, _channels: usize, _profiles: &Profiles) -> MixStage {
        MixStage {}
    }

    /// Takes another preset; the mix glides there.
    pub fn set_profiles(&mut self, _profiles: &Profiles) {}

    /// Once a frame: where to move.
    pub fn set_target(&mut self, _outcome: &Outcome, _controls: &Controls) {}

    /// Mixes samples `start..end` of the block in place.
    pub fn process(
        &mut self,
        _channels: &mut [&mut [f32]],
        _start: usize,
        _end: usize,
        _controls: &Controls,
    ) {
    }

    /// The settings in force.
    pub fn state(&self) -> MixState {
        MixState::default()
    }

    /// Back to rest.
    pub fn reset(&mut self) {}
}
