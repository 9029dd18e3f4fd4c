//! Which quantization is best on this machine: measured once, remembered, explained.
//!
//! [`Quantization::Auto`] plays INT8 where it is not slower than FP32 and says the same. Both are played over the same ten
//! seconds of made-up music and noise, in turns, when a model is chosen for the first time; what was found is kept in the user's
//! cache folder under the model's files and the processor.

use super::store::{self, Opened};
use super::user::write_whole;
use crate::controls::Quantization;
use crate::model::{Format, random::Rng};
use crate::rt::features::columns::Columns;
use crate::rt::net::Network;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// INT8 is played when it agrees with FP32 in at least this share of frames,
const LEAST_AGREEMENT: f32 = 0.9;
/// and is at least this many times as fast: as long as it is not slower, its smaller weights leave more of the processor's
/// cache to others.
const LEAST_SPEEDUP: f32 = 0.95;
/// Turns that each network gets, and frames a turn. The fastest turn of many short ones counts: the machine may be busy with
/// something else during most of them, and what is found is remembered.
const ROUNDS: usize = 25;
const FRAMES: usize = 20;

/// What was found on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// Time of FP32 over time of INT8.
    pub speedup: f32,
    /// Share of frames in which both name the same class, `0..=1`.
    pub agreement: f32,
}

impl Measurement {
    /// What to play, and why in words.
    pub fn verdict(&self) -> (Quantization, String) {
        let Measurement { speedup, agreement } = *self;
        let percent = 100.0 * agreement;
        let faster = if speedup >= 1.0 {
            format!("{speedup:.1}x faster here than FP32")
        } else {
            format!("{:.1}x slower here than FP32", 1.0 / speedup.max(1e-3))
        };
        if agreement >= LEAST_AGREEMENT && speedup >= LEAST_SPEEDUP {
            (Quantization::Int8, format!("INT8: {faster}, agreement {percent:.1} %"))
        } else {
            (Quantization::Fp32, format!("FP32: INT8 is {faster}, agreement {percent:.1} %"))
        }
    }
}

/// Where measurements come from. Tests put their own in, so that nothing depends on the machine.
pub type Measure = fn(&mut Network, &mut Network) -> Measurement;

/// How to measure, and what is known already, by [`key`].
struct Memory {
    measure: Measure,
    file: Option<PathBuf>,
    known: BTreeMap<String, Measurement>,
}

static MEMORY: Mutex<Option<Memory>> = Mutex::new(None);

/// From now on measurements come from `measure` and are remembered in `file`, or not beyond the process. What is known
/// is forgotten, and the built-in model is measured at once. For tests.
pub fn measure_by(measure: Measure, file: Option<PathBuf>) {
    let mut memory = Memory::new(measure, file);
    for format in [Format::Onnx, Format::Tflite] {
        memory.choose(&Opened::Shipped, format);
    }
    *MEMORY.lock().unwrap_or_else(PoisonError::into_inner) = Some(memory);
}

/// The file of measurements: `auto.json` in `$IDIOM_AUTO`'s place, else in `idiom` in the user's cache folder.
fn file() -> Option<PathBuf> {
    match std::env::var_os("IDIOM_AUTO") {
        Some(path) if !path.is_empty() => Some(PathBuf::from(path)),
        _ => Some(dirs::cache_dir()?.join("idiom").join("auto.json")),
    }
}

/// What the file holds; nothing when it is missing or damaged, for it can be measured again.
fn remembered(file: &Path) -> BTreeMap<String, Measurement> {
    let text = std::fs::read(file).ok().filter(|text| text.len() < 1 << 20);
    let known: BTreeMap<String, Measurement> =
        text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let sound =
        |m: &Measurement| m.speedup.is_finite() && m.speedup > 0.0 && (0.0..=1.0).contains(&m.agreement);
    known.into_iter().filter(|(_, m)| sound(m)).collect()
}

/// What to play of a source that is there in FP32 and INT8, and why in words; `None` for one that is not. Measures when
/// that was not done on this machine before, which takes some hundredths of a second.
pub fn choose(source: &Opened, format: Format) -> Option<(Quantization, String)> {
    with_memory(source, |memory| memory.choose(source, format))
}

/// The same without measuring: `None` also when it was not measured yet.
pub fn known(source: &Opened, format: Format) -> Option<(Quantization, String)> {
    with_memory(source, |memory| memory.known.get(&key(source, format)).map(Measurement::verdict))
}

fn with_memory<T>(source: &Opened, ask: impl FnOnce(&mut Memory) -> Option<T>) -> Option<T> {
    // A file is what it is.
    if matches!(source, Opened::File { .. }) {
        return None;
    }
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    ask(memory.get_or_insert_with(|| Memory::new(measure, file())))
}

impl Memory {
    fn new(measure: Measure, file: Option<PathBuf>) -> Memory {
        Memory { measure, known: file.as_deref().map(remembered).unwrap_or_default(), file }
    }

    fn choose(&mut self, source: &Opened, format: Format) -> Option<(Quantization, String)> {
        let key = key(source, format);
        if let Some(known) = self.known.get(&key) {
            return Some(known.verdict());
        }
        let [mut fp32, mut int8] = [Quantization::Fp32, Quantization::Int8].map(|quantization| {
            store::load(source, format, quantization).map(|loaded| loaded.network.clone()).ok()
        });
        let found = (self.measure)(fp32.as_mut()?, int8.as_mut()?);
        self.known.insert(key.clone(), found);
        if let Some(file) = &self.file {
            // Another instance of the program may have written meanwhile. That nothing could be written only means that it
            // is measured again.
            let mut all = remembered(file);
            all.insert(key, found);
            let text = serde_json::to_vec_pretty(&all).unwrap_or_default();
            let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
            folder.and_then(|()| write_whole(file, &text)).ok();
        }
        Some(found.verdict())
    }
}

/// The model's files and the processor.
fn key(source: &Opened, format: Format) -> String {
    let [fp32, int8] = [Quantization::Fp32, Quantization::Int8].map(|q| source.fingerprint(format, q));
    format!("{fp32:016x} {int8:016x} {}", processor())
}

/// The processor's name.
fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::__cpuid;
        #[allow(unused_unsafe, reason = "safe in newer versions of the standard library")]
        // SAFETY: every x86-64 processor has the instruction; leaves that it does not have are not asked for.
        let leaf = |leaf: u32| unsafe { __cpuid(leaf) };
        if leaf(0x8000_0000).eax >= 0x8000_0004 {
            let words = (0x8000_0002..=0x8000_0004).map(leaf).flat_map(|r| [r.eax, r.ebx, r.ecx, r.edx]);
            let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).take_while(|byte| *byte != 0).collect();
            return String::from_utf8_lossy(&bytes).trim().to_owned();
        }
    }
    format!("{} {}", std::env::consts::ARCH, crate::rt::net::Kernel::detect().label())
}

/// Plays both networks over the same sound, in turns.
fn measure(fp32: &mut Network, int8: &mut Network) -> Measurement {
    let columns = sound(fp32);
    let (mut times, mut agreeing) = ([Vec::new(), Vec::new()], 0);
    for round in columns.chunks_exact(FRAMES) {
        let mut classes = [Vec::with_capacity(FRAMES), Vec::with_capacity(FRAMES)];
        for (network, (times, classes)) in
            [&mut *fp32, &mut *int8].into_iter().zip(times.iter_mut().zip(&mut classes))
        {
            let started = Instant::now();
            classes.extend(round.iter().map(|column| top(network.push(column))));
            times.push(started.elapsed().as_secs_f32());
        }
        agreeing += classes[0].iter().zip(&classes[1]).filter(|(a, b)| a == b).count();
    }
    let [fp32, int8] = times.map(|times| times.into_iter().fold(f32::INFINITY, f32::min));
    Measurement { speedup: fp32 / int8.max(1e-9), agreement: agreeing as f32 / (ROUNDS * FRAMES) as f32 }
}

fn top(probabilities: &[f32]) -> usize {
    (0..probabilities.len()).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b])).unwrap_or(0)
}

/// Columns of ten seconds in which syllables, chords, beats and noise take turns.
fn sound(network: &Network) -> Vec<Vec<f32>> {
    let mut front = Columns::new(network.input(), 48_000.0);
    let mut rng = Rng(1);
    let mut at = 0;
    let frames = (0..ROUNDS * FRAMES).map(|_| {
        let frame: Vec<f32> = (0..front.hop())
            .map(|_| {
                at += 1;
                let t = at as f32 / 48_000.0;
                let tone = |hz: f32| (std::f32::consts::TAU * hz * t).sin();
                let beat = (-8.0 * (2.0 * t).fract()).exp();
                let noise = rng.signed();
                match (t / 0.7) as usize % 4 {
                    0 => tone(4.0).max(0.0) * (0.2 * tone(140.0) + 0.1 * tone(560.0) + 0.05 * noise),
                    1 => 0.1 * (tone(220.0) + tone(277.2) + tone(329.6)) + 0.4 * beat * tone(55.0),
                    2 => 0.3 * noise * beat + 0.1 * tone(880.0).signum() * (1.0 - beat),
                    _ => 0.1 * (tone(440.0) + tone(660.0)) + 0.02 * noise,
                }
            })
            .collect();
        front.push(&frame).1.to_vec()
    });
    frames.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_is_explained() {
        let verdict = |speedup, agreement| Measurement { speedup, agreement }.verdict();
        assert_eq!(
            verdict(1.94, 0.996),
            (Quantization::Int8, "INT8: 1.9x faster here than FP32, agreement 99.6 %".into())
        );
        assert_eq!(
            verdict(0.5, 1.0),
            (Quantization::Fp32, "FP32: INT8 is 2.0x slower here than FP32, agreement 100.0 %".into())
        );
        assert_eq!(verdict(3.0, 0.5).0, Quantization::Fp32);
    }

    #[test]
    fn the_shipped_networks_agree_and_a_network_agrees_with_itself() {
        let load = |quantization| {
            store::load(&Opened::Shipped, Format::Onnx, quantization).expect("it loads").network.clone()
        };
        let found = measure(&mut load(Quantization::Fp32), &mut load(Quantization::Int8));
        assert!(found.agreement >= LEAST_AGREEMENT && found.speedup > 0.0, "{found:?}");
        let same = measure(&mut load(Quantization::Fp32), &mut load(Quantization::Fp32));
        assert_eq!(same.agreement, 1.0);
    }

    #[test]
    fn what_was_measured_once_is_remembered_by_the_next_process() {
        let folder = std::env::temp_dir().join(format!("idiom-auto-{}", std::process::id()));
        let file = folder.join("deep").join("auto.json");
        let mut first = Memory::new(|_, _| Measurement { speedup: 0.5, agreement: 1.0 }, Some(file.clone()));
        let slower = first.choose(&Opened::Shipped, Format::Onnx).expect("it is there in both");
        assert_eq!(slower.0, Quantization::Fp32);
        let mut next = Memory::new(|_, _| panic!("it is measured again"), Some(file));
        assert_eq!(next.choose(&Opened::Shipped, Format::Onnx), Some(slower));
        std::fs::remove_dir_all(folder).ok();
    }

    #[test]
    fn a_damaged_memory_is_no_memory() {
        let file = std::env::temp_dir().join(format!("idiom-auto-{}.json", std::process::id()));
        for text in ["", "[1, 2]", "{\"a\": {\"speedup\": 1e99, \"agreement\": 0.5}}", "{\"a\": 3}"] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(remembered(&file), BTreeMap::new(), "{text}");
        }
        std::fs::write(&file, "{\"a\": {\"speedup\": 2.0, \"agreement\": 0.5}}").unwrap();
        assert_eq!(remembered(&file)["a"], Measurement { speedup: 2.0, agreement: 0.5 });
        std::fs::remove_file(&file).ok();
        assert_eq!(remembered(&file), BTreeMap::new());
    }
}
