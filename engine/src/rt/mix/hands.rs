//! What the user's hands, or the host's automation, move: gains, switches, Amount, and the user's own settings. They
//! glide within [`CONTROL_S`], so that no jump clicks.
//!
//! Glides are computed once a tick, but a change counts from its sample: what had already been computed to the end of the
//! tick without it is made up for, so the curve is that of a glide which began where the change came.

use super::glide::{Glide, Step};
use super::{CONTROL_S, tidy};
use crate::controls::{Controls, SECTIONS, Section};
use crate::profile::{PARAMETERS, Parameter, Profile};

/// Places of what glides, before the [`SECTIONS`] switches and the [`PARAMETERS`] own settings.
const AMOUNT: usize = 0;
const INPUT: usize = 1;
const OUTPUT: usize = 2;
const CEILING: usize = 3;
const EXTERNAL: usize = 4;
const SWITCHES: usize = 5;
const BASE: usize = SWITCHES + SECTIONS;
const ALL: usize = BASE + PARAMETERS;

/// The user's controls on their way to where they were put.
#[derive(Clone, Debug)]
pub struct Hands {
    glides: [Glide; ALL],
    /// Where they are to go: own settings in the domains of blending.
    aims: [f64; ALL],
    /// The own settings that their aims were computed from.
    base: Profile,
    /// Some glide has not arrived.
    moving: bool,
}

impl Hands {
    /// At rest where the controls are.
    pub fn new(controls: &Controls) -> Hands {
        let mut hands =
            Hands { glides: [Glide::at(0.0); ALL], aims: [0.0; ALL], base: controls.base, moving: false };
        hands.aims[BASE..].copy_from_slice(&base_aims(&controls.base));
        aim(&mut hands.aims, controls);
        hands.glides = hands.aims.map(Glide::at);
        hands
    }

    /// Starts a tick of `tick_s` seconds with these controls. Returns whether anything moves.
    pub fn advance(&mut self, controls: &Controls, tick_s: f64) -> bool {
        self.change(controls, 0.0);
        if !self.moving {
            return false;
        }
        let step = Step::new(tick_s, CONTROL_S);
        self.moving = false;
        for (glide, aim) in self.glides.iter_mut().zip(self.aims) {
            glide.advance(aim, step);
            self.moving |= !glide.is_at(aim);
        }
        true
    }

    /// Takes over the controls `left_s` seconds before the end of the tick that was started last.
    pub fn change(&mut self, controls: &Controls, left_s: f64) {
        let mut aims = self.aims;
        // Logarithms are dear, and hands rest most of the time.
        if controls.base != self.base && !controls.hold_base {
            self.base = controls.base;
            aims[BASE..].copy_from_slice(&base_aims(&controls.base));
        }
        aim(&mut aims, controls);
        if aims == self.aims {
            return;
        }
        let step = Step::new(left_s, CONTROL_S);
        for ((glide, before), aim) in self.glides.iter_mut().zip(&self.aims).zip(aims) {
            if *before != aim {
                glide.advance(aim, step);
            }
        }
        (self.aims, self.moving) = (aims, true);
    }

    /// Takes an own setting over at once. Returns by how much it was more, in the domain in which it is blended.
    pub fn jump(&mut self, parameter: Parameter, controls: &Controls) -> f64 {
        let at = BASE + parameter as usize;
        let before = self.glides[at].value();
        self.base[parameter] = controls.base[parameter];
        self.aims[at] = base_aim(parameter, &controls.base);
        self.glides[at] = Glide::at(self.aims[at]);
        before - self.aims[at]
    }

    /// How far the mix moves towards the genre's profile, `0..=1`.
    pub fn amount(&self) -> f64 {
        self.glides[AMOUNT].value()
    }

    /// How much of each section is switched on, `0..=1`.
    pub fn sections(&self) -> [f64; SECTIONS] {
        std::array::from_fn(|i| self.glides[SWITCHES + i].value())
    }

    /// How much the compressor hears the external side chain, `0..=1`.
    pub fn external(&self) -> f64 {
        self.glides[EXTERNAL].value()
    }

    /// Gain before everything in dB.
    pub fn input_db(&self) -> f64 {
        self.glides[INPUT].value()
    }

    /// Gain after everything but the limiter in dB.
    pub fn output_db(&self) -> f64 {
        self.glides[OUTPUT].value()
    }

    /// The limiter's ceiling in dBTP.
    pub fn ceiling_db(&self) -> f64 {
        self.glides[CEILING].value()
    }

    /// The user's own setting of parameter number `i`, in the domain in which it is blended.
    pub fn base(&self, i: usize) -> f64 {
        self.glides[BASE + i].value()
    }
}

/// What the controls say, made safe, but for the own settings.
fn aim(aims: &mut [f64; ALL], controls: &Controls) {
    let switch = |on: bool| f64::from(u8::from(on));
    aims[AMOUNT] = tidy(controls.amount, (0.0, 1.0), 0.0);
    aims[INPUT] = tidy(controls.input_db, (-24.0, 24.0), 0.0);
    aims[OUTPUT] = tidy(controls.output_db, (-24.0, 24.0), 0.0);
    aims[CEILING] = tidy(controls.ceiling_db, (-24.0, 0.0), -1.0);
    aims[EXTERNAL] = switch(controls.external_key);
    for (aim, section) in aims[SWITCHES..BASE].iter_mut().zip(Section::ALL) {
        *aim = switch(match section {
            Section::Gate => controls.gate,
            Section::Eq => controls.eq,
            Section::Compressor => controls.compressor,
            Section::Drive => controls.drive,
            Section::Width => controls.width,
            Section::Loudness => controls.loudness,
            Section::Limiter => controls.limiter,
        });
    }
}

/// Where the user's own settings are to go, in their domains.
fn base_aims(base: &Profile) -> [f64; PARAMETERS] {
    std::array::from_fn(|i| base_aim(Parameter::ALL[i], base))
}

fn base_aim(parameter: Parameter, base: &Profile) -> f64 {
    let spec = parameter.spec();
    parameter.to_domain(tidy(base[parameter], spec.range, spec.neutral) as f32)
}
