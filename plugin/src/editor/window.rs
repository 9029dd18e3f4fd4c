//! A window that is gone once the host was told so.
//!
//! On Linux a window has a thread of its own, which baseview ends when the window is dropped. Two things about that have
//! taken hosts down, and are mended here:
//!
//! * baseview waits for the thread only if the thread answers one last request, which a thread that is about to end
//!   mostly does not. The thread was then still closing its window while the host had it closed already, opened the next
//!   one, or unloaded the plugin. Here [`Window`] waits until the thread has ended ([`Presence`]).
//! * Each window loads libEGL and unloads it again. A thread that has drawn with it leaves a value behind that libEGL
//!   cleans up when the thread ends; if another window's thread unloads libEGL at that moment, the clean-up jumps into
//!   nothing. What windows are drawn with is never unloaded here: [`keep_libraries`]. (The plugin's own library stays as
//!   well, see `build.rs`.)
//!
//! A panic on the window's thread is handed by baseview to whoever closes the window, which would unwind into the host:
//! here it ends. And whatever the window has begun to write into the host ends with it.

use crate::editor::session::Session;
use crate::params::IdiomParams;
use crate::shared::Shared;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{EditorHandle, Modifiers, ParentWindowHandle, VirtualKeyCode};
use nice_plug::prelude::nice_warn;
use nice_plug_egui::{EguiEditorHandle, baseview};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, PoisonError, TryLockError};
use std::time::Duration;

/// Longest that closing a window waits for its thread. It takes some milliseconds; a thread that hangs in the graphics
/// driver is not to hang the host for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether an instance has a window, and the threads that still run for it.
#[derive(Debug, Default)]
pub struct Presence {
    open: AtomicBool,
    threads: Mutex<u32>,
    ended: Condvar,
    /// Whether the window has drawn since it was opened.
    drawn: AtomicBool,
}

/// Counts as a running thread until it is dropped.
struct Running(Arc<Presence>);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.threads.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.ended.notify_all();
    }
}

thread_local! {
    /// Dropped when the thread ends, after everything else that it did.
    static HERE: RefCell<Option<Running>> = const { RefCell::new(None) };
}

impl Presence {
    /// Whether there is a window.
    pub fn is_open(&self) -> bool {
        self.open.load(Relaxed)
    }

    /// The calling thread draws the window until it ends. Where windows have no threads of their own there is nothing to
    /// wait for.
    pub fn enter(self: &Arc<Self>) {
        if cfg!(not(any(target_os = "macos", target_os = "windows"))) {
            self.drawn.store(false, Relaxed);
            *self.threads.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            HERE.set(Some(Running(Arc::clone(self))));
        }
    }

    /// The window has drawn a picture.
    pub fn has_drawn(&self) {
        self.drawn.store(true, Relaxed);
    }

    /// Waits for the window's first picture, for its end, or for `patience`; says whether one of the first two came.
    pub fn drawn_or_closed(&self, patience: Duration) -> bool {
        self.drawn.load(Relaxed) || self.wait(patience) || self.drawn.load(Relaxed)
    }

    /// Waits until no thread draws a window any more; says whether that came true within `patience`.
    pub fn wait(&self, patience: Duration) -> bool {
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(threads, patience, |threads| *threads > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

/// Keeps the libraries loaded that the calling thread has a window with. They stay for as long as the process.
pub fn keep_libraries() {
    #[cfg(target_os = "linux")]
    {
        use libloading::os::unix::{Library, RTLD_LAZY};
        /// Of `dlopen`: nothing is loaded, only what is there is counted once more.
        const RTLD_NOLOAD: i32 = 4;
        for name in ["libEGL.so.1", "libGL.so.1", "libX11.so.6", "libX11-xcb.so.1", "libxkbcommon-x11.so.0"] {
            // SAFETY: no library is loaded, so no initialiser runs.
            if let Ok(library) = unsafe { Library::open(Some(name), RTLD_LAZY | RTLD_NOLOAD) } {
                std::mem::forget(library);
            }
        }
    }
}

/// An open window. Dropping it closes it.
pub struct Window {
    /// `None` once it is given away or closed.
    window: Option<baseview::Window>,
    params: Arc<IdiomParams>,
    shared: Arc<Shared>,
    session: Arc<Mutex<Session>>,
    host: GuiContext,
}

impl Window {
    /// Takes a window that was just opened.
    pub fn new(
        window: baseview::Window,
        params: Arc<IdiomParams>,
        shared: Arc<Shared>,
        session: Arc<Mutex<Session>>,
        host: GuiContext,
    ) -> Self {
        shared.presence.open.store(true, Relaxed);
        Self { window: Some(window), params, shared, session, host }
    }

    /// `None` after it was closed, which nobody asks.
    fn with<R>(&self, absent: R, work: impl FnOnce(&baseview::Window) -> R) -> R {
        self.window.as_ref().map_or(absent, work)
    }
}

/// Waits for the thread of a window that could not be opened.
pub fn not_opened(shared: &Shared) {
    shared.presence.wait(PATIENCE);
}

impl Drop for Window {
    fn drop(&mut self) {
        let window = self.window.take();
        if catch_unwind(AssertUnwindSafe(|| drop(window))).is_err() {
            nice_warn!("The window had failed; it is closed. Please report this with the log.");
        }
        if !self.shared.presence.wait(PATIENCE) {
            nice_warn!("The window does not close within {} s; it is left behind.", PATIENCE.as_secs());
        }
        self.shared.presence.open.store(false, Relaxed);
        // Nobody holds it now but a thread that hangs.
        let session = match self.session.try_lock() {
            Ok(session) => Some(session),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(mut session) = session {
            session.end_print(&self.params, &self.host);
        }
    }
}

/// What the host holds of an open window.
pub struct Handle(pub EguiEditorHandle);

impl EditorHandle for Handle {
    type Window = Window;
    type Error = baseview::Error;

    fn run_until_closed(mut window: Window) -> Result<(), Self::Error> {
        window.window.take().map_or(Ok(()), EguiEditorHandle::run_until_closed)
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &Window) -> Result<(), Self::Error> {
        window.with(Ok(()), |window| self.0.set_parent(parent, window))
    }

    fn show(&self, window: &Window) -> Result<(), Self::Error> {
        window.with(Ok(()), |window| self.0.show(window))
    }

    fn hide(&self, window: &Window) -> Result<(), Self::Error> {
        window.with(Ok(()), |window| self.0.hide(window))
    }

    fn set_size(&self, size: NativeSize<u32>, window: &Window) -> Result<(), Self::Error> {
        window.with(Ok(()), |window| self.0.set_size(size, window))
    }

    fn host_main_thread_callback(&self, window: &Window) {
        window.with((), |window| self.0.host_main_thread_callback(window));
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &Window) -> Option<NativeSize<u32>> {
        window.with(None, |window| self.0.adjust_size(size, window))
    }

    fn set_fallback_scale_factor(&self, scale_factor: f64, window: &Window) -> Result<(), Self::Error> {
        window.with(Ok(()), |window| self.0.set_fallback_scale_factor(scale_factor, window))
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        self.0.on_virtual_key_from_host(key, is_down, modifiers)
    }

    fn state_changed(&self) {
        self.0.state_changed();
    }

    fn param_value_changed(&self, id: &str, normalized_value: f32) {
        self.0.param_value_changed(id, normalized_value);
    }

    fn param_modulation_changed(&self, id: &str, modulation_offset: f32) {
        self.0.param_modulation_changed(id, modulation_offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[cfg(not(any(target_os = "macos", target_os = "windows")))]
    #[test]
    fn a_thread_is_waited_for_until_it_has_done_everything() {
        let presence = Arc::new(Presence::default());
        assert!(presence.wait(Duration::ZERO), "there is none yet");
        let (entered, has_entered) = channel();
        let (leave, may_leave) = channel::<()>();
        let done = Arc::new(AtomicBool::new(false));
        let thread = {
            let (presence, done) = (Arc::clone(&presence), Arc::clone(&done));
            std::thread::spawn(move || {
                presence.enter();
                entered.send(()).unwrap();
                may_leave.recv().ok();
                std::thread::sleep(Duration::from_millis(20));
                done.store(true, Relaxed);
            })
        };
        has_entered.recv().unwrap();
        assert!(!presence.wait(Duration::from_millis(20)), "it still runs");
        drop(leave);
        assert!(presence.wait(Duration::from_secs(60)) && done.load(Relaxed));
        thread.join().unwrap();
    }

    #[cfg(not(any(target_os = "macos", target_os = "windows")))]
    #[test]
    fn a_thread_that_panics_counts_as_ended() {
        let presence = Arc::new(Presence::default());
        let thread = {
            let presence = Arc::clone(&presence);
            std::thread::spawn(move || {
                presence.enter();
                panic!("on purpose");
            })
        };
        assert!(thread.join().is_err());
        assert!(presence.wait(Duration::from_secs(60)));
    }
}
