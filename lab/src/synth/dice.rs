//! Chance with a memory: the same seed throws the same numbers.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// FNV-1a, 64 bits (Fowler, Noll, Vo), from `start` on: a seed that follows from a name.
pub fn hash(start: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A seeded source of musical decisions.
#[derive(Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// Dice for a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(ChaCha8Rng::seed_from_u64(seed))
    }

    /// New dice for a part of the work, so that what it throws does not depend on how often others throw.
    pub fn part(&mut self) -> Dice {
        Dice::new(self.0.next_u64())
    }

    /// Uniform in `0..1`.
    pub fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform in `low..high`.
    pub fn within(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform whole number in `0..count`; 0 for none.
    pub fn below(&mut self, count: usize) -> usize {
        ((u64::from(self.0.next_u32()) * count as u64) >> 32) as usize
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f32) -> bool {
        self.unit() < probability
    }

    /// One of the items.
    ///
    /// # Panics
    /// When there are none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// Bell-shaped around 0 with standard deviation 1, within ±3: the sum of twelve uniform numbers, shifted.
    pub fn bell(&mut self) -> f32 {
        let sum: f32 = (0..12).map(|_| self.unit()).sum();
        (sum - 6.0).clamp(-3.0, 3.0)
    }

    /// White noise in `-1..1`.
    pub fn noise(&mut self) -> f32 {
        2.0 * self.unit() - 1.0
    }
}

/// Fast white noise in `-1..1` for sound (a linear congruential generator; the dice seed it).
pub struct Noise(u32);

impl Noise {
    /// Noise whose samples follow from the dice.
    pub fn new(dice: &mut Dice) -> Noise {
        Noise(dice.0.next_u32() | 1)
    }

    /// The next sample.
    pub fn tick(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 * (2.0 / (1 << 24) as f32) - 1.0
    }
}
