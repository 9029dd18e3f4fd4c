//! What an instance costs and how well it does: plain atomics that the audio thread and the worker count in, and the
//! numbers that others read off them, also as JSON.
//!
//! Counting takes a few nanoseconds and never waits. Times are kept in histograms of fixed size, four buckets an octave, so
//! that a percentile is right within 19 %; maxima are exact.

use crate::controls::{Backend, Quantization};
use crate::rt::cache::ENTRY_BYTES;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// Buckets of a histogram: number `i` counts times in `[2^(i/4), 2^((i+1)/4))` times 100 ns; the first also shorter and the
/// last also longer ones.
pub const BUCKETS: usize = 72;

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Once a frame: Fourier transform, bands, cepstrum.
    FrontEnd = 0,
    /// Once a frame: the network on the audio thread, and the cache with the worker backend.
    Network = 1,
    /// Once a frame: the decision.
    Decision = 2,
    /// Once a frame: the three above together.
    Frame = 3,
    /// Once a block: all but frames; the mix, for the most part.
    Mix = 4,
    /// Once a block: everything.
    Block = 5,
}

const STAGES: usize = 6;

/// Times of one stage.
#[derive(Debug)]
struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    max: AtomicU64,
}

impl Histogram {
    fn new() -> Histogram {
        Histogram { buckets: std::array::from_fn(|_| AtomicU64::new(0)), max: AtomicU64::new(0) }
    }

    fn count(&self, ns: u64) {
        let bucket = (4.0 * (ns.max(100) as f32 / 100.0).log2()) as usize;
        self.buckets[bucket.min(BUCKETS - 1)].fetch_add(1, Relaxed);
        self.max.fetch_max(ns, Relaxed);
    }

    fn counts(&self) -> [u64; BUCKETS] {
        std::array::from_fn(|i| self.buckets[i].load(Relaxed))
    }

    fn cost(&self) -> Cost {
        let counts = self.counts();
        let max_ns = self.max.load(Relaxed);
        // A bucket's upper edge may lie above the longest time in it.
        let at = |q| percentile(&counts, q).min(max_ns);
        Cost { count: counts.iter().sum(), p50_ns: at(0.50), p99_ns: at(0.99), max_ns }
    }
}

/// Upper edge in ns of the bucket that holds the `q` quantile; 0 when nothing was counted.
pub fn percentile(counts: &[u64; BUCKETS], q: f64) -> u64 {
    let total: u64 = counts.iter().sum();
    let rank = (total as f64 * q).ceil() as u64;
    let mut seen = 0;
    for (i, count) in counts.iter().enumerate() {
        seen += count;
        if seen >= rank && total > 0 {
            return (100.0 * f64::powf(2.0, (i + 1) as f64 / 4.0)) as u64;
        }
    }
    0
}

/// A clock that is read where one stage ends and the next begins. On every system that hosts run on, the monotonic clock is
/// read without entering the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Nanoseconds since the start or the last lap.
    pub fn lap(&mut self) -> u64 {
        let now = Instant::now();
        let lap = now.saturating_duration_since(std::mem::replace(&mut self.0, now));
        lap.as_nanos() as u64
    }
}

/// The counters themselves. The audio thread counts, but where it says otherwise.
#[derive(Debug)]
pub struct Meters {
    stages: [Histogram; STAGES],
    cache: [AtomicU64; 2],
    cache_entries: AtomicU64,
    late_blocks: AtomicU64,
    late_answers: AtomicU64,
    fallbacks: AtomicU64,
    swaps: AtomicU64,
    queue: [AtomicU64; 2],
    memory: AtomicU64,
}

impl Default for Meters {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Meters {
            stages: std::array::from_fn(|_| Histogram::new()),
            cache: [zero(), zero()],
            cache_entries: zero(),
            late_blocks: zero(),
            late_answers: zero(),
            fallbacks: zero(),
            swaps: zero(),
            queue: [zero(), zero()],
            memory: zero(),
        }
    }
}

impl Meters {
    /// A stage took this long.
    pub fn time(&self, stage: Stage, ns: u64) {
        self.stages[stage as usize].count(ns);
    }

    /// A half second was answered by the cache, or not.
    pub fn count_cache(&self, hit: bool) {
        self.cache[usize::from(!hit)].fetch_add(1, Relaxed);
    }

    /// Answers that the cache holds now.
    pub fn set_cache_entries(&self, entries: usize) {
        self.cache_entries.store(entries as u64, Relaxed);
    }

    /// A block took longer than its sound lasts, in real time.
    pub fn count_late_block(&self) {
        self.late_blocks.fetch_add(1, Relaxed);
    }

    /// The worker had not answered when the next question was due.
    pub fn count_late_answer(&self) {
        self.late_answers.fetch_add(1, Relaxed);
    }

    /// Something else than what the user chose took over. Audio thread and worker.
    pub fn count_fallback(&self) {
        self.fallbacks.fetch_add(1, Relaxed);
    }

    /// A new backend or model took over, as chosen.
    pub fn count_swap(&self) {
        self.swaps.fetch_add(1, Relaxed);
    }

    /// Messages that the worker has not taken yet.
    pub fn set_queue(&self, depth: usize) {
        self.queue[0].store(depth as u64, Relaxed);
        self.queue[1].fetch_max(depth as u64, Relaxed);
    }

    /// Bytes that the instance's recognition holds for itself.
    pub fn set_memory(&self, bytes: usize) {
        self.memory.store(bytes as u64, Relaxed);
    }

    /// Half seconds that the cache answered, and that it did not.
    pub fn cache(&self) -> [u64; 2] {
        [self.cache[0].load(Relaxed), self.cache[1].load(Relaxed)]
    }

    /// Answers in the cache.
    pub fn cache_entries(&self) -> u64 {
        self.cache_entries.load(Relaxed)
    }

    /// Changes of backend or model.
    pub fn swaps(&self) -> u64 {
        self.swaps.load(Relaxed)
    }

    /// How often a stage took how long, by bucket: see [`BUCKETS`].
    pub fn counts(&self, stage: Stage) -> [u64; BUCKETS] {
        self.stages[stage as usize].counts()
    }

    /// What a stage cost so far.
    pub fn cost(&self, stage: Stage) -> Cost {
        self.stages[stage as usize].cost()
    }
}

/// How long a stage took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// How often it was timed.
    pub count: u64,
    /// Median, rounded up by at most 19 %.
    pub p50_ns: u64,
    /// 99th percentile, rounded up by at most 19 %.
    pub p99_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

/// What every stage cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCosts {
    /// See [`Stage::FrontEnd`].
    pub front_end: Cost,
    /// See [`Stage::Network`].
    pub network: Cost,
    /// See [`Stage::Decision`].
    pub decision: Cost,
    /// See [`Stage::Frame`].
    pub frame: Cost,
    /// See [`Stage::Mix`].
    pub mix: Cost,
    /// See [`Stage::Block`].
    pub block: Cost,
}

/// The cache of the worker's answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CacheMetrics {
    /// Half seconds that it answered.
    pub hits: u64,
    /// Half seconds that it did not.
    pub misses: u64,
    /// Share of hits, `0..=1`; 0 when nothing was looked up.
    pub hit_rate: f64,
    /// Answers in it.
    pub entries: u64,
    /// Bytes that these take.
    pub bytes: u64,
}

/// What came too late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Late {
    /// Blocks that took longer than their sound lasts, in real time.
    pub blocks: u64,
    /// Questions to the worker that were not answered when the next one was due.
    pub answers: u64,
}

/// Messages to the worker that it has not taken yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// At the last block.
    pub depth: u64,
    /// The most there ever were.
    pub most: u64,
}

/// Everything counted of an instance since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Metrics {
    /// Host sample rate in Hz; 0 before the host activated the plugin.
    pub sample_rate: f32,
    /// What gave the last answer.
    pub backend: Backend,
    /// And in which arithmetic.
    pub quantization: Quantization,
    /// Frames of 20 ms that were analysed.
    pub frames: u64,
    /// Times.
    pub stages: StageCosts,
    /// The cache.
    pub cache: CacheMetrics,
    /// Missed deadlines.
    pub deadline_misses: Late,
    /// How often something else than what was chosen had to take over.
    pub fallbacks: u64,
    /// Changes of backend or model.
    pub swaps: u64,
    /// The way to the worker.
    pub worker_queue: Queue,
    /// Bytes that the instance's recognition holds for itself; weights are shared by all instances and not counted.
    pub memory_bytes: u64,
}

impl Metrics {
    /// Fills in what `meters` holds.
    pub(crate) fn with(self, meters: &Meters) -> Metrics {
        let [hits, misses] = meters.cache();
        let entries = meters.cache_entries();
        Metrics {
            stages: StageCosts {
                front_end: meters.cost(Stage::FrontEnd),
                network: meters.cost(Stage::Network),
                decision: meters.cost(Stage::Decision),
                frame: meters.cost(Stage::Frame),
                mix: meters.cost(Stage::Mix),
                block: meters.cost(Stage::Block),
            },
            cache: CacheMetrics {
                hits,
                misses,
                hit_rate: hits as f64 / (hits + misses).max(1) as f64,
                entries,
                bytes: entries * ENTRY_BYTES as u64,
            },
            deadline_misses: Late {
                blocks: meters.late_blocks.load(Relaxed),
                answers: meters.late_answers.load(Relaxed),
            },
            fallbacks: meters.fallbacks.load(Relaxed),
            swaps: meters.swaps(),
            worker_queue: Queue { depth: meters.queue[0].load(Relaxed), most: meters.queue[1].load(Relaxed) },
            memory_bytes: meters.memory.load(Relaxed),
            ..self
        }
    }

    /// As JSON, one object.
    pub fn to_json(&self) -> String {
        // Numbers, names of fields and plain enums: there is nothing that cannot be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// A table for a person.
impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<22} {:>9} {:>9} {:>9} {:>9}", "microseconds", "median", "99 %", "longest", "times")?;
        let us = |ns: u64| ns as f64 / 1000.0;
        let stages = [
            ("front end", self.stages.front_end),
            ("network", self.stages.network),
            ("decision", self.stages.decision),
            ("a frame, all of it", self.stages.frame),
            ("a block's mix", self.stages.mix),
            ("a block, all of it", self.stages.block),
        ];
        for (name, cost) in stages {
            let [p50, p99, max] = [cost.p50_ns, cost.p99_ns, cost.max_ns].map(us);
            writeln!(f, "{name:<22} {p50:>9.1} {p99:>9.1} {max:>9.1} {:>9}", cost.count)?;
        }
        let CacheMetrics { hits, misses, hit_rate, entries, bytes } = self.cache;
        if hits + misses > 0 {
            let percent = 100.0 * hit_rate;
            writeln!(
                f,
                "cache                  {percent:.1} % of {} found, {entries} answers, {bytes} bytes",
                hits + misses
            )?;
        }
        let Late { blocks, answers } = self.deadline_misses;
        writeln!(f, "missed deadlines       {blocks} blocks, {answers} answers of the worker")?;
        writeln!(f, "changes                {} as chosen, {} fallbacks", self.swaps, self.fallbacks)?;
        let Queue { depth, most } = self.worker_queue;
        writeln!(f, "waiting for the worker {depth}, {most} at most")?;
        write!(f, "memory                 {:.2} MB beside the shared weights", self.memory_bytes as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_within_a_bucket_and_the_maximum_exactly() {
        let meters = Meters::default();
        for ns in 1..=10_000u64 {
            meters.time(Stage::Mix, ns * 100);
        }
        let cost = meters.cost(Stage::Mix);
        assert_eq!((cost.count, cost.max_ns), (10_000, 1_000_000));
        assert!((500_000..=595_000).contains(&cost.p50_ns), "{cost:?}");
        assert!((990_000..=1_000_000).contains(&cost.p99_ns), "{cost:?}");
        assert_eq!(meters.cost(Stage::Block), Cost::default());
        for ns in [0, 1, u64::MAX] {
            meters.time(Stage::Block, ns);
        }
        assert_eq!((meters.cost(Stage::Block).count, meters.cost(Stage::Block).max_ns), (3, u64::MAX));
    }

    #[test]
    fn json_holds_every_number_and_reads_back() {
        let meters = Meters::default();
        meters.time(Stage::FrontEnd, 3_000);
        (0..9).for_each(|n| meters.count_cache(n > 0));
        meters.set_cache_entries(3);
        meters.count_late_block();
        (0..2).for_each(|_| meters.count_late_answer());
        (0..3).for_each(|_| meters.count_fallback());
        (0..4).for_each(|_| meters.count_swap());
        meters.set_queue(5);
        meters.set_queue(1);
        meters.set_memory(6_000_000);
        let metrics = Metrics { frames: 50, sample_rate: 44_100.0, ..Metrics::default() }.with(&meters);
        let value: serde_json::Value = serde_json::from_str(&metrics.to_json()).unwrap();
        for (path, wanted) in [
            ("/frames", 50),
            ("/stages/front_end/max_ns", 3_000),
            ("/stages/front_end/p50_ns", 3_000),
            ("/stages/block/count", 0),
            ("/cache/hits", 8),
            ("/cache/misses", 1),
            ("/cache/bytes", 3 * ENTRY_BYTES as u64),
            ("/deadline_misses/blocks", 1),
            ("/deadline_misses/answers", 2),
            ("/fallbacks", 3),
            ("/swaps", 4),
            ("/worker_queue/depth", 1),
            ("/worker_queue/most", 5),
            ("/memory_bytes", 6_000_000),
        ] {
            assert_eq!(value.pointer(path).and_then(|v| v.as_u64()), Some(wanted), "{path}");
        }
        assert_eq!(value.pointer("/cache/hit_rate").and_then(|v| v.as_f64()), Some(8.0 / 9.0));
        assert_eq!(serde_json::from_value::<Metrics>(value).unwrap(), metrics);
        let text = metrics.to_string();
        assert!(text.contains("88.9 % of 9 found") && text.contains("6.00 MB"), "{text}");
    }
}
