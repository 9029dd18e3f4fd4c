//! Both channels in one register: the compiler does not find that by itself where filters feed back.
//!
//! Every operation is that of IEEE 754 on each lane, so a lane gives the same bits as a plain `f64` would.

use super::MAX_CHANNELS;
use std::ops::{Add, Div, Mul, Sub};

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128d, _mm_add_pd, _mm_div_pd, _mm_max_pd, _mm_min_pd, _mm_mul_pd, _mm_set_pd, _mm_sub_pd,
};

/// A sample of each channel.
#[derive(Clone, Copy, Debug)]
#[cfg(target_arch = "x86_64")]
pub struct Lanes(__m128d);

/// A sample of each channel.
#[derive(Clone, Copy, Debug)]
#[cfg(not(target_arch = "x86_64"))]
pub struct Lanes([f64; MAX_CHANNELS]);

#[cfg(target_arch = "x86_64")]
impl Lanes {
    /// These two samples.
    #[inline(always)]
    pub fn new([first, second]: [f64; MAX_CHANNELS]) -> Lanes {
        // SAFETY: SSE2 is part of x86-64. It takes the higher lane first.
        Lanes(unsafe { _mm_set_pd(second, first) })
    }

    /// The two samples.
    #[inline(always)]
    pub fn get(self) -> [f64; MAX_CHANNELS] {
        // SAFETY: both are 16 bytes of two numbers, the lower lane first.
        unsafe { std::mem::transmute(self.0) }
    }

    /// The smaller of each lane.
    #[inline(always)]
    pub fn min(self, other: Lanes) -> Lanes {
        // SAFETY: SSE2 is part of x86-64.
        Lanes(unsafe { _mm_min_pd(self.0, other.0) })
    }

    /// The larger of each lane.
    #[inline(always)]
    pub fn max(self, other: Lanes) -> Lanes {
        // SAFETY: SSE2 is part of x86-64.
        Lanes(unsafe { _mm_max_pd(self.0, other.0) })
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Lanes {
    /// These two samples.
    #[inline(always)]
    pub fn new(samples: [f64; MAX_CHANNELS]) -> Lanes {
        Lanes(samples)
    }

    /// The two samples.
    #[inline(always)]
    pub fn get(self) -> [f64; MAX_CHANNELS] {
        self.0
    }

    /// The smaller of each lane.
    #[inline(always)]
    pub fn min(self, other: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|i| if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }

    /// The larger of each lane.
    #[inline(always)]
    pub fn max(self, other: Lanes) -> Lanes {
        Lanes(std::array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }
}

impl Lanes {
    /// The same number in both.
    #[inline(always)]
    pub fn both(x: f64) -> Lanes {
        Lanes::new([x; MAX_CHANNELS])
    }

    /// Nothing.
    #[inline(always)]
    pub fn zero() -> Lanes {
        Lanes::both(0.0)
    }

    /// Whether both are 0.
    pub fn is_zero(self) -> bool {
        self.get() == [0.0; MAX_CHANNELS]
    }

    /// The same, with what is smaller than `smallest` set to 0.
    pub fn flushed(self, smallest: f64) -> Lanes {
        Lanes::new(self.get().map(|x| if x.abs() < smallest { 0.0 } else { x }))
    }
}

macro_rules! operation {
    ($trait:ident, $method:ident, $instruction:ident, $operator:tt) => {
        impl $trait for Lanes {
            type Output = Lanes;

            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: SSE2 is part of x86-64.
                return Lanes(unsafe { $instruction(self.0, other.0) });
                #[cfg(not(target_arch = "x86_64"))]
                return Lanes(std::array::from_fn(|i| self.0[i] $operator other.0[i]));
            }
        }
    };
}

operation!(Add, add, _mm_add_pd, +);
operation!(Sub, sub, _mm_sub_pd, -);
operation!(Mul, mul, _mm_mul_pd, *);
operation!(Div, div, _mm_div_pd, /);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_is_plain_arithmetic() {
        let (a, b) = ([0.1, -3.0], [0.7, 1e-9]);
        let (x, y) = (Lanes::new(a), Lanes::new(b));
        let plain = |f: fn(f64, f64) -> f64| [f(a[0], b[0]), f(a[1], b[1])];
        assert_eq!((x + y).get(), plain(|a, b| a + b));
        assert_eq!((x - y).get(), plain(|a, b| a - b));
        assert_eq!((x * y).get(), plain(|a, b| a * b));
        assert_eq!((x / y).get(), plain(|a, b| a / b));
        assert_eq!((x.min(y).get(), x.max(y).get()), (plain(f64::min), plain(f64::max)));
        assert_eq!((Lanes::both(2.0).get(), x.flushed(0.5).get()), ([2.0, 2.0], [0.0, -3.0]));
    }
}
