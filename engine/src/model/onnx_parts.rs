//! The small parts of an ONNX file, each checked as it is taken: metadata, tensors, attributes.

use super::metadata::{Entries, shorten};
use super::{MAX_WEIGHTS, ModelError, half};
use tract_onnx::pb::{
    ModelProto, NodeProto, TensorProto, tensor_proto::DataLocation, tensor_proto::DataType,
};

/// The metadata as text by key, with what the sidecar says.
pub(super) fn metadata(file: &ModelProto, sidecar: &Entries) -> Entries {
    let stored = file.metadata_props.iter().map(|entry| (entry.key.clone(), entry.value.clone()));
    stored.chain(sidecar.clone()).collect()
}

/// A node's name for a message: its own, or that of its first output.
pub(super) fn node_name(node: &NodeProto) -> String {
    if node.name.is_empty() { shorten(node.output.first().map_or("", |o| o)) } else { shorten(&node.name) }
}

/// Something is wrong with `node`.
pub(super) fn bad_node(node: &NodeProto, problem: impl Into<String>) -> ModelError {
    ModelError::Node { node: node_name(node), op: shorten(&node.op_type), problem: problem.into() }
}

/// The whole-number attribute `name`, `default` when it is not there.
pub(super) fn int(node: &NodeProto, name: &str, default: i64) -> i64 {
    node.attribute.iter().find(|a| a.name == name).map_or(default, |a| a.i)
}

/// The floating-point attribute `name`.
pub(super) fn float(node: &NodeProto, name: &str) -> Option<f32> {
    node.attribute.iter().find(|a| a.name == name).map(|a| a.f)
}

/// The attribute `name` as `N` sizes, `default` when it is not there.
pub(super) fn sizes<const N: usize>(
    node: &NodeProto,
    name: &str,
    default: [usize; N],
) -> Result<[usize; N], ModelError> {
    let Some(attribute) = node.attribute.iter().find(|a| a.name == name) else { return Ok(default) };
    let wrong = || bad_node(node, format!("attribute `{name}` must be {N} whole numbers from 0 up"));
    let ints: &[i64; N] = attribute.ints.as_slice().try_into().map_err(|_| wrong())?;
    let mut out = default;
    for (to, from) in out.iter_mut().zip(ints) {
        // Everything beyond 32 bits is far above every limit; keeping it out keeps sums and products from overflowing.
        *to = u32::try_from(*from).map_err(|_| wrong())? as usize;
    }
    Ok(out)
}

/// The numbers of a stored tensor.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numbers {
    F32(Vec<f32>),
    I8(Vec<i8>),
    I32(Vec<i32>),
}

/// A stored tensor whose dimensions and numbers agree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tensor {
    pub dims: Vec<usize>,
    pub numbers: Numbers,
}

impl Tensor {
    pub fn read(proto: &TensorProto) -> Result<Tensor, ModelError> {
        Self::read_as(proto, false)
    }

    /// A tensor of halves, as the floats that a `Cast` makes of them.
    pub fn read_halves(proto: &TensorProto) -> Result<Tensor, ModelError> {
        Self::read_as(proto, true)
    }

    fn read_as(proto: &TensorProto, halves: bool) -> Result<Tensor, ModelError> {
        let wrong = |problem: String| ModelError::Tensor { tensor: shorten(&proto.name), problem };
        if proto.data_location == Some(DataLocation::External as i32) || !proto.external_data.is_empty() {
            return Err(wrong("its numbers are in another file; export the model as one file".into()));
        }
        let mut count = 1usize;
        let mut dims = Vec::new();
        for dim in &proto.dims {
            let dim = usize::try_from(*dim).map_err(|_| wrong(format!("has a dimension of {dim}")))?;
            count = count.checked_mul(dim).filter(|n| *n <= MAX_WEIGHTS).ok_or_else(|| {
                wrong(format!("has more than {MAX_WEIGHTS} numbers; choose a smaller model"))
            })?;
            dims.push(dim);
        }
        let raw = &proto.raw_data;
        let words = || raw.as_chunks::<4>().0;
        let (numbers, found, partial) = match DataType::try_from(proto.data_type) {
            Ok(DataType::Float) if raw.is_empty() => {
                (Numbers::F32(proto.float_data.clone()), proto.float_data.len(), false)
            }
            Ok(DataType::Float) => {
                let numbers = words().iter().map(|b| f32::from_le_bytes(*b)).collect();
                (Numbers::F32(numbers), raw.len() / 4, !raw.len().is_multiple_of(4))
            }
            Ok(DataType::Int32) if raw.is_empty() => {
                (Numbers::I32(proto.int32_data.clone()), proto.int32_data.len(), false)
            }
            Ok(DataType::Int32) => {
                let numbers = words().iter().map(|b| i32::from_le_bytes(*b)).collect();
                (Numbers::I32(numbers), raw.len() / 4, !raw.len().is_multiple_of(4))
            }
            Ok(DataType::Int8) if raw.is_empty() => {
                let narrow = |v: &i32| i8::try_from(*v).map_err(|_| wrong(format!("{v} is no 8-bit number")));
                let numbers = proto.int32_data.iter().map(narrow).collect::<Result<_, _>>()?;
                (Numbers::I8(numbers), proto.int32_data.len(), false)
            }
            Ok(DataType::Int8) => (Numbers::I8(raw.iter().map(|b| *b as i8).collect()), raw.len(), false),
            Ok(DataType::Float16) if halves && raw.is_empty() => {
                let bytes: Vec<u8> =
                    proto.int32_data.iter().flat_map(|v| (*v as u16).to_le_bytes()).collect();
                (Numbers::F32(half::numbers(&bytes)), proto.int32_data.len(), false)
            }
            Ok(DataType::Float16) if halves => {
                (Numbers::F32(half::numbers(raw)), raw.len() / 2, !raw.len().is_multiple_of(2))
            }
            Ok(other) => {
                let played = "played are FLOAT, INT8 and INT32, and FLOAT16 through a Cast";
                let problem = format!("is {}; {played}", other.as_str_name());
                return Err(wrong(problem));
            }
            Err(_) => return Err(wrong(format!("is of the unknown type {}", proto.data_type))),
        };
        if partial || found != count {
            return Err(wrong(format!("holds {found} numbers, but its dimensions {dims:?} need {count}")));
        }
        Ok(Tensor { dims, numbers })
    }

    pub fn floats(&self) -> Option<&[f32]> {
        if let Numbers::F32(v) = &self.numbers { Some(v) } else { None }
    }
}
