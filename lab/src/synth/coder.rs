//! What a lossy codec does to a record, without one: a transform coder of our own (MDCT, coarser numbers where the ear
//! hears less, nothing above a cutoff) that needs no other program and gives the same samples everywhere.

use super::mixdown::Bus;
use rustfft::num_complex::Complex32;
use rustfft::{Fft, FftPlanner};
use std::f32::consts::PI;
use std::sync::Arc;

/// Coefficients a block.
const BLOCK: usize = 1024;

/// Edges of the bands in Hz (Zwicker's critical bands).
const EDGES: [f32; 26] = [
    0.0, 100.0, 200.0, 300.0, 400.0, 510.0, 630.0, 770.0, 920.0, 1080.0, 1270.0, 1480.0, 1720.0, 2000.0,
    2320.0, 2700.0, 3150.0, 3700.0, 4400.0, 5300.0, 6400.0, 7700.0, 9500.0, 12_000.0, 15_500.0, 22_000.0,
];

/// Codes and decodes both sides: `quality` from 0 (about 32 kbit/s: dull, watery) to 1 (about 160 kbit/s, hard to tell).
pub fn squeeze(bus: &mut Bus, quality: f32) {
    let quality = quality.clamp(0.0, 1.0);
    let rate = bus.rate;
    let [left, right] = &mut bus.sides;
    // Middle and side, as joint stereo does.
    for (l, r) in left.iter_mut().zip(right.iter_mut()) {
        (*l, *r) = (0.5 * (*l + *r), 0.5 * (*l - *r));
    }
    let cutoff = 6500.0 + 11_000.0 * quality;
    code(left, rate, cutoff, 3.0 + 17.0 * quality);
    code(right, rate, 0.8 * cutoff, 12.0 * quality);
    for (l, r) in left.iter_mut().zip(right.iter_mut()) {
        (*l, *r) = (*l + *r, *l - *r);
    }
}

/// Codes a signal with this ratio of signal to noise, in dB, in every band below the cutoff.
fn code(signal: &mut [f32], rate: f32, cutoff: f32, ratio_db: f32) {
    let bin = |hz: f32| ((hz / rate * 2.0 * BLOCK as f32) as usize).min(BLOCK);
    lapped(signal, |block| {
        let loudest = EDGES.windows(2).map(|e| power(&block[bin(e[0])..bin(e[1])])).fold(0.0, f32::max);
        for edges in EDGES.windows(2) {
            let band = &mut block[bin(edges[0])..bin(edges[1])];
            let present = power(band);
            // Higher bands may be noisier; what lies 55 dB below the loudest band is masked.
            let ratio = ratio_db - 0.0004 * edges[0];
            if edges[0] >= cutoff || present < 3e-6 * loudest {
                band.fill(0.0);
                continue;
            }
            let step = (12.0 * present * 10f32.powf(-0.1 * ratio)).sqrt();
            if step > 0.0 {
                band.iter_mut().for_each(|x| *x = (*x / step).round() * step);
            }
        }
        block[bin(cutoff)..].fill(0.0);
    });
}

/// Mean power of some coefficients.
fn power(band: &[f32]) -> f32 {
    band.iter().map(|x| x * x).sum::<f32>() / band.len().max(1) as f32
}

/// The modified discrete cosine transform with a sine window (Princen, Johnson & Bradley 1987): `change` sees every block
/// of coefficients, and the signal becomes what is made of them.
fn lapped(signal: &mut [f32], mut change: impl FnMut(&mut [f32])) {
    let n = BLOCK as f32;
    let start = 0.5 + 0.5 * BLOCK as f64;
    // Angles in parts of half a turn over the block, in double precision because they grow large.
    let turn = |parts: f64| {
        let angle = std::f64::consts::PI * parts / BLOCK as f64;
        Complex32::new(angle.cos() as f32, angle.sin() as f32)
    };
    let window: Vec<f32> = (0..2 * BLOCK).map(|i| (PI * (i as f32 + 0.5) / (2.0 * n)).sin()).collect();
    let into: Vec<Complex32> = (0..2 * BLOCK).map(|i| turn(-0.5 * i as f64)).collect();
    let after: Vec<Complex32> = (0..BLOCK).map(|k| turn(-start * (k as f64 + 0.5))).collect();
    let back: Vec<Complex32> = (0..BLOCK).map(|k| turn(start * k as f64)).collect();
    let out: Vec<Complex32> = (0..2 * BLOCK).map(|i| turn(0.5 * (i as f64 + start))).collect();
    let mut planner = FftPlanner::new();
    let (forward, inverse): (Arc<dyn Fft<f32>>, _) =
        (planner.plan_fft_forward(2 * BLOCK), planner.plan_fft_inverse(2 * BLOCK));
    let mut result = vec![0.0; signal.len() + 3 * BLOCK];
    let mut numbers = vec![Complex32::default(); 2 * BLOCK];
    let mut block = vec![0.0; BLOCK];
    for first in (0..signal.len() + BLOCK).step_by(BLOCK) {
        // The block begins BLOCK samples before `first`.
        for (i, number) in numbers.iter_mut().enumerate() {
            let sample = (first + i).checked_sub(BLOCK).and_then(|at| signal.get(at)).copied().unwrap_or(0.0);
            *number = into[i] * (sample * window[i]);
        }
        forward.process(&mut numbers);
        for (k, x) in block.iter_mut().enumerate() {
            *x = (numbers[k] * after[k]).re;
        }
        change(&mut block);
        for (k, number) in numbers.iter_mut().enumerate() {
            *number = if k < BLOCK { back[k] * block[k] } else { Complex32::default() };
        }
        inverse.process(&mut numbers);
        for (i, number) in numbers.iter().enumerate() {
            result[first + i] += window[i] * (number * out[i]).re * 2.0 / n;
        }
    }
    signal.copy_from_slice(&result[BLOCK..BLOCK + signal.len()]);
}

#[cfg(test)]
mod tests {
    use super::super::dice::Dice;
    use super::super::dsp::{Biquad, rms};
    use super::*;

    fn noise() -> Vec<f32> {
        let mut dice = Dice::new(3);
        (0..20_000).map(|_| 0.2 * dice.noise()).collect()
    }

    #[test]
    fn what_is_not_changed_comes_back() {
        let signal = noise();
        let mut same = signal.clone();
        lapped(&mut same, |_| ());
        let error: Vec<f32> = signal.iter().zip(&same).map(|(a, b)| a - b).collect();
        assert!(rms(&error) < 1e-4 * rms(&signal), "{}", rms(&error));
    }

    #[test]
    fn less_quality_is_more_error_and_less_treble() {
        let play = |quality: f32| {
            let mut bus = Bus { rate: 44_100.0, sides: [noise(), noise()] };
            squeeze(&mut bus, quality);
            let error: Vec<f32> = noise().iter().zip(&bus.sides[0]).map(|(a, b)| a - b).collect();
            let mut treble = bus.sides[0].clone();
            Biquad::high_pass(44_100.0, 12_000.0, 0.7).run(&mut treble);
            assert!((rms(&bus.sides[0]) / rms(&noise())).log10().abs() < 0.25);
            (rms(&error), rms(&treble))
        };
        let (bad, good) = (play(0.0), play(1.0));
        assert!(bad.0 > 1.5 * good.0 && bad.1 < 0.3 * good.1, "{bad:?} {good:?}");
    }
}
