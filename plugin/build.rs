//! The plugin's library stays loaded on Linux once a host has loaded it.
//!
//! Threads that we start end soon after the last instance, but some of them belong to libraries that do not say when:
//! the clipboard's, for one, is told to end with its window and not waited for. A host that unloads the plugin at that
//! moment would take the code away from under it. (macOS keeps every library with thread-local values by itself; for
//! Windows see `src/stay.rs`.)

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
