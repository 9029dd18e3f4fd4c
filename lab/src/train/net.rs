//! The trainable network: the chain of `docs/MODEL_FORMAT.md` with batch normalisation between the layers.

use super::config::ModelConfig;
use super::kernels::{self, ConvShape, Moments};
use super::ops;
use crate::synth::nothing::normal;
use anyhow::{Result, ensure};
use burn::tensor::{Tensor, TensorData};
use idiom_engine::model::{InputKind, Layer, Model, ModelMeta, Values};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// One group of numbers that is learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// The numbers.
    pub values: Vec<f32>,
    /// Whether weight decay pulls at them.
    pub decays: bool,
}

/// The chain's geometry.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// Shapes for one item of one frame; the last leads to the logits.
    layers: Vec<ConvShape>,
    /// What the model says about itself.
    meta: ModelMeta,
    /// Further outputs of the last layer, learned beside the logits and left out of the exported model.
    hints: usize,
}

/// A network: its geometry, its parameters and the moments that normalise it when it is not training.
///
/// Parameters come as weights, gamma, beta for each layer but the last, then weights and bias of the last.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// Geometry.
    pub chain: Chain,
    /// What is learned.
    pub parameters: Vec<Parameter>,
    /// Moments of each layer's output, for every layer but the last.
    pub moments: Vec<Moments>,
}

impl Chain {
    /// The chain that a configuration describes, with one output a class, and `hints` more while it is trained.
    pub fn new(config: &ModelConfig, input: InputKind, classes: &[String], hints: usize) -> Result<Chain> {
        let (mut rows, mut channels) = (input.rows(), 1);
        let mut layers = Vec::new();
        let last = super::config::LayerConfig {
            outputs: Some(classes.len() + hints),
            kernel: [1, 1],
            stride: 1,
            dilation: 1,
            pad: None,
        };
        for (i, layer) in config.layers.iter().chain([&last]).enumerate() {
            let [kernel_f, kernel_t] = layer.kernel;
            let pad_f = layer.pad.unwrap_or((kernel_f.max(1) - 1) / 2);
            ensure!(
                kernel_f > 0 && kernel_t > 0 && layer.stride > 0 && layer.dilation > 0,
                "model.layers[{i}]: kernel, stride and dilation must not be 0"
            );
            ensure!(
                rows + 2 * pad_f >= kernel_f,
                "model.layers[{i}]: a kernel of {kernel_f} rows does not fit {rows} rows"
            );
            let shape = ConvShape {
                items: 1,
                frames: 1,
                rows_in: rows,
                rows_out: (rows + 2 * pad_f - kernel_f) / layer.stride + 1,
                inputs: channels,
                outputs: layer.outputs.unwrap_or(channels),
                kernel_f,
                kernel_t,
                stride_f: layer.stride,
                dilation_t: layer.dilation,
                pad_f,
                depthwise: layer.outputs.is_none(),
            };
            (rows, channels) = (shape.rows_out, shape.outputs);
            layers.push(shape);
        }
        ensure!(
            rows == 1,
            "model.layers: {rows} feature rows are left at the end; a layer over all rows must make it 1"
        );
        let meta = ModelMeta {
            name: config.name.clone(),
            version: config.version.clone(),
            features: input,
            classes: classes.to_vec(),
            pool_frames: config.pool_frames,
        };
        Ok(Chain { layers, meta, hints })
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.meta.classes.len()
    }

    /// Number of outputs that stand beside the logits while it is trained.
    pub fn hints(&self) -> usize {
        self.hints
    }

    /// Numbers a frame that go in.
    pub fn rows(&self) -> usize {
        self.meta.features.rows()
    }

    fn shapes(&self, items: usize, frames: usize) -> impl Iterator<Item = ConvShape> {
        self.layers.iter().map(move |layer| ConvShape { items, frames, ..*layer })
    }
}

impl Net {
    /// A network with random weights (He et al. 2015).
    pub fn new(chain: Chain, seed: u64) -> Net {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut parameters = Vec::new();
        let last = chain.layers.len() - 1;
        for (i, layer) in chain.layers.iter().enumerate() {
            let taps = layer.kernel_f * layer.kernel_t * if layer.depthwise { 1 } else { layer.inputs };
            let spread = (if i == last { 1.0 } else { 2.0 } / taps as f32).sqrt();
            let weights = (0..layer.weight_len()).map(|_| spread * normal(&mut random)).collect();
            parameters.push(Parameter { values: weights, decays: true });
            if i < last {
                parameters.push(Parameter { values: vec![1.0; layer.outputs], decays: false });
            }
            parameters.push(Parameter { values: vec![0.0; layer.outputs], decays: false });
        }
        let moments = chain.layers[..last]
            .iter()
            .map(|layer| Moments { mean: vec![0.0; layer.outputs], variance: vec![1.0; layer.outputs] })
            .collect();
        Net { chain, parameters, moments }
    }

    /// Numbers that are learned.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().map(|p| p.values.len()).sum()
    }

    /// The parameters as tensors that record gradients.
    pub fn tensors(&self) -> Vec<Tensor<1>> {
        let device = ops::device();
        let tensor = |p: &Parameter| {
            let data = TensorData::new(p.values.clone(), [p.values.len()]);
            Tensor::<1>::from_data(data, &device).require_grad()
        };
        self.parameters.iter().map(tensor).collect()
    }

    /// Logits, and hints after them, `[items, frames, classes + hints]` of `x`, `[items][frames][rows]`, in training
    /// mode, and each layer's moments.
    /// `keep` scales the channels before the last layer, `[items][channels]`: 0 drops one.
    pub fn train(
        &self,
        tensors: &[Tensor<1>],
        x: Vec<f32>,
        items: usize,
        frames: usize,
        keep: Option<Vec<f32>>,
    ) -> (Tensor<3>, Vec<Moments>) {
        let device = ops::device();
        let rows = self.chain.rows();
        let mut x = Tensor::<4>::from_data(TensorData::new(x, [items, frames, rows, 1]), &device);
        let mut moments = Vec::new();
        let last = self.chain.layers.len() - 1;
        for (i, shape) in self.chain.shapes(items, frames).enumerate() {
            let p = &tensors[3 * i..];
            if i == last {
                if let Some(keep) = &keep {
                    let data = TensorData::new(keep.clone(), [items, 1, 1, shape.inputs]);
                    x = x * Tensor::<4>::from_data(data, &device);
                }
                let bias = p[1].clone().reshape([1, 1, 1, shape.outputs]);
                x = ops::conv(shape, x, p[0].clone()) + bias;
            } else {
                let (y, batch) =
                    ops::norm_relu(ops::conv(shape, x, p[0].clone()), p[1].clone(), p[2].clone());
                moments.push(batch);
                x = y;
            }
        }
        (x.reshape([items, frames, self.chain.classes() + self.chain.hints]), moments)
    }

    /// Logits `[frames][classes]` of one sound, `[frames][rows]`, in playing mode.
    pub fn infer(&self, x: &[f32]) -> Vec<f32> {
        let frames = x.len() / self.chain.rows();
        let mut x = x.to_vec();
        let last = self.chain.layers.len() - 1;
        for (i, shape) in self.chain.shapes(1, frames).enumerate() {
            let p = &self.parameters[3 * i..];
            x = kernels::conv_forward(&shape, &x, &p[0].values);
            if i == last {
                x.chunks_exact_mut(shape.outputs)
                    .for_each(|logits| logits.iter_mut().zip(&p[1].values).for_each(|(x, b)| *x += b));
            } else {
                let (scale, offset) = kernels::affine(&self.moments[i], &p[1].values, &p[2].values);
                x = kernels::scale_relu(&x, &scale, &offset);
            }
        }
        let classes = self.chain.classes();
        x.chunks_exact(classes + self.chain.hints).flat_map(|frame| &frame[..classes]).copied().collect()
    }

    /// The network as the engine plays it: normalisation folded into the convolutions, logits divided by
    /// `temperature`.
    pub fn export(&self, temperature: f32) -> Model {
        let last = self.chain.layers.len() - 1;
        let layer = |(i, shape): (usize, &ConvShape)| {
            let p = &self.parameters[3 * i..];
            let outputs = if i == last { self.chain.classes() } else { shape.outputs };
            let (scale, bias) = if i == last {
                let bias = p[1].values[..outputs].iter().map(|b| b / temperature).collect();
                (vec![1.0 / temperature; outputs], bias)
            } else {
                kernels::affine(&self.moments[i], &p[1].values, &p[2].values)
            };
            Layer {
                name: if i == last { "logits".into() } else { format!("conv{i}") },
                inputs: shape.inputs,
                outputs,
                kernel_f: shape.kernel_f,
                kernel_t: shape.kernel_t,
                stride_f: shape.stride_f,
                dilation_t: shape.dilation_t,
                pads_f: [shape.pad_f, shape.pad_f],
                depthwise: shape.depthwise,
                relu: i < last,
                values: Values::F32 { weights: onnx_order(shape, &p[0].values, &scale), bias },
            }
        };
        let layers = self.chain.layers.iter().enumerate().map(layer).collect();
        Model { meta: self.chain.meta.clone(), layers }
    }
}

/// Weights from `[t][f][input][output]` to `[output][input][f][t]`, of the first outputs, each times its scale.
pub fn onnx_order(s: &ConvShape, weights: &[f32], scale: &[f32]) -> Vec<f32> {
    let inputs = if s.depthwise { 1 } else { s.inputs };
    let mut out = Vec::with_capacity(weights.len());
    for (o, scale) in scale.iter().enumerate() {
        for i in 0..inputs {
            for f in 0..s.kernel_f {
                for t in 0..s.kernel_t {
                    out.push(scale * weights[((t * s.kernel_f + f) * inputs + i) * s.outputs + o]);
                }
            }
        }
    }
    out
}

/// Weights from `[output][input][f][t]`, as in a model, to `[t][f][input][output]`.
pub fn training_order(outputs: usize, inputs: usize, [f, t]: [usize; 2], weights: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(weights.len());
    for t_at in 0..t {
        for f_at in 0..f {
            for i in 0..inputs {
                out.extend((0..outputs).map(|o| weights[((o * inputs + i) * f + f_at) * t + t_at]));
            }
        }
    }
    out
}
