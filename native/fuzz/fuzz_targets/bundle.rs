//! What must hold is in the tests of the engine, which try it with octets of their own.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../engine/tests/properties/bundle.rs"]
mod bundle;

fuzz_target!(|data: &[u8]| bundle::holds(data));
