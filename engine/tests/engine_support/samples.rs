//! Models that take samples and tell a tone of 1 kHz (rock) from one of 3 kHz (jazz): one for the executor, and files as
//! other programs write them.

use idiom_engine::model::{InputKind, Layer, Model, ModelMeta, Values};
use prost::Message;
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto,
    TensorProto, TensorShapeProto, TypeProto, ValueInfoProto, attribute_proto::AttributeType,
    tensor_proto::DataType, tensor_shape_proto::Dimension, tensor_shape_proto::dimension, type_proto,
};

/// What goes into the answer as a whole, in frames.
pub const POOL: usize = 50;

const RATE: f32 = 48_000.0;

/// Cosine and sine at 1 and 3 kHz.
fn wave(which: usize, n: usize) -> f32 {
    let phase = std::f32::consts::TAU * [1000.0, 3000.0][which / 2] * n as f32 / RATE;
    if which.is_multiple_of(2) { phase.cos() } else { phase.sin() }
}

/// A chain that the executor plays: one period of 1 kHz at a time is compared with both waves.
pub fn chain() -> Model {
    let layer = |name: &str, inputs, outputs, kernel_f, stride_f, relu, weights, bias| Layer {
        name: name.into(),
        inputs,
        outputs,
        kernel_f,
        kernel_t: 1,
        stride_f,
        dilation_t: 1,
        pads_f: [0, 0],
        depthwise: false,
        relu,
        values: Values::F32 { weights, bias },
    };
    let mut compare = Vec::new();
    for which in 0..4 {
        for sign in [1.0, -1.0] {
            compare.extend((0..48).map(|n| sign * wave(which, n) / 24.0));
        }
    }
    // [class][channel][row]: the first four channels hear 1 kHz, the others 3 kHz.
    let name = (0..2).flat_map(|class| (0..8 * 20).map(move |i| if i / 80 == class { 2.0 } else { 0.0 }));
    Model {
        meta: ModelMeta {
            name: "tones".into(),
            version: "1".into(),
            features: InputKind::Samples960,
            classes: vec!["rock".into(), "jazz".into()],
            pool_frames: POOL,
        },
        layers: vec![
            layer("compare", 1, 8, 48, 48, true, compare, vec![0.0; 8]),
            layer("name", 8, 2, 20, 1, false, name.collect(), vec![0.0; 2]),
        ],
    }
}

/// An ONNX file of another program, without metadata, that takes `samples` (a multiple of 48) in this shape:
/// `softmax(100 (x W)^2 V)`.
pub fn foreign(shape: &[Option<i64>], samples: usize) -> Vec<u8> {
    let waves = (0..samples).flat_map(|n| (0..4).map(move |which| 2.0 * wave(which, n) / samples as f32));
    let weights = [
        tensor("waves", &[samples, 4], waves.collect()),
        tensor("classes", &[4, 2], vec![100.0, 0.0, 100.0, 0.0, 0.0, 100.0, 0.0, 100.0]),
        int_tensor("flat", &[1, samples as i64]),
    ];
    let nodes = [
        node("Reshape", &["x", "flat"], "flattened"),
        node("MatMul", &["flattened", "waves"], "parts"),
        node("Mul", &["parts", "parts"], "powers"),
        node("MatMul", &["powers", "classes"], "scores"),
        NodeProto {
            attribute: vec![AttributeProto {
                name: "axis".into(),
                r#type: AttributeType::Int as i32,
                i: 1,
                ..Default::default()
            }],
            ..node("Softmax", &["scores"], "answer")
        },
    ];
    let graph = GraphProto {
        name: "tones".into(),
        node: nodes.into(),
        initializer: weights.into(),
        input: vec![value("x", shape)],
        output: vec![value("answer", &[Some(1), Some(2)])],
        ..Default::default()
    };
    let file = ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { version: 17, ..Default::default() }],
        graph: Some(graph),
        ..Default::default()
    };
    file.encode_to_vec()
}

/// The same with the metadata that a sidecar would hold.
pub fn described(shape: &[Option<i64>], samples: usize) -> Vec<u8> {
    with_metadata(ModelProto::decode(&*foreign(shape, samples)).expect("a file just written"))
}

/// One that takes a frame and has no answer (NaN) to a tone louder than 0.7: the root of what is left to a power of 0.5
/// goes before the last product.
pub fn fragile() -> Vec<u8> {
    let mut file = ModelProto::decode(&*foreign(&[Some(1), Some(960)], 960)).expect("a file just written");
    let graph = file.graph.as_mut().expect("a graph");
    graph.initializer.push(tensor("limit", &[1, 4], vec![0.5; 4]));
    graph.node[3].input[0] = "roots".into();
    graph.node.insert(3, node("Sub", &["limit", "powers"], "left"));
    graph.node.insert(4, node("Sqrt", &["left"], "roots"));
    with_metadata(file)
}

fn with_metadata(mut file: ModelProto) -> Vec<u8> {
    let pool = POOL.to_string();
    let entries = [
        ("format", "1"),
        ("model", "tones"),
        ("features", "samples960"),
        ("classes", "rock,jazz"),
        ("pool_frames", &pool),
    ];
    file.metadata_props = entries
        .map(|(key, text)| StringStringEntryProto { key: format!("idiom.{key}"), value: text.into() })
        .into();
    file.encode_to_vec()
}

fn node(operator: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        op_type: operator.into(),
        name: output.into(),
        input: inputs.iter().map(|name| (*name).into()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

fn tensor(name: &str, dims: &[usize], numbers: Vec<f32>) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: dims.iter().map(|dim| *dim as i64).collect(),
        data_type: DataType::Float as i32,
        raw_data: numbers.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ..Default::default()
    }
}

fn int_tensor(name: &str, numbers: &[i64]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: vec![numbers.len() as i64],
        data_type: DataType::Int64 as i32,
        raw_data: numbers.iter().flat_map(|n| n.to_le_bytes()).collect(),
        ..Default::default()
    }
}

fn value(name: &str, shape: &[Option<i64>]) -> ValueInfoProto {
    let dim = |n: &Option<i64>| Dimension {
        value: Some(match n {
            Some(n) => dimension::Value::DimValue(*n),
            None => dimension::Value::DimParam("n".into()),
        }),
        ..Default::default()
    };
    let shape = TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.into(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}
