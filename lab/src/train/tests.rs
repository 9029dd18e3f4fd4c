//! Training as a whole: gradients, learning, resuming, export.

use super::config::{Config, FLAGSHIP, LayerConfig};
use super::kernels::{self, ConvShape};
use super::net::{Chain, Net};
use super::sounds::{Library, Sound};
use super::trainer::{Task, train};
use super::{ops, validate};
use crate::synth::nothing::normal;
use burn::tensor::{Tensor, TensorData};
use idiom_engine::model::{InputKind, Model, windowed};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn random(count: usize, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| normal(&mut random)).collect()
}

/// Shapes of every path through the kernels.
fn shapes() -> Vec<ConvShape> {
    let base = ConvShape {
        items: 2,
        frames: 9,
        rows_in: 7,
        rows_out: 7,
        inputs: 3,
        outputs: 4,
        kernel_f: 1,
        kernel_t: 1,
        stride_f: 1,
        dilation_t: 1,
        pad_f: 0,
        depthwise: false,
    };
    vec![
        base,
        ConvShape { kernel_f: 7, rows_out: 1, ..base },
        ConvShape { kernel_f: 3, kernel_t: 3, dilation_t: 2, pad_f: 1, ..base },
        ConvShape { kernel_f: 5, kernel_t: 2, stride_f: 2, rows_out: 4, pad_f: 2, ..base },
        ConvShape {
            kernel_f: 3,
            kernel_t: 3,
            outputs: 3,
            stride_f: 2,
            rows_out: 4,
            pad_f: 1,
            depthwise: true,
            ..base
        },
        ConvShape { kernel_t: 5, dilation_t: 2, outputs: 3, depthwise: true, ..base },
    ]
}

/// The convolution by its definition.
fn by_definition(s: &ConvShape, x: &[f32], w: &[f32]) -> Vec<f32> {
    let mut y = Vec::new();
    for item in 0..s.items {
        for t in 0..s.frames {
            for row in 0..s.rows_out {
                for o in 0..s.outputs {
                    let mut sum = 0.0;
                    for kt in 0..s.kernel_t {
                        for kf in 0..s.kernel_f {
                            for i in if s.depthwise { o..o + 1 } else { 0..s.inputs } {
                                let from_t = t as isize - ((s.kernel_t - 1 - kt) * s.dilation_t) as isize;
                                let from_f = (row * s.stride_f + kf) as isize - s.pad_f as isize;
                                if from_t < 0 || from_f < 0 || from_f >= s.rows_in as isize {
                                    continue;
                                }
                                let at = (item * s.frames + from_t as usize) * s.rows_in + from_f as usize;
                                let tap = kt * s.kernel_f + kf;
                                let weight = if s.depthwise {
                                    tap * s.inputs + i
                                } else {
                                    (tap * s.inputs + i) * s.outputs + o
                                };
                                sum += x[at * s.inputs + i] * w[weight];
                            }
                        }
                    }
                    y.push(sum);
                }
            }
        }
    }
    y
}

#[test]
fn convolutions_are_what_their_definition_says() {
    for s in shapes() {
        let (x, w) = (random(s.input_len(), 1), random(s.weight_len(), 2));
        let (fast, slow) = (kernels::conv_forward(&s, &x, &w), by_definition(&s, &x, &w));
        assert_eq!(fast.len(), slow.len(), "{s:?}");
        for (a, b) in fast.iter().zip(&slow) {
            assert!((a - b).abs() < 1e-4, "{s:?}: {a} {b}");
        }
    }
}

/// Compares an analytic gradient with the slope of `loss` at a few places.
fn check_gradient(name: &str, at: &[f32], gradient: &[f32], loss: impl Fn(&[f32]) -> f64) {
    let step = 1e-2f32;
    for i in (0..at.len()).step_by((at.len() / 23).max(1)) {
        let moved = |by: f32| {
            let mut at = at.to_vec();
            at[i] += by;
            loss(&at)
        };
        let slope = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
        let given = f64::from(gradient[i]);
        assert!((slope - given).abs() < 2e-2 * (1.0 + slope.abs()), "{name}[{i}]: {given}, slope {slope}");
    }
}

#[test]
fn gradients_of_convolutions_are_slopes() {
    for s in shapes() {
        let (x, w, dy) = (random(s.input_len(), 1), random(s.weight_len(), 2), random(s.output_len(), 3));
        let loss = |x: &[f32], w: &[f32]| -> f64 {
            let y = kernels::conv_forward(&s, x, w);
            y.iter().zip(&dy).map(|(a, b)| f64::from(a * b)).sum()
        };
        let (dx, dw) = kernels::conv_backward(&s, &x, &w, &dy, true);
        check_gradient("x", &x, &dx.unwrap(), |x| loss(x, &w));
        check_gradient("w", &w, &dw, |w| loss(&x, w));
        assert_eq!(kernels::conv_backward(&s, &x, &w, &dy, false), (None, dw));
    }
}

#[test]
fn gradients_of_normalisation_are_slopes() {
    let channels = 5;
    let (x, gamma, beta) = (random(40 * channels, 1), random(channels, 2), random(channels, 3));
    let mut dy = random(x.len(), 4);
    // At the ReLU's corner there is no slope to compare with.
    let (scale, offset) = kernels::affine(&kernels::moments(&x, channels), &gamma, &beta);
    for (i, dy) in dy.iter_mut().enumerate() {
        let c = i % channels;
        if (scale[c] * x[i] + offset[c]).abs() < 0.1 {
            *dy = 0.0;
        }
    }
    let loss = |x: &[f32], gamma: &[f32], beta: &[f32]| -> f64 {
        let (scale, offset) = kernels::affine(&kernels::moments(x, channels), gamma, beta);
        let y = kernels::scale_relu(x, &scale, &offset);
        y.iter().zip(&dy).map(|(a, b)| f64::from(a * b)).sum()
    };
    let moments = kernels::moments(&x, channels);
    let (dx, dgamma, dbeta) = kernels::norm_relu_backward(&x, &moments, &gamma, &beta, &dy);
    check_gradient("x", &x, &dx, |x| loss(x, &gamma, &beta));
    check_gradient("gamma", &gamma, &dgamma, |gamma| loss(&x, gamma, &beta));
    check_gradient("beta", &beta, &dbeta, |beta| loss(&x, &gamma, beta));
}

#[test]
fn burn_carries_gradients_through_both_operations() {
    let s = shapes()[2];
    let device = ops::device();
    let tensor =
        |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device);
    let (x, w) = (random(s.input_len(), 1), random(s.weight_len(), 2));
    let (gamma, beta, dy) = (random(4, 3), random(4, 4), random(s.output_len(), 5));
    let [wt, gt, bt] = [&w, &gamma, &beta].map(|v| tensor(v).require_grad());
    let xt = tensor(&x).reshape([2, 9, 7, 3]);
    let (y, moments) = ops::norm_relu(ops::conv(s, xt, wt.clone()), gt.clone(), bt.clone());
    let grads = (y.reshape([dy.len()]) * tensor(&dy)).sum().backward();
    let through = kernels::conv_forward(&s, &x, &w);
    let (dconv, dgamma, dbeta) = kernels::norm_relu_backward(&through, &moments, &gamma, &beta, &dy);
    let (_, dw) = kernels::conv_backward(&s, &x, &w, &dconv, false);
    for (tensor, expected) in [(wt, dw), (gt, dgamma), (bt, dbeta)] {
        let found = tensor.grad(&grads).unwrap().into_data().try_to_vec::<f32>().unwrap();
        assert_eq!(found, expected);
    }
}

/// A small network, three classes of artificial sounds and a short training.
fn small() -> (Config, Chain, Library) {
    let mut config = Config::parse(FLAGSHIP).unwrap();
    let layer = |outputs: Option<usize>, kernel: [usize; 2], stride: usize, pad: Option<usize>| LayerConfig {
        outputs,
        kernel,
        stride,
        dilation: 1,
        pad,
    };
    config.model.layers = vec![
        layer(Some(6), [5, 3], 4, None),
        layer(None, [3, 3], 2, None),
        layer(Some(8), [5, 1], 1, Some(0)),
        layer(None, [1, 3], 1, None),
        layer(Some(8), [1, 1], 1, None),
    ];
    let t = &mut config.train;
    (t.steps, t.batch, t.frames, t.warm_up, t.validate_every) = (60, 12, 60, 5, 20);
    (t.average, t.learning_rate, t.shortest_segment) = (0.9, 0.02, 20);
    (config.mix.nothing, config.mix.hints) = (0.0, 0.5);
    let classes = ["low", "high", "pulse"].map(String::from);
    let chain = Chain::new(&config.model, InputKind::LogMel40, &classes, 1).unwrap();
    let sound = |index: usize| {
        let class = index % 3;
        let mut noise = ChaCha8Rng::seed_from_u64(index as u64);
        let mut columns = Vec::new();
        for t in 0..150 {
            for row in 0..40 {
                let is = match class {
                    0 => row < 15,
                    1 => row > 25,
                    _ => t % 10 < 3,
                };
                columns.push(if is { 0.8 } else { -0.4 } + 0.5 * normal(&mut noise));
            }
        }
        // The teacher hears a beat where there is one.
        let hints = vec![vec![if class == 2 { 1.5 } else { -0.5 }]];
        Sound { columns, label: Some((class, 1.0)), share: 1.0, hints, ..Sound::default() }
    };
    let library = Library { labelled: (0..24).map(sound).collect(), unlabelled: Vec::new() };
    (config, chain, library)
}

fn task<'a>(config: &'a Config, chain: &Chain, library: &'a Library) -> Task<'a> {
    Task {
        config,
        chain: chain.clone(),
        library,
        nothing: &[],
        train: (0..12).collect(),
        validation: (12..24).collect(),
        early_stopping: false,
        so_far: None,
        name: "test".into(),
    }
}

#[test]
fn a_small_network_learns_and_exports_what_it_learned() {
    let (config, chain, library) = small();
    let (net, curve) = train(&task(&config, &chain, &library), None).unwrap();
    assert!(curve[2].loss < 0.7 * curve[0].loss, "{curve:?}");
    let heard = validate::listen(&net, library.labelled[12..].iter());
    let scores = validate::score(&heard, 3);
    assert!(scores.balanced_accuracy_clip > 0.8, "{scores:?}");
    // So it does with what it learned besides the classes, which the file leaves out. All sounds are heard in one batch,
    // whose moments normalise them.
    let all = library.labelled[12..].iter().flat_map(|sound| sound.columns.clone()).collect();
    let (outputs, _) = net.train(&net.tensors(), all, 12, 150, None);
    let outputs = outputs.narrow(2, 3, 1).into_data().try_to_vec::<f32>().unwrap();
    let mean = |of: fn(usize) -> bool| {
        let said: Vec<f32> =
            outputs.chunks(150).zip(0..).filter(|&(_, i)| of(i % 3)).flat_map(|x| x.0).copied().collect();
        said.iter().sum::<f32>() / said.len() as f32
    };
    let (beat, none) = (mean(|class| class == 2), mean(|class| class != 2));
    assert!(beat - none > 1.0, "{beat} {none}, where 1.5 and -0.5 were taught");

    // The file says what the trained network says, with normalisation folded and logits divided by the temperature.
    let model = net.export(2.0);
    let bytes = idiom_engine::model::onnx_write::write(&model).unwrap();
    let read = Model::from_onnx(&bytes).unwrap();
    let columns = &library.labelled[13].columns;
    let played = windowed::run(&read, columns, 150).logits;
    for (logit, found) in net.infer(columns).iter().zip(played) {
        assert!((logit / 2.0 - found).abs() < 1e-4, "{logit} {found}");
    }
}

#[test]
fn a_run_that_was_killed_goes_on_to_the_same_weights() {
    let (config, chain, library) = small();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.bin");
    let whole = train(&task(&config, &chain, &library), None).unwrap();
    // A run of which only the first 20 of its 60 steps are in the checkpoint.
    let full = train(&task(&config, &chain, &library), Some(&path)).unwrap();
    assert_eq!(whole, full, "training is reproducible");
    let stopped = {
        let mut task = task(&config, &chain, &library);
        task.name = "stopped".into();
        let path = folder.path().join("stopped.bin");
        super::trainer::train_until(&task, Some(&path), 20).unwrap();
        train(&task, Some(&path)).unwrap()
    };
    assert_eq!(whole.0, stopped.0);
    assert_eq!(whole.1, stopped.1);
    // Damage and another run's file are refused.
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    let message = format!("{:#}", train(&task(&config, &chain, &library), Some(&path)).unwrap_err());
    assert!(message.contains("cut short"), "{message}");
    std::fs::write(&path, &bytes).unwrap();
    let mut other = task(&config, &chain, &library);
    other.name = "other".into();
    let message = format!("{:#}", train(&other, Some(&path)).unwrap_err());
    assert!(message.contains("another configuration"), "{message}");
}

#[test]
fn folding_the_normalisation_changes_nothing() {
    let (config, chain, _) = small();
    let mut net = Net::new(chain, config.train.seed);
    for (i, moments) in net.moments.iter_mut().enumerate() {
        moments.mean = random(moments.mean.len(), i as u64);
        moments.variance = random(moments.mean.len(), 9 + i as u64).iter().map(|x| x * x + 0.1).collect();
    }
    let columns = random(40 * 30, 5);
    let folded = net.export(1.0);
    // Weights and one bias an output: gamma and beta became the bias, and the hint's weights stay behind.
    let gammas: usize = net.moments.iter().map(|m| m.mean.len()).sum();
    let hint = net.moments.last().unwrap().mean.len() + 1;
    assert_eq!(folded.parameters(), net.parameter_count() - gammas - hint);
    for (a, b) in net.infer(&columns).iter().zip(windowed::run(&folded, &columns, 30).logits) {
        assert!((a - b).abs() < 1e-4 * (1.0 + a.abs()), "{a} {b}");
    }
}

#[test]
fn the_flagship_stays_within_its_size() {
    let config = Config::parse(FLAGSHIP).unwrap();
    let chain = Chain::new(&config.model, InputKind::LogMel40, &crate::dataset::genre_names(), 0).unwrap();
    let model = Net::new(chain, 1).export(1.0);
    model.validate().unwrap();
    assert!(model.parameters() <= 250_000, "{}", model.parameters());
    assert!(model.macs_per_frame() <= 250_000, "{}", model.macs_per_frame());
}
