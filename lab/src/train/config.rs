//! What is trained and how: a TOML file, see `lab/train/flagship.toml` for one with every setting.

use anyhow::{Context, Result, ensure};
use idiom_engine::model::InputKind;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The network.
    pub model: ModelConfig,
    /// Length and pace of training.
    pub train: TrainConfig,
    /// What a batch consists of and how it is labelled.
    pub mix: MixConfig,
    /// How sounds are varied.
    pub augment: AugmentConfig,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Name, written into the model file.
    pub name: String,
    /// Version, written into the model file.
    pub version: String,
    /// `log_mel40` or `mfcc13`.
    pub features: String,
    /// Frames that the logits are averaged over when the model plays.
    pub pool_frames: usize,
    /// All layers but the last, which gives one logit a class and is added by itself.
    pub layers: Vec<LayerConfig>,
}

/// A causal convolution, followed by batch normalisation and ReLU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerConfig {
    /// Output channels; left out in a depthwise layer.
    pub outputs: Option<usize>,
    /// Kernel size along the feature rows and in time.
    pub kernel: [usize; 2],
    /// Step along the feature rows.
    #[serde(default = "one")]
    pub stride: usize,
    /// Distance of the taps in time, in frames.
    #[serde(default = "one")]
    pub dilation: usize,
    /// Rows of zeros on both sides; half the kernel, rounded down, when left out. A kernel over all rows needs 0.
    pub pad: Option<usize>,
}

/// Length and pace of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Everything random follows from this number.
    pub seed: u64,
    /// Optimizer steps.
    pub steps: usize,
    /// Crops a step.
    pub batch: usize,
    /// Frames of a crop.
    pub frames: usize,
    /// Highest learning rate; it rises linearly over `warm_up` steps and falls along a cosine.
    pub learning_rate: f32,
    /// Steps until the highest learning rate.
    pub warm_up: usize,
    /// AdamW weight decay, on convolution weights only.
    pub weight_decay: f32,
    /// Gradients longer than this are shortened to it.
    pub clip_gradient: f32,
    /// Decay a step of the running average of weights, which is what is exported.
    pub average: f32,
    /// Probability that a channel before the last layer is silent for a whole crop.
    pub dropout: f32,
    /// Random stretches of each crop whose averaged logits are graded.
    pub segments: usize,
    /// Shortest such stretch, in frames.
    pub shortest_segment: usize,
    /// Steps between two looks at the validation clips.
    pub validate_every: usize,
    /// Training stops after this many looks without a better one; 0 never stops early.
    pub patience: usize,
}

/// What a batch consists of and how it is labelled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixConfig {
    /// Share of crops from sounds without a label, which the teacher's table labels; `balance` says which of them.
    pub unlabelled: f32,
    /// Share of crops of noise, tones and near silence, whose target is "all classes equally".
    pub nothing: f32,
    /// How far the kinds of unlabelled sounds are drawn equally often: 0 draws sounds as they are found, 1 each kind (the
    /// class that the teacher finds likeliest) as often as any other.
    #[serde(default)]
    pub balance: f32,
    /// Weight of the squared error of the teacher's hints, beside the cross-entropy of the classes; 0 learns none.
    #[serde(default)]
    pub hints: f32,
    /// Weight of the teacher in the targets of a labelled sound with full confidence. A label of confidence w counts
    /// (1 - teacher) * w.
    pub teacher: f32,
    /// Part of every target that is spread over all classes.
    pub smoothing: f32,
    /// 1 counts pieces when sounds of a class are drawn, 0 counts files, 0.5 is between.
    pub by_piece: f32,
    /// Probability that a crop begins in another sound.
    pub transition: f32,
}

/// Probabilities and sizes of variations; see [`super::augment`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AugmentConfig {
    /// Share of the sounds that are also heard in another rendition: through a room, a codec, at another sampling rate, with
    /// another stereo width (see [`super::rendition`]). Each takes about a second to make, once.
    #[serde(default)]
    pub renditions: f32,
    /// Added noise floor.
    pub noise_floor: f32,
    /// Smooth equalizer curves.
    pub equalizer: f32,
    /// Missing treble or bass.
    pub band_limit: f32,
    /// Another sound's band statistics (Freq-MixStyle).
    pub mix_style: f32,
    /// Pitch shift.
    pub pitch: f32,
    /// Largest pitch shift, in semitones.
    pub pitch_semitones: f32,
    /// Tempo change.
    pub tempo: f32,
    /// Largest tempo change, as a factor minus one.
    pub tempo_range: f32,
    /// Masked bands.
    pub mask_bands: f32,
    /// Masked stretches of time.
    pub mask_time: f32,
    /// Slow level that has not settled.
    pub level_drift: f32,
    /// Crops that are heard as if the sound had just begun; only those that do not begin in another sound.
    pub cold_start: f32,
    /// A second sound under the first.
    pub mixup: f32,
}

fn one() -> usize {
    1
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Config> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
        Config::parse(&text).with_context(|| path.display().to_string())
    }

    /// Reads a configuration from its text.
    pub fn parse(text: &str) -> Result<Config> {
        let config: Config = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    /// The model's input.
    pub fn input(&self) -> Result<InputKind> {
        // Samples are not varied as features are; a network of samples is trained elsewhere and played here.
        let trained = |input: &InputKind| *input != InputKind::Samples960;
        InputKind::from_name(&self.model.features).filter(trained).with_context(|| {
            format!("model.features: `{}` is none of log_mel40, mfcc13", self.model.features)
        })
    }

    fn check(&self) -> Result<()> {
        self.input()?;
        let t = &self.train;
        ensure!(t.batch >= 2, "train.batch: {} is below 2, which batch normalisation needs", t.batch);
        ensure!(
            t.shortest_segment >= 1 && t.frames > t.shortest_segment,
            "train.frames: {} is not above train.shortest_segment, {}",
            t.frames,
            t.shortest_segment
        );
        ensure!(t.segments >= 1, "train.segments: at least 1 is needed");
        ensure!((0.0..1.0).contains(&t.dropout), "train.dropout: {} is not within 0..1", t.dropout);
        ensure!((0.0..1.0).contains(&t.average), "train.average: {} is not within 0..1", t.average);
        ensure!(t.validate_every >= 1, "train.validate_every: at least 1 is needed");
        let m = &self.mix;
        ensure!(
            m.unlabelled >= 0.0 && m.nothing >= 0.0 && m.unlabelled + m.nothing < 1.0,
            "mix: unlabelled and nothing must not be negative and must leave room for labelled sounds"
        );
        ensure!((0.0..=1.0).contains(&m.balance), "mix.balance: {} is not within 0..=1", m.balance);
        let renditions = self.augment.renditions;
        ensure!((0.0..=1.0).contains(&renditions), "augment.renditions: {renditions} is not within 0..=1");
        ensure!(m.hints >= 0.0, "mix.hints: {} is below 0", m.hints);
        ensure!(!self.model.layers.is_empty(), "model.layers: there is none");
        Ok(())
    }
}

/// The configuration that the flagship is trained with.
pub const FLAGSHIP: &str = include_str!("../../train/flagship.toml");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_configuration_is_read_and_unknown_settings_are_refused() {
        let config = Config::parse(FLAGSHIP).unwrap();
        assert_eq!(config.model.name, "flagship");
        let wrong = FLAGSHIP.replace("learning_rate", "learning_speed");
        let message = Config::parse(&wrong).unwrap_err().to_string();
        assert!(message.contains("learning_speed"), "{message}");
        let wrong = FLAGSHIP.replace("features = \"log_mel40\"", "features = \"chroma\"");
        let message = Config::parse(&wrong).unwrap_err().to_string();
        assert!(message.contains("`chroma`"), "{message}");
    }
}
