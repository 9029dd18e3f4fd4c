//! What the dynamics processors share: a level detector and time constants.

use super::MAX_CHANNELS;

/// Level beyond which a detector does not count, as a mean square (+40 dBFS), so that a burst of garbage does not hold
/// a gain down for minutes.
const MAX_MEAN_SQUARE: f64 = 1e4;

/// Mean squares smaller than this (-200 dBFS) are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-20;

/// 10 log10(x) = this times log2(x).
const DB_PER_OCTAVE_OF_POWER: f32 = 3.010_3;

/// Decibels of amplitude to octaves of amplitude: log2(10) / 20.
const DB_TO_LOG2: f32 = 0.166_096_4;

/// The share of the remaining way that a one-pole low-pass with this time constant goes in one sample.
pub fn one_pole(seconds: f64, sample_rate: f64) -> f64 {
    1.0 - (-1.0 / (seconds.max(1e-5) * sample_rate)).exp()
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
    let x = x.clamp(-126.0, 127.0);
    let whole = (x + ROUND) - ROUND;
    // The exponential series, for -0.35..=0.35.
    let y = (x - whole) * std::f32::consts::LN_2;
    let y2 = y * y;
    let even = 1.0 + y2 * (0.5 + y2 * (1.0 / 24.0 + y2 * (1.0 / 720.0)));
    let odd = y * (1.0 + y2 * (1.0 / 6.0 + y2 * (1.0 / 120.0)));
    f32::from_bits(((whole as i32 + 127) as u32) << 23) * (even + odd)
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
pub fn level_db(mean_square: f64) -> f32 {
    DB_PER_OCTAVE_OF_POWER * log2(mean_square as f32 + 1e-20)
}

/// The running mean square of each channel, over an exponential window.
#[derive(Clone, Debug)]
pub struct Detector {
    share: f64,
    mean_square: [f64; MAX_CHANNELS],
}

impl Detector {
    /// A detector whose window has this time constant. The shorter it is, the more it sees peaks instead of RMS.
    pub fn new(window_s: f64, sample_rate: f64) -> Detector {
        Detector { share: one_pole(window_s, sample_rate), mean_square: [0.0; MAX_CHANNELS] }
    }

    /// Another window, from the next sample on.
    pub fn set_window(&mut self, window_s: f64, sample_rate: f64) {
        self.share = one_pole(window_s, sample_rate);
    }

    /// Takes in a channel's next sample.
    #[inline(always)]
    pub fn push(&mut self, channel: usize, x: f64) {
        let mean_square = &mut self.mean_square[channel];
        *mean_square += self.share * ((x * x).min(MAX_MEAN_SQUARE) - *mean_square);
    }

    /// Present mean square of a channel.
    #[inline(always)]
    pub fn channel(&self, channel: usize) -> f64 {
        self.mean_square[channel]
    }

    /// Present mean square of the loudest channel.
    #[inline(always)]
    pub fn loudest(&self) -> f64 {
        let [a, b] = self.mean_square;
        a.max(b)
    }

    /// Sets what has died away to 0; call it once a tick.
    pub fn flush(&mut self) {
        for mean_square in &mut self.mean_square {
            if *mean_square < SILENCE {
                *mean_square = 0.0;
            }
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.mean_square = [0.0; MAX_CHANNELS];
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
