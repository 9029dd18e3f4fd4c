//! Networks of which some layers are FP32 and some INT8.

use idiom_engine::Quantization;
use idiom_engine::model::random::{self, Rng};
use idiom_engine::model::{Affine, Model, Values, onnx_write, windowed};
use idiom_engine::rt::net::{Kernel, Network};

/// Every choice of arithmetic for the six layers, as bits.
const CHOICES: std::ops::Range<u32> = 0..64;

fn mixed(choice: u32) -> Model {
    random::mixed(70, |layer| choice >> layer & 1 == 1)
}

/// Small whole numbers.
fn features(frames: usize) -> Vec<f32> {
    let mut rng = Rng(71);
    (0..frames * 40).map(|_| rng.between(0, 8) as f32 - 4.0).collect()
}

#[test]
fn every_mixture_streams_as_it_runs_windowed_bit_for_bit() {
    let frames = 25;
    let features = features(frames);
    for choice in CHOICES {
        let model = mixed(choice);
        model.validate().unwrap_or_else(|e| panic!("mixture {choice:06b}: {e}"));
        let mut layers = Vec::new();
        let reference = windowed::trace(&model, &features, frames, |_, numbers| {
            layers.push(numbers[numbers.len() - numbers.len() / frames..].to_vec());
        });
        let spread = reference.logits.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        assert!(spread > 0.5, "mixture {choice:06b} says nothing: {spread}");
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.available()) {
            let mut network = Network::compile_for(&model, kernel).unwrap();
            let int8 = choice != 0;
            assert_eq!(network.quantization() == Quantization::Int8, int8);
            let mut logits = Vec::new();
            for column in features.chunks_exact(40) {
                network.push(column);
                logits.extend_from_slice(network.logits());
            }
            assert_eq!(logits, reference.logits, "mixture {choice:06b}, {}", kernel.label());
            let off = network.probabilities().iter().zip(&reference.probabilities);
            assert!(off.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) <= 1e-6);
            network.reset();
            network.push(&features[..40]);
            assert_eq!(network.logits(), &reference.logits[..5], "mixture {choice:06b} after a reset");
        }
    }
}

#[test]
fn inspecting_shows_every_layer_of_any_mixture_as_the_next_takes_it() {
    let features = features(20);
    for choice in CHOICES {
        let model = mixed(choice);
        let mut expected = Vec::new();
        windowed::trace(&model, &features, 20, |layer, numbers| {
            let last = &numbers[numbers.len() - numbers.len() / 20..];
            let taken = match model.layers.get(layer + 1).map(|next| &next.values) {
                Some(Values::I8 { input, .. }) => {
                    let round = |v: &f32| windowed::dequantize(windowed::quantize(*v, *input), *input);
                    last.iter().map(round).collect()
                }
                _ => last.to_vec(),
            };
            expected.push(taken);
        });
        let mut network = Network::compile(&model).unwrap();
        features.chunks_exact(40).for_each(|column| {
            network.push(column);
        });
        let mut seen = Vec::new();
        network.inspect(|_, numbers| seen.push(numbers.to_vec()));
        assert_eq!(seen, expected, "mixture {choice:06b}");
    }
}

#[test]
fn every_mixture_is_written_and_read_back() {
    for choice in CHOICES {
        let model = mixed(choice);
        let bytes = onnx_write::write(&model).unwrap();
        assert_eq!(Model::from_onnx(&bytes).unwrap(), model, "mixture {choice:06b}");
    }
}

#[test]
fn eight_bit_neighbours_must_agree_on_what_flows() {
    let mut model = mixed(0b000110);
    model.validate().unwrap();
    let Values::I8 { input, .. } = &mut model.layers[2].values else { panic!("not INT8") };
    *input = Affine { scale: 0.5, ..*input };
    let error = model.validate().unwrap_err().to_string();
    assert!(error.contains("0.5") && error.contains("the layer before gives out 0.25"), "{error}");
}
