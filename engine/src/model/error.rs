//! What can be wrong with a model file, and what to do about it.

use super::limits::{FORMAT, MAX_FILE_BYTES};

/// What is wrong with a model, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The file is larger than any model this program would play.
    #[error(
        "the model file has {bytes} bytes, more than the {MAX_FILE_BYTES} that are read; choose a smaller model"
    )]
    FileTooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// The bytes are not an ONNX file, or only a part of one.
    #[error("this is not a whole ONNX file ({detail}); copy or export it again")]
    NotOnnx {
        /// What the decoder met.
        detail: String,
    },
    /// The bytes are not a TFLite file, or only a part of one.
    #[error("this is not a whole TFLite file ({detail}); copy or export it again")]
    NotTflite {
        /// What the reader met.
        detail: String,
    },
    /// The file was written by a later version of this program.
    #[error(
        "the model is from a newer version (idiom.format {format}, this version reads {FORMAT}); update Idiom, or export the model for format {FORMAT}"
    )]
    Newer {
        /// The file's `idiom.format`.
        format: u64,
    },
    /// An entry of the metadata is missing or wrong.
    #[error("metadata `{key}`: {problem}; see docs/MODEL_FORMAT.md for what belongs there")]
    Metadata {
        /// Key of the entry.
        key: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The file holds operators that the executor does not run.
    #[error(
        "the executor does not run {operators}; choose the backend \"ONNX on worker\", or export a network of Conv, BatchNormalization, Relu and Clip"
    )]
    Unsupported {
        /// Each operator with the nodes that are one, as text.
        operators: String,
    },
    /// The TFLite file holds operators that the executor does not run.
    #[error(
        "the executor does not run {operators}; export the network as ONNX, which can also run on the worker, or with CONV_2D, DEPTHWISE_CONV_2D, PAD and RELU only"
    )]
    UnsupportedTflite {
        /// Each operator with what it makes, as text.
        operators: String,
    },
    /// A node of the graph is not as the format wants it.
    #[error("node `{node}` ({op}): {problem}")]
    Node {
        /// Name of the node, or of its first output when it has none.
        node: String,
        /// Its operator.
        op: String,
        /// What is wrong and what belongs there.
        problem: String,
    },
    /// A tensor stored in the file is not as the format wants it.
    #[error("tensor `{tensor}`: {problem}")]
    Tensor {
        /// Name of the tensor.
        tensor: String,
        /// What is wrong and what belongs there.
        problem: String,
    },
    /// The graph as a whole is not the documented chain.
    #[error("the graph {problem}; see docs/MODEL_FORMAT.md for the chain that is played")]
    Graph {
        /// What is wrong.
        problem: String,
    },
    /// A layer has impossible or too large dimensions, or numbers that are not finite.
    #[error("layer {index} `{layer}`: {problem}")]
    Layer {
        /// Position in the chain, from 0.
        index: usize,
        /// Name of the layer.
        layer: String,
        /// What is wrong and what belongs there.
        problem: String,
    },
    /// The network as a whole is too large to be played frame by frame.
    #[error("the network {problem}; choose the backend \"ONNX on worker\", or a smaller model")]
    TooLarge {
        /// What is too large, with the limit.
        problem: String,
    },
    /// A network was to be compiled for instructions that the processor does not have.
    #[error("this processor has no {kernel}; let the instructions be chosen by detection")]
    Kernel {
        /// Name of the instruction set.
        kernel: &'static str,
    },
    /// tract refused or could not run the model.
    #[error("tract cannot run the model: {detail}")]
    Tract {
        /// What tract said.
        detail: String,
    },
}
