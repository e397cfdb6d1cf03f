//! Sequence numbers of what leaves protected: no index twice, and no way back for the receiver (RFC 3711 §9.1).
//!
//! Several sources may come to leave under one key and SSRC: another phone after a transfer, a phone that began to
//! number anew, two mixers that chose one SSRC. The first one passes with its own numbers; one that would repeat
//! numbers, or lead back, is numbered on from the highest that was sent (SRTP-05). With `start_low` a source that begins
//! in the upper half is moved to the lower one, so that a receiver that misses its first packets still knows the
//! rollover counter (SRTP-04).
//!
//! Numbers are counted on beyond 2^16 here ("extended", as in RFC 3550 A.1); `shift` is what is added to those of a
//! source.

use crate::counting::{CYCLE, MAX_DROPOUT};
use crate::plan::SocketId;

const HALF: u16 = 1 << 15;
/// Sources and SSRCs together that may leave under one key. More are dropped: an SSRC that is forgotten would repeat.
pub const MAX_TRACKS: usize = 256;
/// So many packets in a row that were sent before mean a new numbering, not a network that doubles packets.
pub const MAX_REPEATS: u32 = 8;

/// One SSRC of one source under one key.
#[derive(Clone, Debug, Default)]
pub struct Track {
    source: SocketId,
    ssrc: u32,
    /// The SSRC is numbered by this source now, and by no other.
    owns: bool,
    /// Multiple of 2^16 that extends `following`.
    cycles: i64,
    /// The sequence number that comes next when all is well.
    following: u16,
    /// What is added to its sequence numbers.
    pub shift: i64,
    /// The sequence number that would confirm a new numbering.
    again: Option<u16>,
    /// Highest number when the first of the repeats came.
    at: i64,
    repeats: u32,
}

impl Track {
    /// The same for another key.
    fn copy(&self) -> Self {
        Self { again: None, at: 0, repeats: 0, ..*self }
    }

    /// The highest extended number that left.
    pub fn highest(&self) -> i64 {
        self.cycles + i64::from(self.following) - 1 + self.shift
    }

    /// Number the packet `extended`, and those after it on from there.
    fn start(&mut self, sequence: u16, extended: i64) {
        (self.cycles, self.following) = (0, sequence);
        self.shift = extended - i64::from(sequence);
        self.again = None;
        self.advance(sequence);
    }

    /// Take in a packet that is not behind those before it.
    #[inline]
    fn advance(&mut self, sequence: u16) {
        if sequence < self.following {
            self.cycles += CYCLE;
        }
        self.following = sequence.wrapping_add(1);
        if self.following == 0 {
            self.cycles += CYCLE;
        }
    }

    /// Whether a packet far behind begins a new numbering: two in a row must agree (RFC 3550 A.1).
    fn confirms_jump(&mut self, sequence: u16) -> bool {
        if self.again == Some(sequence) {
            return true;
        }
        self.again = Some(sequence.wrapping_add(1));
        false
    }

    /// Whether a packet whose number was sent already begins a new numbering.
    fn confirms_repeat(&mut self, sequence: u16) -> bool {
        if self.again != Some(sequence) || self.at != self.highest() {
            (self.repeats, self.at) = (0, self.highest());
        }
        self.again = Some(sequence.wrapping_add(1));
        self.repeats += 1;
        self.repeats >= MAX_REPEATS
    }
}

/// The numbers of everything that leaves under one key.
#[derive(Debug)]
pub struct Numbering {
    /// There are few, which is why they are looked through.
    tracks: Vec<Track>,
    /// The track that was found last, which is the next packet's too as a rule.
    newest: usize,
    window: u16,
    low: bool,
    /// Something may be numbered in another way than by its source.
    pub shifted: bool,
}

impl Numbering {
    /// `window`: packets behind the newest that may still come, as the protecting side has it.
    pub fn new(window: usize) -> Self {
        let window = window.min(usize::from(u16::MAX)) as u16;
        Self { tracks: Vec::new(), newest: 0, window, low: false, shifted: false }
    }

    /// From now on begin each SSRC below 2^15, or as its source does.
    pub fn start_low(&mut self, low: bool) {
        self.low = low;
    }

    /// Go on as under another key: RTP at the receiver knows nothing of keys, and must not see numbers jump.
    pub fn inherit(&mut self, before: &Self) {
        self.shifted = before.shifted;
        self.tracks = before.tracks.iter().map(Track::copy).collect();
    }

    /// The track whose `shift` the packet gets; `None` where it must not leave.
    #[inline]
    pub fn place(&mut self, source: SocketId, ssrc: u32, sequence: u16) -> Option<&Track> {
        match self.track(source, ssrc) {
            Some(at) if self.tracks[at].owns && self.tracks[at].following == sequence => {
                self.tracks[at].advance(sequence);
                Some(&self.tracks[at])
            }
            Some(at) => self.follow(at, sequence),
            None => self.begin(source, ssrc, sequence),
        }
    }

    #[inline]
    fn track(&mut self, source: SocketId, ssrc: u32) -> Option<usize> {
        let is = |track: &Track| track.ssrc == ssrc && track.source == source;
        if !self.tracks.get(self.newest).is_some_and(is) {
            self.newest = self.tracks.iter().position(is)?;
        }
        Some(self.newest)
    }

    /// A packet that is not the next one of its source.
    fn follow(&mut self, at: usize, sequence: u16) -> Option<&Track> {
        let track = &mut self.tracks[at];
        if !track.owns {
            let shift = track.shift;
            return Some(self.take_over(at, shift, sequence));
        }
        let ahead = sequence.wrapping_sub(track.following);
        if ahead < HALF {
            track.advance(sequence);
        } else if ahead.wrapping_neg() > self.window {
            if !track.confirms_jump(sequence) {
                return None;
            }
            self.restart(at, sequence);
        }
        Some(&self.tracks[at])
    }

    /// Take in that the packet's index was used before: its track if it has another one now, in a new numbering.
    pub fn repeated(&mut self, source: SocketId, ssrc: u32, sequence: u16) -> Option<&Track> {
        let at = self.track(source, ssrc)?;
        if !self.tracks[at].confirms_repeat(sequence) {
            return None;
        }
        self.restart(at, sequence);
        Some(&self.tracks[at])
    }

    /// Whether anything was sent with that SSRC.
    pub fn has(&self, ssrc: u32) -> bool {
        self.owner(ssrc).is_some()
    }

    /// What was added to the numbers of that SSRC of late; 0 for nothing but cycles.
    pub fn shift_of(&self, ssrc: u32) -> i64 {
        self.owner(ssrc).map(|at| self.tracks[at].shift).filter(|shift| shift % CYCLE != 0).unwrap_or(0)
    }

    /// The source that sends with that SSRC now.
    pub fn source_of(&self, ssrc: u32) -> Option<SocketId> {
        self.owner(ssrc).map(|at| self.tracks[at].source)
    }

    fn owner(&self, ssrc: u32) -> Option<usize> {
        self.tracks.iter().position(|track| track.ssrc == ssrc && track.owns)
    }

    fn begin(&mut self, source: SocketId, ssrc: u32, sequence: u16) -> Option<&Track> {
        if self.tracks.len() >= MAX_TRACKS {
            // others have taken over from these
            self.tracks.retain(|track| track.owns);
            if self.tracks.len() >= MAX_TRACKS {
                return None;
            }
        }
        let (owner, at) = (self.owner(ssrc), self.tracks.len());
        self.tracks.push(Track { source, ssrc, ..Track::default() });
        self.newest = at;
        if let Some(owner) = owner {
            let shift = self.tracks[owner].shift;
            return Some(self.take_over(at, shift, sequence));
        }
        self.tracks[at].owns = true;
        let start = if self.low && sequence >= HALF { sequence - HALF } else { sequence };
        self.number(at, sequence, start.into());
        Some(&self.tracks[at])
    }

    /// Another source had the SSRC: go on where it is, with the numbers of its own where they lead on.
    fn take_over(&mut self, at: usize, shift: i64, sequence: u16) -> &Track {
        let mut extended = i64::from(sequence) + shift;
        if let Some(owner) = self.owner(self.tracks[at].ssrc) {
            let highest = self.tracks[owner].highest();
            let ahead = (extended - highest).rem_euclid(CYCLE);
            extended = highest + if 0 < ahead && ahead < MAX_DROPOUT.into() { ahead } else { 1 };
            self.tracks[owner].owns = false;
        }
        self.tracks[at].owns = true;
        self.number(at, sequence, extended);
        &self.tracks[at]
    }

    fn restart(&mut self, at: usize, sequence: u16) {
        let extended = self.tracks[at].highest() + 1;
        self.number(at, sequence, extended);
    }

    fn number(&mut self, at: usize, sequence: u16, extended: i64) {
        let track = &mut self.tracks[at];
        track.start(sequence, extended);
        self.shifted |= track.shift % CYCLE != 0;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::samples::Rng;

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
}
