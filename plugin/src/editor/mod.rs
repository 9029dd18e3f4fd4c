//! The window.
//!
//! [`view::show`] draws a [`model::ViewModel`] and returns [`model::Action`]s; one file per part of the window. This
//! file ties that to the host: it fills the model from the instance, carries out the actions, and keeps the size.

pub mod bars;
pub mod browser;
pub mod cache;
pub mod canvas;
pub mod card;
pub mod control;
pub mod controls;
pub mod curve;
pub mod engine;
pub mod first_picture;
pub mod footer;
pub mod genre;
pub mod header;
pub mod icons;
pub mod knob;
pub mod latency;
pub mod menu;
pub mod meters;
pub mod midi;
pub mod mix;
pub mod model;
pub mod now;
pub mod presets;
pub mod recogniser;
pub mod rest;
pub mod river;
pub mod samples;
pub mod sections;
pub mod session;
pub mod stepper;
pub mod theme;
pub mod undo;
pub mod view;
pub mod watch;
pub mod window;
pub mod worker;

use crate::params::IdiomParams;
use crate::shared::Shared;
use crate::state::Size;
use model::ViewModel;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use nice_plug::editor::{Editor, HostMethods, ParentWindowHandle, ResizeHint, SpawnedEditor};
use nice_plug::prelude::TrackInfo;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorState, EguiNiceSettings, Frame, GlConfig, GraphicsConfig, KeyCapture, NiceEguiApp,
    create_egui_editor,
};
use rest::Rest;
use session::Session;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use theme::Shade;

/// Shortest time between two pictures that nobody asked for with the mouse.
const PICTURE: Duration = Duration::from_millis(33);

/// The plugin's window, open or closed.
///
/// nice-plug asks for the editor once, before a session's state is loaded, and its egui editor keeps the size it was
/// made with. So this one makes a new egui editor when the saved size has changed since.
pub struct IdiomEditor {
    params: Arc<IdiomParams>,
    shared: Arc<Shared>,
    /// Outlives the window: a window that is opened again stands as it was closed.
    session: Arc<Mutex<Session>>,
    inner: Mutex<Inner>,
}

struct Inner {
    size: Size,
    state: Arc<EguiEditorState>,
    editor: EguiEditor<App>,
}

impl IdiomEditor {
    /// For an instance. Opens nothing yet.
    pub fn new(params: Arc<IdiomParams>, shared: Arc<Shared>) -> Self {
        let session = Arc::new(Mutex::new(Session::default()));
        let inner = Mutex::new(Self::make(&params, &shared, &session));
        Self { params, shared, session, inner }
    }

    fn make(params: &Arc<IdiomParams>, shared: &Arc<Shared>, session: &Arc<Mutex<Session>>) -> Inner {
        let size = params.window.get();
        let state =
            EguiEditorState::from_size(LogicalSize::new(f64::from(size.width), f64::from(size.height)), 1.0);
        let smallest = LogicalSize::new(f32::from(Size::MIN.width), f32::from(Size::MIN.height));
        // Flat shapes need no depth and no stencil, whose buffer would be as large as the picture.
        let gl_config = GlConfig { depth_bits: 0, stencil_bits: 0, ..GlConfig::default() };
        let settings = EguiNiceSettings::new()
            .with_tile("Idiom")
            .with_graphics_config(GraphicsConfig { gl_config, ..GraphicsConfig::default() })
            .with_resize_hint(ResizeHint::resizable().with_min_logical_size(smallest))
            .with_repaint_poll_interval(PICTURE);
        let app = App {
            params: Arc::clone(params),
            shared: Arc::clone(shared),
            session: Arc::clone(session),
            host: None,
            dressed: None,
            shown: None,
            rest: Rest::default(),
        };
        let editor = create_egui_editor(Arc::clone(&state), shared.repaint.clone(), settings, app)
            .expect("nice-plug-egui always makes an editor");
        Inner { size, state, editor }
    }

    /// The egui editor, in the size the session asks for.
    fn with<R>(&self, work: impl FnOnce(&EguiEditor<App>) -> R) -> R {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if !inner.state.is_open() && inner.size != self.params.window.get() {
            *inner = Self::make(&self.params, &self.shared, &self.session);
        }
        work(&inner.editor)
    }
}

impl Editor for IdiomEditor {
    type Handle = window::Handle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        let context = gui_context.clone();
        let spawned = self
            .with(|editor| editor.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host))
            .inspect_err(|_| window::not_opened(&self.shared))?;
        let (params, shared) = (Arc::clone(&self.params), Arc::clone(&self.shared));
        let session = Arc::clone(&self.session);
        Ok(SpawnedEditor {
            handle: window::Handle(spawned.handle),
            window: window::Window::new(spawned.window, params, shared, session, context),
        })
    }

    fn size(&self) -> NativeSize<u32> {
        self.with(Editor::size)
    }

    fn resize_hint(&self) -> ResizeHint {
        self.with(Editor::resize_hint)
    }

    fn track_info_updated(&self, track: TrackInfo) {
        self.shared.track_changed(track);
    }
}

/// What runs while the window is open.
struct App {
    params: Arc<IdiomParams>,
    shared: Arc<Shared>,
    session: Arc<Mutex<Session>>,
    host: Option<GuiContext>,
    /// What egui's own parts look like now.
    dressed: Option<Shade>,
    /// What the last picture showed.
    shown: Option<ViewModel>,
    rest: Rest,
}

impl NiceEguiApp for App {
    fn build(
        &mut self,
        egui: egui::Context,
        host: GuiContext,
        frame: &mut Frame,
    ) -> Result<(), HandlerError> {
        self.shared.presence.enter();
        window::keep_libraries();
        first_picture::expect(frame.baseview_window(), &self.shared.presence);
        prepare(&egui, Shade::default());
        (self.dressed, self.shown, self.rest) = (None, None, Rest::default());
        self.host = Some(host);
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut Frame) {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let now_s = ui.input(|input| input.time);
        let model = session.model(&self.params, &self.shared, now_s);
        self.shared.watch(model.look.page.every());
        if self.dressed != Some(model.look.shade) {
            prepare(ui.ctx(), model.look.shade);
            self.dressed = Some(model.look.shade);
        }
        let actions = view::show(ui, &model);
        if let Some(host) = &self.host {
            for action in &actions {
                session.perform(action, &self.params, &self.shared, host, now_s);
            }
            session.print(&self.params, &model, host);
        }
        if let Some(percent) = session.take_resize() {
            let size = Size::at_percent(percent);
            let size = LogicalSize::new(f64::from(size.width), f64::from(size.height));
            // A host that will not have it keeps the size; nothing is lost.
            let _ = frame.baseview_window().resize(size);
        }
        // Keys go to the host, the space bar above all, unless a value is being typed.
        let typing = ui.ctx().egui_wants_keyboard_input();
        frame.set_key_capture(if typing { KeyCapture::CaptureAll } else { KeyCapture::IgnoreAll });
        let busy = (!actions.is_empty() || model.printing).then_some(PICTURE);
        let same = self.shown.as_ref() == Some(&model);
        if let Some(after) = self.rest.drawn(now_s, same, busy) {
            ui.ctx().request_repaint_after(after);
        }
        self.shown = Some(model);
        self.shared.presence.has_drawn();
    }

    fn resized(&mut self, size: WindowSize) {
        let points = |length: f64| length.round().clamp(0.0, f64::from(u16::MAX)) as u16;
        self.params
            .window
            .remember(Size { width: points(size.logical.width), height: points(size.logical.height) });
    }
}

/// Sets up an egui context for [`view::show`].
pub fn prepare(egui: &egui::Context, shade: Shade) {
    egui.set_visuals(shade.theme().visuals());
    // Zooming is the window's size; ctrl and plus belong to the host.
    egui.options_mut(|options| options.zoom_with_keyboard = false);
}
