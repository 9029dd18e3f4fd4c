//! The first picture of a window that the host shows late.
//!
//! On X11 baseview asks the server when to draw as soon as a repaint is wanted, but listens to the answer only from when the
//! window is shown. When the host shows it later than that (a busy machine sees to it, or a host that takes its time), the
//! answer is missed, baseview waits for it for ever, and the window stays black. Until the first picture is drawn, the same
//! question is asked here again, and again: the server tells everyone who listens to the window, so baseview hears one of
//! the answers; an answer too many is ignored.

use crate::editor::window::Presence;
use nice_plug_egui::baseview::WindowContext;
use std::sync::Arc;
use std::time::Duration;

/// Time between two questions. Most windows have drawn before the first.
const PATIENCE: Duration = Duration::from_millis(150);

/// Sees to it that the window that the calling thread has begun to make draws once it is shown. Where windows do not wait for
/// an X server there is nothing to see to.
pub fn expect(window: &WindowContext, presence: &Arc<Presence>) {
    #[cfg(target_os = "linux")]
    {
        use raw_window_handle::{HasWindowHandle, RawWindowHandle};
        let id = match window.window_handle().map(|handle| handle.as_raw()) {
            Ok(RawWindowHandle::Xlib(handle)) => u32::try_from(handle.window).ok(),
            Ok(RawWindowHandle::Xcb(handle)) => Some(handle.window.get()),
            _ => None,
        };
        let (Some(id), presence) = (id, Arc::clone(presence)) else { return };
        // Without a thread the window is as it was before; it mostly draws by itself.
        let _ =
            std::thread::Builder::new().name("idiom first picture".into()).spawn(move || wake(id, &presence));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (window, presence);
}

/// Asks for the X window of this number until the window has drawn, or is gone.
#[cfg(target_os = "linux")]
pub fn wake(window: u32, presence: &Presence) {
    use x11rb::protocol::present::ConnectionExt;
    if presence.drawn_or_closed(PATIENCE) {
        return;
    }
    let Ok((screen, _)) = x11rb::connect(None) else { return };
    loop {
        // 0 is the number of baseview's first question.
        let asked = screen.present_notify_msc(window, 0, 0, 1, 0).map(|cookie| cookie.check());
        if !matches!(asked, Ok(Ok(()))) || presence.drawn_or_closed(PATIENCE) {
            return;
        }
    }
}
