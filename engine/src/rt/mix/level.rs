//! What the dynamics processors share: a level detector and time constants.

use super::MAX_CHANNELS;
use super::lanes::Lanes;

/// Level beyond which a detector does not count, as a mean square (+40 dBFS), so that a burst of garbage does not hold
/// a gain down for minutes.
const MAX_MEAN_SQUARE: f64 = 1e4;

/// Mean squares smaller than this (-200 dBFS) are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-20;

/// 10 log10(x) = this times log2(x).
const DB_PER_OCTAVE_OF_POWER: f32 = 3.010_3;

/// Decibels of amplitude to octaves of amplitude: log2(10) / 20.
pub const DB_TO_LOG2: f32 = 0.166_096_4;

/// The share of the remaining way that a one-pole low-pass with this time constant goes in one sample.
pub fn one_pole(seconds: f64, sample_rate: f64) -> f64 {
    1.0 - (-1.0 / (seconds.max(1e-5) * sample_rate)).exp()
}

/// The larger of two numbers, by the comparison that processors have an instruction for; the second if one is none.
#[inline(always)]
pub fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The smaller of two numbers, in the same way.
#[inline(always)]
pub fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Amplitude of a gain in dB, exactly 1 for 0 dB.
#[inline(always)]
pub fn amplitude(db: f32) -> f32 {
    exp2(DB_TO_LOG2 * db)
}

/// 2 to the power of x, to 2e-7 of it, for -126..=127. Written out, because it is needed at every sample and the C
/// library's function cannot be inlined.
#[inline(always)]
pub fn exp2(x: f32) -> f32 {
    /// Adding it rounds to a whole number, as long as the sum's last bit is worth 1.
    const ROUND: f32 = 12_582_912.0;
    let x = smaller(larger(x, -126.0), 127.0);
    let rounded = x + ROUND;
    let whole = rounded - ROUND;
    // The exponential series, for -0.35..=0.35.
    let y = (x - whole) * std::f32::consts::LN_2;
    let y2 = y * y;
    let even = 1.0 + y2 * (0.5 + y2 * (1.0 / 24.0 + y2 * (1.0 / 720.0)));
    let odd = y * (1.0 + y2 * (1.0 / 6.0 + y2 * (1.0 / 120.0)));
    // The whole number is in the sum's last bits; shifted to where the exponent is, nothing else is left of them.
    f32::from_bits((rounded.to_bits().wrapping_add(127)) << 23) * (even + odd)
}

/// Logarithm to base 2 of a normal positive number, to 1e-6.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    /// Exponent and mantissa of the root of 1/2, where the mantissa's range is cut so that it lies around 1.
    const CUT: u32 = 0x3f35_04f3;
    let bits = x.to_bits().wrapping_sub(CUT);
    let exponent = (bits as i32) >> 23;
    let mantissa = f32::from_bits((bits & 0x007f_ffff) + CUT);
    let t = (mantissa - 1.0) / (mantissa + 1.0);
    let t2 = t * t;
    // 2 artanh(t) / ln 2
    let series = 1.0 + t2 * (1.0 / 3.0 + t2 * (1.0 / 5.0 + t2 * (1.0 / 7.0)));
    exponent as f32 + 2.0 * std::f32::consts::LOG2_E * t * series
}

/// A mean square in dBFS; -200 for silence. A full-scale sine has -3 dBFS.
#[inline(always)]
pub fn level_db(mean_square: f32) -> f32 {
    DB_PER_OCTAVE_OF_POWER * log2(mean_square + 1e-20)
}

/// The running mean square of each channel, over an exponential window.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    share: f64,
    mean_square: Lanes,
}

impl Detector {
    /// A detector whose window has this time constant. The shorter it is, the more it sees peaks instead of RMS.
    pub fn new(window_s: f64, sample_rate: f64) -> Detector {
        Detector { share: one_pole(window_s, sample_rate), mean_square: Lanes::zero() }
    }

    /// Another window, from the next sample on.
    pub fn set_window(&mut self, window_s: f64, sample_rate: f64) {
        self.share = one_pole(window_s, sample_rate);
    }

    /// Takes in the next sample of each channel; one that is not there is silent.
    #[inline(always)]
    pub fn push_both(&mut self, samples: [f64; MAX_CHANNELS]) {
        let x = Lanes::new(samples);
        let power = (x * x).min(Lanes::both(MAX_MEAN_SQUARE));
        self.mean_square = self.mean_square + Lanes::both(self.share) * (power - self.mean_square);
    }

    /// Present mean square of each channel.
    #[inline(always)]
    pub fn both(&self) -> [f64; MAX_CHANNELS] {
        self.mean_square.get()
    }

    /// Present mean square of the loudest channel.
    #[inline(always)]
    pub fn loudest(&self) -> f64 {
        let [a, b] = self.both();
        if a > b { a } else { b }
    }

    /// Whether nothing of the past is left.
    pub fn is_silent(&self) -> bool {
        self.mean_square.is_zero()
    }

    /// Sets what has died away to 0; call it once a tick.
    pub fn flush(&mut self) {
        self.mean_square = self.mean_square.flushed(SILENCE);
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.mean_square = Lanes::zero();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_functions_are_as_exact_as_they_say() {
        assert_eq!(amplitude(0.0), 1.0);
        for step in -126_000..127_000 {
            let x = step as f32 / 1_000.0;
            let wanted = f64::from(x).exp2();
            assert!((f64::from(exp2(x)) / wanted - 1.0).abs() < 3e-7, "2^{x}");
            let error = f64::from(log2(wanted as f32)) - f64::from(wanted as f32).log2();
            assert!(error.abs() < 1e-6 * (1.0 + f64::from(x.abs())), "log2 of 2^{x}: {error}");
        }
        assert_eq!(level_db(0.0).round(), -200.0);
        assert!(level_db(1.0).abs() < 1e-5);
    }
}
