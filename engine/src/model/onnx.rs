//! Reads an ONNX file, see `docs/MODEL_FORMAT.md`. Names and the order of nodes are free; the chain is followed from
//! the graph's input. `BatchNormalization` after a `Conv` is folded into it, `Clip` from 0 up is a ReLU. Everything
//! else is refused by name.

use super::metadata::{self, Entries, shorten};
use super::onnx_parts::{Numbers, Tensor, bad_node, float, int, metadata, node_name, sizes};
use super::{
    Affine, Layer, MAX_CHANNELS, MAX_FILE_BYTES, MAX_LAYERS, MAX_WEIGHTS, Model, ModelError, ModelMeta,
    Values, scan,
};
use prost::Message;
use std::collections::{BTreeMap, HashMap};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, TensorProto, TensorShapeProto, ValueInfoProto, tensor_proto::DataType,
    tensor_shape_proto, tensor_shape_proto::dimension, type_proto,
};

/// The operators of the chain.
const OPERATORS: [&str; 12] = [
    "Conv",
    "BatchNormalization",
    "Cast",
    "Relu",
    "Clip",
    "QuantizeLinear",
    "DequantizeLinear",
    "GlobalAveragePool",
    "Flatten",
    "Softmax",
    "Constant",
    "Identity",
];

/// Most nodes in the chain.
const MAX_STEPS: usize = 8 * MAX_LAYERS;

/// Reads a whole model and checks it. `sidecar` holds what the file does not say about itself, or says otherwise.
///
/// # Errors
/// Says which part of the file is wrong, or what in it the executor does not run. Never panics, whatever the bytes.
pub fn read(bytes: &[u8], sidecar: &Entries) -> Result<Model, ModelError> {
    let file = decode(bytes)?;
    let entries = metadata(&file, sidecar);
    let meta = metadata::meta(&entries)?;
    let graph = file.graph.as_ref().ok_or(ModelError::Graph { problem: "is missing".into() })?;
    refuse_unknown(graph)?;
    let model = Chain::new(graph)?.follow(meta)?;
    model.validate()?;
    metadata::check_quantization(&entries, &model)?;
    Ok(model)
}

/// Reads only what the file says about itself, of any ONNX file with `idiom.*` metadata or a sidecar.
///
/// # Errors
/// When the bytes are no ONNX file, or an entry is missing or wrong.
pub fn read_meta(bytes: &[u8], sidecar: &Entries) -> Result<ModelMeta, ModelError> {
    metadata::meta(&metadata(&decode(bytes)?, sidecar))
}

/// The shape that the file declares for its first input that is not stored, `None` for a free length; `None` where it
/// declares none.
///
/// # Errors
/// When the bytes are no ONNX file.
pub fn input_shape(bytes: &[u8]) -> Result<Option<Vec<Option<usize>>>, ModelError> {
    let graph = decode(bytes)?.graph.unwrap_or_default();
    let stored = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
    let input = graph.input.iter().find(|input| !stored(&input.name));
    Ok(input.and_then(declared).map(|shape| shape.dim.iter().map(fixed).collect()))
}

fn declared(input: &ValueInfoProto) -> Option<&TensorShapeProto> {
    let type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    tensor.shape.as_ref()
}

fn fixed(dim: &tensor_shape_proto::Dimension) -> Option<usize> {
    match dim.value.as_ref()? {
        dimension::Value::DimValue(n) => usize::try_from(*n).ok(),
        dimension::Value::DimParam(_) => None,
    }
}

fn decode(bytes: &[u8]) -> Result<ModelProto, ModelError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ModelError::FileTooLarge { bytes: bytes.len() });
    }
    scan::check(bytes)?;
    ModelProto::decode(bytes).map_err(|e| ModelError::NotOnnx { detail: shorten(&e.to_string()) })
}

fn refuse_unknown(graph: &GraphProto) -> Result<(), ModelError> {
    let mut unknown: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in &graph.node {
        let standard = matches!(node.domain.as_str(), "" | "ai.onnx");
        if !standard || !OPERATORS.contains(&node.op_type.as_str()) {
            let domain = if standard { String::new() } else { format!("{}.", shorten(&node.domain)) };
            unknown.entry(domain + &shorten(&node.op_type)).or_default().push(node_name(node));
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let describe = |(op, nodes): (&String, &Vec<String>)| match nodes.as_slice() {
        [one] => format!("{op} (node `{one}`)"),
        [first, ..] => format!("{op} ({} nodes, the first `{first}`)", nodes.len()),
        [] => op.clone(),
    };
    let operators = unknown.iter().map(describe).collect::<Vec<_>>().join(", ");
    Err(ModelError::Unsupported { operators })
}

/// The graph, indexed for following.
struct Chain<'a> {
    graph: &'a GraphProto,
    stored: HashMap<&'a str, &'a TensorProto>,
    makers: HashMap<&'a str, &'a NodeProto>,
    /// The nodes that take a tensor as their first input.
    takers: HashMap<&'a str, Vec<&'a NodeProto>>,
}

impl<'a> Chain<'a> {
    fn new(graph: &'a GraphProto) -> Result<Self, ModelError> {
        let mut stored: HashMap<_, _> = graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
        let (mut makers, mut takers) = (HashMap::new(), HashMap::<_, Vec<_>>::new());
        for node in &graph.node {
            let output = node.output.first().ok_or_else(|| bad_node(node, "has no output"))?;
            if node.op_type == "Constant" {
                let value = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.as_ref());
                stored.insert(output, value.ok_or_else(|| bad_node(node, "has no tensor `value`"))?);
                continue;
            }
            let input = node.input.first().ok_or_else(|| bad_node(node, "has no input"))?;
            if makers.insert(output.as_str(), node).is_some() {
                return Err(bad_node(
                    node,
                    format!("makes `{}`, which another node makes too", shorten(output)),
                ));
            }
            takers.entry(input.as_str()).or_default().push(node);
        }
        Ok(Self { graph, stored, makers, takers })
    }

    /// The stored tensor that `node` takes as input number `index`; `what` names it in errors.
    fn stored(&self, node: &NodeProto, index: usize, what: &str) -> Result<Tensor, ModelError> {
        let name = node.input.get(index).filter(|n| !n.is_empty());
        let name = name.ok_or_else(|| bad_node(node, format!("has no {what} (input {index})")))?;
        let tensor = self.stored.get(name.as_str()).ok_or_else(|| {
            bad_node(node, format!("its {what} `{}` is not stored in the file", shorten(name)))
        })?;
        Tensor::read(tensor)
    }

    /// The one node that takes `tensor`; `None` at the end.
    fn next(&self, tensor: &str) -> Result<Option<&'a NodeProto>, ModelError> {
        match self.takers.get(tensor).map_or(&[][..], |nodes| nodes) {
            [] => Ok(None),
            [node] => Ok(Some(node)),
            nodes => {
                let names: Vec<_> = nodes.iter().map(|n| format!("`{}`", node_name(n))).collect();
                let problem = format!("branches at `{}` into {}", shorten(tensor), names.join(" and "));
                Err(ModelError::Graph { problem })
            }
        }
    }

    fn follow(&self, meta: ModelMeta) -> Result<Model, ModelError> {
        let mut model = Model { layers: Vec::new(), meta };
        let mut tensor = self.input(model.meta.features.rows())?;
        // How what flows is quantized, if it is; the next INT8 layer needs it.
        let mut quantized: Option<Affine> = None;
        // Whether the last layer may still get a normalization, an activation or a quantization.
        let mut open = false;
        // Whether what flows was FP32 and was quantized for an INT8 layer that must follow.
        let mut rounded = false;
        let mut ending = Vec::new();
        let (mut steps, mut weights) = (0, 0);
        while let Some(node) = self.next(tensor)? {
            // A chain may run in a circle, or take one stored tensor again and again.
            steps += 1;
            if steps > MAX_STEPS || weights > MAX_WEIGHTS {
                return Err(ModelError::TooLarge { problem: "has no end within the limits".into() });
            }
            tensor = node.output.first().map_or("", |o| o);
            let op = node.op_type.as_str();
            if !ending.is_empty() && !matches!(op, "Flatten" | "Softmax" | "Identity") {
                return Err(bad_node(
                    node,
                    "stands after the pooling, where only Flatten and Softmax belong",
                ));
            }
            let empty = model.layers.is_empty();
            match (op, model.layers.last_mut().filter(|_| open)) {
                ("Identity", _) => {}
                ("Conv", _) => {
                    let layer = self.conv(node, quantized.take())?;
                    if !layer.is_int8() && rounded {
                        return Err(bad_node(
                            node,
                            "is FP32 after FP32, but what flows between is quantized",
                        ));
                    }
                    rounded = false;
                    weights += layer.weight_count();
                    model.layers.push(layer);
                    open = true;
                }
                ("BatchNormalization", Some(layer)) if !layer.relu => self.fold(node, layer)?,
                ("Relu", Some(layer)) => layer.relu = true,
                ("Clip", Some(layer)) => {
                    self.check_clip(node)?;
                    layer.relu = true;
                }
                ("QuantizeLinear", Some(layer)) if layer.is_int8() => {
                    let (affine, after) = self.quantization(node)?;
                    (quantized, tensor, open) = (Some(affine), after, false);
                    finish_i8(node, layer, affine)?;
                }
                ("QuantizeLinear", layer) if quantized.is_none() && (empty || layer.is_some()) => {
                    let (affine, after) = self.quantization(node)?;
                    (quantized, tensor, open, rounded) = (Some(affine), after, false, true);
                }
                ("GlobalAveragePool" | "Flatten" | "Softmax", _) if !empty => {
                    if matches!(op, "Flatten" | "Softmax") && !matches!(int(node, "axis", 1), 1 | -1) {
                        return Err(bad_node(node, "must act on axis 1"));
                    }
                    ending.push(op);
                }
                _ => return Err(bad_node(node, "is not possible at this place of the chain")),
            }
        }
        if ending != ["GlobalAveragePool", "Flatten", "Softmax"] {
            let found = if ending.is_empty() { "nothing".into() } else { ending.join(", ") };
            let problem = format!("must end with GlobalAveragePool, Flatten, Softmax; found was {found}");
            return Err(ModelError::Graph { problem });
        }
        if rounded {
            let problem =
                "quantizes the output of its last Conv, which is FP32; quantize that layer or leave it";
            return Err(ModelError::Graph { problem: problem.into() });
        }
        if !self.graph.output.iter().any(|o| o.name == tensor) {
            let problem = format!("does not give out `{}`, its probabilities", shorten(tensor));
            return Err(ModelError::Graph { problem });
        }
        Ok(model)
    }

    /// Name of the graph's one input, after a check of its shape.
    fn input(&self, rows: usize) -> Result<&'a str, ModelError> {
        let wrong = |problem: String| ModelError::Graph { problem };
        let mut inputs = self.graph.input.iter().filter(|i| !self.stored.contains_key(i.name.as_str()));
        let (Some(input), None) = (inputs.next(), inputs.next()) else {
            return Err(wrong("must have exactly one input, the features".into()));
        };
        if let Some(shape) = declared(input) {
            let fits = |dim: usize, want| shape.dim.get(dim).and_then(fixed).is_none_or(|n| n == want);
            if shape.dim.len() != 4 || !fits(0, 1) || !fits(1, 1) || !fits(2, rows) {
                let name = shorten(&input.name);
                return Err(wrong(format!("takes `{name}` in another shape than [1, 1, {rows}, time]")));
            }
        }
        Ok(&input.name)
    }

    /// The 8-bit representation of a `QuantizeLinear` and the `DequantizeLinear` that must follow it, and the name of
    /// what comes out.
    fn quantization(&self, node: &'a NodeProto) -> Result<(Affine, &'a str), ModelError> {
        let back = self.next(node.output.first().map_or("", |o| o))?;
        let back = back.filter(|n| n.op_type == "DequantizeLinear");
        let back =
            back.ok_or_else(|| bad_node(node, "must be followed by DequantizeLinear (the QDQ form)"))?;
        let affine = self.affine(node)?;
        if self.affine(back)? != affine {
            return Err(bad_node(
                back,
                format!("has another scale or zero point than `{}`", node_name(node)),
            ));
        }
        Ok((affine, back.output.first().map_or("", |o| o)))
    }

    fn affine(&self, node: &NodeProto) -> Result<Affine, ModelError> {
        let scale = self.stored(node, 1, "scale")?;
        let zero_point = self.stored(node, 2, "zero point")?;
        match (scale.floats(), &zero_point.numbers) {
            (Some(&[scale]), Numbers::I8(zero)) if zero.len() == 1 => {
                Ok(Affine { scale, zero_point: zero[0] })
            }
            _ => Err(bad_node(
                node,
                "must have one float scale and one int8 zero point; export with int8 activations",
            )),
        }
    }

    fn conv(&self, node: &NodeProto, input: Option<Affine>) -> Result<Layer, ModelError> {
        let wrong = |problem: String| bad_node(node, problem);
        let weight = self.parameter(node, 1, "weight")?;
        let &[outputs, per_output, kernel_f, kernel_t] = weight.tensor.dims.as_slice() else {
            return Err(wrong(format!(
                "its weight has the dimensions {:?}; four are needed",
                weight.tensor.dims
            )));
        };
        if outputs == 0 || per_output == 0 || kernel_f == 0 || kernel_t == 0 {
            return Err(wrong("its weight is empty".into()));
        }
        let groups = int(node, "group", 1);
        let depthwise = groups != 1;
        if depthwise && (per_output != 1 || usize::try_from(groups) != Ok(outputs)) {
            return Err(wrong(format!(
                "has {groups} groups for {outputs} output channels; played are 1, or depthwise one for each channel"
            )));
        }
        let [stride_f, stride_t] = sizes(node, "strides", [1, 1])?;
        let [dilation_f, dilation_t] = sizes(node, "dilations", [1, 1])?;
        let [before, past, after, future] = sizes(node, "pads", [0; 4])?;
        let auto_pad = node.attribute.iter().find(|a| a.name == "auto_pad").map(|a| a.s.as_slice());
        if !matches!(auto_pad, None | Some(b"" | b"NOTSET")) {
            return Err(wrong("has `auto_pad`; write the padding out as `pads`".into()));
        }
        if sizes(node, "kernel_shape", [kernel_f, kernel_t])? != [kernel_f, kernel_t] {
            return Err(wrong("has a `kernel_shape` that is not its weight's".into()));
        }
        if stride_t != 1 || dilation_f != 1 {
            return Err(wrong("must have stride 1 in time and dilation 1 along the features".into()));
        }
        let history = (kernel_t - 1).saturating_mul(dilation_t);
        if (past, future) != (history, 0) {
            return Err(wrong(format!(
                "is padded in time by {past} before and {future} after; causal is {history} before and 0 after"
            )));
        }
        let bias = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(_) => Some(self.parameter(node, 2, "bias")?),
            None => None,
        };
        if let Some(bias) = &bias
            && bias.tensor.dims != [outputs]
        {
            return Err(wrong(format!(
                "its bias has the dimensions {:?}, not [{outputs}]",
                bias.tensor.dims
            )));
        }
        let values = match (weight.tensor.numbers, bias.map(|b| (b.tensor.numbers, b.scales)), input) {
            (Numbers::F32(weights), None, _) => Values::F32 { weights, bias: vec![0.0; outputs] },
            (Numbers::F32(weights), Some((Numbers::F32(bias), _)), _) => Values::F32 { weights, bias },
            (Numbers::I8(weights), Some((Numbers::I32(bias), bias_scales)), Some(input)) => {
                let scales = weight.scales;
                let agree = |(s, b): (&f32, &f32)| (input.scale * s - b).abs() <= 1e-5 * b.abs();
                if !scales.iter().zip(&bias_scales).all(agree) {
                    return Err(wrong("its bias is not in steps of input scale x weight scale".into()));
                }
                // The output's representation is known when its QuantizeLinear is met; 0 marks that it was not.
                let output = Affine { scale: 0.0, zero_point: 0 };
                Values::I8 { weights, scales, bias, input, output }
            }
            _ => {
                let problem = "mixes FP32 and INT8; in an INT8 layer the input, the int8 weight and the int32 bias all come from DequantizeLinear";
                return Err(wrong(problem.into()));
            }
        };
        Ok(Layer {
            name: node_name(node),
            inputs: if depthwise { outputs } else { per_output },
            outputs,
            kernel_f,
            kernel_t,
            stride_f,
            dilation_t,
            pads_f: [before, after],
            depthwise,
            relu: false,
            values,
        })
    }

    /// A weight or bias: stored as it is, as halves through a `Cast`, or as whole numbers through a `DequantizeLinear`.
    fn parameter(&self, node: &NodeProto, index: usize, what: &str) -> Result<Parameter, ModelError> {
        let maker = node.input.get(index).and_then(|name| self.makers.get(name.as_str()));
        if let Some(cast) = maker.filter(|maker| maker.op_type == "Cast") {
            let stored = cast.input.first().and_then(|name| self.stored.get(name.as_str()));
            let stored =
                stored.ok_or_else(|| bad_node(cast, format!("its {what} is not stored in the file")))?;
            if int(cast, "to", 0) != i64::from(DataType::Float as i32) {
                return Err(bad_node(cast, "must cast to FLOAT"));
            }
            return Ok(Parameter { tensor: Tensor::read_halves(stored)?, scales: Vec::new() });
        }
        let Some(maker) = maker.filter(|maker| maker.op_type == "DequantizeLinear") else {
            return Ok(Parameter { tensor: self.stored(node, index, what)?, scales: Vec::new() });
        };
        let tensor = self.stored(maker, 0, what)?;
        let scale = self.stored(maker, 1, "scale")?;
        let outputs = tensor.dims.first().copied().unwrap_or(0);
        let scales = match scale.floats() {
            Some(&[one]) if outputs <= MAX_CHANNELS => vec![one; outputs],
            Some(scales) if scales.len() == outputs && int(maker, "axis", 1) == 0 => scales.to_vec(),
            _ => {
                return Err(bad_node(
                    maker,
                    "must have one float scale, or one for each output channel on axis 0",
                ));
            }
        };
        if maker.input.get(2).is_some_and(|name| !name.is_empty()) {
            let zero = match self.stored(maker, 2, "zero point")?.numbers {
                Numbers::I8(zeros) => zeros.iter().all(|z| *z == 0),
                Numbers::I32(zeros) => zeros.iter().all(|z| *z == 0),
                Numbers::F32(_) => false,
            };
            if !zero {
                return Err(bad_node(
                    maker,
                    format!("the zero point of a {what} must be 0; export symmetric weights"),
                ));
            }
        }
        Ok(Parameter { tensor, scales })
    }

    fn check_clip(&self, node: &NodeProto) -> Result<(), ModelError> {
        let given = |index: usize| node.input.get(index).is_some_and(|name| !name.is_empty());
        let bound = |index, name| -> Result<Option<f32>, ModelError> {
            if !given(index) {
                return Ok(float(node, name));
            }
            Ok(self.stored(node, index, name)?.floats().and_then(|v| v.first().copied()))
        };
        if bound(1, "min")? != Some(0.0) || bound(2, "max")?.is_some_and(|max| max < f32::MAX) {
            return Err(bad_node(node, "only a clip at 0 without an upper bound is played, which is a ReLU"));
        }
        Ok(())
    }

    /// `y = (x - mean) * scale / sqrt(variance + epsilon) + shift`, multiplied into the convolution before it.
    fn fold(&self, node: &NodeProto, layer: &mut Layer) -> Result<(), ModelError> {
        let Values::F32 { weights, bias } = &mut layer.values else {
            return Err(bad_node(
                node,
                "cannot be folded into an INT8 convolution; fold it before quantizing",
            ));
        };
        let channels = layer.outputs;
        let mut read = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        for ((i, what), to) in ["scale", "shift", "mean", "variance"].into_iter().enumerate().zip(&mut read) {
            let tensor = self.stored(node, i + 1, what)?;
            let numbers = tensor.floats().filter(|v| v.len() == channels);
            *to = numbers
                .ok_or_else(|| bad_node(node, format!("its {what} is not {channels} floats")))?
                .to_vec();
        }
        let [scale, shift, mean, variance] = read;
        let epsilon = f64::from(float(node, "epsilon").unwrap_or(1e-5));
        let per_channel = weights.len() / channels;
        for (c, weights) in weights.chunks_exact_mut(per_channel.max(1)).enumerate() {
            let gain = f64::from(scale[c]) / (f64::from(variance[c]) + epsilon).sqrt();
            weights.iter_mut().for_each(|w| *w = (f64::from(*w) * gain) as f32);
            bias[c] = ((f64::from(bias[c]) - f64::from(mean[c])) * gain + f64::from(shift[c])) as f32;
        }
        Ok(())
    }
}

/// A convolution's weight or bias, with the scales of its whole numbers; none for floats.
struct Parameter {
    tensor: Tensor,
    scales: Vec<f32>,
}

/// Now the output's representation is known.
fn finish_i8(node: &NodeProto, layer: &mut Layer, affine: Affine) -> Result<(), ModelError> {
    let saturates = affine.zero_point == i8::MIN;
    if layer.relu && !saturates {
        return Err(bad_node(node, "quantizes after a ReLU; its zero point must be -128"));
    }
    layer.relu = saturates;
    if let Values::I8 { output, .. } = &mut layer.values {
        *output = affine;
    }
    Ok(())
}
