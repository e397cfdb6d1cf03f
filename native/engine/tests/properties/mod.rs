//! What holds for any octets: tried at random by `octets.rs`, and by `fuzz/` with what a fuzzer finds.

pub mod bundle;
pub mod demux;
pub mod pipeline;
pub mod rtcp;
pub mod srtp;
