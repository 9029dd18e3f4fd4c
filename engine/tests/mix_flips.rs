//! Genre flips with the whole chain as presets ship it, the loudness follower included: they never move the loudness by more
//! than 1.5 LU.

mod mix_support;
use idiom_engine::profile::{Parameter, Preset};
use idiom_engine::rt::decision::Outcome;
use idiom_engine::rt::mix::MixStage;
use idiom_engine::{Controls, Genre, LimiterMode, Verdict};
use mix_support::{at_loudness, loudness_48k, pink, run, surely};

const RATE: f32 = 48_000.0;
const HOP: usize = 960;

/// Frames until the follower has arrived: it moves 2 dB a second.
const SETTLING: usize = 450;

/// Frames that are measured.
const MEASURED: usize = 300;

/// Frames for which each genre is held: a flip five times a second, one a second, one every three seconds.
const HELD: [usize; 3] = [10, 50, 150];

/// Far below what any preset goes to, where the follower's range decides; and near it, where its target does.
const LOUDNESS: [f64; 2] = [-36.0, -21.0];

/// A genre set by hand: nothing makes the mix calmer than the reaction time.
fn by_hand(genre: Genre) -> Outcome {
    Outcome { verdict: Verdict::Manual, ..surely(genre) }
}

/// How far momentary loudness moves, less what the sound itself moves, in LU, while `a` and `b` take turns.
fn span(
    mut stage: MixStage,
    input: &[Vec<f32>],
    [a, b]: [Genre; 2],
    held: usize,
    controls: &Controls,
) -> f64 {
    let mut output = input.to_vec();
    for frame in 0..MEASURED {
        stage.set_target(&by_hand(if frame / held % 2 == 0 { b } else { a }), controls);
        let mut slices: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[..]).collect();
        stage.process(&mut slices, &[], frame * HOP, (frame + 1) * HOP, controls);
    }
    let momentary = |signal: &[Vec<f32>], at: usize| {
        // 100 ms of lead-in for the K filter, then the 400 ms that momentary loudness is taken from.
        let cut: Vec<Vec<f32>> = signal.iter().map(|c| c[at..at + 24_000].to_vec()).collect();
        loudness_48k(&cut, 4_800)
    };
    let changes =
        (0..MEASURED * HOP - 24_000).step_by(19_200).map(|at| momentary(&output, at) - momentary(input, at));
    let (min, max) = changes.fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
    max - min
}

/// Every two genres of every factory preset that follows loudness, at every rate of flips and both levels; reaction times
/// take turns. Presets that do not follow loudness are tested in `mix_stage.rs`.
#[test]
fn no_flip_moves_the_loudness_by_more_than_one_and_a_half_lu_while_the_follower_acts() {
    let tone: Vec<Vec<f32>> = (1..3).map(|seed| pink(seed, RATE.into(), HOP * SETTLING)).collect();
    let inputs = LOUDNESS.map(|lufs| at_loudness(tone.clone(), lufs));
    let (mut worst, mut beyond, mut presets) = ((0.0f64, String::new()), Vec::new(), 0);
    for preset in Preset::factory() {
        let follows = preset.profiles.genres.iter().any(|profile| profile[Parameter::TargetRange] > 0.0);
        if !follows {
            continue;
        }
        presets += 1;
        for (level, input) in inputs.iter().enumerate() {
            let quick = Controls { reaction_s: 0.1, ..Controls::default() };
            let mut stage = MixStage::new(RATE, 2, &preset.profiles, LimiterMode::ZeroLatency);
            let settle = |stage: &mut MixStage, genre: Genre, frames: usize| {
                stage.set_target(&by_hand(genre), &quick);
                let mut sound: Vec<Vec<f32>> =
                    input.iter().map(|side| side[..frames * HOP].to_vec()).collect();
                run(stage, &mut sound, &quick);
            };
            settle(&mut stage, Genre::Speech, SETTLING);
            for (first, a) in Genre::ALL.into_iter().enumerate().take(4) {
                let mut settled = stage.clone();
                settle(&mut settled, a, SETTLING / 4);
                let gain = settled.state().loudness_db;
                assert!(level > 0 || gain > 3.0, "{}: the follower gives {gain} dB only", preset.name);
                for (second, b) in Genre::ALL.into_iter().enumerate().skip(first + 1) {
                    let turn = first + second + level + presets;
                    let (held, reaction_s) = (HELD[turn % 3], [0.1, 2.0][turn / 3 % 2]);
                    let controls = Controls { reaction_s, ..quick };
                    let moved = span(settled.clone(), input, [a, b], held, &controls);
                    let place = format!(
                        "{}: {a:?}/{b:?} every {held} frames at {} LUFS, reaction {reaction_s} s",
                        preset.name, LOUDNESS[level]
                    );
                    if moved >= 1.5 {
                        beyond.push(format!("{moved:.2} LU in {place}"));
                    }
                    if moved > worst.0 {
                        worst = (moved, place);
                    }
                }
            }
        }
    }
    println!("{presets} presets, largest move of momentary loudness: {:.2} LU in {}", worst.0, worst.1);
    assert!(presets >= 7 && beyond.is_empty(), "{}", beyond.join("; "));
}
