//! The arithmetic of training: causal convolutions and normalisation, forward and backward, on plain slices.
//!
//! Activations are laid out `[item][frame][row][channel]`, so that a pointwise convolution is one matrix product and a
//! depthwise one works on whole vectors of channels. Weights are laid out `[tap in time][tap in rows][input][output]`
//! (depthwise: without the output), so that they are the right-hand matrix as they stand. Burn's generic convolutions
//! loop over groups one by one in the backward pass, which makes depthwise layers the slowest part of a network that
//! consists mostly of them; these kernels are why training on a laptop takes minutes.
//!
//! The loops are compiled three times (AVX-512, AVX2 with FMA, baseline), chosen at run time.

use gemm::{Parallelism, gemm};

/// Where a convolution reads from and writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Items in the batch.
    pub items: usize,
    /// Frames an item.
    pub frames: usize,
    /// Feature rows that go in.
    pub rows_in: usize,
    /// Feature rows that come out.
    pub rows_out: usize,
    /// Input channels.
    pub inputs: usize,
    /// Output channels.
    pub outputs: usize,
    /// Kernel size along the rows.
    pub kernel_f: usize,
    /// Kernel size in time.
    pub kernel_t: usize,
    /// Step along the rows.
    pub stride_f: usize,
    /// Distance of the taps in time, in frames.
    pub dilation_t: usize,
    /// Rows of zeros before the first row.
    pub pad_f: usize,
    /// Each output channel sees only the input channel of its number.
    pub depthwise: bool,
}

impl ConvShape {
    /// Numbers that go in.
    pub fn input_len(&self) -> usize {
        self.items * self.frames * self.rows_in * self.inputs
    }

    /// Numbers that come out.
    pub fn output_len(&self) -> usize {
        self.items * self.frames * self.rows_out * self.outputs
    }

    /// Weights.
    pub fn weight_len(&self) -> usize {
        self.kernel_t * self.kernel_f * self.inputs * if self.depthwise { 1 } else { self.outputs }
    }

    /// Rows and inner dimension of the matrix product when the input can be read as the left-hand matrix as it stands.
    fn direct(&self) -> Option<(usize, usize)> {
        let plain = !self.depthwise && self.kernel_t == 1 && self.pad_f == 0;
        if plain && self.kernel_f == 1 && self.stride_f == 1 {
            return Some((self.items * self.frames * self.rows_in, self.inputs));
        }
        (plain && self.kernel_f == self.rows_in && self.rows_out == 1)
            .then_some((self.items * self.frames, self.rows_in * self.inputs))
    }

    /// The frame that tap `tap` of `frame` reads, if it is not before the start.
    fn tap_frame(&self, frame: usize, tap: usize) -> Option<usize> {
        frame.checked_sub((self.kernel_t - 1 - tap) * self.dilation_t)
    }

    /// The row that tap `tap` of output row `row` reads, if it is not padding.
    fn tap_row(&self, row: usize, tap: usize) -> Option<usize> {
        (row * self.stride_f + tap).checked_sub(self.pad_f).filter(|&row| row < self.rows_in)
    }
}

/// A matrix in a slice: numbers, rows, columns, and the distances between them.
struct Matrix<'a> {
    numbers: &'a [f32],
    size: (usize, usize),
    strides: (usize, usize),
}

impl<'a> Matrix<'a> {
    /// A matrix that is stored row after row.
    fn new(numbers: &'a [f32], rows: usize, columns: usize) -> Matrix<'a> {
        assert!(numbers.len() >= rows * columns);
        Matrix { numbers, size: (rows, columns), strides: (columns, 1) }
    }

    /// The same numbers, rows and columns exchanged.
    fn transposed(self) -> Matrix<'a> {
        Matrix {
            numbers: self.numbers,
            size: (self.size.1, self.size.0),
            strides: (self.strides.1, self.strides.0),
        }
    }
}

/// Writes `a * b`, row after row, or adds it to what is in `out` already.
fn multiply(a: &Matrix, b: &Matrix, out: *mut f32, len: usize, add: bool) {
    let ((m, k), (inner, n)) = (a.size, b.size);
    assert!(k == inner && m * n <= len && m * k * n > 0, "sizes do not fit");
    // SAFETY: both matrices lie inside their slices (checked when they were made), `out` points to at least `m * n`
    // numbers that nothing else refers to, and they are only read when `add` says that they are initialised.
    unsafe {
        gemm(
            m,
            n,
            k,
            out,
            1,
            n as isize,
            add,
            a.numbers.as_ptr(),
            a.strides.1 as isize,
            a.strides.0 as isize,
            b.numbers.as_ptr(),
            b.strides.1 as isize,
            b.strides.0 as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// Adds `a * b` to `out`.
fn add_product(a: &Matrix, b: &Matrix, out: &mut [f32]) {
    multiply(a, b, out.as_mut_ptr(), out.len(), true);
}

/// `a * b` in place of what is in `out`.
fn set_product(a: &Matrix, b: &Matrix, out: &mut [f32]) {
    multiply(a, b, out.as_mut_ptr(), out.len(), false);
}

/// `a * b`, appended to `out`, which is not filled with zeros first.
fn push_product(a: &Matrix, b: &Matrix, out: &mut Vec<f32>) {
    let count = a.size.0 * b.size.1;
    out.reserve(count);
    let spare = out.spare_capacity_mut();
    multiply(a, b, spare.as_mut_ptr().cast(), spare.len(), false);
    // SAFETY: the product has just initialised `count` numbers within the reserved capacity.
    unsafe { out.set_len(out.len() + count) };
}

/// Writes what the taps of one item see: one line an output position, taps in the order of the weights.
fn unfold(s: &ConvShape, item: &[f32], lines: &mut [f32]) {
    let line = s.kernel_t * s.kernel_f * s.inputs;
    for frame in 0..s.frames {
        for row in 0..s.rows_out {
            let start = (frame * s.rows_out + row) * line;
            for (tap, out) in lines[start..start + line].chunks_exact_mut(s.inputs).enumerate() {
                let source = s.tap_frame(frame, tap / s.kernel_f).zip(s.tap_row(row, tap % s.kernel_f));
                match source {
                    Some((t, f)) => {
                        let at = (t * s.rows_in + f) * s.inputs;
                        out.copy_from_slice(&item[at..at + s.inputs]);
                    }
                    None => out.fill(0.0),
                }
            }
        }
    }
}

/// The transpose of [`unfold`]: adds each tap's number back to where it was read from.
fn fold(s: &ConvShape, lines: &[f32], item: &mut [f32]) {
    let line = s.kernel_t * s.kernel_f * s.inputs;
    for frame in 0..s.frames {
        for row in 0..s.rows_out {
            let start = (frame * s.rows_out + row) * line;
            for (tap, from) in lines[start..start + line].chunks_exact(s.inputs).enumerate() {
                if let Some((t, f)) =
                    s.tap_frame(frame, tap / s.kernel_f).zip(s.tap_row(row, tap % s.kernel_f))
                {
                    let at = (t * s.rows_in + f) * s.inputs;
                    item[at..at + s.inputs].iter_mut().zip(from).for_each(|(x, y)| *x += y);
                }
            }
        }
    }
}

/// The convolution, without bias.
pub fn conv_forward(s: &ConvShape, x: &[f32], w: &[f32]) -> Vec<f32> {
    assert_eq!((x.len(), w.len()), (s.input_len(), s.weight_len()), "{s:?}");
    if s.depthwise {
        let mut y = vec![0.0; s.output_len()];
        depthwise_forward(s, x, w, &mut y);
        return y;
    }
    let mut y = Vec::with_capacity(s.output_len());
    if let Some((m, k)) = s.direct() {
        push_product(&Matrix::new(x, m, k), &Matrix::new(w, k, s.outputs), &mut y);
    } else {
        let (m, k) = (s.frames * s.rows_out, s.kernel_t * s.kernel_f * s.inputs);
        let mut lines = vec![0.0; m * k];
        for x in x.chunks_exact(s.input_len() / s.items) {
            unfold(s, x, &mut lines);
            push_product(&Matrix::new(&lines, m, k), &Matrix::new(w, k, s.outputs), &mut y);
        }
    }
    y
}

/// Gradients of a convolution with respect to its weights and, where asked for, its input.
pub fn conv_backward(
    s: &ConvShape,
    x: &[f32],
    w: &[f32],
    dy: &[f32],
    input_wanted: bool,
) -> (Option<Vec<f32>>, Vec<f32>) {
    assert_eq!((x.len(), w.len(), dy.len()), (s.input_len(), s.weight_len(), s.output_len()), "{s:?}");
    let mut dw = vec![0.0; s.weight_len()];
    let n = s.outputs;
    if s.depthwise {
        let mut dx = vec![0.0; s.input_len()];
        depthwise_backward(s, x, w, dy, &mut dx, &mut dw);
        return (input_wanted.then_some(dx), dw);
    }
    if let Some((m, k)) = s.direct() {
        add_product(&Matrix::new(x, m, k).transposed(), &Matrix::new(dy, m, n), &mut dw);
        let dx = input_wanted.then(|| {
            let mut dx = Vec::new();
            push_product(&Matrix::new(dy, m, n), &Matrix::new(w, k, n).transposed(), &mut dx);
            dx
        });
        return (dx, dw);
    }
    let mut dx = input_wanted.then(|| vec![0.0; s.input_len()]);
    let (m, k) = (s.frames * s.rows_out, s.kernel_t * s.kernel_f * s.inputs);
    let mut lines = vec![0.0; m * k];
    let (x_len, y_len) = (s.input_len() / s.items, s.output_len() / s.items);
    for (item, dy) in dy.chunks_exact(y_len).enumerate() {
        let range = item * x_len..(item + 1) * x_len;
        unfold(s, &x[range.clone()], &mut lines);
        add_product(&Matrix::new(&lines, m, k).transposed(), &Matrix::new(dy, m, n), &mut dw);
        if let Some(dx) = &mut dx {
            set_product(&Matrix::new(dy, m, n), &Matrix::new(w, k, n).transposed(), &mut lines);
            fold(s, &lines, &mut dx[range]);
        }
    }
    (dx, dw)
}

/// Compiles a function for several instruction sets and picks the best that the processor has.
macro_rules! for_this_processor {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$doc])*
        $vis fn $name($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            fn body($($arg: $ty),*) $(-> $ret)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,fma")]
                fn avx512($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $ty),*) $(-> $ret)? { body($($arg),*) }
                if is_x86_feature_detected!("avx512bw") && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("fma")
                {
                    // SAFETY: the processor was just found to have what the function is compiled for.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: as above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            body($($arg),*)
        }
    };
}

for_this_processor! {
    fn depthwise_forward(s: &ConvShape, x: &[f32], w: &[f32], y: &mut [f32]) {
        let c = s.inputs;
        let items = x.chunks_exact(s.frames * s.rows_in * c).zip(y.chunks_exact_mut(s.frames * s.rows_out * c));
        for (x, y) in items {
            for (position, y) in y.chunks_exact_mut(c).enumerate() {
                let (frame, row) = (position / s.rows_out, position % s.rows_out);
                for (tap, w) in w.chunks_exact(c).enumerate() {
                    if let Some((t, f)) = s.tap_frame(frame, tap / s.kernel_f).zip(s.tap_row(row, tap % s.kernel_f)) {
                        let x = &x[(t * s.rows_in + f) * c..][..c];
                        for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                            *y += x * w;
                        }
                    }
                }
            }
        }
    }
}

for_this_processor! {
    fn depthwise_backward(
        s: &ConvShape,
        x: &[f32],
        w: &[f32],
        dy: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
    ) {
        let c = s.inputs;
        let (x_len, y_len) = (s.frames * s.rows_in * c, s.frames * s.rows_out * c);
        for ((x, dx), dy) in x.chunks_exact(x_len).zip(dx.chunks_exact_mut(x_len)).zip(dy.chunks_exact(y_len)) {
            for (position, dy) in dy.chunks_exact(c).enumerate() {
                let (frame, row) = (position / s.rows_out, position % s.rows_out);
                for (tap, (w, dw)) in w.chunks_exact(c).zip(dw.chunks_exact_mut(c)).enumerate() {
                    if let Some((t, f)) = s.tap_frame(frame, tap / s.kernel_f).zip(s.tap_row(row, tap % s.kernel_f)) {
                        let at = (t * s.rows_in + f) * c;
                        let (x, dx) = (&x[at..][..c], &mut dx[at..][..c]);
                        for ((((x, dx), w), dw), dy) in x.iter().zip(dx).zip(w).zip(dw).zip(dy) {
                            *dx += w * dy;
                            *dw += x * dy;
                        }
                    }
                }
            }
        }
    }
}

/// Mean and variance of each channel over a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Variance of each channel, over all positions (not one fewer).
    pub variance: Vec<f32>,
}

/// Added to a variance before the root.
pub const EPSILON: f32 = 1e-5;

for_this_processor! {
    /// Mean and variance of each of `channels` channels.
    pub fn moments(x: &[f32], channels: usize) -> Moments {
        // Sums of a block of positions are kept in f32 and blocks are added in f64: fast, and no digits are lost.
        const BLOCK: usize = 256;
        let count = (x.len() / channels).max(1) as f64;
        let (mut sum, mut square) = (vec![0.0f64; channels], vec![0.0f64; channels]);
        let (mut part, mut part_square) = (vec![0.0f32; channels], vec![0.0f32; channels]);
        for block in x.chunks(BLOCK * channels) {
            part.fill(0.0);
            part_square.fill(0.0);
            for x in block.chunks_exact(channels) {
                for ((p, q), x) in part.iter_mut().zip(&mut part_square).zip(x) {
                    *p += x;
                    *q += x * x;
                }
            }
            sum.iter_mut().zip(&part).for_each(|(s, &p)| *s += f64::from(p));
            square.iter_mut().zip(&part_square).for_each(|(s, &p)| *s += f64::from(p));
        }
        let mean: Vec<f64> = sum.iter().map(|s| s / count).collect();
        let variance = square.iter().zip(&mean).map(|(s, m)| (s / count - m * m).max(0.0) as f32).collect();
        Moments { mean: mean.into_iter().map(|m| m as f32).collect(), variance }
    }
}

/// Scale and offset that bring channels of these moments to the learned scale (`gamma`) and offset (`beta`).
pub fn affine(moments: &Moments, gamma: &[f32], beta: &[f32]) -> (Vec<f32>, Vec<f32>) {
    let scale: Vec<f32> =
        gamma.iter().zip(&moments.variance).map(|(g, v)| g / (v + EPSILON).sqrt()).collect();
    let offset = beta.iter().zip(&moments.mean).zip(&scale).map(|((b, m), s)| b - m * s).collect();
    (scale, offset)
}

for_this_processor! {
    /// `max(0, scale * x + offset)`, a scale and an offset a channel.
    pub fn scale_relu(x: &[f32], scale: &[f32], offset: &[f32]) -> Vec<f32> {
        let mut y = Vec::with_capacity(x.len());
        for x in x.chunks_exact(scale.len()) {
            y.extend(x.iter().zip(scale).zip(offset).map(|((x, s), o)| (s * x + o).max(0.0)));
        }
        y
    }
}

/// Gradients of normalising by the batch's own moments, scaling and ReLU: with respect to the input, gamma and beta.
pub fn norm_relu_backward(
    x: &[f32],
    moments: &Moments,
    gamma: &[f32],
    beta: &[f32],
    dy: &[f32],
) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let (scale, offset) = affine(moments, gamma, beta);
    let channels = gamma.len();
    assert!(
        x.len() == dy.len() && x.len().is_multiple_of(channels),
        "activations and their gradient differ in size"
    );
    let (sum, product) = norm_relu_sums(x, &moments.mean, &scale, &offset, dy);
    let inverse: Vec<f32> = moments.variance.iter().map(|v| 1.0 / (v + EPSILON).sqrt()).collect();
    let dgamma: Vec<f32> = product.iter().zip(&inverse).map(|(p, i)| p * i).collect();
    let count = (x.len() / channels).max(1) as f32;
    // dx = scale * (dy - mean(dy) - xhat * mean(dy * xhat)), written as scale * dy + a * x + b.
    let a: Vec<f32> = scale.iter().zip(&dgamma).zip(&inverse).map(|((s, g), i)| -s * g * i / count).collect();
    let b: Vec<f32> = (0..channels).map(|c| -scale[c] * sum[c] / count - a[c] * moments.mean[c]).collect();
    (norm_relu_input(x, &scale, &offset, &a, &b, dy), dgamma, sum)
}

for_this_processor! {
    /// Sums over the batch of `dy` and of `dy * (x - mean)`, where the ReLU let something through.
    fn norm_relu_sums(
        x: &[f32],
        mean: &[f32],
        scale: &[f32],
        offset: &[f32],
        dy: &[f32],
    ) -> (Vec<f32>, Vec<f32>) {
        const BLOCK: usize = 256;
        let channels = scale.len();
        let (mut sum, mut product) = (vec![0.0f32; channels], vec![0.0f32; channels]);
        let (mut part, mut part_product) = (vec![0.0f32; channels], vec![0.0f32; channels]);
        for (x, dy) in x.chunks(BLOCK * channels).zip(dy.chunks(BLOCK * channels)) {
            part.fill(0.0);
            part_product.fill(0.0);
            for (x, dy) in x.chunks_exact(channels).zip(dy.chunks_exact(channels)) {
                let learned = scale.iter().zip(offset).zip(mean);
                let sums = part.iter_mut().zip(&mut part_product);
                for ((((s, o), m), (p, q)), (x, dy)) in learned.zip(sums).zip(x.iter().zip(dy)) {
                    let g = if s * x + o > 0.0 { *dy } else { 0.0 };
                    *p += g;
                    *q += g * (x - m);
                }
            }
            sum.iter_mut().zip(&part).for_each(|(s, p)| *s += p);
            product.iter_mut().zip(&part_product).for_each(|(s, p)| *s += p);
        }
        (sum, product)
    }
}

for_this_processor! {
    fn norm_relu_input(
        x: &[f32],
        scale: &[f32],
        offset: &[f32],
        a: &[f32],
        b: &[f32],
        dy: &[f32],
    ) -> Vec<f32> {
        let channels = scale.len();
        let mut dx = Vec::with_capacity(x.len());
        let spare = &mut dx.spare_capacity_mut()[..x.len()];
        let lines = spare.chunks_exact_mut(channels).zip(x.chunks_exact(channels)).zip(dy.chunks_exact(channels));
        for ((dx, x), dy) in lines {
            let learned = scale.iter().zip(offset).zip(a.iter().zip(b));
            for ((((s, o), (a, b)), dx), (x, dy)) in learned.zip(dx).zip(x.iter().zip(dy)) {
                let g = if s * x + o > 0.0 { s * dy } else { 0.0 };
                dx.write(g + a * x + b);
            }
        }
        // SAFETY: `x` is made of whole lines of channels, so every number was written.
        unsafe { dx.set_len(x.len()) };
        dx
    }
}
