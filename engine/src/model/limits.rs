//! How large a model may be, and the check of a whole [`Model`] against it.
//!
//! The limits are far above any network worth 20 ms of a processor, and low enough that a file made to do harm
//! exhausts neither memory nor the audio thread's time.

use super::{Affine, Layer, Model, ModelError, Values, windowed};

/// The newest `idiom.format` this version reads.
pub const FORMAT: u64 = 1;
/// Largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 32 << 20;
/// Most layers in a chain.
pub const MAX_LAYERS: usize = 256;
/// Most channels of a layer.
pub const MAX_CHANNELS: usize = 2048;
/// Largest kernel along the features, largest padding and largest stride.
pub const MAX_KERNEL_F: usize = 64;
/// Most taps of a kernel in time.
pub const MAX_KERNEL_T: usize = 256;
/// Most frames that one layer looks back on.
pub const MAX_HISTORY: usize = 4096;
/// Most frames the logits are averaged over (82 seconds).
pub const MAX_POOL_FRAMES: usize = 4096;
/// Most weights of a network.
pub const MAX_WEIGHTS: usize = 8 << 20;
/// Most multiplications a frame: about 2 ms of one processor core.
pub const MAX_MACS: usize = 20_000_000;
/// Most numbers of the past that the layers remember together.
pub const MAX_MEMORY: usize = 16 << 20;
/// Output channels that the widest kernel computes together; numbers of weights and multiplications count as multiples.
const VECTOR: usize = 32;
/// Most products that one 8-bit output adds up: 2^15 of less than 2^15 each stay below 2^30.
pub const MAX_I8_PRODUCTS: usize = 1 << 15;
/// Largest bias of an 8-bit layer. Together with the products it fits 32 bits.
pub const MAX_I8_BIAS: u32 = 1 << 30;

impl Model {
    /// Checks that the layers fit together and stay within the limits, and that every number is usable. A model that
    /// passes can be run by [`super::windowed`] and compiled by [`crate::rt::net`].
    ///
    /// # Errors
    /// Says which layer, or which property of the whole, is wrong.
    pub fn validate(&self) -> Result<(), ModelError> {
        let pool = self.meta.pool_frames;
        if !(1..=MAX_POOL_FRAMES).contains(&pool) {
            let problem = format!("{pool} frames, but 1 to {MAX_POOL_FRAMES} are possible");
            return Err(ModelError::Metadata { key: "idiom.pool_frames".into(), problem });
        }
        let classes = self.meta.classes.len();
        if !(1..=MAX_CHANNELS).contains(&classes) {
            let problem = format!("{classes} classes, but 1 to {MAX_CHANNELS} are possible");
            return Err(ModelError::Metadata { key: "idiom.classes".into(), problem });
        }
        if self.layers.is_empty() || self.layers.len() > MAX_LAYERS {
            let problem =
                format!("has {} convolutions, but 1 to {MAX_LAYERS} are possible", self.layers.len());
            return Err(ModelError::Graph { problem });
        }

        let (mut channels, mut rows) = (1, self.meta.features.rows());
        let (mut weights, mut macs, mut memory) = (0usize, 0usize, 0usize);
        let mut before: Option<Affine> = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let wrong = |problem: String| ModelError::Layer { index, layer: layer.name.clone(), problem };
            check_shape(layer, channels).map_err(wrong)?;
            check_values(layer).map_err(wrong)?;
            check_input(layer, before).map_err(wrong)?;
            before = match &layer.values {
                Values::F32 { .. } => None,
                Values::I8 { output, .. } => Some(*output),
            };
            let out = layer.rows_out(rows).ok_or_else(|| {
                wrong(format!("the kernel of {} rows does not fit the {rows} rows", layer.kernel_f))
            })?;
            // Kernels compute whole vectors of output channels, so a layer of one channel costs as one of a vector.
            let per_output = layer.inputs_per_output() * layer.kernel_f * layer.kernel_t;
            let packed = layer.outputs.next_multiple_of(VECTOR) * per_output;
            weights += packed;
            macs += out * packed;
            memory += (layer.history() + 1) * (rows + layer.pads_f[0] + layer.pads_f[1]) * channels;
            (channels, rows) = (layer.outputs, out);
            // Checked at each layer, so that the sums above cannot overflow.
            for (what, have, limit) in [
                ("weights", weights, MAX_WEIGHTS),
                ("multiplications a frame", macs, MAX_MACS),
                ("numbers of the past to remember", memory, MAX_MEMORY),
            ] {
                if have > limit {
                    let problem =
                        format!("has at least {have} {what}, more than the {limit} that are played");
                    return Err(ModelError::TooLarge { problem });
                }
            }
        }
        if (rows, channels) != (1, classes) {
            let problem = format!(
                "ends with {rows} rows and {channels} channels, but needs one row and one channel for each of the {classes} classes"
            );
            return Err(ModelError::Graph { problem });
        }
        Ok(())
    }
}

fn check_shape(layer: &Layer, channels: usize) -> Result<(), String> {
    let Layer { inputs, outputs, .. } = *layer;
    if inputs != channels {
        return Err(format!("takes {inputs} channels, but {channels} come in"));
    }
    if layer.depthwise && outputs != inputs {
        return Err(format!("is depthwise with {inputs} channels in and {outputs} out; they must be equal"));
    }
    for (what, value, low, high) in [
        ("output channels", outputs, 1, MAX_CHANNELS),
        ("kernel rows", layer.kernel_f, 1, MAX_KERNEL_F),
        ("kernel taps in time", layer.kernel_t, 1, MAX_KERNEL_T),
        ("rows of stride", layer.stride_f, 1, MAX_KERNEL_F),
        ("frames of dilation", layer.dilation_t, 1, MAX_HISTORY),
        ("rows of padding before", layer.pads_f[0], 0, MAX_KERNEL_F),
        ("rows of padding after", layer.pads_f[1], 0, MAX_KERNEL_F),
    ] {
        if !(low..=high).contains(&value) {
            return Err(format!("has {value} {what}, but {low} to {high} are possible"));
        }
    }
    if layer.history() > MAX_HISTORY {
        return Err(format!(
            "looks {} frames back, more than the {MAX_HISTORY} that are kept",
            layer.history()
        ));
    }
    Ok(())
}

/// `before` is how the layer before gives out its numbers, if that is in 8 bits.
fn check_input(layer: &Layer, before: Option<Affine>) -> Result<(), String> {
    let Values::I8 { input, scales, output, .. } = &layer.values else { return Ok(()) };
    if let Some(before) = before.filter(|before| before != input) {
        return Err(format!(
            "takes 8-bit numbers of scale {} and zero point {}, but the layer before gives out {} and {}",
            input.scale, input.zero_point, before.scale, before.zero_point
        ));
    }
    let factors = windowed::requantizing(input.scale, scales, *output);
    match factors.iter().find(|f| !(f.is_finite() && **f >= f32::MIN_POSITIVE)) {
        Some(bad) => Err(format!("its scales multiply to {bad}, which is no usable factor")),
        None => Ok(()),
    }
}

fn check_values(layer: &Layer) -> Result<(), String> {
    let expect = |what: &str, have: usize, want: usize| {
        if have == want { Ok(()) } else { Err(format!("has {have} {what}, but its shape needs {want}")) }
    };
    match &layer.values {
        Values::F32 { weights, bias } => {
            expect("weights", weights.len(), layer.weight_count())?;
            expect("biases", bias.len(), layer.outputs)?;
            if let Some(bad) = weights.iter().chain(bias).find(|v| !v.is_finite()) {
                return Err(format!("holds the number {bad}; weights and biases must be finite"));
            }
        }
        Values::I8 { weights, scales, bias, input, output } => {
            expect("weights", weights.len(), layer.weight_count())?;
            expect("weight scales", scales.len(), layer.outputs)?;
            expect("biases", bias.len(), layer.outputs)?;
            let products = layer.inputs_per_output() * layer.kernel_f * layer.kernel_t;
            if products > MAX_I8_PRODUCTS {
                return Err(format!(
                    "adds up {products} 8-bit products, more than the {MAX_I8_PRODUCTS} that fit 32 bits"
                ));
            }
            if let Some(bad) = bias.iter().find(|b| b.unsigned_abs() > MAX_I8_BIAS) {
                return Err(format!(
                    "has a bias of {bad}, beyond the +-{MAX_I8_BIAS} that leave room for the sum"
                ));
            }
            let positive = |s: &f32| s.is_finite() && *s >= f32::MIN_POSITIVE;
            if let Some(bad) = scales.iter().chain([&input.scale, &output.scale]).find(|s| !positive(s)) {
                return Err(format!("has a scale of {bad}; scales must be positive and finite"));
            }
            if layer.relu != (output.zero_point == i8::MIN) {
                return Err(format!(
                    "{} a ReLU, but its output's zero point is {}; a ReLU is a zero point of -128 and nothing else",
                    if layer.relu { "has" } else { "has not" },
                    output.zero_point
                ));
            }
        }
    }
    Ok(())
}
