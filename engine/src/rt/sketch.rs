//! Sketches of windows: what the cache compares to find sound that it knows.
//!
//! A sketch is the mean level of a window's mel bands in [`CELLS`] cells, [`SPANS`] spans of time by [`GROUPS`] groups of
//! neighbouring bands. Two windows with the same sound have the same sketch to the bit, wherever they lie: levels are rounded
//! to whole numbers first, and added up as such. Nearly the same sound has nearly the same sketch, so that "the same but for
//! a little" can be asked with a number for the little, without the edges that a hash of rounded values would have.

use super::features::MEL_BANDS;

/// Spans of time in a sketch.
pub const SPANS: usize = 8;
/// Groups of mel bands in a sketch.
pub const GROUPS: usize = 8;
/// Cells of a sketch.
pub const CELLS: usize = SPANS * GROUPS;
/// Steps a dB.
pub const STEPS_PER_DB: f32 = 64.0;

/// Bands in a group.
const WIDTH: usize = MEL_BANDS / GROUPS;
/// Levels below this (dB of band power) count as this: below it lie dither and the noise of converters.
const FLOOR_DB: f32 = -80.0;

/// Mean level of each cell in steps of 1/64 dB, time by band group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sketch(pub [i16; CELLS]);

impl Sketch {
    /// Largest difference of a cell, in steps; stops early, with a number above it, once that exceeds `limit`.
    pub fn difference(&self, other: &Sketch, limit: u16) -> u16 {
        let mut largest = 0;
        for (a, b) in self.0.chunks_exact(GROUPS).zip(other.0.chunks_exact(GROUPS)) {
            largest = a.iter().zip(b).fold(largest, |most, (a, b)| most.max(a.abs_diff(*b)));
            if largest > limit {
                break;
            }
        }
        largest
    }

    /// Mean of all cells in steps: sketches whose means are apart by more than some number have a cell that is, too.
    pub fn mean(&self) -> i16 {
        (self.0.iter().map(|cell| i32::from(*cell)).sum::<i32>() / CELLS as i32) as i16
    }
}

/// Level of each group of bands in one frame, summed over its bands, in steps. Whatever a band holds, the sum is finite and
/// small.
pub fn groups(bands_db: &[f32; MEL_BANDS]) -> [i32; GROUPS] {
    let mut sums = [0; GROUPS];
    for (sum, bands) in sums.iter_mut().zip(bands_db.chunks_exact(WIDTH)) {
        for db in bands {
            // `max` drops what is no number, and casts saturate.
            *sum += (db.max(FLOOR_DB).min(-2.0 * FLOOR_DB) * STEPS_PER_DB) as i32;
        }
    }
    sums
}

/// The sketch of a window of `frames` frames, at least 1, from the running sums of [`groups`]: `before(k)` is the sum over all
/// frames before the window's frame `k`, `0..=frames`, and wraps around.
pub fn sketch(frames: usize, mut before: impl FnMut(usize) -> [i32; GROUPS]) -> Sketch {
    let mut out = [0; CELLS];
    let mut start = 0;
    let mut sums = before(0);
    for (span, cells) in out.chunks_exact_mut(GROUPS).enumerate() {
        let end = (span + 1) * frames / SPANS;
        // A window of fewer frames than spans leaves some empty.
        if end == start {
            continue;
        }
        let next = before(end);
        let values = ((end - start) * WIDTH) as i32;
        for ((cell, next), sum) in cells.iter_mut().zip(next).zip(sums) {
            *cell = (next.wrapping_sub(sum) / values) as i16;
        }
        (start, sums) = (end, next);
    }
    Sketch(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sketch of frames whose bands are all at these levels.
    fn of(levels: &[f32]) -> Sketch {
        let mut sums = vec![[i32::MAX - 100; GROUPS]];
        for level in levels {
            let mut next = *sums.last().unwrap();
            for (sum, group) in next.iter_mut().zip(groups(&[*level; MEL_BANDS])) {
                *sum = sum.wrapping_add(group);
            }
            sums.push(next);
        }
        sketch(levels.len(), |k| sums[k])
    }

    #[test]
    fn cells_are_means_in_steps_whatever_came_before() {
        let steps: Vec<f32> = (0..80).map(|k| -20.0 - (k / 10) as f32).collect();
        let sketch = of(&steps);
        for (span, cells) in sketch.0.chunks_exact(GROUPS).enumerate() {
            assert_eq!(cells, [(-20 - span as i16) * 64; GROUPS]);
        }
        assert_eq!(sketch.mean(), -(20 * 64 + 7 * 32));
        let louder: Vec<f32> = steps.iter().map(|db| db + 0.5).collect();
        assert_eq!(sketch.difference(&of(&louder), 100), 32);
        assert!(sketch.difference(&of(&louder), 10) > 10);
        assert_eq!(of(&[-7.0; 3]).0.iter().filter(|cell| **cell != 0).count(), 3 * GROUPS);
    }

    #[test]
    fn numbers_that_are_none_and_silence_do_no_harm() {
        for db in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30, -100.0] {
            let sketch = of(&[db; 20]);
            let expected = if db > 0.0 { 160 * 64 } else { -80 * 64 };
            assert!(sketch.0.iter().all(|cell| *cell == expected), "{db}: {sketch:?}");
        }
    }
}
