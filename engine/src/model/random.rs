//! Networks with seeded random weights, for tests and for measuring: what a network costs does not depend on what it
//! has learned.

use super::quantize::{FULL, quantize};
use super::{Affine, InputKind, Layer, Model, ModelMeta, Values};

/// A small, fast generator (SplitMix64), so that a seed means the same network everywhere.
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly spread over `-1..1`.
    pub fn signed(&mut self) -> f32 {
        (self.next_u64() >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    /// A whole number in `low..=high`.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + (self.next_u64() % (high - low + 1) as u64) as usize
    }
}

/// The shape of a layer, without its numbers.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Output channels; ignored where `depthwise`.
    pub outputs: usize,
    /// Kernel size along features and in time.
    pub kernel: [usize; 2],
    /// Step along the features.
    pub stride_f: usize,
    /// Distance of taps in time.
    pub dilation_t: usize,
    /// Rows of zeros before and after.
    pub pads_f: [usize; 2],
    /// See [`Layer::depthwise`].
    pub depthwise: bool,
    /// See [`Layer::relu`].
    pub relu: bool,
}

impl Shape {
    /// A layer over `kernel` = (features, time) that keeps the number of rows (for an odd kernel and `stride_f` 1).
    pub const fn conv(outputs: usize, kernel: [usize; 2], stride_f: usize) -> Shape {
        let pad = (kernel[0] - 1) / 2;
        let pads_f = [pad, pad];
        Shape { outputs, kernel, stride_f, dilation_t: 1, pads_f, depthwise: false, relu: true }
    }

    /// The same for each channel by itself.
    pub const fn depthwise(kernel: [usize; 2], stride_f: usize, dilation_t: usize) -> Shape {
        Shape { dilation_t, depthwise: true, ..Shape::conv(0, kernel, stride_f) }
    }

    /// One row, one frame: mixes channels.
    pub const fn pointwise(outputs: usize) -> Shape {
        Shape::conv(outputs, [1, 1], 1)
    }
}

/// The shapes of the shipped network's layers for 40 mel bands and `classes` classes.
pub fn flagship_shapes(classes: usize) -> Vec<Shape> {
    let mut shapes = vec![
        Shape { pads_f: [2, 2], ..Shape::conv(16, [5, 3], 2) },
        Shape::depthwise([3, 3], 2, 1),
        Shape::pointwise(32),
        Shape::depthwise([3, 3], 1, 1),
        Shape::pointwise(64),
        Shape::depthwise([3, 3], 2, 1),
        Shape::pointwise(96),
        Shape { pads_f: [0, 0], ..Shape::conv(128, [5, 1], 1) },
    ];
    for dilation in [1, 2, 4, 8, 16] {
        shapes.push(Shape::depthwise([1, 5], 1, dilation));
        shapes.push(Shape::pointwise(128));
    }
    shapes.push(Shape { relu: false, ..Shape::pointwise(classes) });
    shapes
}

/// An FP32 network of these shapes. The weights keep the size of what flows through about constant (He et al. 2015,
/// "Delving Deep into Rectifiers"). The last shape's outputs are the classes.
pub fn model(seed: u64, features: InputKind, pool_frames: usize, shapes: &[Shape]) -> Model {
    let mut rng = Rng(seed);
    let mut channels = 1;
    let mut layers = Vec::new();
    for (i, shape) in shapes.iter().enumerate() {
        let outputs = if shape.depthwise { channels } else { shape.outputs };
        let products = shape.kernel[0] * shape.kernel[1] * if shape.depthwise { 1 } else { channels };
        let gain = if shape.relu { 6.0 } else { 3.0 };
        let spread = (gain / products as f32).sqrt();
        let weights = (0..outputs * products).map(|_| rng.signed() * spread).collect();
        let bias = (0..outputs).map(|_| rng.signed() * 0.1).collect();
        layers.push(Layer {
            name: format!("{}{i}", if shape.depthwise { "depthwise" } else { "conv" }),
            inputs: channels,
            outputs,
            kernel_f: shape.kernel[0],
            kernel_t: shape.kernel[1],
            stride_f: shape.stride_f,
            dilation_t: shape.dilation_t,
            pads_f: shape.pads_f,
            depthwise: shape.depthwise,
            relu: shape.relu,
            values: Values::F32 { weights, bias },
        });
        channels = outputs;
    }
    let genres = crate::genre::Genre::ALL;
    let class =
        |i: usize| if channels == genres.len() { genres[i].name().into() } else { format!("class{i}") };
    let meta = ModelMeta {
        name: format!("random-{seed}"),
        version: "0".into(),
        features,
        classes: (0..channels).map(class).collect(),
        pool_frames,
    };
    Model { meta, layers }
}

/// A small network with every kind of layer, always the same.
pub fn small() -> Model {
    let shapes = [
        Shape::conv(6, [5, 3], 2),
        Shape::depthwise([3, 3], 2, 2),
        Shape::pointwise(8),
        Shape { pads_f: [0, 0], relu: false, ..Shape::conv(5, [10, 1], 1) },
    ];
    model(40, InputKind::LogMel40, 50, &shapes)
}

/// A network of the shipped one's shape and cost.
pub fn flagship(seed: u64) -> Model {
    model(seed, InputKind::LogMel40, 150, &flagship_shapes(5))
}

/// The INT8 form of a random network, with ranges that fit what flows through one.
pub fn quantized(model: &Model) -> Model {
    let outputs = vec![(-5.0, 5.0); model.layers.len()];
    quantize(model, (-4.0, 4.0), &outputs, FULL)
}

/// A network whose layers are FP32 or INT8 as `int8` says for each, by its number. All its numbers are small multiples
/// of powers of two, so that for features that are small whole numbers every sum is exact in any order of adding, and
/// results can be compared bit for bit even where FP32 is rounded to INT8.
pub fn mixed(seed: u64, int8: impl Fn(usize) -> bool) -> Model {
    let shapes = [
        Shape { dilation_t: 2, ..Shape::conv(9, [5, 3], 2) },
        Shape::depthwise([3, 2], 2, 1),
        Shape { relu: false, ..Shape::pointwise(17) },
        Shape { pads_f: [0, 0], ..Shape::conv(12, [2, 1], 8) },
        Shape::depthwise([1, 3], 1, 3),
        Shape { relu: false, pads_f: [0, 0], ..Shape::conv(5, [2, 1], 1) },
    ];
    let mut model = model(seed, InputKind::LogMel40, 50, &shapes);
    let mut before: Option<Affine> = None;
    for (i, layer) in model.layers.iter_mut().enumerate() {
        let Values::F32 { weights, bias } = &mut layer.values else { continue };
        let products = weights.len() / layer.outputs;
        // What flows keeps its size, roughly.
        let step = if products > 8 { 0.125 } else { 0.25 };
        let whole = |v: f32, steps: f32| (v * steps).round_ties_even();
        let spread = weights.iter().fold(0.0f32, |m, w| m.max(w.abs()));
        weights.iter_mut().for_each(|w| *w = whole(*w / spread, 2.0));
        bias.iter_mut().for_each(|b| *b = whole(*b, 10.0));
        if int8(i) {
            let input = before.unwrap_or(Affine { scale: 0.25, zero_point: if i == 0 { 3 } else { -128 } });
            let output = Affine { scale: 0.25, zero_point: if layer.relu { -128 } else { -9 } };
            let bias_step = input.scale * step;
            layer.values = Values::I8 {
                weights: weights.iter().map(|w| *w as i8).collect(),
                scales: vec![step; layer.outputs],
                bias: bias.iter().map(|b| (b / bias_step) as i32).collect(),
                input,
                output,
            };
            before = Some(output);
        } else {
            weights.iter_mut().for_each(|w| *w *= step);
            before = None;
        }
    }
    model
}
