//! The kernels as differentiable operations of burn.

use super::kernels::{self, ConvShape, Moments};
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Tensor, TensorData};
use idiom_engine::model::{Affine, windowed};

type Node = FloatTensor<Autodiff<Flex>>;

/// A device that records gradients.
pub fn device() -> burn::tensor::Device {
    burn::tensor::Device::flex().autodiff()
}

fn node<const D: usize>(tensor: Tensor<D>) -> Node {
    tensor.try_into_primitive::<Autodiff<Flex>>().expect("the tensor was made on another device")
}

fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() { tensor } else { tensor.to_contiguous() }
}

fn tensor(values: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape.to_vec()))
}

/// A causal convolution of `x`, `[items, frames, rows, channels]`, with flat weights; see [`kernels`] for the layout.
pub fn conv(shape: ConvShape, x: Tensor<4>, weights: Tensor<1>) -> Tensor<4> {
    let (x, w) = (node(x), node(weights));
    let guards = [x.node(), w.node()];
    let (x, w) = (contiguous(x.into_primitive()), contiguous(w.into_primitive()));
    let out = kernels::conv_forward(&shape, x.storage(), w.storage());
    let out = tensor(out, &[shape.items, shape.frames, shape.rows_out, shape.outputs]);
    let out = match Conv.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((shape, x, w), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

#[derive(Debug)]
struct Conv;

impl Backward<Flex, 2> for Conv {
    type State = (ConvShape, FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (shape, x, w) = ops.state;
        let [x_node, w_node] = ops.parents;
        let (dx, dw) =
            kernels::conv_backward(&shape, x.storage(), w.storage(), dy.storage(), x_node.is_some());
        if let Some((node, dx)) = x_node.zip(dx) {
            let dims = [shape.items, shape.frames, shape.rows_in, shape.inputs];
            grads.register::<Flex>(node.id, tensor(dx, &dims));
        }
        if let Some(node) = w_node {
            grads.register::<Flex>(node.id, tensor(dw, &[shape.weight_len()]));
        }
    }
}

/// Normalises each channel by the moments of the batch, scales it by `gamma`, adds `beta` and applies ReLU. Also
/// returns the moments.
pub fn norm_relu(x: Tensor<4>, gamma: Tensor<1>, beta: Tensor<1>) -> (Tensor<4>, Moments) {
    let dims = x.dims();
    let (x, gamma, beta) = (node(x), node(gamma), node(beta));
    let guards = [x.node(), gamma.node(), beta.node()];
    let [x, gamma, beta] = [x, gamma, beta].map(|n| contiguous(n.into_primitive()));
    let moments = kernels::moments(x.storage(), dims[3]);
    let (scale, offset) = kernels::affine(&moments, gamma.storage(), beta.storage());
    let out = tensor(kernels::scale_relu(x.storage(), &scale, &offset), &dims);
    let out = match NormRelu.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((x, moments.clone(), gamma, beta), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    (Tensor::from_primitive::<Autodiff<Flex>>(out), moments)
}

#[derive(Debug)]
struct NormRelu;

impl Backward<Flex, 3> for NormRelu {
    type State = (FlexTensor, Moments, FlexTensor, FlexTensor);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (x, moments, gamma, beta) = ops.state;
        let (dx, dgamma, dbeta) =
            kernels::norm_relu_backward(x.storage(), &moments, gamma.storage(), beta.storage(), dy.storage());
        let dims: Vec<usize> = x.layout().shape().to_vec();
        let channels = [dgamma.len()];
        for (node, values, dims) in ops
            .parents
            .into_iter()
            .zip([dx, dgamma, dbeta])
            .zip([&dims[..], &channels, &channels])
            .map(|((node, values), dims)| (node, values, dims))
        {
            if let Some(node) = node {
                grads.register::<Flex>(node.id, tensor(values, dims));
            }
        }
    }
}

/// What follows a convolution that is not normalised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Activation {
    /// Whether negative sums become 0.
    pub relu: bool,
    /// The 8-bit numbers that the result is rounded to. Gradients pass through as if it were not, except where the result
    /// saturates.
    pub rounding: Option<Affine>,
}

impl Activation {
    /// The result, and whether it follows its argument.
    fn of(self, x: f32) -> (f32, bool) {
        let passed = !self.relu || x > 0.0;
        let y = if passed { x } else { 0.0 };
        let Some(affine) = self.rounding else { return (y, passed) };
        let end = |q: i8| windowed::dequantize(q, affine);
        let within = y >= end(i8::MIN) && y <= end(i8::MAX);
        (windowed::dequantize(windowed::quantize(y, affine), affine), passed && within)
    }
}

/// Adds a bias to each channel of `x` and applies what follows.
pub fn activate(x: Tensor<4>, bias: Tensor<1>, after: Activation) -> Tensor<4> {
    let dims = x.dims();
    let (x, bias) = (node(x), node(bias));
    let guards = [x.node(), bias.node()];
    let [x, bias] = [x, bias].map(|n| contiguous(n.into_primitive()));
    let (values, biases): (&[f32], &[f32]) = (x.storage(), bias.storage());
    let mut out = Vec::with_capacity(values.len());
    let mut passed = Vec::with_capacity(values.len());
    for line in values.chunks_exact(dims[3]) {
        for (x, b) in line.iter().zip(biases) {
            let (y, passes) = after.of(x + b);
            out.push(y);
            passed.push(passes);
        }
    }
    let out = tensor(out, &dims);
    let out = match Activate.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((passed, dims), out),
        OpsKind::UnTracked(prep) => prep.finish(out),
    };
    Tensor::from_primitive::<Autodiff<Flex>>(out)
}

#[derive(Debug)]
struct Activate;

impl Backward<Flex, 2> for Activate {
    type State = (Vec<bool>, [usize; 4]);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = contiguous(grads.consume::<Flex>(&ops.node));
        let (passed, dims) = ops.state;
        let [x_node, bias_node] = ops.parents;
        let dy: &[f32] = dy.storage();
        let dx: Vec<f32> = dy.iter().zip(&passed).map(|(d, passed)| if *passed { *d } else { 0.0 }).collect();
        if let Some(node) = bias_node {
            let mut sum = vec![0.0; dims[3]];
            dx.chunks_exact(dims[3]).for_each(|line| sum.iter_mut().zip(line).for_each(|(s, d)| *s += d));
            grads.register::<Flex>(node.id, tensor(sum, &[dims[3]]));
        }
        if let Some(node) = x_node {
            grads.register::<Flex>(node.id, tensor(dx, &dims));
        }
    }
}
