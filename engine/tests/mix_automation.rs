//! Automation: a change counts from its sample, and block sizes do not matter.

mod mix_support;
use idiom_engine::profile::{Parameter, Profiles};
use idiom_engine::rt::mix::MixStage;
use idiom_engine::rt::mix::glide::tick_length;
use idiom_engine::{Controls, LimiterMode};
use mix_support::{Noise, sine};

/// Time from the start of the sound until the output gain has gone by 3.17 dB of its 12 dB, in samples and parts of one,
/// if it is set at this sample. There the glide is steepest and least bent.
fn crossing(rate: f32, at: usize) -> f64 {
    let mut stage = MixStage::new(rate, 1, &Profiles::default(), LimiterMode::ZeroLatency);
    let length = at + (0.1 * rate) as usize;
    let mut sound = vec![0.25f32; length];
    let (before, after) = (Controls::default(), Controls { output_db: 12.0, ..Controls::default() });
    stage.process(&mut [&mut sound], &[], 0, at, &before);
    stage.process(&mut [&mut sound], &[], at, length, &after);
    let gains: Vec<f64> = sound.iter().map(|x| 20.0 * (f64::from(*x) / 0.25).log10()).collect();
    assert!(gains[..at].iter().all(|gain| *gain == 0.0), "it is heard before it comes");
    let goal = 12.0 * (1.0 - 2.0 / std::f64::consts::E);
    let next = gains.iter().position(|gain| *gain >= goal).unwrap();
    next as f64 - (gains[next] - goal) / (gains[next] - gains[next - 1])
}

/// A change one sample later makes the same curve one sample later, wherever it falls within a tick of 0.67 ms.
#[test]
fn a_change_counts_from_its_sample() {
    for rate in [22_050.0, 44_100.0, 48_000.0, 192_000.0] {
        let tick = tick_length(rate);
        let delays: Vec<f64> = (0..=2 * tick)
            .step_by(if rate > 100_000.0 { 5 } else { 1 })
            .map(|offset| crossing(rate, 1_000 + offset) - (1_000 + offset) as f64)
            .collect();
        let (min, max) = delays.iter().fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(*x), b.max(*x)));
        assert!(max - min < 0.1, "delays from {min:.3} to {max:.3} samples at {rate} Hz");
        // And it is the glide that is promised: a pole's time constant, which is 80 ms over 4.744, is where it is steepest.
        let wanted = 0.08 / 4.744 * f64::from(rate);
        assert!((min - wanted).abs() < 2.0, "{min:.2} instead of {wanted:.2} samples at {rate} Hz");
    }
}

/// Every own setting and every control thrown about at odd samples: the same bits in blocks of 32 to 2048, and of any other
/// length.
#[test]
fn the_same_automation_gives_the_same_bits_in_blocks_of_every_size() {
    let (rate, length) = (48_000.0, 96_000);
    let mut random = Noise(5);
    let mut share = move || 0.5 * (random.next() + 1.0);
    let mut controls = Controls { limiter: true, ceiling_db: -6.0, ..Controls::default() };
    let mut changes = vec![(0, controls)];
    let mut at = 0;
    while at < length {
        at += (share() * 700.0) as usize;
        let parameter = Parameter::ALL[(share() * Parameter::ALL.len() as f64) as usize];
        let (low, high) = parameter.domain_range();
        controls.base[parameter] = parameter.from_domain(low + share() * (high - low));
        match (share() * 8.0) as usize {
            0 => controls.output_db = (12.0 * share() - 6.0) as f32,
            1 => controls.input_db = (12.0 * share() - 6.0) as f32,
            2 => controls.external_key = !controls.external_key,
            3 => controls.bypass = !controls.bypass,
            4 => controls.eq = !controls.eq,
            5 => controls.compressor = !controls.compressor,
            6 => controls.ceiling_db = (-12.0 * share()) as f32,
            _ => controls.amount = share() as f32,
        }
        changes.push((at, controls));
    }
    let input = [sine(220.0, 0.5, rate, length), sine(1_700.0, 0.4, rate, length)];
    let key = sine(500.0, 0.7, rate, length);
    let render = |sizes: &mut dyn FnMut() -> usize| {
        let mut output = input.clone();
        let mut stage = MixStage::new(rate as f32, 2, &Profiles::default(), LimiterMode::LookAhead);
        let mut start = 0;
        while start < length {
            // A host's block, cut at the changes within it.
            let end = length.min(start + sizes());
            let mut from = start;
            while from < end {
                let place = changes.partition_point(|(at, _)| *at <= from);
                let to = changes.get(place).map_or(end, |(at, _)| end.min(*at));
                let mut slices: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[start..end]).collect();
                let key = &[&key[start..end]];
                stage.process(&mut slices, key, from - start, to - start, &changes[place - 1].1);
                from = to;
            }
            start = end;
        }
        output
    };
    let whole = render(&mut || length);
    assert!(whole != input && whole.iter().flatten().all(|x| x.is_finite()));
    let mut odd = Noise(8);
    let mut cuts: Vec<(String, Box<dyn FnMut() -> usize>)> =
        [32usize, 64, 128, 256, 512, 1_024, 2_048, 1, 333]
            .into_iter()
            .map(|size| (size.to_string(), Box::new(move || size) as Box<dyn FnMut() -> usize>))
            .collect();
    cuts.push(("changing".into(), Box::new(move || 1 + (odd.next().abs() * 900.0) as usize)));
    for (name, mut sizes) in cuts {
        let cut = render(&mut sizes);
        let first =
            whole.iter().flatten().zip(cut.iter().flatten()).position(|(a, b)| a.to_bits() != b.to_bits());
        assert_eq!(first, None, "in blocks of {name}");
    }
}
