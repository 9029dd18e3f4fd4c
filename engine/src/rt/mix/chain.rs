//! The processors in their order, each set by its part of a profile.

use super::compressor::{self, Compressor};
use super::drive::{self, Drive};
use super::eq::{self, Band, SHELF_Q, Shape};
use super::follower::{self, Follower};
use super::gate::{self, Gate};
use super::limiter::{self, Limiter};
use super::trim::Trim;
use super::width::{self, Width};
use super::{MAX_CHANNELS, Work};
use crate::controls::{SECTIONS, Section};
use crate::profile::{PARAMETERS, Parameter, Profile};
use crate::telemetry::MixState;

/// The shapes of the equalizer's bands: low cut, low, mid, presence, high.
pub const BANDS: [Shape; 5] = [Shape::HighPass, Shape::LowShelf, Shape::Bell, Shape::Bell, Shape::HighShelf];

/// What the chain is to do at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// A profile's numbers as [`Parameter::to_processor`] gives them.
    pub values: [f64; PARAMETERS],
    /// How much of each section's effect is wanted, `0..=1`.
    pub shares: [f64; SECTIONS],
    /// Gain before everything in dB.
    pub input_db: f64,
    /// Gain after everything but the limiter in dB.
    pub output_db: f64,
    /// How much the compressor hears the external side chain, `0..=1`.
    pub external: f64,
    /// The limiter's ceiling in dBTP.
    pub ceiling_db: f64,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Chain {
    input: Trim,
    gate: Gate,
    bands: [Band; 5],
    eq_trim: Trim,
    compressor: Compressor,
    drive: Drive,
    width: Width,
    follower: Follower,
    output: Trim,
    limiter: Limiter,
}

impl Chain {
    /// A chain that does nothing, with ticks of `tick` samples.
    pub fn new(sample_rate: f32, tick: usize, look_ahead: bool) -> Chain {
        Chain {
            input: Trim::new(tick),
            gate: Gate::new(sample_rate, tick),
            bands: BANDS.map(|shape| Band::new(shape, sample_rate, tick)),
            eq_trim: Trim::new(tick),
            compressor: Compressor::new(sample_rate, tick),
            drive: Drive::new(sample_rate, tick),
            width: Width::new(sample_rate, tick),
            follower: Follower::new(sample_rate, tick),
            output: Trim::new(tick),
            limiter: Limiter::new(sample_rate, tick, look_ahead),
        }
    }

    /// Samples by which the chain delays the sound; constant.
    pub fn latency(&self) -> usize {
        self.limiter.latency()
    }

    /// Starts a tick at whose end the chain is at `settings`; `jump` makes it so at once.
    pub fn set(&mut self, settings: &Settings, jump: bool) {
        let value = |parameter: Parameter| settings.values[parameter as usize];
        let share = |section: Section| settings.shares[section as usize];
        macro_rules! set {
            ($processor:expr, $setting:expr) => {
                if jump { $processor.jump($setting) } else { $processor.set($setting) }
            };
        }
        set!(self.input, settings.input_db);
        set!(
            self.gate,
            gate::Setting {
                threshold_db: value(Parameter::GateThreshold),
                hysteresis_db: value(Parameter::GateHysteresis),
                ratio: value(Parameter::GateRatio),
                range_db: share(Section::Gate) * value(Parameter::GateRange),
                attack_ms: value(Parameter::GateAttack),
                hold_ms: value(Parameter::GateHold),
                release_ms: value(Parameter::GateRelease),
            }
        );
        for (band, setting) in self.bands.iter_mut().zip(band_settings(settings)) {
            set!(band, setting);
        }
        set!(self.eq_trim, share(Section::Eq) * value(Parameter::EqTrim));
        set!(
            self.compressor,
            compressor::Setting {
                threshold_db: value(Parameter::Threshold),
                slope: share(Section::Compressor) * value(Parameter::Ratio),
                knee_db: value(Parameter::Knee),
                detector_ms: value(Parameter::Detector),
                attack_ms: value(Parameter::Attack),
                release_ms: value(Parameter::Release),
                auto_release: value(Parameter::AutoRelease),
                key_hz: value(Parameter::KeyHz),
                link: value(Parameter::Link),
                mix: value(Parameter::CompressorMix),
                makeup_db: share(Section::Compressor) * value(Parameter::Makeup),
                auto_makeup: 1.0,
                external: settings.external,
            }
        );
        set!(
            self.drive,
            drive::Setting {
                drive_db: value(Parameter::DriveGain),
                hz: value(Parameter::DriveHz),
                mix: share(Section::Drive) * value(Parameter::DriveMix),
            }
        );
        set!(
            self.width,
            width::Setting {
                width: 1.0 + share(Section::Width) * (value(Parameter::Width) - 1.0),
                mono_bass: share(Section::Width) * value(Parameter::MonoBass),
                bass_hz: value(Parameter::BassHz),
            }
        );
        set!(
            self.follower,
            follower::Setting {
                target_lufs: value(Parameter::Target),
                range_db: share(Section::Loudness) * value(Parameter::TargetRange),
            }
        );
        set!(self.output, settings.output_db);
        set!(
            self.limiter,
            limiter::Setting {
                ceiling_db: settings.ceiling_db,
                release_ms: value(Parameter::LimiterRelease),
                share: share(Section::Limiter),
            }
        );
    }

    /// Whether an external side chain is heard in this tick, if there is one.
    pub fn wants_key(&self) -> bool {
        self.compressor.wants_key()
    }

    /// Whether every sample of this tick stays as it is, but for the latency.
    pub fn is_neutral(&self) -> bool {
        self.input.is_neutral()
            && self.gate.is_neutral()
            && self.bands.iter().all(Band::is_neutral)
            && self.eq_trim.is_neutral()
            && self.compressor.is_neutral()
            && self.drive.is_neutral()
            && self.width.is_neutral()
            && self.follower.is_neutral()
            && self.output.is_neutral()
            && self.limiter.is_neutral()
    }

    /// Processes the first `count` samples of `work`, which are those from `offset` on of the present tick. The
    /// compressor listens to `side_chain` if there is one.
    pub fn process(
        &mut self,
        work: &mut Work,
        side_chain: Option<&Work>,
        channels: usize,
        count: usize,
        offset: usize,
    ) {
        let channels = channels.min(MAX_CHANNELS);
        self.input.process(work, channels, count, offset);
        self.gate.process(work, channels, count, offset);
        eq::process_row(&mut self.bands, work, channels, count, offset);
        self.eq_trim.process(work, channels, count, offset);
        self.compressor.process(work, side_chain, channels, count, offset);
        self.drive.process(work, channels, count, offset);
        self.width.process(work, channels, count, offset);
        self.follower.process(work, channels, count, offset);
        self.output.process(work, channels, count, offset);
        self.limiter.process(work, channels, count, offset);
    }

    /// The settings in force at the end of the present tick, and the meters.
    pub fn state(&self, settings: &Settings) -> MixState {
        let value = |parameter: Parameter| settings.values[parameter as usize] as f32;
        let share = |section: Section| settings.shares[section as usize] as f32;
        let [cut, bands @ ..] = band_settings(settings).map(|setting| setting.map(|x| x as f32));
        let slope = share(Section::Compressor) * value(Parameter::Ratio);
        let meter = self.follower.meter();
        MixState {
            low_cut_hz: cut[0],
            low_cut: cut[1],
            eq_hz: bands.map(|band| band[0]),
            eq_db: bands.map(|band| band[1]),
            eq_q: bands.map(|band| band[2]),
            gate_db: self.gate.gain_db(),
            threshold_db: value(Parameter::Threshold),
            ratio: 1.0 / (1.0 - slope),
            attack_ms: value(Parameter::Attack),
            release_ms: value(Parameter::Release),
            makeup_db: self.compressor.makeup_db(),
            reduction_db: self.compressor.reduction_db(),
            drive: share(Section::Drive) * value(Parameter::DriveMix),
            width: 1.0 + share(Section::Width) * (value(Parameter::Width) - 1.0),
            loudness_db: self.follower.gain_db(),
            lufs: [meter.momentary() as f32, meter.short_term() as f32],
            limiter_db: self.limiter.gain_db(),
            learnt: 0.0,
            calm: 1.0,
            values: Profile::NEUTRAL,
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.gate.reset();
        self.bands.iter_mut().for_each(Band::reset);
        self.compressor.reset();
        self.drive.reset();
        self.width.reset();
        self.follower.reset();
        self.limiter.reset();
    }
}

/// Frequency in Hz, gain in dB (the low cut: share) and Q of each band of [`BANDS`].
fn band_settings(settings: &Settings) -> [[f64; 3]; 5] {
    let value = |parameter: Parameter| settings.values[parameter as usize];
    let share = settings.shares[Section::Eq as usize];
    let band = |hz, gain, q| [value(hz), share * value(gain), value(q)];
    [
        [value(Parameter::LowCutHz), share * value(Parameter::LowCut), SHELF_Q],
        band(Parameter::LowHz, Parameter::LowDb, Parameter::LowQ),
        band(Parameter::MidHz, Parameter::MidDb, Parameter::MidQ),
        band(Parameter::PresenceHz, Parameter::PresenceDb, Parameter::PresenceQ),
        band(Parameter::HighHz, Parameter::HighDb, Parameter::HighQ),
    ]
}
