//! Which instructions run the convolutions. Chosen once, when a network is compiled.

/// A set of instructions with its own kernels. INT8 results are the same bit for bit with all of them, FP32 results
/// within rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    /// x86-64 with 512-bit vectors and 8-bit dot products (AVX-512 F, BW, VL, VNNI).
    Avx512Vnni,
    /// x86-64 with 512-bit vectors; INT8 as in [`Kernel::Avx2`].
    Avx512,
    /// x86-64 with 256-bit vectors and 8-bit dot products (AVX-VNNI).
    AvxVnni,
    /// x86-64 with 256-bit vectors and FMA; INT8 multiplies 16-bit numbers, because the 8-bit product of AVX2 saturates.
    Avx2,
    /// 64-bit ARM.
    Neon,
    /// Plain Rust for any processor.
    Portable,
}

impl Kernel {
    /// All of them, the fastest first.
    pub const ALL: [Kernel; 6] =
        [Kernel::Avx512Vnni, Kernel::Avx512, Kernel::AvxVnni, Kernel::Avx2, Kernel::Neon, Kernel::Portable];

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Kernel::Avx512Vnni => "AVX-512 VNNI",
            Kernel::Avx512 => "AVX-512",
            Kernel::AvxVnni => "AVX-VNNI",
            Kernel::Avx2 => "AVX2",
            Kernel::Neon => "NEON",
            Kernel::Portable => "portable",
        }
    }

    /// Whether this processor has the instructions.
    #[cfg(target_arch = "x86_64")]
    pub fn available(self) -> bool {
        let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = || {
            avx2()
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
        };
        match self {
            Kernel::Avx512Vnni => avx512() && is_x86_feature_detected!("avx512vnni"),
            Kernel::Avx512 => avx512(),
            Kernel::AvxVnni => avx2() && is_x86_feature_detected!("avxvnni"),
            Kernel::Avx2 => avx2(),
            Kernel::Neon => false,
            Kernel::Portable => true,
        }
    }

    /// Whether this processor has the instructions.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn available(self) -> bool {
        match self {
            // NEON is part of every 64-bit ARM processor.
            Kernel::Neon => cfg!(target_arch = "aarch64"),
            Kernel::Portable => true,
            _ => false,
        }
    }

    /// The fastest one that this processor has.
    pub fn detect() -> Kernel {
        Self::ALL.into_iter().find(|kernel| kernel.available()).unwrap_or(Kernel::Portable)
    }
}
