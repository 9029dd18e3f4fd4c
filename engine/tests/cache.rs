//! Repeated sound is found in the cache: loops of any length at any rate and tempo, from their second pass on.

mod engine_support;

use engine_support::{Noise, at, eager, engine};
use idiom_engine::genre::{GENRES, Posterior};
use idiom_engine::link::{AudioEnd, ToAudio, ToWorker, WorkerEnd, link};
use idiom_engine::metrics::Meters;
use idiom_engine::model::{Format, InputKind, onnx_write, random};
use idiom_engine::rt::cache::ENTRY_BYTES;
use idiom_engine::rt::cache_control::CacheControl;
use idiom_engine::rt::features::FrontEnd;
use idiom_engine::rt::frames::{Frame, Framer};
use idiom_engine::rt::history::History;
use idiom_engine::rt::recognizer::RemoteModel;
use idiom_engine::rt::remote::Remote;
use idiom_engine::worker::store::Opened;
use idiom_engine::worker::window::columns;
use idiom_engine::{Backend, CacheLimits, Handle, Quantization, Transport};
use std::collections::HashMap;
use std::sync::Arc;

/// Frames of the window that the model takes, as the shipped one: 3 s.
const WINDOW: usize = 150;

const MODEL: RemoteModel =
    RemoteModel { id: 7, input: InputKind::LogMel40, frames: WINDOW, ..RemoteModel::NONE };

/// The path from samples to the cache, with a model whose answers are a hash of all that it is given.
struct Path {
    framer: Framer,
    front: FrontEnd,
    history: History,
    remote: Remote,
    audio: AudioEnd,
    worker: WorkerEnd,
    meters: Meters,
    /// Frames that an answer takes.
    delay: usize,
    waited: usize,
    /// Hits and misses of each pass that was begun.
    passes: Vec<[u64; 2]>,
    seen: [u64; 2],
    /// The answer given for each window, by its columns.
    given: HashMap<Vec<u32>, Posterior>,
}

impl Path {
    fn new(rate: f32, delay: usize) -> Path {
        let front = FrontEnd::new(rate);
        let (audio, worker) = link(Arc::default(), None);
        Path {
            framer: Framer::new(front.hop()),
            remote: Remote::new(&front, Arc::new(CacheControl::default())),
            front,
            history: History::new(),
            audio,
            worker,
            meters: Meters::default(),
            delay,
            waited: 0,
            passes: vec![[0; 2]; 2],
            seen: [0; 2],
            given: HashMap::new(),
        }
    }

    /// Plays `length` samples of the song from `position` on in blocks of changing size.
    fn play(
        &mut self,
        song: &[f32],
        position: i64,
        length: usize,
        loop_start: Option<i64>,
        noise: &mut Noise,
    ) {
        let mut start = 0;
        while start < length {
            let end = length.min(start + 1 + noise.below(4000));
            let here = position + start as i64;
            let transport = Transport { playing: true, position: Some(here), loop_start };
            let mut block: Vec<f32> = (0..(end - start) as i64)
                .map(|i| song[(here + i).rem_euclid(song.len() as i64) as usize])
                .collect();
            self.block(transport, &mut block);
            start = end;
        }
    }

    fn block(&mut self, transport: Transport, block: &mut [f32]) {
        let length = block.len();
        let frame = self.framer.begin_block(transport).map(owned);
        frame.into_iter().for_each(|(samples, fresh)| self.hear(&samples, fresh));
        let mut start = 0;
        while start < length {
            let end = length.min(start + self.framer.run());
            let frame = self.framer.push(&[&mut *block], start, end).map(owned);
            frame.into_iter().for_each(|(samples, fresh)| self.hear(&samples, fresh));
            start = end;
        }
    }

    fn hear(&mut self, samples: &[f32], fresh: u32) {
        let features = *self.front.push(samples);
        self.history.push(&features, self.front.bands_db());
        let asked = self.remote.step(MODEL.into(), &self.history, fresh, 0.7, &mut self.audio, &self.meters);
        self.note(fresh);
        self.waited = if asked { 0 } else { self.waited + 1 };
        if self.remote.is_waiting() && self.waited >= self.delay {
            let Ok(ToWorker::Infer(mut request)) = self.worker.incoming.pop() else { panic!("a question") };
            let columns = columns(&request);
            assert_eq!(columns.len(), WINDOW * 40);
            let bits: Vec<u32> = columns.iter().map(|x| x.to_bits()).collect();
            let answer = confident(&bits);
            self.given.insert(bits, answer);
            request.answer = Some(answer);
            assert!(self.worker.outgoing.push(ToAudio::Answer(request)).is_ok());
            let Some(ToAudio::Answer(request)) = self.audio.receive() else { panic!("an answer") };
            self.remote.take_back(request, self.history.count());
        }
    }

    /// Enters new hits and misses under their pass. A pass that was too short for a question is asked about when the next one
    /// has begun.
    fn note(&mut self, fresh: u32) {
        let now = self.meters.cache();
        let last = self.passes.len() - 1;
        let missed = now[1] > self.seen[1];
        let pass = if missed && fresh <= 1 { last - 1 } else { last };
        (0..2).for_each(|k| self.passes[pass][k] += now[k] - self.seen[k]);
        self.seen = now;
    }

    fn begin_pass(&mut self) {
        self.passes.push([0; 2]);
    }

    /// Hits and misses during `work`.
    fn during(&mut self, work: impl FnOnce(&mut Path)) -> [u64; 2] {
        let before = self.meters.cache();
        work(self);
        let after = self.meters.cache();
        [after[0] - before[0], after[1] - before[1]]
    }
}

fn owned(frame: Frame<'_>) -> (Vec<f32>, u32) {
    (frame.samples.to_vec(), frame.fresh)
}

/// A posterior that leads clearly, drawn from the numbers' hash.
fn confident(bits: &[u32]) -> Posterior {
    let hash = bits.iter().fold(7u64, |hash, x| (hash ^ u64::from(*x)).wrapping_mul(0x100_0000_01b3));
    let mut p = [0.01; GENRES];
    p[hash as usize % GENRES] = 0.96;
    Posterior(p)
}

/// A song that repeats nothing: noise in all bands that swells and fades, and a melody.
fn song(rate: f32, seconds: f32) -> Vec<f32> {
    let mut noise = Noise::new(9);
    let (mut low, mut pitch, mut gain) = (0.0, 200.0, 0.1);
    (0..(rate * seconds) as usize)
        .map(|i| {
            if i % (rate * 0.13) as usize == 0 {
                pitch = 110.0 * (1.0 + 8.0 * noise.next().abs());
                gain = 0.02 + 0.3 * noise.next().abs();
            }
            let white = noise.next();
            low += 0.1 * (white - low);
            let tone = (std::f32::consts::TAU * pitch * i as f32 / rate).sin();
            gain * (0.5 * tone + white * 0.1 + low)
        })
        .collect()
}

const RATES: [f32; 8] = [22_050.0, 32_000.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0, 192_000.0];

/// Tempo, length in beats and place of a loop at random. At least 90 % hits in the second pass and 99 % from the third on, for
/// each loop by itself: with less than ten or a hundred look-ups that means all.
#[test]
fn loops_of_any_musical_length_are_found_from_the_second_pass_on() {
    let mut noise = Noise::new(11);
    let songs: Vec<Vec<f32>> = RATES.iter().map(|rate| song(*rate, 10.0)).collect();
    let mut total = [[0; 2]; 3];
    for case in 0..96 {
        let (rate, song) = (RATES[case % RATES.len()], &songs[case % RATES.len()]);
        let bpm = 40.0 + 200.0 * noise.next().abs();
        let mut beats = [0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 8.0, 16.0][noise.below(9)];
        while beats * 60.0 / bpm > 9.0 {
            beats /= 2.0;
        }
        // The true length is no whole number of samples: passes differ by one.
        let length = f64::from(beats * 60.0 / bpm) * f64::from(rate);
        let from = noise.below(4_000_000) as i64 - 2_000_000;
        // Every third loop is entered from before with the host telling where it begins, every third by a jump.
        let loop_start = (case % 3 == 0).then_some(from);
        let mut path = Path::new(rate, noise.below(4));
        // At least the shortest passage, or the jump out of it is no seam.
        let lead_in = rate as usize / 5 + noise.below(4 * rate as usize);
        match case % 3 {
            0 => path.play(song, from - lead_in as i64, lead_in, loop_start, &mut noise),
            1 => path.play(song, from + 777_777, lead_in, loop_start, &mut noise),
            _ => {}
        }
        for pass in 0..7 {
            let samples = ((pass + 1) as f64 * length) as usize - (pass as f64 * length) as usize;
            path.begin_pass();
            path.play(song, from, samples, loop_start, &mut noise);
        }
        // The last pass may not have been asked about yet.
        let first = path.passes.len() - 7;
        for (pass, counts) in path.passes[first..first + 6].iter().enumerate() {
            let [hits, misses] = *counts;
            let share = [0.0, 0.9, 0.99][pass.min(2)];
            let fine = hits as f64 >= share * (hits + misses) as f64;
            let passes = &path.passes;
            assert!(fine, "case {case}, {rate} Hz, {bpm} bpm, {beats} beats, pass {pass}: {passes:?}");
            (0..2).for_each(|k| total[pass.min(2)][k] += counts[k]);
        }
    }
    println!("hits and misses of the first, the second and later passes: {total:?}");
    assert!(total[0][1] > 200 && total[1][0] > 200 && total[2][0] > 1000, "{total:?}");
}

/// No transport: the window reaches back whatever came, so a repeat is found once the window holds nothing else.
#[test]
fn repeats_of_whole_frames_are_found_without_a_transport() {
    let mut noise = Noise::new(12);
    for (case, frames) in [1, 3, 7, 24, 25, 26, 49, 77, 149, 150, 151, 333, 400].into_iter().enumerate() {
        let rate = RATES[case % RATES.len()];
        let song = song(rate, 8.1);
        let mut path = Path::new(rate, 0);
        let length = frames * path.front.hop();
        let mut pass = |path: &mut Path| {
            let mut start = 0;
            while start < length {
                let end = length.min(start + 1 + noise.below(3000));
                path.block(Transport::default(), &mut song[start..end].to_vec());
                start = end;
            }
        };
        // Until the window is full of it, and a pass to learn it, rounded up to the lag of the last question.
        (0..(WINDOW + 3).div_ceil(frames) + 1 + 25_usize.div_ceil(frames)).for_each(|_| pass(&mut path));
        let [hits, misses] = path.during(|path| (0..500_usize.div_ceil(frames)).for_each(|_| pass(path)));
        assert!(hits >= 15 && misses == 0, "{frames} frames: {hits} hits, {misses} misses");
    }
}

#[test]
fn a_song_that_never_repeats_is_never_found() {
    let rate = 48_000.0;
    let mut path = Path::new(rate, 0);
    let song = song(rate, 120.0);
    let [hits, misses] = path.during(|path| path.play(&song, 0, song.len(), None, &mut Noise::new(1)));
    assert!(misses >= 230, "{hits} {misses}");
    assert_eq!(hits, 0);
    assert_eq!(path.given.len() as u64, misses, "no window was asked about twice");
}

/// The passages of a loop are asked about once, whatever was played before: the answers depend on nothing else.
#[test]
fn an_answer_depends_on_its_own_window_only() {
    let rate = 44_100.0;
    let song = song(rate, 20.0);
    let asked = |before: i64| {
        let mut path = Path::new(rate, 0);
        let mut noise = Noise::new(3);
        path.play(&song, 300_000 + before, 100_000, None, &mut noise);
        path.given.clear();
        path.play(&song, 12_345, 200_000, None, &mut noise);
        // The first is about the end of what was played before.
        let mut windows: Vec<Vec<u32>> = path.given.into_keys().collect();
        windows.sort();
        windows
    };
    let (one, other) = (asked(0), asked(77_777));
    assert!(one.len() >= 8, "{}", one.len());
    assert_eq!(one, other);
}

fn loops(handle: &Handle, passes: usize, see: impl FnMut(Posterior)) {
    let mut engine = engine(handle, 48_000.0, true, (Backend::OnnxWorker, Quantization::Int8));
    let sound = song(48_000.0, 4.0);
    let (length, mut see) = (190_123, see);
    for _ in 0..passes {
        let mut start = 0;
        while start < length {
            let end = length.min(start + 480);
            let mut left = sound[start..end].to_vec();
            let mut right = left.clone();
            engine.process(&mut [&mut left, &mut right], at(5_000 + start), &eager());
            see(handle.telemetry().snapshot().posterior);
            start = end;
        }
    }
}

#[test]
fn an_answer_from_the_cache_is_the_answer_of_the_model() {
    let render = |limits: CacheLimits| {
        let handle = Handle::new();
        handle.set_cache_limits(limits);
        let mut posteriors = vec![];
        loops(&handle, 3, |p| posteriors.push(p));
        (posteriors, handle.telemetry().snapshot())
    };
    let (with, seen) = render(CacheLimits::default());
    let (without, unseen) = render(CacheLimits { entries: 0, ..CacheLimits::default() });
    assert!(seen.cache[0] >= 14 && seen.cache[1] <= 10, "{:?}", seen.cache);
    assert_eq!((unseen.cache[0], unseen.cache_entries), (0, 0));
    assert!(with == without);
}

#[test]
fn limits_and_clearing_are_obeyed_while_playing() {
    let handle = Handle::new();
    let counts = |handle: &Handle| handle.telemetry().snapshot().cache;
    let few = CacheLimits { entries: 3, ..CacheLimits::default() };
    handle.set_cache_limits(few);
    assert_eq!(handle.cache_limits(), few);
    loops(&handle, 3, |_| assert!(handle.telemetry().snapshot().cache_entries <= 3));
    assert_eq!(counts(&handle)[0], 0, "a loop of more answers than there is room for is never found");

    let bytes = 4 * ENTRY_BYTES;
    handle.set_cache_limits(CacheLimits { bytes, ..CacheLimits::default() });
    loops(&handle, 1, |_| assert!(handle.telemetry().snapshot().cache_entries <= 4));
    // Shorter than a pass.
    handle.set_cache_limits(CacheLimits { ttl_s: 1.0, ..CacheLimits::default() });
    loops(&handle, 3, |_| assert!(handle.telemetry().snapshot().cache_entries <= 6));
    assert_eq!(counts(&handle)[0], 0);

    handle.set_cache_limits(CacheLimits::default());
    let mut n = 0;
    loops(&handle, 2, |_| {
        n += 1;
        // Near the end of the second pass.
        if n == 780 {
            assert!(handle.telemetry().snapshot().cache_entries >= 6);
            handle.clear_cache();
        }
        if n == 783 {
            assert_eq!(handle.telemetry().snapshot().cache_entries, 0);
        }
    });
    assert!(counts(&handle)[0] > 0);
}

/// Answers are kept under the model's number: other weights, another version or another description is another model.
#[test]
fn another_version_of_a_model_is_another_model() {
    let number = |version: &str, seed, classes: Option<&str>| {
        let mut model = random::flagship(seed);
        model.meta.version = version.into();
        let sidecar = classes.map(|classes| ("classes".to_owned(), classes.to_owned()));
        let opened = Opened::File {
            name: "mine.onnx".into(),
            bytes: onnx_write::write(&model).unwrap().into(),
            sidecar: sidecar.into_iter().collect(),
        };
        opened.fingerprint(Format::Onnx, Quantization::Fp32)
    };
    let first = number("2026.1", 1, None);
    assert_eq!(number("2026.1", 1, None), first);
    for other in
        [number("2026.2", 1, None), number("2026.1", 2, None), number("2026.1", 1, Some("rain,wind"))]
    {
        assert_ne!(other, first);
    }
}
