//! The comparison of models: one row a model, as a table, JSON and Markdown.

use super::measure::{self, Answers, Cost, Throughput, points};
use super::passes::Story;
use super::peers::{PeerTime, Peers, Subject};
use super::sounds::{Sounds, WINDOW};
use crate::eval::Report;
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::{Result, ensure};
use idiom_engine::model::Model;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// Windows that the noise of layers is measured on, and frames of each.
const WINDOWS: usize = 16;
const FRAMES: usize = 150;

/// Signal-to-noise ratios above that of 24 bits are no noise.
const NO_NOISE_DB: f32 = 150.0;

/// One model to compare.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Name in the table, usually the file's.
    pub name: String,
    /// The model.
    pub model: Model,
    /// Size of its file.
    pub bytes: usize,
    /// The file, for the engine that reads its format.
    pub path: Option<PathBuf>,
    /// How it came about, where the optimizer made it.
    pub story: Option<Story>,
}

/// What is measured only when asked for.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// Throughput is measured for up to so many streams side by side; 0 leaves it out.
    pub streams: usize,
    /// A Python with ONNX Runtime and LiteRT, in which the networks are timed too.
    pub python: Option<PathBuf>,
}

/// What was measured of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Name.
    pub name: String,
    /// Arithmetic.
    pub arithmetic: String,
    /// Size of the file.
    pub bytes: usize,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-adds a frame.
    pub multiply_adds: usize,
    /// Time in microseconds: one frame played on, and a window of 150 frames.
    pub cost: Cost,
    /// Time of a window in other engines; empty when not asked for, or when they do not run the file.
    pub peers: Vec<PeerTime>,
    /// Time of a frame by the 20 ms that it lasts.
    pub real_time_factor: f64,
    /// Frames a second on one core by the number of streams; empty when not asked for.
    pub throughput: Vec<Throughput>,
    /// How right it is; `None` without labelled sounds.
    pub report: Option<Report>,
    /// Recall of each class less that of the first model, in points; `None` where the class is not among the sounds.
    pub class_change: Vec<Option<f64>>,
    /// Share of sounds and excerpts that are named as by the first model.
    pub agreement: f64,
    /// Signal-to-quantization-noise ratio of each layer against the first model, in dB; `None` when shapes differ.
    pub layer_noise: Option<Vec<f32>>,
    /// No other model is at once smaller or equal, faster or equal, and righter or equal, and better in one of them.
    pub pareto: bool,
    /// How it came about, where the optimizer made it.
    pub story: Option<Story>,
}

/// A comparison. The first model is what the others are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Where the sounds come from, how many there are, and the hash of what was heard.
    pub sounds: String,
    /// What measured: this program and the instructions that ran.
    pub tool: String,
    /// One row a model.
    pub rows: Vec<Row>,
}

/// Compares models on sounds. The first one should be the unoptimized FP32 model.
///
/// # Errors
/// When there is no model, the classes differ, the executor cannot run one, the Python that was named cannot be run, or the
/// user interrupts.
pub fn compare(entries: &[Entry], sounds: &Sounds, extra: &Extra) -> Result<Comparison> {
    let Some(first) = entries.first() else { anyhow::bail!("there is no model to compare") };
    for entry in entries {
        ensure!(
            entry.model.meta.classes == first.model.meta.classes
                && entry.model.meta.features == first.model.meta.features,
            "{}: has other classes or features than {}; compare models for the same sounds",
            entry.name,
            first.name
        );
    }
    let models: Vec<&Model> = entries.iter().map(|entry| &entry.model).collect();
    let mut peers = extra.python.as_deref().map(|python| start_peers(python, entries)).transpose()?;
    let (costs, times) = measure::costs(&models, peers.as_mut())?;
    let of_entry: Vec<String> =
        peers.iter().flat_map(|peers| peers.cases()).map(|case| case.label.clone()).collect();
    let windows = sounds.windows(WINDOWS, FRAMES);
    let reference = Answers::of(&first.model, sounds)?;
    let recalls = |report: &Option<Report>| -> Vec<Option<f64>> {
        report.iter().flat_map(|report| report.per_class.iter().map(|class| class.recall)).collect()
    };
    let before = recalls(&reference.report(sounds));
    let bar = progress_bar(entries.len() as u64, "comparing");
    let mut rows = Vec::new();
    for (i, (entry, cost)) in entries.iter().zip(costs).enumerate() {
        interrupt::check()?;
        let answers = Answers::of(&entry.model, sounds)?;
        let report = answers.report(sounds);
        let change = recalls(&report).into_iter().zip(&before).map(|(a, b)| Some(100.0 * (a? - (*b)?)));
        let label = subject(i, entry).label;
        let in_peers = of_entry.iter().zip(&times).filter(|(of, _)| **of == label);
        rows.push(Row {
            peers: in_peers.map(|(_, time)| time.clone()).collect(),
            name: entry.name.clone(),
            arithmetic: arithmetic(&entry.model),
            bytes: entry.bytes,
            parameters: entry.model.parameters(),
            multiply_adds: entry.model.macs_per_frame(),
            cost,
            real_time_factor: cost.streaming.p50 / 20_000.0,
            throughput: measure::throughput(&entry.model, extra.streams)?,
            class_change: change.collect(),
            report,
            agreement: reference.agreement(&answers),
            layer_noise: measure::layer_noise(&first.model, &entry.model, &windows)?,
            pareto: false,
            story: entry.story.clone(),
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    mark_front(&mut rows);
    let kernel = idiom_engine::rt::net::Kernel::detect().label();
    let mut engines: Vec<&str> = times.iter().map(|time| time.engine.as_str()).collect();
    engines.sort_unstable();
    engines.dedup();
    Ok(Comparison {
        sounds: format!("{} ({} clips, {})", sounds.name, sounds.clips.len(), sounds.hash()),
        tool: format!(
            "idiom {}, {kernel}{}",
            env!("CARGO_PKG_VERSION"),
            engines.iter().fold(String::new(), |all, engine| all + ", " + engine)
        ),
        rows,
    })
}

/// Other engines with the entries' networks. What they do not run, or answer otherwise, is said.
fn start_peers(python: &Path, entries: &[Entry]) -> Result<Peers> {
    let subject = |(i, entry)| subject(i, entry);
    let peers = Peers::start(python, WINDOW, &entries.iter().enumerate().map(subject).collect::<Vec<_>>())?;
    peers.remarks().iter().for_each(|remark| eprintln!("idiom: not timed: {remark}"));
    peers.notes().iter().for_each(|note| eprintln!("idiom: note: {note}"));
    Ok(peers)
}

/// An entry for other engines. Two files may have the same name, so its row belongs to the label.
fn subject(i: usize, entry: &Entry) -> Subject<'_> {
    let label = format!("{} (row {})", entry.name, i + 1);
    Subject { label, model: &entry.model, file: entry.path.as_deref() }
}

/// `INT8`, or how many layers are.
fn arithmetic(model: &Model) -> String {
    let whole = model.layers.iter().filter(|layer| layer.is_int8()).count();
    if whole > 0 && whole < model.layers.len() {
        format!("INT8 {whole}/{}", model.layers.len())
    } else {
        model.quantization().label().to_owned()
    }
}

/// Accuracy in points, or agreement where nothing is labelled.
fn rightness(row: &Row) -> f64 {
    row.report.as_ref().map_or(100.0 * row.agreement, points)
}

fn mark_front(rows: &mut [Row]) {
    // Smaller is better in all three.
    let scores: Vec<[f64; 3]> =
        rows.iter().map(|row| [row.bytes as f64, row.cost.streaming.p50, -rightness(row)]).collect();
    for (i, row) in rows.iter_mut().enumerate() {
        let beaten = |other: &[f64; 3]| {
            other.iter().zip(&scores[i]).all(|(a, b)| a <= b)
                && other.iter().zip(&scores[i]).any(|(a, b)| a < b)
        };
        row.pareto = !scores.iter().any(beaten);
    }
}

impl Row {
    /// The window in other engines, `-` where there is none.
    fn elsewhere(&self) -> String {
        let time = |peer: &PeerTime| {
            let engine = peer.engine.rsplit_once(' ').map_or(peer.engine.as_str(), |(name, _)| name);
            format!("{engine} {:.0} ({:.1}x)", peer.window, peer.window / self.cost.windowed.p50.max(1e-9))
        };
        let times: Vec<String> = self.peers.iter().map(time).collect();
        if times.is_empty() { "-".into() } else { times.join(", ") }
    }

    /// What the table and Markdown show, in the order of [`HEAD`].
    fn cells(&self, first: &Row) -> [String; 13] {
        let report = self.report.as_ref();
        let percent = |share: Option<f64>| share.map_or("-".into(), |share| format!("{:.1}", 100.0 * share));
        let noise = self.layer_noise.as_ref().and_then(|noise| noise.last());
        let smaller = 100.0 * (1.0 - self.bytes as f64 / first.bytes.max(1) as f64);
        [
            format!("{}{}", if self.pareto { "* " } else { "  " }, self.name),
            self.arithmetic.clone(),
            format!("{} ({smaller:.0} %)", self.bytes),
            self.parameters.to_string(),
            self.multiply_adds.to_string(),
            format!("{:.2} / {:.2}", self.cost.streaming.p50, self.cost.streaming.p99),
            format!("{:.0} / {:.0}", self.cost.windowed.p50, self.cost.windowed.p99),
            self.elsewhere(),
            format!("{:.1}x", first.cost.streaming.p50 / self.cost.streaming.p50.max(1e-9)),
            format!("{:.5}", self.real_time_factor),
            format!(
                "{} / {}",
                percent(report.map(|r| r.balanced_accuracy_clip)),
                percent(report.and_then(|r| r.balanced_accuracy_3s))
            ),
            percent(report.map(|r| r.macro_f1)),
            format!(
                "{:.1}{}",
                100.0 * self.agreement,
                noise.map_or(String::new(), |db| format!(", {db:.0} dB"))
            ),
        ]
    }
}

impl Row {
    /// What has no room in the table: throughput, recall that moved, the noise of each layer.
    fn details(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut say = |what: &str, values: Vec<String>| {
            if !values.is_empty() {
                lines.push(format!("{what}: {}", values.join(", ")));
            }
        };
        let point = |t: &Throughput| format!("{}: {:.0}", t.streams, t.frames_per_second);
        say("frames a second on one core by streams", self.throughput.iter().map(point).collect());
        let classes = self.report.iter().flat_map(|report| &report.classes);
        let moved = self.class_change.iter().zip(classes).filter_map(|(change, class)| {
            change.filter(|points| points.abs() >= 0.05).map(|points| format!("{class} {points:+.1}"))
        });
        say("recall, points more than the first", moved.collect());
        // The first model has no noise against itself.
        let noise = self.layer_noise.iter().flatten().filter(|db| **db < NO_NOISE_DB);
        say("signal to quantization noise layer by layer, dB", noise.map(|db| format!("{db:.0}")).collect());
        lines
    }
}

/// Headings of the table.
const HEAD: [&str; 13] = [
    "model (* Pareto front)",
    "arithmetic",
    "bytes (smaller by)",
    "parameters",
    "MAC/frame",
    "frame us p50/p99",
    "window us p50/p99",
    "window elsewhere us (times ours)",
    "speed",
    "real time",
    "balanced % clip/3 s",
    "F1 %",
    "same answers %, logits",
];

impl Comparison {
    fn cells(&self) -> Vec<[String; 13]> {
        let Some(first) = self.rows.first() else { return Vec::new() };
        self.rows.iter().map(|row| row.cells(first)).collect()
    }

    /// As a Markdown document.
    pub fn markdown(&self) -> String {
        let mut out =
            format!("Measured on {} with {}.\n\n| {} |\n", self.sounds, self.tool, HEAD.join(" | "));
        out += &format!("|{}\n", "---|".repeat(HEAD.len()));
        for cells in self.cells() {
            out += &format!("| {} |\n", cells.map(|cell| cell.trim().replace("* ", "**\\*** ")).join(" | "));
        }
        for row in &self.rows {
            let steps = row.story.iter().flat_map(|story| story.steps.clone());
            let lines: Vec<String> = steps.chain(row.details()).collect();
            if !lines.is_empty() {
                out += &format!("\n**{}**\n\n", row.name);
                lines.iter().for_each(|line| out += &format!("- {line}\n"));
            }
        }
        out
    }
}

impl fmt::Display for Comparison {
    /// As a table for a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = vec![HEAD.map(String::from)];
        lines.extend(self.cells());
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..HEAD.len()).map(width).collect();
        for line in &lines {
            for (i, (cell, width)) in line.iter().zip(&widths).enumerate() {
                if i == 0 { write!(f, "{cell:<width$}")? } else { write!(f, "  {cell:>width$}")? }
            }
            writeln!(f)?;
        }
        for row in &self.rows {
            for line in row.details() {
                writeln!(f, "{}: {line}", row.name)?;
            }
        }
        write!(f, "{}; {}", self.sounds, self.tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::tests::{sounds, trained_in_no_time};
    use idiom_engine::model::random;

    fn streams(streams: usize) -> Extra {
        Extra { streams, python: None }
    }

    #[test]
    fn rows_say_what_was_measured_and_the_front_is_marked() {
        let sounds = sounds(10);
        let model = trained_in_no_time(&sounds);
        let int8 = random::quantized(&model);
        let entry = |name: &str, model: &Model, bytes| Entry {
            name: name.into(),
            model: model.clone(),
            bytes,
            path: None,
            story: None,
        };
        let entries = [entry("big", &model, 4000), entry("small", &int8, 1000), entry("same", &model, 9000)];
        let comparison = compare(&entries, &sounds, &streams(2)).unwrap();
        let [big, small, same] = comparison.rows.as_slice() else { panic!("three rows") };
        assert_eq!((big.agreement, same.agreement), (1.0, 1.0));
        assert!(small.agreement <= 1.0 && small.layer_noise.as_ref().unwrap().len() == model.layers.len());
        assert_eq!((big.parameters, big.multiply_adds), (model.parameters(), model.macs_per_frame()));
        assert!(big.cost.streaming.p50 > 0.0 && big.cost.windowed.p50 > big.cost.streaming.p50);
        assert!(small.pareto, "nothing is smaller");
        assert!(big.class_change.iter().flatten().all(|change| *change == 0.0));
        let text = comparison.to_string();
        assert!(text.contains("big") && text.contains("INT8") && text.contains("75 %"), "{text}");
        let markdown = comparison.markdown();
        assert!(markdown.lines().filter(|line| line.starts_with("| ")).count() == 4);
        // Both say of each layer how noisy it is, of the network that is.
        for text in [text, markdown] {
            let noise: Vec<&str> =
                text.lines().filter(|line| line.contains("layer by layer, dB: ")).collect();
            assert!(noise.len() == 1 && noise[0].matches(", ").count() == model.layers.len(), "{text}");
        }
        let json = serde_json::to_string(&comparison).unwrap();
        assert_eq!(serde_json::from_str::<Comparison>(&json).unwrap().rows.len(), 3);
        assert!(compare(&[], &sounds, &streams(0)).is_err());
    }

    #[test]
    fn what_is_beaten_in_everything_is_not_on_the_front() {
        let sounds = sounds(5);
        let model = trained_in_no_time(&sounds);
        let entries = ["a", "b"].map(|name| Entry {
            name: name.into(),
            model: model.clone(),
            bytes: 10,
            path: None,
            story: None,
        });
        let mut rows = compare(&entries, &sounds, &streams(2)).unwrap().rows;
        rows[0].cost.streaming.p50 = 1.0;
        rows[1].cost.streaming.p50 = 2.0;
        mark_front(&mut rows);
        assert!(rows[0].pareto && !rows[1].pareto);
        rows[1].bytes = 9;
        mark_front(&mut rows);
        assert!(rows[0].pareto && rows[1].pareto);
    }
}
