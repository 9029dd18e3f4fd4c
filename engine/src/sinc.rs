//! The windowed sinc, of which filters between sample rates are cut.

use std::f64::consts::PI;

/// Low-pass at `cut` of the input's Nyquist frequency, `0..=1`, `at` input samples from its centre. Beyond `reach` samples it
/// is 0. `beta` is the shape of the Kaiser window: 7.86 keeps what lies above the transition about 80 dB down.
pub fn windowed_sinc(at: f64, cut: f64, reach: f64, beta: f64) -> f64 {
    let place = at / reach;
    if place.abs() >= 1.0 {
        return 0.0;
    }
    let x = PI * cut * at;
    let sinc = if x.abs() < 1e-9 { 1.0 } else { x.sin() / x };
    cut * sinc * kaiser(place, beta)
}

/// Kaiser window of shape `beta`, `place` from its centre: 1 there, and 0 from -1 and 1 on.
pub fn kaiser(place: f64, beta: f64) -> f64 {
    bessel_i0(beta * (1.0 - place * place).max(0.0).sqrt()) / bessel_i0(beta)
}

/// Modified Bessel function of the first kind and order 0, by its series.
fn bessel_i0(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for k in 1..40 {
        term *= (x / (2.0 * f64::from(k))).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_symmetric_and_the_sum_of_the_taps_is_one() {
        for cut in [0.2, 0.5, 0.9] {
            let sum: f64 = (-200..=200).map(|n| windowed_sinc(f64::from(n), cut, 200.0, 7.86)).sum();
            assert!((sum - 1.0).abs() < 1e-4, "{cut}: {sum}");
        }
        assert_eq!(kaiser(0.3, 5.0), kaiser(-0.3, 5.0));
        assert!(kaiser(0.0, 5.0) == 1.0 && kaiser(1.0, 5.0) < 0.05);
        // I0(1), Abramowitz and Stegun, table 9.8.
        assert!((bessel_i0(1.0) - 1.266_065_878).abs() < 1e-9);
    }
}
