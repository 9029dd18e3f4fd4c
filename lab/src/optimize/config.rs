//! What a model is to be optimized for.

use anyhow::{Result, ensure};
use idiom_engine::model::Format;
use serde::{Deserialize, Serialize};

/// Where the model will run. It decides what is worth trying and how much accuracy may be given for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Platform {
    /// A plugin on a desktop processor: the network as it is.
    Cpu,
    /// A graphics processor: as [`Platform::Cpu`]; the executor itself runs on processors only.
    Gpu,
    /// A phone: at least half the size and twice the speed, up to a point of accuracy may be lost.
    Mobile,
    /// A small device: less than a third of the size and three times the speed, up to half a point may be lost.
    Edge,
    /// A server that hears many streams at once: throughput counts, not size.
    Cloud,
}

/// How numbers are stored and computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32-bit floating point.
    Fp32,
    /// Stored in 16-bit floating point, computed in 32 bits.
    Fp16,
    /// 8-bit integers, ranges calibrated on sounds.
    Int8,
    /// 8-bit integers, ranges found in each window (ONNX only, for the worker and other programs).
    Dynamic,
}

/// A configuration of the optimizer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizationConfig {
    /// Where the model will run.
    pub platform: Platform,
    /// How numbers are stored and computed.
    pub precision: Precision,
    /// How much is tried:
    /// 0 converts only; 1 folds constants and normalizations, fuses activations and drops what does nothing;
    /// 2 adds calibrated static quantization and, for mobile and edge, channel pruning with fine-tuning;
    /// 3 adds bias correction, quantization-aware fine-tuning and mixed precision.
    pub level: u8,
    /// Most balanced accuracy that may be lost on the sounds, in points (hundredths).
    pub max_drop: f64,
    /// Steps of fine-tuning after pruning and of quantization-aware fine-tuning, each.
    pub steps: usize,
    /// Streams that are computed together when throughput is measured (cloud).
    pub batch: usize,
}

impl Platform {
    /// All of them.
    pub const ALL: [Platform; 5] =
        [Platform::Cpu, Platform::Gpu, Platform::Mobile, Platform::Edge, Platform::Cloud];

    /// Name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Platform::Cpu => "cpu",
            Platform::Gpu => "gpu",
            Platform::Mobile => "mobile",
            Platform::Edge => "edge",
            Platform::Cloud => "cloud",
        }
    }

    /// Most balanced accuracy that may be lost where nothing else is asked for, in points.
    pub const fn max_drop(self) -> f64 {
        match self {
            Platform::Mobile => 1.0,
            _ => 0.5,
        }
    }

    /// Whether channels may be pruned.
    pub const fn prunes(self) -> bool {
        matches!(self, Platform::Mobile | Platform::Edge)
    }

    /// Whether 8-bit weights stay within -64..=64 instead of -127..=127. Sums of two products then fit 16 bits, which
    /// processors without 8-bit dot products multiply faster, and ONNX Runtime computes exactly there.
    pub const fn narrows_weights(self) -> bool {
        matches!(self, Platform::Mobile | Platform::Edge)
    }
}

impl Precision {
    /// Name on the command line and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Precision::Fp32 => "fp32",
            Precision::Fp16 => "fp16",
            Precision::Int8 => "int8",
            Precision::Dynamic => "dynamic",
        }
    }
}

impl OptimizationConfig {
    /// The usual configuration for a platform.
    pub fn new(platform: Platform, precision: Precision, level: u8) -> OptimizationConfig {
        OptimizationConfig {
            platform,
            precision,
            level,
            max_drop: platform.max_drop(),
            steps: 200,
            batch: 16,
        }
    }

    /// Whether sounds are needed to carry it out.
    pub fn needs_sounds(&self) -> bool {
        self.level >= 2 && (self.precision == Precision::Int8 || self.platform.prunes())
    }

    /// Checks that the settings fit each other and the file format.
    ///
    /// # Errors
    /// Says what does not.
    pub fn check(&self, format: Format) -> Result<()> {
        ensure!(self.level <= 3, "--level {}: there are the levels 0 to 3", self.level);
        ensure!(
            self.precision != Precision::Int8 || self.level >= 2,
            "--quantization int8 needs --level 2 or 3, because static quantization is calibrated; use --quantization \
             dynamic for a file without calibration"
        );
        ensure!(
            self.precision != Precision::Dynamic || format == Format::Onnx,
            "--quantization dynamic: TFLite has no such form that the schema describes; use --format onnx"
        );
        ensure!(
            self.max_drop.is_finite() && self.max_drop >= 0.0,
            "--max-drop {}: points of balanced accuracy from 0 up are possible",
            self.max_drop
        );
        ensure!((1..=4096).contains(&self.batch), "--batch {}: 1 to 4096 streams are possible", self.batch);
        Ok(())
    }

    /// A short name for files and tables, e.g. `edge-int8-l3`.
    pub fn name(&self) -> String {
        format!("{}-{}-l{}", self.platform.name(), self.precision.name(), self.level)
    }
}
