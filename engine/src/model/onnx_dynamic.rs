//! Writes an FP32 [`Model`] as an ONNX file in dynamic INT8: weights in 8 bits, and what flows between layers rounded to 8
//! bits by the range that it has in each window (`DynamicQuantizeLinear`, `ConvInteger`). Needs no calibration.
//!
//! The range of a window is known only when the whole window is, so such a file cannot be played frame by frame: it is for
//! the worker, and for other programs.

use super::onnx_write::{Writer, conv_attributes, floats, int};
use super::quantize::weight_scale;
use super::{Layer, Model, ModelError, Values};
use tract_onnx::pb::tensor_proto::DataType;

/// What `idiom.quantization` says of such a file.
pub const NAME: &str = "dynamic";

/// The bytes of the file. The same model always gives the same bytes.
///
/// # Errors
/// When the model is not [valid](Model::validate), or not FP32.
pub fn write(model: &Model) -> Result<Vec<u8>, ModelError> {
    model.validate()?;
    let mut writer = Writer::default();
    let mut flowing = "features".to_string();
    for (i, layer) in model.layers.iter().enumerate() {
        let Values::F32 { weights, bias } = &layer.values else {
            let problem = "is INT8 already; dynamic INT8 is made from FP32".into();
            return Err(ModelError::Layer { index: i, layer: layer.name.clone(), problem });
        };
        let last = i + 1 == model.layers.len();
        let output = if last { "logits".into() } else { format!("{}_output", model.layer_name(i)) };
        write_layer(&mut writer, layer, &model.layer_name(i), (weights, bias), &flowing, &output);
        flowing = output;
    }
    Ok(writer.finish(model, NAME))
}

fn write_layer(
    writer: &mut Writer,
    layer: &Layer,
    name: &str,
    (weights, bias): (&[f32], &[f32]),
    from: &str,
    output: &str,
) {
    let part = |what: &str| format!("{name}_{what}");
    let [quantized, scale, zero] = ["input_quantized", "input_scale", "input_zero_point"].map(part);
    writer.node_of_many(
        "DynamicQuantizeLinear",
        &part("quantize"),
        &[from],
        &[&quantized, &scale, &zero],
        vec![],
    );

    let (mut bytes, mut scales) = (Vec::new(), Vec::new());
    for channel in weights.chunks_exact(weights.len() / layer.outputs) {
        let scale = weight_scale(channel, 127.0);
        bytes.extend(channel.iter().map(|w| (w / scale).round_ties_even().clamp(-127.0, 127.0) as i8 as u8));
        scales.push(scale);
    }
    let shape = [layer.outputs, layer.inputs_per_output(), layer.kernel_f, layer.kernel_t];
    let weight = writer.tensor(part("weight_quantized"), DataType::Int8, &shape, bytes);
    let weight_zero = writer.tensor(part("weight_zero_point"), DataType::Int8, &[], vec![0]);
    let inputs = [quantized.as_str(), &weight, &zero, &weight_zero];
    writer.node("ConvInteger", name, &inputs, &part("sum_integer"), conv_attributes(layer));
    let to = vec![int("to", DataType::Float as i64)];
    writer.node("Cast", &part("cast"), &[&part("sum_integer")], &part("sum_float"), to);

    let per_channel = [1, layer.outputs, 1, 1];
    let scales = writer.tensor(part("weight_scale"), DataType::Float, &per_channel, floats(&scales));
    let bias = writer.tensor(part("bias"), DataType::Float, &per_channel, floats(bias));
    writer.node("Mul", &part("scales"), &[&scale, &scales], &part("scale"), vec![]);
    writer.node("Mul", &part("rescale"), &[&part("sum_float"), &part("scale")], &part("scaled"), vec![]);
    let sum = if layer.relu { part("sum") } else { output.to_string() };
    writer.node("Add", &part("add"), &[&part("scaled"), &bias], &sum, vec![]);
    if layer.relu {
        writer.node("Relu", &part("relu"), &[&sum], output, vec![]);
    }
}
