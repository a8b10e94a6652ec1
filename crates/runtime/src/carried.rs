//! Components that a program carries within itself, compressed: as WebAssembly, and as code for one
//! kind of machine, so that the first start compiles nothing.

use std::fmt;
use std::io;

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine;

/// How hard it is tried to make them small. They are made once for many starts.
const LEVEL: i32 = 19;

/// A component that the program carries.
#[derive(Clone, Copy)]
pub struct Carried {
    wasm: &'static [u8],
    code: Option<&'static [u8]>,
}

impl Carried {
    /// From what [`pack`] made of one `.wasm`, its second part only where there is one for this
    /// kind of machine.
    ///
    /// # Safety
    /// `code` is run: it must be what [`pack`] has made, unaltered.
    #[allow(
        unsafe_code,
        reason = "compiled code cannot be checked, so that the caller answers for it"
    )]
    #[must_use]
    pub const unsafe fn new(wasm: &'static [u8], code: Option<&'static [u8]>) -> Self {
        Self { wasm, code }
    }

    /// The `.wasm`.
    ///
    /// # Errors
    /// When it is not what [`pack`] has made.
    pub fn wasm(&self) -> io::Result<Vec<u8>> {
        zstd::decode_all(self.wasm)
    }

    /// Whether code is carried, too.
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.code.is_some()
    }

    /// The component from its code, if there is some and this engine and processor can run it.
    pub(crate) fn compiled(&self, engine: &Engine) -> Option<Component> {
        let code = zstd::decode_all(self.code?).map_err(anyhow::Error::from);
        #[allow(unsafe_code, reason = "the only way to use compiled code")]
        // SAFETY: whoever made this value has promised that `pack` made the code. wasmtime itself
        // refuses what another version, setting or processor would need.
        let component = code.and_then(|code| Ok(unsafe { Component::deserialize(engine, code) }?));
        component
            .inspect_err(|error| {
                tracing::info!("the compiled code in this program does not fit here: {error:#}");
            })
            .ok()
    }
}

impl fmt::Debug for Carried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carried").field("has_code", &self.has_code()).finish_non_exhaustive()
    }
}

/// What [`Carried::new`] takes, made of one `.wasm`.
#[derive(Debug)]
pub struct Packed {
    /// The `.wasm`, compressed.
    pub wasm: Vec<u8>,
    /// What it was compiled to, compressed.
    pub code: Vec<u8>,
}

/// Compiles a component for every processor of a target such as `x86_64-unknown-linux-gnu`, with
/// the settings of [`Runtime`](crate::Runtime), and compresses both. The same input gives the same
/// output.
///
/// # Errors
/// When it is no component, or this build of wasmtime cannot compile for the target.
pub fn pack(wasm: &[u8], target: &str) -> anyhow::Result<Packed> {
    let code = engine::for_target(target)?.precompile_component(wasm)?;
    let small = |bytes: &[u8]| zstd::encode_all(bytes, LEVEL);
    Ok(Packed { wasm: small(wasm)?, code: small(&code)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RuntimeConfig;

    /// The smallest component: its magic number and version.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    /// As a program would have it.
    fn carried(code: Vec<u8>) -> Carried {
        let wasm = zstd::encode_all(EMPTY, 1).unwrap().leak();
        #[allow(unsafe_code, reason = "for the test")]
        // SAFETY: each test says what it hands over, and that is never run.
        unsafe {
            Carried::new(wasm, Some(code.leak()))
        }
    }

    #[test]
    fn packed_code_fits_the_engine_that_serves() {
        let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
        let packed = pack(EMPTY, &target).unwrap();
        let engine = engine::build(&RuntimeConfig::default()).unwrap();
        let carried = carried(packed.code);
        assert!(carried.compiled(&engine).is_some());
        assert_eq!(carried.wasm().unwrap(), EMPTY);
    }

    #[test]
    fn code_of_other_settings_is_not_used() {
        let other = Engine::default().precompile_component(EMPTY).unwrap();
        let carried = carried(zstd::encode_all(other.as_slice(), 1).unwrap());
        let engine = engine::build(&RuntimeConfig::default()).unwrap();
        assert!(carried.compiled(&engine).is_none());
    }
}
