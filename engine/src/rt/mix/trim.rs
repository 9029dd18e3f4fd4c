//! A gain: the input trim, and the output gain.

use super::Work;
use super::glide::Ramp;
use super::level::amplitude;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Trim {
    tick: usize,
    db: Ramp,
}

impl Trim {
    /// A gain of 0 dB.
    pub fn new(tick: usize) -> Trim {
        Trim { tick, db: Ramp::default() }
    }

    /// Takes a gain in dB at once.
    pub fn jump(&mut self, db: f64) {
        self.db = Ramp::flat(db);
    }

    /// Starts a tick at whose end the gain is `db`.
    pub fn set(&mut self, db: f64) {
        self.db.next(db, self.tick);
    }

    /// Whether every sample of this tick stays as it is.
    pub fn is_neutral(&self) -> bool {
        self.db.is_zero()
    }

    /// Scales the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.is_neutral() {
            return;
        }
        if self.db.is_still() {
            let gain = f64::from(amplitude(self.db.end() as f32));
            for samples in work.iter_mut().take(channels) {
                samples.iter_mut().take(count).for_each(|x| *x *= gain);
            }
            return;
        }
        for i in 0..count {
            let gain = f64::from(amplitude(self.db.at(offset + i) as f32));
            work.iter_mut().take(channels).for_each(|samples| samples[i] *= gain);
        }
    }
}
