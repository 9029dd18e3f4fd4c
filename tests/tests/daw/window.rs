//! The plugin's window in a real X11 window of a host, on a screen that nobody sees.

#![cfg_attr(not(target_os = "linux"), allow(dead_code, unused_imports))]

use idiom_tests::skipped;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The window finds its screen by `DISPLAY`, which can be set for a new process only: so a test calls itself in one, where
/// it does its `work`. There it may also be taken down.
fn on_a_screen(name: &str, work: fn()) {
    let Ok(screen) = std::env::var("IDIOM_SCREEN") else {
        let why = std::env::var("IDIOM_SCREEN_MISSING").unwrap_or("`cargo xtask daw` opens a screen".into());
        return skipped(&format!("the window in a host, {}", name.replace('_', " ")), &why);
    };
    if std::env::var("DISPLAY").as_deref() == Ok(&screen) {
        return work();
    }
    // One at a time: they look at what is before all others on the screen.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = std::env::temp_dir().join(format!("idiom-window-{name}-{}", std::process::id()));
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("window::{name}"), "--nocapture"])
        .env("DISPLAY", &screen)
        // What the window keeps for all sessions is not to be the user's.
        .env("IDIOM_FOLDER", &folder)
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    std::fs::remove_dir_all(folder).ok();
    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {words}", output.status);
}

#[test]
fn opened_and_closed_a_hundred_times_while_it_plays() {
    on_a_screen("opened_and_closed_a_hundred_times_while_it_plays", linux::open_and_close);
}

#[test]
fn a_plugin_that_is_destroyed_takes_its_open_window_along() {
    on_a_screen("a_plugin_that_is_destroyed_takes_its_open_window_along", linux::destroy_while_open);
}

#[test]
fn a_window_that_is_shown_late_is_drawn() {
    on_a_screen("a_window_that_is_shown_late_is_drawn", linux::shown_late);
}

#[test]
fn a_window_that_missed_the_answer_when_to_draw_gets_another() {
    on_a_screen("a_window_that_missed_the_answer_when_to_draw_gets_another", linux::answer_missed);
}

#[test]
fn a_host_that_destroys_its_own_window_first_stays_alive() {
    on_a_screen("a_host_that_destroys_its_own_window_first_stays_alive", linux::parent_goes_first);
}

#[test]
fn a_vst3_host_that_drops_everything_takes_the_open_window_along() {
    on_a_screen(
        "a_vst3_host_that_drops_everything_takes_the_open_window_along",
        linux::vst3_drops_everything,
    );
}

#[cfg(not(target_os = "linux"))]
mod linux {
    pub fn open_and_close() {}
    pub fn destroy_while_open() {}
    pub fn shown_late() {}
    pub fn answer_missed() {}
    pub fn parent_goes_first() {}
    pub fn vst3_drops_everything() {}
}

#[cfg(target_os = "linux")]
mod linux {
    use idiom_plugin::editor::first_picture;
    use idiom_plugin::editor::window::Presence;
    use idiom_tests::built::Built;
    use idiom_tests::host::{Plugin, Render};
    use idiom_tests::screen::Screen;
    use idiom_tests::signals::music;
    use idiom_tests::vst3_host::{Module, path};
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use x11rb::connection::Connection;
    use x11rb::protocol::Event;
    use x11rb::protocol::present::{CompleteKind, ConnectionExt as _, EventMask};
    use x11rb::protocol::xproto::{ConfigureWindowAux, ConnectionExt, ImageFormat, StackMode};

    /// Longest that something may take to be seen on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn until(what: &str, mut look: impl FnMut() -> bool) {
        let started = Instant::now();
        while !look() {
            assert!(started.elapsed() < PATIENCE, "{PATIENCE:?} passed without {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// How many threads or open files this process has.
    fn count(what: &str) -> usize {
        std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count()
    }

    /// What a host does with windows.
    struct Host(Screen);

    impl Host {
        fn new() -> Host {
            Host(Screen::open().unwrap())
        }

        fn parent(&self) -> u32 {
            self.0.parent().unwrap()
        }

        fn destroy(&self, parent: u32) {
            self.0.x.destroy_window(parent).unwrap().check().unwrap();
        }

        /// How many colours the window shows, with nothing before it.
        fn colours(&self, window: u32) -> usize {
            let first = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            self.0.x.configure_window(window, &first).unwrap().check().unwrap();
            let picture = self.0.x.get_image(ImageFormat::Z_PIXMAP, window, 0, 0, 600, 400, !0).unwrap();
            let picture = picture.reply().unwrap();
            let mut colours: Vec<&[u8]> = picture.data.chunks_exact(4).map(|pixel| &pixel[..3]).collect();
            colours.sort_unstable();
            colours.dedup();
            colours.len()
        }

        fn until_drawn(&self, parent: u32) {
            until("a picture in the window", || self.colours(parent) > 50);
        }
    }

    fn open(plugin: &mut Plugin, parent: u32) {
        // SAFETY: the plugin's window is closed before the parent goes, or the test is about that.
        let size = unsafe { plugin.open_window(parent) }.unwrap();
        assert!(size.width >= 600 && size.height >= 400, "{size:?}");
    }

    pub fn open_and_close() {
        let (host, built) = (Host::new(), Built::load());
        let mut plugin = built.instance(2, Render::Realtime);
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        let mut held = Vec::new();
        for round in 0..100 {
            let parent = host.parent();
            open(&mut plugin, parent);
            processor.play(&mut vec![music(2_400, 48_000.0, round); 2], std::iter::repeat(512)).unwrap();
            // Most are closed before they could draw anything.
            if round % 10 == 0 {
                host.until_drawn(parent);
            }
            plugin.close_window().unwrap();
            plugin.idle();
            host.destroy(parent);
            if round % 25 == 24 {
                // The clipboard's thread is told to end, and not waited for.
                std::thread::sleep(Duration::from_millis(200));
                held.push((count("task"), count("fd")));
            }
        }
        // Threads and files of the first quarter and of the last: what a window takes it gives back.
        let ((threads, files), (threads_after, files_after)) = (held[0], held[3]);
        assert!(threads_after <= threads + 1 && files_after <= files + 2, "(threads, files) grow: {held:?}");
        plugin.deactivate(processor);
        assert!(
            built.bundle.snapshot(0).unwrap().frames > 100,
            "it does not listen while its window is open"
        );
    }

    /// The usual order is the other way round; a host that is in trouble itself may not keep it.
    pub fn destroy_while_open() {
        let (host, built) = (Host::new(), Built::load());
        let lasting = built.instance(2, Render::Realtime);
        let before = count("task");
        for round in 0..10 {
            let parent = host.parent();
            let unwound = catch_unwind(AssertUnwindSafe(|| {
                let mut plugin = built.instance(2, Render::Realtime);
                open(&mut plugin, parent);
                if round % 5 == 0 {
                    host.until_drawn(parent);
                }
                if round % 2 == 1 {
                    std::panic::resume_unwind(Box::new("a host's own panic"));
                }
            }));
            assert_eq!(unwound.is_err(), round % 2 == 1);
            // The window's threads are named after nothing, like the clipboard's; both are gone, the latter soon.
            until("the window's end", || count("task") <= before);
            host.destroy(parent);
        }
        drop(lasting);
    }

    /// Later than a repaint was wanted for the first time.
    pub fn shown_late() {
        let (host, built) = (Host::new(), Built::load());
        let mut plugin = built.instance(2, Render::Realtime);
        for delay in [0, 50, 100, 400, 1_000] {
            let parent = host.parent();
            // SAFETY: the plugin's window is closed before the parent goes.
            unsafe { plugin.open_window_after(parent, Duration::from_millis(delay)) }.unwrap();
            host.until_drawn(parent);
            plugin.close_window().unwrap();
            host.destroy(parent);
        }
    }

    /// As baseview does when it is shown too late: it asks first and listens afterwards. That never hears an answer; with
    /// the plugin's thread beside it, it does.
    pub fn answer_missed() {
        let host = Host::new();
        let x = &host.0.x;
        let window = host.parent();
        x.present_notify_msc(window, 0, 0, 1, 0).unwrap().check().unwrap();
        let listener = x.generate_id().unwrap();
        // What is answered before this is answered to nobody.
        std::thread::sleep(Duration::from_millis(200));
        x.present_select_input(listener, window, EventMask::COMPLETE_NOTIFY).unwrap().check().unwrap();
        let heard = || match x.poll_for_event().unwrap() {
            Some(Event::PresentCompleteNotify(answer)) => {
                (answer.kind, answer.serial) == (CompleteKind::NOTIFY_MSC, 0)
            }
            _ => false,
        };
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(500) {
            assert!(!heard(), "the answer was not missed");
            std::thread::sleep(Duration::from_millis(10));
        }
        let presence = Arc::new(Presence::default());
        presence.enter();
        std::thread::scope(|scope| {
            let waking = scope.spawn(|| first_picture::wake(window, &presence));
            until("an answer", heard);
            presence.has_drawn();
            waking.join().unwrap();
        });
        host.destroy(window);
    }

    pub fn parent_goes_first() {
        let (host, built) = (Host::new(), Built::load());
        let mut plugin = built.instance(2, Render::Realtime);
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        for round in 0..6 {
            let parent = host.parent();
            open(&mut plugin, parent);
            if round % 2 == 0 {
                host.until_drawn(parent);
            }
            host.destroy(parent);
            // It goes on drawing, or finds out that it cannot.
            for part in 0..10 {
                let mut sound = vec![music(2_400, 48_000.0, part); 2];
                processor.play(&mut sound, std::iter::repeat(512)).unwrap();
                std::thread::sleep(Duration::from_millis(20));
                plugin.idle();
            }
            plugin.close_window().unwrap();
        }
        // And a window can be opened again.
        let parent = host.parent();
        open(&mut plugin, parent);
        host.until_drawn(parent);
        plugin.close_window().unwrap();
        host.destroy(parent);
        plugin.deactivate(processor);
    }

    /// The view is never taken out of the host's window: what the host holds goes, in either order, with and without the
    /// call that ends an instance, playing or not.
    pub fn vst3_drops_everything() {
        let host = Host::new();
        let _alone = Built::load();
        let module = Module::load(&path().unwrap()).unwrap();
        let lasting = module.instantiate().unwrap();
        let before = count("task");
        for round in 0..12 {
            let parent = host.parent();
            let instance = module.instantiate().unwrap();
            // SAFETY: the parent goes after everything else.
            let view = unsafe { instance.open_window(parent) }.unwrap();
            // Some are let go of while they begin, some while they draw.
            std::thread::sleep(Duration::from_millis(if round % 3 == 0 { 300 } else { 0 }));
            if round % 2 == 0 {
                instance.activate(48_000.0).unwrap();
                let sound = music(4_800, 48_000.0, round);
                instance.play(&mut [sound.clone(), sound], 48_000.0).unwrap();
            }
            match round % 4 {
                0 => {
                    drop(view);
                    drop(instance);
                }
                1 => {
                    drop(instance);
                    assert!(!view.close(), "there is nothing left to close");
                }
                2 => {
                    drop(view);
                    instance.abandon();
                }
                _ => {
                    instance.abandon();
                    drop(view);
                }
            }
            until("the window's end", || count("task") <= before);
            assert!(module.snapshot(1).is_err(), "round {round}: the instance lives on");
            host.destroy(parent);
        }
        drop(lasting);
    }
}
