//! Half precision: a network whose weights and biases are 16-bit floating point numbers (IEEE 754 binary16), stored in half
//! the room and computed in 32 bits.
//!
//! There is no mark on such a [`Model`]: it is one whose numbers all are halves, and the writers store it as such. Nothing
//! is lost by that, whatever the numbers came from.

use super::{Layer, Model, ModelError, Values};
use half::f16;

/// The same FP32 network with its weights and biases rounded to the nearest halves, ties to even. INT8 layers stay as they
/// are.
///
/// # Errors
/// When a number is beyond the largest half, 65504.
pub fn round(model: &Model) -> Result<Model, ModelError> {
    let mut rounded = model.clone();
    for (index, layer) in rounded.layers.iter_mut().enumerate() {
        let Values::F32 { weights, bias } = &mut layer.values else { continue };
        for number in weights.iter_mut().chain(bias) {
            let half = f16::from_f32(*number).to_f32();
            if !half.is_finite() {
                let problem =
                    format!("holds {number}, beyond the largest 16-bit float, 65504; keep it in FP32");
                return Err(ModelError::Layer { index, layer: layer.name.clone(), problem });
            }
            *number = half;
        }
    }
    Ok(rounded)
}

/// Whether the layer is FP32 and every number in it is a half.
pub fn is_half(layer: &Layer) -> bool {
    let half = |v: &f32| f16::from_f32(*v).to_f32().to_bits() == v.to_bits();
    matches!(&layer.values, Values::F32 { weights, bias } if weights.iter().chain(bias).all(half))
}

/// The bytes of numbers that are halves.
pub(super) fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect()
}

/// The numbers whose bytes these are; a last odd byte is left out.
pub(super) fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Quantization;
    use crate::model::random;

    #[test]
    fn rounding_makes_halves_that_are_near() {
        let model = random::flagship(50);
        let rounded = round(&model).unwrap();
        assert_eq!((model.quantization(), rounded.quantization()), (Quantization::Fp32, Quantization::Fp16));
        assert_eq!(round(&rounded).unwrap(), rounded);
        for (a, b) in model.layers.iter().zip(&rounded.layers) {
            let (Values::F32 { weights: a, .. }, Values::F32 { weights: b, .. }) = (&a.values, &b.values)
            else {
                panic!("not FP32")
            };
            // 11 bits of mantissa, and steps of 2^-24 near 0.
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= a.abs() / 2048.0 + 3e-8));
            assert_eq!(numbers(&bytes(b)), *b);
        }
    }

    #[test]
    fn what_no_half_can_hold_is_refused() {
        let mut model = random::flagship(50);
        let Values::F32 { bias, .. } = &mut model.layers[3].values else { panic!("not FP32") };
        bias[1] = -7e4;
        let error = round(&model).unwrap_err().to_string();
        assert!(error.contains("layer 3") && error.contains("-70000"), "{error}");
    }
}
