//! Momentary and short-term loudness after ITU-R BS.1770-5 and EBU Tech 3341.

use super::eq_design::Shape;
use super::lanes::Lanes;
use super::{Work, is_silence};
use std::f64::consts::PI;

/// Loudness of silence, in LUFS: what is shown for it.
pub const SILENCE_LUFS: f64 = -120.0;

/// Blocks below this do not count into any average, in LUFS (the standard's absolute gate).
pub const GATE_LUFS: f64 = -70.0;

/// Length of a step in seconds: momentary loudness is that of the last 4, short-term that of the last 30.
pub const STEP_S: f64 = 0.1;

const MOMENTARY_STEPS: usize = 4;
const SHORT_TERM_STEPS: usize = 30;

/// Filter states smaller than this are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-30;

/// One second-order section of the K weighting, direct form II transposed.
#[derive(Clone, Copy, Debug)]
struct Section {
    b: [Lanes; 3],
    a: [Lanes; 2],
    state: [Lanes; 2],
}

impl Section {
    fn new(b: [f64; 3], a: [f64; 3]) -> Section {
        Section {
            b: b.map(|b| Lanes::both(b / a[0])),
            a: [a[1], a[2]].map(|x| Lanes::both(x / a[0])),
            state: [Lanes::zero(); 2],
        }
    }

    /// Whether nothing of the past is left.
    fn is_silent(&self) -> bool {
        self.state.iter().all(|state| state.is_zero())
    }

    #[inline(always)]
    fn run(&mut self, x: Lanes) -> Lanes {
        let [first, second] = &mut self.state;
        let y = self.b[0] * x + *first;
        *first = self.b[1] * x - self.a[0] * y + *second;
        *second = self.b[2] * x - self.a[1] * y;
        y
    }
}

/// The K weighting at any rate: the standard's two 48 kHz filters are the bilinear transforms of a shelf of 4 dB at
/// 1.68 kHz and of a high-pass at 38 Hz, and so are these, for their own rate.
fn k_weighting(sample_rate: f64) -> [Section; 2] {
    let (hz, db, q) = (1_681.974_450_955_533, 3.999_843_853_973_347, 0.707_175_236_955_419_6);
    let k = (PI * (hz / sample_rate).min(0.49)).tan();
    let high = 10f64.powf(db / 20.0);
    let band = high.powf(0.499_666_774_154_541_6);
    let shelf = Section::new(
        [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k],
        [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k],
    );
    let (hz, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
    let k = (PI * hz / sample_rate).tan();
    let a = [1.0 + k / q + k * k, 2.0 * (k * k - 1.0), 1.0 - k / q + k * k];
    // The standard does not normalise this numerator.
    let high_pass = Section::new([a[0], -2.0 * a[0], a[0]], a);
    [shelf, high_pass]
}

/// Squared magnitude of the K weighting's analogue prototype at a frequency in Hz, for estimates.
pub fn k_power(hz: f64) -> f64 {
    let shelf = super::eq_design::prototype_power(Shape::HighShelf, [1_500.0, 4.0, 0.707], hz);
    shelf * super::eq_design::prototype_power(Shape::HighPass, [38.0, 0.0, 0.5], hz)
}

/// Measures loudness. See the [module](self).
#[derive(Clone, Debug)]
pub struct Meter {
    sections: [Section; 2],
    step: u32,
    /// Samples into the present step, and each channel's sum of squares over them.
    position: u32,
    sum: Lanes,
    /// Mean square of each of the last steps, the next one to be written at `next`.
    steps: [f64; SHORT_TERM_STEPS],
    next: usize,
    /// Steps measured so far, at most as many as are kept.
    filled: usize,
}

impl Meter {
    /// A meter that has heard nothing.
    pub fn new(sample_rate: f32) -> Meter {
        let rate = f64::from(sample_rate);
        Meter {
            sections: k_weighting(rate),
            step: (STEP_S * rate).round().max(1.0) as u32,
            position: 0,
            sum: Lanes::zero(),
            steps: [0.0; SHORT_TERM_STEPS],
            next: 0,
            filled: 0,
        }
    }

    /// Hears the first `count` samples of `work`. True when a step ended within, so that there is a new reading.
    pub fn push(&mut self, work: &Work, channels: usize, count: usize) -> bool {
        let mut ended = false;
        let [shelf, high_pass] = &mut self.sections;
        let (most, [left, right]) = (Lanes::both(1e6), work);
        let silence = is_silence(work, channels, count);
        let mut start = 0;
        while start < count {
            let end = count.min(start + (self.step - self.position) as usize);
            let (mut weighting, mut sum) = ((*shelf, *high_pass), self.sum);
            // Nothing is added to the sum by silence through filters that have died away.
            let rests = silence && weighting.0.is_silent() && weighting.1.is_silent();
            for i in if rests { end..end } else { start..end } {
                let x = Lanes::new([left[i], if channels > 1 { right[i] } else { 0.0 }]);
                let y = weighting.1.run(weighting.0.run(x.min(most).max(Lanes::zero() - most)));
                sum = sum + y * y;
            }
            ((*shelf, *high_pass), self.sum) = (weighting, sum);
            self.position += (end - start) as u32;
            if self.position == self.step {
                let [first, second] = self.sum.get();
                self.steps[self.next] = (first + second) / f64::from(self.step);
                self.next = (self.next + 1) % SHORT_TERM_STEPS;
                self.filled = (self.filled + 1).min(SHORT_TERM_STEPS);
                (self.position, self.sum) = (0, Lanes::zero());
                shelf.state = shelf.state.map(|state| state.flushed(SILENCE));
                high_pass.state = high_pass.state.map(|state| state.flushed(SILENCE));
                ended = true;
            }
            start = end;
        }
        ended
    }

    fn mean_square(&self, steps: usize) -> f64 {
        let last =
            (1..=steps).map(|back| self.steps[(self.next + SHORT_TERM_STEPS - back) % SHORT_TERM_STEPS]);
        last.sum::<f64>() / steps as f64
    }

    /// Mean square of the last 400 ms, weighted; `None` before so much was heard.
    pub fn momentary_power(&self) -> Option<f64> {
        (self.filled >= MOMENTARY_STEPS).then(|| self.mean_square(MOMENTARY_STEPS))
    }

    /// Loudness of the last 400 ms in LUFS, [`SILENCE_LUFS`] at least.
    pub fn momentary(&self) -> f64 {
        lufs(self.mean_square(MOMENTARY_STEPS))
    }

    /// Loudness of the last 3 s in LUFS, [`SILENCE_LUFS`] at least.
    pub fn short_term(&self) -> f64 {
        lufs(self.mean_square(SHORT_TERM_STEPS))
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        for section in &mut self.sections {
            section.state = [Lanes::zero(); 2];
        }
        (self.position, self.sum, self.next, self.filled) = (0, Lanes::zero(), 0, 0);
        self.steps = [0.0; SHORT_TERM_STEPS];
    }
}

/// Loudness in LUFS of a weighted mean square, summed over channels.
pub fn lufs(mean_square: f64) -> f64 {
    (-0.691 + 10.0 * mean_square.max(1e-30).log10()).max(SILENCE_LUFS)
}
