//! Input that no plugin should meet, and all do.

use idiom_tests::built::Built;
use idiom_tests::host::{Change, Render};
use idiom_tests::signals::{blocks, difference, music, noise};

const RATE: f64 = 48_000.0;

fn sources() -> Vec<(&'static str, Vec<f32>)> {
    let length = 24_000;
    let every = |n: usize, value: f32| {
        let mut sound = music(length, RATE, 11);
        sound.iter_mut().step_by(n).for_each(|x| *x = value);
        sound
    };
    vec![
        ("silence", vec![0.0; length]),
        ("negative zero", vec![-0.0; length]),
        ("not a number", vec![f32::NAN; length]),
        ("a NaN now and then", every(997, f32::NAN)),
        ("infinity", vec![f32::INFINITY; length]),
        ("minus infinity now and then", every(1009, f32::NEG_INFINITY)),
        ("the largest number", vec![f32::MAX; length]),
        ("denormals", noise(length, 1e-40, 1)),
        ("one denormal bit", vec![f32::from_bits(1); length]),
        ("constant voltage", vec![1.0; length]),
        ("a clipped square", (0..length).map(|n| if n / 24 % 2 == 0 { 8.0 } else { -8.0 }).collect()),
    ]
}

/// Whatever comes in, finite sound comes out; and afterwards the plugin hears music as if nothing had been.
#[test]
fn finite_sound_comes_out_and_the_ears_recover() {
    let built = Built::load();
    let sound = music(5 * 48_000, RATE, 21);
    for (name, source) in sources() {
        let mut plugin = built.instance(2, Render::Offline);
        let mut processor = plugin.activate(RATE, 8192).unwrap();
        let mut hostile = vec![source.clone(), source];
        processor.play(&mut hostile, blocks(8192, 4)).unwrap();
        assert!(hostile.iter().flatten().all(|x| x.is_finite()), "{name} makes the output not finite");
        let snapshot = built.bundle.snapshot(0).unwrap();
        assert!(snapshot.posterior.iter().all(|p| p.is_finite()), "{name}: {:?}", snapshot.posterior);

        let mut after = vec![sound.clone(), sound.clone()];
        processor.play(&mut after, std::iter::repeat(512)).unwrap();
        let heard = built.bundle.snapshot(0).unwrap();
        assert!(heard.frames >= snapshot.frames + 240, "{name} stops the listening");
        assert!((heard.posterior.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{name}: {:?}", heard.posterior);
        let expected = mean_level(&sound);
        let got = mean_level(&after[0][2 * 48_000..]);
        assert!(
            (got - expected).abs() < 15.0,
            "{name} leaves the level at {got} dB instead of about {expected}"
        );
        plugin.deactivate(processor);
    }
}

fn mean_level(sound: &[f32]) -> f32 {
    10.0 * (sound.iter().map(|x| x * x).sum::<f32>() / sound.len() as f32 + 1e-20).log10()
}

/// The same music after a burst of NaN leads to the same recognition as music alone.
#[test]
fn a_burst_of_nan_does_not_change_what_is_heard_later() {
    let built = Built::load();
    let sound = music(20 * 48_000, RATE, 31);
    let posterior = |burst: &[f32]| {
        let mut plugin = built.instance(2, Render::Offline);
        let mut processor = plugin.activate(RATE, 512).unwrap();
        processor.play(&mut [burst.to_vec(), burst.to_vec()], std::iter::repeat(512)).unwrap();
        processor.play(&mut [sound.clone(), sound.clone()], std::iter::repeat(512)).unwrap();
        let snapshot = built.bundle.snapshot(0).unwrap();
        plugin.deactivate(processor);
        snapshot.posterior
    };
    let (clean, after) = (posterior(&[0.0; 9600]), posterior(&[f32::NAN; 9600]));
    assert!(difference(&clean, &after) < 0.05, "{clean:?} without, {after:?} after the burst");
}

/// All parameters jump anywhere at any sample, with empty and tiny blocks between.
#[test]
fn parameters_may_jump_anywhere_at_any_time() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let params = plugin.params().unwrap();
    let mut processor = plugin.activate(RATE, 2048).unwrap();
    let mut random = idiom_tests::signals::Random::new(77);
    let sound = music(96_000, RATE, 41);
    for _ in 0..1500 {
        let length = random.between(0, 300) * random.between(0, 6);
        let start = random.between(0, sound.len() - 2048);
        let mut block = [sound[start..start + length].to_vec(), sound[start..start + length].to_vec()];
        let mut changes: Vec<Change> = (0..random.between(0, 8))
            .map(|_| {
                let change = params[random.between(0, params.len() - 1)].random_change(&mut random);
                Change { at: random.between(0, length.max(1) - 1) as u32, ..change }
            })
            .collect();
        changes.sort_by_key(|change| change.at);
        let [left, right] = &mut block;
        processor.process(&mut [left, right], None, &changes).unwrap();
        // +24 dB of output gain and all profiles together stay far below this.
        assert!(block.iter().flatten().all(|x| x.abs() < 300.0), "a sample of more than +50 dB");
    }
    plugin.deactivate(processor);
}
