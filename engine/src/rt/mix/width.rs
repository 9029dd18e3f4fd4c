//! Stereo width with bass that stays together in mono.
//!
//! Works on the side signal only: the sum of both channels, which is what a mono listener hears, stays as it is
//! whatever the setting.

use super::eq::{Band, SHELF_Q, Shape};
use super::glide::{MAX_TICK, Ramp};
use super::{MAX_CHANNELS, Work, is_silence};

/// What the width does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Gain of the side signal, an amplitude: 1 leaves the image as it is, 0 is mono.
    pub width: f64,
    /// Share of the side signal that is taken out below [`Setting::bass_hz`], `0..=1`.
    pub mono_bass: f64,
    /// Corner under which the side signal is taken out, 12 dB per octave, in Hz.
    pub bass_hz: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting { width: 1.0, mono_bass: 0.0, bass_hz: 120.0 };
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Width {
    tick: usize,
    /// Gain of the side signal, less 1.
    change: Ramp,
    low_cut: Band,
    side: Work,
}

impl Width {
    /// A width that does nothing.
    pub fn new(sample_rate: f32, tick: usize) -> Width {
        let mut width = Width {
            tick,
            change: Ramp::default(),
            low_cut: Band::new(Shape::HighPass, sample_rate, tick),
            side: [[0.0; MAX_TICK]; MAX_CHANNELS],
        };
        width.jump(Setting::NEUTRAL);
        width
    }

    /// Takes a setting at once.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end the width is at `setting`.
    pub fn set(&mut self, setting: Setting) {
        self.change.next(setting.width - 1.0, self.tick);
        self.low_cut.set([setting.bass_hz, setting.mono_bass, SHELF_Q]);
    }

    /// Whether every sample of this tick stays as it is.
    pub fn is_neutral(&self) -> bool {
        self.change.is_zero() && self.low_cut.is_neutral()
    }

    /// Widens the first `count` samples, which are those from `offset` on of the present tick. One channel has no side.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if channels < 2 || self.is_neutral() {
            self.reset();
            return;
        }
        if is_silence(work, channels, count) && self.low_cut.is_silent() {
            return;
        }
        let [left, right] = work;
        let side = &mut self.side[0];
        for ((side, left), right) in side.iter_mut().zip(&*left).zip(&*right).take(count) {
            *side = 0.5 * (left - right);
        }
        self.low_cut.process(&mut self.side, 1, count, offset);
        for i in 0..count {
            let before = 0.5 * (left[i] - right[i]);
            let after = (1.0 + self.change.at(offset + i)) * self.side[0][i];
            left[i] += after - before;
            right[i] -= after - before;
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.low_cut.reset();
    }
}
