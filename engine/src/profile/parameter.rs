//! Everything that a profile sets: names, units, ranges, and the domain in which halfway sounds like halfway.

use crate::controls::Section;

/// How values of a parameter are blended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// As they are: decibels, shares.
    Plain,
    /// By their logarithm: frequencies, times, Q.
    Log,
    /// A ratio R as the slope 1 - 1/R, because gain reduction in dB is proportional to it.
    Slope,
}

/// What is known about a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    /// Name to show to a person, and in a host's list of parameters.
    pub name: &'static str,
    /// Section of the preset file, which is the processor.
    pub section: &'static str,
    /// Field of the section; its ending is the unit.
    pub field: &'static str,
    /// How it is blended.
    pub domain: Domain,
    /// Smallest and largest value.
    pub range: (f32, f32),
    /// Value in [`Profile::NEUTRAL`](super::Profile::NEUTRAL).
    pub neutral: f32,
    /// Whether any other value changes the sound: then a neutral profile must have this one.
    pub acts: bool,
    /// How far two genres of a preset may be apart, in the domain's unit: blending bounds what a wrong guess can do
    /// only as far as the profiles are bounded.
    pub spread: f32,
}

macro_rules! parameters {
    ($($name:ident: $title:literal, $section:literal $field:literal $domain:ident $min:literal..$max:literal $kind:ident $neutral:literal
        spread $spread:literal, $help:literal;)*) => {
        /// A number of a profile.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Parameter {
            $(#[doc = $help] $name,)*
        }

        impl Parameter {
            /// Every parameter, in the order of the processors.
            pub const ALL: &'static [Parameter] = &[$(Parameter::$name,)*];

            const SPECS: &'static [Spec] = &[$(Spec {
                name: $title,
                section: $section,
                field: $field,
                domain: Domain::$domain,
                range: ($min, $max),
                neutral: $neutral,
                acts: parameters!(@$kind),
                spread: $spread,
            },)*];

            /// What it does, in words.
            pub const fn help(self) -> &'static str {
                const HELP: &[&str] = &[$($help,)*];
                HELP[self as usize]
            }
        }
    };
    (@acts) => { true };
    (@idle) => { false };
}

parameters! {
    GateThreshold: "Gate threshold", "gate" "threshold_db" Plain -80.0..-20.0 idle -60.0 spread 30.0, "Level above which the gate opens, in dBFS RMS.";
    GateRange: "Gate range", "gate" "range_db" Plain 0.0..40.0 acts 0.0 spread 12.0, "Most attenuation of the closed gate in dB.";
    GateRatio: "Gate ratio", "gate" "ratio" Log 1.0..10.0 idle 2.0 spread 2.0, "Output change over input change below the gate's threshold.";
    GateHysteresis: "Gate hysteresis", "gate" "hysteresis_db" Plain 0.0..12.0 idle 4.0 spread 12.0, "How far the level must fall below the threshold to close the gate, in dB.";
    GateAttack: "Gate attack", "gate" "attack_ms" Log 0.1..50.0 idle 2.0 spread 4.0, "Time constant of the gate's opening in ms.";
    GateHold: "Gate hold", "gate" "hold_ms" Log 1.0..1000.0 idle 100.0 spread 5.0, "Time the level may be low before the gate closes, in ms.";
    GateRelease: "Gate release", "gate" "release_ms" Log 10.0..2000.0 idle 200.0 spread 4.0, "Time constant of the gate's closing in ms.";
    LowCut: "Low cut", "eq" "low_cut" Plain 0.0..1.0 acts 0.0 spread 1.0, "Share of the low cut's effect: 1 is 12 dB per octave.";
    LowCutHz: "Low cut frequency", "eq" "low_cut_hz" Log 15.0..400.0 idle 20.0 spread 3.5, "Corner of the low cut in Hz.";
    LowHz: "Low shelf frequency", "eq" "low_hz" Log 20.0..1000.0 idle 90.0 spread 4.0, "Corner of the low shelf in Hz: where its gain is half (in dB).";
    LowDb: "Low shelf gain", "eq" "low_db" Plain -12.0..12.0 acts 0.0 spread 10.0, "Gain of the low shelf in dB.";
    LowQ: "Low shelf Q", "eq" "low_q" Log 0.66..1.0 idle 0.70710677 spread 1.0, "Q of the low shelf: above 0.71 it bends before it rises.";
    MidHz: "Mid frequency", "eq" "mid_hz" Log 100.0..10000.0 idle 1000.0 spread 4.0, "Centre of the mid bell in Hz.";
    MidDb: "Mid gain", "eq" "mid_db" Plain -12.0..12.0 acts 0.0 spread 8.0, "Gain of the mid bell in dB.";
    MidQ: "Mid Q", "eq" "mid_q" Log 0.1..10.0 idle 0.8 spread 3.0, "Q of the mid bell: centre over the bandwidth between the points of half the gain (in dB).";
    PresenceHz: "Presence frequency", "eq" "presence_hz" Log 500.0..16000.0 idle 3500.0 spread 3.0, "Centre of the presence bell in Hz.";
    PresenceDb: "Presence gain", "eq" "presence_db" Plain -12.0..12.0 acts 0.0 spread 8.0, "Gain of the presence bell in dB.";
    PresenceQ: "Presence Q", "eq" "presence_q" Log 0.1..10.0 idle 0.8 spread 3.0, "Q of the presence bell.";
    HighHz: "High shelf frequency", "eq" "high_hz" Log 1000.0..20000.0 idle 8000.0 spread 3.0, "Corner of the high shelf in Hz: where its gain is half (in dB).";
    HighDb: "High shelf gain", "eq" "high_db" Plain -12.0..12.0 acts 0.0 spread 8.0, "Gain of the high shelf in dB.";
    HighQ: "High shelf Q", "eq" "high_q" Log 0.66..1.0 idle 0.70710677 spread 1.0, "Q of the high shelf.";
    EqTrim: "Equalizer trim", "eq" "trim_db" Plain -12.0..12.0 acts 0.0 spread 12.0, "Gain after the bands in dB that evens out what they do to loudness.";
    Threshold: "Compressor threshold", "compressor" "threshold_db" Plain -60.0..0.0 idle -18.0 spread 24.0, "Level above which gain is reduced, in dBFS RMS.";
    Ratio: "Compressor ratio", "compressor" "ratio" Slope 1.0..20.0 acts 1.0 spread 0.8, "Input change over output change above the threshold; 1 does not compress.";
    Knee: "Compressor knee", "compressor" "knee_db" Plain 0.0..24.0 idle 6.0 spread 24.0, "Width of the soft knee around the threshold in dB.";
    Detector: "Compressor detector", "compressor" "detector_ms" Log 0.05..50.0 idle 5.0 spread 5.0, "Window of the level detector in ms: 5 and more follow RMS, a tenth follows peaks.";
    Attack: "Compressor attack", "compressor" "attack_ms" Log 0.1..200.0 idle 20.0 spread 4.0, "Time constant of increasing gain reduction in ms.";
    Release: "Compressor release", "compressor" "release_ms" Log 5.0..3000.0 idle 150.0 spread 4.0, "Time constant of decreasing gain reduction in ms.";
    AutoRelease: "Compressor auto release", "compressor" "auto_release" Plain 0.0..1.0 idle 0.0 spread 1.0, "How much the release lengthens under steady compression: at 1 up to five times.";
    KeyHz: "Side chain low cut", "compressor" "key_hz" Log 20.0..500.0 idle 90.0 spread 3.3, "Corner of the high-pass through which the compressor hears, in Hz.";
    Link: "Compressor stereo link", "compressor" "link" Plain 0.0..1.0 idle 1.0 spread 1.0, "How much the louder channel rules both.";
    CompressorMix: "Compressor mix", "compressor" "mix" Plain 0.0..1.0 idle 1.0 spread 1.0, "Share of the compressed sound beside the untouched.";
    Makeup: "Compressor make-up", "compressor" "makeup_db" Plain -12.0..12.0 acts 0.0 spread 1.0, "Gain after compression in dB, beyond the automatic make-up that keeps the average level.";
    DriveGain: "Drive gain", "drive" "drive_db" Plain 0.0..12.0 idle 0.0 spread 8.0, "Gain into the saturation in dB.";
    DriveHz: "Drive from", "drive" "hz" Log 20.0..8000.0 idle 20.0 spread 6.0, "What lies below is not saturated, in Hz: high values make it an exciter.";
    DriveMix: "Drive mix", "drive" "mix" Plain 0.0..1.0 acts 0.0 spread 0.6, "Share of the saturation's difference that is added.";
    Width: "Stereo width", "width" "width" Plain 0.0..2.0 acts 1.0 spread 0.5, "Gain of the side signal, an amplitude.";
    MonoBass: "Mono bass", "width" "mono_bass" Plain 0.0..1.0 acts 0.0 spread 1.0, "Share of the side signal that is taken out below `bass_hz`.";
    BassHz: "Mono bass below", "width" "bass_hz" Log 40.0..400.0 idle 120.0 spread 2.5, "Corner under which the side signal is taken out, in Hz.";
    Target: "Loudness target", "loudness" "target_lufs" Plain -36.0..-6.0 idle -18.0 spread 1.0, "Loudness that the follower goes to, in LUFS.";
    TargetRange: "Loudness range", "loudness" "range_db" Plain 0.0..12.0 acts 0.0 spread 1.0, "Largest gain and attenuation of the loudness follower in dB.";
    LimiterRelease: "Limiter release", "limiter" "release_ms" Log 10.0..1000.0 idle 100.0 spread 4.0, "Time constant of the limiter's return in ms.";
}

/// How many numbers a profile has.
pub const PARAMETERS: usize = Parameter::ALL.len();

impl Parameter {
    /// What is known about it.
    pub const fn spec(self) -> &'static Spec {
        &Self::SPECS[self as usize]
    }

    /// The part of the mix chain that it belongs to.
    pub fn section(self) -> Section {
        // In the order of the list; the tests compare it with the sections' names.
        match self as usize {
            i if i < Parameter::LowCut as usize => Section::Gate,
            i if i < Parameter::Threshold as usize => Section::Eq,
            i if i < Parameter::DriveGain as usize => Section::Compressor,
            i if i < Parameter::Width as usize => Section::Drive,
            i if i < Parameter::Target as usize => Section::Width,
            i if i < Parameter::LimiterRelease as usize => Section::Loudness,
            _ => Section::Limiter,
        }
    }

    /// A value in the domain in which it is blended.
    pub fn to_domain(self, value: f32) -> f64 {
        let value = f64::from(value);
        match self.spec().domain {
            Domain::Plain => value,
            Domain::Log => value.max(1e-3).ln(),
            Domain::Slope => 1.0 - 1.0 / value.max(1.0),
        }
    }

    /// The smallest and the largest value in the domain in which it is blended.
    pub fn domain_range(self) -> (f64, f64) {
        let (min, max) = self.spec().range;
        (self.to_domain(min), self.to_domain(max))
    }

    /// A value in the domain in which it is blended, back in the unit of the preset file.
    pub fn from_domain(self, blended: f64) -> f32 {
        (match self.spec().domain {
            Domain::Plain => blended,
            Domain::Log => blended.exp(),
            Domain::Slope => 1.0 / (1.0 - blended),
        }) as f32
    }

    /// A blended value in the unit in which processors take it. A slope stays one.
    pub fn to_processor(self, blended: f64) -> f64 {
        match self.spec().domain {
            Domain::Plain | Domain::Slope => blended,
            Domain::Log => blended.exp(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_those_of_the_preset_file_and_neutral_lies_in_range() {
        for parameter in Parameter::ALL {
            let spec = parameter.spec();
            assert_eq!(parameter.section().name(), spec.section, "{parameter:?}");
            assert!((spec.range.0..=spec.range.1).contains(&spec.neutral), "{parameter:?}");
            assert!(parameter.help().ends_with('.') && spec.spread > 0.0, "{parameter:?}");
            let back = parameter.to_processor(parameter.to_domain(spec.range.1));
            assert!(
                spec.domain == Domain::Slope || (back - f64::from(spec.range.1)).abs() < 1e-3,
                "{parameter:?}"
            );
            for value in [spec.range.0, spec.neutral, spec.range.1] {
                let back = parameter.from_domain(parameter.to_domain(value));
                assert!((back - value).abs() <= 1e-5 * value.abs(), "{parameter:?}: {back}, not {value}");
            }
        }
    }
}
