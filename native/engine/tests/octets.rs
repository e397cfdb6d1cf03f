//! Valid packets that were damaged, at random: nothing panics, and what must hold does (S03).

use ngdaemon_engine::rtp::packet::EMPTY;
use samples::{Rng, Rtp};

mod properties;
#[allow(dead_code)]
#[path = "../src/samples.rs"]
mod samples;

const RUNS: u64 = 30_000;

/// A few octets are changed, cut off, doubled or put in.
fn damaged(rng: &mut Rng, mut packet: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.below(4) {
        let at = rng.below(packet.len() + 1);
        match rng.below(6) {
            0 => packet.truncate(at),
            1 => packet.splice(at..at, rng.octets(8)).for_each(drop),
            2 => packet.extend_from_within(at..),
            _ if at == packet.len() => packet.push(rng.draw() as u8),
            3 => packet[at] ^= 1 << rng.below(8),
            4 => packet[at] = rng.pick(&[0, 1, 0x7F, 0x80, 0xFF]),
            _ => packet[at] = rng.draw() as u8,
        }
    }
    packet
}

fn rtp(rng: &mut Rng) -> Vec<u8> {
    let mut body = Vec::new();
    let profile = rng.pick(&[0xBEDE, 0x1000, 0x100F, 0xC0DE, 0xC2DE]);
    for _ in 0..rng.below(4) {
        let (number, mid) = (rng.pick(&[1, 3, 5]), rng.pick(&[&b"0"[..], b"v1", b"zz", b"something long"]));
        let length = mid.len() as u8;
        body.extend(if profile == 0xBEDE { vec![number << 4 | (length - 1)] } else { vec![number, length] });
        body.extend(mid);
    }
    body.resize(body.len().next_multiple_of(4), 0);
    let packet = Rtp {
        ssrc: rng.below(8) as u32,
        payload_type: rng.pick(&[0, 8, 96, 127]),
        marker: rng.one_in(2),
        csrcs: rng.pick(&[0, 0, 1, 15]),
        profile,
        extension: if rng.one_in(3) { None } else { Some(&body) },
        payload: &[0x55; 64][..rng.below(64)],
        padding: rng.pick(&[0, 0, 1, 4]),
        ..Rtp::of(rng.draw() as u16)
    };
    packet.packet()
}

fn compound(rng: &mut Rng) -> Vec<u8> {
    let packets = (0..1 + rng.below(4)).map(|_| {
        let blocks: Vec<_> =
            (0..rng.below(3)).map(|_| samples::block(rng.below(8) as u32, rng.draw() as u32)).collect();
        match rng.below(6) {
            0 => samples::sender_report(1, &blocks),
            1 => samples::receiver_report(1, &blocks),
            2 => samples::description(1),
            3 => samples::goodbye(1),
            4 => samples::transport_feedback(1, rng.below(8) as u32, &rng.octets(16)),
            _ => samples::payload_feedback(1, rng.below(8) as u32),
        }
    });
    packets.collect::<Vec<_>>().concat()
}

fn any(rng: &mut Rng) -> Vec<u8> {
    let packet = match rng.below(4) {
        0 => rng.octets(64),
        1 => compound(rng),
        2 => EMPTY.to_vec(),
        _ => rtp(rng),
    };
    damaged(rng, packet)
}

/// Which of the runs failed is told with the panic.
fn each(runs: u64, holds: fn(&[u8]), make: fn(&mut Rng) -> Vec<u8>) {
    for seed in 0..runs {
        let data = make(&mut Rng::new(seed));
        let held = std::panic::catch_unwind(|| holds(&data));
        assert!(held.is_ok(), "seed {seed}: {data:02x?}");
    }
}

#[test]
fn any_datagram_has_a_class_and_silence_spares_its_header() {
    each(RUNS, properties::demux::holds, any);
}

#[test]
fn any_compound_is_read_as_far_as_it_is_whole() {
    each(RUNS, properties::rtcp::holds, |rng| {
        let packet = compound(rng);
        damaged(rng, packet)
    });
    each(RUNS, properties::rtcp::holds, any);
}

#[test]
fn any_packet_of_a_bundle_is_of_the_media_that_it_binds() {
    each(RUNS, properties::bundle::holds, |rng| {
        let packets = (0..1 + rng.below(5)).map(|_| {
            let packet = any(rng);
            [&[packet.len().min(255) as u8], &packet[..packet.len().min(255)]].concat()
        });
        packets.collect::<Vec<_>>().concat()
    });
}

#[test]
fn any_packet_opens_to_what_was_protected_and_once() {
    each(RUNS / 10, properties::srtp::holds, |rng| {
        let options = rng.draw().to_be_bytes();
        let packet = if options[4] & 0x20 != 0 { compound(rng) } else { rtp(rng) };
        [&options[4..], &damaged(rng, packet)].concat()
    });
}

#[test]
fn every_datagram_is_counted_once_and_nothing_leaves_a_secured_port_that_does_not_open() {
    each(RUNS / 30, properties::pipeline::holds, |rng| {
        let (mut steps, mut sequence) = (Vec::new(), rng.draw() as u16);
        for _ in 0..rng.below(60) {
            let kind = if rng.one_in(12) { rng.below(32) } else { 32 + rng.below(224) };
            steps.extend([kind as u8, if rng.one_in(2) { 0 } else { rng.draw() as u8 }]);
            if kind >= 32 {
                sequence = sequence.wrapping_add(rng.pick(&[1, 1, 1, 0, 2, 30_000]));
                let mut packet = if rng.one_in(5) { any(rng) } else { rtp(rng) };
                if packet.len() > 3 && rng.one_in(2) {
                    packet[2..4].copy_from_slice(&sequence.to_be_bytes());
                }
                packet.truncate(255);
                steps.push(packet.len() as u8);
                steps.extend(packet);
            }
        }
        steps
    });
}
