//! The user's own settings, to which the genre adds.

mod mix_support;
use idiom_engine::profile::{Parameter, Preset, Profile, Profiles};
use idiom_engine::rt::mix::MixStage;
use idiom_engine::{Controls, Genre, LimiterMode, Mode};
use mix_support::{Noise, run, surely};

const RATE: f32 = 48_000.0;

fn profiles() -> &'static Profiles {
    &Preset::factory()[0].profiles
}

/// A stage that has long heard this genre, with these controls.
fn settled(genre: Genre, profiles: &Profiles, controls: &Controls) -> MixStage {
    let mut stage = MixStage::new(RATE, 2, profiles, LimiterMode::ZeroLatency);
    stage.set_target(&surely(genre), controls);
    run(&mut stage, &mut vec![vec![0.0; 2 * RATE as usize]; 2], controls);
    stage
}

fn own() -> Profile {
    let mut own = Profile::NEUTRAL;
    own[Parameter::LowDb] = 3.0;
    own[Parameter::LowHz] = 180.0;
    own[Parameter::Ratio] = 2.0;
    own[Parameter::Threshold] = -24.0;
    own[Parameter::Width] = 1.2;
    own
}

#[test]
fn a_genre_adds_to_them_in_the_domain_of_each() {
    let controls = Controls { base: own(), reaction_s: 0.1, ..Controls::default() };
    let values = settled(Genre::Speech, profiles(), &controls).state().values;
    let asked = &profiles().genres[Genre::Speech.index()];
    for &parameter in Parameter::ALL {
        let domain = |profile: &Profile| parameter.to_domain(profile[parameter]);
        let (min, max) = parameter.domain_range();
        let sum = domain(&own()) + domain(asked) - domain(&Profile::NEUTRAL);
        let is = parameter.to_domain(values[parameter]);
        assert!((is - sum.clamp(min, max)).abs() < 1e-4, "{parameter:?} is {}", values[parameter]);
    }
    // What that means in the units of a desk: dB add to dB, octaves to octaves.
    let lifted = asked[Parameter::LowDb] + 3.0;
    assert!((values[Parameter::LowDb] - lifted).abs() < 1e-4);
    let octave_up = 2.0 * asked[Parameter::LowHz];
    assert!((values[Parameter::LowHz] / octave_up - 1.0).abs() < 1e-4);
}

#[test]
fn half_the_amount_is_half_of_what_the_genre_asks_for() {
    let controls = Controls { amount: 0.5, reaction_s: 0.1, ..Controls::default() };
    let values = settled(Genre::Rock, profiles(), &controls).state().values;
    let asked = &profiles().genres[Genre::Rock.index()];
    for &parameter in Parameter::ALL {
        let domain = |profile: &Profile| parameter.to_domain(profile[parameter]);
        let half = 0.5 * (domain(asked) + domain(&Profile::NEUTRAL));
        assert!((parameter.to_domain(values[parameter]) - half).abs() < 1e-4, "{parameter:?}");
    }
}

/// At Amount 0, and by hand whatever the Amount, the genre asks for nothing: both are the same to the bit, and neutral
/// ones leave the sound untouched.
#[test]
fn without_a_genre_they_alone_are_in_force() {
    let mut noise = Noise(3);
    let sound: Vec<f32> = (0..RATE as usize).map(|_| 0.5 * noise.next() as f32).collect();
    let render = |controls: Controls| {
        let mut stage = MixStage::new(RATE, 2, profiles(), LimiterMode::ZeroLatency);
        let mut output = vec![sound.clone(); 2];
        stage.set_target(&surely(Genre::Speech), &controls);
        run(&mut stage, &mut output, &controls);
        (output, stage.state().values)
    };
    let (at_zero, values) = render(Controls { base: own(), amount: 0.0, ..Controls::default() });
    let (by_hand, _) = render(Controls { base: own(), mode: Mode::ByHand, ..Controls::default() });
    assert_eq!(at_zero, by_hand);
    for &parameter in Parameter::ALL {
        assert!((values[parameter] - own()[parameter]).abs() < 1e-3, "{parameter:?}");
    }
    assert_ne!(at_zero[0], sound, "they do nothing");
    let (neutral, _) = render(Controls { mode: Mode::ByHand, ..Controls::default() });
    assert!(neutral[0].iter().zip(&sound).all(|(a, b)| a.to_bits() == b.to_bits()));
}

/// Learn, then hold: a mode change does not move the mix by itself; by hand it lets go within a tenth of a second.
#[test]
fn hold_keeps_the_mix_and_by_hand_lets_it_go_at_once() {
    let follow = Controls { reaction_s: 0.1, ..Controls::default() };
    let mut stage = settled(Genre::Speech, profiles(), &follow);
    let before = stage.state().values;
    let hold = Controls { mode: Mode::Hold, ..follow };
    let mut outcome = surely(Genre::Speech);
    outcome.verdict = idiom_engine::Verdict::Frozen;
    stage.set_target(&outcome, &hold);
    run(&mut stage, &mut vec![vec![0.0; 48_000]; 2], &hold);
    assert_eq!(stage.state().values, before);
    let by_hand = Controls { mode: Mode::ByHand, reaction_s: 20.0, ..follow };
    stage.set_target(&surely(Genre::Speech), &by_hand);
    run(&mut stage, &mut vec![vec![0.0; 9_600]; 2], &by_hand);
    for &parameter in Parameter::ALL.iter().filter(|p| p.spec().acts) {
        let left = (stage.state().values[parameter] - parameter.spec().neutral).abs();
        assert!(left < 0.01 * (1.0 + before[parameter].abs()), "{parameter:?} is still off by {left}");
    }
}

/// What Print does: while it runs, own settings are written that are not heard; when it ends, they take the genre's place
/// in one go, and nothing moves.
#[test]
fn recorded_settings_take_the_genres_place_without_a_move() {
    let follow = Controls { base: own(), reaction_s: 0.1, ..Controls::default() };
    let mut stage = settled(Genre::Electronic, profiles(), &follow);
    let before = stage.state().values;
    let mut written = Controls { base: before, hold_base: true, ..follow };
    run(&mut stage, &mut vec![vec![0.0; 9_600]; 2], &written);
    assert_eq!(stage.state().values, before, "what is written is heard");
    (written.hold_base, written.mode) = (false, Mode::ByHand);
    for _ in 0..200 {
        run(&mut stage, &mut vec![vec![0.0; 96]; 2], &written);
        for &parameter in Parameter::ALL {
            let (is, was) = (stage.state().values[parameter], before[parameter]);
            assert!((is - was).abs() < 2e-3 * (1.0 + was.abs()), "{parameter:?} moves from {was} to {is}");
        }
    }
}

/// The gain in dB that each 5 ms of a sound got.
fn gains(input: &[f32], output: &[f32]) -> Vec<f64> {
    let power = |part: &[f32]| part.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    let pairs = input.chunks_exact(240).zip(output.chunks_exact(240));
    pairs.map(|(input, output)| 10.0 * (power(output) / power(input)).log10()).collect()
}

/// What Keep does: an own setting passes into the profile, and comes back with undo. Whatever the reaction time and the
/// Amount, the level stays; taken over without each other, it does not.
#[test]
fn an_own_setting_passes_into_the_profile_without_a_move() {
    let genre = Genre::Rock;
    let tone = mix_support::sine(100.0, 0.3, RATE.into(), 48_000);
    for (reaction_s, amount) in [(0.1, 1.0), (2.0, 1.0), (20.0, 0.5)] {
        for (parameter, own) in [
            (Parameter::LowDb, 3.0),
            (Parameter::Makeup, -1.0),
            (Parameter::MidHz, 400.0),
            (Parameter::Ratio, 1.5),
        ] {
            let mut controls = Controls { reaction_s, amount, ..Controls::default() };
            controls.loudness = false;
            controls.base[Parameter::MidDb] = -4.0;
            let left = controls.base[parameter];
            controls.base[parameter] = own;
            let before = *profiles();
            let mut after = before;
            let asked = &mut after.genres[genre.index()][parameter];
            let gained = (parameter.to_domain(own) - parameter.to_domain(left)) / f64::from(amount);
            *asked = parameter.from_domain(parameter.to_domain(*asked) + gained);
            let heard = Controls { reaction_s: 0.1, ..controls };
            let mut stage = settled(genre, &before, &heard);
            run(&mut stage, &mut vec![tone.clone(); 2], &heard);
            let render = |stage: &mut MixStage, profiles: &Profiles, base: f32, handed: bool| {
                let mut controls = controls;
                controls.base[parameter] = base;
                if handed {
                    stage.hand_over(&[Some((parameter, base)), None], &controls);
                }
                stage.set_profiles(profiles);
                let mut sound = vec![tone.clone(); 2];
                run(stage, &mut sound, &controls);
                gains(&tone, &sound[0])
            };
            let mut apart = stage.clone();
            let still = render(&mut stage.clone(), &before, own, false);
            let kept = render(&mut stage, &after, left, true);
            let taken_back = render(&mut stage, &before, own, true);
            for (name, gains) in [("kept", &kept), ("taken back", &taken_back)] {
                let moved = gains.iter().zip(&still).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(
                    moved < 0.1,
                    "{parameter:?} {name}: the level moves by {moved:.3} dB, reaction {reaction_s} s"
                );
            }
            if parameter == Parameter::Makeup && reaction_s > 1.0 {
                let apart = render(&mut apart, &after, left, false);
                let moved = apart.iter().zip(&still).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(moved > 0.5, "each by its own clock, the level moves by {moved:.3} dB only");
            }
        }
    }
}
