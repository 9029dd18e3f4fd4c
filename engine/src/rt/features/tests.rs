//! The front end against its definition, computed slowly in double precision.

use super::*;

/// What [`FrontEnd`] is meant to compute, by definition: DFT sum, triangles, logarithms, cosine sum.
struct Reference {
    rate: f64,
    hop: usize,
    level: Option<(f64, f64)>,
}

struct Column {
    log_mel: Vec<f64>,
    mfcc: Vec<f64>,
    centroid: f64,
    rolloff: f64,
    low: f64,
    flatness: f64,
    total: f64,
}

impl Reference {
    fn new(rate: f64) -> Self {
        Self { rate, hop: (0.02 * rate).round() as usize, level: None }
    }

    /// The window is the last hop of `signal` before `end` and the one before it.
    fn column(&mut self, signal: &[f32], end: usize) -> Column {
        let n = 2 * self.hop;
        let tau = std::f64::consts::TAU;
        let at = |i: i64| if i < 0 { 0.0 } else { f64::from(signal[i as usize]) };
        let hann = |i: usize| 0.5 - 0.5 * (tau * i as f64 / n as f64).cos();
        let x: Vec<f64> = (0..n).map(|i| at((end + i) as i64 - n as i64) * hann(i)).collect();
        let energy: f64 = (0..n).map(|i| hann(i) * hann(i)).sum();
        let bin_hz = self.rate / n as f64;
        let bins = (n / 2 + 1).min((8000.0 / bin_hz).ceil() as usize + 1);
        let turn: Vec<(f64, f64)> = (0..n).map(|i| (tau * i as f64 / n as f64).sin_cos()).collect();
        let power: Vec<f64> = (0..bins)
            .map(|k| {
                let (mut re, mut im) = (0.0, 0.0);
                for (i, x) in x.iter().enumerate() {
                    let (sin, cos) = turn[(i * k) % n];
                    re += x * cos;
                    im -= x * sin;
                }
                2.0 * (re * re + im * im) / (n as f64 * energy)
            })
            .collect();
        let mel = |hz: f64| 2595.0 * (1.0 + hz / 700.0).log10();
        let edge = |i: usize| {
            let m = mel(50.0) + (mel(8000.0) - mel(50.0)) * i as f64 / 41.0;
            700.0 * (10f64.powf(m / 2595.0) - 1.0)
        };
        let weight = |band: usize, hz: f64| {
            let (a, b, c) = (edge(band), edge(band + 1), edge(band + 2));
            ((hz - a) / (b - a)).min((c - hz) / (c - b)).max(0.0)
        };
        let mut db = vec![];
        let mut density = vec![];
        for band in (0..MEL_BANDS).take_while(|&band| edge(band + 1) <= self.rate / 2.0) {
            let p: f64 = (0..bins).map(|k| weight(band, k as f64 * bin_hz) * power[k]).sum();
            let size: f64 = (0..bins).map(|k| weight(band, k as f64 * bin_hz)).sum();
            db.push(10.0 * (p + 1e-10).log10());
            density.push((p + 1e-10) / size);
        }
        let mean = db.iter().sum::<f64>() / db.len() as f64;
        let rms: f64 = (end - self.hop..end).map(|i| at(i as i64).powi(2)).sum::<f64>() / self.hop as f64;
        if 10.0 * rms.log10() >= -70.0 {
            let keep = (-(self.hop as f64 / self.rate) / 3.0).exp();
            let (sum, weight) = self.level.unwrap_or_default();
            self.level = Some((keep * sum + (1.0 - keep) * mean, keep * weight + 1.0 - keep));
        }
        let level = self.level.map_or(-50.0, |(sum, weight)| sum / weight);
        let levelled: Vec<f64> =
            (0..MEL_BANDS).map(|i| db.get(i).map_or(-4.0, |db| (db - level) / 20.0)).collect();
        let mfcc = (0..MFCCS).map(|k| {
            let norm = if k == 0 { 1.0f64 } else { 2.0 } / 40.0;
            let angle = |i: usize| std::f64::consts::PI * k as f64 * (i as f64 + 0.5) / 40.0;
            norm.sqrt() * levelled.iter().enumerate().map(|(i, x)| x * angle(i).cos()).sum::<f64>()
        });
        let first = (50.0 / bin_hz).round() as usize;
        let total: f64 = power[first..].iter().sum();
        let mut below = 0.0;
        let rolloff = (first..bins).find(|&k| {
            below += power[k];
            below >= 0.85 * total
        });
        let geometric = (density.iter().map(|d| d.ln()).sum::<f64>() / density.len() as f64).exp();
        Column {
            mfcc: mfcc.collect(),
            log_mel: levelled.iter().map(|x| x.clamp(-4.0, 4.0)).collect(),
            centroid: (first..bins).map(|k| k as f64 * bin_hz * power[k]).sum::<f64>() / total,
            rolloff: rolloff.unwrap_or(0) as f64 * bin_hz,
            low: power[first..(250.0 / bin_hz).round() as usize].iter().sum::<f64>() / total,
            flatness: geometric / (density.iter().sum::<f64>() / density.len() as f64),
            total,
        }
    }
}

/// Uniform noise in -1..1, the same each time.
fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }
}

fn noisy_chord(rate: f32, samples: usize) -> Vec<f32> {
    let mut noise = noise(7);
    (0..samples)
        .map(|i| {
            let t = i as f32 / rate;
            let tone = |hz: f32| (std::f32::consts::TAU * hz * t).sin();
            0.2 * tone(110.0) + 0.1 * tone(443.0) + 0.05 * tone(2500.0) + 0.05 * noise() * (1.3 + tone(4.0))
        })
        .collect()
}

/// The same sound at any rate: partials with irrational frequencies, dense enough to fill every band, none above 7.9 kHz, faded in over 40 ms.
fn dense_partials(rate: f64, seconds: f64) -> Vec<f32> {
    let partials: Vec<(f64, f64, f64)> = (0..400)
        .map(|i| {
            let hz = 47.0 + 19.62 * i as f64 + (i as f64 * 1.618).fract();
            (hz, 0.05 / (1.0 + hz / 500.0), i as f64 * 2.4)
        })
        .collect();
    (0..(rate * seconds) as usize)
        .map(|i| {
            let t = i as f64 / rate;
            partials
                .iter()
                .map(|(hz, a, phase)| a * (std::f64::consts::TAU * hz * t + phase).sin())
                .sum::<f64>() as f32
        })
        .collect()
}

fn all_columns(rate: f32, signal: &[f32]) -> Vec<Features> {
    let mut front = FrontEnd::new(rate);
    signal.chunks_exact(front.hop()).map(|frame| *front.push(frame)).collect()
}

fn assert_finite(f: &Features) {
    let s = f.spectral;
    let all = [s.low, s.mid, s.high, s.centroid_hz, s.flatness, s.rolloff_hz, s.flux, f.level_dbfs];
    let finite = f.log_mel.iter().chain(&f.mfcc).chain(&all).all(|x| x.is_finite());
    assert!(finite && f.log_mel.iter().all(|x| x.abs() <= COLUMN_LIMIT), "{f:?}");
}

#[test]
fn agrees_with_the_definition_at_every_rate() {
    for rate in [8_000.0f32, 11_025.0, 16_000.0, 22_050.0, 44_100.0, 48_000.0, 96_000.0] {
        let mut front = FrontEnd::new(rate);
        let mut reference = Reference::new(f64::from(rate));
        assert_eq!(front.hop(), reference.hop);
        let hop = front.hop();
        let signal = noisy_chord(rate, 8 * hop);
        for (k, frame) in signal.chunks_exact(hop).enumerate() {
            let got = *front.push(frame);
            let want = reference.column(&signal, (k + 1) * hop);
            for (got, want) in got.log_mel.iter().zip(&want.log_mel) {
                assert!((f64::from(*got) - want).abs() < 1e-4, "{rate} Hz frame {k}: log_mel {got} {want}");
            }
            for (got, want) in got.mfcc.iter().zip(&want.mfcc) {
                assert!((f64::from(*got) - want).abs() < 5e-4, "{rate} Hz frame {k}: mfcc {got} {want}");
            }
            let s = got.spectral;
            assert!(want.total > 1e-6);
            assert!((f64::from(s.centroid_hz) - want.centroid).abs() < 0.01 + want.centroid * 1e-4);
            assert!(
                (f64::from(s.rolloff_hz) - want.rolloff).abs() < 1.0,
                "{} {}",
                s.rolloff_hz,
                want.rolloff
            );
            assert!((f64::from(s.low) - want.low).abs() < 1e-4, "{} {}", s.low, want.low);
            assert!((s.low + s.mid + s.high - 1.0).abs() < 1e-5);
            assert!((f64::from(s.flatness) - want.flatness).abs() < 1e-3, "{} {}", s.flatness, want.flatness);
        }
    }
}

#[test]
fn a_stationary_sound_keeps_its_power() {
    let rate = 48_000.0;
    let signal: Vec<f32> =
        (0..9600).map(|i| 0.5 * (std::f32::consts::TAU * 1000.0 * i as f32 / rate).sin()).collect();
    let mut front = FrontEnd::new(rate);
    for frame in signal.chunks_exact(960) {
        front.push(frame);
    }
    let power: f32 = front.power.iter().sum();
    assert!((power - 0.125).abs() < 1e-4, "{power}");
    assert!((front.features().level_dbfs - 10.0 * 0.125f32.log10()).abs() < 1e-3);
}

#[test]
fn gain_does_not_matter() {
    let mut noise = noise(11);
    let signal: Vec<f32> =
        (0..24_000).map(|i| 0.3 * noise() * (0.2 + (i as f32 * 3e-4).sin().abs())).collect();
    let plain = all_columns(48_000.0, &signal);
    for gain_db in [-18.0f32, -6.0, 12.0] {
        let gain = 10f32.powf(gain_db / 20.0);
        let scaled: Vec<f32> = signal.iter().map(|x| x * gain).collect();
        for (a, b) in plain.iter().zip(all_columns(48_000.0, &scaled)) {
            for (x, y) in a.log_mel.iter().chain(&a.mfcc).zip(b.log_mel.iter().chain(&b.mfcc)) {
                assert!((x - y).abs() < 2e-3, "{gain_db} dB: {x} {y}");
            }
            assert!((a.spectral.flux - b.spectral.flux).abs() < 2e-2);
        }
    }
}

#[test]
fn sample_rate_does_not_matter() {
    let reference = all_columns(48_000.0, &dense_partials(48_000.0, 0.4));
    for rate in [16_000.0, 44_100.0, 96_000.0] {
        let columns = all_columns(rate, &dense_partials(f64::from(rate), 0.4));
        assert_eq!(columns.len(), reference.len());
        for (k, (a, b)) in reference.iter().zip(&columns).enumerate() {
            for (band, (x, y)) in a.log_mel.iter().zip(&b.log_mel).enumerate() {
                // 0.02 of a unit is 0.4 dB. The first frames hold the fade, whose spectrum reaches beyond what 16 kHz can
                // carry and bends the slow level while that is young.
                let limit = if k < 5 { 0.11 } else { 0.02 };
                assert!((x - y).abs() < limit, "{rate} Hz frame {k} band {band}: {x} {y}");
            }
        }
    }
}

#[test]
fn eight_kilohertz_reads_the_upper_bands_as_silence() {
    let full = all_columns(48_000.0, &dense_partials(48_000.0, 0.2));
    let narrow = all_columns(8_000.0, &dense_partials(8_000.0, 0.2));
    let present = MelFilters::new(25.0, 161).present();
    assert!((25..MEL_BANDS).contains(&present));
    assert!(narrow.iter().all(|c| c.log_mel[present..].iter().all(|&x| x == -COLUMN_LIMIT)));
    assert!(full[5].log_mel[present..].iter().all(|&x| x > -2.0));
}

#[test]
fn hostile_input_gives_finite_columns_and_is_forgotten() {
    let rate = 48_000.0;
    let mut front = FrontEnd::new(rate);
    let hop = front.hop();
    let signal = noisy_chord(rate, 400 * hop);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e-40, -1e-42] {
        let mut frame = signal[..hop].to_vec();
        for x in frame.iter_mut().step_by(3) {
            *x = bad;
        }
        assert_finite(front.push(&frame));
        assert_finite(front.push(&vec![bad; hop]));
        assert_finite(front.push(&[]));
        assert_finite(front.push(&vec![1e6; 2 * hop]));
        assert_finite(front.push(&vec![0.0; hop]));
    }
    front.reset();
    let again: Vec<Features> = signal.chunks_exact(hop).map(|frame| *front.push(frame)).collect();
    assert_eq!(again, all_columns(rate, &signal));
    // Without a reset the slow level forgets by itself: three seconds is a time constant, 8 s leave 7 %.
    let mut hurt = FrontEnd::new(rate);
    hurt.push(&vec![f32::NAN; hop]);
    let last = signal.chunks_exact(hop).map(|frame| *hurt.push(frame)).last().unwrap();
    assert!(last.log_mel.iter().zip(&again[399].log_mel).all(|(a, b)| (a - b).abs() < 1e-3));
}

#[test]
fn every_rate_from_8_to_384_khz_works() {
    for rate in [8_000.0, 8_001.0, 11_025.0, 37_800.0, 88_200.0, 176_400.0, 192_000.0, 352_800.0, 384_000.0] {
        let mut front = FrontEnd::new(rate);
        let exact = 0.02 * f64::from(rate);
        assert!((front.hop() as f64 - exact).abs() <= 0.5);
        assert!((front.hop() as f64 / exact - 1.0).abs() < 0.0032);
        let signal = noisy_chord(rate, 5 * front.hop());
        for frame in signal.chunks_exact(hop_at(rate)) {
            assert_finite(front.push(frame));
        }
        let low_tone = front.features();
        assert!(low_tone.spectral.low > 0.5 && low_tone.spectral.centroid_hz < 1000.0, "{rate}");
    }
    for nonsense in [f32::NAN, f32::INFINITY, -1.0, 0.0] {
        assert!((1..=20_000).contains(&FrontEnd::new(nonsense).hop()));
    }
}

#[test]
fn silence_and_white_noise_read_as_such() {
    let mut front = FrontEnd::new(48_000.0);
    let silent = *front.push(&[0.0; 960]);
    assert_eq!(silent.spectral, Spectral::default());
    assert!((silent.level_dbfs + 120.0).abs() < 1e-3);
    let mut next = noise(3);
    let mut flat = 0.0;
    for _ in 0..50 {
        let frame: Vec<f32> = (0..960).map(|_| 0.1 * next()).collect();
        flat += front.push(&frame).spectral.flatness / 50.0;
    }
    assert!(flat > 0.6, "white noise: {flat}");
    let tone: Vec<f32> = (0..960).map(|i| (std::f32::consts::TAU * i as f32 / 48.0).sin()).collect();
    front.push(&tone);
    assert!(front.push(&tone).spectral.flatness < 0.01);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn wider_vectors_change_no_bit() {
    for rate in [8_000.0, 44_100.0, 48_000.0] {
        let (mut wide, mut narrow) = (FrontEnd::new(rate), FrontEnd::new(rate));
        narrow.avx2 = false;
        for frame in noisy_chord(rate, 40 * wide.hop()).chunks_exact(hop_at(rate)) {
            assert_eq!(wide.push(frame), narrow.push(frame));
        }
    }
}
