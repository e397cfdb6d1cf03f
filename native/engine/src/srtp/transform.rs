//! One packet there and back: what the suites have in common, and which of them does it.

use std::collections::VecDeque;

use super::aead::{AeadRtcp, AeadRtp};
use super::counter::{CounterRtcp, CounterRtp};
use super::header::{E_BIT, WORD};
use super::kdf::{Label, session_keys};
use super::keys::Keys;
use super::suite::Cipher;

/// Octets that protection adds to a packet at most: tag, word with the index, and the longest MKI.
pub const MAX_TRAILER: usize = 16 + WORD + 128;

/// Session keys that are kept while they change (`Keys::kdr`): packets come out of order, of several sources.
const DERIVED: usize = 8;

/// RTP with the session keys of one direction. It keeps no state of the packets.
pub enum RtpTransform {
    Counter(Box<CounterRtp>),
    Aead(Box<AeadRtp>),
}

impl RtpTransform {
    fn new(keys: &Keys, rate_index: u64) -> Self {
        let session = session_keys(keys, Label::Rtp, rate_index);
        match keys.suite.cipher {
            Cipher::AesGcm => Self::Aead(Box::new(AeadRtp::new(keys, &session))),
            Cipher::AesCm | Cipher::Null => Self::Counter(Box::new(CounterRtp::new(keys, &session))),
        }
    }

    /// Octets of a protected packet with an empty payload.
    pub fn shortest(&self) -> usize {
        match self {
            Self::Counter(it) => it.shortest(),
            Self::Aead(it) => it.shortest(),
        }
    }

    /// Protect a packet where it lies, under its 48-bit index. False when its header is not complete.
    pub fn seal(&self, packet: &mut Vec<u8>, ssrc: u32, index: u64) -> bool {
        match self {
            Self::Counter(it) => it.seal(packet, ssrc, index),
            Self::Aead(it) => it.seal(packet, ssrc, index),
        }
    }

    /// Undo `seal`. False when the packet is not authentic or not complete: it is as it was then.
    pub fn open(&self, packet: &mut Vec<u8>, ssrc: u32, index: u64) -> bool {
        match self {
            Self::Counter(it) => it.open(packet, ssrc, index),
            Self::Aead(it) => it.open(packet, ssrc, index),
        }
    }
}

/// RTCP with the session keys of one direction. It keeps no state of the packets.
pub enum RtcpTransform {
    Counter(Box<CounterRtcp>),
    Aead(Box<AeadRtcp>),
}

impl RtcpTransform {
    fn new(keys: &Keys, rate_index: u64) -> Self {
        let session = session_keys(keys, Label::Rtcp, rate_index);
        match keys.suite.cipher {
            Cipher::AesGcm => Self::Aead(Box::new(AeadRtcp::new(keys, &session))),
            Cipher::AesCm | Cipher::Null => Self::Counter(Box::new(CounterRtcp::new(keys, &session))),
        }
    }

    /// Octets of a protected packet with an empty payload.
    pub fn shortest(&self) -> usize {
        match self {
            Self::Counter(it) => it.shortest(),
            Self::Aead(it) => it.shortest(),
        }
    }

    /// Where the word with E bit and index begins, counted from the end of a protected packet.
    pub fn word_at(&self) -> usize {
        match self {
            Self::Counter(it) => it.word_at(),
            Self::Aead(it) => it.word_at(),
        }
    }

    /// Protect a packet where it lies, under its 31-bit index.
    pub fn seal(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) {
        match self {
            Self::Counter(it) => it.seal(packet, ssrc, index),
            Self::Aead(it) => it.seal(packet, ssrc, index),
        }
    }

    /// Undo `seal`; `word` is the one of `word_at`. False when it is not authentic: it is as it was then.
    pub fn open(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) -> bool {
        match self {
            Self::Counter(it) => it.open(packet, ssrc, word),
            Self::Aead(it) => it.open(packet, ssrc, word),
        }
    }
}

/// The transforms of a key: one of each kind, or with a key derivation rate the newest few (SRTP-12).
pub struct Transforms {
    keys: Keys,
    rtp: VecDeque<(u64, RtpTransform)>,
    rtcp: VecDeque<(u64, RtcpTransform)>,
}

impl Transforms {
    /// The transforms of these keys.
    pub fn new(keys: Keys) -> Self {
        let rtp = VecDeque::from([(0, RtpTransform::new(&keys, 0))]);
        let rtcp = VecDeque::from([(0, RtcpTransform::new(&keys, 0))]);
        Self { keys, rtp, rtcp }
    }

    /// The keys that they are made of.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// That of an RTP packet with this index.
    pub fn rtp(&mut self, index: u64) -> &RtpTransform {
        derived(&mut self.rtp, rate_index(&self.keys, index), |at| RtpTransform::new(&self.keys, at))
    }

    /// That of an RTCP packet with this index, or word.
    pub fn rtcp(&mut self, word: u32) -> &RtcpTransform {
        let at = rate_index(&self.keys, (word & !E_BIT).into());
        derived(&mut self.rtcp, at, |at| RtcpTransform::new(&self.keys, at))
    }
}

fn rate_index(keys: &Keys, index: u64) -> u64 {
    if keys.kdr == 0 { 0 } else { index >> keys.kdr }
}

fn derived<T>(made: &mut VecDeque<(u64, T)>, at: u64, make: impl FnOnce(u64) -> T) -> &T {
    let place = made.iter().position(|(rate_index, _)| *rate_index == at);
    let place = place.unwrap_or_else(|| {
        if made.len() == DERIVED {
            made.pop_front();
        }
        made.push_back((at, make(at)));
        made.len() - 1
    });
    &made[place].1
}
