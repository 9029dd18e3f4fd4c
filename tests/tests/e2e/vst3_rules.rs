//! What VST3 asks of every plugin, and what the usual validators look for.

use idiom_tests::built::Built;
use idiom_tests::signals::noise;
use idiom_tests::vst3_host::{Instance, Module, path};
use idiom_tests::vst3_preset;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::ptr::null_mut;
use vst3::Steinberg::Vst::ParameterInfo_::ParameterFlags_::{kCanAutomate, kIsBypass, kIsHidden};
use vst3::Steinberg::Vst::{
    BusDirections_, BusInfo, IAudioProcessor, IAudioProcessorTrait, IComponent, IComponentTrait,
    IEditController, IEditControllerTrait, MediaTypes_, ParameterInfo, ProcessData, ProcessModes_,
    ProcessSetup, SpeakerArr, String128, SymbolicSampleSizes_,
};
use vst3::Steinberg::{IPluginBaseTrait, int32, kResultOk};

fn load() -> (Built, Module) {
    let alone = Built::load();
    (alone, path().and_then(|path| Module::load(&path)).expect("the built VST3 plugin loads"))
}

fn text(chars: &[u16]) -> String {
    String::from_utf16_lossy(chars.split(|c| *c == 0).next().unwrap_or_default())
}

fn parameters(controller: &impl IEditControllerTrait) -> Vec<ParameterInfo> {
    // SAFETY: a living controller; all bit patterns of the structure are valid, and it is valid for writing.
    unsafe {
        (0..controller.getParameterCount())
            .map(|index| {
                let mut info: ParameterInfo = std::mem::zeroed();
                assert_eq!(controller.getParameterInfo(index, &mut info), kResultOk);
                info
            })
            .collect()
    }
}

#[test]
fn parameters_have_ids_of_their_own_and_texts_that_can_be_typed_back() {
    let (_alone, module) = load();
    let instance = module.instantiate().unwrap();
    let controller = instance.interface::<IEditController>().unwrap();
    let infos = parameters(&controller);
    let ids: BTreeSet<u32> = infos.iter().map(|info| info.id).collect();
    assert_eq!(ids.len(), infos.len(), "two parameters of one id");
    let has = |info: &ParameterInfo, flag: u32| info.flags as u32 & flag != 0;
    assert_eq!(infos.iter().filter(|info| has(info, kIsBypass as u32)).count(), 1, "one bypass");
    for info in &infos {
        let name = text(&info.title);
        assert!(!name.is_empty() && (0.0..=1.0).contains(&info.defaultNormalizedValue), "{name}");
        assert!(info.id < 1 << 31, "{name}: ids above 2^31 are the hosts'");
        // What is neither is for setting up: it is shown, and cannot be automated.
        assert!(!has(info, kCanAutomate as u32) || !has(info, kIsHidden as u32), "{name} has strange flags");
        // SAFETY: a living controller, and buffers of the size that VST3 says.
        unsafe {
            assert_eq!(controller.getParamNormalized(info.id), info.defaultNormalizedValue, "{name}");
            let steps = if info.stepCount > 0 { info.stepCount } else { 20 };
            for step in 0..=steps {
                let value = f64::from(step) / f64::from(steps);
                let plain = controller.normalizedParamToPlain(info.id, value);
                let back = controller.plainParamToNormalized(info.id, plain);
                assert!((back - value).abs() < 1e-5, "{name}: {value} becomes {back}");
                let mut shown: String128 = [0; 128];
                assert_eq!(controller.getParamStringByValue(info.id, value, &mut shown), kResultOk);
                assert!(!text(&shown).is_empty(), "{name} has no text at {value}");
                let (mut typed, mut again) = (0.0, [0; 128]);
                assert_eq!(
                    controller.getParamValueByString(info.id, shown.as_mut_ptr(), &mut typed),
                    kResultOk,
                    "{name} does not understand its own {:?}",
                    text(&shown)
                );
                controller.getParamStringByValue(info.id, typed, &mut again);
                assert_eq!(text(&again), text(&shown), "{name}");
            }
        }
    }
    // The same in every instance and every run: projects refer to them.
    let again = module.instantiate().unwrap().interface::<IEditController>().unwrap();
    assert_eq!(parameters(&again).iter().map(|info| info.id).collect::<BTreeSet<_>>(), ids);
}

#[test]
fn buses_are_described_and_only_mono_and_stereo_are_accepted() {
    let (_alone, module) = load();
    let instance = module.instantiate().unwrap();
    let component = instance.interface::<IComponent>().unwrap();
    let processor = instance.interface::<IAudioProcessor>().unwrap();
    let audio = MediaTypes_::kAudio as int32;
    // SAFETY: living objects; everything is valid for writing, and the arrays are as long as is said.
    unsafe {
        for direction in [BusDirections_::kInput, BusDirections_::kOutput].map(|d| d as int32) {
            let count = component.getBusCount(audio, direction);
            assert!(count >= 1, "no bus");
            for index in 0..count {
                let mut info: BusInfo = std::mem::zeroed();
                assert_eq!(component.getBusInfo(audio, direction, index, &mut info), kResultOk);
                assert!((1..=2).contains(&info.channelCount) && !text(&info.name).is_empty());
                let mut arrangement = 0;
                assert_eq!(processor.getBusArrangement(direction, index, &mut arrangement), kResultOk);
                assert_eq!(arrangement.count_ones() as i32, info.channelCount);
            }
            let mut info: BusInfo = std::mem::zeroed();
            for outside in [count, i32::MAX, -1, i32::MIN] {
                assert_ne!(component.getBusInfo(audio, direction, outside, &mut info), kResultOk);
                assert_ne!(component.activateBus(audio, direction, outside, 1), kResultOk);
            }
        }
        let count = component.getBusCount(audio, BusDirections_::kInput as int32);
        let accepts = |first: u64| {
            let mut inputs = vec![first; count as usize];
            let mut output = first;
            processor.setBusArrangements(inputs.as_mut_ptr(), count, &mut output, 1) == kResultOk
        };
        assert!(accepts(SpeakerArr::kMono) && accepts(SpeakerArr::kStereo));
        assert!(!accepts(SpeakerArr::k51), "surround is accepted, and cannot be mixed");
        assert_eq!(processor.canProcessSampleSize(SymbolicSampleSizes_::kSample32 as int32), kResultOk);
    }
}

fn setup(processor: &impl IAudioProcessorTrait, rate: f64, block: i32, mode: u32) -> bool {
    let mut setup = ProcessSetup {
        processMode: mode as int32,
        symbolicSampleSize: SymbolicSampleSizes_::kSample32 as int32,
        maxSamplesPerBlock: block,
        sampleRate: rate,
    };
    // SAFETY: a living processor and a whole setup.
    unsafe { processor.setupProcessing(&mut setup) == kResultOk }
}

#[test]
fn every_rate_mode_and_order_that_validators_try_works() {
    let (_alone, module) = load();
    let instance = module.instantiate().unwrap();
    let component = instance.interface::<IComponent>().unwrap();
    let processor = instance.interface::<IAudioProcessor>().unwrap();
    let rates =
        [22_050.0, 32_000.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0, 384_000.0, 12_345.678];
    for (rate, mode) in
        rates.into_iter().zip([ProcessModes_::kRealtime, ProcessModes_::kOffline].into_iter().cycle())
    {
        assert!(setup(&processor, rate, 512, mode as u32), "{rate} Hz");
        // SAFETY: living objects, called in VST3's order; a block without samples and buses sets parameters only.
        unsafe {
            assert_eq!(component.setActive(1), kResultOk);
            processor.setProcessing(1);
            assert_eq!(processor.getLatencySamples(), 0, "at {rate} Hz");
            let mut empty: ProcessData = std::mem::zeroed();
            empty.processMode = mode as int32;
            assert_eq!(processor.process(&mut empty), kResultOk, "a flush of parameters");
            let tail = processor.getTailSamples();
            assert!(f64::from(tail) <= rate, "a tail of {tail} samples at {rate} Hz");
            processor.setProcessing(0);
            assert_eq!(component.setActive(0), kResultOk);
        }
        instance.activate(rate).unwrap();
        let mut sound = [noise(4_000, 0.5, 1), noise(4_000, 0.5, 2)];
        instance.play(&mut sound, rate).unwrap();
        assert!(sound.iter().flatten().all(|x| x.is_finite()), "{rate} Hz");
        instance.deactivate();
    }
    // SAFETY: a living component, ended and begun again as some hosts do.
    unsafe {
        assert_eq!(component.terminate(), kResultOk);
        assert_eq!(component.initialize(null_mut()), kResultOk);
    }
    instance.activate(48_000.0).unwrap();
    instance.play(&mut [noise(2_000, 0.5, 1), noise(2_000, 0.5, 2)], 48_000.0).unwrap();
    instance.deactivate();
}

fn playing(instance: &Instance) -> String {
    let state: Value = serde_json::from_slice(&instance.save().unwrap()).unwrap();
    let preset: Value = serde_json::from_str(state["fields"]["preset"].as_str().unwrap()).unwrap();
    preset["name"].as_str().unwrap().to_owned()
}

/// `moduleinfo.json` says what the library says, and each `.vstpreset` file plays its preset.
#[test]
fn the_files_of_the_bundle_tell_the_truth() {
    let (_alone, module) = load();
    let home = std::env::temp_dir().join(format!("idiom-resources-{}", std::process::id()));
    let (bundle, presets) = (home.join("Idiom.vst3"), home.join("presets"));
    let output = Command::new(env!("CARGO_BIN_EXE_resources"))
        .args(["--library".as_ref(), path().unwrap().as_path(), "--bundle".as_ref(), &bundle])
        .args(["--presets".as_ref(), presets.as_path()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let about = module.describe().unwrap();
    let info = |bundle: &Path| -> Value {
        let text = std::fs::read_to_string(bundle.join("Contents/Resources/moduleinfo.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    assert_eq!(info(&bundle), about.moduleinfo());
    if !cfg!(windows) {
        assert_eq!(about.class_id, "4964696F6D47656E72654D6978657231", "projects refer to it");
    }
    assert_eq!(info(&bundle)["Classes"][0]["Category"], "Audio Module Class");
    // The bundle that `cargo xtask test` made has it too.
    if let Some(library) = std::env::var_os("IDIOM_VST3") {
        let made = Path::new(&library).ancestors().nth(3).unwrap().to_path_buf();
        assert_eq!(info(&made), about.moduleinfo());
    }
    let instance = module.instantiate().unwrap();
    for preset in idiom_engine::profile::Preset::factory() {
        let bytes = std::fs::read(presets.join(vst3_preset::file_name(&preset.name))).unwrap();
        let (class, state) = vst3_preset::read(&bytes).unwrap();
        assert_eq!(class, about.class_id);
        instance.load(&state, 0).unwrap();
        assert_eq!(playing(&instance), preset.name);
    }
    assert_eq!(std::fs::read_dir(&presets).unwrap().count(), idiom_engine::profile::FACTORY_FILES.len());
    std::fs::remove_dir_all(home).unwrap();
}
