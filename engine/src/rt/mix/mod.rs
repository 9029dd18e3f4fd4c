//! The mix stage: a chain of processors, moved by what the decision stage says.
//!
//! [`follow`] turns decisions into a weight for each genre, [`blend`] the weights into a profile, and [`glide`] takes
//! the mix there within the user's reaction time. What the profile asks for beyond neutral, scaled by Amount, comes on
//! top of the user's own settings, which are `hands.rs`: they, Amount, the section switches and the gains glide within
//! [`CONTROL_S`]. [`chain`] is the processors in their order, each a module usable alone:
//!
//! [`trim`] → [`gate`] → [`eq`] → [`compressor`] → [`drive`] → [`width`] → [`follower`] → [`trim`] → [`limiter`]
//!
//! When all that is at rest at neutral, the output is the input, bit for bit (later by the limiter's look-ahead, where
//! that was chosen; else there is no latency).

pub mod blend;
pub mod bypass;
pub mod chain;
pub mod compressor;
pub mod crest;
pub mod drive;
pub mod eq;
pub mod eq_design;
pub mod follow;
pub mod follower;
pub mod gate;
pub mod glide;
pub mod halfband;
mod hands;
pub mod lanes;
pub mod level;
pub mod limiter;
pub mod loudness;
pub mod quad;
pub mod trim;
pub mod true_peak;
pub mod width;

use crate::controls::{Controls, LimiterMode, Mode, SECTIONS};
use crate::profile::live::Handed;
use crate::profile::{PARAMETERS, Parameter, Profile, Profiles};
use crate::rt::decision::Outcome;
use crate::telemetry::MixState;
use blend::Blend;
use bypass::Bypass;
use chain::{Chain, Settings};
use follow::Follow;
use glide::{Glide, MAX_TICK, Step};
use hands::Hands;
use limiter::Delay;

/// Most channels that are mixed.
pub const MAX_CHANNELS: usize = 2;

/// Up to a tick of sound, one array a channel.
pub type Work = [[f64; MAX_TICK]; MAX_CHANNELS];

/// Time in which the user's own moves (Amount, sections, gains) go 95 % of their way, in seconds. They follow the hand,
/// not the reaction time.
pub const CONTROL_S: f64 = 0.08;

/// With less Amount a genre cannot take over anything that is heard.
const LEAST_AMOUNT: f64 = 0.01;

fn tidy(value: f32, (min, max): (f32, f32), otherwise: f32) -> f64 {
    f64::from(if value.is_finite() { value.clamp(min, max) } else { otherwise })
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
    follow: Follow,
    target: [f64; PARAMETERS],
    glides: [Glide; PARAMETERS],
    /// The glides have arrived, in this mode and with these locks.
    arrived: Option<(Mode, [bool; SECTIONS])>,
    /// [`Profile::NEUTRAL`] in the domains of blending: from there on the glides count.
    origin: [f64; PARAMETERS],
    /// Smallest and largest value in the domains of blending.
    ranges: [(f64, f64); PARAMETERS],
    /// The settings in force, in the domains of blending.
    blended: [f64; PARAMETERS],
    hands: Hands,
    settings: Settings,
    chain: Chain,
    bypass: Bypass,
    /// The untouched sound, as late as the mixed one.
    dry: [Delay; MAX_CHANNELS],
    /// The part of a tick that is being worked on.
    work: Work,
    side_chain: Work,
}

impl MixStage {
    /// A mix stage at rest at neutral, for a sample rate in Hz (8000..=384000) and 1 or 2 channels.
    pub fn new(sample_rate: f32, channels: usize, profiles: &Profiles, limiter: LimiterMode) -> MixStage {
        let sample_rate =
            if sample_rate.is_finite() { sample_rate.clamp(8_000.0, 384_000.0) } else { 48_000.0 };
        let tick = glide::tick_length(sample_rate);
        let blend = Blend::new(profiles);
        let chain = Chain::new(sample_rate, tick, limiter == LimiterMode::LookAhead);
        let hands = Hands::new(&Controls { amount: 0.0, ..Controls::default() });
        let mut stage = MixStage {
            channels: channels.clamp(1, MAX_CHANNELS),
            tick,
            tick_s: tick as f64 / f64::from(sample_rate),
            position: 0,
            started: false,
            blend,
            follow: Follow::new(),
            target: blend.neutral(),
            glides: blend.neutral().map(Glide::at),
            arrived: None,
            blended: [0.0; PARAMETERS],
            origin: blend::to_blend(&Profile::NEUTRAL),
            ranges: std::array::from_fn(|i| Parameter::ALL[i].domain_range()),
            settings: Settings {
                values: [0.0; PARAMETERS],
                shares: [0.0; SECTIONS],
                input_db: 0.0,
                output_db: 0.0,
                external: 0.0,
                ceiling_db: hands.ceiling_db(),
            },
            hands,
            bypass: Bypass::new(sample_rate),
            dry: std::array::from_fn(|_| Delay::new(chain.latency())),
            chain,
            work: [[0.0; MAX_TICK]; MAX_CHANNELS],
            side_chain: [[0.0; MAX_TICK]; MAX_CHANNELS],
        };
        stage.reset();
        stage
    }

    /// Samples by which the stage delays the sound. It never changes, not even when the limiter is switched off.
    pub fn latency(&self) -> usize {
        self.chain.latency()
    }

    /// Takes another preset's profiles; the mix glides there within the reaction time.
    pub fn set_profiles(&mut self, profiles: &Profiles) {
        self.blend = Blend::new(profiles);
        self.aim(self.blend.mix(self.follow.weights()));
    }

    fn aim(&mut self, target: [f64; PARAMETERS]) {
        if target != self.target {
            (self.target, self.arrived) = (target, None);
        }
    }

    /// Own settings are about to pass into the profiles, or out of them: those are at once where the controls have them, and
    /// what they lose is added to what the genre asks for, so that the sum stays. What the profiles that follow ask for is
    /// glided to from there. To be called before [`set_profiles`](Self::set_profiles).
    pub fn hand_over(&mut self, handed: &Handed, controls: &Controls) {
        let amount = self.hands.amount();
        if !self.started || controls.hold_base || controls.mode == Mode::ByHand || amount < LEAST_AMOUNT {
            return;
        }
        for (parameter, _) in handed.iter().flatten() {
            let lost = self.hands.jump(*parameter, controls);
            self.glides[*parameter as usize].shift(lost / amount);
            self.arrived = None;
        }
    }

    /// Once a frame: what the decision stage makes of the sound.
    pub fn set_target(&mut self, outcome: &Outcome, controls: &Controls) {
        let weights = self.follow.update(outcome, controls);
        self.aim(self.blend.mix(&weights));
    }

    /// Mixes samples `start..end` of the block in place; `channels` holds one slice a channel, all of one length, and
    /// `side_chain` the same of an external side-chain input, or nothing. What is not finite is taken as 0; the output
    /// is finite. Calling it for parts of a block one after the other gives the same as calling it for the whole, bit
    /// for bit.
    pub fn process(
        &mut self,
        channels: &mut [&mut [f32]],
        side_chain: &[&[f32]],
        start: usize,
        end: usize,
        controls: &Controls,
    ) {
        let count = channels.len().min(self.channels);
        let Some(channels) = channels.get_mut(..count) else { return };
        let end = channels.iter().map(|channel| channel.len()).fold(end, usize::min);
        let mut from = start;
        if self.position > 0 && from < end {
            // The tick has begun without what has changed since.
            self.hands.change(controls, (self.tick - self.position) as f64 * self.tick_s / self.tick as f64);
        }
        while from < end {
            if self.position == 0 {
                self.start_tick(controls);
            }
            let to = end.min(from + self.tick - self.position);
            self.run(channels, side_chain, from, to, controls.bypass);
            self.position = (self.position + to - from) % self.tick;
            from = to;
        }
    }

    /// The settings in force at the end of the present tick, and the meters.
    pub fn state(&self) -> MixState {
        MixState {
            learnt: self.follow.learnt(),
            calm: self.follow.calm(),
            values: Profile::from_values(std::array::from_fn(|i| {
                Parameter::ALL[i].from_domain(self.blended[i])
            })),
            ..self.chain.state(&self.settings)
        }
    }

    /// Back to rest at neutral, without a glide. The next sample is the first of a new stream.
    pub fn reset(&mut self) {
        self.position = 0;
        self.started = false;
        self.follow = Follow::new();
        self.target = self.blend.neutral();
        self.glides = self.target.map(Glide::at);
        self.arrived = None;
        self.chain.reset();
        self.dry.iter_mut().for_each(Delay::reset);
        self.apply();
        self.chain.set(&self.settings, true);
    }

    /// Moves everything on by a tick.
    fn start_tick(&mut self, controls: &Controls) {
        let mut moves = !self.started;
        if self.started {
            moves |= self.hands.advance(controls, self.tick_s);
        } else {
            self.hands = Hands::new(controls);
            self.bypass.jump(controls.bypass);
        }
        let steered = (controls.mode, controls.locks);
        if self.arrived != Some(steered) {
            let moved = self.glide(controls);
            self.arrived = (!moved && self.started).then_some(steered);
            moves |= moved;
        }
        if moves {
            self.apply();
        }
        self.chain.set(&self.settings, !self.started);
        self.started = true;
    }

    /// Moves what the genre asks for on by a tick. Returns whether anything moved.
    fn glide(&mut self, controls: &Controls) -> bool {
        let mut moves = false;
        if controls.mode == Mode::ByHand {
            // What the genre asked for goes as fast as a hand moves: then own settings that take its place at the same
            // time leave the sum where it is.
            let step = Step::new(self.tick_s, CONTROL_S);
            for (glide, origin) in self.glides.iter_mut().zip(self.origin) {
                if !self.started {
                    *glide = Glide::at(origin);
                } else if !glide.is_at(origin) {
                    glide.advance(origin, step);
                    moves = true;
                }
            }
        } else {
            let reaction_s = tidy(controls.reaction_s, (0.1, 20.0), 2.0) * f64::from(self.follow.calm());
            let mut step = None;
            for (i, parameter) in Parameter::ALL.iter().enumerate() {
                let locked = controls.locks[parameter.section() as usize];
                let target = if locked { self.glides[i].value() } else { self.target[i] };
                if !self.glides[i].is_at(target) {
                    // The exponential is needed only when something moves.
                    let step = *step.get_or_insert_with(|| Step::new(self.tick_s, reaction_s));
                    self.glides[i].advance(target, step);
                    moves = true;
                }
            }
        }
        moves
    }

    /// What user and genre together ask of the processors.
    fn apply(&mut self) {
        let amount = self.hands.amount();
        for (i, parameter) in Parameter::ALL.iter().enumerate() {
            let asked = amount * (self.glides[i].value() - self.origin[i]);
            let (min, max) = self.ranges[i];
            let value = (self.hands.base(i) + asked).clamp(min, max);
            // Exponentials are the dearest part of it, and most values rest most of the time.
            if value != self.blended[i] || !self.started {
                self.blended[i] = value;
                self.settings.values[i] = parameter.to_processor(value);
            }
        }
        self.settings.shares = self.hands.sections();
        self.settings.input_db = self.hands.input_db();
        self.settings.output_db = self.hands.output_db();
        self.settings.ceiling_db = self.hands.ceiling_db();
        self.settings.external = self.hands.external();
    }

    /// Mixes samples `from..to`, which lie within the present tick.
    fn run(
        &mut self,
        channels: &mut [&mut [f32]],
        side_chain: &[&[f32]],
        from: usize,
        to: usize,
        bypassed: bool,
    ) {
        let (count, offset) = (to - from, self.position);
        for (channel, work) in channels.iter_mut().zip(&mut self.work) {
            for (sample, work) in channel[from..to].iter_mut().zip(work) {
                *sample = finite(*sample);
                *work = f64::from(*sample);
            }
        }
        let keyed = self.chain.wants_key() && self.take_side_chain(side_chain, channels.len(), from, to);
        let key = keyed.then_some(&self.side_chain);
        self.chain.process(&mut self.work, key, channels.len(), count, offset);
        let bypass_off = self.bypass.is_off(bypassed);
        if bypass_off && self.chain.is_neutral() && self.latency() == 0 {
            return;
        }
        if bypass_off {
            for ((channel, work), delay) in channels.iter_mut().zip(&self.work).zip(&mut self.dry) {
                let samples = &mut channel[from..to];
                delay.feed(samples);
                samples.iter_mut().zip(work).for_each(|(sample, mixed)| *sample = single(*mixed));
            }
            return;
        }
        for i in 0..count {
            let dry_share = self.bypass.advance(bypassed);
            for ((channel, work), delay) in channels.iter_mut().zip(&self.work).zip(&mut self.dry) {
                let sample = &mut channel[from + i];
                let dry = delay.push(f64::from(*sample));
                let mixed = if dry_share == 0.0 {
                    work[i]
                } else if dry_share == 1.0 {
                    dry
                } else {
                    work[i] + dry_share * (dry - work[i])
                };
                *sample = single(mixed);
            }
        }
    }

    /// Copies the external side chain's part; false where there is none. One channel serves both sides.
    fn take_side_chain(&mut self, side_chain: &[&[f32]], channels: usize, from: usize, to: usize) -> bool {
        let Some(first) = side_chain.first() else { return false };
        for (channel, copy) in self.side_chain.iter_mut().enumerate().take(channels) {
            let heard = side_chain.get(channel).unwrap_or(first);
            let Some(heard) = heard.get(from..to) else { return false };
            copy.iter_mut().zip(heard).for_each(|(copy, x)| *copy = f64::from(finite(*x)));
        }
        true
    }
}

/// Whether these samples are silence to the bit (+0): what has died away itself lets them through as they are, and need not
/// compute. With sound it knows at the first sample.
#[inline(always)]
fn is_silence(work: &Work, channels: usize, count: usize) -> bool {
    work.iter().take(channels).all(|samples| samples.iter().take(count).all(|x| x.to_bits() == 0))
}

/// The number, or 0 for what is none.
#[inline(always)]
fn finite(x: f32) -> f32 {
    if x.abs() <= f32::MAX { x } else { 0.0 }
}

/// The nearest number of single precision; none becomes infinite.
#[inline(always)]
fn single(x: f64) -> f32 {
    x.clamp(f64::from(-f32::MAX), f64::from(f32::MAX)) as f32
}
