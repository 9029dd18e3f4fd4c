//! Every parameter of the mix jumps anywhere while tones play, and nothing of the jump is heard above 15 kHz.
//!
//! The tones lie far below that. What is there anyway while nothing moves (harmonics of the drive, of a fast compressor, of
//! a gate on the edge, of a limiter without look-ahead) is what these settings sound like; only what a jump adds to it
//! counts. A jump passes through all that lies between its ends, which may be louder up there than either; so where it
//! seems to add something, the same way is gone in many small steps, and what that does not make is the jump's own.

mod mix_support;
use idiom_engine::profile::{Parameter, Preset, Profile, Profiles};
use idiom_engine::rt::mix::MixStage;
use idiom_engine::{Controls, Genre, LimiterMode, Mode, Section};
use mix_support::{Noise, surely};
use std::f64::consts::PI;

/// Time that every setting is held, in seconds: the glide of 80 ms, and what the processors make of it.
const HOLD_S: f64 = 0.3;

/// Length of the windows in which energies are compared, in seconds.
const WINDOW_S: f64 = 0.02;

/// What a jump may add above 15 kHz, relative to the sound that goes in.
const MOST_DB: f64 = -80.0;

/// Steps in which a way is gone slowly, and how long each is held, in seconds.
const STEPS: usize = 60;
const STEP_HOLD_S: f64 = 0.12;

/// A Butterworth high-pass of order 10 at 15 kHz; 3 kHz is taken down by more than 150 dB.
struct HighPass {
    sections: [([f64; 3], [f64; 2], [f64; 2]); 5],
}

impl HighPass {
    fn new(rate: f64) -> HighPass {
        let k = (PI * 15_000.0 / rate).tan();
        let section = |n: usize| {
            let q = 0.5 / (PI * (2 * n + 1) as f64 / 20.0).cos();
            let norm = 1.0 / (1.0 + k / q + k * k);
            let a = [2.0 * (k * k - 1.0) * norm, (1.0 - k / q + k * k) * norm];
            ([norm, -2.0 * norm, norm], a, [0.0; 2])
        };
        HighPass { sections: std::array::from_fn(section) }
    }

    fn run(&mut self, x: f64) -> f64 {
        self.sections.iter_mut().fold(x, |x, (b, a, state)| {
            let y = b[0] * x + state[0];
            state[0] = b[1] * x - a[0] * y + state[1];
            state[1] = b[2] * x - a[1] * y;
            y
        })
    }
}

/// Three tones, not alike on both sides, that together repeat every 10 ms: then so does what a setting itself makes.
fn tones(rate: f64, level_db: f64, samples: usize) -> [Vec<f32>; 2] {
    let level = 10f64.powf(level_db / 20.0);
    let tone = |n: usize, side: f64| {
        let t = 2.0 * PI * n as f64 / rate;
        let [low, mid, high] =
            [(100.0 * t).sin(), (400.0 * t + side).sin(), (1_900.0 * t + 2.0 * side).sin()];
        (level * (0.6 * low + (0.3 - 0.1 * side) * mid + (0.1 + 0.1 * side) * high)) as f32
    };
    [0.0, 0.7].map(|side| (0..samples).map(|n| tone(n, side)).collect())
}

/// A state of everything that can be moved.
#[derive(Clone, Copy)]
struct Setting {
    controls: Controls,
    /// The genre that is heard.
    genre: Genre,
    preset: usize,
}

/// The mix of tones, as settings follow each other.
struct Run<'a> {
    rate: f64,
    level_db: f64,
    limiter: LimiterMode,
    profiles: &'a [Profiles],
}

impl Run<'_> {
    /// Energies above 15 kHz of each channel, relative to the sound that goes in, in windows of which the next begins half a
    /// window later, when settings begin at these samples.
    fn energies(&self, settings: &[Setting], starts: &[usize], length: usize) -> [Vec<f64>; 2] {
        let window = (WINDOW_S * self.rate) as usize;
        let energy = |signal: &[f64]| -> Vec<f64> {
            signal.chunks_exact(window / 2).map(|part| part.iter().map(|x| x * x).sum()).collect()
        };
        let mut sound = tones(self.rate, self.level_db, length);
        let [dry, _] = &sound;
        let squares: Vec<f64> = dry.iter().map(|x| f64::from(*x)).collect();
        let reference = energy(&squares).iter().sum::<f64>() / (length as f64 / (window / 2) as f64);
        let key: Vec<f32> = dry.iter().map(|x| 1.5 * x).collect();
        let mut stage = MixStage::new(self.rate as f32, 2, &self.profiles[settings[0].preset], self.limiter);
        for (n, setting) in settings.iter().enumerate() {
            let (start, end) = (starts[n], starts.get(n + 1).copied().unwrap_or(length));
            stage.set_profiles(&self.profiles[setting.preset]);
            stage.set_target(&surely(setting.genre), &setting.controls);
            let mut slices: Vec<&mut [f32]> = sound.iter_mut().map(|c| &mut c[..]).collect();
            stage.process(&mut slices, &[&key], start, end, &setting.controls);
        }
        sound.map(|channel| {
            let mut high_pass = HighPass::new(self.rate);
            let above: Vec<f64> = channel.iter().map(|x| high_pass.run(f64::from(*x))).collect();
            energy(&above).windows(2).map(|pair| 0.5 * (pair[0] + pair[1]) / reference).collect()
        })
    }

    /// The most that any of the jumps from one setting to the next adds above 15 kHz, in dB of the sound; and where.
    fn worst_jump(&self, settings: &[Setting]) -> (f64, usize) {
        let hold = (HOLD_S * self.rate) as usize;
        let half = (WINDOW_S * self.rate) as usize / 2;
        // Jumps come anywhere within a tick.
        let starts: Vec<usize> =
            (0..settings.len()).map(|n| if n == 0 { 0 } else { 2 * hold + n * hold + n * 13 % 29 }).collect();
        let length = starts[settings.len() - 1] + 2 * hold;
        let mut added = vec![0.0f64; settings.len()];
        for windows in self.energies(settings, &starts, length) {
            // The loudest window of the last quarter of a hold: what the setting itself makes.
            let steady = |n: usize| {
                let end = starts.get(n + 1).copied().unwrap_or(length) / half - 2;
                loudest(&windows[end - 6..end])
            };
            for n in 1..settings.len() {
                let from = starts[n] / half;
                let to = (from + (HOLD_S / WINDOW_S) as usize).min(windows.len());
                let moved = loudest(&windows[from - 1..to]);
                added[n] = added[n].max(moved - steady(n - 1).max(steady(n)));
            }
        }
        let db = |energy: f64| 10.0 * energy.max(1e-20).log10();
        let mut worst = (f64::MIN, 0);
        for n in 1..settings.len() {
            let mut jump = db(added[n]);
            if jump > MOST_DB && settings[n - 1].leads_to(&settings[n]) {
                jump = jump.min(db(self.beyond_walking(&settings[n - 1], &settings[n])));
            }
            if jump > worst.0 {
                worst = (jump, n);
            }
        }
        worst
    }

    /// By how much a jump from `a` to `b` is more above 15 kHz than the loudest of what lies between them.
    fn beyond_walking(&self, a: &Setting, b: &Setting) -> f64 {
        let (hold, step) = ((HOLD_S * self.rate) as usize, (STEP_HOLD_S * self.rate) as usize);
        let jump = self.energies(&[*a, *b], &[0, 2 * hold + 7], 4 * hold);
        let settings: Vec<Setting> = (0..=STEPS).map(|n| a.towards(b, n as f64 / STEPS as f64)).collect();
        let starts: Vec<usize> =
            (0..=STEPS).map(|n| if n == 0 { 0 } else { 2 * hold + (n - 1) * step }).collect();
        let walk = self.energies(&settings, &starts, starts[STEPS] + 2 * hold);
        // The beginning of the sound is a click of its own.
        let settled = 2 * (HOLD_S / WINDOW_S) as usize;
        let beyond =
            |(jump, walk): (&Vec<f64>, &Vec<f64>)| loudest(&jump[settled..]) - loudest(&walk[settled..]);
        jump.iter().zip(&walk).map(beyond).fold(0.0, f64::max)
    }
}

fn loudest(windows: &[f64]) -> f64 {
    windows.iter().copied().fold(0.0, f64::max)
}

impl Setting {
    /// Whether there is a way to the other one: switches have nothing between on and off.
    fn leads_to(&self, other: &Setting) -> bool {
        let there = self.towards(other, 1.0).controls;
        let same = Controls { base: other.controls.base, ..there } == other.controls;
        same && (self.genre, self.preset) == (other.genre, other.preset)
    }

    /// The setting at this share of the way to another one, in the domains in which settings glide.
    fn towards(&self, other: &Setting, share: f64) -> Setting {
        let (mut between, (a, b)) = (*self, (&self.controls, &other.controls));
        for &parameter in Parameter::ALL {
            let (x, y) = (parameter.to_domain(a.base[parameter]), parameter.to_domain(b.base[parameter]));
            between.controls.base[parameter] = parameter.from_domain(x + share * (y - x));
        }
        let mix = |x: f32, y: f32| ((1.0 - share) * f64::from(x) + share * f64::from(y)) as f32;
        between.controls.ceiling_db = mix(a.ceiling_db, b.ceiling_db);
        between
    }
}

/// Own settings at which every processor acts, but for the drive, whose harmonics would hide the others' clicks.
fn acting() -> Profile {
    let mut base = Profile::NEUTRAL;
    for (parameter, value) in [
        (Parameter::GateRange, 24.0),
        (Parameter::LowCut, 1.0),
        (Parameter::LowCutHz, 40.0),
        (Parameter::LowDb, 5.0),
        (Parameter::MidDb, -6.0),
        (Parameter::PresenceDb, 4.0),
        (Parameter::HighDb, 6.0),
        (Parameter::Threshold, -24.0),
        (Parameter::Ratio, 4.0),
        (Parameter::Width, 1.4),
        (Parameter::MonoBass, 1.0),
        (Parameter::TargetRange, 6.0),
    ] {
        base[parameter] = value;
    }
    base
}

/// From where it is to both ends and back, and to places in between.
fn places(parameter: Parameter, here: f32, random: &mut Noise) -> Vec<f32> {
    let (min, max) = parameter.spec().range;
    let (low, high) = parameter.domain_range();
    let at = |share: f64| parameter.from_domain(low + (high - low) * share).clamp(min, max);
    let mut between = || at(0.5 * (random.next() + 1.0));
    let mut places = vec![here, min, max, min, here, between(), between(), max];
    if parameter.section() == Section::Limiter {
        places.extend((0..10).map(|n| at(f64::from(n) / 10.0)));
    }
    places
}

#[test]
fn no_own_setting_clicks_wherever_it_jumps() {
    let mut random = Noise(31);
    let profiles = [Profiles::default()];
    let mut clicks = Vec::new();
    for rate in [44_100.0, 96_000.0] {
        for &parameter in Parameter::ALL {
            let section = parameter.section();
            let mut base = acting();
            if section == Section::Gate && parameter != Parameter::GateThreshold {
                base[Parameter::GateThreshold] = -26.0;
            }
            // Nothing is to hide behind slow ballistics.
            (base[Parameter::GateAttack], base[Parameter::Attack]) = (0.1, 0.1);
            if section == Section::Limiter {
                // What moves slowly by itself before it would be taken for a jump.
                base = Profile::NEUTRAL;
            }
            if section == Section::Drive {
                (base[Parameter::DriveGain], base[Parameter::DriveMix]) = (6.0, 0.4);
            }
            let start = Setting {
                controls: Controls {
                    base,
                    limiter: section == Section::Limiter,
                    ceiling_db: -12.0,
                    ..Controls::default()
                },
                genre: Genre::Speech,
                preset: 0,
            };
            let places = places(parameter, base[parameter], &mut random);
            let settings: Vec<Setting> = places
                .into_iter()
                .map(|value| {
                    let mut setting = start;
                    setting.controls.base[parameter] = value;
                    setting
                })
                .collect();
            // The gate works on what is soft.
            let level_db = if section == Section::Gate { -34.0 } else { -4.0 };
            let limiter = LimiterMode::ZeroLatency;
            let (db, at) = Run { rate, level_db, limiter, profiles: &profiles }.worst_jump(&settings);
            println!("{parameter:?} at {rate} Hz: {db:.1} dB");
            if db > MOST_DB {
                let [from, to] = [at - 1, at].map(|n| settings[n].controls.base[parameter]);
                clicks.push(format!("{parameter:?} from {from} to {to} at {rate} Hz: {db:.1} dB"));
            }
        }
    }
    assert!(clicks.is_empty(), "clicks above 15 kHz:\n{}", clicks.join("\n"));
}

#[test]
fn no_other_control_clicks_wherever_it_jumps() {
    let profiles: Vec<Profiles> = Preset::factory().iter().map(|preset| preset.profiles).collect();
    let start = Setting {
        controls: Controls { base: acting(), reaction_s: 0.1, ..Controls::default() },
        genre: Genre::Speech,
        preset: 0,
    };
    let limited =
        Setting { controls: Controls { limiter: true, ceiling_db: -6.0, ..start.controls }, ..start };
    let only_limited =
        Setting { controls: Controls { base: Profile::NEUTRAL, amount: 0.0, ..limited.controls }, ..limited };
    type Move = fn(&mut Setting, usize);
    let moves: [(&str, Setting, Move); 20] = [
        ("input", start, |s, n| s.controls.input_db = [0.0, -24.0, 24.0, -24.0, 3.0][n % 5]),
        ("output", start, |s, n| s.controls.output_db = [0.0, 24.0, -24.0, 24.0, -7.0][n % 5]),
        ("amount", start, |s, n| s.controls.amount = [1.0, 0.0, 1.0, 0.4, 0.9][n % 5]),
        ("ceiling", only_limited, |s, n| {
            s.controls.ceiling_db =
                [-6.0, -24.0, 0.0, -24.0, -1.0, -13.0, -2.0, -3.0, -4.5, -8.0, -10.0, -24.0][n % 12];
        }),
        ("limiter", only_limited, |s, n| s.controls.limiter = n % 2 == 0),
        ("gate", start, |s, n| s.controls.gate = n % 2 == 0),
        ("equalizer", start, |s, n| s.controls.eq = n % 2 == 0),
        ("compressor", start, |s, n| s.controls.compressor = n % 2 == 0),
        ("drive", start, |s, n| s.controls.drive = n % 2 == 0),
        ("width", start, |s, n| s.controls.width = n % 2 == 0),
        ("loudness", start, |s, n| s.controls.loudness = n % 2 == 0),
        ("bypass", start, |s, n| s.controls.bypass = n % 2 == 1),
        ("external side chain", start, |s, n| s.controls.external_key = n % 2 == 1),
        ("mode", start, |s, n| s.controls.mode = Mode::ALL[[0, 3, 2, 0][n % 4]]),
        ("locks", start, |s, n| {
            (s.controls.locks, s.genre) = ([n % 2 == 1; 7], Genre::ALL[n / 2 % 5]);
        }),
        ("reaction", start, |s, n| {
            (s.controls.reaction_s, s.genre) = ([0.1, 20.0][n / 2 % 2], Genre::ALL[n % 5]);
        }),
        ("genre", start, |s, n| s.genre = Genre::ALL[[0, 1, 2, 3, 4, 0, 2, 4, 1, 3, 0][n % 11]]),
        ("preset", start, |s, n| s.preset = n * 5 % 17),
        ("genre, limited", limited, |s, n| s.genre = Genre::ALL[[0, 1, 2, 3, 4, 0, 2, 4, 1, 3, 0][n % 11]]),
        ("everything", start, |s, n| {
            let odd = n % 2 == 1;
            s.controls.output_db = if odd { 12.0 } else { -12.0 };
            (s.controls.eq, s.controls.compressor, s.controls.width) = (odd, !odd, odd);
            (s.genre, s.preset) = (Genre::ALL[n % 5], n * 3 % 17);
            (s.controls.base[Parameter::MidHz], s.controls.base[Parameter::MidDb]) =
                if odd { (100.0, 12.0) } else { (9_000.0, -12.0) };
        }),
    ];
    let mut clicks = Vec::new();
    for (name, start, jump) in moves {
        for limiter in [LimiterMode::ZeroLatency, LimiterMode::LookAhead] {
            // The other limiter makes a difference only where one limits.
            if limiter == LimiterMode::LookAhead && !start.controls.limiter {
                continue;
            }
            let settings: Vec<Setting> = (0..12)
                .map(|n| {
                    let mut setting = start;
                    jump(&mut setting, n);
                    setting
                })
                .collect();
            let level_db = if name == "gate" { -55.0 } else { -4.0 };
            let run = Run { rate: 48_000.0, level_db, limiter, profiles: &profiles };
            let (db, at) = run.worst_jump(&settings);
            println!("{name}, {limiter:?}: {db:.1} dB");
            if db > MOST_DB {
                clicks.push(format!("{name}, {limiter:?}, jump {at}: {db:.1} dB"));
            }
        }
    }
    assert!(clicks.is_empty(), "clicks above 15 kHz:\n{}", clicks.join("\n"));
}

/// All settings of a section jump at once, to anywhere in their ranges and to the ends.
#[test]
fn no_section_clicks_when_all_of_it_jumps_at_once() {
    let profiles = [Profiles::default()];
    let rounds = std::env::var("IDIOM_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(10);
    let mut clicks = Vec::new();
    for section in Section::ALL {
        let mut worst = f64::MIN;
        for round in 0..rounds {
            let mut random = Noise(1_000 + round);
            (0..9).for_each(|_| {
                random.next();
            });
            let mut share = || 0.5 * (random.next() + 1.0);
            let limits = section == Section::Limiter;
            let base = if limits { Profile::NEUTRAL } else { acting() };
            let controls = Controls { base, limiter: limits, ceiling_db: -12.0, ..Controls::default() };
            let start = Setting { controls, genre: Genre::Speech, preset: 0 };
            let settings: Vec<Setting> = (0..10)
                .map(|_| {
                    let mut setting = start;
                    for &parameter in Parameter::ALL.iter().filter(|p| p.section() == section) {
                        let (low, high) = parameter.domain_range();
                        let at = match (8.0 * share()) as usize {
                            0 => 0.0,
                            1 => 1.0,
                            _ => share(),
                        };
                        setting.controls.base[parameter] = parameter.from_domain(low + at * (high - low));
                    }
                    if limits {
                        setting.controls.ceiling_db = (-24.0 * share()) as f32;
                    }
                    setting
                })
                .collect();
            let run = Run {
                rate: [44_100.0, 96_000.0][round as usize % 2],
                level_db: if section == Section::Gate { -34.0 } else { -4.0 },
                limiter: LimiterMode::ZeroLatency,
                profiles: &profiles,
            };
            let (db, at) = run.worst_jump(&settings);
            worst = worst.max(db);
            if db > MOST_DB {
                let [from, to] = [at - 1, at].map(|n| settings[n].controls);
                let moves = Parameter::ALL.iter().filter(|p| p.section() == section);
                let moves: Vec<String> =
                    moves.map(|&p| format!("{p:?} {} to {}", from.base[p], to.base[p])).collect();
                clicks.push(format!(
                    "round {round}: {db:.1} dB: {}, ceiling {} to {}",
                    moves.join(", "),
                    from.ceiling_db,
                    to.ceiling_db
                ));
            }
        }
        println!("{section:?}: {worst:.1} dB");
    }
    assert!(clicks.is_empty(), "clicks above 15 kHz:\n{}", clicks.join("\n"));
}
