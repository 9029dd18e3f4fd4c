//! Crossfade between the mixed and the untouched sound.

/// Length of the fade in seconds: too short to be heard as a fade, too long to be heard as a click.
const FADE_S: f32 = 0.010;

/// See the [module](self). Counts in samples, so it ends on either side exactly.
#[derive(Clone, Copy, Debug)]
pub struct Bypass {
    length: u32,
    position: u32,
}

impl Bypass {
    /// Not bypassed.
    pub fn new(sample_rate: f32) -> Bypass {
        Bypass { length: (FADE_S * sample_rate).round().max(1.0) as u32, position: 0 }
    }

    /// Takes a side at once.
    pub fn jump(&mut self, bypassed: bool) {
        self.position = if bypassed { self.length } else { 0 };
    }

    /// Whether nothing of the untouched sound is let through, now and at the next sample.
    pub fn is_off(&self, bypassed: bool) -> bool {
        !bypassed && self.position == 0
    }

    /// Goes on by a sample and returns the untouched sound's share, `0..=1`, exactly 0 and 1 at the ends. The curve is
    /// smooth at both (3x² - 2x³): a corner would be heard on low notes.
    pub fn advance(&mut self, bypassed: bool) -> f64 {
        self.position =
            if bypassed { (self.position + 1).min(self.length) } else { self.position.saturating_sub(1) };
        let x = f64::from(self.position) / f64::from(self.length);
        x * x * (3.0 - 2.0 * x)
    }
}
