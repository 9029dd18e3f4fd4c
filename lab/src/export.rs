//! From the two files that the workshop makes of a network, FP32 and INT8 in ONNX, to all the files that are shipped.

use crate::files;
use crate::interrupt;
use anyhow::{Context, Result, ensure};
use idiom_engine::Quantization;
use idiom_engine::model::{Model, half, onnx_write, tflite_write};
use std::path::{Path, PathBuf};

/// What `NAME.fp32.onnx` ends with.
const SOURCE: &str = ".fp32.onnx";

/// A file that was written.
#[derive(Debug)]
pub struct Exported {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size.
    pub bytes: usize,
}

/// For every `NAME.fp32.onnx` in `folder` writes `NAME.fp16.onnx`, `NAME.fp32.tflite` and `NAME.fp16.tflite`, and for
/// every `NAME.int8.onnx` beside it `NAME.int8.tflite`. Files that are there already are replaced.
///
/// # Errors
/// When there is no such file, one cannot be read as a model of its arithmetic, or a file cannot be written.
pub fn folder(folder: &Path) -> Result<Vec<Exported>> {
    let listed =
        std::fs::read_dir(folder).with_context(|| format!("{}: cannot be read", folder.display()))?;
    let mut names: Vec<String> = listed
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(SOURCE).map(str::to_owned))
        .collect();
    names.sort();
    ensure!(!names.is_empty(), "{}: holds no NAME{SOURCE} to export", folder.display());
    let mut exported = Vec::new();
    for name in names {
        let fp32 = read(&folder.join(format!("{name}{SOURCE}")), Quantization::Fp32)?;
        let fp16 = half::round(&fp32)?;
        let mut outputs = vec![
            (format!("{name}.fp16.onnx"), onnx_write::write(&fp16)?),
            (format!("{name}.fp32.tflite"), tflite_write::write(&fp32)?),
            (format!("{name}.fp16.tflite"), tflite_write::write(&fp16)?),
        ];
        let int8 = folder.join(format!("{name}.int8.onnx"));
        if int8.exists() {
            let int8 = read(&int8, Quantization::Int8)?;
            outputs.push((format!("{name}.int8.tflite"), tflite_write::write(&int8)?));
        }
        for (file, bytes) in outputs {
            interrupt::check()?;
            let path = folder.join(file);
            files::write_bytes(&path, &bytes)
                .with_context(|| format!("{}: cannot be written", path.display()))?;
            exported.push(Exported { path, bytes: bytes.len() });
        }
    }
    Ok(exported)
}

fn read(path: &Path, quantization: Quantization) -> Result<Model> {
    let name = path.display();
    let bytes = std::fs::read(path).with_context(|| format!("{name}: cannot be read"))?;
    let model = Model::from_onnx(&bytes).with_context(|| format!("{name}"))?;
    let found = model.quantization();
    ensure!(found == quantization, "{name}: is {}, not {}", found.label(), quantization.label());
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::model::{Entries, random};

    #[test]
    fn every_file_of_a_network_is_written_and_holds_it() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let fp32 = random::flagship(61);
        let int8 = random::quantized(&fp32);
        assert!(super::folder(folder.path()).unwrap_err().to_string().contains("holds no"));
        std::fs::write(at("a.fp32.onnx"), onnx_write::write(&fp32).unwrap()).unwrap();
        std::fs::write(at("a.int8.onnx"), onnx_write::write(&int8).unwrap()).unwrap();
        let written = super::folder(folder.path()).unwrap();
        assert_eq!(written.len(), 4);
        for (name, model) in [
            ("a.fp16.onnx", &half::round(&fp32).unwrap()),
            ("a.fp16.tflite", &half::round(&fp32).unwrap()),
            ("a.fp32.tflite", &fp32),
            ("a.int8.tflite", &int8),
        ] {
            let bytes = std::fs::read(at(name)).unwrap();
            assert_eq!(Model::read(&bytes, &Entries::new()).unwrap(), *model, "{name}");
        }
        std::fs::write(at("a.int8.onnx"), onnx_write::write(&fp32).unwrap()).unwrap();
        let error = super::folder(folder.path()).unwrap_err().to_string();
        assert!(error.contains("a.int8.onnx") && error.contains("FP32"), "{error}");
    }
}
