//! What must hold is in the tests of the engine, which try it with octets of their own.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../engine/tests/properties/rtcp.rs"]
mod rtcp;

fuzz_target!(|data: &[u8]| rtcp::holds(data));
