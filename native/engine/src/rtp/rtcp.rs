//! RTCP (RFC 3550 §6, RFC 4585 §6.1), as far as the packet path reads it: the packets of a compound, and feedback
//! packets out of compounds. A compound may begin with any packet (RFC 5506).

use std::fmt;

use super::packet::{VERSION, number};

/// SR.
pub const SENDER_REPORT: u8 = 200;
/// RR.
pub const RECEIVER_REPORT: u8 = 201;
/// RTPFB.
pub const TRANSPORT_FEEDBACK: u8 = 205;
/// PSFB.
pub const PAYLOAD_FEEDBACK: u8 = 206;
/// Types that a peer without AVPF does not know.
pub const FEEDBACK: [u8; 2] = [TRANSPORT_FEEDBACK, PAYLOAD_FEEDBACK];

/// Octets of the header that all packets have.
pub const HEADER_LENGTH: usize = 4;
/// Octets up to the end of the source that feedback is about.
pub const FEEDBACK_HEADER: usize = 12;
/// Octets of a report block.
pub const BLOCK: usize = 24;
/// Report blocks and the like, in the first octet.
pub const COUNT_MASK: u8 = 0x1F;

/// Why a compound cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// There is nothing.
    Empty,
    /// A packet is cut off in its header.
    CutOff,
    /// A packet is not of version 2.
    Version,
    /// A packet is longer than its datagram.
    TooLong,
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "empty RTCP datagram",
            Self::CutOff => "RTCP packet cut off in its header",
            Self::Version => "RTCP of another version",
            Self::TooLong => "RTCP packet longer than its datagram",
        })
    }
}

impl std::error::Error for Malformed {}

/// Where the report blocks of a packet of that type begin; `None` when it has none.
pub fn first_block(kind: u8) -> Option<usize> {
    match kind {
        SENDER_REPORT => Some(28),
        RECEIVER_REPORT => Some(8),
        _ => None,
    }
}

/// Octets that a packet with a complete header announces, which may be more than there are.
pub fn length(packet: &[u8]) -> usize {
    HEADER_LENGTH + 4 * usize::from(number(packet, 2).unwrap_or(u16::MAX))
}

/// The compound without its RTPFB and PSFB packets; empty when nothing is left.
pub fn without_feedback(data: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut kept = Vec::with_capacity(data.len());
    let mut rest = data;
    loop {
        let (packet, after) = frame(rest)?;
        if !packet.get(1).is_some_and(|kind| FEEDBACK.contains(kind)) {
            kept.extend_from_slice(packet);
        }
        if after.is_empty() {
            return Ok(kept);
        }
        rest = after;
    }
}

/// The first packet of a compound, and those after it.
fn frame(data: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    match data {
        [] => Err(Malformed::Empty),
        _ if data.len() < HEADER_LENGTH => Err(Malformed::CutOff),
        [first, ..] if first >> 6 != VERSION => Err(Malformed::Version),
        _ => data.split_at_checked(length(data)).ok_or(Malformed::TooLong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{
        Rng, description, payload_feedback, receiver_report, rtcp, sender_report, transport_feedback,
    };

    #[test]
    fn feedback_is_taken_out_of_compounds() {
        let report = [receiver_report(1, &[]), description(1)].concat();
        let feedback = [transport_feedback(1, 2, &[0; 4]), payload_feedback(1, 2)].concat();
        assert_eq!(without_feedback(&report), Ok(report.clone()));
        assert_eq!(without_feedback(&[&report[..], &feedback].concat()), Ok(report.clone()));
        assert_eq!(without_feedback(&[&feedback[..], &report, &feedback].concat()), Ok(report));
        assert_eq!(without_feedback(&feedback), Ok(vec![]));
    }

    #[test]
    fn a_packet_that_is_cut_off_is_refused_at_every_length() {
        for whole in [sender_report(1, &[]), description(1), payload_feedback(1, 2)] {
            assert_eq!(without_feedback(&[]), Err(Malformed::Empty));
            for length in 1..whole.len() {
                let why = if length < HEADER_LENGTH { Malformed::CutOff } else { Malformed::TooLong };
                assert_eq!(without_feedback(&whole[..length]), Err(why));
                let compound = [&description(3)[..], &whole[..length]].concat();
                assert_eq!(without_feedback(&compound), Err(why));
            }
        }
    }

    #[test]
    fn another_version_is_refused() {
        let mut compound = [description(1), description(2)].concat();
        let second = compound.len() / 2;
        compound[second] = 0x41;
        assert_eq!(without_feedback(&compound), Err(Malformed::Version));
    }

    #[test]
    fn any_body_of_any_type_is_taken_or_left() {
        for seed in 0..5000 {
            let mut rng = Rng::new(seed);
            let (kind, count) = (192 + rng.below(32) as u8, rng.below(64) as u8);
            let data = rtcp(count, kind, &[&rng.octets(60)]);
            let left = if FEEDBACK.contains(&kind) { vec![] } else { data.clone() };
            assert_eq!(without_feedback(&data), Ok(left));
        }
    }

    #[test]
    fn what_is_left_of_any_bytes_is_a_compound_without_feedback() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut data = rng.octets(80);
            if data.len() > 3 {
                (data[0], data[2]) = (0x80, 0);
            }
            match without_feedback(&data) {
                Ok(left) if left.is_empty() => {}
                Ok(left) => assert_eq!(without_feedback(&left), Ok(left)),
                Err(_) => {}
            }
        }
    }
}
