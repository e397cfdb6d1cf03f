//! Contexts: one master key, one direction, all synchronisation sources of a transport (RFC 3711 §3.2).

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use super::header::{self, E_BIT, RTCP_FIXED, RTP_FIXED};
use super::keys::{Keys, KeysError};
use super::transform::Transforms;
use super::window::{CYCLE, Place, Window, estimate};

/// SSRCs of one context. None is ever forgotten: its packets could be replayed, or its indices used again.
pub const MAX_SOURCES: usize = 1024;
/// Packets that one master key may protect (RFC 3711 §9.2, RFC 7714 §14.2; KEY-06).
pub const RTP_LIFETIME: u64 = 1 << 48;
/// The same of RTCP.
pub const RTCP_LIFETIME: u64 = 1 << 31;
/// How far the RTCP indices of a restored sender move on, beyond what was sent after its state was written down.
const RESTORED_AHEAD: i64 = 1 << 16;

/// Why a packet must not go on. It changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its index was used before, or is too old to know.
    Replayed,
    /// It is not authentic, or not complete.
    Forged,
    /// There is no room for one more source.
    Crowded,
    /// The key has protected all the packets that it may.
    Exhausted,
}

impl fmt::Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Replayed => "replayed, or too old",
            Self::Forged => "not authentic, or not complete",
            Self::Crowded => "too many sources for one key",
            Self::Exhausted => "the key is exhausted",
        })
    }
}

impl std::error::Error for Refused {}

/// One SSRC of a context, to be written down. Indices are the highest ones, -1 for none; bit n of `…_seen` tells of the
/// index n below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// The source.
    pub ssrc: u32,
    /// 48 bits: rollover counter and sequence number.
    pub rtp: i64,
    /// Those behind it.
    pub rtp_seen: Vec<u64>,
    /// 31 bits.
    pub rtcp: i64,
    /// Those behind it.
    pub rtcp_seen: Vec<u64>,
}

/// What a context knows besides its keys: plain numbers, to be written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// In no order.
    pub sources: Vec<SourceState>,
    /// Protected so far with the key; 0 for receivers, which do not count.
    pub rtp_packets: u64,
    /// The same of RTCP.
    pub rtcp_packets: u64,
    /// The RTCP index before the first one of a source; more than 0 for senders that were restored.
    pub rtcp_start: i64,
}

/// The indices of one SSRC.
struct Source {
    rtp: Window,
    rtcp: Window,
    /// Of a restored sender: its first packet is not sent yet.
    resumed: bool,
}

/// SSRCs are found by multiplication: there are at most `MAX_SOURCES`, all of whose packets were authentic.
#[derive(Default)]
struct SsrcHasher(u64);

impl Hasher for SsrcHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("SSRCs are hashed as numbers");
    }

    fn write_u32(&mut self, ssrc: u32) {
        self.0 = u64::from(ssrc).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

struct Sources {
    window: usize,
    by_ssrc: HashMap<u32, Source, BuildHasherDefault<SsrcHasher>>,
}

impl Sources {
    fn new(window: usize) -> Self {
        Self { window, by_ssrc: HashMap::default() }
    }

    /// The source, which is made if it is new: for packets that are authentic.
    fn of(&mut self, ssrc: u32) -> &mut Source {
        let window = self.window;
        self.by_ssrc.entry(ssrc).or_insert_with(|| Source {
            rtp: Window::new(window),
            rtcp: Window::new(window),
            resumed: true,
        })
    }

    /// The source if it is known; an error when it is not and there is no room for one more.
    fn find(&self, ssrc: u32) -> Result<Option<&Source>, Refused> {
        match self.by_ssrc.get(&ssrc) {
            None if self.by_ssrc.len() >= MAX_SOURCES => Err(Refused::Crowded),
            found => Ok(found),
        }
    }

    fn states(&self) -> Vec<SourceState> {
        let state = |(ssrc, source): (&u32, &Source)| SourceState {
            ssrc: *ssrc,
            rtp: source.rtp.highest(),
            rtp_seen: source.rtp.seen(),
            rtcp: source.rtcp.highest(),
            rtcp_seen: source.rtcp.seen(),
        };
        self.by_ssrc.iter().map(state).collect()
    }

    fn restore(&mut self, state: &State) {
        for it in &state.sources {
            let rtp = Window::restored(self.window, it.rtp, &it.rtp_seen);
            let rtcp = Window::restored(self.window, it.rtcp, &it.rtcp_seen);
            self.by_ssrc.insert(it.ssrc, Source { rtp, rtcp, resumed: true });
        }
    }
}

fn place(source: Option<&Source>, sequence: u16) -> Place {
    source.map_or(Place::Free(sequence.into()), |source| source.rtp.place(sequence))
}

/// Takes in what the peer protected. State is made and changed by authentic packets alone (SRTP-02, SRTP-10).
pub struct Inbound {
    transforms: Transforms,
    sources: Sources,
    expected: HashMap<u32, i64>,
}

impl Inbound {
    /// What is received with these keys.
    pub fn new(keys: Keys) -> Result<Self, KeysError> {
        keys.check()?;
        let sources = Sources::new(keys.window);
        Ok(Self { transforms: Transforms::new(keys), sources, expected: HashMap::new() })
    }

    /// Whether a packet of that SSRC, RTP or RTCP, was taken in.
    pub fn knows(&self, ssrc: u32) -> bool {
        self.sources.by_ssrc.contains_key(&ssrc)
    }

    /// Make the RTP packet inside of a protected one. A refused one is as it was.
    pub fn rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        if packet.len() < self.transforms.rtp(0).shortest() {
            return Err(Refused::Forged);
        }
        let (sequence, ssrc) = (header::sequence(packet), header::ssrc(packet));
        let source = self.sources.find(ssrc)?;
        let index = match place(source, sequence) {
            Place::Free(index) if index < RTP_LIFETIME => index,
            // nothing is from before the first cycle: a sender that jumps back over 0 has not counted one
            Place::Early => sequence.into(),
            _ => return Err(Refused::Replayed),
        };
        let is_new = source.is_none_or(|source| source.rtp.highest() < 0);
        let index = if self.transforms.rtp(index).open(packet, ssrc, index) {
            index
        } else {
            let expected = if is_new { self.expected_index(ssrc, sequence) } else { None };
            match expected {
                Some(index) if self.transforms.rtp(index).open(packet, ssrc, index) => index,
                _ => return Err(Refused::Forged),
            }
        };
        self.sources.of(ssrc).rtp.take(index);
        Ok(())
    }

    /// Make the RTCP packet inside of a protected one. A refused one is as it was.
    pub fn rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        let any = self.transforms.rtcp(0);
        if packet.len() < any.shortest() {
            return Err(Refused::Forged);
        }
        let ssrc = header::rtcp_ssrc(packet);
        let word = header::word(packet, packet.len() - any.word_at());
        if word & E_BIT == 0 && self.transforms.keys().rtcp_encrypted {
            return Err(Refused::Forged);
        }
        let index = u64::from(word & !E_BIT);
        if self.sources.find(ssrc)?.is_some_and(|source| source.rtcp.used(index)) {
            return Err(Refused::Replayed);
        }
        if !self.transforms.rtcp(word).open(packet, ssrc, word) {
            return Err(Refused::Forged);
        }
        self.sources.of(ssrc).rtcp.take(index);
        Ok(())
    }

    /// After a rekey: the peer may keep the rollover counters that it had with its old key (SRTP-07).
    ///
    /// The first packet of each of those sources is tried with a counter of 0, then with the one that `state`, of the
    /// old context, leads to. What authenticates decides.
    pub fn expect(&mut self, state: &State) {
        self.expected = state.sources.iter().filter(|it| it.rtp >= 0).map(|it| (it.ssrc, it.rtp)).collect();
    }

    /// To be written down, and read back by `restore` of a context with the same keys.
    pub fn state(&self) -> State {
        State { sources: self.sources.states(), ..State::default() }
    }

    /// Go on from that state; what was received after it was written down could be replayed.
    pub fn restore(&mut self, state: &State) {
        self.sources.restore(state);
    }

    /// Where the old key would have put the packet; None when there is nothing to try.
    fn expected_index(&self, ssrc: u32, sequence: u16) -> Option<u64> {
        let index = estimate(*self.expected.get(&ssrc)?, sequence);
        (CYCLE..RTP_LIFETIME as i64).contains(&index).then_some(index as u64)
    }
}

/// Protects what we send. No index is used twice for one SSRC (SRTP-05).
pub struct Outbound {
    transforms: Transforms,
    sources: Sources,
    lifetime: u64,
    rtp_packets: u64,
    rtcp_packets: u64,
    rtcp_start: i64,
    restored: bool,
}

impl Outbound {
    /// `lifetime` is how many packets of each kind the key may protect (`2^n` of RFC 4568 §6.1).
    pub fn new(keys: Keys, lifetime: u64) -> Result<Self, KeysError> {
        keys.check()?;
        let sources = Sources::new(keys.window);
        Ok(Self {
            transforms: Transforms::new(keys),
            sources,
            lifetime: lifetime.min(RTP_LIFETIME),
            rtp_packets: 0,
            rtcp_packets: 0,
            rtcp_start: 0,
            restored: false,
        })
    }

    /// Packets that the key may still protect: of RTP or of RTCP, whichever will be exhausted first.
    pub fn left(&self) -> u64 {
        (self.lifetime - self.rtp_packets).min(self.rtcp_lifetime() - self.rtcp_packets)
    }

    /// Protect an RTP packet where it lies. A refused one is as it was.
    pub fn rtp(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        if packet.len() < RTP_FIXED {
            return Err(Refused::Forged);
        }
        if self.rtp_packets >= self.lifetime {
            return Err(Refused::Exhausted);
        }
        let (sequence, ssrc) = (header::sequence(packet), header::ssrc(packet));
        let index = match place(self.sources.find(ssrc)?, sequence) {
            Place::Free(index) if index < RTP_LIFETIME => index,
            _ => return Err(Refused::Replayed),
        };
        if !self.transforms.rtp(index).seal(packet, ssrc, index) {
            return Err(Refused::Forged);
        }
        let restored = self.restored;
        let source = self.sources.of(ssrc);
        source.rtp.take(index);
        if restored && source.resumed {
            source.rtp.close();
        }
        source.resumed = false;
        self.rtp_packets += 1;
        Ok(())
    }

    /// Protect an RTCP packet where it lies, under the next index of its SSRC: 1, 2, 3 … (SRTP-08).
    pub fn rtcp(&mut self, packet: &mut Vec<u8>) -> Result<(), Refused> {
        if packet.len() < RTCP_FIXED {
            return Err(Refused::Forged);
        }
        let ssrc = header::rtcp_ssrc(packet);
        let highest = self.sources.find(ssrc)?.map_or(-1, |source| source.rtcp.highest());
        let index = (highest.max(self.rtcp_start) + 1) as u64;
        if self.rtcp_packets >= self.rtcp_lifetime() || index >= RTCP_LIFETIME {
            return Err(Refused::Exhausted);
        }
        self.transforms.rtcp(index as u32).seal(packet, ssrc, index as u32);
        self.sources.of(ssrc).rtcp.take(index);
        self.rtcp_packets += 1;
        Ok(())
    }

    /// To be written down, and read back by `restore`.
    pub fn state(&self) -> State {
        State {
            sources: self.sources.states(),
            rtp_packets: self.rtp_packets,
            rtcp_packets: self.rtcp_packets,
            rtcp_start: self.rtcp_start,
        }
    }

    /// Go on from that state with the same key. It may be older than what was sent last, by less than half a cycle.
    ///
    /// So the RTCP indices move on by `RESTORED_AHEAD`, and of each source all before its first RTP packet counts as
    /// sent: the sources themselves went on meanwhile.
    pub fn restore(&mut self, state: &State) {
        self.sources.restore(state);
        (self.rtp_packets, self.rtcp_packets) = (state.rtp_packets, state.rtcp_packets);
        let newest = state.sources.iter().map(|it| it.rtcp).max().unwrap_or(-1);
        self.rtcp_start = state.rtcp_start.max(newest) + RESTORED_AHEAD;
        self.restored = true;
        for source in self.sources.by_ssrc.values_mut() {
            source.resumed = true;
            source.rtp.close();
        }
    }

    /// After a rekey: go on with the rollover counters and RTCP indices of the old key (RFC 3711 §3.3.1, §3.4).
    ///
    /// Without it they start anew, as SDES wants it when our address changed (SRTP-06).
    pub fn follow(&mut self, state: &State) {
        self.sources.restore(state);
        self.rtcp_start = state.rtcp_start;
    }

    fn rtcp_lifetime(&self) -> u64 {
        self.lifetime.min(RTCP_LIFETIME)
    }
}
