//! What a file says about itself, as text by key: the same `idiom.*` entries in ONNX, in TFLite and in a sidecar.

use super::{FORMAT, InputKind, Model, ModelError, ModelMeta};
use crate::controls::Quantization;
use std::collections::BTreeMap;

/// The entries by key.
pub type Entries = BTreeMap<String, String>;

/// The keys that mean something.
pub(super) const KEYS: [&str; 7] = [
    "idiom.format",
    "idiom.model",
    "idiom.version",
    "idiom.features",
    "idiom.classes",
    "idiom.pool_frames",
    "idiom.quantization",
];

/// The name of an arithmetic in `idiom.quantization`.
pub(super) const fn arithmetic(quantization: Quantization) -> &'static str {
    match quantization {
        Quantization::Int8 => "int8",
        Quantization::Fp16 => "fp16",
        Quantization::Fp32 | Quantization::Auto => "fp32",
    }
}

/// What is written into a file that holds this model, in the order of [`KEYS`].
pub(super) fn of(model: &Model, quantization: &str) -> impl Iterator<Item = (&'static str, String)> {
    let meta = &model.meta;
    let values = [
        FORMAT.to_string(),
        meta.name.clone(),
        meta.version.clone(),
        meta.features.name().into(),
        meta.classes.join(","),
        meta.pool_frames.to_string(),
        quantization.into(),
    ];
    KEYS.into_iter().zip(values)
}

/// Reads the entries. The format is looked at first: what a newer one means is not known here.
///
/// # Errors
/// When one that is needed is missing or wrong.
pub(super) fn meta(entries: &Entries) -> Result<ModelMeta, ModelError> {
    let wrong = |key: &str, problem: String| ModelError::Metadata { key: key.into(), problem };
    let text =
        |key: &str| entries.get(key).map(String::as_str).ok_or_else(|| wrong(key, "is missing".into()));
    let number = |key: &str| {
        let text = text(key)?.trim();
        text.parse::<u64>().map_err(|_| wrong(key, format!("is `{}`, not a whole number", shorten(text))))
    };
    match number("idiom.format")? {
        0 => return Err(wrong("idiom.format", "is 0; the first format is 1".into())),
        format if format > FORMAT => return Err(ModelError::Newer { format }),
        _ => {}
    }
    let features = text("idiom.features")?.trim();
    let features = InputKind::from_name(features).ok_or_else(|| {
        wrong("idiom.features", format!("is `{}`; known are {}", shorten(features), InputKind::names()))
    })?;
    let pool_frames = usize::try_from(number("idiom.pool_frames")?).unwrap_or(usize::MAX);
    let plain = |key: &str| entries.get(key).map(|text| shorten(text));
    Ok(ModelMeta {
        name: plain("idiom.model").unwrap_or_else(|| "unnamed".into()),
        version: plain("idiom.version").unwrap_or_default(),
        features,
        classes: text("idiom.classes")?.split(',').map(|class| shorten(class.trim())).collect(),
        pool_frames,
    })
}

/// What the file says of its arithmetic, if it says so, must be what was found in it. FP16 may also be called FP32: its
/// numbers are.
pub(super) fn check_quantization(entries: &Entries, model: &Model) -> Result<(), ModelError> {
    let found = model.quantization();
    match entries.get("idiom.quantization") {
        Some(stated) if stated != arithmetic(found) && !(stated == "fp32" && found == Quantization::Fp16) => {
            let problem = format!("says `{}`, but the network is {}", shorten(stated), arithmetic(found));
            Err(ModelError::Metadata { key: "idiom.quantization".into(), problem })
        }
        _ => Ok(()),
    }
}

/// Text from a file, short enough for a message and a window.
pub(super) fn shorten(text: &str) -> String {
    const MOST: usize = 80;
    if text.chars().count() <= MOST { text.into() } else { text.chars().take(MOST).chain(['…']).collect() }
}
