//! Feed-forward compressor with a soft knee.
//!
//! The design is the log-domain one that Giannoulis, Massberg & Reiss recommend ("Digital Dynamic Range Compressor
//! Design", J. AES 60(6), 2012): level detector, gain computer, smooth branching ballistics on the overshoot in dB. The
//! ratio's slope is applied after the ballistics, so that a ratio of 1 is exactly no gain change at any time.
//!
//! Automatic make-up undoes the reduction that the programme's own average level would get: the average stays where it
//! was, what is louder comes down and what is softer comes up. So loudness does not jump when the ratio or the threshold
//! moves, however loud the programme is, and a profile sounds the same on a quiet mix and on a finished master. With an
//! external side chain there is none: the programme's own level says nothing about the key's, and ducking is to duck.
//!
//! Work goes in passes over a part of a tick, each a plain loop: levels, overshoots, ballistics, gains. The two that do not
//! feed back are what the compiler makes vectors of.

use super::eq::{Band, SHELF_Q, Shape};
use super::glide::{MAX_TICK, Ramp};
use super::level::{DB_TO_LOG2, Detector, amplitude, exp2, larger, level_db, log2, one_pole, smaller};
use super::{MAX_CHANNELS, Work, is_silence};

/// Overshoots (in dB) smaller than this are set to 0, long before they become denormal.
const SILENCE: f32 = 1e-20;

/// Time constant of the programme's average level in seconds: longer than a phrase, shorter than a song.
const PROGRAMME_S: f64 = 10.0;

/// Levels below this are pauses and do not count into the average, in dBFS RMS.
const PAUSE_DBFS: f32 = -60.0;

/// Levels this far below the average count only a tenth, in dB: gaps between words and notes should not pull it down,
/// a programme that has become softer for good should.
const GAP_DB: f32 = 20.0;

/// Most that a moment's overshoot counts beyond the average level's, in dB, so that a door slam does not raise what
/// follows.
const MAX_EXCESS_DB: f64 = 3.0;

/// Time constant, in seconds, of the memory that tells steady compression from a short peak.
const STEADY_S: f64 = 0.5;

/// By how much the release lengthens under steady compression when it is fully programme-dependent.
const STEADY_FACTOR: f32 = 4.0;

/// Samples for which the programme-dependent release stays the same, counted from the start of a tick: a sixth of a
/// millisecond, so that the division need not be done for each.
const RELEASE_EVERY: usize = 8;

/// Fastest attack, in seconds, while a setting moves: the gain should not run after a hand as fast as after the sound.
const HAND_S: f64 = 0.002;

/// Overshoots of two channels that are closer than this, in dB, count as the same.
const SAME_DB: f32 = 1e-4;

/// What the compressor does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Threshold in dBFS RMS; a full-scale sine has -3 dBFS.
    pub threshold_db: f64,
    /// 1 - 1/ratio, `0..1`.
    pub slope: f64,
    /// Knee width in dB.
    pub knee_db: f64,
    /// Time constant of the detector's mean square in ms. 5 ms and more follow RMS, a tenth of a ms follows peaks.
    pub detector_ms: f64,
    /// Time constant of rising gain reduction in ms: 63 % of the way, in dB.
    pub attack_ms: f64,
    /// Time constant of falling gain reduction in ms.
    pub release_ms: f64,
    /// How much the release depends on the programme, `0..=1`: at 1 it is as stated after a short peak and up to five
    /// times as long after steady compression, so that peaks recover fast and passages do not pump.
    pub auto_release: f64,
    /// Corner of the high-pass through which it hears, in Hz: neither rumble nor the kick's weight should move
    /// everything, and a change of the low shelf should not look like a change of level.
    pub key_hz: f64,
    /// How much the louder channel rules both, `0..=1`: at 1 the image stays, at 0 each channel is by itself.
    pub link: f64,
    /// Share of the compressed sound beside the untouched, `0..=1` (parallel compression).
    pub mix: f64,
    /// Gain after compression in dB.
    pub makeup_db: f64,
    /// Share of the average's gain reduction that is given back automatically, `0..=1`. With an external side chain
    /// nothing is.
    pub auto_makeup: f64,
    /// Share of the external side chain in what it hears, `0..=1`; the sound itself is the rest.
    pub external: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting {
        threshold_db: -18.0,
        slope: 0.0,
        knee_db: 6.0,
        detector_ms: 5.0,
        attack_ms: 20.0,
        release_ms: 150.0,
        auto_release: 0.0,
        key_hz: 90.0,
        link: 1.0,
        mix: 1.0,
        makeup_db: 0.0,
        auto_makeup: 1.0,
        external: 0.0,
    };
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Compressor {
    sample_rate: f64,
    tick: usize,
    setting: Setting,
    attack_share: f32,
    /// The largest share of the attack in this tick.
    hand_share: f32,
    /// Share of the release, as stated.
    release_share: f32,
    /// The share of a sample in the slow average of the overshoot, and of a tick in that of the programme.
    steady_share: f32,
    programme_share: f64,
    threshold_db: Ramp,
    knee_db: Ramp,
    slope: Ramp,
    link: Ramp,
    mix: Ramp,
    makeup_db: Ramp,
    /// What [`makeup_db`](Self::makeup_db) is made of: the stated gain, what the programme's average level is reduced by where
    /// all of the sound is compressed, and the share of that which is given back.
    stated_db: Ramp,
    average_db: Ramp,
    given_back: Ramp,
    external: Ramp,
    /// An external side chain was there when it last listened.
    connected: bool,
    key_filter: Band,
    detector: Detector,
    /// Smoothed overshoot above the threshold in dB, its slow average, and the share of the release that comes of both, of
    /// each channel.
    over_db: [f32; MAX_CHANNELS],
    steady_db: [f32; MAX_CHANNELS],
    release_now: [f32; MAX_CHANNELS],
    /// The first channel's overshoot is that of both in this tick.
    linked: bool,
    /// Average level of the programme in dBFS, and the ticks it was taken from.
    programme_db: f64,
    programme_ticks: u32,
    /// By how much the programme's overshoot is more than that of its average level, on average, in dB: where the level
    /// fluctuates, an attack faster than the release keeps the gain below what the average asks for.
    excess_db: f64,
    /// The present part of a tick as the detector hears it.
    key: Work,
    /// Mean squares, then overshoots, of the present part of a tick; after that gains, amplitudes.
    parts: [[f32; MAX_TICK]; MAX_CHANNELS],
}

impl Compressor {
    /// A compressor with a ratio of 1.
    pub fn new(sample_rate: f32, tick: usize) -> Compressor {
        let key_filter = Band::new(Shape::HighPass, sample_rate, tick);
        let sample_rate = f64::from(sample_rate);
        let mut compressor = Compressor {
            sample_rate,
            tick,
            // Nothing equals it, so everything is computed when the first setting comes.
            setting: Setting {
                attack_ms: f64::NAN,
                release_ms: f64::NAN,
                detector_ms: f64::NAN,
                ..Setting::NEUTRAL
            },
            attack_share: 0.0,
            hand_share: 1.0,
            release_share: 0.0,
            steady_share: one_pole(STEADY_S, sample_rate) as f32,
            programme_share: one_pole(PROGRAMME_S, sample_rate / tick as f64),
            threshold_db: Ramp::default(),
            knee_db: Ramp::default(),
            slope: Ramp::default(),
            link: Ramp::default(),
            mix: Ramp::default(),
            makeup_db: Ramp::default(),
            stated_db: Ramp::default(),
            average_db: Ramp::default(),
            given_back: Ramp::default(),
            external: Ramp::default(),
            connected: false,
            key_filter,
            detector: Detector::new(Setting::NEUTRAL.detector_ms / 1_000.0, sample_rate),
            over_db: [0.0; MAX_CHANNELS],
            steady_db: [0.0; MAX_CHANNELS],
            release_now: [0.0; MAX_CHANNELS],
            linked: true,
            programme_db: 0.0,
            programme_ticks: 0,
            excess_db: 0.0,
            key: [[0.0; MAX_TICK]; MAX_CHANNELS],
            parts: [[0.0; MAX_TICK]; MAX_CHANNELS],
        };
        compressor.jump(Setting::NEUTRAL);
        compressor
    }

    /// Takes a setting at once, without a glide.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end everything is as `setting` says; times count at once, they only change how fast the
    /// gain moves. Also flushes states that have died away.
    pub fn set(&mut self, setting: Setting) {
        let before = std::mem::replace(&mut self.setting, setting);
        let share = |ms: f64| one_pole(ms / 1_000.0, self.sample_rate) as f32;
        // Exponentials are dear, and most settings rest most of the time.
        if setting.attack_ms != before.attack_ms {
            self.attack_share = share(setting.attack_ms);
        }
        if setting.release_ms != before.release_ms {
            self.release_share = share(setting.release_ms);
        }
        if setting.detector_ms != before.detector_ms {
            self.detector.set_window(setting.detector_ms / 1_000.0, self.sample_rate);
        }
        self.hand_share = if setting == before { 1.0 } else { share(1_000.0 * HAND_S) };
        self.key_filter.set([setting.key_hz, 1.0, SHELF_Q]);
        self.threshold_db.next(setting.threshold_db, self.tick);
        self.knee_db.next(setting.knee_db, self.tick);
        self.slope.next(setting.slope, self.tick);
        self.link.next(setting.link, self.tick);
        self.mix.next(setting.mix, self.tick);
        self.external.next(setting.external, self.tick);
        let (average_db, given_back) = self.automatic_makeup();
        self.stated_db.next(setting.makeup_db, self.tick);
        self.average_db.next(average_db, self.tick);
        self.given_back.next(given_back, self.tick);
        self.makeup_db.next(setting.makeup_db + given_back * mixed_db(average_db, setting.mix), self.tick);
        self.detector.flush();
        for db in self.over_db.iter_mut().chain(&mut self.steady_db) {
            if *db < SILENCE {
                *db = 0.0;
            }
        }
        let [first, second] = self.over_db;
        self.linked = self.link.is_still() && self.link.end() == 1.0 && (first - second).abs() < SAME_DB;
    }

    /// By how much the programme's average level is reduced at the end of the tick where all of the sound is compressed, in
    /// dB, and which share of it is given back. The programme is followed only while nothing else is heard.
    fn automatic_makeup(&mut self) -> (f64, f64) {
        let external = if self.connected { self.setting.external } else { 0.0 };
        if !self.hears_key() {
            self.follow_programme();
        }
        let heard = self.programme_ticks > 0 && self.setting.slope != 0.0;
        let average_db = if heard { self.programme_reduction() } else { 0.0 };
        (average_db, (1.0 - external) * self.setting.auto_makeup)
    }

    /// Whether an external side chain is heard in this tick, if there is one.
    pub fn wants_key(&self) -> bool {
        !self.external.is_zero()
    }

    fn hears_key(&self) -> bool {
        self.connected && self.wants_key()
    }

    /// Averages the level in dB, in which a door slam counts no more than its time; plainly while that is young.
    fn follow_programme(&mut self) {
        let level = level_db(self.detector.loudest() as f32);
        if level < PAUSE_DBFS {
            return;
        }
        let gap = f64::from(level) < self.programme_db - f64::from(GAP_DB);
        let share = self.programme_share * if gap { 0.1 } else { 1.0 };
        let share = share.max(1.0 / f64::from(self.programme_ticks + 1));
        self.programme_db += share * (f64::from(level) - self.programme_db);
        self.programme_ticks = (self.programme_ticks + 1).min(1_000_000);
        if self.is_neutral() {
            self.excess_db = 0.0;
            return;
        }
        let [a, b] = self.over_db;
        let excess = f64::from(a.max(b)) - self.programme_overshoot();
        self.excess_db += share * (excess.clamp(-MAX_EXCESS_DB, MAX_EXCESS_DB) - self.excess_db);
    }

    /// The overshoot of the programme's average level in dB.
    fn programme_overshoot(&self) -> f64 {
        let Setting { threshold_db, knee_db, .. } = self.setting;
        overshoot((self.programme_db - threshold_db) as f32, knee_db as f32).into()
    }

    /// By how much the programme's average level would be reduced, in dB, `>= 0`.
    fn programme_reduction(&self) -> f64 {
        self.setting.slope * (self.programme_overshoot() + self.excess_db).max(0.0)
    }

    /// Whether the gain is 0 dB at every sample of this tick.
    pub fn is_neutral(&self) -> bool {
        self.makeup_db.is_zero() && (self.slope.is_zero() || self.mix.is_zero())
    }

    /// Whether nothing of the past is left: in silence no gain is reduced.
    fn is_silent(&self) -> bool {
        let levels = [self.over_db, self.steady_db] == [[0.0; MAX_CHANNELS]; 2];
        levels && self.detector.is_silent() && self.key_filter.is_silent()
    }

    /// Compresses the first `count` samples, which are those from `offset` on of the present tick, listening to
    /// `side_chain`, if there is one, by the share of [`Setting::external`], and else to the sound itself. It listens even
    /// while it is neutral.
    pub fn process(
        &mut self,
        work: &mut Work,
        side_chain: Option<&Work>,
        channels: usize,
        count: usize,
        offset: usize,
    ) {
        let channels = channels.clamp(1, MAX_CHANNELS);
        let count = count.min(MAX_TICK);
        if side_chain.is_none() && is_silence(work, channels, count) && self.is_silent() {
            (self.connected, self.release_now) = (false, [self.release_share; MAX_CHANNELS]);
            return;
        }
        self.listen(work, side_chain, channels, count, offset);
        if self.is_neutral() {
            // The programme's level is followed all the same.
            self.detect::<false>(channels, count);
            (self.over_db, self.steady_db) = ([0.0; MAX_CHANNELS], [0.0; MAX_CHANNELS]);
            return;
        }
        let gains = self.gains(channels, count, offset);
        for (samples, gains) in work.iter_mut().zip(gains).take(channels) {
            for (sample, gain) in samples.iter_mut().zip(gains).take(count) {
                *sample *= f64::from(*gain);
            }
        }
    }

    /// Hears the first `count` samples of `heard`, past the side chain's filter, which are those from `offset` on of the
    /// present tick, and returns each channel's gain (an amplitude) at each of them.
    pub fn hear(
        &mut self,
        heard: &Work,
        channels: usize,
        count: usize,
        offset: usize,
    ) -> [&[f32; MAX_TICK]; MAX_CHANNELS] {
        self.key = *heard;
        self.gains(channels.clamp(1, MAX_CHANNELS), count.min(MAX_TICK), offset)
    }

    /// Takes in what is to be heard, and filters it.
    fn listen(
        &mut self,
        work: &Work,
        side_chain: Option<&Work>,
        channels: usize,
        count: usize,
        offset: usize,
    ) {
        self.connected = side_chain.is_some();
        let outside = side_chain.filter(|_| self.wants_key());
        for (channel, (key, own)) in self.key.iter_mut().zip(work).enumerate().take(channels) {
            match outside.map(|outside| &outside[channel]) {
                None => key[..count].copy_from_slice(&own[..count]),
                Some(outside) if self.external.is_still() && self.external.end() == 1.0 => {
                    key[..count].copy_from_slice(&outside[..count]);
                }
                Some(outside) => {
                    for (i, ((key, own), outside)) in
                        key.iter_mut().zip(own).zip(outside).enumerate().take(count)
                    {
                        *key = own + self.external.at(offset + i) * (outside - own);
                    }
                }
            }
        }
        self.key_filter.process(&mut self.key, channels, count, offset);
    }

    /// Each channel's gain at the `count` samples of the tick from `offset` on, for what was listened to last.
    fn gains(&mut self, channels: usize, count: usize, offset: usize) -> [&[f32; MAX_TICK]; MAX_CHANNELS] {
        if self.linked || channels < 2 {
            self.detect::<true>(channels, count);
            self.overshoots(0, count, offset);
            self.smooth(0, count, offset);
            (self.over_db[1], self.steady_db[1]) = (self.over_db[0], self.steady_db[0]);
            self.amplitudes(0, count, offset);
            [&self.parts[0]; MAX_CHANNELS]
        } else {
            self.detect::<false>(channels, count);
            self.overshoots(0, count, offset);
            self.overshoots(1, count, offset);
            let [first, second] = &mut self.parts;
            for (i, (a, b)) in first.iter_mut().zip(second).enumerate().take(count) {
                let (link, loudest) = (self.link.at(offset + i) as f32, a.max(*b));
                *a += link * (loudest - *a);
                *b += link * (loudest - *b);
            }
            for channel in 0..MAX_CHANNELS {
                self.smooth(channel, count, offset);
                self.amplitudes(channel, count, offset);
            }
            self.parts.each_ref()
        }
    }

    /// The running mean square of each channel, or with `LOUDEST` that of the louder in the first.
    fn detect<const LOUDEST: bool>(&mut self, channels: usize, count: usize) {
        if channels < 2 {
            self.key[1][..count].fill(0.0);
        }
        let [left, right] = &self.key;
        let [first, second] = &mut self.parts;
        let parts = first.iter_mut().zip(second);
        // A copy stays in registers.
        let mut detector = self.detector;
        for ((left, right), (first, second)) in left.iter().zip(right).zip(parts).take(count) {
            detector.push_both([*left, *right]);
            if LOUDEST {
                *first = detector.loudest() as f32;
            } else {
                [*first, *second] = detector.both().map(|mean_square| mean_square as f32);
            }
        }
        self.detector = detector;
    }

    /// From a channel's mean squares to its overshoots in dB.
    fn overshoots(&mut self, channel: usize, count: usize, offset: usize) {
        let parts = &mut self.parts[channel][..count];
        if self.threshold_db.is_still() && self.knee_db.is_still() {
            let (threshold, knee) = (self.threshold_db.end() as f32, self.knee_db.end() as f32);
            let curve = Curve::new(knee);
            for part in parts {
                *part = curve.overshoot(level_db(*part) - threshold);
            }
        } else {
            let (threshold, knee) = (self.threshold_db, self.knee_db);
            for (i, part) in parts.iter_mut().enumerate() {
                let (threshold, knee) = (threshold.at(offset + i), knee.at(offset + i));
                *part = overshoot(level_db(*part) - threshold as f32, knee as f32);
            }
        }
    }

    /// Attack and release of a channel's overshoots.
    fn smooth(&mut self, channel: usize, count: usize, offset: usize) {
        let auto_release = STEADY_FACTOR * self.setting.auto_release as f32;
        let (mut state, mut steady) = (self.over_db[channel], self.steady_db[channel]);
        let (attack, mut release) = (smaller(self.attack_share, self.hand_share), self.release_now[channel]);
        let (stated, steady_share) = (self.release_share, self.steady_share);
        for (i, part) in self.parts[channel].iter_mut().enumerate().take(count) {
            if (offset + i) % RELEASE_EVERY == 0 {
                let whole = state.max(1e-3);
                release = stated * whole / (whole + auto_release * steady.clamp(0.0, whole));
            }
            let way = *part - state;
            steady += steady_share * (*part - steady);
            state += way * if way > 0.0 { attack } else { release };
            *part = state;
        }
        (self.over_db[channel], self.steady_db[channel]) = (state, steady);
        self.release_now[channel] = release;
    }

    /// From a channel's smoothed overshoots to its gains.
    fn amplitudes(&mut self, channel: usize, count: usize, offset: usize) {
        // Copies, because what else is in `self` might change with the parts as far as the compiler can see.
        let (slope, makeup, mix) = (self.slope, self.makeup_db, self.mix);
        let parts = self.parts[channel].iter_mut().enumerate().take(count);
        if mix.is_still() && mix.end() == 1.0 {
            for (i, part) in parts {
                *part = amplitude(makeup.at(offset + i) as f32 - slope.at(offset + i) as f32 * *part);
            }
        } else {
            // The make-up of a mixture at every sample: a mixture that moves goes through many dB within a tick.
            let (stated, average, given_back) = (self.stated_db, self.average_db, self.given_back);
            for (i, part) in parts {
                let (at, mix) = (offset + i, mix.at(offset + i) as f32);
                let mixed = |compressed: f32| 1.0 + mix * (compressed - 1.0);
                let makeup = DB_TO_LOG2 * stated.at(at) as f32
                    - given_back.at(at) as f32 * log2(mixed(amplitude(-average.at(at) as f32)));
                *part = mixed(amplitude(-(slope.at(at) as f32) * *part)) * exp2(makeup);
            }
        }
    }

    /// The present gain reduction of the more reduced channel in dB, `<= 0`.
    pub fn reduction_db(&self) -> f32 {
        let [a, b] = self.over_db;
        -(self.slope.end() as f32) * a.max(b)
    }

    /// Gain after compression in dB at the end of the present tick, the automatic part included.
    pub fn makeup_db(&self) -> f32 {
        self.makeup_db.end() as f32
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.programme_ticks = 0;
        self.excess_db = 0.0;
        self.connected = false;
        self.detector.reset();
        self.key_filter.reset();
        self.over_db = [0.0; MAX_CHANNELS];
        self.steady_db = [0.0; MAX_CHANNELS];
        self.release_now = [self.release_share; MAX_CHANNELS];
    }
}

/// A reduction in dB, `>= 0`, where only a share of the sound is compressed.
fn mixed_db(reduction_db: f64, mix: f64) -> f64 {
    if mix == 1.0 {
        return reduction_db;
    }
    let compressed = 10f64.powf(-reduction_db / 20.0);
    -20.0 * (1.0 + mix * (compressed - 1.0)).log10()
}

/// The bend of the static curve, for one width of the knee in dB. Eq. 4 of the paper, without its branches: a parabola as
/// far as the knee goes, and a straight line from its end on.
#[derive(Clone, Copy)]
struct Curve {
    knee: f32,
    /// 1 / (2 knee), 0 without a knee.
    bend: f32,
}

impl Curve {
    fn new(knee: f32) -> Curve {
        Curve { knee, bend: if knee > 0.0 { 0.5 / knee } else { 0.0 } }
    }

    #[inline(always)]
    fn overshoot(self, x: f32) -> f32 {
        let half = 0.5 * self.knee;
        let within = smaller(larger(x + half, 0.0), self.knee);
        within * within * self.bend + larger(x - half, 0.0)
    }
}

/// How far the curve bends away from the straight line, for a level `x` dB above the threshold, before the slope is
/// applied: 0 below the knee, `x` above it, a parabola between.
pub fn overshoot(x: f32, knee: f32) -> f32 {
    Curve::new(knee).overshoot(x)
}
