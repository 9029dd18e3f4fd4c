//! Frame by frame and window by window the network gives the same.

use idiom_engine::controls::Quantization;
use idiom_engine::model::random::{self, Rng, Shape};
use idiom_engine::model::{InputKind, Model, Values, windowed};
use idiom_engine::rt::net::{Kernel, Network};

/// Largest difference of an FP32 logit between streaming and windowed, relative to the largest logit, and of a
/// probability. The windowed reference adds up in 64 bits, the kernels in 32.
const FP32_TOLERANCE: f32 = 1e-5;

fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| kernel.available())
}

fn features(seed: u64, model: &Model, frames: usize) -> Vec<f32> {
    let mut rng = Rng(seed);
    (0..frames * model.meta.features.rows()).map(|_| 3.0 * rng.signed()).collect()
}

/// All logits, frame by frame, and the last probabilities.
fn stream(network: &mut Network, features: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let mut logits = Vec::new();
    for column in features.chunks_exact(network.input().rows()) {
        network.push(column);
        logits.extend_from_slice(network.logits());
    }
    (logits, network.probabilities().to_vec())
}

/// Largest difference, NaN when anything is NaN.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |m, d| if d <= m { m } else { d })
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

/// A network with a random number of layers of random shapes, as odd as the format allows.
fn odd_model(seed: u64) -> Model {
    let mut rng = Rng(seed);
    let features = InputKind::ALL[rng.between(0, 1)];
    let mut rows = features.rows();
    let mut shapes = Vec::new();
    for _ in 0..rng.between(1, 5) {
        let pads_f = [rng.between(0, 3), rng.between(0, 3)];
        let padded = rows + pads_f[0] + pads_f[1];
        let kernel = [rng.between(1, padded.min(6)), rng.between(1, 4)];
        let stride_f = rng.between(1, 3);
        rows = (padded - kernel[0]) / stride_f + 1;
        shapes.push(Shape {
            outputs: rng.between(1, 70),
            kernel,
            stride_f,
            dilation_t: rng.between(1, 5),
            pads_f,
            depthwise: rng.between(0, 2) == 0,
            relu: rng.between(0, 3) > 0,
        });
    }
    let head = Shape { relu: false, pads_f: [0, 0], ..Shape::conv(rng.between(1, 9), [rows, 1], 1) };
    shapes.push(head);
    let pool_frames = rng.between(1, 60);
    random::model(seed, features, pool_frames, &shapes)
}

fn check_fp32(model: &Model, frames: usize) {
    let features = features(11, model, frames);
    let reference = windowed::run(model, &features, frames);
    for kernel in kernels() {
        let mut network = Network::compile_for(model, kernel).unwrap();
        assert_eq!(network.quantization(), Quantization::Fp32);
        let (logits, probabilities) = stream(&mut network, &features);
        let off = difference(&logits, &reference.logits) / largest(&reference.logits).max(1.0);
        assert!(off <= FP32_TOLERANCE, "{} {}: logits differ by {off}", model.meta.name, kernel.label());
        if frames <= model.meta.pool_frames {
            let off = difference(&probabilities, &reference.probabilities);
            assert!(off <= FP32_TOLERANCE, "{} {}: probabilities by {off}", model.meta.name, kernel.label());
        }
    }
}

fn check_int8(model: &Model, frames: usize) {
    let features = features(12, model, frames);
    let reference = windowed::run(model, &features, frames);
    for kernel in kernels() {
        let mut network = Network::compile_for(model, kernel).unwrap();
        assert_eq!(network.quantization(), Quantization::Int8);
        let (logits, probabilities) = stream(&mut network, &features);
        assert_eq!(logits, reference.logits, "{} {}", model.meta.name, kernel.label());
        if frames <= model.meta.pool_frames {
            let off = difference(&probabilities, &reference.probabilities);
            assert!(off <= 1e-6, "{} {}: probabilities by {off}", model.meta.name, kernel.label());
        }
    }
}

#[test]
fn fp32_streaming_is_windowed_within_rounding() {
    let model = random::flagship(5);
    [1, 7, 100].into_iter().for_each(|frames| check_fp32(&model, frames));
}

#[test]
fn int8_streaming_is_windowed_bit_for_bit() {
    let model = random::quantized(&random::flagship(6));
    [1, 7, 100].into_iter().for_each(|frames| check_int8(&model, frames));
}

#[test]
fn odd_shapes_agree_too() {
    for seed in 0..60 {
        let model = odd_model(seed);
        model.validate().unwrap_or_else(|e| panic!("seed {seed}: {e}"));
        check_fp32(&model, 24);
        check_int8(&random::quantized(&model), 24);
    }
}

/// Full-range 8-bit weights and inputs: the sums that saturate a 16-bit product sum, and outputs at both ends.
#[test]
fn extreme_int8_numbers_agree_bit_for_bit() {
    let mut model = random::quantized(&odd_model(3));
    for (i, layer) in model.layers.iter_mut().enumerate() {
        let Values::I8 { weights, scales, bias, .. } = &mut layer.values else { panic!("not INT8") };
        weights.iter_mut().enumerate().for_each(|(j, w)| *w = if (i + j / 3) % 5 == 0 { -127 } else { 127 });
        scales.iter_mut().for_each(|s| *s *= 0.05);
        bias.iter_mut().enumerate().for_each(|(j, b)| *b = if j % 2 == 0 { 1 << 30 } else { *b });
    }
    model.layers.iter_mut().take(1).for_each(|layer| {
        let Values::I8 { bias, .. } = &mut layer.values else { panic!("not INT8") };
        bias.fill(0);
    });
    model.validate().unwrap();
    check_int8(&model, 30);
}

/// The kernels for weights of which neighbours cannot saturate a 16-bit sum, and for those that include -128.
#[test]
fn narrow_and_full_range_weights_agree_bit_for_bit() {
    for seed in 0..20 {
        let model = random::quantized(&odd_model(seed));
        for (lowest, highest) in [(-64, 64), (-128, 127)] {
            let mut model = model.clone();
            for (i, layer) in model.layers.iter_mut().enumerate() {
                let Values::I8 { weights, scales, .. } = &mut layer.values else { panic!("not INT8") };
                let ends = |(j, w): (usize, &mut i8)| {
                    *w = if (i + j / 2) % 3 == 0 { lowest } else { highest };
                };
                weights.iter_mut().enumerate().for_each(ends);
                scales.iter_mut().for_each(|s| *s *= 0.2);
            }
            model.validate().unwrap();
            check_int8(&model, 12);
        }
    }
}

#[test]
fn a_long_stream_forgets_what_lies_beyond_the_average() {
    let mut model = random::flagship(7);
    model.meta.pool_frames = 20;
    let reach = model.receptive_field() + 20;
    let long = features(13, &model, 3 * reach);
    for model in [model.clone(), random::quantized(&model)] {
        let mut network = Network::compile(&model).unwrap();
        let (_, after_all) = stream(&mut network, &long);
        // Another past, then the same last frames.
        network.reset();
        stream(&mut network, &features(14, &model, 50));
        let (_, after_other) = stream(&mut network, &long[long.len() - reach * 40..]);
        assert_eq!(after_all, after_other, "{:?}", network.quantization());
    }
}

#[test]
fn reset_is_a_new_beginning() {
    for model in [random::flagship(8), random::quantized(&random::flagship(8))] {
        let features = features(15, &model, 40);
        let mut network = Network::compile(&model).unwrap();
        let uniform = network.probabilities().to_vec();
        let fresh = stream(&mut network, &features);
        assert_ne!(fresh.1, uniform);
        network.reset();
        assert_eq!(network.probabilities(), uniform);
        assert_eq!(stream(&mut network, &features), fresh);
        // A clone goes its own way.
        let mut clone = network.clone();
        clone.reset();
        network.push(&features[..40]);
        assert_eq!(stream(&mut clone, &features), fresh);
    }
}

#[test]
fn columns_that_are_no_numbers_count_as_silence() {
    for model in [random::flagship(9), random::quantized(&random::flagship(9))] {
        let usual = features(16, &model, 30);
        let mut network = Network::compile(&model).unwrap();
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 1e30] {
            network.reset();
            let mut column = usual[..40].to_vec();
            column[17] = bad;
            network.push(&column);
            let heard = stream(&mut network, &usual);
            assert!(heard.0.iter().chain(&heard.1).all(|v| v.is_finite()));
            network.reset();
            network.push(&[-4.0; 40]);
            assert_eq!(stream(&mut network, &usual), heard, "{bad}");
        }
        network.reset();
        network.push(&[]);
        let short = network.logits().to_vec();
        network.reset();
        network.push(&[-4.0; 40]);
        assert_eq!(network.logits(), short, "a missing column is silence");
    }
}

/// Weights that are finite but drive what flows through beyond every number.
#[test]
fn a_network_that_overflows_gives_probabilities_and_recovers() {
    let mut model = random::flagship(10);
    for layer in &mut model.layers {
        let Values::F32 { weights, .. } = &mut layer.values else { panic!("not FP32") };
        weights.iter_mut().for_each(|w| *w *= 1e5);
    }
    for kernel in kernels() {
        let mut network = Network::compile_for(&model, kernel).unwrap();
        let loud = features(17, &model, 10);
        stream(&mut network, &loud);
        for _ in 0..model.receptive_field() + model.meta.pool_frames {
            let p = network.push(&[0.0; 40]);
            assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{p:?}");
            assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
        let mut fresh = Network::compile_for(&model, kernel).unwrap();
        (0..model.receptive_field() + model.meta.pool_frames).for_each(|_| {
            fresh.push(&[0.0; 40]);
        });
        assert_eq!(network.probabilities(), fresh.probabilities(), "{}", kernel.label());
    }
}

#[test]
fn only_instructions_of_this_processor_are_compiled_for() {
    let model = random::flagship(1);
    assert!(Kernel::detect().available());
    assert_eq!(Network::compile(&model).unwrap().kernel(), Kernel::detect());
    for kernel in Kernel::ALL.into_iter().filter(|kernel| !kernel.available()) {
        let error = Network::compile_for(&model, kernel).unwrap_err().to_string();
        assert!(error.contains(kernel.label()), "{error}");
    }
}

#[test]
fn inspecting_shows_every_layer_of_the_last_frame() {
    let model = random::flagship(18);
    let frames = 30;
    let features = features(18, &model, frames);
    let mut expected = Vec::new();
    windowed::trace(&model, &features, frames, |_, numbers| {
        expected.push(numbers[numbers.len() - numbers.len() / frames..].to_vec());
    });
    let mut network = Network::compile(&model).unwrap();
    stream(&mut network, &features);
    let mut seen = Vec::new();
    network.inspect(|layer, numbers| {
        assert_eq!(layer, seen.len());
        seen.push(numbers.to_vec());
    });
    assert_eq!(seen.len(), model.layers.len());
    for (layer, (ours, theirs)) in seen.iter().zip(&expected).enumerate() {
        let off = difference(ours, theirs) / largest(theirs).max(1.0);
        assert!(off <= FP32_TOLERANCE, "layer {layer}: {off}");
    }
}

#[test]
fn streams_side_by_side_are_the_streams_alone() {
    let fp32 = random::flagship(61);
    let int8 = random::quantized(&fp32);
    let mixed = random::mixed(62, |layer| layer % 3 == 0);
    for model in [&fp32, &int8, &mixed] {
        for kernel in kernels() {
            let network = Network::compile_for(model, kernel).expect("a valid model");
            let rows = network.input().rows();
            let sounds: Vec<Vec<f32>> = (0..13).map(|seed| features(seed, model, 24)).collect();
            for count in [1, 2, 5, 6, 7, 13] {
                let mut alone = vec![network.clone(); count];
                // Streams that came at different times.
                for (k, alone) in alone.iter_mut().enumerate() {
                    sounds[k].chunks_exact(rows).take(k % 4).for_each(|column| {
                        alone.push(column);
                    });
                }
                let mut together = alone.clone();
                for frame in 0..24 {
                    let columns: Vec<&[f32]> =
                        sounds.iter().map(|sound| &sound[frame * rows..(frame + 1) * rows]).collect();
                    Network::push_side_by_side(&mut together, &columns);
                    for ((alone, column), together) in alone.iter_mut().zip(&columns).zip(&together) {
                        let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                        alone.push(column);
                        assert_eq!(
                            bits(alone.logits()),
                            bits(together.logits()),
                            "{} {frame}",
                            kernel.label()
                        );
                        assert_eq!(alone.probabilities(), together.probabilities());
                    }
                }
            }
            let (mut alone, mut together) = (vec![network.clone(); 5], vec![network; 5]);
            // A stream that has no column waits.
            let before = together[4].probabilities().to_vec();
            Network::push_side_by_side(&mut together, &[&sounds[0][..rows]]);
            assert_eq!(together[4].probabilities(), before);
            assert_eq!(together[0].probabilities(), alone[0].push(&sounds[0][..rows]));
        }
    }
}
