//! Several configurations of one model, side by side.

use super::config::{OptimizationConfig, Platform};
use super::report::{Comparison, Entry, Extra, compare};
use super::sounds::Sounds;
use super::{Optimized, ending, optimizer};
use crate::files;
use crate::interrupt;
use anyhow::{Context, Result};
use idiom_engine::model::{Format, Model};
use std::path::{Path, PathBuf};

/// Configurations to run, each in some formats.
#[derive(Clone, Debug, Default)]
pub struct Pipeline {
    /// What to run, in this order.
    pub runs: Vec<(OptimizationConfig, Format)>,
}

/// What a pipeline made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The files, in the order of the runs.
    pub files: Vec<PathBuf>,
    /// The original and all that was made of it; `None` without sounds to compare on.
    pub comparison: Option<Comparison>,
}

impl Pipeline {
    /// Runs everything, writing `NAME.PLATFORM-PRECISION-lLEVEL.ENDING` into `folder`, each file whole or not at all. `file`
    /// is the original's, and `python` as in [`Extra::python`].
    ///
    /// # Errors
    /// When a configuration cannot be carried out, a file cannot be written, or the user interrupts; files that were
    /// finished are kept.
    pub fn run(
        &self,
        model: &Model,
        file: &Path,
        sounds: Option<&Sounds>,
        folder: &Path,
        python: Option<&Path>,
    ) -> Result<Made> {
        let name = &model.meta.name;
        let length =
            std::fs::metadata(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        let mut entries = vec![Entry {
            name: format!("{name} (original)"),
            model: model.clone(),
            bytes: length.len() as usize,
            path: Some(file.to_owned()),
            story: None,
        }];
        let mut written = Vec::new();
        for (config, _) in &self.runs {
            config.check(Format::Onnx)?;
        }
        let mut last: Option<(&OptimizationConfig, Optimized)> = None;
        for (config, format) in &self.runs {
            interrupt::check()?;
            // The second format of a configuration holds what the first one was made of, where it can.
            let reusable = last
                .take()
                .filter(|(done, made)| *done == config && made.outcome.story.float_layers.is_empty());
            let made = match reusable {
                Some((_, made)) => {
                    config.check(*format)?;
                    let bytes = optimizer(*format).write(&made.outcome.model, config.precision)?;
                    Optimized { bytes, format: *format, ..made }
                }
                None => optimizer(*format).optimize(model, config, sounds)?,
            };
            let path = folder.join(format!("{name}.{}.{}", config.name(), ending(*format)));
            files::write_bytes(&path, &made.bytes)
                .with_context(|| format!("{}: cannot be written", path.display()))?;
            // Read back: what is compared is what the file holds. Dynamic files are not for the executor.
            if let Ok(model) = Model::read(&made.bytes, &Default::default()) {
                entries.push(Entry {
                    name: path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default(),
                    model,
                    bytes: made.bytes.len(),
                    path: Some(path.clone()),
                    story: Some(made.outcome.story.clone()),
                });
            }
            written.push(path);
            last = Some((config, made));
        }
        let cloud = |config: &OptimizationConfig| config.platform == Platform::Cloud;
        let batches = self.runs.iter().filter(|(config, _)| cloud(config)).map(|(config, _)| config.batch);
        let extra = Extra { streams: batches.max().unwrap_or(0), python: python.map(Path::to_owned) };
        let comparison = sounds.map(|sounds| compare(&entries, sounds, &extra)).transpose()?;
        Ok(Made { files: written, comparison })
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Precision;
    use super::super::tests::{sounds, trained_in_no_time};
    use super::*;

    #[test]
    fn every_configuration_becomes_a_file_and_a_row() {
        let sounds = sounds(12);
        let model = trained_in_no_time(&sounds);
        let folder = tempfile::tempdir().unwrap();
        let config = |precision, level| OptimizationConfig {
            steps: 0,
            ..OptimizationConfig::new(Platform::Cpu, precision, level)
        };
        let runs = vec![
            (config(Precision::Fp32, 0), Format::Onnx),
            (config(Precision::Fp16, 0), Format::Onnx),
            (config(Precision::Dynamic, 0), Format::Onnx),
            (config(Precision::Int8, 2), Format::Onnx),
            (config(Precision::Int8, 2), Format::Tflite),
        ];
        let file = folder.path().join("original.onnx");
        std::fs::write(&file, "").unwrap();
        let made = Pipeline { runs }.run(&model, &file, Some(&sounds), folder.path(), None).unwrap();
        assert_eq!(made.files.len(), 5);
        let read = |i: usize| {
            let bytes = std::fs::read(&made.files[i]).unwrap();
            Model::read(&bytes, &Default::default())
        };
        assert_eq!(read(0).unwrap(), model);
        assert!(read(2).is_err(), "a dynamic file is not for the executor");
        assert_eq!(
            read(3).unwrap().layers.last().unwrap().values,
            read(4).unwrap().layers.last().unwrap().values
        );
        // The original and all but the dynamic one.
        assert_eq!(made.comparison.unwrap().rows.len(), 5);
        let impossible = vec![(config(Precision::Int8, 1), Format::Onnx)];
        let error = Pipeline { runs: impossible }
            .run(&model, &file, None, folder.path(), None)
            .unwrap_err()
            .to_string();
        assert!(error.contains("--level 2"), "{error}");
    }
}
