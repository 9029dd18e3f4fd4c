//! Making, activating, deactivating and dropping instances in every order a host may choose.

use idiom_tests::built::{self, Built};
use idiom_tests::host::{Bundle, Render, Song};
use idiom_tests::signals::music;

#[test]
fn twenty_instances_play_at_once_and_each_hears_its_own_sound() {
    let built = Built::load();
    let mut plugins: Vec<_> = (0..20).map(|_| built.instance(2, Render::Realtime)).collect();
    let processors: Vec<_> = plugins
        .iter_mut()
        .enumerate()
        .map(|(index, plugin)| {
            plugin.activate(if index % 2 == 0 { 48_000.0 } else { 44_100.0 }, 512).unwrap()
        })
        .collect();
    // Each on a thread of its own, as in a DAW with many cores; every second one hears silence.
    let processors: Vec<_> = std::thread::scope(|scope| {
        let playing: Vec<_> = processors
            .into_iter()
            .enumerate()
            .map(|(index, mut processor)| {
                scope.spawn(move || {
                    let level = if index % 2 == 0 { 1.0 } else { 0.0 };
                    let sound: Vec<f32> =
                        music(96_000, 48_000.0, index as u64).iter().map(|x| x * level).collect();
                    processor.play(&mut [sound.clone(), sound], std::iter::repeat(512)).unwrap();
                    processor
                })
            })
            .collect();
        playing.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for index in 0..20 {
        let snapshot = built.bundle.snapshot(index).unwrap();
        let (rate, silent) = if index % 2 == 0 { (48_000.0, false) } else { (44_100.0, true) };
        assert_eq!(snapshot.sample_rate, rate);
        assert!(snapshot.frames >= 98, "instance {index} heard {} frames", snapshot.frames);
        assert_eq!(
            snapshot.level_dbfs < -70.0,
            silent,
            "instance {index} hears {} dBFS",
            snapshot.level_dbfs
        );
    }
    assert!(built.bundle.snapshot(20).is_none(), "a twenty-first instance?");
    for (plugin, processor) in plugins.iter_mut().zip(processors) {
        plugin.deactivate(processor);
    }
    drop(plugins);
    assert!(built.bundle.snapshot(0).is_none(), "an instance is left behind");
}

#[test]
fn activation_may_come_again_at_another_rate_and_without_a_block_between() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    for (sample_rate, max_block, play) in [
        (48_000.0, 512, true),
        (44_100.0, 1, false),
        (192_000.0, 8192, true),
        (8_000.0, 32, true),
        (48_000.0, 64, true),
    ] {
        let mut processor = plugin.activate(sample_rate, max_block).unwrap();
        if play {
            let sound = music(sample_rate as usize, sample_rate, 1);
            processor.play(&mut [sound.clone(), sound], std::iter::repeat(max_block)).unwrap();
            let snapshot = built.bundle.snapshot(0).unwrap();
            assert_eq!(f64::from(snapshot.sample_rate), sample_rate);
            assert!(snapshot.frames >= 48, "{} frames at {sample_rate} Hz", snapshot.frames);
        }
        plugin.deactivate(processor);
    }
}

#[test]
fn starting_stopping_and_resetting_keeps_it_listening() {
    let built = Built::load();
    let mut plugin = built.instance(1, Render::Realtime);
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    processor.stop();
    processor.reset();
    for _ in 0..5 {
        processor.start().unwrap();
        processor.start().unwrap();
        processor.reset();
        let before = built.bundle.snapshot(0).unwrap().frames;
        processor.play(&mut [music(24_000, 48_000.0, 2)], std::iter::repeat(256)).unwrap();
        let frames = built.bundle.snapshot(0).unwrap().frames;
        // A reset may set the count to zero or leave it.
        assert!(frames >= 24 && frames - before.min(frames) <= 25, "{frames} frames after {before}");
        processor.stop();
        processor.reset();
    }
    plugin.deactivate(processor);
}

#[test]
fn an_instance_may_be_dropped_at_any_point_of_its_life() {
    let built = Built::load();
    drop(built.bundle.instantiate().unwrap());
    drop(built.instance(1, Render::Offline));
    let mut plugin = built.instance(2, Render::Realtime);
    let processor = plugin.activate(48_000.0, 512).unwrap();
    plugin.deactivate(processor);
    drop(plugin);
    assert!(built.bundle.snapshot(0).is_none());
}

/// Ardour activates on its audio thread, which has 512 kB of stack, deep in calls of its own.
#[test]
fn it_needs_little_of_the_hosts_stack() {
    let built = Built::load();
    let life = || {
        let mut plugin = built.instance(2, Render::Offline);
        let state = plugin.save().unwrap();
        for _ in 0..2 {
            let mut processor = plugin.activate(384_000.0, 512).unwrap();
            let mut sound = vec![music(48_000, 384_000.0, 1); 2];
            processor.play(&mut sound, std::iter::repeat(512)).unwrap();
            plugin.load(&state).unwrap();
            plugin.deactivate(processor);
        }
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(160 << 10).spawn_scoped(scope, life).unwrap();
        thread.join().unwrap();
    });
}

/// A host that scans loads, looks and unloads; a worker thread that outlives its library would crash it.
#[test]
fn the_library_may_be_unloaded_and_loaded_again() {
    let built = Built::load();
    drop(built);
    let path = built::path().unwrap();
    for _ in 0..3 {
        let bundle = Bundle::load(&path).unwrap();
        let mut plugin = bundle.instantiate().unwrap();
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        let mut block = [vec![0.1; 512], vec![0.1; 512]];
        let [left, right] = &mut block;
        processor.process(&mut [left, right], Some(Song::at(0)), &[]).unwrap();
        plugin.deactivate(processor);
        drop((plugin, bundle));
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// The window's libraries have threads that say nobody when they end: `plugin/build.rs`.
#[cfg(target_os = "linux")]
#[test]
fn the_library_stays_once_it_was_loaded() {
    let path = built::path().unwrap();
    drop(Built::load());
    let loaded = std::fs::read_to_string("/proc/self/maps").unwrap();
    let name = path.canonicalize().unwrap();
    assert!(loaded.contains(&*name.to_string_lossy()), "{} was unloaded", name.display());
}
