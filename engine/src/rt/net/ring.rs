//! What a convolution remembers: the last columns of its input, with the padding rows ready-made around them, so that
//! everything one output row sees of one frame is a plain run of numbers.

/// Numbers kept readable behind the last column: kernels read whole steps of a few numbers and may read past a column's
/// end (what they read there is multiplied by a weight of 0).
const SLACK: usize = 64;

/// The past of one layer's input. A column is laid out `[feature row][channel]`, padding rows included.
#[derive(Clone, Debug)]
pub(super) struct Ring<T> {
    data: Vec<T>,
    /// Numbers in a column.
    column: usize,
    /// Where in a column the first row that is no padding begins.
    first: usize,
    /// Numbers in a column that are no padding.
    filled: usize,
    /// Where the column of each tap of the kernel begins, oldest first. The last one is the newest column.
    taps: Vec<usize>,
    /// What padding and the time before the start hold.
    zero: T,
}

impl<T: Copy> Ring<T> {
    /// For columns of `rows` x `channels` and a kernel of `taps` taps `dilation` frames apart.
    pub fn new(
        zero: T,
        rows: usize,
        channels: usize,
        pads: [usize; 2],
        taps: usize,
        dilation: usize,
    ) -> Self {
        let column = (pads[0] + rows + pads[1]) * channels;
        let slots = (taps - 1) * dilation + 1;
        let taps = (0..taps).map(|tap| (1 + tap * dilation) % slots * column).collect();
        let data = vec![zero; slots * column + SLACK];
        Self { data, column, first: pads[0] * channels, filled: rows * channels, taps, zero }
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.data[..])
    }

    /// A frame goes by: the newest column becomes the one before, and the oldest is to be written anew.
    pub fn advance(&mut self) {
        let end = self.data.len() - SLACK;
        for tap in &mut self.taps {
            *tap += self.column;
            if *tap >= end {
                *tap = 0;
            }
        }
    }

    /// The newest column without its padding, to be written.
    pub fn newest(&mut self) -> &mut [T] {
        let from = self.taps.last().map_or(0, |tap| tap + self.first);
        self.data.get_mut(from..from + self.filled).unwrap_or_default()
    }

    /// The newest column without its padding.
    pub fn column_now(&self) -> &[T] {
        let from = self.taps.last().map_or(0, |tap| tap + self.first);
        self.data.get(from..from + self.filled).unwrap_or_default()
    }

    /// All columns, and where the column of each tap begins.
    pub fn view(&self) -> (&[T], &[usize]) {
        (&self.data, &self.taps)
    }

    /// Numbers in a column, padding included.
    pub fn column(&self) -> usize {
        self.column
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.data.fill(self.zero);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_see_their_frames_between_the_padding() {
        let mut ring = Ring::new(-1, 2, 1, [1, 1], 3, 2);
        for frame in 0..20 {
            ring.advance();
            ring.newest().copy_from_slice(&[10 * frame, 10 * frame + 1]);
            let (data, taps) = ring.view();
            for (i, &tap) in taps.iter().enumerate() {
                let seen = frame - 2 * (2 - i as i32);
                let expected = if seen < 0 { [-1; 4] } else { [-1, 10 * seen, 10 * seen + 1, -1] };
                assert_eq!(data[tap..tap + 4], expected, "tap {i} at frame {frame}");
            }
        }
    }
}
