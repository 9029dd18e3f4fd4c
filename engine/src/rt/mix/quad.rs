//! Four numbers of single precision in one register: two moments of both channels, or four moments of one.
//!
//! As with [`lanes`](super::lanes), every operation is that of IEEE 754 on each number, so the result has the same bits on
//! every machine. All of it is part of x86-64's base; elsewhere the compiler makes vectors of the arrays.

use std::ops::{Add, Div, Mul, Sub};

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m128, _mm_add_ps, _mm_div_ps, _mm_loadu_ps, _mm_max_ps, _mm_min_ps, _mm_movehl_ps, _mm_movelh_ps,
    _mm_mul_ps, _mm_set1_ps, _mm_storeu_ps, _mm_sub_ps,
};

/// Four numbers. Where they are two moments of both channels, the earlier one comes first.
#[derive(Clone, Copy, Debug)]
#[cfg(target_arch = "x86_64")]
pub struct Quad(__m128);

/// Four numbers. Where they are two moments of both channels, the earlier one comes first.
#[derive(Clone, Copy, Debug)]
#[cfg(not(target_arch = "x86_64"))]
pub struct Quad([f32; 4]);

#[cfg(target_arch = "x86_64")]
impl Quad {
    /// These four numbers.
    #[inline(always)]
    pub fn new(numbers: [f32; 4]) -> Quad {
        // SAFETY: SSE is part of x86-64, and there are four numbers to read.
        Quad(unsafe { _mm_loadu_ps(numbers.as_ptr()) })
    }

    /// The four numbers.
    #[inline(always)]
    pub fn get(self) -> [f32; 4] {
        let mut numbers = [0.0; 4];
        // SAFETY: SSE is part of x86-64, and there is room for four numbers.
        unsafe { _mm_storeu_ps(numbers.as_mut_ptr(), self.0) };
        numbers
    }

    /// The same number four times.
    #[inline(always)]
    pub fn all(x: f32) -> Quad {
        // SAFETY: SSE is part of x86-64.
        Quad(unsafe { _mm_set1_ps(x) })
    }

    /// The smaller of each.
    #[inline(always)]
    pub fn min(self, other: Quad) -> Quad {
        // SAFETY: SSE is part of x86-64.
        Quad(unsafe { _mm_min_ps(self.0, other.0) })
    }

    /// The larger of each.
    #[inline(always)]
    pub fn max(self, other: Quad) -> Quad {
        // SAFETY: SSE is part of x86-64.
        Quad(unsafe { _mm_max_ps(self.0, other.0) })
    }

    /// The first moments of both, one after the other.
    #[inline(always)]
    pub fn firsts(self, other: Quad) -> Quad {
        // SAFETY: SSE is part of x86-64.
        Quad(unsafe { _mm_movelh_ps(self.0, other.0) })
    }

    /// The second moments of both, one after the other.
    #[inline(always)]
    pub fn seconds(self, other: Quad) -> Quad {
        // SAFETY: SSE is part of x86-64. It puts the half of what it takes first behind the other.
        Quad(unsafe { _mm_movehl_ps(other.0, self.0) })
    }
}

#[cfg(not(target_arch = "x86_64"))]
impl Quad {
    /// These four numbers.
    #[inline(always)]
    pub fn new(numbers: [f32; 4]) -> Quad {
        Quad(numbers)
    }

    /// The four numbers.
    #[inline(always)]
    pub fn get(self) -> [f32; 4] {
        self.0
    }

    /// The same number four times.
    #[inline(always)]
    pub fn all(x: f32) -> Quad {
        Quad([x; 4])
    }

    /// The smaller of each.
    #[inline(always)]
    pub fn min(self, other: Quad) -> Quad {
        Quad(std::array::from_fn(|i| if self.0[i] < other.0[i] { self.0[i] } else { other.0[i] }))
    }

    /// The larger of each.
    #[inline(always)]
    pub fn max(self, other: Quad) -> Quad {
        Quad(std::array::from_fn(|i| if self.0[i] > other.0[i] { self.0[i] } else { other.0[i] }))
    }

    /// The first moments of both, one after the other.
    #[inline(always)]
    pub fn firsts(self, other: Quad) -> Quad {
        Quad([self.0[0], self.0[1], other.0[0], other.0[1]])
    }

    /// The second moments of both, one after the other.
    #[inline(always)]
    pub fn seconds(self, other: Quad) -> Quad {
        Quad([self.0[2], self.0[3], other.0[2], other.0[3]])
    }
}

impl Quad {
    /// Nothing.
    #[inline(always)]
    pub fn zero() -> Quad {
        Quad::all(0.0)
    }

    /// Magnitudes.
    #[inline(always)]
    pub fn abs(self) -> Quad {
        self.max(Quad::zero() - self)
    }

    /// Both moments in the other order.
    #[inline(always)]
    pub fn swapped(self) -> Quad {
        self.seconds(self).firsts(self)
    }

    /// The same, with what is smaller than `smallest` set to 0.
    pub fn flushed(self, smallest: f32) -> Quad {
        Quad::new(self.get().map(|x| if x.abs() < smallest { 0.0 } else { x }))
    }
}

macro_rules! operation {
    ($trait:ident, $method:ident, $instruction:ident, $operator:tt) => {
        impl $trait for Quad {
            type Output = Quad;

            #[inline(always)]
            fn $method(self, other: Quad) -> Quad {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: SSE is part of x86-64.
                return Quad(unsafe { $instruction(self.0, other.0) });
                #[cfg(not(target_arch = "x86_64"))]
                return Quad(std::array::from_fn(|i| self.0[i] $operator other.0[i]));
            }
        }
    };
}

operation!(Add, add, _mm_add_ps, +);
operation!(Sub, sub, _mm_sub_ps, -);
operation!(Mul, mul, _mm_mul_ps, *);
operation!(Div, div, _mm_div_ps, /);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_plain_arithmetic() {
        let (a, b) = ([0.1, -3.0, 1e-9, 7.5], [0.7, 1e-9, -2.5, 7.4]);
        let (x, y) = (Quad::new(a), Quad::new(b));
        let plain = |f: fn(f32, f32) -> f32| std::array::from_fn::<f32, 4, _>(|i| f(a[i], b[i]));
        assert_eq!((x + y).get(), plain(|a, b| a + b));
        assert_eq!((x - y).get(), plain(|a, b| a - b));
        assert_eq!((x * y).get(), plain(|a, b| a * b));
        assert_eq!((x / y).get(), plain(|a, b| a / b));
        assert_eq!((x.min(y).get(), x.max(y).get()), (plain(f32::min), plain(f32::max)));
        assert_eq!((Quad::all(2.0).get(), x.abs().get()), ([2.0; 4], a.map(f32::abs)));
        assert_eq!(x.flushed(0.5).get(), [0.0, -3.0, 0.0, 7.5]);
        assert_eq!(x.firsts(y).get(), [a[0], a[1], b[0], b[1]]);
        assert_eq!(x.seconds(y).get(), [a[2], a[3], b[2], b[3]]);
        assert_eq!(x.swapped().get(), [a[2], a[3], a[0], a[1]]);
    }
}
