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
