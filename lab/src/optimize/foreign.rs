//! Level 1 on an ONNX graph: what other programs' exporters write around a chain of convolutions is folded into it, so that
//! the plain chain of `docs/MODEL_FORMAT.md` is left. Batch normalizations right behind a convolution are folded by the
//! engine's reader itself.

use anyhow::{Context, Result};
use idiom_engine::model::MAX_FILE_BYTES;
use prost::Message;
use std::collections::{HashMap, HashSet};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, attribute_proto::AttributeType,
    tensor_proto::DataType,
};

/// Most rounds of passes; each round either changes something or is the last.
const ROUNDS: usize = 64;

/// The bytes of the simplified file, and what was done, a sentence a kind.
///
/// # Errors
/// When the bytes are no ONNX file with a graph.
pub fn simplify(bytes: &[u8]) -> Result<(Vec<u8>, Vec<String>)> {
    anyhow::ensure!(bytes.len() <= MAX_FILE_BYTES, "the file is larger than any model that is played");
    let mut file = ModelProto::decode(bytes).context("this is not a whole ONNX file")?;
    let graph = file.graph.as_mut().context("the file holds no graph")?;
    let mut counts: Vec<(&str, usize)> = Vec::new();
    let mut count = |what: &'static str, n: usize| {
        if n > 0 {
            match counts.iter_mut().find(|(known, _)| *known == what) {
                Some((_, sum)) => *sum += n,
                None => counts.push((what, n)),
            }
        }
        n
    };
    for _ in 0..ROUNDS {
        let changed = count("stored constants", store_constants(graph))
            + count("folded operations on constants", fold_constants(graph))
            + count("dropped nodes that do nothing", drop_idle(graph))
            + count("moved paddings into convolutions", fold_pads(graph))
            + count("folded scales and shifts into convolutions", fold_affine(graph))
            + count("wrote averages as poolings", pool_means(graph))
            + count("dropped dead nodes", drop_dead(graph));
        if changed == 0 {
            break;
        }
    }
    let done = counts.iter().map(|(what, n)| format!("{what} ({n})")).collect();
    Ok((file.encode_to_vec(), done))
}

fn op(node: &NodeProto) -> &str {
    if matches!(node.domain.as_str(), "" | "ai.onnx") { &node.op_type } else { "" }
}

/// `Constant` nodes become stored tensors.
fn store_constants(graph: &mut GraphProto) -> usize {
    let mut stored = Vec::new();
    graph.node.retain(|node| {
        let value = node.attribute.iter().find(|a| a.name == "value").and_then(|a| a.t.clone());
        match (op(node), value, node.output.first()) {
            ("Constant", Some(value), Some(output)) => {
                stored.push(TensorProto { name: output.clone(), ..value });
                false
            }
            _ => true,
        }
    });
    let count = stored.len();
    graph.initializer.extend(stored);
    count
}

/// The numbers of a stored float tensor.
fn floats(tensor: &TensorProto) -> Option<Vec<f32>> {
    if tensor.data_type != DataType::Float as i32 || !tensor.external_data.is_empty() {
        return None;
    }
    let numbers = if tensor.raw_data.is_empty() {
        tensor.float_data.clone()
    } else {
        tensor.raw_data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    };
    let count = tensor.dims.iter().try_fold(1i64, |n, d| n.checked_mul(*d))?;
    (usize::try_from(count) == Ok(numbers.len())).then_some(numbers)
}

/// The numbers of a stored tensor of 64-bit whole numbers.
fn wholes(tensor: &TensorProto) -> Option<Vec<i64>> {
    (tensor.data_type == DataType::Int64 as i32).then(|| {
        if tensor.raw_data.is_empty() {
            tensor.int64_data.clone()
        } else {
            tensor.raw_data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect()
        }
    })
}

fn tensor(name: &str, dims: Vec<i64>, numbers: Vec<f32>) -> TensorProto {
    let raw_data = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
    TensorProto { name: name.into(), dims, data_type: DataType::Float as i32, raw_data, ..Default::default() }
}

fn stored<'a>(graph: &'a GraphProto, name: &str) -> Option<&'a TensorProto> {
    graph.initializer.iter().find(|t| t.name == name)
}

/// Arithmetic and changes of shape of stored tensors are done once, here.
fn fold_constants(graph: &mut GraphProto) -> usize {
    let folded = graph.node.iter().enumerate().find_map(|(i, node)| {
        let result = fold_one(graph, node)?;
        Some((i, result))
    });
    let Some((i, result)) = folded else { return 0 };
    graph.node.remove(i);
    graph.initializer.push(result);
    1
}

fn fold_one(graph: &GraphProto, node: &NodeProto) -> Option<TensorProto> {
    let output = node.output.first()?;
    let input = |i: usize| stored(graph, node.input.get(i)?);
    let a = input(0)?;
    let numbers = floats(a)?;
    match op(node) {
        "Identity" => Some(tensor(output, a.dims.clone(), numbers)),
        "Sqrt" => Some(tensor(output, a.dims.clone(), numbers.iter().map(|v| v.sqrt()).collect())),
        "Neg" => Some(tensor(output, a.dims.clone(), numbers.iter().map(|v| -v).collect())),
        "Reciprocal" => Some(tensor(output, a.dims.clone(), numbers.iter().map(|v| 1.0 / v).collect())),
        kind @ ("Add" | "Sub" | "Mul" | "Div") => {
            let b = input(1)?;
            let others = floats(b)?;
            let apply = |x: f32, y: f32| match kind {
                "Add" => x + y,
                "Sub" => x - y,
                "Mul" => x * y,
                _ => x / y,
            };
            // Equal shapes, or a single number on one side.
            if a.dims == b.dims {
                let numbers = numbers.iter().zip(&others).map(|(x, y)| apply(*x, *y)).collect();
                Some(tensor(output, a.dims.clone(), numbers))
            } else if let [y] = others[..] {
                Some(tensor(output, a.dims.clone(), numbers.iter().map(|x| apply(*x, y)).collect()))
            } else if let [x] = numbers[..] {
                Some(tensor(output, b.dims.clone(), others.iter().map(|y| apply(x, *y)).collect()))
            } else {
                None
            }
        }
        "Reshape" => {
            let mut dims = wholes(input(1)?)?;
            let known: i64 = dims.iter().filter(|d| **d > 0).product();
            let count = numbers.len() as i64;
            dims.iter_mut().filter(|d| **d == -1).for_each(|d| *d = count / known.max(1));
            (dims.iter().product::<i64>() == count).then(|| tensor(output, dims, numbers))
        }
        "Unsqueeze" => {
            let mut axes = wholes(input(1)?)?;
            axes.sort_unstable();
            let mut dims = a.dims.clone();
            for axis in axes {
                let at = usize::try_from(axis).ok().filter(|at| *at <= dims.len())?;
                dims.insert(at, 1);
            }
            Some(tensor(output, dims, numbers))
        }
        _ => None,
    }
}

/// `Identity` and `Dropout` on what flows are left out; as is adding 0 or multiplying by 1 to a single number.
fn drop_idle(graph: &mut GraphProto) -> usize {
    let outputs: HashSet<String> = graph.output.iter().map(|o| o.name.clone()).collect();
    let idle = graph.node.iter().position(|node| {
        matches!(op(node), "Identity" | "Dropout")
            && node.input.first().is_some_and(|i| stored(graph, i).is_none())
            && node.output.first().is_some_and(|o| !outputs.contains(o))
    });
    let Some(index) = idle else { return 0 };
    let node = graph.node.remove(index);
    let (from, to) = (node.output[0].clone(), node.input[0].clone());
    rename_inputs(graph, &from, &to);
    1
}

fn rename_inputs(graph: &mut GraphProto, from: &str, to: &str) {
    for node in &mut graph.node {
        node.input.iter_mut().filter(|i| *i == from).for_each(|i| *i = to.into());
    }
}

/// The one node that takes a tensor, if it is one, and no output of the graph is it.
fn only_taker(graph: &GraphProto, tensor: &str) -> Option<usize> {
    if graph.output.iter().any(|o| o.name == tensor) {
        return None;
    }
    let mut takers = (0..graph.node.len()).filter(|&i| graph.node[i].input.iter().any(|n| n == tensor));
    takers.next().filter(|_| takers.next().is_none())
}

fn ints(node: &NodeProto, name: &str) -> Option<Vec<i64>> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.ints.clone())
}

/// A `Pad` with zeros in the two last dimensions moves into the `Conv` behind it.
fn fold_pads(graph: &mut GraphProto) -> usize {
    let found = graph.node.iter().enumerate().find_map(|(index, node)| {
        if op(node) != "Pad" {
            return None;
        }
        let mode = node.attribute.iter().find(|a| a.name == "mode").map(|a| a.s.clone());
        let constant = mode.is_none_or(|mode| mode.is_empty() || mode == b"constant");
        let pads = ints(node, "pads").or_else(|| wholes(stored(graph, node.input.get(1)?)?))?;
        let zero = match node.input.get(2).filter(|name| !name.is_empty()) {
            Some(name) => floats(stored(graph, name)?)?.iter().all(|v| *v == 0.0),
            None => true,
        };
        let &[0, 0, top, left, 0, 0, bottom, right] = pads.as_slice() else { return None };
        let taker = only_taker(graph, node.output.first()?)?;
        let fits = constant && zero && op(&graph.node[taker]) == "Conv";
        fits.then_some((index, taker, [top, left, bottom, right]))
    });
    let Some((index, taker, more)) = found else { return 0 };
    let (from, to) = (graph.node[index].output[0].clone(), graph.node[index].input[0].clone());
    let conv = &mut graph.node[taker];
    match conv.attribute.iter_mut().find(|a| a.name == "pads") {
        Some(pads) => pads.ints.iter_mut().zip(more).for_each(|(pad, more)| *pad += more),
        None => conv.attribute.push(AttributeProto {
            name: "pads".into(),
            r#type: AttributeType::Ints as i32,
            ints: more.to_vec(),
            ..Default::default()
        }),
    }
    rename_inputs(graph, &from, &to);
    graph.node.remove(index);
    1
}

/// `Mul`, `Add`, `Sub` and `Div` by one number a channel, or one for all, behind a `Conv`.
fn fold_affine(graph: &mut GraphProto) -> usize {
    let makers: HashMap<&str, usize> =
        graph.node.iter().enumerate().filter_map(|(i, n)| Some((n.output.first()?.as_str(), i))).collect();
    let found = graph.node.iter().enumerate().find_map(|(index, node)| {
        let kind = op(node);
        if !matches!(kind, "Mul" | "Add" | "Sub" | "Div") {
            return None;
        }
        let (first, second) = (node.input.first()?, node.input.get(1)?);
        // What is subtracted from, or divided, must flow.
        let commutes = matches!(kind, "Mul" | "Add");
        let (flow, constant) =
            if stored(graph, first).is_some() && commutes { (second, first) } else { (first, second) };
        let conv = *makers.get(flow.as_str())?;
        if op(&graph.node[conv]) != "Conv" || only_taker(graph, flow) != Some(index) {
            return None;
        }
        let weight = stored(graph, graph.node[conv].input.get(1)?)?;
        let outputs = usize::try_from(*weight.dims.first()?).ok().filter(|n| *n > 0)?;
        let tensor = stored(graph, constant)?;
        let numbers = floats(tensor)?;
        // [C, 1, 1] or [1, C, 1, 1]: the channel is the third dimension from the end.
        let by_channel = tensor.dims.len() >= 3
            && tensor
                .dims
                .iter()
                .rev()
                .enumerate()
                .all(|(i, d)| *d == if i == 2 { outputs as i64 } else { 1 });
        let numbers = match numbers.as_slice() {
            [one] => vec![*one; outputs],
            _ if by_channel => numbers,
            _ => return None,
        };
        Some((index, conv, kind.to_owned(), numbers))
    });
    let Some((index, conv, kind, numbers)) = found else { return 0 };
    let channels = numbers.len();
    let name = graph.node[conv].output[0].clone();
    let Some(weight) = graph.node[conv].input.get(1).and_then(|n| stored(graph, n)) else { return 0 };
    let dims = weight.dims.clone();
    let Some(mut weights) = floats(weight) else { return 0 };
    let mut bias = match graph.node[conv].input.get(2).filter(|n| !n.is_empty()) {
        Some(bias) => match stored(graph, bias).and_then(floats) {
            Some(bias) if bias.len() == channels => bias,
            _ => return 0,
        },
        None => vec![0.0; channels],
    };
    let per_channel = weights.len() / channels;
    for (c, number) in numbers.iter().enumerate() {
        let (scale, shift) = match kind.as_str() {
            "Mul" => (*number, 0.0),
            "Div" => (1.0 / number, 0.0),
            "Add" => (1.0, *number),
            _ => (1.0, -number),
        };
        weights[c * per_channel..(c + 1) * per_channel].iter_mut().for_each(|w| *w *= scale);
        bias[c] = bias[c] * scale + shift;
    }
    // New tensors: the old ones may be shared.
    let (weight, shift) = (format!("{name}_folded_weight{index}"), format!("{name}_folded_bias{index}"));
    graph.initializer.push(tensor(&weight, dims, weights));
    graph.initializer.push(tensor(&shift, vec![channels as i64], bias));
    let output = graph.node[index].output[0].clone();
    let node = &mut graph.node[conv];
    node.input.resize(3, String::new());
    (node.input[1], node.input[2], node.output[0]) = (weight, shift, output);
    graph.node.remove(index);
    1
}

/// `ReduceMean` over both spatial dimensions is a `GlobalAveragePool`; `Squeeze` and `Reshape` behind one a `Flatten`.
fn pool_means(graph: &mut GraphProto) -> usize {
    let mut changed = 0;
    let pooled: HashSet<String> = graph
        .node
        .iter()
        .filter(|n| op(n) == "GlobalAveragePool")
        .filter_map(|n| n.output.first().cloned())
        .collect();
    for i in 0..graph.node.len() {
        let node = &graph.node[i];
        match op(node) {
            "ReduceMean" => {
                let axes = ints(node, "axes").or_else(|| wholes(stored(graph, node.input.get(1)?)?));
                let mut axes = axes.unwrap_or_default();
                axes.iter_mut().for_each(|a| *a = if *a < 0 { *a + 4 } else { *a });
                axes.sort_unstable();
                let kept = node.attribute.iter().find(|a| a.name == "keepdims").is_none_or(|a| a.i != 0);
                if axes != [2, 3] {
                    continue;
                }
                let (input, output) = (node.input[0].clone(), node.output[0].clone());
                let inner = if kept { output.clone() } else { format!("{output}_pooled") };
                graph.node[i] = plain("GlobalAveragePool", &input, &inner);
                if !kept {
                    graph.node.push(plain("Flatten", &inner, &output));
                }
                changed += 1;
            }
            "Squeeze" | "Reshape" if node.input.first().is_some_and(|i| pooled.contains(i)) => {
                let (input, output) = (node.input[0].clone(), node.output[0].clone());
                graph.node[i] = plain("Flatten", &input, &output);
                changed += 1;
            }
            _ => {}
        }
    }
    changed
}

fn plain(op: &str, input: &str, output: &str) -> NodeProto {
    NodeProto {
        op_type: op.into(),
        name: format!("{output}_{}", op.to_lowercase()),
        input: vec![input.into()],
        output: vec![output.into()],
        ..Default::default()
    }
}

/// Nodes whose results nobody takes, and stored tensors that nobody takes.
fn drop_dead(graph: &mut GraphProto) -> usize {
    let outputs: HashSet<String> = graph.output.iter().map(|o| o.name.clone()).collect();
    let taken: HashSet<String> = graph.node.iter().flat_map(|n| n.input.iter().cloned()).collect();
    let before = graph.node.len();
    graph.node.retain(|n| n.output.iter().any(|o| outputs.contains(o) || taken.contains(o)));
    graph.initializer.retain(|t| outputs.contains(&t.name) || taken.contains(&t.name));
    before - graph.node.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::model::random::{self, Shape};
    use idiom_engine::model::{InputKind, Model, onnx_write, windowed};

    fn small() -> Model {
        let shapes = [
            Shape::conv(6, [5, 3], 2),
            Shape::depthwise([3, 3], 2, 2),
            Shape { pads_f: [0, 0], relu: false, ..Shape::conv(5, [10, 1], 1) },
        ];
        random::model(40, InputKind::LogMel40, 50, &shapes)
    }

    fn insert_after(graph: &mut GraphProto, from: &str, mut new: NodeProto) {
        let to = format!("{from}_{}", new.op_type);
        rename_inputs(graph, from, &to);
        new.input.insert(0, from.into());
        new.output = vec![to];
        graph.node.push(new);
    }

    fn node(op: &str, more: &[&str]) -> NodeProto {
        NodeProto {
            op_type: op.into(),
            input: more.iter().map(|s| (*s).into()).collect(),
            ..Default::default()
        }
    }

    /// The small network as another program would export it: every kind of node that is simplified away is in it.
    fn exported() -> Vec<u8> {
        let mut file = ModelProto::decode(onnx_write::write(&small()).unwrap().as_slice()).unwrap();
        let graph = file.graph.as_mut().unwrap();
        let convs: Vec<String> =
            graph.node.iter().filter(|n| n.op_type == "Conv").map(|n| n.output[0].clone()).collect();
        // conv0 * (8 / 4) - shift + shift, with the scale computed from constants and the shift in a Constant node.
        insert_after(graph, &convs[0], node("Mul", &["scale"]));
        insert_after(graph, &format!("{}_Mul", convs[0]), node("Div", &["scale"]));
        insert_after(graph, &format!("{}_Mul_Div", convs[0]), node("Sub", &["shift"]));
        insert_after(graph, &format!("{}_Mul_Div_Sub", convs[0]), node("Add", &["shift"]));
        graph.node.push(NodeProto { output: vec!["scale".into()], ..node("Div", &["eight", "four"]) });
        graph.initializer.push(tensor("eight", vec![1, 6, 1, 1], vec![8.0, 4.0, -8.0, 2.0, 1.0, 16.0]));
        graph.initializer.push(tensor("four", vec![], vec![4.0]));
        let value = AttributeProto {
            name: "value".into(),
            t: Some(tensor("", vec![6, 1, 1], vec![0.5, 1.0, 0.25, -2.0, 3.0, 0.125])),
            ..Default::default()
        };
        let constant =
            NodeProto { attribute: vec![value], output: vec!["shift".into()], ..node("Constant", &[]) };
        graph.node.push(constant);
        insert_after(graph, "conv0_output", node("Dropout", &[]));
        insert_after(graph, "conv0_output_Dropout", node("Identity", &[]));
        // The padding of the depthwise layer as a node of its own.
        let conv = graph.node.iter_mut().find(|n| n.output[0] == convs[1]).unwrap();
        let pads = conv.attribute.iter().find(|a| a.name == "pads").unwrap().ints.clone();
        conv.attribute.retain(|a| a.name != "pads");
        let input = std::mem::replace(&mut conv.input[0], "padded".into());
        let pad = [0, 0, pads[0], pads[1], 0, 0, pads[2], pads[3]];
        let attribute = AttributeProto { name: "pads".into(), ints: pad.to_vec(), ..Default::default() };
        let pad =
            NodeProto { output: vec!["padded".into()], attribute: vec![attribute], ..node("Pad", &[&input]) };
        graph.node.push(pad);
        // Average and flatten as exporters write them.
        let pool = graph.node.iter_mut().find(|n| n.op_type == "GlobalAveragePool").unwrap();
        pool.op_type = "ReduceMean".into();
        let axes = AttributeProto { name: "axes".into(), ints: vec![-1, -2], ..Default::default() };
        pool.attribute = vec![axes];
        let flatten = graph.node.iter_mut().find(|n| n.op_type == "Flatten").unwrap();
        flatten.op_type = "Squeeze".into();
        flatten.attribute.clear();
        // Nobody takes this.
        graph.node.push(NodeProto { output: vec!["nowhere".into()], ..node("Sqrt", &["features"]) });
        file.encode_to_vec()
    }

    #[test]
    fn a_foreign_chain_becomes_the_plain_one_and_answers_the_same() {
        let foreign = exported();
        assert!(Model::from_onnx(&foreign).is_err(), "nothing to simplify");
        let (simple, done) = simplify(&foreign).unwrap();
        let model = Model::from_onnx(&simple).unwrap();
        let window: Vec<f32> = (0..400).map(|i| (i as f32).sin()).collect();
        let (a, b) = (windowed::run(&small(), &window, 10), windowed::run(&model, &window, 10));
        for (a, b) in a.logits.iter().zip(&b.logits) {
            assert!((a - b).abs() < 1e-4, "{a} became {b}");
        }
        for word in ["constants", "do nothing", "paddings", "scales and shifts", "averages", "dead nodes"] {
            assert!(done.iter().any(|line| line.contains(word)), "`{word}` was not done: {done:?}");
        }
        let (again, done) = simplify(&simple).unwrap();
        assert!(done.is_empty() && again == simple, "{done:?}");
    }

    #[test]
    fn a_plain_chain_stays_as_it_is_and_other_bytes_are_refused() {
        let plain = onnx_write::write(&small()).unwrap();
        let (same, _) = simplify(&plain).unwrap();
        assert_eq!(Model::from_onnx(&same).unwrap(), small());
        assert!(simplify(b"no model").is_err());
    }
}
