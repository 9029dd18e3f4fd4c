//! A TFLite file that is wrong gets an error that says what is wrong; a damaged one never makes the reader panic.

use super::flatbuffer::{Table, root};
use super::random::{self, Rng};
use super::tflite_schema::{Conv, Op, OpCode, Quantized, Root, SubGraph, Tensor};
use super::{Entries, Model, half, tflite, tflite_write};
use crate::rt::net::Network;

fn file(model: &Model) -> Vec<u8> {
    tflite_write::write(model).expect("a valid model")
}

fn read(bytes: &[u8]) -> Result<Model, String> {
    tflite::read(bytes, &Entries::new()).map_err(|error| error.to_string())
}

#[test]
fn what_was_written_is_read_back() {
    let mixed = random::mixed(22, |layer| layer % 2 == 0);
    for model in
        [random::small(), random::quantized(&random::small()), half::round(&random::small()).unwrap(), mixed]
    {
        let bytes = file(&model);
        assert_eq!(read(&bytes).unwrap(), model);
        assert_eq!(file(&model), bytes, "the same model, the same bytes");
        assert_eq!(tflite::read_meta(&bytes, &Entries::new()).unwrap(), model.meta);
    }
}

#[test]
fn a_sidecar_overrides_what_the_file_says() {
    let classes = ("idiom.classes".to_string(), "a,b,c,d,e".to_string());
    let model = tflite::read(&file(&random::small()), &Entries::from([classes])).unwrap();
    assert_eq!(model.meta.classes, ["a", "b", "c", "d", "e"]);
}

/// The graph's operator that is number `op` of its kind, in the order of the file.
fn operators(bytes: &[u8]) -> Vec<Table<'_>> {
    let graph = root(bytes).unwrap().tables(Root::SUBGRAPHS).unwrap()[0];
    graph.tables(SubGraph::OPERATORS).unwrap()
}

fn tensors(bytes: &[u8]) -> Vec<Table<'_>> {
    let graph = root(bytes).unwrap().tables(Root::SUBGRAPHS).unwrap()[0];
    graph.tables(SubGraph::TENSORS).unwrap()
}

/// Operator 1 of the small network is its first convolution (0 is its padding).
fn conv(bytes: &[u8]) -> Table<'_> {
    operators(bytes)[1]
}

/// Each damage, and words that the error must have.
#[test]
fn every_wrong_file_is_refused_with_the_place_and_the_reason() {
    let whole = file(&random::small());
    let bytes = whole.as_slice();
    let file = root(bytes).unwrap();
    let option = |slot| conv(bytes).table(Op::OPTIONS).unwrap().unwrap().place(slot);
    let code = |index: usize, slot| file.tables(Root::CODES).unwrap()[index].place(slot);
    // Tensor 1 holds the first padding, 3 the first weight.
    let [features, pads, _, weight] = tensors(bytes)[..4] else { panic!("tensors") };
    let pads_buffer = file.tables(Root::BUFFERS).unwrap()[pads.u32(Tensor::BUFFER).unwrap() as usize];
    let pads = |index: usize| pads_buffer.first(0) + 4 * index;
    let cases: Vec<(usize, i64, usize, &[&str])> = vec![
        (4, 0, 4, &["not a whole TFLite file"]),
        (file.place(Root::VERSION), 4, 4, &["version 3"]),
        (option(Conv::PADDING), 0, 1, &["CONV_2D", "SAME"]),
        (option(Conv::STRIDE_H), 2, 4, &["stride 1 in time"]),
        (option(Conv::STRIDE_W), 0, 4, &["conv0", "stride"]),
        (option(Conv::STRIDE_W), -1, 4, &["stride of -1"]),
        (option(Conv::DILATION_H), i64::from(i32::MAX), 4, &["causal"]),
        (option(Conv::DILATION_W), 2, 4, &["dilation 1"]),
        (option(Conv::ACTIVATION), 3, 1, &["activation 3"]),
        (code(1, OpCode::CODE), 128, 4, &["executor does not run", "CUMSUM"]),
        (code(0, OpCode::CODE), 9999, 4, &["operator 9999"]),
        (code(0, OpCode::DEPRECATED), 60, 1, &["PADV2"]),
        (features.first(Tensor::SHAPE) + 8, 41, 4, &["features", "[1, time, 40, 1]"]),
        (weight.place(Tensor::TYPE), 7, 1, &["conv0_weight", "INT16"]),
        (weight.place(Tensor::TYPE), 9, 1, &["conv0_weight", "bytes"]),
        (weight.first(Tensor::SHAPE), i64::from(i32::MAX), 4, &["conv0_weight", "numbers"]),
        (weight.first(Tensor::SHAPE), -1, 4, &["conv0_weight", "-1"]),
        (weight.first(Tensor::SHAPE), 7, 4, &["conv0_weight", "dimensions"]),
        (weight.place(Tensor::BUFFER), 0, 4, &["weight", "stored in the file"]),
        (weight.place(Tensor::BUFFER), 1 << 30, 4, &["weight", "stored in the file"]),
        (conv(bytes).first(Op::INPUTS) + 4, 1 << 30, 4, &["tensor that it does not have"]),
        (pads(2), 1, 4, &["padded in time", "causal"]),
        (pads(3), 1, 4, &["padded in time"]),
        (pads(4), 5000, 4, &["padded"]),
        (pads(7), 1, 4, &["PAD", "time and rows"]),
        (pads(0), -1, 4, &["PAD", "time and rows"]),
    ];
    for (i, (at, value, size, words)) in cases.into_iter().enumerate() {
        let mut changed = whole.clone();
        changed[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
        let error = read(&changed).expect_err(&format!("case {i} {words:?}"));
        for word in words {
            assert!(error.contains(word), "case {i}: `{word}` is not in `{error}`");
        }
    }
}

#[test]
fn int8_needs_whole_quantization() {
    let whole = file(&random::quantized(&random::small()));
    let quantization = |index: usize| tensors(&whole)[index].table(Tensor::QUANTIZATION).unwrap().unwrap();
    let named =
        |name: &str| tensors(&whole).iter().position(|t| t.text(Tensor::NAME).unwrap() == name).unwrap();
    let [weight, bias, last] = ["conv0_weight", "conv0_bias", "conv3_output"].map(named);
    let cases: [(usize, &[u8], &str); 6] = [
        (quantization(last).first(Quantized::SCALE), &f32::NAN.to_le_bytes(), "scale of NaN"),
        (quantization(1).first(Quantized::SCALE), &1f32.to_le_bytes(), "quantized otherwise"),
        (quantization(1).first(Quantized::ZERO_POINT), &300i64.to_le_bytes(), "8 bits"),
        (quantization(weight).first(Quantized::ZERO_POINT), &1i64.to_le_bytes(), "zero point of a weight"),
        (quantization(weight).place(Quantized::AXIS), &2i32.to_le_bytes(), "one an output channel"),
        (quantization(bias).first(Quantized::SCALE), &9f32.to_le_bytes(), "input scale x weight scale"),
    ];
    for (at, bytes, word) in cases {
        let mut changed = whole.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        let error = read(&changed).expect_err(word);
        assert!(error.contains(word), "`{word}` is not in `{error}`");
    }
}

/// Cut off anywhere, with any bits flipped or any word replaced by a huge one, a file is refused or is still a whole network
/// that plays.
#[test]
fn damaged_files_never_panic() {
    let mut rng = Rng(11);
    let mut refused = 0;
    for bytes in [
        file(&random::small()),
        file(&random::quantized(&random::small())),
        file(&half::round(&random::small()).unwrap()),
    ] {
        // The very last byte only ends a text.
        for length in (0..bytes.len() - 1).step_by(61).chain(0..200) {
            assert!(read(&bytes[..length]).is_err(), "the first {length} bytes");
        }
        for round in 0..4000 {
            let mut damaged = bytes.clone();
            for _ in 0..=round % 3 {
                if round % 2 == 0 {
                    let bit = rng.between(0, 8 * bytes.len() - 1);
                    damaged[bit / 8] ^= 1 << (bit % 8);
                } else {
                    // Offsets, counts and sizes are whole words.
                    let at = 4 * rng.between(0, bytes.len() / 4 - 1);
                    let words = [0u32, 1, 0x7FFF_FFFF, 0x8000_0000, u32::MAX, bytes.len() as u32, 1 << 20];
                    damaged[at..at + 4].copy_from_slice(&words[rng.between(0, 6)].to_le_bytes());
                }
            }
            match read(&damaged) {
                Err(_) => refused += 1,
                Ok(model) => {
                    let mut network = Network::compile(&model).expect("what was read is valid");
                    let p = network.push(&vec![1.0; network.input().rows()]);
                    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{p:?}");
                }
            }
        }
    }
    assert!(refused > 1000, "{refused} were refused: the damage hit the framing");
}
