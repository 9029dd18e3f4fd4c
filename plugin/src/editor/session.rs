//! What the window remembers while its plugin lives, and how each [`Action`] is carried out: page and shade, undo, A and B.
//!
//! The window itself is drawn from a [`ViewModel`] that [`Session::model`] makes, and returns actions that
//! [`Session::perform`] carries out. Parameters are changed through the host, which records them.

use super::control::Control;
use super::model::{Action, Browse, Look, Page, Slot, ViewModel};
use super::undo::{Setup, Step, Undo, Value};
use super::watch::Watch;
use crate::library::{Entry, Key, Library, UserPreset};
use crate::params::IdiomParams;
use crate::print::{Gesture, Print};
use crate::shared::Shared;
use idiom_engine::metrics::Stage;
use idiom_engine::profile::live::Handed;
use idiom_engine::profile::{Parameter, Preset};
use idiom_engine::spectrum::Analyser;
use idiom_engine::worker::UserModel;
use idiom_engine::{Genre, Section};
use nice_plug::context::gui::GuiContext;
use nice_plug::prelude::*;
use std::path::PathBuf;
use std::sync::Arc;

/// Who is told of changes to parameters.
pub trait Host {
    /// A hand takes hold of a parameter.
    fn begin(&self, param: ParamPtr);
    /// It moves it to a normalized value.
    fn set(&self, param: ParamPtr, normalized: f32);
    /// It lets go.
    fn end(&self, param: ParamPtr);
}

impl Host for GuiContext {
    fn begin(&self, param: ParamPtr) {
        // SAFETY: the parameters live as long as the plugin, and the window does not outlive it.
        unsafe { self.raw_begin_set_parameter(param) }
    }

    fn set(&self, param: ParamPtr, normalized: f32) {
        // SAFETY: as above.
        unsafe { self.raw_set_parameter_normalized(param, normalized) }
    }

    fn end(&self, param: ParamPtr) {
        // SAFETY: as above.
        unsafe { self.raw_end_set_parameter(param) }
    }
}

/// No host: parameters change at once. For examples and tests.
pub struct NoHost;

impl Host for NoHost {
    fn begin(&self, _param: ParamPtr) {}

    fn set(&self, param: ParamPtr, normalized: f32) {
        // SAFETY: whoever asks holds the parameters.
        unsafe { param._internal_set_normalized_value(normalized) };
    }

    fn end(&self, _param: ParamPtr) {}
}

/// See the [module](self).
#[derive(Default)]
pub struct Session {
    page: Page,
    section: Option<Section>,
    /// The user's presets and colours; read when the window is opened for the first time.
    library: Option<Library>,
    /// All presets, until one changes.
    listed: Option<Arc<Vec<Entry>>>,
    /// The user's preset that was loaded last.
    loaded: Option<Key>,
    browse: Browse,
    watch: Watch,
    undo: Undo,
    /// The gesture that goes on: parameter, where it began, where it is.
    gesture: Option<(String, f32, f32)>,
    slot: Slot,
    /// What the other slot holds; empty until it was used.
    other: Option<Box<Setup>>,
    /// The genre that was set by hand last, for comparing with what is heard.
    by_hand: Option<Genre>,
    /// Of the spectrum, once its page was open.
    analyser: Option<Box<Analyser>>,
    /// When the last picture was drawn, in seconds.
    drawn_s: f64,
    print: Print,
    /// The set-up of MIDI controllers is shown.
    midi_setup: bool,
    /// Size that was asked for in percent, until the window took it.
    resize: Option<u16>,
}

impl Session {
    /// What is true of an instance at a time in seconds. Window thread.
    pub fn model(&mut self, params: &IdiomParams, shared: &Shared, now_s: f64) -> ViewModel {
        let mut model = ViewModel::of(params, shared);
        if self.page == Page::Mix {
            let rate = model.snapshot.sample_rate;
            let tap = shared.handle.telemetry().tap();
            tap.look();
            let fits = |analyser: &Box<Analyser>| analyser.sample_rate() == rate || !(rate > 0.0);
            if !self.analyser.as_ref().is_some_and(fits) {
                self.analyser = Some(Box::new(Analyser::new(rate)));
            }
            let elapsed_s = (now_s - self.drawn_s) as f32;
            model.spectrum = self.analyser.as_mut().map(|analyser| analyser.update(tap, elapsed_s).clone());
        }
        self.drawn_s = now_s;
        let meters = shared.handle.telemetry().meters();
        let running = (model.snapshot.backend, model.snapshot.quantization);
        model.latency = self.watch.update(now_s, &meters.counts(Stage::Frame), running);
        model.costs = self.watch.costs().to_vec();
        self.list(&mut model, params);
        let [undo, redo] = self.undo.names();
        model.look = Look {
            page: self.page,
            shade: self.library().shade(),
            browse: self.browse.clone(),
            undo,
            redo,
            slot: self.slot,
            section: self.section,
            midi_setup: self.midi_setup,
            by_hand: self.by_hand.or(model.manual),
            percent: params.window.get().percent(),
        };
        model
    }

    /// With the user's files in `folder`, or none.
    pub fn with_folder(folder: Option<PathBuf>) -> Session {
        Session { library: Some(Library::open(folder)), ..Session::default() }
    }

    fn library(&mut self) -> &mut Library {
        self.library.get_or_insert_with(|| Library::open(Library::default_folder()))
    }

    /// What the model says of presets.
    fn list(&mut self, model: &mut ViewModel, params: &IdiomParams) {
        if self.listed.is_none() {
            self.listed = Some(Arc::new(self.library().entries()));
        }
        model.presets = self.listed.clone().unwrap_or_default();
        let library = self.library();
        model.trouble = library.trouble().map(str::to_owned);
        model.presets_folder =
            library.presets_folder().map_or_else(String::new, |folder| folder.display().to_string());
        let name = match &self.loaded {
            Some(Key::User(name)) => name.clone(),
            _ => String::new(),
        };
        let own = self.library().user(&name).map(|preset| preset.setup(params));
        (model.loaded, model.edited) = match own {
            Some(setup) => (self.loaded.clone(), setup.is_ok_and(|setup| setup.differs(&Setup::of(params)))),
            None => (Some(Key::factory(model.preset)), params.preset.is_own()),
        };
    }

    fn load(&mut self, key: &Key, params: &IdiomParams, host: &impl Host, now_s: f64) {
        let present = Setup::of(params);
        let (name, next) = match key {
            Key::Factory(_) => {
                let Some(index) = key.index() else { return };
                let name = Preset::factory().get(index).map_or("", |preset| &preset.name);
                (name.to_owned(), present.with(Value::Preset(index.into())))
            }
            Key::User(name) => {
                let Some(preset) = self.library().user(name).cloned() else { return };
                match preset.setup(params) {
                    Ok(setup) => (name.clone(), setup),
                    Err(why) => {
                        self.library().complain(format!("The preset {name:?} was not loaded: {why}."));
                        return;
                    }
                }
            }
        };
        self.loaded = Some(key.clone());
        let step = present.step_to(&next, format!("Preset {name}"));
        self.set(&step.after, params, host);
        self.undo.push(step, now_s);
    }

    /// Once a picture: what is in force goes to the host's automation, while Print is armed.
    pub fn print(&mut self, params: &IdiomParams, model: &ViewModel, host: &impl Host) {
        self.print.write(params, &model.mix().values, &mut |gesture| tell(host, gesture));
    }

    /// Ends Print. Also for a window that closes.
    pub fn end_print(&mut self, params: &IdiomParams, host: &impl Host) {
        self.print.disarm(params, &mut |gesture| tell(host, gesture));
    }

    /// Takes the size in percent that was asked for since the last call.
    pub fn take_resize(&mut self) -> Option<u16> {
        self.resize.take()
    }

    /// Carries out what the user did, at a time in seconds.
    pub fn perform(
        &mut self,
        action: &Action,
        params: &IdiomParams,
        shared: &Shared,
        host: &impl Host,
        now_s: f64,
    ) {
        match action {
            Action::Begin(control) => {
                let param = control.param(params);
                let at = param.unmodulated_normalized_value();
                self.gesture = Some((control.id(), at, at));
                host.begin(param.as_ptr());
            }
            Action::Set(control, plain) => {
                let param = control.param(params);
                let normalized = param.preview_normalized(*plain);
                if let Some((_, _, at)) = self.gesture.as_mut().filter(|(id, ..)| *id == control.id()) {
                    *at = normalized;
                }
                host.set(param.as_ptr(), normalized);
            }
            Action::End(control) => {
                host.end(control.param(params).as_ptr());
                if let Some((id, from, to)) = self.gesture.take() {
                    let value = |v| vec![Value::Param(id.clone(), v)];
                    let step = Step { name: control.name().into(), before: value(from), after: value(to) };
                    self.undo.push(step, now_s);
                }
            }
            Action::Keep(parameter, genre) => {
                let amount = params.amount.unmodulated_plain_value() / 100.0;
                let (played, handed) = params.preset.keep(*genre, *parameter, &params.own.profile(), amount);
                let own: Vec<(Parameter, &FloatParam, f32)> =
                    handed.into_iter().flatten().map(|(p, plain)| (p, params.own(p), plain)).collect();
                let before = own.iter().map(|(p, param, _)| (*p, param.unmodulated_normalized_value()));
                let before = vec![Value::Kept(params.preset.played(), before.collect())];
                let after = own.iter().map(|(p, param, plain)| (*p, param.preview_normalized(*plain)));
                let after = vec![Value::Kept(played, after.collect())];
                self.set(&after, params, host);
                let name = format!("{} for {}", Control::from(*parameter).name(), genre.label());
                self.undo.push(Step { name, before, after }, now_s);
            }
            Action::Switch(switch, on) => self.one(params, host, now_s, params.switch(*switch), *on),
            Action::Mode(mode) => self.one(params, host, now_s, &params.mode, (*mode).into()),
            Action::Print(true) => self.print.arm(params, &mut |gesture| tell(host, gesture)),
            Action::Print(false) => self.end_print(params, host),
            Action::Uncertain(uncertain) => {
                self.one(params, host, now_s, &params.uncertain, (*uncertain).into());
            }
            Action::Limiter(mode) => self.one(params, host, now_s, &params.limiter, (*mode).into()),
            Action::Section(section) => self.section = Some(*section),
            Action::Manual(genre) => {
                if let Some(genre) = params.genre.value().into() {
                    self.by_hand = Some(genre);
                }
                self.one(params, host, now_s, &params.genre, (*genre).into());
            }
            Action::Backend(backend) => {
                self.one(params, host, now_s, &params.recognition.backend, (*backend).into());
            }
            Action::Quantization(quantization) => {
                self.one(params, host, now_s, &params.recognition.quantization, (*quantization).into());
            }
            Action::CacheSize(answers) => {
                self.one(params, host, now_s, &params.recognition.cache_size, *answers);
            }
            Action::CacheMinutes(minutes) => {
                self.one(params, host, now_s, &params.recognition.cache_minutes, *minutes);
            }
            Action::MidiChannel(channel) => self.one(params, host, now_s, &params.cc.channel, *channel),
            Action::Controller(carried, place) => {
                self.one(params, host, now_s, params.cc.number(*carried), *place);
            }
            Action::MidiSetup(open) => self.midi_setup = *open,
            Action::Load(key) => self.load(key, params, host, now_s),
            Action::Browse(browse) => self.browse = browse.clone(),
            Action::Favourite(key, on) => {
                self.library().mark(key, *on);
                self.listed = None;
            }
            Action::Save(name) => {
                let preset = UserPreset::of(params, name, "", Vec::new());
                self.library().save(preset);
                self.loaded = Some(Key::User(name.clone()));
                self.browse.naming = None;
                self.listed = None;
            }
            Action::Delete(name) => {
                self.library().delete(name);
                self.browse.deleting = false;
                self.loaded = None;
                self.listed = None;
            }
            Action::DismissNotice => params.dismiss_notice(),
            Action::Page(page) => self.page = *page,
            Action::Shade(shade) => self.library().set_shade(*shade),
            Action::Resize(percent) => self.resize = Some(*percent),
            Action::Undo => {
                if let Some(values) = self.undo.undo() {
                    self.set(&values, params, host);
                }
            }
            Action::Redo => {
                if let Some(values) = self.undo.redo() {
                    self.set(&values, params, host);
                }
            }
            Action::Slot(slot) if *slot == self.slot => {}
            Action::Slot(slot) => {
                let (present, held) = (Setup::of(params), self.other.clone());
                // A slot that was never used begins as a copy.
                let next = held.as_deref().unwrap_or(&present);
                let mut step = present.step_to(next, format!("Switch to {}", slot.label()));
                step.before.extend([Value::Slot(self.slot), Value::Aside(held)]);
                step.after.extend([Value::Slot(*slot), Value::Aside(Some(Box::new(present)))]);
                self.set(&step.after, params, host);
                self.undo.push(step, now_s);
            }
            Action::CopySlot => {
                let name = format!("Copy to {}", self.slot.other().label());
                let present = Some(Box::new(Setup::of(params)));
                let before = Value::Aside(self.other.clone());
                self.change(params, host, now_s, &name, before, Value::Aside(present));
            }
            Action::ClearCache => shared.handle.clear_cache(),
            Action::OpenModel(path) => {
                let before = params.model.get();
                params.model.pick(path);
                self.model_changed(before, params, now_s);
            }
            Action::BuiltInModel => {
                let before = params.model.get();
                params.model.play(None);
                self.model_changed(before, params, now_s);
            }
        }
    }

    /// A file that was refused has changed nothing, and is no step.
    fn model_changed(&mut self, before: Option<UserModel>, params: &IdiomParams, now_s: f64) {
        let values = [before, params.model.get()].map(|model| vec![Value::Model(model)]);
        let [before, after] = values;
        self.undo.push(Step { name: "Model".into(), before, after }, now_s);
    }

    /// Sets one parameter to a plain value.
    fn one<P: Param>(&mut self, params: &IdiomParams, host: &impl Host, now_s: f64, param: &P, to: P::Plain) {
        let (ptr, to) = (param.as_ptr(), param.preview_normalized(to));
        let id = params.param_map().into_iter().find(|(_, known, _)| *known == ptr).map(|(id, ..)| id);
        let Some(id) = id else { return };
        let before = Value::Param(id.clone(), param.unmodulated_normalized_value());
        self.change(params, host, now_s, param.name(), before, Value::Param(id, to));
    }

    fn change(
        &mut self,
        params: &IdiomParams,
        host: &impl Host,
        now_s: f64,
        name: &str,
        before: Value,
        after: Value,
    ) {
        let step = Step { name: name.into(), before: vec![before], after: vec![after] };
        self.set(&step.after, params, host);
        self.undo.push(step, now_s);
    }

    /// Sets values, each parameter as one gesture.
    fn set(&mut self, values: &[Value], params: &IdiomParams, host: &impl Host) {
        let map = params.param_map();
        let move_to = |param: ParamPtr, normalized: f32| {
            host.begin(param);
            host.set(param, normalized);
            host.end(param);
        };
        for value in values {
            match value {
                Value::Param(id, normalized) => {
                    if let Some((_, param, _)) = map.iter().find(|(known, ..)| known == id) {
                        move_to(*param, *normalized);
                    }
                }
                Value::Kept(played, own) => {
                    let mut handed = Handed::default();
                    for (handed, (parameter, normalized)) in handed.iter_mut().zip(own) {
                        *handed = Some((*parameter, params.own(*parameter).preview_plain(*normalized)));
                    }
                    params.preset.hand_over(played, handed);
                    own.iter().for_each(|(parameter, to)| move_to(params.own(*parameter).as_ptr(), *to));
                }
                Value::Preset(played) => params.preset.set_played(played),
                Value::Model(model) => params.model.play(model.clone()),
                Value::Slot(slot) => self.slot = *slot,
                Value::Aside(setup) => self.other.clone_from(setup),
            }
        }
    }
}

fn tell(host: &impl Host, gesture: Gesture) {
    match gesture {
        Gesture::Begin(param) => host.begin(param),
        Gesture::Set(param, normalized) => host.set(param, normalized),
        Gesture::End(param) => host.end(param),
    }
}
