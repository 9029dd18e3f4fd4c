//! Ardour, without a window: the VST3 plugin on a track, with sound, parameters and a backend; exported, closed, opened
//! again and exported again.

use anyhow::{Context, Result, bail, ensure};
use idiom_engine::{Backend, Genre, Quantization};
use idiom_lab::audio::{Audio, read, write_wav};
use idiom_tests::built::{Built, State};
use idiom_tests::host::{Change, Render, Song};
use idiom_tests::signals::difference;
use idiom_tests::vst3_host::{self, Module};
use idiom_tests::{skipped, vst3_preset};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

const RATE: u32 = 48_000;
const SECONDS: f64 = 6.0;
/// Our own export preset: the session's rate, 32-bit floating point, nothing normalised.
const EXPORT_PRESET: &str = "5d1c2b7e-0f2a-4c55-9a65-1d10a1d10a1d";
/// Ardour's own id of the export format "BWAV 32float".
const FLOAT_FORMAT: &str = "20b4ab09-6452-4cb3-bd66-b921cdbd2942";
/// Ardour counts this many parts of a second.
const SUPERCLOCK: u64 = 282_240_000;
/// Longest that a step may take.
const PATIENCE: Duration = Duration::from_secs(180);
/// Largest difference of samples that the silence before the song may make: Ardour's length of it is never the same, and the
/// network remembers some seconds. What the mix changes is thirty times as much.
const TOLERANCE: f32 = 0.01;
/// The preset that carries the backend.
const PRESET: &str = "Test of the backend";

#[test]
fn ardour_plays_exports_and_reopens_the_plugin() {
    let Some(program) = std::env::var_os("IDIOM_ARDOUR") else {
        let why = std::env::var("IDIOM_ARDOUR_MISSING").unwrap_or("`cargo xtask daw` installs it".into());
        return skipped("the VST3 plugin in Ardour", &why);
    };
    let ardour = Ardour::new(Path::new(&program)).unwrap();
    let built = Built::load();
    let sound = idiom_lab::synth::render(Genre::Electronic, 1, SECONDS, RATE).stereo().to_vec();
    ardour.step("make", &[]).unwrap();
    ardour.put_in(&sound).unwrap();

    // Every guess counts and the mix follows at once, so that the backend is heard in the result.
    let set = "Amount=90\nReaction=0.1\nConfidence threshold=0\nOutput gain=-3";
    let first = ardour.step("first", &[("PRESET", PRESET), ("SET", set)]).unwrap();
    let exported = ardour.exported("first").unwrap();
    let change = difference(&exported[0], &sound[0]);
    assert!(change > 0.02, "the mix does nothing: {change}");
    for (name, value) in set.lines().filter_map(|line| line.split_once('=')) {
        let (value, got) = (value.parse::<f64>().unwrap(), first[name]);
        assert!((got - value).abs() < 1e-4, "{name} is {got}, not {value}");
    }

    // The same settings in our own host, offline: see the test of `idiom process` for what that equals in turn.
    let bounced = |backend, quantization| {
        let mut plugin = built.instance(2, Render::Offline);
        let state = State::parse(&plugin.save().unwrap()).unwrap().with_inference(backend, quantization);
        plugin.load(&state.bytes()).unwrap();
        let changes: Vec<Change> = set
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| {
                let param = plugin.param(name).unwrap();
                let value = plugin.parse(param.id, value).unwrap().expect("a number is understood");
                Change { at: 0, param: param.id, value }
            })
            .collect();
        plugin.flush(&changes).unwrap();
        let mut processor = plugin.activate(f64::from(RATE), 1024).unwrap();
        // As in Ardour, which calls its plugins from the beginning, before the song plays.
        for _ in 0..10 * RATE / 1024 {
            let mut silence = [vec![0.0; 1024], vec![0.0; 1024]];
            let [left, right] = &mut silence;
            processor.process(&mut [left, right], Some(Song::default()), &[]).unwrap();
        }
        let mut out = sound.clone();
        processor.play(&mut out, std::iter::repeat(1024)).unwrap();
        plugin.deactivate(processor);
        out
    };
    let same = bounced(Backend::Onnx, Quantization::Fp32);
    let other = bounced(Backend::Spectral, Quantization::Auto);
    let (near, far) = (difference(&exported[0], &same[0]), difference(&exported[0], &other[0]));
    assert!(far > 1e-3, "the backend cannot be heard, so this would show nothing: {far}");
    assert!(
        near < TOLERANCE && near < far / 10.0,
        "Ardour's export differs from the offline bounce by {near}"
    );

    // Closed and opened again: everything is as it was.
    let again = ardour.step("again", &[]).unwrap();
    assert_eq!(again, first, "parameters after opening the session again");
    let differs = difference(&ardour.exported("again").unwrap()[0], &exported[0]);
    assert!(differs < TOLERANCE, "the reopened session sounds different, by {differs}");

    // A genre set by hand: the difference is what its profile says.
    ardour.step("speech", &[("SET", "Genre=1\nAmount=100")]).unwrap();
    let speech = ardour.exported("speech").unwrap();
    let lift = |channels: &[Vec<f32>], low: f32, high: f32| {
        level_db(&channels[0], low, high) - level_db(&sound[0], low, high)
    };
    let (bass, presence) = (lift(&speech, 40.0, 90.0), lift(&speech, 2_200.0, 4_000.0));
    assert!(
        presence - bass > 4.0,
        "speech asks for -4 dB below 110 Hz and +2.5 dB at 3 kHz; the bass changed by {bass:.1} dB, the presence by \
         {presence:.1} dB"
    );
}

/// Level between two frequencies in dB, by a sum of Goertzel filters 5 Hz apart over the middle of the sound.
fn level_db(samples: &[f32], low: f32, high: f32) -> f32 {
    let part = &samples[samples.len() / 2..][..RATE as usize];
    let mut energy = 0.0;
    let mut frequency = low;
    while frequency <= high {
        let coefficient = 2.0 * f64::from(frequency * std::f32::consts::TAU / RATE as f32).cos();
        let (mut one, mut two) = (0.0f64, 0.0f64);
        for x in part {
            (one, two) = (f64::from(*x) + coefficient * one - two, one);
        }
        energy += one * one + two * two - coefficient * one * two;
        frequency += 5.0;
    }
    10.0 * (energy.max(1e-30)).log10() as f32
}

/// An Ardour with a home of its own, in which there is nothing but Idiom.
struct Ardour {
    program: PathBuf,
    home: PathBuf,
}

impl Drop for Ardour {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.home).ok();
    }
}

impl Ardour {
    fn new(program: &Path) -> Result<Ardour> {
        let home = std::env::temp_dir().join(format!("idiom-ardour-{}", std::process::id()));
        std::fs::remove_dir_all(&home).ok();
        let ardour = Ardour { program: program.to_path_buf(), home };
        let home = &ardour.home;
        let bundle = home.join(".vst3/Idiom.vst3");
        let library = bundle.join(format!("Contents/{}-linux/Idiom.so", std::env::consts::ARCH));
        let presets = home.join(".vst3/presets/Idiom/Idiom");
        let exports = home.join(".config").join(ardour.name()?).join("export");
        for folder in [library.parent().context("a folder")?, &presets, &exports] {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::copy(vst3_host::path()?, &library)?;
        // Ardour looks again at every plugin that is not older than what it knows of it.
        let yesterday = SystemTime::now() - Duration::from_secs(86_400);
        std::fs::File::options().write(true).open(&library)?.set_modified(yesterday)?;
        std::fs::write(
            exports.join("float.preset"),
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExportPreset id=\"{EXPORT_PRESET}\" name=\"float\">\
                 <ExportFormat id=\"{FLOAT_FORMAT}\"/><ExportFilename><Folder relative=\"1\" path=\"export\"/>\
                 <Field name=\"timespan\" enabled=\"1\"/></ExportFilename></ExportPreset>\n"
            ),
        )?;
        ardour.write_preset(&presets.join(format!("{PRESET}.vstpreset")))?;
        ardour.scan(&bundle)?;
        Ok(ardour)
    }

    /// Its folder's name, such as `ardour7`.
    fn name(&self) -> Result<String> {
        let name = self.program.file_name().context("a program")?.to_string_lossy().into_owned();
        name.strip_suffix("-lua").map(String::from).with_context(|| format!("{name} is not `ardour...-lua`"))
    }

    /// Writes a preset that is the plugin's own state with another backend.
    fn write_preset(&self, path: &Path) -> Result<()> {
        let module = Module::load(&vst3_host::path()?)?;
        let mut state: serde_json::Value = serde_json::from_slice(&module.instantiate()?.save()?)?;
        state["params"]["backend"] = serde_json::json!({ "string": Backend::Onnx });
        state["params"]["quantization"] = serde_json::json!({ "string": Quantization::Fp32 });
        let class = module.describe()?.class_id;
        std::fs::write(path, vst3_preset::file(&class, state.to_string().as_bytes()))?;
        Ok(())
    }

    /// Lets Ardour's scanner look at the bundle; without that it would not know the plugin.
    fn scan(&self, bundle: &Path) -> Result<()> {
        let name = self.name()?;
        let libraries = ["/usr/lib", "/usr/lib64", "/usr/local/lib"]
            .iter()
            .map(|folder| Path::new(folder).join(&name))
            .find(|folder| folder.join("ardour-vst3-scanner").exists())
            .context("Ardour's VST3 scanner is not where its libraries are")?;
        let mut scanner = Command::new(libraries.join("ardour-vst3-scanner"));
        let words = self.run(scanner.arg("-f").arg(bundle).env("LD_LIBRARY_PATH", &libraries))?;
        ensure!(
            words.contains("Found Plugin: Idiom") || words.contains("Saved VST3"),
            "the scan says {words}"
        );
        Ok(())
    }

    /// Runs one step of the script and gives back the parameters it reports.
    fn step(&self, step: &str, with: &[(&str, &str)]) -> Result<BTreeMap<String, f64>> {
        let script = self.home.join("session.lua");
        std::fs::write(&script, include_str!("session.lua"))?;
        let mut command = Command::new(&self.program);
        command.arg(&script).envs(with.iter().copied()).env("STEP", step).env("FOLDER", &self.home);
        command.env("RATE", RATE.to_string()).env("EXPORT_PRESET", EXPORT_PRESET);
        command.env("LENGTH", ((SECONDS * f64::from(RATE)) as u64).to_string());
        let words = self.run(&mut command).with_context(|| format!("Ardour, step {step}"))?;
        ensure!(words.contains("DONE"), "Ardour did not finish step {step}: {words}");
        let numbers = words.lines().filter_map(|line| {
            let (name, value) = line.strip_prefix("PARAMETER=")?.split_once('=')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Ok(numbers.collect())
    }

    /// Runs a program in Ardour's home and gives back what it printed.
    fn run(&self, command: &mut Command) -> Result<String> {
        let log = self.home.join("log");
        let file = std::fs::File::create(&log)?;
        command.env("HOME", &self.home).env_remove("XDG_CONFIG_HOME").env_remove("XDG_CACHE_HOME");
        command.env_remove("XDG_DATA_HOME").stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let mut child = command.spawn().with_context(|| format!("{command:?} cannot be run"))?;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            if started.elapsed() > PATIENCE {
                child.kill()?;
                child.wait()?;
                bail!("no end after {PATIENCE:?}: {}", std::fs::read_to_string(&log)?);
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let words = String::from_utf8_lossy(&std::fs::read(&log)?).into_owned();
        ensure!(status.success(), "it ended with {status}: {words}");
        Ok(words)
    }

    /// Puts sound onto the track: two mono files beside the session, and a region in its file that plays them.
    fn put_in(&self, sound: &[Vec<f32>]) -> Result<()> {
        let folder = self.home.join("session/interchange/session/audiofiles");
        std::fs::create_dir_all(&folder)?;
        for (channel, side) in sound.iter().zip(["L", "R"]) {
            write_wav(folder.join(format!("in%{side}.wav")), &Audio::new(RATE, vec![channel.clone()]))?;
        }
        let file = self.home.join("session/session.ardour");
        let mut text = std::fs::read_to_string(&file)?;
        let clocks = sound[0].len() as u64 * SUPERCLOCK / u64::from(RATE);
        let source = |id: u32, side: &str| {
            format!(
                "<Source name=\"in%{side}.wav\" type=\"audio\" flags=\"\" id=\"{id}\" natural-position=\"a0\" \
                 channel=\"0\" origin=\"\" gain=\"1\"/>"
            )
        };
        let region = format!(
            "<Region name=\"in\" start=\"a0\" length=\"a{clocks}@a0\" sync-position=\"a0\" id=\"90010\" type=\"audio\" \
             muted=\"0\" opaque=\"1\" whole-file=\"0\" envelope-active=\"0\" default-fade-in=\"0\" default-fade-out=\"0\" \
             fade-in-active=\"0\" fade-out-active=\"0\" scale-amplitude=\"1\" layering-index=\"0\" \
             first-edit=\"nothing\" source-0=\"90001\" source-1=\"90002\" master-source-0=\"90001\" \
             master-source-1=\"90002\" channels=\"2\"/>"
        );
        let whole = format!(
            "<Locations><Location id=\"90020\" name=\"session\" start=\"a0\" end=\"a{clocks}\" \
             flags=\"IsSessionRange\" locked=\"0\" timestamp=\"1\" cue=\"0\"/></Locations>"
        );
        let mut replace = |from: &str, to: &str| {
            ensure!(text.contains(from), "{from} is not in the session");
            text = text.replacen(from, to, 1);
            Ok(())
        };
        replace("<Sources/>", &format!("<Sources>{}{}</Sources>", source(90_001, "L"), source(90_002, "R")))?;
        replace("<Locations/>", &whole)?;
        replace(" id-counter=\"", " id-counter=\"1000")?;
        let at = text.find("<Playlist id=").context("the track has no playlist")?;
        let end = at + text[at..].find("/>").context("the playlist has no end")?;
        text.replace_range(end..end + 2, &format!(">{region}</Playlist>"));
        std::fs::write(&file, text)?;
        Ok(())
    }

    /// What a step exported.
    fn exported(&self, step: &str) -> Result<Vec<Vec<f32>>> {
        let audio = read(self.home.join(format!("{step}.wav")))?;
        ensure!(audio.sample_rate == RATE && audio.channels.len() == 2, "exported in another form");
        ensure!(audio.len() == (SECONDS * f64::from(RATE)) as usize, "{} samples are exported", audio.len());
        Ok(audio.channels)
    }
}
