//! The plugin's window in a real X11 window of a host, on a screen that nobody sees.

use idiom_tests::built::Built;
use idiom_tests::host::Render;
use idiom_tests::signals::music;
use idiom_tests::skipped;
use std::process::Command;
use std::time::Duration;

const NAME: &str = "window::opened_and_closed_a_hundred_times_while_it_plays";

/// The window finds its screen by `DISPLAY`, which can be set for a new process only: so this test calls itself.
#[test]
fn opened_and_closed_a_hundred_times_while_it_plays() {
    let Ok(screen) = std::env::var("IDIOM_SCREEN") else {
        let why = std::env::var("IDIOM_SCREEN_MISSING").unwrap_or("`cargo xtask daw` opens a screen".into());
        return skipped("the window in a host", &why);
    };
    if std::env::var("DISPLAY").as_deref() == Ok(&screen) {
        return open_and_close();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env("DISPLAY", &screen)
        // What the window keeps for all sessions is not to be the user's.
        .env("IDIOM_FOLDER", std::env::temp_dir().join(format!("idiom-window-{}", std::process::id())))
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {words}", output.status);
}

#[cfg(not(target_os = "linux"))]
fn open_and_close() {}

#[cfg(target_os = "linux")]
fn open_and_close() {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, ImageFormat, WindowClass};

    let (x, number) = x11rb::connect(None).unwrap();
    let root = &x.setup().roots[number];
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    let mut held = Vec::new();
    for round in 0..100 {
        let parent = x.generate_id().unwrap();
        let (depth, class) = (x11rb::COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        x.create_window(depth, parent, root.root, 0, 0, 1_200, 900, 0, class, 0, &CreateWindowAux::new())
            .unwrap();
        x.map_window(parent).unwrap().check().unwrap();
        // SAFETY: the parent is destroyed only after the window was closed.
        let size = unsafe { plugin.open_window(parent) }.unwrap();
        assert!(size.width >= 600 && size.height >= 400, "{size:?}");
        processor.play(&mut vec![music(2_400, 48_000.0, round); 2], std::iter::repeat(512)).unwrap();
        // Some are closed before they could draw anything.
        if round % 5 == 0 {
            std::thread::sleep(Duration::from_millis(400));
        }
        if round == 50 {
            let (width, height) = (size.width as u16, size.height as u16);
            let picture =
                x.get_image(ImageFormat::Z_PIXMAP, parent, 0, 0, width, height, !0).unwrap().reply().unwrap();
            let mut colours: Vec<&[u8]> = picture.data.chunks_exact(4).map(|pixel| &pixel[..3]).collect();
            colours.sort_unstable();
            colours.dedup();
            assert!(colours.len() > 50, "the window shows {} colours", colours.len());
        }
        plugin.close_window().unwrap();
        plugin.idle();
        x.destroy_window(parent).unwrap().check().unwrap();
        if round % 25 == 24 {
            std::thread::sleep(Duration::from_millis(200));
            let count = |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).unwrap().count();
            held.push((count("task"), count("fd")));
        }
    }
    // Threads and files of the first quarter and of the last: what a window takes it gives back.
    let ((threads, files), (threads_after, files_after)) = (held[0], held[3]);
    assert!(threads_after <= threads + 1 && files_after <= files + 2, "(threads, files) grow: {held:?}");
    plugin.deactivate(processor);
    assert!(built.bundle.snapshot(0).unwrap().frames > 100, "it does not listen while its window is open");
}
