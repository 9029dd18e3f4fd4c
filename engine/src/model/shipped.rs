//! The models that come with the program, embedded so that nothing needs to be installed beside it.
//!
//! The workshop makes the FP32 and the INT8 file in ONNX; `idiom export models` makes the others of them.

use crate::controls::Quantization;

/// The shipped network as an ONNX file. [`Quantization::Auto`] is INT8, the smallest.
pub fn flagship(quantization: Quantization) -> &'static [u8] {
    match quantization {
        Quantization::Fp32 => include_bytes!("../../../models/flagship.fp32.onnx"),
        Quantization::Fp16 => include_bytes!("../../../models/flagship.fp16.onnx"),
        Quantization::Int8 | Quantization::Auto => include_bytes!("../../../models/flagship.int8.onnx"),
    }
}

/// The same as a TFLite file.
pub fn flagship_tflite(quantization: Quantization) -> &'static [u8] {
    match quantization {
        Quantization::Fp32 => include_bytes!("../../../models/flagship.fp32.tflite"),
        Quantization::Fp16 => include_bytes!("../../../models/flagship.fp16.tflite"),
        Quantization::Int8 | Quantization::Auto => include_bytes!("../../../models/flagship.int8.tflite"),
    }
}

/// The linear model of the backend Classic, see [`super::classic`].
pub fn classic() -> &'static [u8] {
    include_bytes!("../../../models/classic.weights.json")
}
