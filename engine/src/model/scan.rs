//! A look at a file's protobuf framing before it is decoded. A few bytes can ask the decoder for a structure of hundreds
//! of bytes, so the number of structures is bounded first; what is left costs memory in proportion to the file.

use super::ModelError;

/// Most protobuf fields in the whole file.
const MAX_FIELDS: usize = 200_000;
/// Deepest nesting of messages; the documented format has 5.
const MAX_DEPTH: usize = 12;

/// The messages of ONNX's schema (`onnx.proto3`) that contain others. Those that only contain numbers and text, or
/// whose contained messages cannot repeat, are leaves: their fields are counted and not looked into.
#[derive(Clone, Copy)]
enum Message {
    Model,
    Training,
    Function,
    Graph,
    Node,
    Attribute,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Leaf,
}

/// The message in field `number` of `message`; `None` for a string, bytes or packed numbers.
fn nested(message: Message, number: u64) -> Option<Message> {
    use Message::*;
    match (message, number) {
        (Model, 7) | (Training, 1 | 2) | (Attribute, 6 | 11) => Some(Graph),
        (Model, 20) => Some(Training),
        (Model, 25) => Some(Function),
        (Graph, 1) | (Function, 7) => Some(Node),
        (Node, 5) | (Function, 11) => Some(Attribute),
        (Graph, 11..=13) | (Function, 12) => Some(ValueInfo),
        (ValueInfo, 2) | (Attribute, 14 | 15) => Some(Type),
        (Type, 1) => Some(TensorType),
        (TensorType, 2) => Some(Shape),
        (Model, 8 | 14) | (Training, 3 | 4) | (Function, 9 | 14) => Some(Leaf),
        (Graph, 5 | 14 | 15 | 16) | (Attribute, 5 | 10 | 22 | 23) | (Shape, 1) => Some(Leaf),
        _ => None,
    }
}

/// Refuses a file that would cost far more memory decoded than it has bytes, and one cut off in the middle.
pub(super) fn check(bytes: &[u8]) -> Result<(), ModelError> {
    let mut fields = 0;
    walk(bytes, Message::Model, 0, &mut fields)
        .map_err(|detail| ModelError::NotOnnx { detail: detail.into() })
}

fn walk(mut bytes: &[u8], message: Message, depth: usize, fields: &mut usize) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("its parts are nested too deeply");
    }
    while !bytes.is_empty() {
        *fields += 1;
        if *fields > MAX_FIELDS {
            return Err("it has more parts than any model needs");
        }
        let tag = varint(&mut bytes)?;
        let length = match tag & 7 {
            0 => {
                varint(&mut bytes)?;
                continue;
            }
            1 => 8,
            2 => varint(&mut bytes)?,
            5 => 4,
            _ => return Err("its framing is damaged"),
        };
        let length = usize::try_from(length).ok().filter(|n| *n <= bytes.len()).ok_or("it ends too early")?;
        let (inside, rest) = bytes.split_at(length);
        bytes = rest;
        if tag & 7 == 2
            && let Some(message) = nested(message, tag >> 3)
        {
            walk(inside, message, depth + 1, fields)?;
        }
    }
    Ok(())
}

fn varint(bytes: &mut &[u8]) -> Result<u64, &'static str> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or("it ends too early")?;
        *bytes = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("its framing is damaged")
}
