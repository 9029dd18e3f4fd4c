//! The C face of a [`Snapshot`]: what the plugin bundle hands to programs that load it from outside.
//!
//! A bundle exports two functions beside its plugin entry, so that a host, a test or the demo can see what the
//! instance inside really decides and what it costs, without a window and without linking to Idiom:
//!
//! ```c
//! uint32_t idiom_snapshot(uint32_t instance, struct IdiomSnapshot *out); // 1 = filled, 0 = no such instance
//! uint32_t idiom_metrics(uint32_t instance, char *out, uint32_t size);   // bytes of JSON, 0 = no such instance
//! ```
//!
//! The layout is C's own (`repr(C)`), fields are only ever added at the end, and `size` tells both sides how many
//! bytes the other one knows.

use crate::genre::GENRES;
use crate::telemetry::Snapshot;

/// A [`Snapshot`] in C's layout. All numbers are in the units of the snapshot's fields of the same name.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct IdiomSnapshot {
    /// In: the caller's `sizeof(struct IdiomSnapshot)`, or 0 for "as the bundle has it". Out: how many bytes were filled.
    pub size: u32,
    /// Frames analysed since the engine started.
    pub frames: u64,
    /// Smoothed probability of speech, rock, jazz, electronic, classical.
    pub posterior: [f32; GENRES],
    /// Index of the genre in force, in the order of `posterior`; -1 before the first.
    pub genre: i32,
    /// 0 listening, 1 recognised, 2 uncertain, 3 silent, 4 frozen, 5 manual; see [`crate::Verdict`].
    pub verdict: u32,
    /// Smoothed probability of the genre in force, `0..=1`.
    pub confidence: f32,
    /// Level of the last frame in dBFS (RMS of the mono mix).
    pub level_dbfs: f32,
    /// Cost of analysing a frame in nanoseconds: last, median, 99th percentile, maximum.
    pub cost_ns: [u64; 4],
    /// Number of the backend that gave the last answer, see [`crate::Backend`].
    pub backend: u32,
    /// Number of the arithmetic that gave the last answer, see [`crate::Quantization`].
    pub quantization: u32,
    /// Host sample rate in Hz; 0 before the host activated the plugin.
    pub sample_rate: f32,
}

impl IdiomSnapshot {
    /// How many bytes this version of the structure has.
    pub const SIZE: u32 = size_of::<IdiomSnapshot>() as u32;

    /// A blank to hand to `idiom_snapshot`: zeros, with `size` set.
    pub const EMPTY: IdiomSnapshot = IdiomSnapshot {
        size: Self::SIZE,
        frames: 0,
        posterior: [0.0; GENRES],
        genre: -1,
        verdict: 0,
        confidence: 0.0,
        level_dbfs: 0.0,
        cost_ns: [0; 4],
        backend: 0,
        quantization: 0,
        sample_rate: 0.0,
    };
}

impl Default for IdiomSnapshot {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl From<&Snapshot> for IdiomSnapshot {
    fn from(s: &Snapshot) -> Self {
        Self {
            size: Self::SIZE,
            frames: s.frames,
            posterior: s.posterior.0,
            genre: s.genre.map_or(-1, |genre| genre.index() as i32),
            verdict: s.verdict as u32,
            confidence: s.confidence,
            level_dbfs: s.level_dbfs,
            cost_ns: s.cost_ns,
            backend: s.backend as u32,
            quantization: s.quantization as u32,
            sample_rate: s.sample_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Backend, Genre, Quantization, Verdict};

    #[test]
    fn every_field_is_carried_over() {
        let snapshot = Snapshot {
            frames: 7,
            genre: Some(Genre::Jazz),
            verdict: Verdict::Uncertain,
            confidence: 0.4,
            level_dbfs: -18.0,
            cost_ns: [1, 2, 3, 4],
            backend: Backend::OnnxWorker,
            quantization: Quantization::Int8,
            sample_rate: 44_100.0,
            ..Snapshot::default()
        };
        let c = IdiomSnapshot::from(&snapshot);
        assert_eq!((c.size, c.frames, c.posterior), (IdiomSnapshot::SIZE, 7, [0.2; 5]));
        assert_eq!((c.genre, c.verdict, c.backend, c.quantization), (2, 2, 2, 2));
        assert_eq!((c.confidence, c.level_dbfs, c.sample_rate), (0.4, -18.0, 44_100.0));
        assert_eq!(c.cost_ns, [1, 2, 3, 4]);
        assert_eq!(IdiomSnapshot::from(&Snapshot::default()).genre, -1);
    }

    /// The layout is a promise to programs that were compiled earlier.
    #[test]
    fn the_layout_is_fixed() {
        assert_eq!(IdiomSnapshot::SIZE, 104);
        assert_eq!(std::mem::offset_of!(IdiomSnapshot, frames), 8);
        assert_eq!(std::mem::offset_of!(IdiomSnapshot, genre), 36);
        assert_eq!(std::mem::offset_of!(IdiomSnapshot, cost_ns), 56);
        assert_eq!(std::mem::offset_of!(IdiomSnapshot, sample_rate), 96);
    }
}
