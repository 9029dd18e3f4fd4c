//! Variations of log-mel columns: what a record, a room, a codec, a tape machine or another player would do to them.
//!
//! A column counts in units of 20 dB from the sound's own slow level, so changes of gain are already gone. Whatever
//! changes the level of the bands is followed by taking the mean change out again, as the slow level would.
//! A network that listens to cepstral coefficients gets those of the varied columns.

use super::config::AugmentConfig;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Largest magnitude in a column.
const LIMIT: f32 = 4.0;
/// Frequency limits of the mel bands in Hz, as in the engine's front end.
const LOWEST_HZ: f32 = idiom_engine::rt::features::LOWEST_HZ;
const HIGHEST_HZ: f32 = idiom_engine::rt::features::HIGHEST_HZ;
/// Time constant of the slow level, in frames.
const LEVEL_FRAMES: f32 = 150.0;

/// Reads `frames` frames from `source` (`[frame][row]`), starting at frame `start`, `tempo` source frames a frame.
/// Beyond the end the sound goes back to its beginning.
pub fn stretch(source: &[f32], rows: usize, start: f32, tempo: f32, frames: usize) -> Vec<f32> {
    let available = source.len() / rows;
    let mut out = Vec::with_capacity(frames * rows);
    for frame in 0..frames {
        let at = start + frame as f32 * tempo;
        let (whole, part) = (at as usize, at.fract());
        let a = (whole % available) * rows;
        let b = ((whole + 1) % available) * rows;
        for row in 0..rows {
            let (x, y) = (source[a + row], source[b + row]);
            out.push(x + part * (y - x));
        }
    }
    out
}

/// Mean and spread of each row.
fn statistics(x: &[f32], rows: usize) -> Vec<(f32, f32)> {
    let frames = (x.len() / rows).max(1) as f32;
    (0..rows)
        .map(|row| {
            let column = || x.iter().skip(row).step_by(rows);
            let mean = column().sum::<f32>() / frames;
            let variance = column().map(|x| (x - mean) * (x - mean)).sum::<f32>() / frames;
            (mean, variance.sqrt().max(0.05))
        })
        .collect()
}

/// Subtracts the mean that `change` added to `x`.
fn keep_level(x: &mut [f32], change: impl FnOnce(&mut [f32])) {
    let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len().max(1) as f32;
    let before = mean(x);
    change(x);
    let shift = mean(x) - before;
    x.iter_mut().for_each(|x| *x -= shift);
}

/// Power sum of two levels in units of 20 dB.
fn add_power(a: f32, b: f32) -> f32 {
    let (high, low) = if a > b { (a, b) } else { (b, a) };
    high + 0.5 * (1.0 + 100f32.powf(low - high)).log10()
}

/// Adds `other`, `gain` units higher, to `x`.
pub fn mix(x: &mut [f32], other: &[f32], gain: f32) {
    keep_level(x, |x| x.iter_mut().zip(other).for_each(|(x, o)| *x = add_power(*x, o + gain)));
}

/// Varies mel columns in place. `style` is another crop, for its statistics.
pub fn vary(x: &mut [f32], rows: usize, style: &[f32], config: &AugmentConfig, random: &mut ChaCha8Rng) {
    let chance = |p: f32, random: &mut ChaCha8Rng| random.random::<f32>() < p;
    if chance(config.pitch, random) {
        let semitones = config.pitch_semitones * (2.0 * random.random::<f32>() - 1.0);
        shift_pitch(x, rows, 2f32.powf(semitones / 12.0));
    }
    if chance(config.mix_style, random) {
        mix_style(x, rows, style, random.random_range(0.2..0.8));
    }
    if chance(config.equalizer, random) {
        let curve = equalizer(rows, random);
        keep_level(x, |x| add_curve(x, &curve));
    }
    if chance(config.noise_floor, random) {
        let base = random.random_range(-3.5..-1.0);
        let tilt = random.random_range(-0.8..0.8);
        let curve: Vec<f32> = (0..rows).map(|r| base + tilt * (r as f32 / rows as f32 - 0.5)).collect();
        keep_level(x, |x| {
            for column in x.chunks_exact_mut(rows) {
                for (x, n) in column.iter_mut().zip(&curve) {
                    // A band of noise fluctuates by about 5 dB from frame to frame.
                    *x = add_power(*x, n + 0.25 * (random.random::<f32>() + random.random::<f32>() - 1.0));
                }
            }
        });
    }
    if chance(config.band_limit, random) {
        band_limit(x, rows, random);
    }
    if chance(config.level_drift, random) {
        let drift = 0.8 * (2.0 * random.random::<f32>() - 1.0);
        for (frame, column) in x.chunks_exact_mut(rows).enumerate() {
            let offset = drift * (-(frame as f32) / LEVEL_FRAMES).exp();
            column.iter_mut().for_each(|x| *x += offset);
        }
    }
    if chance(config.mask_bands, random) {
        for _ in 0..random.random_range(1..=2) {
            let width = random.random_range(1..=(rows / 7).max(1));
            let from = random.random_range(0..=rows - width);
            x.chunks_exact_mut(rows).for_each(|column| column[from..from + width].fill(0.0));
        }
    }
    if chance(config.mask_time, random) {
        let frames = x.len() / rows;
        for _ in 0..random.random_range(1..=2) {
            let width = random.random_range(1..=(frames / 14).max(1));
            let from = random.random_range(0..=frames - width);
            x[from * rows..(from + width) * rows].fill(0.0);
        }
    }
    x.iter_mut().for_each(|x| *x = x.clamp(-LIMIT, LIMIT));
}

/// What the columns would be if the sound had begun with the first of them: the slow level starts anew, as the plain
/// average of what was heard (see the engine's `SlowLevel`), instead of having settled before.
pub fn cold_start(x: &mut [f32], rows: usize) {
    let keep = (-1.0 / LEVEL_FRAMES).exp();
    let (mut sum, mut weight) = (0.0, 0.0);
    for column in x.chunks_exact_mut(rows) {
        sum = keep * sum + (1.0 - keep) * column.iter().sum::<f32>() / rows as f32;
        weight = keep * weight + (1.0 - keep);
        column.iter_mut().for_each(|x| *x = (*x - sum / weight).clamp(-LIMIT, LIMIT));
    }
}

fn add_curve(x: &mut [f32], curve: &[f32]) {
    for column in x.chunks_exact_mut(curve.len()) {
        column.iter_mut().zip(curve).for_each(|(x, c)| *x += c);
    }
}

/// A tilt of up to 6 dB to either side and two broad bumps of up to 5 dB.
fn equalizer(rows: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let tilt = random.random_range(-0.6..0.6);
    let bumps: Vec<(f32, f32, f32)> = (0..2)
        .map(|_| (random.random::<f32>(), random.random_range(0.08..0.3), random.random_range(-0.25..0.25)))
        .collect();
    (0..rows)
        .map(|row| {
            let at = row as f32 / rows as f32;
            let bump = |(centre, width, height): &(f32, f32, f32)| {
                height * (-((at - centre) / width) * ((at - centre) / width)).exp()
            };
            tilt * (at - 0.5) + bumps.iter().map(bump).sum::<f32>()
        })
        .collect()
}

/// Removes treble (a low sampling rate or a codec) or bass (a telephone, a small loudspeaker).
fn band_limit(x: &mut [f32], rows: usize, random: &mut ChaCha8Rng) {
    let floor = random.random_range(-4.0..-2.0);
    let removed = if random.random_bool(0.65) {
        rows - random.random_range(1..=rows * 3 / 10)..rows
    } else {
        0..random.random_range(1..=rows / 5)
    };
    keep_level(x, |x| {
        for column in x.chunks_exact_mut(rows) {
            column[removed.clone()].iter_mut().for_each(|x| *x = x.min(floor));
        }
    });
}

/// Moves each band's mean and spread towards those of another sound (Kim et al., "Domain Generalization with Relaxed
/// Instance Frequency-wise Normalization", 2022; Schmid et al., "Freq-MixStyle", 2022). `own` is the part that stays.
fn mix_style(x: &mut [f32], rows: usize, style: &[f32], own: f32) {
    let (here, there) = (statistics(x, rows), statistics(style, rows));
    for column in x.chunks_exact_mut(rows) {
        for ((x, (m, s)), (m2, s2)) in column.iter_mut().zip(&here).zip(&there) {
            let (mean, spread) = (own * m + (1.0 - own) * m2, own * s + (1.0 - own) * s2);
            *x = (*x - m) / s * spread + mean;
        }
    }
}

/// Reads every band from where its centre was before everything was played `ratio` times higher.
fn shift_pitch(x: &mut [f32], rows: usize, ratio: f32) {
    let mel = |hz: f32| 2595.0 * (1.0 + hz / 700.0).log10();
    let hz = |mel: f32| 700.0 * (10f32.powf(mel / 2595.0) - 1.0);
    let (low, high) = (mel(LOWEST_HZ), mel(HIGHEST_HZ));
    let step = (high - low) / (rows + 1) as f32;
    let sources: Vec<(usize, f32)> = (0..rows)
        .map(|row| {
            let centre = hz(low + (row + 1) as f32 * step);
            let at = ((mel(centre / ratio) - low) / step - 1.0).clamp(0.0, (rows - 1) as f32);
            ((at as usize).min(rows.saturating_sub(2)), at)
        })
        .collect();
    let mut before = vec![0.0; rows];
    for column in x.chunks_exact_mut(rows) {
        before.copy_from_slice(column);
        for (x, &(from, at)) in column.iter_mut().zip(&sources) {
            let part = at - from as f32;
            *x = before[from] + part * (before[from + 1] - before[from]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn stretching_reads_between_frames_and_wraps() {
        let source: Vec<f32> = (0..4).flat_map(|t| [t as f32, 10.0 + t as f32]).collect();
        assert_eq!(stretch(&source, 2, 1.5, 1.0, 2), [1.5, 11.5, 2.5, 12.5]);
        assert_eq!(stretch(&source, 2, 2.0, 2.0, 2), [2.0, 12.0, 0.0, 10.0]);
    }

    #[test]
    fn an_octave_up_moves_a_partial_to_the_band_of_twice_the_frequency() {
        let (mel, hz) =
            (|hz: f32| 2595.0 * (1.0 + hz / 700.0).log10(), |m: f32| 700.0 * (10f32.powf(m / 2595.0) - 1.0));
        let step = (mel(HIGHEST_HZ) - mel(LOWEST_HZ)) / 41.0;
        let band = |f: f32| ((mel(f) - mel(LOWEST_HZ)) / step - 1.0).round() as usize;
        let centre = hz(mel(LOWEST_HZ) + 15.0 * step);
        let mut x = vec![0.0; 40];
        x[14] = 1.0;
        shift_pitch(&mut x, 40, 2.0);
        let loudest = (0..40).max_by(|&a, &b| x[a].total_cmp(&x[b])).unwrap();
        assert!(loudest.abs_diff(band(2.0 * centre)) <= 1, "{loudest} {}", band(2.0 * centre));
    }

    #[test]
    fn a_cold_start_is_what_the_front_end_gives_from_the_middle_of_a_sound() {
        use crate::features::ClipFeatures;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut last = 0.0;
        let sound: Vec<f32> = (0..16_000 * 8)
            .map(|i| {
                last = 0.8 * last + 0.2 * random.random_range(-1.0..1.0f32);
                last * (0.6 + 0.4 * (i as f32 / 9000.0).sin())
            })
            .collect();
        let settled = ClipFeatures::of_sound(&sound, 16_000).log_mel;
        let fresh = ClipFeatures::of_sound(&sound[16_000 * 5..], 16_000).log_mel;
        let mut cold = settled[40 * 250..].to_vec();
        cold_start(&mut cold, 40);
        // Not the first frames: their window begins in silence there and in sound here. What is left is the slow
        // drift of the settled level over these three seconds.
        let error = cold.iter().zip(&fresh).skip(40 * 5).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let before = settled[40 * 250..].iter().zip(&fresh).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(error < 0.1 && error < 0.5 * before, "{error}, without {before}");
    }

    #[test]
    fn equal_sounds_add_three_decibels_and_the_level_stays() {
        assert!((add_power(1.0, 1.0) - 1.0 - 0.1505).abs() < 1e-3);
        assert!((add_power(1.0, -3.0) - 1.0).abs() < 1e-6);
        let mut x = vec![0.5, -0.5, 1.0, -1.0];
        mix(&mut x, &[1.0, 1.0, -2.0, 0.0], 0.2);
        assert!(x.iter().sum::<f32>().abs() < 1e-6);
    }

    #[test]
    fn variations_stay_finite_and_in_range_and_follow_the_seed() {
        let config = AugmentConfig {
            renditions: 0.0,
            noise_floor: 1.0,
            equalizer: 1.0,
            band_limit: 1.0,
            mix_style: 1.0,
            pitch: 1.0,
            pitch_semitones: 4.0,
            tempo: 1.0,
            tempo_range: 0.2,
            mask_bands: 1.0,
            mask_time: 1.0,
            level_drift: 1.0,
            cold_start: 1.0,
            mixup: 1.0,
        };
        let source: Vec<f32> = (0..40 * 60).map(|i| ((i * 7919) % 8001) as f32 / 1000.0 - 4.0).collect();
        for seed in 0..50 {
            let run = || {
                let mut random = ChaCha8Rng::seed_from_u64(seed);
                let mut x = source.clone();
                vary(&mut x, 40, &source[40..41 * 40], &config, &mut random);
                x
            };
            let x = run();
            assert!(x.iter().all(|x| x.is_finite() && x.abs() <= LIMIT));
            assert_ne!(x, source);
            assert_eq!(x, run());
        }
    }
}
