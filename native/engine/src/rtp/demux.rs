//! What a datagram on a media port is: its first octet (RFC 7983 §7), and RTP told from RTCP (RFC 5761 §4).
//!
//! One row per range of first octets; a datagram shorter than the least length of its class is `Unknown`.

/// The class of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// RTP.
    Rtp,
    /// RTCP.
    Rtcp,
    /// STUN.
    Stun,
    /// DTLS.
    Dtls,
    /// ZRTP.
    Zrtp,
    /// TURN channel data.
    Turn,
    /// Of no class, or too short for its class.
    Unknown,
}

/// First octet from, to (both included), class, least length in octets. What is not listed is `Unknown`.
const ROWS: [(u8, u8, Kind, usize); 6] = [
    (0, 3, Kind::Stun, 20), // header, RFC 8489 §5
    (16, 19, Kind::Zrtp, 12),
    (20, 31, Kind::Dtls, 13), // record header up to DTLS 1.2, RFC 6347 §4.1
    (32, 63, Kind::Dtls, 18), // unified header and the least ciphertext, RFC 9147 §4.2.3
    (64, 79, Kind::Turn, 4),
    (128, 191, Kind::Rtp, 12),
];

/// Octets of the fixed RTP header.
pub const RTP_LENGTH: usize = 12;
/// Octets of the shortest RTCP packet that names its sender.
pub const RTCP_LENGTH: usize = 8;
/// The first of the second octets that mean RTCP (RFC 5761 §4): as RTP they would be the payload types 64 to 95 with
/// the marker set.
pub const RTCP_FIRST: u8 = 192;
/// The last of them.
pub const RTCP_LAST: u8 = 223;

static CLASSES: [(Kind, usize); 256] = table();

const fn table() -> [(Kind, usize); 256] {
    let mut table = [(Kind::Unknown, 0); 256];
    let mut row = 0;
    while row < ROWS.len() {
        let (first, last, kind, least) = ROWS[row];
        let mut octet = first;
        while octet <= last {
            table[octet as usize] = (kind, least);
            octet += 1;
        }
        row += 1;
    }
    table
}

/// The class of a datagram; an empty one is `Unknown`.
#[inline]
pub fn classify(data: &[u8]) -> Kind {
    let Some(&first) = data.first() else { return Kind::Unknown };
    let (kind, least) = CLASSES[usize::from(first)];
    let (kind, least) = match data.get(1) {
        Some(RTCP_FIRST..=RTCP_LAST) if kind == Kind::Rtp => (Kind::Rtcp, RTCP_LENGTH),
        _ => (kind, least),
    };
    if data.len() >= least { kind } else { Kind::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: usize = 42;

    /// The table of RFC 7983 §7, written out once more.
    fn expected(octet: u8) -> Kind {
        match octet {
            0..=3 => Kind::Stun,
            4..=15 => Kind::Unknown,
            16..=19 => Kind::Zrtp,
            20..=63 => Kind::Dtls,
            64..=79 => Kind::Turn,
            80..=127 => Kind::Unknown,
            128..=191 => Kind::Rtp,
            192.. => Kind::Unknown,
        }
    }

    #[test]
    fn the_first_octet_decides() {
        for octet in 0..=255 {
            let mut data = [0; LONG];
            data[0] = octet;
            assert_eq!(classify(&data), expected(octet), "{octet}");
        }
    }

    #[test]
    fn packet_types_192_to_223_are_rtcp() {
        for second in 0..=255 {
            let mut data = [0; LONG];
            (data[0], data[1]) = (0x80, second);
            let kind = if (192..=223).contains(&second) { Kind::Rtcp } else { Kind::Rtp };
            assert_eq!(classify(&data), kind, "{second}");
        }
    }

    #[test]
    fn what_is_too_short_for_its_class_is_of_no_class() {
        for (first, second, kind, least) in [
            (0, 1, Kind::Stun, 20),
            (16, 0, Kind::Zrtp, 12),
            (22, 254, Kind::Dtls, 13),
            (47, 0, Kind::Dtls, 18),
            (64, 0, Kind::Turn, 4),
            (128, 0, Kind::Rtp, 12),
            (128, 200, Kind::Rtcp, 8),
        ] {
            let mut whole = [0; 65];
            (whole[0], whole[1]) = (first, second);
            for length in 0..=whole.len() {
                let found = classify(&whole[..length]);
                assert_eq!(found, if length < least { Kind::Unknown } else { kind }, "{first} {length}");
            }
        }
    }
}
