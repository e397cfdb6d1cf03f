//! Where the encrypted part of an RTP packet begins (RFC 3711 §3.1), and the fields that SRTP reads.

/// Octets of an RTP header that are always there.
pub const RTP_FIXED: usize = 12;
/// Octets of an RTCP header that are always there, and all of it that stays clear.
pub const RTCP_FIXED: usize = 8;
/// The SRTCP packet is encrypted (RFC 3711 §3.4).
pub const E_BIT: u32 = 1 << 31;
/// Octets of what each SRTCP packet carries: E bit, then the index in 31 bits.
pub const WORD: usize = 4;

const EXTENSION: u8 = 0x10;
const COUNT: u8 = 0x0F;

/// Octets of the RTP header; None when it is not complete, or encrypted itself (Cryptex, RFC 9335: EXT-04).
pub fn header_length(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let mut length = RTP_FIXED + 4 * usize::from(first & COUNT);
    if first & EXTENSION != 0 {
        // RFC 3550 §5.3.1: two octets of profile, two with the number of 32-bit words that follow
        let extension = packet.get(length..length + 4)?;
        if matches!(extension, [0xC0 | 0xC2, 0xDE, ..]) {
            return None;
        }
        length += 4 + 4 * usize::from(u16::from_be_bytes([extension[2], extension[3]]));
    }
    (length <= packet.len()).then_some(length)
}

/// Sequence number of an RTP packet with a fixed header at least.
pub fn sequence(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

/// SSRC of an RTP packet with a fixed header at least.
pub fn ssrc(packet: &[u8]) -> u32 {
    word(packet, 8)
}

/// SSRC of the sender of an RTCP packet with a fixed header at least.
pub fn rtcp_ssrc(packet: &[u8]) -> u32 {
    word(packet, 4)
}

/// Four octets at a place that is there.
pub fn word(packet: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([packet[at], packet[at + 1], packet[at + 2], packet[at + 3]])
}
