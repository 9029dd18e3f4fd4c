//! The slow level that columns are measured from, which makes them independent of gain.

/// Time constant of the average in seconds.
pub const LEVEL_SECONDS: f32 = 3.0;
/// Frames below this RMS (dBFS) are silence and leave the level where it is.
pub const SILENCE_DBFS: f32 = -70.0;
/// The level before any sound was heard, in dB of mean band power.
const UNKNOWN_DB: f32 = -50.0;

/// Leaky average of the mean band level in dB. While young it is the plain average of what was heard (the leak is
/// divided out, as in Adam), so that it is right from the first frame on.
pub struct SlowLevel {
    keep: f32,
    sum: f32,
    weight: f32,
}

impl SlowLevel {
    /// For frames `hop_s` seconds apart.
    pub fn new(hop_s: f32) -> SlowLevel {
        SlowLevel { keep: (-hop_s / LEVEL_SECONDS).exp(), sum: 0.0, weight: 0.0 }
    }

    /// As after a long time at `level_db`.
    pub fn steady(hop_s: f32, level_db: f32) -> SlowLevel {
        SlowLevel { sum: level_db, weight: 1.0, ..SlowLevel::new(hop_s) }
    }

    /// Takes in a frame's mean band level (dB) unless its RMS is silence, and gives the level in dB, this frame included.
    pub fn push(&mut self, mean_db: f32, level_dbfs: f32) -> f32 {
        if level_dbfs >= SILENCE_DBFS {
            self.sum = self.keep * self.sum + (1.0 - self.keep) * mean_db;
            self.weight = self.keep * self.weight + (1.0 - self.keep);
        }
        if self.weight > 0.0 { self.sum / self.weight } else { UNKNOWN_DB }
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        (self.sum, self.weight) = (0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_first_value_at_once_and_holds_through_silence() {
        let mut level = SlowLevel::new(0.02);
        assert_eq!(level.push(-100.0, -120.0), UNKNOWN_DB);
        assert!((level.push(-30.0, -20.0) + 30.0).abs() < 1e-4);
        assert!((level.push(-40.0, -20.0) + 35.0).abs() < 0.1, "plain average while young");
        let before = level.push(-40.0, -20.0);
        assert_eq!(level.push(-100.0, -90.0), before);
    }

    #[test]
    fn a_step_is_followed_by_63_percent_in_one_time_constant() {
        let mut level = SlowLevel::new(0.02);
        (0..3000).for_each(|_| {
            level.push(-60.0, -20.0);
        });
        let after = (0..150).map(|_| level.push(-40.0, -20.0)).last().unwrap_or_default();
        assert!((after - (-60.0 + 20.0 * 0.632)).abs() < 0.05, "{after}");
    }
}
