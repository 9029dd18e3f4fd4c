//! Another sample rate.

use super::Audio;
use idiom_engine::sinc::windowed_sinc;

/// Zero crossings of the sinc on each side. 32 with the window below keep the pass band flat to 0.87 of the lower Nyquist
/// frequency and what lies above 1.03 of it 80 dB down.
const CROSSINGS: usize = 32;
/// Shape of the Kaiser window, for about 80 dB of stop-band attenuation.
const BETA: f64 = 7.86;
/// Where the response is half, as a share of the lower of the two Nyquist frequencies.
const CUT_OFF: f64 = 0.95;

impl Audio {
    /// The same sound at another rate, by band-limited interpolation with a windowed sinc. A rate of 0 gives no samples.
    pub fn at_rate(&self, sample_rate: u32) -> Audio {
        if sample_rate == self.sample_rate {
            return self.clone();
        }
        let channels = self.channels.iter().map(|x| resample(x, self.sample_rate, sample_rate)).collect();
        Audio { sample_rate, channels, damage: self.damage.clone() }
    }
}

/// One channel from one rate to another.
fn resample(input: &[f32], from: u32, to: u32) -> Vec<f32> {
    if from == 0 || to == 0 {
        return Vec::new();
    }
    let divisor = gcd(from, to);
    // Output sample n lies at input position n * step / phases.
    let (phases, step) = (u64::from(to / divisor), u64::from(from / divisor));
    let cut = CUT_OFF * (f64::from(to) / f64::from(from)).min(1.0);
    let reach = (CROSSINGS as f64 / cut).ceil() as usize;
    let kernel = |phase: u64| -> Vec<f32> {
        let offset = phase as f64 / phases as f64;
        (0..2 * reach)
            .map(|tap| {
                windowed_sinc(tap as f64 - (reach - 1) as f64 - offset, cut, reach as f64, BETA) as f32
            })
            .collect()
    };
    let kernels: Vec<Vec<f32>> = (0..phases).map(kernel).collect();
    let length = (input.len() as u64 * phases).div_ceil(step);
    (0..length)
        .map(|n| {
            let (at, phase) = (n * step / phases, n * step % phases);
            let first = at as i64 - (reach as i64 - 1);
            let skipped = first.min(0).unsigned_abs() as usize;
            let taps = kernels[phase as usize].iter().skip(skipped);
            taps.zip(input.iter().skip(first.max(0) as usize)).map(|(k, x)| k * x).sum()
        })
        .collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn tone(hz: f64, rate: u32, length: usize) -> Vec<f32> {
        (0..length).map(|n| (2.0 * PI * hz * n as f64 / f64::from(rate)).sin() as f32).collect()
    }

    #[test]
    fn tones_stay_where_they_are_and_what_would_alias_goes() {
        for (from, to) in
            [(48_000, 44_100), (44_100, 48_000), (48_000, 22_050), (16_000, 48_000), (48_000, 96_000)]
        {
            let lower = f64::from(from.min(to)) / 2.0;
            for hz in [100.0, 1000.0, 0.85 * lower] {
                let out = resample(&tone(hz, from, from as usize), from, to);
                assert_eq!(out.len(), to as usize);
                let wanted = tone(hz, to, to as usize);
                let middle = to as usize / 4..3 * to as usize / 4;
                let worst = middle.map(|n| (out[n] - wanted[n]).abs()).fold(0.0, f32::max);
                assert!(worst < 1e-3, "{hz} Hz from {from} to {to}: off by {worst}");
            }
            if to < from {
                let out = resample(&tone(1.06 * lower, from, from as usize), from, to);
                let worst = out[1000..out.len() - 1000].iter().fold(0.0f32, |worst, x| worst.max(x.abs()));
                assert!(worst < 1e-3, "{from} to {to}: {worst} of what lies above comes through");
            }
        }
        assert!(resample(&[], 48_000, 44_100).is_empty() && resample(&[1.0], 0, 44_100).is_empty());
    }
}
