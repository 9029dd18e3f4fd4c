//! Values that move without clicks: a two-pole glide from tick to tick, a straight line from sample to sample.
//!
//! Everything the mix stage moves is computed once a *tick* (about 0.67 ms) and drawn as a straight line between.
//! Ticks are counted from the start of the stream, so the host's block size does not change the result.

/// Length of a tick in samples: about 0.67 ms (32 samples at 48 kHz) at every sample rate.
pub fn tick_length(sample_rate: f32) -> usize {
    ((sample_rate / 1_500.0).round() as usize).clamp(4, MAX_TICK)
}

/// Longest tick in samples, at 384 kHz.
pub const MAX_TICK: usize = 256;

/// Time constants that a two-pole glide takes for 95 % of the way: the x that solves (1 + x) exp(-x) = 0.05.
const TIME_CONSTANTS_TO_95: f64 = 4.744;

/// Distance at which a glide ends on its target exactly. In dB, nepers or slope this is far below hearing.
const ARRIVED: f64 = 1e-6;

/// How far glides go in some time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The time in time constants of a pole, and what is left of its way after that.
    constants: f64,
    left: f64,
}

impl Step {
    /// `time_s` seconds, when 95 % of the way is to be gone within `seconds`.
    pub fn new(time_s: f64, seconds: f64) -> Step {
        let constants = time_s * TIME_CONSTANTS_TO_95 / seconds.max(1e-3);
        Step { constants, left: (-constants).exp() }
    }
}

/// A value on its way to a target through two equal one-pole low-passes: it starts and ends without a corner, never
/// overshoots, and arrives exactly. The way is that of the continuous filter, whatever the steps it is gone in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glide {
    first: f64,
    value: f64,
}

impl Glide {
    /// A glide at rest.
    pub fn at(value: f64) -> Glide {
        Glide { first: value, value }
    }

    /// Goes on by a step and returns the new value.
    pub fn advance(&mut self, target: f64, step: Step) -> f64 {
        let (first, value) = (self.first - target, self.value - target);
        self.first = target + step.left * first;
        self.value = target + step.left * (value + step.constants * first);
        if (self.first - target).abs() < ARRIVED && (self.value - target).abs() < ARRIVED {
            *self = Glide::at(target);
        }
        self.value
    }

    /// The same way from elsewhere: further by this.
    pub fn shift(&mut self, by: f64) {
        self.first += by;
        self.value += by;
    }

    /// The present value.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Whether it has arrived there.
    pub fn is_at(&self, target: f64) -> bool {
        self.value == target && self.first == target
    }
}

/// The straight line that a value draws through one tick.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ramp {
    from: f64,
    to: f64,
    step: f64,
}

impl Ramp {
    /// A value that does not move.
    pub fn flat(value: f64) -> Ramp {
        Ramp { from: value, to: value, step: 0.0 }
    }

    /// The next tick's line: from where this one ends to `value`, in `tick` samples.
    pub fn next(&mut self, value: f64, tick: usize) {
        *self = Ramp { from: self.to, to: value, step: (value - self.to) / tick as f64 };
    }

    /// The next tick's line when the value stays where this one ends.
    pub fn hold(&mut self) {
        *self = Ramp::flat(self.to);
    }

    /// The value at sample `i` of the tick; sample 0 has already gone one step.
    pub fn at(&self, i: usize) -> f64 {
        // Signed numbers of 32 bits are the ones that processors convert fast.
        self.from + self.step * f64::from(i as i32 + 1)
    }

    /// The value at the end of the tick.
    pub fn end(&self) -> f64 {
        self.to
    }

    /// Whether the value stays the same throughout the tick.
    pub fn is_still(&self) -> bool {
        self.from == self.to
    }

    /// Whether the value is 0 throughout the tick.
    pub fn is_zero(&self) -> bool {
        self.from == 0.0 && self.to == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glide_goes_95_percent_within_its_time_and_arrives_exactly() {
        let tick_s = 32.0 / 48_000.0;
        for seconds in [0.1, 2.0, 20.0] {
            let step = Step::new(tick_s, seconds);
            let mut glide = Glide::at(-12.0);
            let mut ticks = 0;
            while glide.value() < -12.0 + 0.95 * 15.0 {
                glide.advance(3.0, step);
                ticks += 1;
            }
            let took = f64::from(ticks) * tick_s;
            assert!((took / seconds - 1.0).abs() < 0.02, "{took} s instead of {seconds} s");
            for _ in 0..4 * ticks {
                let before = glide.value();
                assert!(glide.advance(3.0, step) >= before && glide.value() <= 3.0);
            }
            assert_eq!(glide.value(), 3.0);
        }
    }

    /// Else a change between two ticks could not count from its sample.
    #[test]
    fn two_steps_are_one_of_both_times() {
        let (mut once, mut twice) = (Glide { first: 1.0, value: 0.5 }, Glide { first: 1.0, value: 0.5 });
        for (a, b) in [(1e-4, 5e-4), (2e-3, 1e-5), (0.03, 0.01)] {
            once.advance(7.0, Step::new(a + b, 0.08));
            twice.advance(7.0, Step::new(a, 0.08));
            twice.advance(7.0, Step::new(b, 0.08));
            assert!((once.value - twice.value).abs() < 1e-12 && (once.first - twice.first).abs() < 1e-12);
        }
    }

    #[test]
    fn ramps_join() {
        let mut ramp = Ramp::flat(1.0);
        ramp.next(3.0, 4);
        assert_eq!([ramp.at(0), ramp.at(3), ramp.end()], [1.5, 3.0, 3.0]);
        ramp.next(3.0, 4);
        assert_eq!([ramp.at(0), ramp.at(3)], [3.0, 3.0]);
    }

    #[test]
    fn a_tick_is_two_thirds_of_a_millisecond_at_every_rate() {
        for rate in [8_000.0f32, 22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0, 384_000.0] {
            let ms = 1_000.0 * tick_length(rate) as f32 / rate;
            assert!((0.6..0.7).contains(&ms), "{ms} ms at {rate} Hz");
        }
    }
}
