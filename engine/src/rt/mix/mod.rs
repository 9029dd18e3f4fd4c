//! The mix stage: equalizer, compressor, output gain and bypass, moved by what the decision stage says.
//!
//! The genres' profiles are blended by probability ([`blend`]) and the blend is glided to ([`glide`]) within the
//! user's reaction time; Amount, the section switches and the output gain glide within [`CONTROL_S`]. When all that is
//! at rest at neutral, the output is the input, bit for bit. There is no latency.

pub mod blend;
pub mod bypass;
pub mod compressor;
pub mod eq;
pub mod glide;

use crate::controls::Controls;
use crate::profile::Profiles;
use crate::rt::decision::Outcome;
use crate::telemetry::MixState;
use blend::{Blend, PARAMETERS, at};
use bypass::Bypass;
use compressor::{Compressor, Setting};
use eq::{Band, SHELF_Q, Shape};
use glide::{Glide, MAX_TICK, Ramp};

/// Most channels that are mixed.
pub const MAX_CHANNELS: usize = 2;

/// Up to a tick of sound, one array a channel.
pub type Work = [[f64; MAX_TICK]; MAX_CHANNELS];

/// Time in which the user's own moves (Amount, sections, output gain) go 95 % of their way, in seconds. They follow the
/// hand, not the reaction time.
pub const CONTROL_S: f64 = 0.08;

/// Corner of the high-pass through which the compressor hears, in Hz: neither rumble nor the kick's weight should move
/// the whole mix, and a change of the low shelf should not look like a change of level.
const KEY_HZ: f64 = 90.0;

/// The user's controls that glide.
#[derive(Clone, Copy, Debug)]
struct Hands {
    amount: Glide,
    eq: Glide,
    compressor: Glide,
    output_db: Glide,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct MixStage {
    channels: usize,
    /// Length of a tick in samples and in seconds; all glides advance once a tick.
    tick: usize,
    tick_s: f64,
    /// Sample within the tick.
    position: usize,
    /// False until the first tick, which takes the user's controls as they are instead of gliding to them.
    started: bool,
    blend: Blend,
    /// The weights that were last aimed at, kept for a change of preset.
    weights: [f32; crate::genre::GENRES],
    target: [f64; PARAMETERS],
    glides: [Glide; PARAMETERS],
    hands: Hands,
    bands: [Band; 3],
    /// The compressor's side-chain filter.
    key_filter: Band,
    compressor: Compressor,
    /// The user's output gain and the equalizer's trim, in dB.
    level_db: Ramp,
    bypass: Bypass,
    state: MixState,
    /// The part of a tick that is being worked on.
    work: Work,
    /// The same as the compressor hears it.
    key: Work,
    gain_db: [f32; MAX_TICK],
}

impl MixStage {
    /// A mix stage at rest at neutral, for a sample rate in Hz (8000..=384000) and 1 or 2 channels.
    pub fn new(sample_rate: f32, channels: usize, profiles: &Profiles) -> MixStage {
        let sample_rate =
            if sample_rate.is_finite() { sample_rate.clamp(8_000.0, 384_000.0) } else { 48_000.0 };
        let tick = glide::tick_length(sample_rate);
        let blend = Blend::new(profiles);
        let mut stage = MixStage {
            channels: channels.clamp(1, MAX_CHANNELS),
            tick,
            tick_s: tick as f64 / f64::from(sample_rate),
            position: 0,
            started: false,
            blend,
            weights: [0.0; crate::genre::GENRES],
            target: blend.neutral(),
            glides: blend.neutral().map(Glide::at),
            hands: Hands {
                amount: Glide::at(0.0),
                eq: Glide::at(0.0),
                compressor: Glide::at(0.0),
                output_db: Glide::at(0.0),
            },
            bands: [Shape::LowShelf, Shape::Bell, Shape::HighShelf]
                .map(|shape| Band::new(shape, sample_rate, tick)),
            key_filter: Band::new(Shape::HighPass, sample_rate, tick),
            compressor: Compressor::new(sample_rate, tick),
            level_db: Ramp::default(),
            bypass: Bypass::new(sample_rate),
            state: MixState::default(),
            work: [[0.0; MAX_TICK]; MAX_CHANNELS],
            key: [[0.0; MAX_TICK]; MAX_CHANNELS],
            gain_db: [0.0; MAX_TICK],
        };
        stage.reset();
        stage
    }

    /// Takes another preset's profiles; the mix glides there within the reaction time.
    pub fn set_profiles(&mut self, profiles: &Profiles) {
        self.blend = Blend::new(profiles);
        self.target = self.blend.mix(&self.weights);
    }

    /// Once a frame: where the decision stage wants the mix to be.
    pub fn set_target(&mut self, outcome: &Outcome, controls: &Controls) {
        if let Some(weights) = outcome.weights(controls.threshold) {
            self.weights = weights.map(|w| if w.is_finite() { w } else { 0.0 });
            self.target = self.blend.mix(&self.weights);
        }
    }

    /// Mixes samples `start..end` of the block in place; `channels` holds one slice a channel, all of one length.
    /// What is not finite is taken as 0; the output is finite. Calling it for parts of a block one after the other
    /// gives the same as calling it for the whole, bit for bit.
    pub fn process(&mut self, channels: &mut [&mut [f32]], start: usize, end: usize, controls: &Controls) {
        let count = channels.len().min(self.channels);
        let Some(channels) = channels.get_mut(..count) else { return };
        let end = channels.iter().map(|channel| channel.len()).fold(end, usize::min);
        let mut from = start;
        while from < end {
            if self.position == 0 {
                self.start_tick(controls);
            }
            let to = end.min(from + self.tick - self.position);
            self.run(channels, from, to, controls.bypass);
            self.position = (self.position + to - from) % self.tick;
            from = to;
        }
    }

    /// The settings in force at the end of the present tick.
    pub fn state(&self) -> MixState {
        MixState { reduction_db: self.compressor.reduction_db(), ..self.state }
    }

    /// Back to rest at neutral, without a glide. The next sample is the first of a new stream.
    pub fn reset(&mut self) {
        self.position = 0;
        self.started = false;
        self.weights = [0.0; crate::genre::GENRES];
        self.target = self.blend.neutral();
        self.glides = self.target.map(Glide::at);
        self.bands.iter_mut().for_each(Band::reset);
        self.key_filter.reset();
        self.compressor.reset();
        self.apply(true);
    }

    /// Moves everything on by a tick.
    fn start_tick(&mut self, controls: &Controls) {
        let tidy = |value: f32, (min, max): (f32, f32), otherwise: f32| {
            f64::from(if value.is_finite() { value.clamp(min, max) } else { otherwise })
        };
        let switch = |on: bool| f64::from(u8::from(on));
        let amount = tidy(controls.amount, (0.0, 1.0), 0.0);
        let output_db = tidy(controls.output_db, (-24.0, 24.0), 0.0);
        let (eq, compressor) = (switch(controls.eq), switch(controls.compressor));
        if self.started {
            let share = glide::share(self.tick_s, CONTROL_S);
            self.hands.amount.advance(amount, share);
            self.hands.eq.advance(eq, share);
            self.hands.compressor.advance(compressor, share);
            self.hands.output_db.advance(output_db, share);
        } else {
            self.hands = Hands {
                amount: Glide::at(amount),
                eq: Glide::at(eq),
                compressor: Glide::at(compressor),
                output_db: Glide::at(output_db),
            };
            self.bypass.jump(controls.bypass);
        }
        let share = glide::share(self.tick_s, tidy(controls.reaction_s, (0.1, 20.0), 2.0));
        for (glide, target) in self.glides.iter_mut().zip(self.target) {
            glide.advance(target, share);
        }
        self.apply(!self.started);
        self.started = true;
    }

    /// Hands the settings that are now in force to the processors; `jump` without a ramp through the tick.
    fn apply(&mut self, jump: bool) {
        let value = |i: usize| self.glides[i].value();
        let amount = self.hands.amount.value();
        let (eq, compressor) = (amount * self.hands.eq.value(), amount * self.hands.compressor.value());
        let eq_db = at::EQ_DB.map(|i| eq * value(i));
        let eq_hz = at::EQ_LN_HZ.map(|i| value(i).exp());
        let q = [SHELF_Q, value(at::MID_LN_Q).exp(), SHELF_Q];
        let setting = Setting {
            threshold_db: value(at::THRESHOLD_DB),
            slope: compressor * value(at::SLOPE),
            knee_db: value(at::KNEE_DB),
            attack_ms: value(at::LN_ATTACK_MS).exp(),
            release_ms: value(at::LN_RELEASE_MS).exp(),
            makeup_db: compressor * value(at::MAKEUP_DB),
            auto_makeup: 1.0,
        };
        for (i, band) in self.bands.iter_mut().enumerate() {
            let setting = [eq_hz[i], eq_db[i], q[i]];
            if jump { band.jump(setting) } else { band.set(setting) }
        }
        let key = [KEY_HZ, 0.0, SHELF_Q];
        if jump {
            self.key_filter.jump(key)
        } else {
            self.key_filter.set(key)
        }
        if jump {
            self.compressor.jump(setting)
        } else {
            self.compressor.set(setting)
        }
        let level_db = self.hands.output_db.value() + eq * value(at::TRIM_DB);
        self.level_db.next(level_db, self.tick);
        if jump {
            self.level_db = Ramp::flat(level_db);
        }
        self.state = MixState {
            eq_db: eq_db.map(|db| db as f32),
            eq_hz: eq_hz.map(|hz| hz as f32),
            eq_q: q.map(|q| q as f32),
            threshold_db: setting.threshold_db as f32,
            ratio: (1.0 / (1.0 - setting.slope)) as f32,
            attack_ms: setting.attack_ms as f32,
            release_ms: setting.release_ms as f32,
            makeup_db: self.compressor.makeup_db(),
            reduction_db: self.compressor.reduction_db(),
        };
    }

    /// Mixes samples `from..to`, which lie within the present tick.
    fn run(&mut self, channels: &mut [&mut [f32]], from: usize, to: usize, bypassed: bool) {
        let (count, offset) = (to - from, self.position);
        for (channel, work) in channels.iter_mut().zip(&mut self.work) {
            for (sample, work) in channel[from..to].iter_mut().zip(work) {
                if !sample.is_finite() {
                    *sample = 0.0;
                }
                *work = f64::from(*sample);
            }
        }
        for band in &mut self.bands {
            band.process(&mut self.work, channels.len(), count, offset);
        }
        for (key, work) in self.key.iter_mut().zip(&self.work).take(channels.len()) {
            key[..count].copy_from_slice(&work[..count]);
        }
        self.key_filter.process(&mut self.key, channels.len(), count, offset);
        let gain_db = &mut self.gain_db[..count];
        for (i, gain_db) in gain_db.iter_mut().enumerate() {
            *gain_db = self.level_db.at(offset + i) as f32;
        }
        let [left, right] = &self.key;
        let right = if channels.len() > 1 { &right[..count] } else { &[] };
        self.compressor.gain([&left[..count], right], gain_db, offset);

        let eq_neutral = self.bands.iter().all(Band::is_neutral);
        let gain_neutral = self.compressor.is_neutral() && self.level_db.is_zero();
        let bypass_off = self.bypass.is_off(bypassed);
        if eq_neutral && gain_neutral && bypass_off {
            return;
        }
        for i in 0..count {
            let gain = if gain_neutral { 1.0 } else { f64::from((DB_TO_LOG2 * gain_db[i]).exp2()) };
            let dry_share = if bypass_off { 0.0 } else { self.bypass.advance(bypassed) };
            if dry_share == 1.0 {
                continue;
            }
            for (channel, work) in channels.iter_mut().zip(&self.work) {
                let dry = &mut channel[from + i];
                let wet = work[i] * gain;
                let mixed = wet + dry_share * (f64::from(*dry) - wet);
                *dry = mixed.clamp(f64::from(-f32::MAX), f64::from(f32::MAX)) as f32;
            }
        }
    }
}

/// Decibels of amplitude to octaves of amplitude: log2(10) / 20.
const DB_TO_LOG2: f32 = 0.166_096_4;
