//! Where the peer of a socket really is, and from whom its packets are accepted (ng-protocol.md §5.1, §5.2).
//!
//! The rules are those of `plan::Latch` and `plan::Learning`. With `Latch::sources` there is nothing to find out: the
//! peer is where the plan says.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::SocketAddr;

use crate::plan::{LEARNING_WINDOW, Latch, Learning};

/// Worse than all ranks of heuristic learning.
const NO_RANK: u8 = 4;
/// Sets up to here are looked through: that is faster than hashing.
const FEW: usize = 4;

/// What becomes of a packet because of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Accepted,
    /// It goes on, and something was learned.
    Learned,
    /// Dropped: not plausible.
    Stranger,
    /// Dropped: plausible, but not the peer (`strict-source`).
    Refused,
}

/// The state of learning at one socket.
#[derive(Debug)]
pub struct Latching {
    latch: Latch,
    /// When the first packet confirms its source (delayed, heuristic). Seconds.
    closes: f64,
    rank: u8,
    /// Where the plan says that the peer is; `None` when it cannot be sent to.
    pub signalled: Option<SocketAddr>,
    /// The source that counts as the peer.
    pub learned: Option<SocketAddr>,
    /// Learning is over.
    pub confirmed: bool,
}

impl Latching {
    /// Nothing is learned yet.
    pub fn new(signalled: Option<SocketAddr>, latch: Latch, now: f64) -> Self {
        let mut latching = Self { latch, closes: 0.0, rank: NO_RANK, signalled: None, learned: None, confirmed: false };
        latching.restart(signalled, now);
        latching
    }

    /// Where packets to the peer go.
    pub fn destination(&self) -> Option<SocketAddr> {
        if self.latch.asymmetric { self.signalled } else { self.learned.or(self.signalled) }
    }

    /// Obey another latch: learning starts anew if its generation or the signalled endpoint changed.
    pub fn restate(&mut self, signalled: Option<SocketAddr>, latch: Latch, now: f64) {
        let vouched = latch.sources.is_none() != self.latch.sources.is_none();
        let anew = latch.generation != self.latch.generation || signalled != self.signalled || vouched;
        self.latch = latch;
        if anew || self.learned.is_some_and(|peer| !self.admits(peer)) {
            self.restart(signalled, now);
        }
    }

    /// Begin to learn. The old peer stays the destination if it may still be the peer.
    fn restart(&mut self, signalled: Option<SocketAddr>, now: f64) {
        let off = self.latch.learning == Learning::Off || self.latch.sources.is_some();
        let same = signalled.is_some() && signalled == self.signalled;
        self.signalled = signalled;
        if off || !same || self.learned.is_some_and(|peer| !self.admits(peer)) {
            self.learned = None;
        }
        self.closes = now + LEARNING_WINDOW;
        self.rank = NO_RANK;
        self.confirmed = off && signalled.is_some();
    }

    /// What becomes of a packet because of its source alone: not `Learned`, and nothing is learned.
    ///
    /// What has to authenticate first is checked so before, and judged afterwards (MBX-04).
    pub fn check(&self, source: SocketAddr) -> Verdict {
        if !self.is_plausible(source) {
            return Verdict::Stranger;
        }
        let Some(signalled) = self.signalled else { return Verdict::Accepted };
        if self.latch.sources.is_some() || !self.latch.strict {
            return Verdict::Accepted;
        }
        if self.confirmed {
            return if self.is_peer(source) || self.hands_over() { Verdict::Accepted } else { Verdict::Refused };
        }
        if self.rank_of(source, signalled) > self.rank { Verdict::Refused } else { Verdict::Accepted }
    }

    /// What becomes of a packet from that source. `teaches`: it is of the kind that peers are learned from.
    pub fn judge(&mut self, source: SocketAddr, teaches: bool, now: f64) -> Verdict {
        match self.check(source) {
            Verdict::Accepted if teaches => {}
            verdict => return verdict,
        }
        let Some(signalled) = self.signalled else { return Verdict::Accepted };
        if self.latch.sources.is_some() {
            return Verdict::Accepted;
        }
        if !self.confirmed {
            return self.learn(source, self.rank_of(source, signalled), now);
        }
        if self.is_peer(source) || !self.hands_over() {
            return Verdict::Accepted;
        }
        self.learned = Some(source);
        Verdict::Learned
    }

    /// Whether the verdict on this source, which was accepted, stays as it is until `restate` or `Learned`.
    pub fn is_settled(&self, source: SocketAddr) -> bool {
        if self.signalled.is_none() || self.latch.sources.is_some() {
            return true;
        }
        self.confirmed && (Some(source) == self.learned || !self.latch.handover)
    }

    /// Whether packets of this source are accepted at all.
    #[inline]
    pub fn is_plausible(&self, source: SocketAddr) -> bool {
        // what was learned was plausible, and is forgotten when it is not any more
        Some(source) == self.learned || self.admits(source)
    }

    fn admits(&self, source: SocketAddr) -> bool {
        match (&self.latch.sources, &self.latch.plausible) {
            (Some(sources), _) => has(sources, source),
            (None, None) => true,
            (None, Some(plausible)) => {
                self.signalled.is_some_and(|endpoint| endpoint.ip() == source.ip()) || has(plausible, source.ip())
            }
        }
    }

    /// After confirmation.
    fn is_peer(&self, source: SocketAddr) -> bool {
        Some(source) == if self.latch.learning == Learning::Off { self.signalled } else { self.learned }
    }

    /// After confirmation.
    fn hands_over(&self) -> bool {
        self.latch.handover && self.latch.learning != Learning::Off
    }

    /// Before confirmation.
    fn learn(&mut self, source: SocketAddr, rank: u8, now: f64) -> Verdict {
        let heuristic = self.latch.learning == Learning::Heuristic;
        let over = now >= self.closes;
        let confirms = over || self.latch.learning == Learning::Immediate || (heuristic && rank == 0);
        let fits = rank < self.rank || (rank == self.rank && !over) || !heuristic;
        let before = self.learned;
        if fits || before.is_none() {
            self.learned = Some(source);
            self.rank = rank;
        }
        self.confirmed = confirms;
        if confirms || self.learned != before { Verdict::Learned } else { Verdict::Accepted }
    }

    /// How much of the signalled endpoint a source shares (`Learning::Heuristic`); 0 where that does not matter.
    fn rank_of(&self, source: SocketAddr, signalled: SocketAddr) -> u8 {
        if self.latch.learning != Learning::Heuristic {
            return 0;
        }
        match (source.ip() == signalled.ip(), source.port() == signalled.port()) {
            (true, true) => 0,
            (true, false) => 1,
            (false, true) => 2,
            (false, false) => 3,
        }
    }
}

fn has<T: Eq + Hash>(set: &HashSet<T>, sought: T) -> bool {
    if set.len() <= FEW { set.iter().any(|item| *item == sought) } else { set.contains(&sought) }
}
