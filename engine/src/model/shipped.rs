//! The models that come with the program, embedded so that nothing needs to be installed beside it.

use crate::controls::Quantization;

/// The ONNX file of the shipped network. [`Quantization::Auto`] is INT8, the faster of the two.
pub fn flagship(quantization: Quantization) -> &'static [u8] {
    match quantization {
        Quantization::Fp32 => include_bytes!("../../../models/flagship.fp32.onnx"),
        Quantization::Int8 | Quantization::Auto => include_bytes!("../../../models/flagship.int8.onnx"),
    }
}
