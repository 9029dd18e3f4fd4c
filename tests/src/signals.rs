//! Test sound: reproducible, without files.

/// A small linear congruential generator (Knuth's MMIX constants), so that test sound is the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(2).wrapping_add(1))
    }

    /// The next number in `0.0..1.0`.
    pub fn unit(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1 << 24) as f32
    }

    /// The next whole number in `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + (self.unit() * (high - low + 1) as f32) as usize
    }
}

/// White noise with peaks at ±`amplitude`.
pub fn noise(length: usize, amplitude: f32, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    (0..length).map(|_| amplitude * (2.0 * random.unit() - 1.0)).collect()
}

/// Something like music: chords of decaying partials that change every half second, and a noise burst on each beat.
pub fn music(length: usize, sample_rate: f64, seed: u64) -> Vec<f32> {
    let mut random = Random::new(seed);
    let beat = (sample_rate / 2.0) as usize;
    let mut samples = Vec::with_capacity(length + beat);
    while samples.len() < length {
        let root = 110.0 * 2.0_f64.powf(random.between(0, 11) as f64 / 12.0);
        let chord = [1.0, 1.26, 1.498, 2.0, 3.0].map(|ratio| root * ratio / sample_rate);
        for n in 0..beat {
            let decay = (-3.0 * n as f64 / beat as f64).exp();
            let tone: f64 = chord.iter().map(|f| (std::f64::consts::TAU * f * n as f64).sin()).sum();
            let hit = if n < beat / 16 { 0.3 * (random.unit() - 0.5) } else { 0.0 };
            samples.push((0.1 * decay * tone) as f32 + hit);
        }
    }
    samples.truncate(length);
    samples
}

/// Block lengths from 1 to `max`, in no order, without end.
pub fn blocks(max: usize, seed: u64) -> impl Iterator<Item = usize> {
    let mut random = Random::new(seed);
    // Short blocks as often as long ones: the length is drawn on a logarithmic scale.
    std::iter::from_fn(move || {
        let exponent = f64::from(random.unit()) * (max as f64).log2();
        Some((2.0_f64.powf(exponent).round() as usize).clamp(1, max))
    })
}

/// Loudest difference between two signals.
pub fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "signals of different length");
    a.iter().zip(b).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}
