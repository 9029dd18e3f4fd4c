//! The small parts of a TFLite file, each checked as it is taken: operators, tensors, metadata.

use super::flatbuffer::{self, Flaw, Table};
use super::metadata::{self, Entries, shorten};
use super::tflite_ops;
use super::tflite_schema::{
    FLOAT16, FLOAT32, IDENTIFIER, INT8, INT32, INT64, Metadata, Op, OpCode, Quantized, Root, SubGraph,
    Tensor, VERSION, kind_name,
};
use super::{MAX_CHANNELS, MAX_FILE_BYTES, MAX_LAYERS, MAX_WEIGHTS, ModelError, half};

/// Most operators of a graph, and most tensors that one takes.
const MAX_NODES: usize = 64 * MAX_LAYERS;
const MAX_INPUTS: usize = 64;

/// One operator.
pub(super) struct Node<'a> {
    /// Number of the built-in operator.
    pub op: u8,
    /// Not one of the built-in ones.
    pub custom: bool,
    /// Its name, for messages.
    pub op_name: String,
    /// Numbers of tensors; -1 for one that is left out.
    pub inputs: Vec<i32>,
    pub outputs: Vec<i32>,
    pub options: Option<Table<'a>>,
}

/// A file whose outline has been read.
pub(super) struct File<'a> {
    root: Table<'a>,
    tensors: Vec<Table<'a>>,
    buffers: Vec<Table<'a>>,
    pub nodes: Vec<Node<'a>>,
    pub inputs: Vec<i32>,
    pub outputs: Vec<i32>,
}

/// The numbers of a stored tensor; INT64 as INT32 where they fit, halves as floats.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Numbers {
    F32(Vec<f32>),
    I8(Vec<i8>),
    I32(Vec<i32>),
}

impl<'a> File<'a> {
    pub fn new(bytes: &'a [u8]) -> Result<File<'a>, ModelError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(ModelError::FileTooLarge { bytes: bytes.len() });
        }
        if bytes.get(4..8) != Some(IDENTIFIER) {
            return Err(Self::flaw("it does not begin as one"));
        }
        Self::outline(bytes).map_err(Self::flaw)
    }

    /// The error for bytes that are no whole file.
    pub fn flaw(flaw: Flaw) -> ModelError {
        ModelError::NotTflite { detail: flaw.into() }
    }

    fn outline(bytes: &'a [u8]) -> Result<File<'a>, Flaw> {
        let root = flatbuffer::root(bytes)?;
        if root.u32(Root::VERSION)? != VERSION {
            return Err("its schema is not version 3");
        }
        let graphs = root.tables(Root::SUBGRAPHS)?;
        let &[graph] = graphs.as_slice() else { return Err("it has not exactly one graph") };
        let codes = root.tables(Root::CODES)?;
        let operators = graph.tables(SubGraph::OPERATORS)?;
        if operators.len() > MAX_NODES {
            return Err("it has more operators than any model needs");
        }
        let few = |list: Table<'a>, slot| -> Result<Vec<i32>, Flaw> {
            let list = list.i32s(slot)?;
            if list.len() > MAX_INPUTS {
                Err("an operator takes too many tensors")
            } else {
                Ok(list.collect())
            }
        };
        let mut nodes = Vec::with_capacity(operators.len());
        for operator in operators {
            let code = operator.u32(Op::CODE)? as usize;
            let code = codes.get(code).ok_or("an operator has no code")?;
            // Files from before 2020 have the number in the old field only.
            let number = code.i32(OpCode::CODE, 0)?.max(code.u8(OpCode::DEPRECATED)?.into());
            let custom = code.text(OpCode::CUSTOM)?;
            let op_name = match custom.is_empty() {
                true => tflite_ops::name(number),
                false => shorten(&custom),
            };
            nodes.push(Node {
                op: u8::try_from(number).unwrap_or(u8::MAX),
                custom: !custom.is_empty(),
                op_name,
                inputs: few(operator, Op::INPUTS)?,
                outputs: few(operator, Op::OUTPUTS)?,
                options: operator.table(Op::OPTIONS)?,
            });
        }
        Ok(File {
            root,
            tensors: graph.tables(SubGraph::TENSORS)?,
            buffers: root.tables(Root::BUFFERS)?,
            nodes,
            inputs: few(graph, SubGraph::INPUTS)?,
            outputs: few(graph, SubGraph::OUTPUTS)?,
        })
    }

    /// The metadata as text by key.
    pub fn metadata(&self) -> Result<Entries, ModelError> {
        let read = || -> Result<Entries, Flaw> {
            let mut entries = Entries::new();
            for entry in self.root.tables(Root::METADATA)? {
                let buffer = self.buffers.get(entry.u32(Metadata::BUFFER)? as usize);
                let name = entry.bytes(Metadata::NAME)?;
                let key = metadata::KEYS.iter().find(|key| name == key.as_bytes());
                if let Some((key, buffer)) = key.zip(buffer) {
                    entries.insert((*key).to_string(), buffer.text(0)?);
                }
            }
            Ok(entries)
        };
        read().map_err(Self::flaw)
    }

    pub fn tensor(&self, number: i32) -> Result<TensorRef<'a>, ModelError> {
        let table = usize::try_from(number).ok().and_then(|number| self.tensors.get(number));
        let table = *table.ok_or_else(|| Self::flaw("it names a tensor that it does not have"))?;
        let read = || -> Result<TensorRef<'a>, Flaw> {
            let buffer = self.buffers.get(table.u32(Tensor::BUFFER)? as usize);
            let bytes = buffer.map_or(Ok(&[][..]), |buffer| buffer.bytes(0))?;
            Ok(TensorRef { table, name: table.text(Tensor::NAME)?, kind: table.u8(Tensor::TYPE)?, bytes })
        };
        read().map_err(Self::flaw)
    }

    /// What an operator is called in messages: by the tensor that it makes.
    pub fn name_of(&self, node: &Node<'_>) -> String {
        let made = node.outputs.first().and_then(|number| self.tensor(*number).ok());
        made.map_or_else(String::new, |tensor| shorten(&tensor.name))
    }

    /// Something is wrong with `node`.
    pub fn bad(&self, node: &Node<'_>, problem: impl Into<String>) -> ModelError {
        ModelError::Node { node: self.name_of(node), op: node.op_name.clone(), problem: problem.into() }
    }
}

/// A tensor of the graph.
pub(super) struct TensorRef<'a> {
    table: Table<'a>,
    pub name: String,
    /// See [`super::tflite_schema`].
    pub kind: u8,
    bytes: &'a [u8],
}

impl TensorRef<'_> {
    fn wrong(&self, problem: String) -> ModelError {
        ModelError::Tensor { tensor: shorten(&self.name), problem }
    }

    /// Whether its numbers are in the file.
    pub fn is_stored(&self) -> bool {
        !self.bytes.is_empty()
    }

    pub fn shape(&self) -> Result<Vec<usize>, ModelError> {
        let dims = self.table.i32s(Tensor::SHAPE).map_err(File::flaw)?;
        let dims = dims
            .take(8)
            .map(|dim| usize::try_from(dim).map_err(|_| self.wrong(format!("has a dimension of {dim}"))));
        dims.collect()
    }

    fn quantized<T>(&self, read: impl Fn(Table<'_>) -> Result<T, Flaw>, none: T) -> Result<T, ModelError> {
        let table = self.table.table(Tensor::QUANTIZATION).map_err(File::flaw)?;
        table.map_or(Ok(none), |table| read(table).map_err(File::flaw))
    }

    /// Scales and zero points; none when it is not quantized.
    pub fn quantization(&self) -> Result<(Vec<f32>, Vec<i64>), ModelError> {
        let lists = |table: Table<'_>| {
            let (scales, zeros) = (table.f32s(Quantized::SCALE)?, table.i64s(Quantized::ZERO_POINT)?);
            if scales.len().max(zeros.len()) > MAX_CHANNELS {
                return Err("a tensor has more scales than a layer may have channels");
            }
            Ok((scales.collect(), zeros.collect()))
        };
        self.quantized(lists, (Vec::new(), Vec::new()))
    }

    /// The dimension along which the scales run.
    pub fn quantized_axis(&self) -> Result<i32, ModelError> {
        self.quantized(|table| table.i32(Quantized::AXIS, 0), 0)
    }

    /// The stored numbers, as many as the shape says.
    pub fn numbers(&self) -> Result<Numbers, ModelError> {
        let mut count = 1usize;
        let shape = self.shape()?;
        for dim in &shape {
            count = count.checked_mul(*dim).filter(|n| *n <= MAX_WEIGHTS).ok_or_else(|| {
                self.wrong(format!("has more than {MAX_WEIGHTS} numbers; choose a smaller model"))
            })?;
        }
        let size = match self.kind {
            INT8 => 1,
            FLOAT16 => 2,
            FLOAT32 | INT32 => 4,
            INT64 => 8,
            other => {
                let played = "played are FLOAT32, FLOAT16, INT8 and INT32";
                return Err(self.wrong(format!("is {}; {played}", kind_name(other))));
            }
        };
        if self.bytes.len() != count * size {
            let have = self.bytes.len();
            return Err(
                self.wrong(format!("holds {have} bytes, but its dimensions {shape:?} need {}", count * size))
            );
        }
        let words = self.bytes.as_chunks().0;
        Ok(match self.kind {
            INT8 => Numbers::I8(self.bytes.iter().map(|byte| *byte as i8).collect()),
            FLOAT16 => Numbers::F32(half::numbers(self.bytes)),
            FLOAT32 => Numbers::F32(words.iter().map(|word| f32::from_le_bytes(*word)).collect()),
            INT32 => Numbers::I32(words.iter().map(|word| i32::from_le_bytes(*word)).collect()),
            _ => {
                let longs = self.bytes.as_chunks().0.iter().map(|long| i64::from_le_bytes(*long));
                let narrow = |v| i32::try_from(v).map_err(|_| self.wrong(format!("{v} is no 32-bit number")));
                Numbers::I32(longs.map(narrow).collect::<Result<_, _>>()?)
            }
        })
    }
}
