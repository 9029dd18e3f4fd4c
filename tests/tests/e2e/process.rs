//! `idiom process` against the plugin: an offline bounce in a host and the command give the same samples.

use idiom_engine::{Controls, LimiterMode};
use idiom_lab::render::{Renderer, Settings};
use idiom_tests::built::Built;
use idiom_tests::host::Render;
use idiom_tests::signals::{blocks, difference, music};

#[test]
fn the_command_renders_what_the_plugin_bounces_bit_for_bit() {
    let built = Built::load();
    for (rate, channels) in [(44_100u32, 2), (48_000, 1)] {
        let length = 5 * rate as usize;
        let sound: Vec<Vec<f32>> =
            (0..channels).map(|channel| music(length, f64::from(rate), channel as u64 + 1)).collect();
        let bounced = built.play(&sound, f64::from(rate), Render::Offline, blocks(3_000, 4));
        // As the host of these tests sets the plugin: every guess counts, and the mix follows at once.
        let controls = Controls { threshold: 0.0, reaction_s: 0.1, ..Controls::default() };
        let settings = Settings { controls, profiles: None, limiter: LimiterMode::ZeroLatency };
        let mut renderer = Renderer::new(rate, channels, &settings).unwrap();
        let mut rendered = sound.clone();
        let mut frames = 0;
        renderer.play_whole(&mut rendered, |_| frames += 1).unwrap();
        assert_eq!(frames, 250, "a note a frame");
        assert!(
            difference(&rendered[0], &sound[0]) > 1e-3,
            "the mix does nothing, so this would show nothing"
        );
        for (a, b) in rendered.iter().zip(&bounced) {
            let same = a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "they differ by {} at {rate} Hz", difference(a, b));
        }
    }
}
