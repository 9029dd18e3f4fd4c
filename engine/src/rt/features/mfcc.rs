//! Cepstral coefficients: the first rows of an orthonormal DCT-II over the mel bands (Davis and Mermelstein, 1980).

use super::{MEL_BANDS, MFCCS};

/// Coefficients and some zeros: whole vectors.
const PADDED: usize = MFCCS.next_multiple_of(8);

/// The transform's matrix, one row a band, so that the inner loop runs over coefficients.
pub struct Dct {
    rows: [[f32; PADDED]; MEL_BANDS],
}

impl Dct {
    /// Computes the matrix.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Dct {
        let entry = |band: usize, k: usize| {
            if k >= MFCCS {
                return 0.0;
            }
            let norm = if k == 0 { 1.0 } else { 2.0 };
            let angle = std::f64::consts::PI * k as f64 * (band as f64 + 0.5) / MEL_BANDS as f64;
            ((norm / MEL_BANDS as f64).sqrt() * angle.cos()) as f32
        };
        Dct { rows: std::array::from_fn(|band| std::array::from_fn(|k| entry(band, k))) }
    }

    /// Coefficients of one column.
    #[inline(always)]
    pub fn apply(&self, column: &[f32; MEL_BANDS], out: &mut [f32; MFCCS]) {
        let mut sum = [0.0; PADDED];
        for (row, &x) in self.rows.iter().zip(column) {
            for i in 0..PADDED {
                sum[i] += row[i] * x;
            }
        }
        out.copy_from_slice(&sum[..MFCCS]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_orthonormal() {
        let dct = Dct::new();
        for a in 0..MFCCS {
            for b in 0..MFCCS {
                let product: f32 = dct.rows.iter().map(|row| row[a] * row[b]).sum();
                let wanted = if a == b { 1.0 } else { 0.0 };
                assert!((product - wanted).abs() < 1e-5, "{a} {b} {product}");
            }
        }
    }
}
