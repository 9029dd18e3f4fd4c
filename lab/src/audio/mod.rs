//! Sound files in and out: every common format is read, WAV is written.

mod codec;
mod read;
mod resample;
mod write;

pub use codec::Codec;
pub use read::{AudioError, Reader, read};
pub use write::{WavFormat, write_wav, write_wav_as};

/// Decoded sound: one vector of samples a channel, all of one length, full scale at ±1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Audio {
    /// Samples a second.
    pub sample_rate: u32,
    /// Samples of each channel.
    pub channels: Vec<Vec<f32>>,
    /// What was wrong with the file, when only a part of it could be decoded; `None` for a sound file.
    pub damage: Option<String>,
}

impl Audio {
    /// Sound from its samples.
    ///
    /// # Panics
    /// When the channels differ in length.
    pub fn new(sample_rate: u32, channels: Vec<Vec<f32>>) -> Audio {
        assert!(channels.windows(2).all(|pair| pair[0].len() == pair[1].len()), "channels differ in length");
        Audio { sample_rate, channels, damage: None }
    }

    /// Samples in each channel.
    pub fn len(&self) -> usize {
        self.channels.first().map_or(0, Vec::len)
    }

    /// Whether there is not a single sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        if self.sample_rate == 0 { 0.0 } else { self.len() as f64 / f64::from(self.sample_rate) }
    }

    /// The mean of all channels: what the analysis hears.
    pub fn mono(&self) -> Vec<f32> {
        match self.channels.as_slice() {
            [] => Vec::new(),
            [only] => only.clone(),
            [first, rest @ ..] => {
                let mut sum = first.clone();
                for channel in rest {
                    sum.iter_mut().zip(channel).for_each(|(s, x)| *s += x);
                }
                let scale = 1.0 / self.channels.len() as f32;
                sum.iter_mut().for_each(|s| *s *= scale);
                sum
            }
        }
    }

    /// Two channels: mono is doubled, and of three and more channels the even ones go left and the odd ones right
    /// with the usual surround orders (centre and low-frequency channel to both sides), scaled so that nothing clips
    /// that did not clip before.
    pub fn stereo(&self) -> [Vec<f32>; 2] {
        match self.channels.as_slice() {
            [] => [Vec::new(), Vec::new()],
            [only] => [only.clone(), only.clone()],
            [left, right] => [left.clone(), right.clone()],
            many => {
                let mut sides = [vec![0.0_f32; self.len()], vec![0.0_f32; self.len()]];
                let mut weights = [0.0_f32; 2];
                for (index, channel) in many.iter().enumerate() {
                    // Left, right, centre, low frequency, then pairs of surrounds.
                    let centre = many.len() != 4 && (index == 2 || (index == 3 && many.len() > 5));
                    for (side, samples) in sides.iter_mut().enumerate() {
                        let weight = match (centre, index % 2 == side) {
                            (true, _) => std::f32::consts::FRAC_1_SQRT_2,
                            (false, true) => 1.0,
                            (false, false) => continue,
                        };
                        weights[side] += weight;
                        samples.iter_mut().zip(channel).for_each(|(s, x)| *s += weight * x);
                    }
                }
                let scale = 1.0 / weights[0].max(weights[1]).max(1.0);
                sides.iter_mut().flatten().for_each(|s| *s *= scale);
                sides
            }
        }
    }
}

#[cfg(test)]
mod tests;
