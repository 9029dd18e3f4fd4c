//! What the user's hands, or the host's automation, move: gains, switches, Amount, and the user's own settings. They
//! glide from tick to tick within [`CONTROL_S`], so that no jump clicks.

use super::glide::{self, Glide};
use super::{CONTROL_S, tidy};
use crate::controls::{Controls, SECTIONS, Section};
use crate::profile::{PARAMETERS, Parameter, Profile};

/// The user's controls on their way to where they were put.
#[derive(Clone, Debug)]
pub struct Hands {
    amount: Glide,
    sections: [Glide; SECTIONS],
    input_db: Glide,
    output_db: Glide,
    ceiling_db: Glide,
    /// The user's own settings in the domains of blending, where they are to go, and what that was computed from.
    base: [Glide; PARAMETERS],
    base_aim: [f64; PARAMETERS],
    heard: Profile,
}

impl Hands {
    /// At rest where the controls are.
    pub fn new(controls: &Controls) -> Hands {
        let aim = Aim::of(controls);
        let base_aim = std::array::from_fn(|i| base_aim(&controls.base, i));
        Hands {
            amount: Glide::at(aim.amount),
            sections: aim.sections.map(Glide::at),
            input_db: Glide::at(aim.input_db),
            output_db: Glide::at(aim.output_db),
            ceiling_db: Glide::at(aim.ceiling_db),
            base: base_aim.map(Glide::at),
            base_aim,
            heard: controls.base,
        }
    }

    /// Moves on by a tick of this length.
    pub fn advance(&mut self, controls: &Controls, tick_s: f64) {
        let (aim, share) = (Aim::of(controls), glide::share(tick_s, CONTROL_S));
        self.amount.advance(aim.amount, share);
        for (glide, to) in self.sections.iter_mut().zip(aim.sections) {
            glide.advance(to, share);
        }
        self.input_db.advance(aim.input_db, share);
        self.output_db.advance(aim.output_db, share);
        self.ceiling_db.advance(aim.ceiling_db, share);
        // Logarithms are dear, and hands rest most of the time.
        if controls.base != self.heard && !controls.hold_base {
            self.heard = controls.base;
            self.base_aim = std::array::from_fn(|i| base_aim(&controls.base, i));
        }
        for (glide, to) in self.base.iter_mut().zip(self.base_aim) {
            glide.advance(to, share);
        }
    }

    /// How far the mix moves towards the genre's profile, `0..=1`.
    pub fn amount(&self) -> f64 {
        self.amount.value()
    }

    /// How much of each section is switched on, `0..=1`.
    pub fn sections(&self) -> [f64; SECTIONS] {
        self.sections.map(|glide| glide.value())
    }

    /// Gain before everything in dB.
    pub fn input_db(&self) -> f64 {
        self.input_db.value()
    }

    /// Gain after everything but the limiter in dB.
    pub fn output_db(&self) -> f64 {
        self.output_db.value()
    }

    /// The limiter's ceiling in dBTP.
    pub fn ceiling_db(&self) -> f64 {
        self.ceiling_db.value()
    }

    /// The user's own setting of parameter number `i`, in the domain in which it is blended.
    pub fn base(&self, i: usize) -> f64 {
        self.base[i].value()
    }
}

/// What the controls say, made safe.
struct Aim {
    amount: f64,
    sections: [f64; SECTIONS],
    input_db: f64,
    output_db: f64,
    ceiling_db: f64,
}

impl Aim {
    fn of(controls: &Controls) -> Aim {
        let switch = |on: bool| f64::from(u8::from(on));
        Aim {
            amount: tidy(controls.amount, (0.0, 1.0), 0.0),
            sections: Section::ALL.map(|section| {
                switch(match section {
                    Section::Gate => controls.gate,
                    Section::Eq => controls.eq,
                    Section::Compressor => controls.compressor,
                    Section::Drive => controls.drive,
                    Section::Width => controls.width,
                    Section::Loudness => controls.loudness,
                    Section::Limiter => controls.limiter,
                })
            }),
            input_db: tidy(controls.input_db, (-24.0, 24.0), 0.0),
            output_db: tidy(controls.output_db, (-24.0, 24.0), 0.0),
            ceiling_db: tidy(controls.ceiling_db, (-24.0, 0.0), -1.0),
        }
    }
}

/// Where the user's own setting of a parameter is to go, in its domain.
fn base_aim(base: &Profile, i: usize) -> f64 {
    let parameter = Parameter::ALL[i];
    let spec = parameter.spec();
    parameter.to_domain(tidy(base[parameter], spec.range, spec.neutral) as f32)
}
