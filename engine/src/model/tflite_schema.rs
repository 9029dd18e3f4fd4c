//! Numbers of TFLite's public schema (`schema.fbs`, version 3): the slots of its tables, and its operators and types.

/// Bytes 4 to 8 of every file.
pub(super) const IDENTIFIER: &[u8; 4] = b"TFL3";
/// Version of the schema.
pub(super) const VERSION: u32 = 3;

/// Slots of a table, by name.
macro_rules! slots {
    ($($table:ident { $($slot:ident = $number:literal),* $(,)? })*) => {
        $(pub(super) struct $table;
        impl $table { $(pub const $slot: usize = $number;)* })*
    };
}

slots! {
    Root { VERSION = 0, CODES = 1, SUBGRAPHS = 2, DESCRIPTION = 3, BUFFERS = 4, METADATA = 6 }
    OpCode { DEPRECATED = 0, CUSTOM = 1, VERSION = 2, CODE = 3 }
    SubGraph { TENSORS = 0, INPUTS = 1, OUTPUTS = 2, OPERATORS = 3, NAME = 4 }
    Tensor { SHAPE = 0, TYPE = 1, BUFFER = 2, NAME = 3, QUANTIZATION = 4, SHAPE_SIGNATURE = 7 }
    Quantized { SCALE = 2, ZERO_POINT = 3, AXIS = 6 }
    Op { CODE = 0, INPUTS = 1, OUTPUTS = 2, OPTIONS_TYPE = 3, OPTIONS = 4 }
    Metadata { NAME = 0, BUFFER = 1 }
    Conv { PADDING = 0, STRIDE_W = 1, STRIDE_H = 2, ACTIVATION = 3, DILATION_W = 4, DILATION_H = 5 }
    Depthwise { MULTIPLIER = 3, ACTIVATION = 4, DILATION_W = 5, DILATION_H = 6 }
}

pub(super) const CONV_2D: u8 = 3;
pub(super) const DEPTHWISE_CONV_2D: u8 = 4;
pub(super) const DEQUANTIZE: u8 = 6;
pub(super) const RELU_OP: u8 = 19;
pub(super) const SOFTMAX: u8 = 25;
pub(super) const PAD: u8 = 34;
pub(super) const MEAN: u8 = 40;
pub(super) const QUANTIZE: u8 = 114;

/// Kinds of the union `BuiltinOptions`.
pub(super) const CONV_OPTIONS: u8 = 1;
pub(super) const DEPTHWISE_OPTIONS: u8 = 2;
pub(super) const SOFTMAX_OPTIONS: u8 = 9;
pub(super) const REDUCER_OPTIONS: u8 = 27;

/// Kinds of tensors.
pub(super) const FLOAT32: u8 = 0;
pub(super) const FLOAT16: u8 = 1;
pub(super) const INT32: u8 = 2;
pub(super) const INT64: u8 = 4;
pub(super) const INT8: u8 = 9;

/// `Padding`.
pub(super) const VALID: u8 = 1;
/// `ActivationFunctionType`; 0 is none.
pub(super) const RELU: u8 = 1;

/// Name of a kind of tensor, for messages.
pub(super) fn kind_name(kind: u8) -> String {
    const NAMES: [&str; 19] = [
        "FLOAT32",
        "FLOAT16",
        "INT32",
        "UINT8",
        "INT64",
        "STRING",
        "BOOL",
        "INT16",
        "COMPLEX64",
        "INT8",
        "FLOAT64",
        "COMPLEX128",
        "UINT64",
        "RESOURCE",
        "VARIANT",
        "UINT32",
        "UINT16",
        "INT4",
        "BFLOAT16",
    ];
    NAMES.get(usize::from(kind)).map_or_else(|| format!("type {kind}"), ToString::to_string)
}
