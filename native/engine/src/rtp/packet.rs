//! The RTP header (RFC 3550 §5.1), and whether a packet has room for all that its header announces.

/// Octets of the fixed header.
pub const FIXED: usize = 12;
/// Of the first octet's two highest bits.
pub const VERSION: u8 = 2;
/// Of the first octet.
pub const PADDING_BIT: u8 = 0x20;
/// Of the first octet.
pub const EXTENSION_BIT: u8 = 0x10;
/// Contributing sources, in the first octet.
pub const COUNT_MASK: u8 = 0x0F;
/// First octet of a packet with nothing but the fixed header before its payload, and no padding.
pub const PLAIN: u8 = 0x80;
/// A packet that carries nothing and that no receiver plays: it opens the way through a NAT (`pierce-NAT`).
pub const EMPTY: [u8; FIXED] = [PLAIN, 127, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0];

/// The fixed header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Version, padding, extension, count of contributing sources.
    pub first: u8,
    /// Marker and payload type.
    pub kind: u8,
    /// Sequence number.
    pub sequence: u16,
    /// In units of the media's clock.
    pub timestamp: u32,
    /// Synchronisation source.
    pub ssrc: u32,
}

impl Fixed {
    /// The fixed header of a packet; `None` where it is cut off.
    #[inline]
    pub fn of(data: &[u8]) -> Option<Self> {
        let &[first, kind, s0, s1, t0, t1, t2, t3, r0, r1, r2, r3] = data.first_chunk::<FIXED>()?;
        Some(Self {
            first,
            kind,
            sequence: u16::from_be_bytes([s0, s1]),
            timestamp: u32::from_be_bytes([t0, t1, t2, t3]),
            ssrc: u32::from_be_bytes([r0, r1, r2, r3]),
        })
    }

    /// Without the marker.
    pub fn payload_type(self) -> u8 {
        self.kind & 0x7F
    }
}

/// Octets that the header announces, which may be more than there are: then they are some number above that.
#[inline]
pub fn header_length(data: &[u8]) -> usize {
    let Some(&first) = data.first() else { return FIXED };
    let length = FIXED + 4 * usize::from(first & COUNT_MASK);
    if first & EXTENSION_BIT == 0 {
        return length;
    }
    // RFC 3550 §5.3.1: two octets of profile, two with the number of 32-bit words that follow
    let words = number(data, length + 2).unwrap_or(0);
    length + 4 + 4 * usize::from(words)
}

/// Replace each octet of the payload of a packet with a complete header.
///
/// Padding stays (RFC 3550 §5.1), unless it claims more room than there is.
pub fn silence(data: &mut [u8], octet: u8) {
    let start = header_length(data);
    let (Some(&first), Some(&last)) = (data.first(), data.last()) else { return };
    let Some(payload) = data.get_mut(start..) else { return };
    let padding = if first & PADDING_BIT != 0 { usize::from(last) } else { 0 };
    let length = payload.len().checked_sub(padding).unwrap_or(payload.len());
    payload[..length].fill(octet);
}

/// The 16 bits at a place, if they are there.
#[inline]
pub(crate) fn number(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*data.get(at..)?.first_chunk()?))
}

/// The 32 bits at a place, if they are there.
#[inline]
pub(crate) fn word(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*data.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::demux::{Kind, classify};
    use crate::samples::Rtp;

    #[test]
    fn contributing_sources_and_extension_belong_to_the_header() {
        assert_eq!(header_length(&Rtp { csrcs: 3, ..Rtp::of(1) }.packet()), 24);
        assert_eq!(header_length(&Rtp { extension: Some(&[0; 8]), ..Rtp::of(1) }.packet()), 24);
        assert_eq!(header_length(&Rtp { csrcs: 1, extension: Some(b""), ..Rtp::of(1) }.packet()), 20);
        assert_eq!(header_length(&Rtp { payload: b"", ..Rtp::of(1) }.packet()), 12);
    }

    #[test]
    fn a_header_that_is_cut_off_announces_more_than_there_is() {
        let many = Rtp { csrcs: 15, payload: b"", ..Rtp::of(1) }.packet();
        let extended = Rtp { extension: Some(&[0; 64]), payload: b"", ..Rtp::of(1) }.packet();
        for packet in [many, extended] {
            for length in 0..packet.len() {
                assert!(header_length(&packet[..length]) > length, "{length}");
            }
            assert_eq!(header_length(&packet), packet.len());
        }
    }

    #[test]
    fn the_fixed_header_is_read_where_it_is_whole() {
        let packet = Rtp { marker: true, payload_type: 8, payload: b"", ..Rtp::of(0x0102) }.packet();
        let fixed = Fixed::of(&packet).unwrap();
        assert_eq!((fixed.first, fixed.kind, fixed.sequence), (0x80, 0x88, 0x0102));
        assert_eq!((fixed.timestamp, fixed.ssrc, fixed.payload_type()), (160 * 0x0102, 0x1234, 8));
        assert_eq!(Fixed::of(&packet[..11]), None);
    }

    #[test]
    fn the_packet_that_opens_a_nat_is_rtp_that_nobody_plays() {
        assert_eq!(classify(&EMPTY), Kind::Rtp);
        let fixed = Fixed { first: 0x80, kind: 127, sequence: 65535, timestamp: 0, ssrc: 0 };
        assert_eq!(Fixed::of(&EMPTY), Some(fixed));
    }

    #[test]
    fn silence_replaces_the_payload_and_nothing_else() {
        for padding in [0, 4] {
            let said = Rtp { csrcs: 1, extension: Some(b"abcd"), payload: b"secret", padding, ..Rtp::of(7) };
            let mut packet = said.packet();
            silence(&mut packet, 0xD5);
            assert_eq!(packet, Rtp { payload: &[0xD5; 6], ..said }.packet());
        }
    }

    #[test]
    fn padding_that_claims_the_whole_packet_hides_nothing_from_silence() {
        let mut packet = Rtp { payload: b"secret", ..Rtp::of(1) }.packet();
        packet[0] |= PADDING_BIT;
        packet[17] = 255;
        silence(&mut packet, 0xFF);
        assert_eq!(packet[12..], [0xFF; 6]);
    }

    #[test]
    fn silence_of_what_has_no_payload_changes_nothing() {
        for whole in [Vec::new(), vec![0xBF], vec![0xBF; 12], vec![0x90; 15], EMPTY.to_vec()] {
            let mut packet = whole.clone();
            silence(&mut packet, 0xFF);
            assert_eq!(packet, whole);
        }
    }
}
