//! Writes a [`Model`] as an ONNX file, see `docs/MODEL_FORMAT.md`. FP32 becomes plain nodes, halves are stored as FLOAT16
//! and cast, INT8 takes the QDQ form.

use super::{Affine, Layer, Model, ModelError, Values, half, metadata};
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto::Dimension, tensor_shape_proto::dimension, type_proto,
};

/// Operator set the nodes belong to.
const OPSET: i64 = 17;
/// Version of the file format itself.
const IR_VERSION: i64 = 8;

/// The bytes of the file. The same model always gives the same bytes.
///
/// # Errors
/// When the model is not [valid](Model::validate).
pub fn write(model: &Model) -> Result<Vec<u8>, ModelError> {
    model.validate()?;
    let mut writer = Writer::default();
    let mut flowing = "features".to_string();
    let mut flows_int8 = false;
    for (i, layer) in model.layers.iter().enumerate() {
        let name = model.layer_name(i);
        let last = i + 1 == model.layers.len();
        if let Values::I8 { input, .. } = &layer.values
            && !flows_int8
        {
            flowing = writer.quantize(&flowing, &flowing, *input, format!("{flowing}_dequantized"));
        }
        flowing = writer.layer(layer, &name, &flowing, last);
        flows_int8 = layer.is_int8();
    }
    Ok(writer.finish(model, metadata::arithmetic(model.quantization())))
}

/// The graph as written so far.
#[derive(Default)]
pub(super) struct Writer {
    nodes: Vec<NodeProto>,
    tensors: Vec<TensorProto>,
}

impl Writer {
    /// Ends the graph after its `logits`, and gives back the file's bytes.
    pub(super) fn finish(mut self, model: &Model, quantization: &str) -> Vec<u8> {
        self.node("GlobalAveragePool", "pool", &["logits"], "pooled", vec![]);
        self.node("Flatten", "flatten", &["pooled"], "mean_logits", vec![int("axis", 1)]);
        self.node("Softmax", "softmax", &["mean_logits"], "probabilities", vec![int("axis", 1)]);
        let (rows, classes) = (model.meta.features.rows() as i64, model.meta.classes.len() as i64);
        let graph = GraphProto {
            name: model.meta.name.clone(),
            node: self.nodes,
            initializer: self.tensors,
            input: vec![value("features", &[Some(1), Some(1), Some(rows), None])],
            output: vec![
                value("probabilities", &[Some(1), Some(classes)]),
                value("logits", &[Some(1), Some(classes), Some(1), None]),
            ],
            ..Default::default()
        };
        let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.into(), value };
        let file = ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetIdProto { version: OPSET, ..Default::default() }],
            producer_name: "idiom".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            metadata_props: metadata::of(model, quantization).map(entry).collect(),
            graph: Some(graph),
            ..Default::default()
        };
        file.encode_to_vec()
    }

    pub(super) fn node(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        output: &str,
        attribute: Vec<AttributeProto>,
    ) {
        self.node_of_many(op, name, inputs, &[output], attribute);
    }

    /// A node with several outputs.
    pub(super) fn node_of_many(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        outputs: &[&str],
        attribute: Vec<AttributeProto>,
    ) {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_string()).collect();
        self.nodes.push(NodeProto {
            op_type: op.into(),
            name: name.into(),
            input: names(inputs),
            output: names(outputs),
            attribute,
            ..Default::default()
        });
    }

    /// Stores a tensor and gives back its name.
    pub(super) fn tensor(
        &mut self,
        name: String,
        kind: DataType,
        dims: &[usize],
        raw_data: Vec<u8>,
    ) -> String {
        let dims = dims.iter().map(|d| *d as i64).collect();
        self.tensors.push(TensorProto {
            name: name.clone(),
            data_type: kind as i32,
            dims,
            raw_data,
            ..Default::default()
        });
        name
    }

    /// Stores floats, as halves where nothing is lost by it; gives back the name of the floats.
    fn floats(&mut self, name: String, dims: &[usize], numbers: &[f32], halves: bool) -> String {
        if !halves {
            return self.tensor(name, DataType::Float, dims, floats(numbers));
        }
        let stored = self.tensor(format!("{name}_half"), DataType::Float16, dims, half::bytes(numbers));
        let to = vec![int("to", DataType::Float as i64)];
        self.node("Cast", &format!("{name}_cast"), &[&stored], &name, to);
        name
    }

    /// `from` rounded to 8 bits and back; gives back `to`, the name of the result.
    fn quantize(&mut self, from: &str, name: &str, affine: Affine, to: String) -> String {
        let scale =
            self.tensor(format!("{name}_scale"), DataType::Float, &[], affine.scale.to_le_bytes().into());
        let zero = affine.zero_point.to_le_bytes().into();
        let zero = self.tensor(format!("{name}_zero_point"), DataType::Int8, &[], zero);
        let quantized = format!("{name}_quantized");
        self.node("QuantizeLinear", &format!("{name}_quantize"), &[from, &scale, &zero], &quantized, vec![]);
        self.node(
            "DequantizeLinear",
            &format!("{name}_dequantize"),
            &[&quantized, &scale, &zero],
            &to,
            vec![],
        );
        to
    }

    /// A stored tensor of whole numbers, one scale an output channel; gives back the name of the real one.
    fn dequantized(
        &mut self,
        name: &str,
        kind: DataType,
        dims: &[usize],
        raw: Vec<u8>,
        scales: &[f32],
    ) -> String {
        let zeros = vec![0; scales.len() * if kind == DataType::Int8 { 1 } else { 4 }];
        let quantized = self.tensor(format!("{name}_quantized"), kind, dims, raw);
        let scale = self.tensor(format!("{name}_scale"), DataType::Float, &[scales.len()], floats(scales));
        let zero = self.tensor(format!("{name}_zero_point"), kind, &[scales.len()], zeros);
        let inputs = [quantized.as_str(), &scale, &zero];
        self.node("DequantizeLinear", &format!("{name}_dequantize"), &inputs, name, vec![int("axis", 0)]);
        name.to_string()
    }

    /// One layer's nodes; gives back the name of its output.
    fn layer(&mut self, layer: &Layer, name: &str, input: &str, last: bool) -> String {
        let shape = [layer.outputs, layer.inputs_per_output(), layer.kernel_f, layer.kernel_t];
        let (weight, bias) = (format!("{name}_weight"), format!("{name}_bias"));
        let output = if last { "logits".to_string() } else { format!("{name}_output") };
        match &layer.values {
            Values::F32 { weights, bias: biases } => {
                let halves = half::is_half(layer);
                let weight = self.floats(weight, &shape, weights, halves);
                let bias = self.floats(bias, &[layer.outputs], biases, halves);
                let sum = if layer.relu { format!("{name}_sum") } else { output.clone() };
                self.node("Conv", name, &[input, &weight, &bias], &sum, conv_attributes(layer));
                if layer.relu {
                    self.node("Relu", &format!("{name}_relu"), &[&sum], &output, vec![]);
                }
            }
            Values::I8 { weights, scales, bias: biases, input: from, output: affine } => {
                let raw = weights.iter().map(|w| *w as u8).collect();
                let weight = self.dequantized(&weight, DataType::Int8, &shape, raw, scales);
                let bias_scales: Vec<f32> = scales.iter().map(|s| from.scale * s).collect();
                let raw = biases.iter().flat_map(|b| b.to_le_bytes()).collect();
                let bias = self.dequantized(&bias, DataType::Int32, &[layer.outputs], raw, &bias_scales);
                let sum = format!("{name}_sum");
                self.node("Conv", name, &[input, &weight, &bias], &sum, conv_attributes(layer));
                self.quantize(&sum, name, *affine, output.clone());
            }
        }
        output
    }
}

pub(super) fn conv_attributes(layer: &Layer) -> Vec<AttributeProto> {
    let [before, after] = layer.pads_f;
    vec![
        ints("dilations", &[1, layer.dilation_t]),
        int("group", if layer.depthwise { layer.inputs as i64 } else { 1 }),
        ints("kernel_shape", &[layer.kernel_f, layer.kernel_t]),
        ints("pads", &[before, layer.history(), after, 0]),
        ints("strides", &[layer.stride_f, 1]),
    ]
}

pub(super) fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

pub(super) fn ints(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|v| *v as i64).collect();
    AttributeProto { name: name.into(), r#type: AttributeType::Ints as i32, ints, ..Default::default() }
}

pub(super) fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// A float tensor going in or out; a dimension without a number is time.
fn value(name: &str, dims: &[Option<i64>]) -> ValueInfoProto {
    let dim = |size: &Option<i64>| Dimension {
        value: Some(match size {
            Some(n) => dimension::Value::DimValue(*n),
            None => dimension::Value::DimParam("time".into()),
        }),
        ..Default::default()
    };
    let shape = Some(TensorShapeProto { dim: dims.iter().map(dim).collect() });
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}
