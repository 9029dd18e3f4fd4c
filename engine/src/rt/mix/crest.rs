//! The gain of a limiter without latency: what has to go is known only when it is there.
//!
//! The gain falls with each crest that would exceed the ceiling, stays until the crest is over, and then returns. A crest
//! does not meet the ceiling with a corner, which would be heard up to the highest treble, but bends towards it from
//! [`KNEE`] below on (a parabola, like a compressor's knee). So nothing is touched that stays below that.

use super::level::{larger, one_pole};

/// Half the width of the knee, as a share of the ceiling: it begins 0.9 dB below.
pub const KNEE: f64 = 0.1;

/// Distance from 1 at which the gain has returned.
const RETURNED: f64 = 1e-9;

/// Shortest time constant, in seconds, in which a peak is forgotten: some periods of bass, so that a ceiling that comes down
/// knows where the next crest will be.
const MEMORY_S: f64 = 0.05;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Crest {
    /// The ceiling at the sample before; 0 before the first.
    ceiling: f32,
    /// The last peak as it is remembered, and what is left of it after a sample.
    peak: f32,
    falls: f32,
    /// The share of its way that the gain returns in a sample.
    release: f64,
    /// The gain as it has returned since the last crest, and by what it is multiplied in this crest.
    released: f64,
    bent: f64,
}

impl Crest {
    /// At rest.
    pub fn new() -> Crest {
        Crest { ceiling: 0.0, peak: 0.0, falls: 0.0, release: 0.0, released: 1.0, bent: 1.0 }
    }

    /// Another time constant of the return, in ms.
    pub fn set_release(&mut self, release_ms: f64, sample_rate: f64) {
        let release_s = release_ms / 1_000.0;
        self.release = one_pole(release_s, sample_rate);
        self.falls = 1.0 - one_pole(release_s.max(MEMORY_S), sample_rate) as f32;
    }

    /// Whether the gain is 1, and remains so as long as no peak and no ceiling comes nearer than the knee to the other.
    pub fn rests(&self, ceiling: f32) -> bool {
        self.released == 1.0 && self.bent == 1.0 && self.peak <= ceiling
    }

    /// Goes on by a sample at which the gain stays 1. `heard` is the sample's magnitude.
    #[inline(always)]
    pub fn pass(&mut self, heard: f32, ceiling: f32) {
        self.remember(heard);
        self.ceiling = ceiling;
    }

    /// The gain at the next sample, an amplitude: `peak` is to stay below the ceiling, `heard` is the sample's magnitude.
    #[inline(always)]
    pub fn next(&mut self, peak: f32, heard: f32, ceiling: f32) -> f64 {
        self.remember(heard);
        if ceiling != self.ceiling {
            self.go_along(ceiling);
        }
        let height = f64::from(peak / ceiling);
        if height * self.released * self.bent < 1.0 - KNEE {
            // The crest is over.
            let gain = self.released * self.bent;
            let returned = gain + (1.0 - gain) * self.release;
            (self.released, self.bent) = (if returned > 1.0 - RETURNED { 1.0 } else { returned }, 1.0);
        }
        let height = height * self.released;
        if height > 1.0 - KNEE {
            let bent = bend(height) / height;
            self.bent = if bent < self.bent { bent } else { self.bent };
        }
        self.released * self.bent
    }

    /// The last peak, falling about as fast as the gain returns. It is that of the samples alone, because what is between them is
    /// not read where it does not matter.
    #[inline(always)]
    fn remember(&mut self, heard: f32) {
        self.peak = larger(heard, self.peak * self.falls);
    }

    /// A gain that is on its way back moves with the ceiling, and one that rests at 1 with the peak that came last; else each
    /// peak would meet another ceiling with a jolt.
    fn go_along(&mut self, ceiling: f32) {
        let before = std::mem::replace(&mut self.ceiling, ceiling);
        if before == 0.0 {
            return;
        }
        let along = if self.released * self.bent < 1.0 {
            self.released * f64::from(ceiling / before)
        } else {
            f64::from(ceiling / self.peak.max(1e-9))
        };
        self.released = along.min(1.0);
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        (self.ceiling, self.peak, self.released, self.bent) = (0.0, 0.0, 1.0, 1.0);
    }
}

/// What is left of a height, both as shares of the ceiling: a parabola that joins the straight line with the ceiling.
#[inline(always)]
fn bend(height: f64) -> f64 {
    let within = height - (1.0 - KNEE);
    if within < 2.0 * KNEE { height - within * within / (4.0 * KNEE) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_bends_without_a_corner_and_never_exceeds_the_ceiling() {
        assert_eq!(bend(1.0 - KNEE), 1.0 - KNEE);
        let slope = |at: f64| (bend(at + 1e-6) - bend(at - 1e-6)) / 2e-6;
        assert!((slope(1.0 - KNEE) - 1.0).abs() < 1e-4 && slope(1.0 + KNEE).abs() < 1e-4);
        assert!((0..3_000).map(|n| bend(0.9 + f64::from(n) / 1_000.0)).all(|y| y <= 1.0));
    }

    /// A level that falls is followed by the gain, in the release's time.
    #[test]
    fn the_gain_returns_when_the_level_has_fallen() {
        let mut crest = Crest::new();
        crest.set_release(50.0, 48_000.0);
        let mut gain = 1.0;
        (0..100).for_each(|_| gain = crest.next(4.0, 4.0, 1.0));
        assert_eq!(gain, 0.25);
        (0..2_400).for_each(|_| gain = crest.next(0.5, 0.5, 1.0));
        let wanted = 1.0 - 0.75 * (-1.0f64).exp();
        assert!((gain - wanted).abs() < 0.005, "{gain}, not {wanted}, after one time constant");
        (0..200_000).for_each(|_| gain = crest.next(0.5, 0.5, 1.0));
        assert!(gain == 1.0 && crest.rests(1.0));
    }
}
