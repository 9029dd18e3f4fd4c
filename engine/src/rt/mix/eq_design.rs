//! Filter coefficients that match an analogue prototype up to the top of hearing, at any sample rate.
//!
//! The bilinear transform squeezes everything above a fifth of the sample rate ("cramping"): at 44.1 kHz a bell at
//! 10 kHz comes out too narrow and a shelf arrives too early. Here the digital filter's squared magnitude, which is a
//! ratio of two quadratics in x = sin²(ω/2), is instead made to *equal* the prototype's at 0 Hz and at four
//! frequencies: below, at and above the band, and near the top. (M. Vicanek, "Matched Second Order Digital Filters",
//! 2016, gives the poles beforehand and matches the numerator at three; leaving the poles free is what brings the
//! error below 0.1 dB.) The factors with zeros and poles inside the unit circle are then taken from the two quadratics.
//!
//! The result is in the terms of a state variable filter, because that is what can be moved without clicks.

use std::f64::consts::PI;

/// Highest matched frequency, as a share of the sample rate and in Hz: 16.5 kHz at 44.1 kHz.
const TOP_SHARE: f64 = 0.374;
const TOP_HZ: f64 = 20_000.0;

/// The same for bands that lie near half of a low sample rate.
const MAX_TOP_SHARE: f64 = 0.46;

/// The response should be the prototype's up to here, in Hz.
const HEARD_HZ: f64 = 16_000.0;

/// Highest frequency of the bilinear transform, as a share of the sample rate.
const MAX_FREQUENCY: f64 = 0.42;

/// What a band does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Gain below the corner; at the corner it is half (in dB).
    LowShelf,
    /// Gain around the centre.
    Bell,
    /// Gain above the corner; at the corner it is half (in dB).
    HighShelf,
    /// Nothing below the corner, 12 dB per octave. Instead of a gain it takes a share, `0..=1`, of its effect.
    HighPass,
}

/// A state variable filter: integrator gain g, damping k, and the shares of input, band-pass and low-pass in what is
/// **added** to the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficients {
    /// Integrator gain.
    pub g: f64,
    /// Damping, 1/Q of the poles.
    pub k: f64,
    /// Shares of input, band-pass and low-pass; all 0 adds nothing.
    pub m: [f64; 3],
}

/// Squared magnitude of the analogue prototype at `hz`. For a high-pass, `gain` is not looked at: it is that of the
/// full effect.
///
/// Shelves and bell are those of R. Bristow-Johnson's "Audio EQ Cookbook".
pub fn prototype_power(shape: Shape, [f0, gain, q]: [f64; 3], hz: f64) -> f64 {
    power(shape, f0, 10f64.powf(gain / 40.0), q, hz)
}

/// The same, with the gain as an amplitude's root.
#[inline(always)]
fn power(shape: Shape, f0: f64, a: f64, q: f64, hz: f64) -> f64 {
    let w2 = (hz / f0) * (hz / f0);
    let square = |re: f64, im: f64| re * re + im * im * w2;
    let slope = a.sqrt() / q;
    match shape {
        Shape::Bell => square(1.0 - w2, a / q) / square(1.0 - w2, 1.0 / (a * q)),
        Shape::LowShelf => a * a * square(a - w2, slope) / square(1.0 - a * w2, slope),
        Shape::HighShelf => a * a * square(1.0 - a * w2, slope) / square(a - w2, slope),
        Shape::HighPass => w2 * w2 / square(1.0 - w2, 1.0 / q),
    }
}

/// Coefficients for `[hz, db, q]` (a high-pass: `[hz, share, q]`) at a sample rate in Hz.
///
/// Within 0.1 dB of the prototype up to 16 kHz at 44.1 kHz and above, for gains of ±12 dB, a bell's Q of 0.2..=8, a
/// shelf's of 0.66..=1, and frequencies of 20 Hz to 16 kHz. A gain of 0 dB and a share of 0 give exactly `m` = 0.
pub fn design(shape: Shape, setting: [f64; 3], sample_rate: f64) -> Coefficients {
    match shape {
        Shape::HighPass => high_pass(setting, sample_rate),
        _ => matched(shape, setting, sample_rate).unwrap_or_else(|| bilinear(shape, setting, sample_rate)),
    }
}

/// A quadratic in x = sin²(ω/2): at 0, at 1, and the part that is 0 at both.
type Quadratic = [f64; 3];

/// The quadratic's three basis functions at x.
fn basis(x: f64) -> [f64; 3] {
    [1.0 - x, x, 4.0 * x * (1.0 - x)]
}

/// See the [module](self). `None` where no stable filter goes through the points.
fn matched(shape: Shape, setting: [f64; 3], sample_rate: f64) -> Option<Coefficients> {
    let [f0, db, q] = setting;
    let room = TOP_SHARE * sample_rate;
    let top = if room >= HEARD_HZ {
        room.min(TOP_HZ)
    } else {
        // At a low rate, a band near the end is at least matched at its own frequency.
        room.max((f0 / 0.9).min(MAX_TOP_SHARE * sample_rate))
    };
    let middle = f0.min(0.9 * top);
    // A bell is matched at its edges, where it has half its gain in dB.
    let (step, towards_top) = match shape {
        Shape::Bell => ((1.0 + 0.25 / (q * q)).sqrt() - 0.5 / q, 0.4),
        _ => (0.45, 0.3),
    };
    let above = (middle / step).min(middle + towards_top * (top - middle));
    let a = 10f64.powf(db / 40.0);
    let at_0 = if shape == Shape::LowShelf { (a * a) * (a * a) } else { 1.0 };
    // Unknown: numerator at 1 and between, denominator at 1 and between. The denominator at 0 is 1, and with it the
    // numerator there is the gain at 0 Hz.
    let rows = [middle * step, middle, above, top].map(|hz| {
        let sine = (PI * hz / sample_rate).sin();
        let [zero, one, between] = basis(sine * sine);
        let power = power(shape, f0, a, q, hz);
        [one, between, -power * one, -power * between, (power - at_0) * zero]
    });
    let [n1, n2, d1, d2] = solve(rows)?;
    let (numerator, denominator) = ([at_0, n1, n2], [1.0, d1, d2]);
    let (b, a) = (factor(numerator)?, factor(denominator)?);
    let g = (1.0 / d1).sqrt().sqrt();
    let k = 2.0 * (a[0] - a[2]) / (g * d1.sqrt());
    // Shares of high-pass, band-pass and low-pass, then in terms of input, band-pass and low-pass.
    let high = (n1 / d1).sqrt();
    let band = 2.0 * (b[0] - b[2]) / (g * d1.sqrt());
    let low = at_0.sqrt();
    let m = if db == 0.0 { [0.0; 3] } else { [high - 1.0, band - k * high, low - high] };
    let fine = g.is_finite() && k.is_finite() && g > 0.0 && k > 0.0 && m.iter().all(|m| m.is_finite());
    fine.then_some(Coefficients { g, k, m })
}

/// The polynomial in 1/z, roots inside the unit circle, whose squared magnitude is the quadratic; `None` if that is
/// negative somewhere.
fn factor([at_0, at_1, between]: Quadratic) -> Option<[f64; 3]> {
    if at_0 < 0.0 || at_1 <= 0.0 {
        return None;
    }
    let (zero, one) = (at_0.sqrt(), at_1.sqrt());
    let half = 0.5 * (zero + one);
    let inner = half * half + between;
    if inner < 0.0 {
        return None;
    }
    let first = 0.5 * (half + inner.sqrt());
    (first > 0.0).then(|| [first, 0.5 * (zero - one), -0.25 * between / first])
}

/// Solves four linear equations, each four coefficients and the right side, by Gauss's elimination.
fn solve(mut rows: [[f64; 5]; 4]) -> Option<[f64; 4]> {
    for column in 0..4 {
        let mut pivot = column;
        for row in column + 1..4 {
            if rows[row][column].abs() > rows[pivot][column].abs() {
                pivot = row;
            }
        }
        rows.swap(column, pivot);
        let scale = 1.0 / rows[column][column];
        if !scale.is_finite() {
            return None;
        }
        for row in column + 1..4 {
            let share = rows[row][column] * scale;
            for i in column..5 {
                rows[row][i] -= share * rows[column][i];
            }
        }
    }
    let mut x = [0.0; 4];
    for row in (0..4).rev() {
        let known: f64 = (row + 1..4).map(|i| rows[row][i] * x[i]).sum();
        x[row] = (rows[row][4] - known) / rows[row][row];
    }
    Some(x)
}

/// The bilinear transform, matched at the band's own frequency: what is left where no match exists (frequencies near
/// and above half the sample rate).
fn bilinear(shape: Shape, [hz, db, q]: [f64; 3], sample_rate: f64) -> Coefficients {
    let a = 10f64.powf(db / 40.0);
    let g = integrator(hz, sample_rate);
    let k = 1.0 / q;
    let (g, k, m) = match shape {
        Shape::LowShelf => (g / a.sqrt(), k, [0.0, k * (a - 1.0), a * a - 1.0]),
        Shape::HighShelf => (g * a.sqrt(), k, [a * a - 1.0, k * (1.0 - a) * a, 1.0 - a * a]),
        _ => (g, k / a, [0.0, k / a * (a * a - 1.0), 0.0]),
    };
    Coefficients { g, k, m }
}

/// A low cut lies far below half the sample rate, where the bilinear transform is exact enough, and keeps its double
/// zero at 0 Hz.
fn high_pass([hz, share, q]: [f64; 3], sample_rate: f64) -> Coefficients {
    let k = 1.0 / q;
    Coefficients { g: integrator(hz, sample_rate), k, m: [0.0, -share * k, -share] }
}

fn integrator(hz: f64, sample_rate: f64) -> f64 {
    (PI * (hz / sample_rate).clamp(1e-6, MAX_FREQUENCY)).tan()
}
