//! What the cache shares on real recordings: an answer is given for slightly different sound only if the model would have
//! decided the same.

use idiom_engine::link::Request;
use idiom_engine::model::{GenreOutputs, Model, shipped};
use idiom_engine::rt::cache::{AnswerCache, ENTRY_BYTES, MOST_ENTRIES, Scope};
use idiom_engine::rt::features::FrontEnd;
use idiom_engine::rt::history::History;
use idiom_engine::rt::net::Network;
use idiom_engine::rt::recognizer::RemoteModel;
use idiom_engine::worker::window::columns;
use idiom_engine::{CacheLimits, Genre, Posterior, Quantization};
use idiom_lab::audio::{Audio, read};
use std::path::{Path, PathBuf};

/// Recordings of each genre that are looked at, spread evenly over the folder, and seconds of each.
const CLIPS: usize = 12;
const SECONDS: usize = 20;
/// Confidence below which a genre counts as uncertain: the plugin's default.
const THRESHOLD: f32 = 0.7;
/// Frames from window to window: 0.5 s.
const STEP: u64 = 25;

/// A change that a person would hardly hear, and a name for it.
type Variant = (&'static str, fn(&[f32]) -> Vec<f32>);

const VARIANTS: [Variant; 8] = [
    ("the same", |x| x.to_vec()),
    ("16 bits with dither", |x| {
        let mut random = 1u32;
        let mut uniform = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random as f32 / u32::MAX as f32 - 0.5
        };
        x.iter().map(|x| (x * 32_768.0 + uniform() + uniform()).round() / 32_768.0).collect()
    }),
    ("0.05 dB louder", |x| gain(x, 0.05)),
    ("0.2 dB louder", |x| gain(x, 0.2)),
    ("1 dB louder", |x| gain(x, 1.0)),
    ("1 sample later", |x| later(x, 1)),
    ("5 ms later", |x| later(x, 240)),
    ("noise 60 dB below", |x| {
        let mut random = 7u32;
        let rms = (x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32).sqrt();
        x.iter()
            .map(|x| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                x + 1e-3 * rms * 3.46 * (random as f32 / u32::MAX as f32 - 0.5)
            })
            .collect()
    }),
];

fn gain(x: &[f32], db: f32) -> Vec<f32> {
    x.iter().map(|x| x * 10f32.powf(db / 20.0)).collect()
}

fn later(x: &[f32], samples: usize) -> Vec<f32> {
    let mut out = vec![0.0; samples];
    out.extend(&x[..x.len() - samples]);
    out
}

/// The shipped model as the worker asks it: by windows.
struct Asked {
    network: Network,
    outputs: GenreOutputs,
    model: RemoteModel,
    request: Request,
}

impl Asked {
    fn answer(&mut self, history: &History) -> Posterior {
        self.request.bands_db.clear();
        self.request.level_dbfs.clear();
        for entry in history.window(history.count(), self.model.frames) {
            self.request.bands_db.push(entry.bands_db);
            self.request.level_dbfs.push(entry.features.level_dbfs);
        }
        self.network.reset();
        for column in columns(&self.request).chunks_exact(self.model.input.rows()) {
            self.network.push(column);
        }
        self.outputs.posterior(self.network.probabilities()).unwrap()
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    looked_up: u32,
    hits: u32,
    /// Hits whose likeliest genre is not the one that the model gives for the very window.
    wrong_genre: u32,
    /// Hits on the other side of the default threshold of confidence.
    wrong_side: u32,
    worst: f32,
}

impl Count {
    fn add(&mut self, found: Option<Posterior>, model: impl FnOnce() -> Posterior) {
        self.looked_up += 1;
        let Some(found) = found else { return };
        let fresh = model();
        self.hits += 1;
        self.wrong_genre += u32::from(found.top().0 != fresh.top().0);
        self.wrong_side += u32::from((found.top().1 >= THRESHOLD) != (fresh.top().1 >= THRESHOLD));
        let off = found.0.iter().zip(fresh.0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        self.worst = self.worst.max(off);
    }
}

fn clips(folder: &Path) -> Vec<PathBuf> {
    let mut all = vec![];
    for genre in Genre::ALL {
        let Ok(entries) = std::fs::read_dir(folder.join(genre.name())) else { continue };
        let mut files: Vec<_> = entries.flatten().map(|e| e.path()).filter(|path| path.is_file()).collect();
        files.sort();
        let step = files.len().div_ceil(CLIPS).max(1);
        all.extend(files.into_iter().step_by(step));
    }
    all
}

#[test]
fn real_sound_shares_an_answer_only_where_the_decision_agrees() {
    let name = "false hits of the cache on real recordings";
    let Some(folder) = std::env::var_os("IDIOM_AUDIO_DIR") else {
        return println!(
            "SKIPPED: {name}: IDIOM_AUDIO_DIR is not set; it names a folder with recordings in <genre>/*"
        );
    };
    let paths = clips(Path::new(&folder));
    if paths.is_empty() {
        return println!("SKIPPED: {name}: no recordings in {}/<genre>/", folder.to_string_lossy());
    }
    let model = Model::from_onnx(shipped::flagship(Quantization::Int8)).unwrap();
    let (frames, outputs) = (model.window_frames(), model.meta.genre_outputs().unwrap());
    let remote = RemoteModel { id: 1, frames, input: model.meta.features, ..RemoteModel::NONE };
    let limits = CacheLimits { entries: MOST_ENTRIES, bytes: MOST_ENTRIES * ENTRY_BYTES, ttl_s: f32::MAX };
    let mut cache = AnswerCache::new(limits);
    // Every frame of a recording against what is known of it and of those before; then every variant, twice a second.
    let (mut by_frame, mut by_variant) = (Count::default(), [Count::default(); VARIANTS.len()]);
    let mut played = 0;
    for path in &paths {
        let Ok(audio) = read(path) else { continue };
        let audio = Audio { damage: None, ..audio };
        let rate = audio.sample_rate;
        let mut sound = audio.mono();
        sound.truncate(SECONDS * rate as usize);
        if sound.len() < 6 * rate as usize {
            continue;
        }
        played += 1;
        let scope = Scope { model: 1, rate, frames: frames as u16 };
        let front = FrontEnd::new(rate as f32);
        let mut request = Request::new(front.levelling());
        request.model = remote;
        let mut asked = Asked { network: Network::compile(&model).unwrap(), outputs, model: remote, request };
        let mut listen = |sound: &[f32], see: &mut dyn FnMut(u64, &History, &mut Asked)| {
            let mut front = FrontEnd::new(rate as f32);
            let mut history = History::new();
            for (n, frame) in sound.chunks_exact(front.hop()).enumerate() {
                let features = *front.push(frame);
                history.push(&features, front.bands_db());
                if n >= frames + 2 {
                    see(n as u64, &history, &mut asked);
                }
            }
        };
        listen(&sound, &mut |n, history, asked| {
            let sketch = history.sketch(history.count(), frames).unwrap();
            by_frame.add(cache.get(scope, &sketch, THRESHOLD, 0), || asked.answer(history));
            if n % STEP == 0 {
                cache.put(scope, &sketch, asked.answer(history), 0);
            }
        });
        for ((_, change), count) in VARIANTS.iter().zip(&mut by_variant) {
            listen(&change(&sound), &mut |n, history, asked| {
                if n % STEP == 0 {
                    let sketch = history.sketch(history.count(), frames).unwrap();
                    count.add(cache.get(scope, &sketch, THRESHOLD, 0), || asked.answer(history));
                }
            });
        }
    }
    println!("{played} recordings of up to {SECONDS} s; windows of {frames} frames; the shipped INT8 model");
    let mut total = by_frame;
    println!("{:<24} {by_frame:?}", "every frame");
    for ((name, _), count) in VARIANTS.iter().zip(&by_variant) {
        println!("{name:<24} {count:?}");
        total.hits += count.hits;
        total.wrong_genre += count.wrong_genre;
        total.wrong_side += count.wrong_side;
    }
    println!(
        "all: {} hits, {} with another genre, {} across the threshold",
        total.hits, total.wrong_genre, total.wrong_side
    );
    let [same, ..] = by_variant;
    assert_eq!(
        (same.hits, same.wrong_genre, same.worst),
        (same.looked_up, 0, 0.0),
        "the same sound, the same answer"
    );
    assert!(by_variant[1..].iter().any(|count| 2 * count.hits > count.looked_up), "something is shared");
    let wrong = total.wrong_genre + total.wrong_side;
    assert!(1000 * wrong <= total.hits, "more than 0.1 % of the hits decide otherwise");
}
