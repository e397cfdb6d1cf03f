//! SRTP and SRTCP: RFC 3711, RFC 6188 (AES-192 and AES-256 in counter mode), RFC 7714 (AES-GCM).
//!
//! Packets are protected and opened where they lie, in a vector that has room for what is added. Nothing is allocated
//! for a packet: only a new SSRC takes memory, and only after it has proved authentic.

mod aead;
mod context;
mod counter;
mod header;
mod kdf;
mod keys;
mod suite;
mod transform;
mod window;

pub use context::{Inbound, Outbound, Refused, SourceState, State};
pub use keys::{Keys, KeysError};
pub use suite::{Cipher, SUITES, Suite, suite_named};
pub use transform::MAX_TRAILER;
pub use window::SMALLEST as SMALLEST_WINDOW;

#[cfg(test)]
pub(crate) mod tests {
    /// The octets of a hexadecimal number.
    pub fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}
