//! What each synchronisation source sent to a socket: packets, octets, losses by sequence number (RFC 3550 A.1, A.3).

use crate::report::{MAX_SOURCES, SsrcCounters};

/// Sequence numbers that may be missing at once; a longer way forward is a new numbering (RFC 3550 A.1).
pub const MAX_DROPOUT: u16 = 3000;
/// How far behind the newest packet one may come and still be an old one (RFC 3550 A.1).
pub const MAX_MISORDER: u16 = 100;
/// Sequence numbers, after which they begin anew.
pub const CYCLE: i64 = 1 << 16;

/// The counters of one source. `sequence`, `timestamp` and `kind` are those of its newest packet.
#[derive(Clone, Debug)]
pub struct SourceCounter {
    /// How many.
    pub packets: u64,
    /// UDP payload octets.
    pub bytes: u64,
    /// In units of the media's clock.
    pub timestamp: u32,
    /// Sequence number.
    pub sequence: u16,
    /// Second octet: marker and payload type.
    pub kind: u8,
    cycles: i64,
    /// Extended sequence number at which the present numbering began.
    first: i64,
    /// The sequence number that would confirm a new numbering.
    jumped: Option<u16>,
    /// In former numberings.
    lost: i64,
    /// Packets in former numberings.
    settled: i64,
}

impl SourceCounter {
    /// No packet yet; the first one is expected to have that sequence number.
    pub fn new(sequence: u16) -> Self {
        Self {
            packets: 0,
            bytes: 0,
            timestamp: 0,
            sequence: sequence.wrapping_sub(1),
            kind: 0,
            cycles: if sequence == 0 { -CYCLE } else { 0 },
            first: sequence.into(),
            jumped: None,
            lost: 0,
            settled: 0,
        }
    }

    /// Take in a packet, in whatever order it came.
    #[inline]
    pub fn count(&mut self, sequence: u16, timestamp: u32, kind: u8, length: usize) {
        self.packets += 1;
        self.bytes += length as u64;
        let ahead = sequence.wrapping_sub(self.sequence);
        if 0 < ahead && ahead < MAX_DROPOUT {
            if sequence < self.sequence {
                self.cycles += CYCLE;
            }
        } else if !self.begins_anew(sequence, ahead) {
            return;
        }
        (self.sequence, self.timestamp, self.kind) = (sequence, timestamp, kind);
    }

    /// Whether a packet that is not ahead, or too far, begins a new numbering: two in a row must agree.
    fn begins_anew(&mut self, sequence: u16, ahead: u16) -> bool {
        if ahead == 0 || ahead > MAX_MISORDER.wrapping_neg() {
            return false;
        }
        if self.jumped != Some(sequence) {
            self.jumped = Some(sequence.wrapping_add(1));
            return false;
        }
        // the first of the two was counted before
        let packets = self.packets as i64 - 2;
        self.lost = self.loss(packets);
        self.settled = packets;
        self.first = i64::from(sequence) - 1;
        self.cycles = 0;
        self.jumped = None;
        true
    }

    fn loss(&self, packets: i64) -> i64 {
        let expected = self.cycles + i64::from(self.sequence) - self.first + 1;
        self.lost + (expected - (packets - self.settled)).max(0)
    }

    /// The counters so far.
    pub fn report(&self, ssrc: u32) -> SsrcCounters {
        SsrcCounters {
            ssrc,
            packets: self.packets,
            bytes: self.bytes,
            last_timestamp: self.timestamp,
            last_sequence: self.sequence,
            payload_type: self.kind & 0x7F,
            lost: self.loss(self.packets as i64) as u64,
        }
    }
}

/// The sources that sent to one socket, in order of appearance; the oldest gives way when there are too many.
#[derive(Debug, Default)]
pub struct Sources {
    by_ssrc: Vec<(u32, SourceCounter)>,
    /// Of the source that was found last, which is the next packet's too as a rule.
    newest: usize,
    /// Of sources that gave way.
    packets: u64,
    bytes: u64,
}

impl Sources {
    /// The counter of a source; a new one expects that sequence number.
    #[inline]
    pub fn of(&mut self, ssrc: u32, sequence: u16) -> &mut SourceCounter {
        let position = match self.position(ssrc) {
            Some(position) => position,
            None => self.begin(ssrc, sequence),
        };
        self.at(position)
    }

    /// Where the counter of a source is, until another one is made.
    #[inline]
    pub fn position(&self, ssrc: u32) -> Option<usize> {
        match self.by_ssrc.get(self.newest) {
            Some((known, _)) if *known == ssrc => Some(self.newest),
            _ => self.by_ssrc.iter().position(|(known, _)| *known == ssrc),
        }
    }

    /// The counter that `position` gave.
    #[inline]
    pub fn at(&mut self, position: usize) -> &mut SourceCounter {
        self.newest = position;
        &mut self.by_ssrc[position].1
    }

    fn begin(&mut self, ssrc: u32, sequence: u16) -> usize {
        if self.by_ssrc.len() == MAX_SOURCES {
            let (_, oldest) = self.by_ssrc.remove(0);
            self.packets += oldest.packets;
            self.bytes += oldest.bytes;
        }
        self.by_ssrc.push((ssrc, SourceCounter::new(sequence)));
        self.by_ssrc.len() - 1
    }

    /// Packets and octets of all sources, also of those that gave way.
    pub fn totals(&self) -> (u64, u64) {
        let add =
            |(packets, bytes), (_, counter): &(u32, SourceCounter)| (packets + counter.packets, bytes + counter.bytes);
        self.by_ssrc.iter().fold((self.packets, self.bytes), add)
    }

    /// The counters of each.
    pub fn report(&self) -> Vec<SsrcCounters> {
        self.by_ssrc.iter().map(|(ssrc, counter)| counter.report(*ssrc)).collect()
    }
}
