//! Writes a [`Model`] as a TFLite file, see `docs/MODEL_FORMAT.md`: FP32, FP16 (halves through `DEQUANTIZE`) or full INT8,
//! layer by layer.

use super::flatbuffer::{self, Slots, Value};
use super::tflite_schema::{
    CONV_2D, CONV_OPTIONS, Conv, DEPTHWISE_CONV_2D, DEPTHWISE_OPTIONS, DEQUANTIZE, Depthwise, FLOAT16,
    FLOAT32, IDENTIFIER, INT8, INT32, MEAN, Metadata, Op, OpCode, PAD, QUANTIZE, Quantized, REDUCER_OPTIONS,
    RELU, Root, SOFTMAX, SOFTMAX_OPTIONS, SubGraph, Tensor, VALID, VERSION,
};
use super::{Affine, Layer, Model, ModelError, Values, half, metadata};

/// The bytes of the file. The same model always gives the same bytes.
///
/// # Errors
/// When the model is not [valid](Model::validate).
pub fn write(model: &Model) -> Result<Vec<u8>, ModelError> {
    model.validate()?;
    let frames = model.meta.pool_frames;
    // Buffer 0 stands for "no numbers".
    let mut writer = Writer { frames, buffers: vec![Vec::new()], ..Writer::default() };
    let mut rows = model.meta.features.rows();
    let mut flowing = Flowing { tensor: 0, rows, channels: 1, affine: None };
    flowing.tensor = writer.activation("features", &flowing);
    for (i, layer) in model.layers.iter().enumerate() {
        rows = layer.rows_out(rows).unwrap_or(0);
        let last = i + 1 == model.layers.len();
        flowing = writer.layer(layer, &model.layer_name(i), flowing, rows, last);
    }
    if flowing.affine.is_some() {
        flowing = writer.dequantize("logits", flowing);
    }
    let classes = model.meta.classes.len();
    let axes = writer.stored("time_and_rows", INT32, &[2], words(&[1, 2]), None);
    let mean = writer.tensor("mean_logits", FLOAT32, &[1, classes], None, 0, None);
    writer.op(MEAN, vec![flowing.tensor, axes], mean, Some((REDUCER_OPTIONS, vec![])));
    let probabilities = writer.tensor("probabilities", FLOAT32, &[1, classes], None, 0, None);
    let beta = vec![(0, Value::F32(1.0))];
    writer.op(SOFTMAX, vec![mean], probabilities, Some((SOFTMAX_OPTIONS, beta)));
    Ok(writer.finish(model, [probabilities, flowing.tensor]))
}

/// What flows between two layers: `[1, time, rows, channels]`.
#[derive(Clone, Copy)]
struct Flowing {
    tensor: i32,
    rows: usize,
    channels: usize,
    /// How its 8-bit numbers stand for real ones; `None` for floats.
    affine: Option<Affine>,
}

/// The file as written so far.
#[derive(Default)]
struct Writer {
    frames: usize,
    buffers: Vec<Vec<u8>>,
    tensors: Vec<Slots>,
    /// Operators in use, by code and version.
    codes: Vec<(u8, i32)>,
    operators: Vec<Slots>,
}

impl Writer {
    fn tensor(
        &mut self,
        name: &str,
        kind: u8,
        shape: &[usize],
        signature: Option<Vec<i32>>,
        buffer: usize,
        quantized: Option<Slots>,
    ) -> i32 {
        let mut slots = vec![
            (Tensor::SHAPE, Value::I32s(shape.iter().map(|n| *n as i32).collect())),
            (Tensor::TYPE, Value::U8(kind)),
            (Tensor::BUFFER, Value::U32(buffer as u32)),
            (Tensor::NAME, Value::Text(name.into())),
        ];
        slots.extend(quantized.map(|quantized| (Tensor::QUANTIZATION, Value::Table(quantized))));
        slots.extend(signature.map(|signature| (Tensor::SHAPE_SIGNATURE, Value::I32s(signature))));
        self.tensors.push(slots);
        self.tensors.len() as i32 - 1
    }

    /// A tensor whose numbers are in the file.
    fn stored(
        &mut self,
        name: &str,
        kind: u8,
        shape: &[usize],
        bytes: Vec<u8>,
        quantized: Option<Slots>,
    ) -> i32 {
        self.buffers.push(bytes);
        self.tensor(name, kind, shape, None, self.buffers.len() - 1, quantized)
    }

    /// A tensor that is computed, with its time left open.
    fn activation(&mut self, name: &str, flowing: &Flowing) -> i32 {
        self.activation_of(name, flowing, self.frames)
    }

    /// The same with another number of frames, which the padding adds.
    fn activation_of(&mut self, name: &str, flowing: &Flowing, frames: usize) -> i32 {
        let shape = [1, frames, flowing.rows, flowing.channels];
        let signature = vec![1, -1, flowing.rows as i32, flowing.channels as i32];
        let kind = if flowing.affine.is_some() { INT8 } else { FLOAT32 };
        let quantized = flowing.affine.map(|a| quantized(&[a.scale], i64::from(a.zero_point), 0));
        self.tensor(name, kind, &shape, Some(signature), 0, quantized)
    }

    fn op(&mut self, op: u8, inputs: Vec<i32>, output: i32, options: Option<(u8, Slots)>) {
        self.versioned(op, 1, inputs, output, options);
    }

    fn versioned(
        &mut self,
        op: u8,
        version: i32,
        inputs: Vec<i32>,
        output: i32,
        options: Option<(u8, Slots)>,
    ) {
        let index = self.codes.iter().position(|code| *code == (op, version)).unwrap_or_else(|| {
            self.codes.push((op, version));
            self.codes.len() - 1
        });
        let mut slots = vec![
            (Op::CODE, Value::U32(index as u32)),
            (Op::INPUTS, Value::I32s(inputs)),
            (Op::OUTPUTS, Value::I32s(vec![output])),
        ];
        if let Some((kind, options)) = options {
            slots.push((Op::OPTIONS_TYPE, Value::U8(kind)));
            slots.push((Op::OPTIONS, Value::Table(options)));
        }
        self.operators.push(slots);
    }

    fn dequantize(&mut self, name: &str, from: Flowing) -> Flowing {
        let mut to = Flowing { affine: None, ..from };
        to.tensor = self.activation(name, &to);
        self.versioned(DEQUANTIZE, 2, vec![from.tensor], to.tensor, None);
        to
    }

    /// One layer's operators; gives back what comes out.
    fn layer(&mut self, layer: &Layer, name: &str, from: Flowing, rows: usize, last: bool) -> Flowing {
        let mut from = from;
        match (&layer.values, from.affine) {
            (Values::I8 { input, .. }, None) => {
                let mut to = Flowing { affine: Some(*input), ..from };
                to.tensor = self.activation(&format!("{name}_input_quantized"), &to);
                self.op(QUANTIZE, vec![from.tensor], to.tensor, None);
                from = to;
            }
            (Values::F32 { .. }, Some(_)) => from = self.dequantize(&format!("{name}_input"), from),
            _ => {}
        }
        let int8 = from.affine.is_some();
        if layer.history() > 0 || layer.pads_f != [0, 0] {
            let [before, after] = layer.pads_f;
            let pads = [0, 0, layer.history(), 0, before, after, 0, 0].map(|n| n as i32);
            let pads = self.stored(&format!("{name}_pads"), INT32, &[4, 2], words(&pads), None);
            let mut to = Flowing { rows: from.rows + before + after, ..from };
            to.tensor = self.activation_of(&format!("{name}_padded"), &to, self.frames + layer.history());
            self.versioned(PAD, if int8 { 2 } else { 1 }, vec![from.tensor, pads], to.tensor, None);
            from = to;
        }
        let (weight, bias, affine) = self.parameters(layer, name);
        let mut to = Flowing { tensor: 0, rows, channels: layer.outputs, affine };
        let name = if last && !int8 { "logits".into() } else { format!("{name}_output") };
        to.tensor = self.activation(&name, &to);
        let inputs = vec![from.tensor, weight, bias];
        let activation = if layer.relu { RELU } else { 0 };
        let (stride, dilation) = (layer.stride_f as i32, layer.dilation_t as i32);
        if layer.depthwise {
            let options = vec![
                (Conv::PADDING, Value::U8(VALID)),
                (Conv::STRIDE_W, Value::I32(stride)),
                (Conv::STRIDE_H, Value::I32(1)),
                (Depthwise::MULTIPLIER, Value::I32(1)),
                (Depthwise::ACTIVATION, Value::U8(activation)),
                (Depthwise::DILATION_W, Value::I32(1)),
                (Depthwise::DILATION_H, Value::I32(dilation)),
            ];
            let version = if int8 { 3 } else { 2 };
            self.versioned(DEPTHWISE_CONV_2D, version, inputs, to.tensor, Some((DEPTHWISE_OPTIONS, options)));
        } else {
            let options = vec![
                (Conv::PADDING, Value::U8(VALID)),
                (Conv::STRIDE_W, Value::I32(stride)),
                (Conv::STRIDE_H, Value::I32(1)),
                (Conv::ACTIVATION, Value::U8(activation)),
                (Conv::DILATION_W, Value::I32(1)),
                (Conv::DILATION_H, Value::I32(dilation)),
            ];
            let version = if int8 { 3 } else { 1 };
            self.versioned(CONV_2D, version, inputs, to.tensor, Some((CONV_OPTIONS, options)));
        }
        to
    }

    /// A layer's weight and bias, and how its output is quantized.
    fn parameters(&mut self, layer: &Layer, name: &str) -> (i32, i32, Option<Affine>) {
        let shape = filter_shape(layer);
        let (weight, bias) = (format!("{name}_weight"), format!("{name}_bias"));
        match &layer.values {
            Values::F32 { weights, bias: biases } => {
                let weights = to_filter(layer, weights);
                if half::is_half(layer) {
                    let weight = self.halves(&weight, &shape, &weights);
                    return (weight, self.halves(&bias, &[layer.outputs], biases), None);
                }
                let weight = self.stored(&weight, FLOAT32, &shape, floats(&weights), None);
                (weight, self.stored(&bias, FLOAT32, &[layer.outputs], floats(biases), None), None)
            }
            Values::I8 { weights, scales, bias: biases, input, output } => {
                let bytes = to_filter(layer, weights).into_iter().map(|w| w as u8).collect();
                let per_channel = quantized(scales, 0, if layer.depthwise { 3 } else { 0 });
                let weight = self.stored(&weight, INT8, &shape, bytes, Some(per_channel));
                let steps: Vec<f32> = scales.iter().map(|scale| input.scale * scale).collect();
                let steps = quantized(&steps, 0, 0);
                let bias = self.stored(&bias, INT32, &[layer.outputs], words(biases), Some(steps));
                (weight, bias, Some(*output))
            }
        }
    }

    /// Stored halves and the floats they become.
    fn halves(&mut self, name: &str, shape: &[usize], numbers: &[f32]) -> i32 {
        let stored = self.stored(&format!("{name}_half"), FLOAT16, shape, half::bytes(numbers), None);
        let float = self.tensor(name, FLOAT32, shape, None, 0, None);
        self.versioned(DEQUANTIZE, 3, vec![stored], float, None);
        float
    }

    fn finish(mut self, model: &Model, outputs: [i32; 2]) -> Vec<u8> {
        let mut entries = Vec::new();
        for (key, text) in metadata::of(model, metadata::arithmetic(model.quantization())) {
            self.buffers.push(text.into_bytes());
            let buffer = Value::U32(self.buffers.len() as u32 - 1);
            entries.push(vec![(Metadata::NAME, Value::Text(key.into())), (Metadata::BUFFER, buffer)]);
        }
        let code = |(op, version): (u8, i32)| {
            // Once more in the field that readers older than 2020 look at.
            let deprecated = (OpCode::DEPRECATED, Value::U8(op));
            vec![deprecated, (OpCode::VERSION, Value::I32(version)), (OpCode::CODE, Value::I32(op.into()))]
        };
        let buffer = |bytes: Vec<u8>| if bytes.is_empty() { vec![] } else { vec![(0, Value::Bytes(bytes))] };
        let graph = vec![
            (SubGraph::TENSORS, Value::Tables(self.tensors)),
            (SubGraph::INPUTS, Value::I32s(vec![0])),
            (SubGraph::OUTPUTS, Value::I32s(outputs.into())),
            (SubGraph::OPERATORS, Value::Tables(self.operators)),
            (SubGraph::NAME, Value::Text(model.meta.name.clone())),
        ];
        let root = vec![
            (Root::VERSION, Value::U32(VERSION)),
            (Root::CODES, Value::Tables(self.codes.into_iter().map(code).collect())),
            (Root::SUBGRAPHS, Value::Tables(vec![graph])),
            (Root::DESCRIPTION, Value::Text(format!("idiom {}", env!("CARGO_PKG_VERSION")))),
            (Root::BUFFERS, Value::Tables(self.buffers.into_iter().map(buffer).collect())),
            (Root::METADATA, Value::Tables(entries)),
        ];
        flatbuffer::write(IDENTIFIER, &root)
    }
}

fn quantized(scales: &[f32], zero_point: i64, axis: i32) -> Slots {
    vec![
        (Quantized::SCALE, Value::F32s(scales.into())),
        (Quantized::ZERO_POINT, Value::I64s(vec![zero_point; scales.len()])),
        (Quantized::AXIS, Value::I32(axis)),
    ]
}

/// `[output, time, row, input]`; a depthwise filter `[1, time, row, channel]`.
fn filter_shape(layer: &Layer) -> [usize; 4] {
    let (first, last) = if layer.depthwise { (1, layer.outputs) } else { (layer.outputs, layer.inputs) };
    [first, layer.kernel_t, layer.kernel_f, last]
}

/// A layer's weights in the order of [`filter_shape`].
fn to_filter<T: Copy>(layer: &Layer, weights: &[T]) -> Vec<T> {
    let [first, times, rows, last] = filter_shape(layer);
    let mut filter = Vec::with_capacity(weights.len());
    for o in 0..first {
        for t in 0..times {
            for r in 0..rows {
                filter.extend((0..last).map(|i| weights[((o * last + i) * rows + r) * times + t]));
            }
        }
    }
    filter
}

fn words(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn floats(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|v| v.to_le_bytes()).collect()
}
