//! Print: while it is armed and the window is open, what the genre draws is written as the host's automation.
//!
//! A plugin may not write automation from its audio thread, so the window does, a picture at a time, as if a hand moved
//! every control: a gesture begins on each own setting ([`params::own`](crate::params::own)) when Print is armed,
//! values follow what is in force, and the gestures end with it. While it runs the engine hears none of what is
//! written ([`Controls::hold_base`](idiom_engine::Controls::hold_base)). At the end the mode goes to *By hand*: the recorded curve then plays by
//! itself, and is the mix that was heard, because what is written is the sum of own setting and genre.
//!
//! Nothing here knows the plugin format: nice-plug hands gestures to CLAP through a queue and to VST3 on the window's thread.

use crate::params::{IdiomParams, ModeChoice};
use idiom_engine::Mode;
use idiom_engine::profile::{PARAMETERS, Parameter, Profile};
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;
use std::sync::atomic::Ordering::Relaxed;

/// What the host is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gesture {
    /// A hand takes hold of a parameter.
    Begin(ParamPtr),
    /// It moves it to a normalized value.
    Set(ParamPtr, f32),
    /// It lets go.
    End(ParamPtr),
}

/// Smallest move that is written, as a share of a parameter's range: finer than any is heard, coarser than rounding.
const STEP: f32 = 1e-4;

/// Writes while it is armed. Window thread.
#[derive(Debug, Default)]
pub struct Print {
    /// What was written last of each own setting, normalized; `None` while it is not armed.
    written: Option<[f32; PARAMETERS]>,
}

impl Print {
    /// Whether it writes.
    pub fn is_armed(&self) -> bool {
        self.written.is_some()
    }

    /// Begins to write.
    pub fn arm(&mut self, params: &IdiomParams, tell: &mut dyn FnMut(Gesture)) {
        if self.is_armed() {
            return;
        }
        params.printing.store(true, Relaxed);
        let mut written = [0.0; PARAMETERS];
        for (written, &parameter) in written.iter_mut().zip(Parameter::ALL) {
            let param = params.own(parameter);
            *written = param.unmodulated_normalized_value();
            tell(Gesture::Begin(param.as_ptr()));
        }
        self.written = Some(written);
    }

    /// Once a picture: writes what is in force now, where it moved.
    pub fn write(&mut self, params: &IdiomParams, in_force: &Profile, tell: &mut dyn FnMut(Gesture)) {
        let Some(written) = &mut self.written else { return };
        for (written, &parameter) in written.iter_mut().zip(Parameter::ALL) {
            let param = params.own(parameter);
            let value = param.preview_normalized(in_force[parameter]);
            if value.is_finite() && (value - *written).abs() >= STEP {
                *written = value;
                tell(Gesture::Set(param.as_ptr(), value));
            }
        }
    }

    /// Ends the gestures and lets what was written play by itself. Also for a window that closes.
    pub fn disarm(&mut self, params: &IdiomParams, tell: &mut dyn FnMut(Gesture)) {
        if self.written.take().is_none() {
            return;
        }
        let mode = params.mode.as_ptr();
        tell(Gesture::Begin(mode));
        tell(Gesture::Set(mode, params.mode.preview_normalized(ModeChoice::from(Mode::ByHand))));
        tell(Gesture::End(mode));
        for &parameter in Parameter::ALL {
            tell(Gesture::End(params.own(parameter).as_ptr()));
        }
        params.printing.store(false, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::Arc;

    /// A host that takes gestures as they come, sets the parameters, and checks the rules.
    #[derive(Default)]
    struct Host {
        held: HashMap<ParamPtr, usize>,
        moves: usize,
    }

    impl Host {
        fn take(&mut self, gesture: Gesture) {
            match gesture {
                Gesture::Begin(param) => assert_eq!(self.held.insert(param, 0), None, "held twice"),
                Gesture::Set(param, value) => {
                    *self.held.get_mut(&param).expect("moved without being held") += 1;
                    self.moves += 1;
                    // SAFETY: the parameter is alive.
                    unsafe { param._internal_set_normalized_value(value) };
                }
                Gesture::End(param) => {
                    assert!(self.held.remove(&param).is_some(), "let go without being held")
                }
            }
        }
    }

    #[test]
    fn the_curve_is_written_and_plays_by_itself_afterwards() {
        let params = IdiomParams::new(Arc::default());
        let (mut print, mut host) = (Print::default(), Host::default());
        print.write(&params, &Profile::NEUTRAL, &mut |gesture| host.take(gesture));
        print.disarm(&params, &mut |gesture| host.take(gesture));
        assert_eq!(host.moves, 0, "it is not armed");

        print.arm(&params, &mut |gesture| host.take(gesture));
        assert!(print.is_armed() && params.controls().hold_base);
        assert_eq!(host.held.len(), PARAMETERS);
        let mut in_force = Profile::NEUTRAL;
        for step in 0..10 {
            in_force[Parameter::LowDb] = 0.5 * step as f32;
            in_force[Parameter::Threshold] = -18.0 - step as f32;
            print.write(&params, &in_force, &mut |gesture| host.take(gesture));
        }
        print.write(&params, &in_force, &mut |gesture| host.take(gesture));
        assert_eq!(host.moves, 18, "what moved, when it moved");
        print.disarm(&params, &mut |gesture| host.take(gesture));
        assert!(host.held.is_empty(), "gestures are left open");
        let controls = params.controls();
        assert_eq!((controls.mode, controls.hold_base), (Mode::ByHand, false));
        for &parameter in Parameter::ALL {
            let (is, was) = (controls.base[parameter], in_force[parameter]);
            assert!((is - was).abs() <= 1e-3 * (1.0 + was.abs()), "{parameter:?}: {is}, not {was}");
        }
    }
}
