//! RTCP about a source whose sequence numbers we changed, put back into the numbers of its sender (SRTP-04).
//!
//! What the receiver of a renumbered source says about it travels back: the extended highest sequence number in report
//! blocks (RFC 3550 §6.4.1) and the packets that a generic NACK asks for (RFC 4585 §6.2.1). Other feedback names no
//! sequence numbers of RTP, or is not rewritten (extended reports, RFC 3611).

use crate::rtp::packet::{number, word};
use crate::rtp::rtcp::{BLOCK, COUNT_MASK, FEEDBACK_HEADER, TRANSPORT_FEEDBACK, first_block, length};

const GENERIC_NACK: u8 = 1;

/// Make the compound what the senders of the sources that it reports on would have; from where it is malformed it stays.
///
/// `shift_of` says what was added to the sequence numbers of an SSRC.
pub fn without_shift(data: &mut [u8], shift_of: impl Fn(u32) -> i64) {
    let mut rest = data;
    while rest.len() >= 8 {
        let Some((packet, after)) = rest.split_at_mut_checked(length(rest)) else { break };
        put_back(packet, &shift_of);
        rest = after;
    }
}

/// One packet of a compound, which is complete.
fn put_back(packet: &mut [u8], shift_of: impl Fn(u32) -> i64) {
    let &mut [first, kind, ..] = packet else { return };
    let count = first & COUNT_MASK;
    if let Some(start) = first_block(kind) {
        let blocks = packet.get_mut(start..).unwrap_or_default().chunks_exact_mut(BLOCK);
        blocks.take(count.into()).for_each(|block| put_back_block(block, &shift_of));
    } else if kind == TRANSPORT_FEEDBACK && count == GENERIC_NACK {
        let Some((header, asked)) = packet.split_at_mut_checked(FEEDBACK_HEADER) else { return };
        let shift = word(header, 8).map_or(0, shift_of);
        for item in asked.chunks_exact_mut(4) {
            if let Some(sequence) = number(item, 0) {
                item[..2].copy_from_slice(&(i64::from(sequence) - shift).to_be_bytes()[6..]);
            }
        }
    }
}

/// The extended highest sequence number of a report block.
fn put_back_block(block: &mut [u8], shift_of: impl Fn(u32) -> i64) {
    if let (Some(ssrc), Some(highest)) = (word(block, 0), word(block, 8)) {
        block[8..12].copy_from_slice(&(i64::from(highest) - shift_of(ssrc)).to_be_bytes()[4..]);
    }
}
