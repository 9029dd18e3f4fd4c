//! Reads a TFLite file, see `docs/MODEL_FORMAT.md`: FP32, FP16 and full INT8. The chain is followed from the graph's input
//! through `PAD`, `CONV_2D`, `DEPTHWISE_CONV_2D`, `RELU`, `QUANTIZE` and `DEQUANTIZE` to `MEAN` and `SOFTMAX`. Everything
//! else is refused by name.

use super::flatbuffer::Table;
use super::metadata::{self, Entries, shorten};
use super::tflite_parts::{File, Node, Numbers};
use super::tflite_schema::{
    CONV_2D, Conv, DEPTHWISE_CONV_2D, DEQUANTIZE, Depthwise, INT8, MEAN, PAD, QUANTIZE, RELU, RELU_OP,
    SOFTMAX, VALID,
};
use super::{Affine, Layer, MAX_KERNEL_F, MAX_LAYERS, MAX_WEIGHTS, Model, ModelError, ModelMeta, Values};
use std::collections::BTreeMap;

/// The operators of the chain.
const OPERATORS: [u8; 8] = [CONV_2D, DEPTHWISE_CONV_2D, DEQUANTIZE, MEAN, PAD, QUANTIZE, RELU_OP, SOFTMAX];

/// Most operators in the chain.
const MAX_STEPS: usize = 8 * MAX_LAYERS;

/// Reads a whole model and checks it. `sidecar` holds what the file does not say about itself, or says otherwise.
///
/// # Errors
/// Says which part of the file is wrong, or what in it the executor does not run. Never panics, whatever the bytes.
pub fn read(bytes: &[u8], sidecar: &Entries) -> Result<Model, ModelError> {
    let file = File::new(bytes)?;
    let mut entries = file.metadata()?;
    entries.extend(sidecar.clone());
    let meta = metadata::meta(&entries)?;
    refuse_unknown(&file)?;
    let model = Chain::new(&file)?.follow(meta)?;
    model.validate()?;
    metadata::check_quantization(&entries, &model)?;
    Ok(model)
}

/// Reads only what the file says about itself.
///
/// # Errors
/// When the bytes are no TFLite file, or an entry is missing or wrong.
pub fn read_meta(bytes: &[u8], sidecar: &Entries) -> Result<ModelMeta, ModelError> {
    let mut entries = File::new(bytes)?.metadata()?;
    entries.extend(sidecar.clone());
    metadata::meta(&entries)
}

fn refuse_unknown(file: &File<'_>) -> Result<(), ModelError> {
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in file.nodes.iter().filter(|node| node.custom || !OPERATORS.contains(&node.op)) {
        unknown.entry(node.op_name.clone()).or_default().push(file.name_of(node));
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let describe = |(op, nodes): (&String, &Vec<String>)| match nodes.as_slice() {
        [one] => format!("{op} (which makes `{one}`)"),
        [first, ..] => format!("{op} ({} times, the first makes `{first}`)", nodes.len()),
        [] => op.clone(),
    };
    let operators = unknown.iter().take(12).map(describe).collect::<Vec<_>>().join(", ");
    Err(ModelError::UnsupportedTflite { operators })
}

/// The graph, indexed for following.
struct Chain<'a, 'f> {
    file: &'f File<'a>,
    /// The operator that makes each tensor.
    makers: BTreeMap<i32, &'f Node<'a>>,
    /// The operators that take a tensor as their first input.
    takers: BTreeMap<i32, Vec<&'f Node<'a>>>,
}

/// Zeros before and after in time and along the features, waiting for the convolution that they belong to.
type Pads = [usize; 4];

impl<'a, 'f> Chain<'a, 'f> {
    fn new(file: &'f File<'a>) -> Result<Self, ModelError> {
        let (mut makers, mut takers) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
        for node in &file.nodes {
            let (&[output], Some(&input)) = (node.outputs.as_slice(), node.inputs.first()) else {
                return Err(file.bad(node, "must have inputs and one output"));
            };
            if makers.insert(output, node).is_some() {
                return Err(file.bad(node, "makes a tensor that another operator makes too"));
            }
            takers.entry(input).or_default().push(node);
        }
        Ok(Self { file, makers, takers })
    }

    /// The one operator that takes `tensor`; `None` at the end.
    fn next(&self, tensor: i32) -> Result<Option<&'f Node<'a>>, ModelError> {
        match self.takers.get(&tensor).map_or(&[][..], |nodes| nodes) {
            [] => Ok(None),
            [node] => Ok(Some(node)),
            nodes => {
                let name = shorten(&self.file.tensor(tensor)?.name);
                let names: Vec<_> = nodes.iter().map(|n| format!("`{}`", self.file.name_of(n))).collect();
                let problem = format!("branches at `{name}` into {}", names.join(" and "));
                Err(ModelError::Graph { problem })
            }
        }
    }

    fn follow(&self, meta: ModelMeta) -> Result<Model, ModelError> {
        let mut tensor = self.input(meta.features.rows())?;
        let mut model = Model { layers: Vec::new(), meta };
        let mut pads: Option<Pads> = None;
        // Whether the last layer may still get its activation.
        let mut open = false;
        let mut ending = Vec::new();
        let (mut steps, mut weights) = (0, 0);
        while let Some(node) = self.next(tensor)? {
            steps += 1;
            if steps > MAX_STEPS || weights > MAX_WEIGHTS {
                return Err(ModelError::TooLarge { problem: "has no end within the limits".into() });
            }
            let from = tensor;
            tensor = node.outputs.first().copied().unwrap_or(-1);
            if !ending.is_empty() && node.op != SOFTMAX {
                return Err(self.file.bad(node, "stands after MEAN, where only SOFTMAX belongs"));
            }
            let empty = model.layers.is_empty();
            let last = model.layers.last_mut();
            match node.op {
                PAD if pads.is_none() => pads = Some(self.pads(node, from)?),
                CONV_2D | DEPTHWISE_CONV_2D => {
                    let layer = self.conv(node, from, pads.take().unwrap_or_default())?;
                    weights += layer.weight_count();
                    model.layers.push(layer);
                    open = true;
                    continue;
                }
                RELU_OP if open && pads.is_none() => {
                    if let Some(layer) = last {
                        layer.relu = true;
                    }
                    continue;
                }
                QUANTIZE if pads.is_none() && self.affine(node, from)?.is_none() => {
                    let mut next = self.next(tensor)?;
                    if let Some(pad) = next.filter(|next| next.op == PAD) {
                        next = self.next(pad.outputs.first().copied().unwrap_or(-1))?;
                    }
                    if !next.is_some_and(|next| matches!(next.op, CONV_2D | DEPTHWISE_CONV_2D)) {
                        return Err(self.file.bad(node, "must be followed by the INT8 layer it is for"));
                    }
                }
                DEQUANTIZE if pads.is_none() && !empty => self.dequantize(node, from)?,
                MEAN | SOFTMAX if pads.is_none() && !empty => {
                    self.check_ending(node)?;
                    ending.push(node.op);
                }
                _ => return Err(self.file.bad(node, "is not possible at this place of the chain")),
            }
            open = false;
        }
        if ending != [MEAN, SOFTMAX] {
            let problem = "must end with MEAN over time and rows, and SOFTMAX";
            return Err(ModelError::Graph { problem: problem.into() });
        }
        if !self.file.outputs.contains(&tensor) {
            let name = shorten(&self.file.tensor(tensor)?.name);
            let problem = format!("does not give out `{name}`, its probabilities");
            return Err(ModelError::Graph { problem });
        }
        Ok(model)
    }

    /// Number of the graph's one input, after a check of its shape.
    fn input(&self, rows: usize) -> Result<i32, ModelError> {
        let wrong = |problem: String| ModelError::Graph { problem };
        let &[input] = self.file.inputs.as_slice() else {
            return Err(wrong("must have exactly one input, the features".into()));
        };
        let tensor = self.file.tensor(input)?;
        let shape = tensor.shape()?;
        if shape.len() != 4 || shape[0] != 1 || shape[2] != rows || shape[3] != 1 || tensor.kind != 0 {
            let name = shorten(&tensor.name);
            return Err(wrong(format!("takes `{name}` in another shape than FLOAT32 [1, time, {rows}, 1]")));
        }
        Ok(input)
    }

    /// How an INT8 tensor's numbers stand for real ones; `None` for floats.
    fn affine(&self, node: &Node<'_>, tensor: i32) -> Result<Option<Affine>, ModelError> {
        let tensor = self.file.tensor(tensor)?;
        if tensor.kind != INT8 {
            return Ok(None);
        }
        let (scales, zero_points) = tensor.quantization()?;
        match (scales.as_slice(), zero_points.as_slice()) {
            (&[scale], &[zero]) if i8::try_from(zero).is_ok() => {
                Ok(Some(Affine { scale, zero_point: zero as i8 }))
            }
            _ => Err(self.file.bad(
                node,
                format!("`{}` must have one scale and one zero point of 8 bits", shorten(&tensor.name)),
            )),
        }
    }

    fn pads(&self, node: &Node<'a>, from: i32) -> Result<Pads, ModelError> {
        let output = node.outputs.first().copied().unwrap_or(-1);
        if self.affine(node, from)? != self.affine(node, output)? {
            return Err(self.file.bad(node, "its output is quantized otherwise than its input"));
        }
        let pads = node.inputs.get(1).map(|pads| self.file.tensor(*pads)).transpose()?;
        let numbers = pads.map(|pads| pads.numbers()).transpose()?;
        let sizes: Vec<usize> = match numbers {
            Some(Numbers::I32(v)) => v.iter().filter_map(|v| usize::try_from(*v).ok()).collect(),
            _ => Vec::new(),
        };
        match sizes.as_slice() {
            &[0, 0, past, future, before, after, 0, 0] => Ok([past, future, before, after]),
            _ => Err(self.file.bad(node, "must pad time and rows by numbers stored in the file")),
        }
    }

    /// Halves become floats where they are taken, see [`Chain::parameter`]; here only a layer's INT8 output does.
    fn dequantize(&self, node: &Node<'a>, from: i32) -> Result<(), ModelError> {
        match self.affine(node, from)? {
            Some(_) => Ok(()),
            None => Err(self.file.bad(node, "turns what is not INT8 into floats")),
        }
    }

    fn check_ending(&self, node: &Node<'a>) -> Result<(), ModelError> {
        if node.op == SOFTMAX {
            let beta = node.options.map_or(Ok(1.0), |options| options.f32(0, 0.0).map_err(File::flaw))?;
            return if beta == 1.0 { Ok(()) } else { Err(self.file.bad(node, "must have a beta of 1")) };
        }
        let axes = node.inputs.get(1).map(|axes| self.file.tensor(*axes)?.numbers()).transpose()?;
        match axes {
            Some(Numbers::I32(axes)) if matches!(axes.as_slice(), [1, 2] | [2, 1]) => Ok(()),
            _ => Err(self.file.bad(node, "must run over the axes 1 and 2, time and rows")),
        }
    }

    fn conv(&self, node: &Node<'a>, from: i32, pads: Pads) -> Result<Layer, ModelError> {
        let wrong = |problem: String| self.file.bad(node, problem);
        let weight = self.parameter(node, 1, "weight")?;
        let &[first, kernel_t, kernel_f, last] = weight.shape.as_slice() else {
            return Err(wrong(format!("its weight has the dimensions {:?}; four are needed", weight.shape)));
        };
        let depthwise = node.op == DEPTHWISE_CONV_2D;
        let (outputs, inputs) = if depthwise { (last, last) } else { (first, last) };
        if weight.shape.contains(&0) || (depthwise && first != 1) {
            return Err(wrong(format!("its weight has the impossible dimensions {:?}", weight.shape)));
        }
        let options = node.options.ok_or_else(|| wrong("has no options".into()))?;
        let options = ConvOptions::read(options, depthwise).map_err(File::flaw)?;
        let unpadded = options.padding == VALID || (kernel_t == 1 && kernel_f == 1 && options.stride_f == 1);
        if !unpadded {
            return Err(wrong("has the padding SAME, which in time looks ahead; write PAD and VALID".into()));
        }
        if options.stride_t != 1 || options.dilation_f != 1 || !matches!(options.multiplier, 0 | 1) {
            return Err(wrong(
                "must have stride 1 in time, dilation 1 along the features and no channel multiplier".into(),
            ));
        }
        if options.activation > RELU {
            return Err(wrong(format!("has activation {}; played are none and RELU", options.activation)));
        }
        let size = |value: i32, what: &str| {
            usize::try_from(value).map_err(|_| wrong(format!("has a {what} of {value}")))
        };
        let (stride_f, dilation_t) =
            (size(options.stride_f, "stride")?, size(options.dilation_t, "dilation")?);
        let [past, future, before, after] = pads;
        let history = (kernel_t - 1).saturating_mul(dilation_t);
        if (past, future) != (history, 0) || before.max(after) > MAX_KERNEL_F {
            return Err(wrong(format!(
                "is padded in time by {past} before and {future} after; causal is {history} before and 0 after"
            )));
        }
        let output = node.outputs.first().copied().unwrap_or(-1);
        let (input, output) = (self.affine(node, from)?, self.affine(node, output)?);
        let bias = match node.inputs.get(2).filter(|bias| **bias >= 0) {
            Some(_) => Some(self.parameter(node, 2, "bias")?),
            None => None,
        };
        if let Some(bias) = bias.as_ref().filter(|bias| bias.shape != [outputs]) {
            return Err(wrong(format!("its bias has the dimensions {:?}, not [{outputs}]", bias.shape)));
        }
        let (bias, bias_scales) = bias.map_or((None, Vec::new()), |bias| (Some(bias.numbers), bias.scales));
        let shape = [first, kernel_t, kernel_f, last];
        let values = match (weight.numbers, bias, input, output) {
            (Numbers::F32(weights), None, None, None) => {
                Values::F32 { weights: from_filter(shape, &weights), bias: vec![0.0; outputs] }
            }
            (Numbers::F32(weights), Some(Numbers::F32(bias)), None, None) => {
                Values::F32 { weights: from_filter(shape, &weights), bias }
            }
            (Numbers::I8(weights), bias, Some(input), Some(output)) => {
                let bias = match bias {
                    None => vec![0; outputs],
                    Some(Numbers::I32(bias)) => bias,
                    Some(_) => return Err(wrong("is INT8, so its bias must be INT32".into())),
                };
                let scales = match weight.scales.as_slice() {
                    &[one] => vec![one; outputs],
                    scales if scales.len() == outputs && weight.axis == if depthwise { 3 } else { 0 } => {
                        weight.scales
                    }
                    _ => {
                        return Err(wrong("its weight must have one scale, or one an output channel".into()));
                    }
                };
                if weight.zero_points.iter().any(|zero| *zero != 0) {
                    return Err(wrong("the zero point of a weight must be 0".into()));
                }
                let agree = |(s, b): (&f32, &f32)| (input.scale * s - b).abs() <= 1e-5 * b.abs();
                if bias_scales.len() > 1 && !scales.iter().zip(&bias_scales).all(agree) {
                    return Err(wrong("its bias is not in steps of input scale x weight scale".into()));
                }
                Values::I8 { weights: from_filter(shape, &weights), scales, bias, input, output }
            }
            _ => {
                return Err(wrong(
                    "mixes FP32 and INT8; input, weight and output must all be one or the other".into(),
                ));
            }
        };
        let name = node.inputs.get(1).map(|weight| self.file.tensor(*weight)).transpose()?;
        let saturates = output.is_some_and(|output| output.zero_point == i8::MIN);
        if output.is_some() && options.activation == RELU && !saturates {
            return Err(wrong("has a RELU; the zero point of its output must be -128".into()));
        }
        Ok(Layer {
            // Operators have no names here; what they make has.
            name: name.map_or_else(String::new, |weight| shorten(weight.name.trim_end_matches("_weight"))),
            inputs,
            outputs,
            kernel_f,
            kernel_t,
            stride_f,
            dilation_t,
            pads_f: [before, after],
            depthwise,
            relu: saturates || (output.is_none() && options.activation == RELU),
            values,
        })
    }

    /// A weight or bias: stored as it is, or as halves through a `DEQUANTIZE`.
    fn parameter(&self, node: &Node<'a>, index: usize, what: &str) -> Result<Parameter, ModelError> {
        let missing = || self.file.bad(node, format!("has no {what} (input {index}) stored in the file"));
        let mut number = *node.inputs.get(index).ok_or_else(missing)?;
        if let Some(maker) = self.makers.get(&number).filter(|maker| maker.op == DEQUANTIZE) {
            number = *maker.inputs.first().ok_or_else(missing)?;
            if self.file.tensor(number)?.kind == INT8 {
                return Err(self
                    .file
                    .bad(maker, "keeps an INT8 weight for a float layer; only halves are played so"));
            }
        }
        let tensor = self.file.tensor(number)?;
        if !tensor.is_stored() {
            return Err(missing());
        }
        let (scales, zero_points) = tensor.quantization()?;
        let axis = tensor.quantized_axis()?;
        Ok(Parameter { shape: tensor.shape()?, numbers: tensor.numbers()?, scales, zero_points, axis })
    }
}

/// A convolution's weight or bias.
struct Parameter {
    shape: Vec<usize>,
    numbers: Numbers,
    scales: Vec<f32>,
    zero_points: Vec<i64>,
    axis: i32,
}

/// The options of `CONV_2D` and `DEPTHWISE_CONV_2D`, height being time and width the features.
struct ConvOptions {
    padding: u8,
    stride_f: i32,
    stride_t: i32,
    multiplier: i32,
    activation: u8,
    dilation_f: i32,
    dilation_t: i32,
}

impl ConvOptions {
    fn read(table: Table<'_>, depthwise: bool) -> Result<ConvOptions, super::flatbuffer::Flaw> {
        let (activation, dilation_w, dilation_h) = if depthwise {
            (Depthwise::ACTIVATION, Depthwise::DILATION_W, Depthwise::DILATION_H)
        } else {
            (Conv::ACTIVATION, Conv::DILATION_W, Conv::DILATION_H)
        };
        Ok(ConvOptions {
            padding: table.u8(Conv::PADDING)?,
            stride_f: table.i32(Conv::STRIDE_W, 0)?,
            stride_t: table.i32(Conv::STRIDE_H, 0)?,
            multiplier: if depthwise { table.i32(Depthwise::MULTIPLIER, 0)? } else { 1 },
            activation: table.u8(activation)?,
            dilation_f: table.i32(dilation_w, 1)?,
            dilation_t: table.i32(dilation_h, 1)?,
        })
    }
}

/// From TFLite's `[output, time, row, input]` (depthwise `[1, time, row, channel]`) to the order of [`Values`].
fn from_filter<T: Copy>([first, times, rows, last]: [usize; 4], filter: &[T]) -> Vec<T> {
    let mut weights = Vec::with_capacity(filter.len());
    for o in 0..first {
        for i in 0..last {
            for r in 0..rows {
                weights.extend((0..times).map(|t| filter[((o * times + t) * rows + r) * last + i]));
            }
        }
    }
    weights
}
