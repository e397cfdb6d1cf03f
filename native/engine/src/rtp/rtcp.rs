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
