//! What a VST3 library says of itself, and the `moduleinfo.json` that says it to hosts that do not want to load it.

use crate::vst3_host::Module;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::ffi::c_char;
use vst3::Steinberg::PFactoryInfo_::FactoryFlags_::{
    kClassesDiscardable, kComponentNonDiscardable, kUnicode,
};
use vst3::Steinberg::{
    IPluginFactory2, IPluginFactory2Trait, IPluginFactoryTrait, PClassInfo2, PFactoryInfo, kResultOk,
};

/// A class in a library and the library's maker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// 32 hexadecimal digits, in the order that hosts on this system write them.
    pub class_id: String,
    /// `Audio Module Class` for a plugin.
    pub category: String,
    /// Name to show.
    pub name: String,
    /// Who makes the class.
    pub vendor: String,
    /// Its version.
    pub version: String,
    /// The SDK's version that it was made after.
    pub sdk: String,
    /// Such as `Fx` and `EQ`.
    pub sub_categories: Vec<String>,
    /// VST3's class flags.
    pub flags: u32,
    /// How many instances there may be.
    pub cardinality: i32,
    /// Who makes the library.
    pub factory_vendor: String,
    /// Their page.
    pub factory_url: String,
    /// Their address.
    pub factory_email: String,
    /// VST3's factory flags.
    pub factory_flags: i32,
}

/// The text in an array that ends with a null, or with the array.
fn text(chars: &[c_char]) -> String {
    let bytes: Vec<u8> = chars.iter().map(|c| *c as u8).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Class ids are written in the byte order of the system's GUIDs.
fn class_id(id: &[c_char; 16]) -> String {
    let windows = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    (0..16).map(|at| format!("{:02X}", id[if cfg!(windows) { windows[at] } else { at }] as u8)).collect()
}

impl Module {
    /// Describes the first class in the library.
    pub fn describe(&self) -> Result<Description> {
        let factory = self.factory.cast::<IPluginFactory2>().context("the library has an old factory")?;
        // SAFETY: all bit patterns are valid, among them zeros.
        let mut maker: PFactoryInfo = unsafe { std::mem::zeroed() };
        // SAFETY: likewise.
        let mut class: PClassInfo2 = unsafe { std::mem::zeroed() };
        // SAFETY: a living factory, and both are valid for writing.
        let results =
            unsafe { [self.factory.getFactoryInfo(&mut maker), factory.getClassInfo2(0, &mut class)] };
        ensure!(results == [kResultOk; 2], "the library does not describe itself");
        Ok(Description {
            class_id: class_id(&class.cid),
            category: text(&class.category),
            name: text(&class.name),
            vendor: text(&class.vendor),
            version: text(&class.version),
            sdk: text(&class.sdkVersion),
            sub_categories: text(&class.subCategories).split('|').map(String::from).collect(),
            flags: class.classFlags,
            cardinality: class.cardinality,
            factory_vendor: text(&maker.vendor),
            factory_url: text(&maker.url),
            factory_email: text(&maker.email),
            factory_flags: maker.flags,
        })
    }
}

impl Description {
    /// `moduleinfo.json` after VST 3.7.8: what a host needs to list the plugin, so that it need not load the library.
    pub fn moduleinfo(&self) -> Value {
        let flag = |flag: u32| self.factory_flags as u32 & flag != 0;
        json!({
            "Name": self.name,
            "Version": self.version,
            "Factory Info": {
                "Vendor": self.factory_vendor,
                "URL": self.factory_url,
                "E-Mail": self.factory_email,
                "Flags": {
                    "Unicode": flag(kUnicode as u32),
                    "Classes Discardable": flag(kClassesDiscardable as u32),
                    "Component Non Discardable": flag(kComponentNonDiscardable as u32),
                },
            },
            "Classes": [{
                "CID": self.class_id,
                "Category": self.category,
                "Name": self.name,
                "Vendor": self.vendor,
                "Version": self.version,
                "SDKVersion": self.sdk,
                "Sub Categories": self.sub_categories,
                "Class Flags": self.flags,
                "Cardinality": self.cardinality,
                "Snapshots": [],
            }],
        })
    }
}
