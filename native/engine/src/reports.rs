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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{
        Rng, block, description, goodbye, payload_feedback, receiver_report, sender_report, transport_feedback,
    };

    const SHIFTED: u32 = 9;
    const SHIFT: i64 = 30_000;

    fn put_back(mut data: Vec<u8>, shift: i64) -> Vec<u8> {
        without_shift(&mut data, |ssrc| if ssrc == SHIFTED { shift } else { 0 });
        data
    }

    #[test]
    fn report_blocks_of_either_kind_are_put_back_srtp_04() {
        for make in [sender_report, receiver_report] {
            let whole =
                |highest| [make(1, &[block(5, 7), block(SHIFTED, highest)]), description(1), goodbye(1)].concat();
            assert_eq!(put_back(whole(100_000), SHIFT), whole(70_000));
        }
    }

    #[test]
    fn numbers_are_put_back_below_zero_and_beyond_the_end() {
        let report = |highest| receiver_report(1, &[block(SHIFTED, highest)]);
        assert_eq!(put_back(report(29_999), SHIFT), report(u32::MAX));
        assert_eq!(put_back(report(29_999), -SHIFT), report(59_999));
        assert_eq!(put_back(report(u32::MAX), -SHIFT), report(29_999));
    }

    #[test]
    fn what_a_nack_asks_for_is_put_back() {
        let nack = |numbers: [u16; 2]| {
            let asked = numbers.map(|number| [&number.to_be_bytes()[..], b"\x80\x01"].concat()).concat();
            [receiver_report(1, &[]), transport_feedback(1, SHIFTED, &asked)].concat()
        };
        assert_eq!(put_back(nack([30_000, 30_017]), SHIFT), nack([0, 17]));
        assert_eq!(put_back(nack([0, 17]), SHIFT), nack([35_536, 35_553]));
    }

    #[test]
    fn other_feedback_and_other_sources_are_left_alone() {
        let mut twcc = transport_feedback(1, SHIFTED, &[1; 8]);
        twcc[0] = 0x80 | 15;
        let whole = [twcc, transport_feedback(1, 5, b"\x00\x01\x00\x00"), payload_feedback(1, SHIFTED)].concat();
        assert_eq!(put_back(whole.clone(), SHIFT), whole);
    }

    #[test]
    fn counts_and_lengths_beyond_the_packet_are_survived_s03() {
        for count in 0..32 {
            for tail in 0..60 {
                let mut report = receiver_report(1, &[]);
                (report[0], report[3]) = (0x80 | count, 1 + (tail / 4) as u8);
                report.extend(vec![1; tail]);
                let before = report.clone();
                assert_eq!(put_back(report, SHIFT), before);
            }
        }
    }

    #[test]
    fn any_bytes_keep_their_head_and_come_back_when_the_shift_is_undone_s03() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut data = rng.octets(90);
            if data.len() > 3 && rng.one_in(2) {
                (data[1], data[2]) = (rng.pick(&[200, 201, 205, 206]), 0);
            }
            let shift = rng.below(1 << 21) as i64 - (1 << 20);
            let before = data.clone();
            without_shift(&mut data, |_| shift);
            assert_eq!(data[..data.len().min(8)], before[..data.len().min(8)]);
            without_shift(&mut data, |_| -shift);
            assert_eq!(data, before);
        }
    }
}
