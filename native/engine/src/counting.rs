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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Rng;

    /// The counters after packets with these sequence numbers, each of 10 octets, its timestamp ten times its number.
    fn counted(sequences: impl IntoIterator<Item = u16>) -> SsrcCounters {
        let mut sequences = sequences.into_iter().peekable();
        let mut counter = SourceCounter::new(*sequences.peek().unwrap());
        sequences.for_each(|sequence| counter.count(sequence, 10 * u32::from(sequence), 0x80 | 8, 10));
        counter.report(7)
    }

    #[test]
    fn losses_are_numbers_that_were_never_seen() {
        let ten = || 0..10;
        for (name, sequences, lost) in [
            ("one packet", vec![5], 0),
            ("one packet numbered 0", vec![0], 0),
            ("none lost", (0..100).collect(), 0),
            ("one lost", vec![1, 2, 4, 5], 1),
            ("several lost", vec![1, 10], 8),
            ("out of order", vec![1, 3, 2, 4], 0),
            ("doubled", vec![1, 2, 2, 3], 0),
            ("around the end of the numbers", vec![65534, 65535, 0, 1], 0),
            ("lost around the end", vec![65534, 1, 2], 2),
            ("the first number lost", vec![65535, 1], 1),
            ("an older one after the first", vec![0, 65535, 1], 0),
            ("a single wild number is not believed", vec![1, 1 + MAX_DROPOUT, 2], 0),
            ("a new numbering begins", ten().chain([30000, 30001, 30003]).collect(), 1),
            ("losses before a new numbering stay", vec![1, 4, 30000, 30001, 30002], 2),
            ("a new numbering begins further back", ten().chain([60535, 60536]).collect(), 0),
            ("a new numbering begins around 0", ten().chain([30000, 30001, 65535, 0, 1]).collect(), 0),
        ] {
            let (packets, report) = (sequences.len() as u64, counted(sequences));
            assert_eq!((report.lost, report.packets, report.bytes), (lost, packets, 10 * packets), "{name}");
        }
    }

    #[test]
    fn losses_add_up_over_many_cycles() {
        let lost = counted((1000..200_000).filter(|number| number % 100 != 0).map(|number| number as u16)).lost;
        assert!((1989..=1991).contains(&lost), "{lost}");
    }

    #[test]
    fn the_newest_packet_is_the_one_with_the_highest_number() {
        let report = counted([10, 12, 11]);
        assert_eq!((report.last_sequence, report.last_timestamp, report.payload_type), (12, 120, 8));
    }

    #[test]
    fn sources_are_listed_in_order_of_appearance() {
        let mut sources = Sources::default();
        for ssrc in [9, 3, 7, 3, 9] {
            sources.of(ssrc, 1).count(1, 0, 0, 10);
        }
        assert_eq!(sources.report().iter().map(|item| item.ssrc).collect::<Vec<_>>(), [9, 3, 7]);
        assert_eq!(sources.totals(), (5, 50));
        assert_eq!([9, 3, 7, 8].map(|ssrc| sources.position(ssrc)), [Some(0), Some(1), Some(2), None]);
    }

    #[test]
    fn the_oldest_source_gives_way_but_its_packets_stay_counted() {
        let (mut sources, all) = (Sources::default(), 3 * MAX_SOURCES as u32);
        for ssrc in 0..all {
            sources.of(ssrc, 1).count(1, 0, 0, 10);
        }
        let left: Vec<u32> = sources.report().iter().map(|item| item.ssrc).collect();
        assert_eq!(left, (all - MAX_SOURCES as u32..all).collect::<Vec<_>>());
        assert_eq!(sources.totals(), (all.into(), 10 * u64::from(all)));
    }

    #[test]
    fn losses_never_go_back_to_less_than_nothing() {
        for seed in 0..500 {
            let mut rng = Rng::new(seed);
            let most = rng.pick(&[20, 5000, 65536]);
            let sequences: Vec<u16> = (0..1 + rng.below(200)).map(|_| rng.below(most) as u16).collect();
            let (packets, report) = (sequences.len() as u64, counted(sequences));
            assert_eq!(report.packets, packets);
            assert!(report.lost < 1 << 32, "{}", report.lost);
        }
    }

    #[test]
    fn short_disorder_makes_no_losses() {
        for seed in 0..200 {
            let mut rng = Rng::new(seed);
            let (start, rare) = (rng.draw() as u16, 2 + rng.below(50));
            let mut numbers: Vec<u16> = (0..=2001).filter(|n| [0, 2001].contains(n) || !rng.one_in(rare)).collect();
            let missing = 2002 - numbers.len() as u64;
            (1..numbers.len() - 2).step_by(3).for_each(|place| numbers.swap(place, place + 1));
            assert_eq!(counted(numbers.into_iter().map(|number| start.wrapping_add(number))).lost, missing);
        }
    }
}
