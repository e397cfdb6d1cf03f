//! Sequence numbers of what leaves protected: no index twice with one key and SSRC, and never back (contract 12).

use std::collections::HashSet;

use ngdaemon_engine::counting::MAX_DROPOUT;
use ngdaemon_engine::numbering::{MAX_REPEATS, MAX_TRACKS, Numbering};
use ngdaemon_engine::plan::SocketId;
use samples::Rng;

#[allow(dead_code)]
#[path = "../src/samples.rs"]
mod samples;

const BOB: SocketId = 2;
const CAROL: SocketId = 4;
const SSRC: u32 = 9;
const WINDOW: usize = 1024;

/// The number that a packet leaves with, on a receiver's side who counts the cycles; `None` when it does not leave.
fn sent(numbering: &mut Numbering, source: SocketId, sequence: u16) -> Option<u16> {
    numbering.place(source, SSRC, sequence).map(|track| (i64::from(sequence) + track.shift) as u16)
}

fn all(numbering: &mut Numbering, source: SocketId, sequences: impl IntoIterator<Item = u16>) -> Vec<u16> {
    sequences.into_iter().filter_map(|sequence| sent(numbering, source, sequence)).collect()
}

fn low() -> Numbering {
    let mut numbering = Numbering::new(WINDOW);
    numbering.start_low(true);
    numbering
}

#[test]
fn a_source_that_starts_high_is_moved_to_the_lower_half_srtp_04() {
    let mut numbering = low();
    let sequences = (65500..65500 + 70_000).map(|number| number as u16);
    let sent = all(&mut numbering, BOB, sequences);
    assert_eq!((sent[0], sent.len()), (65500 - 32768, 70_000));
    assert!(sent.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    assert!(numbering.shifted);
    assert_eq!((numbering.shift_of(SSRC), numbering.has(SSRC)), (-32768, true));
}

#[test]
fn one_that_starts_low_passes_as_it_is() {
    let mut numbering = low();
    assert_eq!(all(&mut numbering, BOB, [32767, 32768]), [32767, 32768]);
    assert_eq!((numbering.shifted, numbering.shift_of(SSRC), numbering.has(8)), (false, 0, false));
}

#[test]
fn one_that_goes_on_where_another_ended_keeps_its_numbers() {
    let mut numbering = Numbering::new(WINDOW);
    all(&mut numbering, BOB, 100..110);
    assert_eq!(numbering.source_of(SSRC), Some(BOB));
    assert_eq!(all(&mut numbering, CAROL, 111..120), (111..120).collect::<Vec<_>>());
    assert_eq!(numbering.source_of(SSRC), Some(CAROL));
}

#[test]
fn one_behind_the_same_ssrc_is_numbered_on_srtp_05() {
    for start in [50, 109, 20_000, 65_000] {
        let mut numbering = Numbering::new(WINDOW);
        all(&mut numbering, BOB, 100..110);
        let carols = (0..600).map(|number: u16| number.wrapping_add(start));
        assert_eq!(all(&mut numbering, CAROL, carols), (110..710).collect::<Vec<_>>());
    }
}

#[test]
fn two_that_send_at_once_never_share_a_number_srtp_05() {
    let (mut numbering, mut heard) = (Numbering::new(WINDOW), Vec::new());
    for number in 0..300 {
        heard.extend(sent(&mut numbering, BOB, 1000 + number));
        heard.extend(sent(&mut numbering, CAROL, 1200 + number));
    }
    assert_eq!(heard.iter().collect::<HashSet<_>>().len(), 600);
    assert!(heard.windows(2).all(|pair| pair[1].wrapping_sub(pair[0]) < MAX_DROPOUT));
}

#[test]
fn other_ssrcs_are_not_touched() {
    let mut numbering = Numbering::new(WINDOW);
    for number in 0..50 {
        assert_eq!(numbering.place(BOB, 1, number).unwrap().shift, 0);
        assert_eq!(numbering.place(CAROL, 2, number).unwrap().shift, 0);
    }
}

#[test]
fn a_source_that_numbers_anew_far_behind_is_numbered_on_srtp_05() {
    for back in [1100, 20_000, 32_000] {
        let mut numbering = Numbering::new(WINDOW);
        all(&mut numbering, BOB, 40_000..40_010);
        let anew = all(&mut numbering, BOB, 40_010 - back..43_010 - back);
        assert_eq!(anew, (40_010..43_009).collect::<Vec<_>>());
    }
}

#[test]
fn one_stray_packet_from_far_behind_is_dropped() {
    let mut numbering = Numbering::new(WINDOW);
    assert_eq!(all(&mut numbering, BOB, [40_000, 20_000, 40_001]), [40_000, 40_001]);
}

#[test]
fn a_short_way_back_is_noticed_after_some_repeats() {
    let mut numbering = Numbering::new(WINDOW);
    all(&mut numbering, BOB, 1000..1500);
    let repeats = MAX_REPEATS as u16;
    for number in 1200..1200 + repeats - 1 {
        assert_eq!(sent(&mut numbering, BOB, number), Some(number));
        assert!(numbering.repeated(BOB, SSRC, number).is_none());
    }
    let last = 1200 + repeats - 1;
    sent(&mut numbering, BOB, last);
    let shift = numbering.repeated(BOB, SSRC, last).unwrap().shift;
    assert_eq!(i64::from(last) + shift, 1500);
    assert_eq!(all(&mut numbering, BOB, last + 1..1300).first(), Some(&1501));
}

#[test]
fn a_network_that_doubles_packets_changes_no_numbers() {
    let mut numbering = Numbering::new(WINDOW);
    for number in 0..100 {
        assert_eq!(sent(&mut numbering, BOB, number), Some(number));
        assert_eq!(sent(&mut numbering, BOB, number), Some(number));
        assert!(numbering.repeated(BOB, SSRC, number).is_none());
    }
}

#[test]
fn a_new_key_does_not_make_numbers_jump() {
    let mut before = low();
    all(&mut before, BOB, [30_000, 30_001, 5000, 5001]);
    let mut after = Numbering::new(WINDOW);
    after.inherit(&before);
    assert!(after.shifted);
    assert_eq!(all(&mut after, BOB, [5002, 5003]), [30_003, 30_004]);
    assert_eq!(all(&mut after, BOB, 5004..11_005).last(), Some(&36_005));
}

#[test]
fn sources_under_a_key_are_bounded_and_none_is_forgotten_that_could_repeat() {
    let mut numbering = Numbering::new(WINDOW);
    for ssrc in 0..MAX_TRACKS as u32 {
        assert!(numbering.place(BOB, ssrc, 1).is_some());
    }
    assert!(numbering.place(BOB, MAX_TRACKS as u32, 1).is_none());
    assert!(numbering.place(CAROL, 0, 1).is_none());
    let mut taken = Numbering::new(WINDOW);
    for source in 0..3 * MAX_TRACKS as u64 {
        assert_eq!(taken.place(source, 1, 1).unwrap().highest(), source as i64 + 1);
    }
}

#[test]
fn whatever_sources_do_no_new_number_was_sent_before_srtp_05() {
    for seed in 0..300 {
        let (mut rng, mut numbering) = (Rng::new(seed), Numbering::new(WINDOW));
        let (mut seen, mut highest) = (HashSet::new(), i64::MIN);
        let mut places = [rng.draw() as u16, rng.draw() as u16];
        for _ in 0..3000 {
            let who = rng.below(2);
            let jump = if rng.one_in(100) { rng.draw() as u16 } else { rng.pick(&[1, 1, 1, 1, 2, 65535]) };
            places[who] = places[who].wrapping_add(jump);
            let Some(track) = numbering.place(who as u64, SSRC, places[who]) else { continue };
            if track.highest() > highest {
                highest = track.highest();
                assert!(seen.insert(highest), "{seed}");
            }
        }
    }
}
