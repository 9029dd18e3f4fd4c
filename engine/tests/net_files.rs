//! Model files: what was written is read back, and a wrong file gets an error that says what is wrong.

use idiom_engine::model::random::{self, Rng, Shape};
use idiom_engine::model::{
    Entries, FORMAT, InputKind, MAX_FILE_BYTES, Model, ModelError, ModelMeta, Values, half, onnx, onnx_write,
    shipped, tflite_write, windowed,
};
use idiom_engine::rt::net::Network;
use idiom_engine::{Genre, Quantization};
use prost::Message;
use tract_onnx::pb::{AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto};

/// The small network in both arithmetics, as files.
fn files() -> [Vec<u8>; 2] {
    [random::small(), random::quantized(&random::small())]
        .map(|model| onnx_write::write(&model).expect("a valid model"))
}

/// The small FP32 file, changed.
fn changed(change: impl FnOnce(&mut ModelProto)) -> Vec<u8> {
    let mut file = ModelProto::decode(files()[0].as_slice()).expect("a file just written");
    change(&mut file);
    file.encode_to_vec()
}

fn graph(file: &mut ModelProto) -> &mut GraphProto {
    file.graph.as_mut().expect("a graph")
}

fn node<'a>(file: &'a mut ModelProto, op: &str) -> &'a mut NodeProto {
    graph(file).node.iter_mut().find(|n| n.op_type == op).expect("a node of that kind")
}

fn attribute<'a>(node: &'a mut NodeProto, name: &str) -> &'a mut AttributeProto {
    node.attribute.iter_mut().find(|a| a.name == name).expect("that attribute")
}

fn set(file: &mut ModelProto, key: &str, value: &str) {
    file.metadata_props.iter_mut().find(|e| e.key == key).expect("that key").value = value.into();
}

/// Puts a node between `from` and whatever takes it.
fn insert_after(file: &mut ModelProto, from: &str, mut new: NodeProto) {
    let to = format!("{from}_changed");
    for node in &mut graph(file).node {
        node.input.iter_mut().filter(|i| *i == from).for_each(|i| *i = to.clone());
    }
    new.input.insert(0, from.into());
    new.output = vec![to];
    graph(file).node.push(new);
}

fn floats(name: &str, values: &[f32]) -> TensorProto {
    let dims = vec![values.len() as i64];
    TensorProto { name: name.into(), dims, data_type: 1, float_data: values.into(), ..Default::default() }
}

#[test]
fn what_was_written_is_read_back() {
    for model in [
        random::small(),
        random::quantized(&random::small()),
        random::flagship(41),
        half::round(&random::small()).unwrap(),
    ] {
        let bytes = onnx_write::write(&model).unwrap();
        assert_eq!(Model::from_onnx(&bytes).unwrap(), model);
        assert_eq!(onnx_write::write(&model).unwrap(), bytes, "the same model, the same bytes");
        assert_eq!(onnx::read_meta(&bytes, &Entries::new()).unwrap(), model.meta);
    }
    let mut twins = random::small();
    twins.layers.iter_mut().for_each(|layer| layer.name = "conv".into());
    let read = Model::from_onnx(&onnx_write::write(&twins).unwrap()).unwrap();
    assert_eq!(read.layers[2].values, twins.layers[2].values, "layers of one name stay apart");
}

#[test]
fn the_shipped_models_are_whole_and_the_same_network() {
    let [fp32, int8] = [Quantization::Fp32, Quantization::Int8].map(|quantization| {
        let model = Model::from_onnx(shipped::flagship(quantization)).unwrap();
        assert_eq!(model.quantization(), quantization);
        let outputs = model.meta.genre_outputs().unwrap();
        assert_eq!(Genre::ALL.map(|genre| outputs.of(genre)), [0, 1, 2, 3, 4].map(Some));
        Network::compile(&model).unwrap();
        model
    });
    assert_eq!(shipped::flagship(Quantization::Auto), shipped::flagship(Quantization::Int8));
    assert_eq!(fp32.meta, int8.meta);
    assert_eq!(fp32.layers.len(), int8.layers.len());
    assert!(fp32.parameters() <= 250_000 && fp32.macs_per_frame() <= 250_000);
}

/// One network, two formats, three arithmetics: the files in `models/` agree with each other.
#[test]
fn the_shipped_files_hold_the_same_networks() {
    let hint =
        "a file in models/ is older than the one it is made of: run `cargo run --bin idiom -- export models`";
    let [fp32, fp16, int8] =
        [Quantization::Fp32, Quantization::Fp16, Quantization::Int8].map(|quantization| {
            let [onnx, tflite] = [shipped::flagship(quantization), shipped::flagship_tflite(quantization)]
                .map(|bytes| {
                    Model::read(bytes, &Entries::new()).unwrap_or_else(|error| panic!("{error}; {hint}"))
                });
            assert!(onnx == tflite, "{quantization:?}: {hint}");
            assert_eq!(onnx.quantization(), quantization);
            onnx
        });
    assert!(half::round(&fp32).unwrap() == fp16, "FP16: {hint}");
    assert_eq!(fp32.meta, int8.meta);
    assert!(tflite_write::write(&int8).unwrap() == shipped::flagship_tflite(Quantization::Int8), "{hint}");
}

#[test]
fn order_names_and_storage_are_free() {
    let expected = random::small();
    let bytes = changed(|file| {
        let graph = graph(file);
        graph.node.reverse();
        for node in &mut graph.node {
            node.name.clear();
        }
        for tensor in &mut graph.initializer {
            let numbers = tensor.raw_data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            (tensor.float_data, tensor.raw_data) = (numbers, vec![]);
        }
        // One weight as a Constant node instead of a stored tensor.
        let weight = graph.initializer.remove(0);
        let output = vec![weight.name.clone()];
        let value = AttributeProto { name: "value".into(), t: Some(weight), ..Default::default() };
        let attribute = vec![value];
        graph.node.push(NodeProto { op_type: "Constant".into(), output, attribute, ..Default::default() });
        set(file, "idiom.model", "other");
    });
    let read = Model::from_onnx(&bytes).unwrap();
    assert_eq!(read.meta.name, "other");
    for (a, b) in read.layers.iter().zip(&expected.layers) {
        assert_eq!(a.values, b.values);
    }
}

#[test]
fn normalization_is_folded_and_clip_from_zero_is_relu() {
    let (scale, shift) = ([0.5, -1.5, 2.0, 1.0, 0.1, 3.0], [1.0, 0.0, -1.0, 0.25, 0.5, 0.0]);
    let (mean, variance) = ([0.0, 0.5, -0.5, 1.0, 2.0, 0.0], [1.0, 0.5, 4.0, 0.01, 9.0, 1.0]);
    let bytes = changed(|file| {
        let conv = node(file, "Conv").output[0].clone();
        let input = ["bn0", "bn1", "bn2", "bn3"].map(String::from).to_vec();
        let norm = NodeProto { op_type: "BatchNormalization".into(), input, ..Default::default() };
        insert_after(file, &conv, norm);
        for (name, values) in ["bn0", "bn1", "bn2", "bn3"].iter().zip([scale, shift, mean, variance]) {
            graph(file).initializer.push(floats(name, &values));
        }
        let relu = node(file, "Relu");
        relu.op_type = "Clip".into();
        relu.input.push("zero".into());
        graph(file).initializer.push(TensorProto { dims: vec![], ..floats("zero", &[0.0]) });
    });
    let read = Model::from_onnx(&bytes).unwrap();

    let mut plain = random::small();
    plain.layers.truncate(1);
    plain.layers[0].relu = false;
    let window: Vec<f32> = (0..400).map(|i| (i as f32).sin()).collect();
    // The reference: the first layer by itself, normalized afterwards, then the ReLU.
    let mut before = Vec::new();
    windowed::trace(&Model { layers: plain.layers, ..random::small() }, &window, 10, |_, v| {
        before = v.to_vec()
    });
    let mut after = Vec::new();
    windowed::trace(&read, &window, 10, |layer, v| {
        if layer == 0 {
            after = v.to_vec();
        }
    });
    for (i, (x, y)) in before.iter().zip(&after).enumerate() {
        let c = i % 6;
        let expected = (x - mean[c]) * scale[c] / (variance[c] + 1e-5f32).sqrt() + shift[c];
        assert!((expected.max(0.0) - y).abs() < 1e-4, "channel {c}: {expected} and {y}");
    }
    assert!(read.layers[0].relu);
}

/// Each damage, and words the error must have.
#[test]
fn every_wrong_file_is_refused_with_the_place_and_the_reason() {
    type Change = fn(&mut ModelProto);
    let cases: Vec<(Change, &[&str])> = vec![
        (|f| set(f, "idiom.format", "2"), &["newer version", "2", "update"]),
        (|f| set(f, "idiom.format", "0"), &["idiom.format"]),
        (|f| set(f, "idiom.format", "new"), &["idiom.format", "new"]),
        (|f| set(f, "idiom.features", "chroma"), &["idiom.features", "chroma", "log_mel40"]),
        (|f| set(f, "idiom.pool_frames", "0"), &["idiom.pool_frames"]),
        (|f| set(f, "idiom.pool_frames", "99999999999"), &["idiom.pool_frames"]),
        (|f| set(f, "idiom.pool_frames", "-3"), &["idiom.pool_frames", "-3"]),
        (|f| set(f, "idiom.classes", "a,b"), &["5 channels", "2 classes"]),
        (|f| set(f, "idiom.quantization", "int8"), &["idiom.quantization", "fp32"]),
        (|f| f.metadata_props.clear(), &["idiom.format", "missing"]),
        (|f| f.graph = None, &["graph", "missing"]),
        (|f| node(f, "Relu").op_type = "Sigmoid".into(), &["Sigmoid", "conv0_relu", "ONNX on worker"]),
        (|f| node(f, "Relu").domain = "com.microsoft".into(), &["com.microsoft.Relu"]),
        (|f| node(f, "Conv").input[1] = "gone".into(), &["conv0", "weight", "gone"]),
        (|f| attribute(node(f, "Conv"), "pads").ints[3] = 1, &["conv0", "time", "causal"]),
        (|f| attribute(node(f, "Conv"), "pads").ints[0] = -1, &["conv0", "pads"]),
        (|f| attribute(node(f, "Conv"), "pads").ints[0] = i64::MAX, &["conv0", "pads"]),
        (|f| attribute(node(f, "Conv"), "pads").ints[0] = 5000, &["conv0", "5000", "padding"]),
        (|f| attribute(node(f, "Conv"), "strides").ints[1] = 2, &["conv0", "stride"]),
        (|f| attribute(node(f, "Conv"), "strides").ints[0] = 0, &["conv0", "stride"]),
        (|f| attribute(node(f, "Conv"), "dilations").ints[1] = 4_000_000_000, &["conv0", "time"]),
        (|f| attribute(node(f, "Conv"), "group").i = 3, &["conv0", "groups"]),
        (|f| attribute(node(f, "Conv"), "kernel_shape").ints[0] = 9, &["conv0", "kernel_shape"]),
        (|f| graph(f).initializer[0].dims[0] = i64::MAX, &["conv0_weight", "numbers"]),
        (|f| graph(f).initializer[0].dims[0] = -1, &["conv0_weight", "-1"]),
        (|f| graph(f).initializer[0].dims[0] = 7, &["conv0_weight", "dimensions"]),
        (|f| graph(f).initializer[0].data_type = 10, &["conv0_weight", "FLOAT16"]),
        (|f| graph(f).initializer[0].data_type = 99, &["conv0_weight", "99"]),
        (|f| graph(f).initializer[0].raw_data.truncate(7), &["conv0_weight", "dimensions"]),
        (|f| graph(f).initializer[0].data_location = Some(1), &["conv0_weight", "another file"]),
        (
            |f| graph(f).initializer[1].raw_data[..4].copy_from_slice(&f32::NAN.to_le_bytes()),
            &["NaN", "finite"],
        ),
        (|f| graph(f).output.clear(), &["probabilities"]),
        (|f| graph(f).input.clear(), &["one input"]),
        (|f| graph(f).node.retain(|n| n.op_type != "Softmax"), &["Softmax"]),
        (|f| graph(f).node.clear(), &["must end with"]),
        (
            |f| {
                let copy = NodeProto { name: "fork".into(), ..node(f, "Relu").clone() };
                graph(f).node.push(NodeProto { output: vec!["elsewhere".into()], ..copy });
            },
            &["branches", "fork"],
        ),
        (
            |f| {
                let relu = node(f, "Relu").output[0].clone();
                insert_after(f, &relu, NodeProto { op_type: "Softmax".into(), ..Default::default() });
            },
            &["Conv"],
        ),
    ];
    for (i, (change, words)) in cases.into_iter().enumerate() {
        let error = Model::from_onnx(&changed(change)).expect_err(&format!("case {i} {words:?}")).to_string();
        for word in words {
            assert!(error.contains(word), "case {i}: `{word}` is not in `{error}`");
        }
    }
}

/// Chains that never end, or that take one big tensor again and again, stop at the limits.
#[test]
fn a_circle_ends() {
    let bytes = changed(|file| {
        let tensor = node(file, "Relu").output[0].clone();
        let circle = |input: &str, output: &str| NodeProto {
            op_type: "Identity".into(),
            input: vec![input.into()],
            output: vec![output.into()],
            ..Default::default()
        };
        let graph = graph(file);
        graph.node.retain(|n| !n.input.contains(&tensor));
        graph.node.push(circle(&tensor, "a"));
        graph.node.push(circle("a", "b"));
        // `b` leads back: the first Conv's input is renamed to it after the walk has begun there.
        graph.node.iter_mut().filter(|n| n.op_type == "Conv").for_each(|n| n.input[0] = "b".into());
        graph.node.retain(|n| n.op_type != "Conv" || n.name == "conv0");
        graph.input[0].name = "b".into();
    });
    let error = Model::from_onnx(&bytes).unwrap_err();
    assert!(matches!(error, ModelError::TooLarge { .. }), "{error}");
}

#[test]
fn networks_beyond_the_limits_are_refused() {
    let mut long = random::small();
    long.layers[1].dilation_t = 4000;
    assert!(onnx_write::write(&long).unwrap_err().to_string().contains("frames back"));
    let head = Shape { relu: false, pads_f: [0, 0], ..Shape::conv(5, [40, 1], 1) };
    let wide = [Shape::conv(2000, [5, 3], 1), Shape::pointwise(2000), head];
    let error = random::model(1, InputKind::LogMel40, 10, &wide).validate().unwrap_err().to_string();
    assert!(error.contains("multiplications a frame") && error.contains("ONNX on worker"), "{error}");
    // 8 million weights for a single channel would be packed as for a vector of 32.
    let thin = Shape { pads_f: [0, 0], ..Shape::conv(1, [40, 100], 1) };
    let last = Shape { relu: false, ..Shape::pointwise(5) };
    let thin = random::model(1, InputKind::LogMel40, 10, &[Shape::pointwise(2048), thin, last]);
    assert!(thin.validate().unwrap_err().to_string().contains("weights, more than"));
    let large = vec![0; MAX_FILE_BYTES + 1];
    assert!(matches!(Model::from_onnx(&large), Err(ModelError::FileTooLarge { .. })));
    assert_eq!(FORMAT, 1);
}

/// A few bytes a structure: without the look at the framing, 32 MiB of this would be decoded to gigabytes.
#[test]
fn a_file_of_millions_of_empty_nodes_is_refused_before_it_is_decoded() {
    let empty_nodes = [0x0A, 0x00].repeat(1_000_000);
    let mut file = vec![0x3A];
    prost::encoding::encode_varint(empty_nodes.len() as u64, &mut file);
    file.extend(empty_nodes);
    let error = Model::from_onnx(&file).unwrap_err();
    assert!(error.to_string().contains("more parts"), "{error}");
    // A graph in an attribute in a graph in an attribute ...
    let mut nested = Vec::new();
    for _ in 0..5000 {
        for tag in [0x32, 0x2A, 0x0A] {
            let mut outer = vec![tag];
            prost::encoding::encode_varint(nested.len() as u64, &mut outer);
            outer.append(&mut nested);
            nested = outer;
        }
    }
    let mut file = vec![0x3A];
    prost::encoding::encode_varint(nested.len() as u64, &mut file);
    file.extend(nested);
    assert!(Model::from_onnx(&file).unwrap_err().to_string().contains("nested"));
}

/// Cut off anywhere and with any bits flipped, a file is refused or is still a whole network that plays.
#[test]
fn damaged_files_never_panic() {
    let mut rng = Rng(9);
    for bytes in files() {
        for length in (0..bytes.len()).step_by(97).chain(0..200) {
            assert!(Model::from_onnx(&bytes[..length]).is_err(), "the first {length} bytes");
        }
        for round in 0..3000 {
            let mut damaged = bytes.clone();
            for _ in 0..=round % 4 {
                let bit = rng.between(0, 8 * bytes.len() - 1);
                damaged[bit / 8] ^= 1 << (bit % 8);
            }
            if let Ok(model) = Model::from_onnx(&damaged) {
                let mut network = Network::compile(&model).expect("what was read is valid");
                let p = network.push(&vec![1.0; network.input().rows()]);
                assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{p:?}");
            }
        }
    }
}

#[test]
fn genres_are_found_whatever_their_order() {
    let mut meta = random::small().meta;
    meta.classes = ["jazz", "Speech", "rock", "classical", "electronic"].map(String::from).to_vec();
    let outputs = |meta: &ModelMeta| Genre::ALL.map(|genre| meta.genre_outputs().unwrap().of(genre));
    assert_eq!(outputs(&meta), [1, 2, 0, 4, 3].map(Some));
    meta.classes[0] = "rock".into();
    assert!(meta.genre_outputs().unwrap_err().to_string().contains("twice"));
    meta.classes[0] = "folk".into();
    assert_eq!(outputs(&meta), [Some(1), Some(2), None, Some(4), Some(3)]);
}

#[test]
fn what_other_classes_have_is_missing_to_one() {
    let mut meta = random::small().meta;
    meta.classes = ["rain", "rock", "traffic"].map(String::from).to_vec();
    let outputs = meta.genre_outputs().unwrap();
    let posterior = outputs.posterior(&[0.5, 0.3, 0.2]).unwrap();
    assert_eq!(posterior.top(), (Genre::Rock, 0.3));
    assert!((posterior.0.iter().sum::<f32>() - 0.3).abs() < 1e-5);
    assert!(outputs.posterior(&[1.0, 0.0, 0.0]).is_some(), "surely something else");
    let five = random::small().meta.genre_outputs().unwrap();
    for bad in
        [vec![0.5; 5], vec![f32::NAN; 5], vec![-1.0, 2.0, 0.0, 0.0, 0.0], vec![1.0], vec![], vec![0.1; 5]]
    {
        assert_eq!(five.posterior(&bad), None, "{bad:?}");
    }
}

#[test]
fn int8_needs_sound_scales() {
    let mut model = random::quantized(&random::small());
    model.validate().unwrap();
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let mut broken = model.clone();
        let Values::I8 { scales, .. } = &mut broken.layers[1].values else { panic!("not INT8") };
        scales[2] = bad;
        assert!(broken.validate().unwrap_err().to_string().contains("scale"), "{bad}");
    }
    let Values::I8 { output, .. } = &mut model.layers[0].values else { panic!("not INT8") };
    output.zero_point = 3;
    assert!(model.validate().unwrap_err().to_string().contains("ReLU"));
}
