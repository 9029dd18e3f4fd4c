//! The whole mix stage: neutral is untouched, nothing clicks, block sizes do not matter, nothing breaks it.

mod mix_support;
use idiom_engine::profile::parameter::Domain;
use idiom_engine::profile::{Parameter, Preset, Profiles};
use idiom_engine::rt::decision::Outcome;
use idiom_engine::rt::mix::MixStage;
use idiom_engine::{Controls, Genre, LimiterMode, Posterior, Section, Verdict};
use mix_support::*;

const RATES: [f32; 9] =
    [8_000.0, 11_025.0, 16_000.0, 22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0, 384_000.0];

fn profiles() -> &'static Profiles {
    &Preset::factory()[0].profiles
}

fn noise(seed: u64, samples: usize) -> Vec<f32> {
    let mut noise = Noise(seed);
    (0..samples).map(|_| 0.5 * noise.next() as f32).collect()
}

fn same_bits(a: &[Vec<f32>], b: &[Vec<f32>]) -> bool {
    a.iter().flatten().zip(b.iter().flatten()).all(|(a, b)| a.to_bits() == b.to_bits())
}

#[test]
fn neutral_changes_no_bit_even_after_it_was_not_neutral() {
    for (rate, channels) in [(44_100.0, 2), (48_000.0, 1), (96_000.0, 2)] {
        let mut stage = MixStage::new(rate, channels, profiles(), LimiterMode::ZeroLatency);
        stage.set_target(&surely(Genre::Speech), &Controls::default());
        let off = Controls { amount: 0.0, ..Controls::default() };
        let second = rate as usize;
        let mut input: Vec<Vec<f32>> = (0..channels).map(|c| noise(c as u64 + 1, second)).collect();
        for (i, odd) in [-0.0, f32::MIN_POSITIVE, 1e-40, -1e-45, f32::MAX].into_iter().enumerate() {
            input[0][100 + i] = odd;
        }
        let mut output = input.clone();
        run(&mut stage, &mut output, &off);
        assert!(same_bits(&input, &output), "at amount 0 from the start");

        let mut other: Vec<Vec<f32>> = (0..channels).map(|c| noise(c as u64 + 5, 4 * second)).collect();
        let before = other.clone();
        run(&mut stage, &mut other, &Controls { output_db: -7.0, ..Controls::default() });
        assert!(!same_bits(&before, &other), "the profile does act");
        let mut gliding: Vec<Vec<f32>> = (0..channels).map(|c| noise(c as u64 + 7, second)).collect();
        run(&mut stage, &mut gliding, &off);
        let mut output = input.clone();
        run(&mut stage, &mut output, &off);
        assert!(same_bits(&input, &output), "after having been at a profile, at {rate} Hz");
    }
}

#[test]
fn all_sections_off_or_an_unheard_genre_are_neutral_too() {
    let input = vec![noise(1, 48_000), noise(2, 48_000)];
    let mut stage = settled_at(Genre::Rock, 48_000.0, 2, profiles());
    let off = Controls {
        gate: false,
        eq: false,
        compressor: false,
        drive: false,
        width: false,
        loudness: false,
        ..Controls::default()
    };
    run(&mut stage, &mut vec![noise(3, 48_000); 2], &off);
    let mut output = input.clone();
    run(&mut stage, &mut output, &off);
    assert!(same_bits(&input, &output));

    let mut stage = MixStage::new(48_000.0, 2, profiles(), LimiterMode::ZeroLatency);
    stage.set_target(&Outcome::default(), &Controls::default());
    let mut output = input.clone();
    run(&mut stage, &mut output, &Controls::default());
    assert!(same_bits(&input, &output), "while listening");
}

#[test]
fn bypass_passes_the_input_exactly_after_its_fade() {
    let mut stage = settled_at(Genre::Electronic, 48_000.0, 2, profiles());
    let input = vec![noise(1, 48_000), noise(2, 48_000)];
    let controls = Controls { bypass: true, output_db: 12.0, ..Controls::default() };
    let mut output = input.clone();
    run(&mut stage, &mut output, &controls);
    let tail = |c: &[Vec<f32>], from: usize| c.iter().map(|c| c[from..].to_vec()).collect::<Vec<_>>();
    assert!(same_bits(&tail(&input, 480), &tail(&output, 480)));
    assert!(!same_bits(&input, &output), "there is a fade");
}

/// A script of targets and controls, one entry every 20 ms frame.
fn script(frame: usize) -> (Outcome, Controls) {
    let genre = Genre::ALL[frame / 7 % 5];
    let outcome = Outcome {
        posterior: Posterior::certain(genre),
        genre: Some(genre),
        verdict: if frame % 11 == 10 { Verdict::Silent } else { Verdict::Recognised },
        confidence: 1.0,
    };
    let controls = Controls {
        amount: [1.0, 0.3, 0.8][frame / 13 % 3],
        reaction_s: [0.1, 1.0][frame / 9 % 2],
        eq: frame / 17 % 3 != 1,
        compressor: frame / 19 % 3 != 2,
        output_db: [0.0, -6.0, 3.0][frame / 23 % 3],
        bypass: frame / 29 % 4 == 3,
        input_db: [0.0, 2.0, -3.0][frame / 27 % 3],
        gate: frame / 15 % 3 != 2,
        drive: frame / 14 % 3 != 2,
        width: frame / 16 % 3 != 2,
        loudness: frame / 18 % 3 != 2,
        limiter: frame / 21 % 2 == 0,
        ceiling_db: [-1.0, -6.0][frame / 31 % 2],
        ..Controls::default()
    };
    (outcome, controls)
}

#[test]
fn the_result_does_not_depend_on_how_blocks_are_cut() {
    for (rate, channels, limiter) in [
        (44_100.0f32, 2, LimiterMode::ZeroLatency),
        (48_000.0, 1, LimiterMode::ZeroLatency),
        (48_000.0, 2, LimiterMode::LookAhead),
        (192_000.0, 2, LimiterMode::LookAhead),
    ] {
        let profiles = &extremes();
        let hop = (0.020 * rate).round() as usize;
        let frames = 150;
        let input: Vec<Vec<f32>> = (0..channels).map(|c| noise(c + 1, hop * frames)).collect();
        let mut whole = input.clone();
        let mut stage = MixStage::new(rate, channels as usize, profiles, limiter);
        let mut cut = input.clone();
        let mut cut_stage = MixStage::new(rate, channels as usize, profiles, limiter);
        let key = noise(77, hop * frames);
        let mut sizes = Noise(99);
        for frame in 0..frames {
            let (outcome, controls) = script(frame);
            let controls = Controls { external_key: frame / 25 % 2 == 0, ..controls };
            let (start, end) = (frame * hop, (frame + 1) * hop);
            stage.set_target(&outcome, &controls);
            cut_stage.set_target(&outcome, &controls);
            let mut slices: Vec<&mut [f32]> = whole.iter_mut().map(|c| &mut c[..]).collect();
            stage.process(&mut slices, &[&key], start, end, &controls);
            let mut from = start;
            while from < end {
                let to = end.min(from + (sizes.next().abs() * 70.0) as usize);
                let mut slices: Vec<&mut [f32]> = cut.iter_mut().map(|c| &mut c[from..to]).collect();
                cut_stage.process(&mut slices, &[&key[from..to]], 0, to - from, &controls);
                from = to;
            }
            assert_eq!(stage.state(), cut_stage.state());
        }
        assert!(same_bits(&whole, &cut), "at {rate} Hz");
        assert!(!same_bits(&whole, &input));
    }
}

/// Profiles at the ends of what presets may ask for: each parameter as low as two genres may be apart, and as high.
fn extremes() -> Profiles {
    let mut profiles = Profiles::default();
    for &parameter in Parameter::ALL {
        let spec = parameter.spec();
        let neutral = parameter.to_domain(spec.neutral);
        let (min, max) = (parameter.to_domain(spec.range.0), parameter.to_domain(spec.range.1));
        // As far from neutral as two genres may be apart, on the side where there is room.
        let far = if max - neutral > neutral - min {
            (neutral + f64::from(spec.spread)).min(max)
        } else {
            (neutral - f64::from(spec.spread)).max(min)
        };
        let plain = match spec.domain {
            Domain::Plain => far,
            Domain::Log => far.exp(),
            Domain::Slope => 1.0 / (1.0 - far),
        };
        for genre in [0, 2] {
            profiles.genres[genre][parameter] = plain as f32;
        }
    }
    profiles
}

#[test]
fn no_control_clicks_however_it_jumps() {
    let fast = Controls { reaction_s: 0.1, ..Controls::default() };
    let speech = surely(Genre::Speech);
    let odd = |frame: usize| frame / 10 % 2 == 1;
    type Move = Box<dyn Fn(usize) -> (Outcome, Controls)>;
    let moves: [(&str, Move); 11] = [
        ("amount", Box::new(move |f| (speech, Controls { amount: if odd(f) { 1.0 } else { 0.0 }, ..fast }))),
        ("equalizer", Box::new(move |f| (speech, Controls { eq: odd(f), ..fast }))),
        ("compressor", Box::new(move |f| (speech, Controls { compressor: odd(f), ..fast }))),
        (
            "output",
            Box::new(move |f| (speech, Controls { output_db: if odd(f) { 24.0 } else { -24.0 }, ..fast })),
        ),
        ("bypass", Box::new(move |f| (speech, Controls { bypass: odd(f), ..fast }))),
        ("genre", Box::new(move |f| (surely(Genre::ALL[f / 10 % 5]), fast))),
        (
            "reaction",
            Box::new(move |f| {
                (
                    surely(Genre::ALL[f / 10 % 5]),
                    Controls { reaction_s: if odd(f) { 20.0 } else { 0.1 }, ..fast },
                )
            }),
        ),
        ("drive", Box::new(move |f| (surely(Genre::Rock), Controls { drive: odd(f), ..fast }))),
        ("width", Box::new(move |f| (surely(Genre::Electronic), Controls { width: odd(f), ..fast }))),
        (
            "input",
            Box::new(move |f| (speech, Controls { input_db: if odd(f) { 12.0 } else { -12.0 }, ..fast })),
        ),
        // What the limiter itself makes of peaks is not a click, so it gets none.
        ("everything", Box::new(|f| (script(f).0, Controls { limiter: false, ..script(f).1 }))),
    ];
    for (name, moves) in &moves {
        for (hz, amplitude) in [(50.0, 0.5), (100.0, 1.0), (440.0, 0.25)] {
            let db = clicks_db(profiles(), hz, amplitude, moves);
            println!("{name} at {hz} Hz: {db:.1} dB above 15 kHz");
            assert!(db < -80.0, "{name} clicks at {hz} Hz: {db:.1} dB above 15 kHz");
        }
    }
}

/// Every parameter by itself, thrown from one end of what a preset may ask for to the other, at the fastest reaction.
#[test]
fn no_parameter_of_a_profile_clicks() {
    let ends = extremes();
    for &parameter in Parameter::ALL {
        // The parameter acts only together with its processor, which stays on; saturation makes harmonics by design.
        let mut profiles = Profiles::default();
        for &other in Parameter::ALL.iter().filter(|other| other.section() == parameter.section()) {
            profiles.genres.iter_mut().for_each(|genre| genre[other] = ends.genres[0][other]);
        }
        profiles.genres[0][parameter] = parameter.spec().neutral;
        if parameter.section() == Section::Drive {
            profiles
                .genres
                .iter_mut()
                .for_each(|genre| genre[Parameter::DriveGain] = genre[Parameter::DriveGain].min(1.0));
        }
        let flip = |f: usize| {
            let genre = if f / 10 % 2 == 1 { Genre::Speech } else { Genre::Jazz };
            (surely(genre), Controls { reaction_s: 0.1, ..Controls::default() })
        };
        let db = clicks_db(&profiles, 100.0, 0.5, flip);
        println!("{parameter:?}: {db:.1} dB above 15 kHz");
        assert!(db < -80.0, "{parameter:?} clicks: {db:.1} dB above 15 kHz");
    }
}

#[test]
fn a_locked_section_stays_while_the_others_move() {
    let mut stage = settled_at(Genre::Speech, 48_000.0, 2, profiles());
    let before = stage.state();
    let mut locks = [false; 7];
    locks[Section::Eq as usize] = true;
    let controls = Controls { locks, reaction_s: 0.1, ..Controls::default() };
    stage.set_target(&surely(Genre::Classical), &controls);
    run(&mut stage, &mut vec![vec![0.0; 48_000]; 2], &controls);
    let after = stage.state();
    assert_eq!((after.eq_db, after.eq_hz, after.low_cut), (before.eq_db, before.eq_hz, before.low_cut));
    assert!(before.ratio > 2.5 && after.ratio < 1.01, "{} to {}", before.ratio, after.ratio);
    run(&mut stage, &mut vec![vec![0.0; 48_000]; 2], &Controls { reaction_s: 0.1, ..Controls::default() });
    assert!(stage.state().eq_db != before.eq_db, "unlocked it follows");
}

#[test]
fn with_look_ahead_neutral_and_bypass_are_the_input_later() {
    let mut stage = MixStage::new(48_000.0, 2, profiles(), LimiterMode::LookAhead);
    let late = stage.latency();
    assert_eq!(late, 96, "2 ms");
    let input = vec![noise(1, 48_000), noise(2, 48_000)];
    for controls in [
        Controls { amount: 0.0, ..Controls::default() },
        Controls { bypass: true, limiter: true, ..Controls::default() },
        Controls { amount: 0.0, limiter: true, ceiling_db: 0.0, ..Controls::default() },
    ] {
        stage.reset();
        stage.set_target(&surely(Genre::Rock), &controls);
        let mut output = input.clone();
        run(&mut stage, &mut output, &controls);
        for (out, input) in output.iter().zip(&input) {
            let same = out[late..].iter().zip(input).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same && out[..late].iter().all(|x| *x == 0.0), "{controls:?}");
        }
    }
}

/// In every preset, between every two genres, at a quick and at the usual reaction.
#[test]
fn flipping_genres_never_moves_the_momentary_loudness_by_more_than_one_and_a_half_lu() {
    let (rate, hop, frames) = (48_000.0f32, 960, 170);
    let tone: Vec<Vec<f32>> = (1..3).map(|seed| pink(seed, rate.into(), hop * frames)).collect();
    let input = at_loudness(tone, -16.0);
    let mut worst = (0.0f64, String::new());
    let mut beyond = Vec::new();
    for (index, preset) in Preset::factory().iter().enumerate() {
        for (a, b) in (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b))) {
            let reaction_s = if (index + a + b) % 3 == 0 { 2.0 } else { 0.1 };
            let controls = Controls { reaction_s, ..Controls::default() };
            let mut output = input.clone();
            let mut stage = MixStage::new(rate, 2, &preset.profiles, LimiterMode::ZeroLatency);
            // Settled before the measuring begins, as after some minutes: the follower's own slow way is not a flip.
            stage.set_target(&surely(Genre::ALL[a]), &controls);
            let quick = Controls { reaction_s: 0.1, loudness: false, ..controls };
            let mut beginning: Vec<Vec<f32>> = input.iter().map(|side| side[..60 * hop].to_vec()).collect();
            run(&mut stage, &mut beginning, &quick);
            for frame in 0..frames {
                let genre = if frame / 50 % 2 == 0 { a } else { b };
                stage.set_target(&surely(Genre::ALL[genre]), &quick);
                let mut slices: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[..]).collect();
                let controls = Controls { loudness: false, ..controls };
                stage.process(&mut slices, &[], frame * hop, (frame + 1) * hop, &controls);
            }
            let part = |signal: &[Vec<f32>], at: usize| -> f64 {
                // 100 ms of lead-in for the K filter, then the 400 ms that momentary loudness is taken from
                let cut: Vec<Vec<f32>> = signal.iter().map(|c| c[at..at + 24_000].to_vec()).collect();
                loudness_48k(&cut, 4_800)
            };
            let changes: Vec<f64> = (30 * hop..(frames - 30) * hop)
                .step_by(19_200)
                .map(|at| part(&output, at) - part(&input, at))
                .collect();
            let max = changes.iter().fold(f64::MIN, |a, &b| a.max(b));
            let span = max - changes.iter().fold(f64::MAX, |a, &b| a.min(b));
            let place = format!("{}: {:?}/{:?}", preset.name, Genre::ALL[a], Genre::ALL[b]);
            if span >= 1.5 {
                beyond.push(format!("{span:.2} LU in {place}"));
            }
            if span > worst.0 {
                worst = (span, place);
            }
        }
    }
    println!("largest move of momentary loudness: {:.2} LU in {}", worst.0, worst.1);
    assert!(beyond.is_empty(), "{}", beyond.join("; "));
}

#[test]
fn every_rate_gives_finite_sound_and_recovers_from_anything() {
    for rate in RATES {
        for channels in [1, 2] {
            let mut stage = settled_at(Genre::Speech, rate, channels, profiles());
            let second = rate as usize;
            let nasty = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-40, -1e-45, 0.0];
            let mut block: Vec<Vec<f32>> = (0..channels)
                .map(|c| (0..second / 10).map(|n| nasty[(n + c) % nasty.len()]).collect())
                .collect();
            run(&mut stage, &mut block, &Controls::default());
            assert!(block.iter().flatten().all(|x| x.is_finite()), "at {rate} Hz");
            run(&mut stage, &mut vec![noise(1, 2 * second); channels], &Controls::default());
            let mut after = vec![noise(2, second); channels];
            run(&mut stage, &mut after, &Controls::default());
            let peak = after.iter().flatten().fold(0.0f32, |a, x| a.max(x.abs()));
            assert!((0.05..2.0).contains(&peak), "peak {peak} at {rate} Hz after garbage");
            let mut silence = vec![vec![0.0; 2 * second]; channels];
            run(&mut stage, &mut silence, &Controls::default());
            let tail = &silence[0][second..];
            assert!(tail.iter().all(|x| *x == 0.0 || x.abs() >= f32::MIN_POSITIVE), "denormals at {rate} Hz");
        }
    }
}

#[test]
fn controls_that_are_no_numbers_do_no_harm() {
    let mut stage = settled_at(Genre::Jazz, 48_000.0, 2, profiles());
    let bad = f32::NAN;
    let controls = Controls {
        amount: bad,
        reaction_s: bad,
        threshold: bad,
        output_db: f32::INFINITY,
        ..Controls::default()
    };
    let outcome =
        Outcome { posterior: Posterior([bad; 5]), verdict: Verdict::Uncertain, ..surely(Genre::Rock) };
    stage.set_target(&outcome, &controls);
    let mut block = vec![noise(1, 4_800), noise(2, 4_800)];
    run(&mut stage, &mut block, &controls);
    assert!(block.iter().flatten().all(|x| x.is_finite()));
    // empty and reversed ranges, fewer channels than announced, ranges past the end
    let mut one = vec![0.5f32; 10];
    stage.process(&mut [&mut one], &[], 3, 3, &controls);
    stage.process(&mut [&mut one], &[], 8, 2, &controls);
    stage.process(&mut [&mut one], &[], 5, 5_000, &controls);
    stage.process(&mut [], &[], 0, 10, &controls);
    assert!(one.iter().all(|x| x.is_finite()));
}

#[test]
fn an_uncertain_guess_eases_the_mix_and_silence_holds_it() {
    let controls = Controls { reaction_s: 0.1, ..Controls::default() };
    let mut stage = settled_at(Genre::Speech, 48_000.0, 2, profiles());
    let full = stage.state();
    let guess = |p: f32, verdict| Outcome {
        posterior: Posterior([p, (1.0 - p) / 4.0, (1.0 - p) / 4.0, (1.0 - p) / 4.0, (1.0 - p) / 4.0]),
        verdict,
        ..surely(Genre::Speech)
    };
    let mut settle = |outcome: Outcome| {
        stage.set_target(&outcome, &controls);
        run(&mut stage, &mut vec![vec![0.0; 48_000]; 2], &controls);
        stage.state()
    };
    assert_eq!(settle(guess(0.3, Verdict::Silent)), full);
    let eased = settle(guess(0.3, Verdict::Uncertain));
    assert!(eased.eq_db[0].abs() < 0.3 * full.eq_db[0].abs(), "{} of {}", eased.eq_db[0], full.eq_db[0]);
    assert!(eased.ratio < full.ratio);
    assert!(full.eq_db[0] < -3.0 && full.ratio > 2.0, "{full:?}");
}

#[test]
fn a_reset_stage_is_a_new_one() {
    let mut stage = settled_at(Genre::Rock, 48_000.0, 2, profiles());
    run(&mut stage, &mut vec![noise(1, 48_000); 2], &Controls::default());
    stage.reset();
    let mut new = MixStage::new(48_000.0, 2, profiles(), LimiterMode::ZeroLatency);
    let (mut a, mut b) = (vec![noise(2, 48_000); 2], vec![noise(2, 48_000); 2]);
    for (stage, sound) in [(&mut stage, &mut a), (&mut new, &mut b)] {
        stage.set_target(&surely(Genre::Electronic), &Controls::default());
        run(stage, sound, &Controls::default());
    }
    assert!(same_bits(&a, &b));
    assert_eq!(stage.state(), new.state());
}

/// In silence what has died away rests. Negative zeros are silence too, but not to the bit, so with them nothing rests: and
/// nothing can tell the difference afterwards.
#[test]
fn what_rests_in_silence_goes_on_as_if_it_had_not() {
    let controls = Controls { limiter: true, reaction_s: 0.1, ..Controls::default() };
    let play = |silence: f32| {
        let mut stage = MixStage::new(48_000.0, 2, &extremes(), LimiterMode::LookAhead);
        stage.set_target(&surely(Genre::Speech), &controls);
        let mut sound = vec![noise(1, 48_000), noise(2, 48_000)];
        for (seed, side) in sound.iter_mut().enumerate() {
            side.extend(std::iter::repeat_n(silence, 14 * 48_000 + 333));
            side.extend(noise(seed as u64 + 3, 24_000));
        }
        run(&mut stage, &mut sound, &controls);
        (sound, stage.state())
    };
    let ((rested, state), (worked, other)) = (play(0.0), play(-0.0));
    let quiet = 14 * 48_000 - 1..14 * 48_000 + 333;
    assert!(
        rested.iter().all(|side| side[48_000..][quiet.clone()].iter().all(|x| *x == 0.0)),
        "it still rings"
    );
    let same = rested.iter().flatten().zip(worked.iter().flatten()).all(|(a, b)| a == b);
    assert!(same && state == other);
}
