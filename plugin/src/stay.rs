//! A host loaded the library: it stays loaded from then on.
//!
//! Threads that we start end soon after the last instance; a host that unloads the library at that moment would take the
//! code away from under them. On Linux the linker says so (`build.rs`), macOS keeps every library with thread-local values
//! by itself, and Windows is asked to here.

/// What every entry point does first.
pub fn entered() {
    #[cfg(windows)]
    pin();
    nice_plug::wrapper::setup_logger::<crate::Idiom>();
}

/// Has Windows count the library as loaded until the process ends.
#[cfg(windows)]
fn pin() {
    use std::ffi::c_void;
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetModuleHandleExW(flags: u32, address: *const c_void, module: *mut *mut c_void) -> i32;
    }
    /// `GET_MODULE_HANDLE_EX_FLAG_PIN`.
    const PIN: u32 = 1;
    /// `GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS`: the module is the one that this address lies in.
    const FROM_ADDRESS: u32 = 4;
    let mut module = std::ptr::null_mut();
    // SAFETY: the signature is the system's; the address is that of a function of this library, and `module` is valid for
    // writing. A failure leaves everything as it was.
    unsafe { GetModuleHandleExW(PIN | FROM_ADDRESS, pin as fn() as *const c_void, &mut module) };
}
