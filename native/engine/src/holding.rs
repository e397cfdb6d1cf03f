//! What waits at a port for its receive keys (MBX-06, MBX-09), and the SSRCs that are not worth trying (TIM-05).

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::net::{IpAddr, SocketAddr};

use crate::plan::{HELD_ADDRESSES, HELD_OCTETS, HELD_PACKETS, HELD_SECONDS, HELD_SOURCES};

/// What is kept together: an SSRC, or `RTCP_RING`.
pub type Ring = Option<u32>;
/// Stands for the SSRC of RTCP packets.
pub const RTCP_RING: Ring = None;

/// A datagram that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// When it came. Seconds.
    pub at: f64,
    /// Its SSRC.
    pub ring: Ring,
    /// As it came.
    pub data: Vec<u8>,
    /// Who sent it.
    pub source: SocketAddr,
}

/// What one address has of the room.
#[derive(Debug)]
struct Share {
    address: IpAddr,
    /// By SSRC the numbers of its datagrams, the oldest first.
    rings: Vec<(Ring, VecDeque<u64>)>,
    packets: usize,
    octets: usize,
}

impl Share {
    fn new(address: IpAddr) -> Self {
        Self { address, rings: Vec::new(), packets: 0, octets: 0 }
    }

    /// The numbers of an SSRC; `None` when there is no room for one more.
    fn ring(&mut self, sought: Ring) -> Option<&mut VecDeque<u64>> {
        let position = match self.rings.iter().position(|(ring, _)| *ring == sought) {
            Some(position) => position,
            None => {
                let ssrcs = self.rings.iter().filter(|(ring, _)| *ring != RTCP_RING).count();
                if sought != RTCP_RING && ssrcs >= HELD_SOURCES {
                    return None;
                }
                self.rings.push((sought, VecDeque::new()));
                self.rings.len() - 1
            }
        };
        Some(&mut self.rings[position].1)
    }

    /// The number of its oldest datagram.
    fn oldest(&self) -> Option<u64> {
        self.rings.iter().filter_map(|(_, numbers)| numbers.front().copied()).min()
    }
}

/// The newest datagrams of some SSRCs, for a short time; as they came, so that nothing readable is kept.
///
/// Anybody may send here, so each address has a share of its own: a flood displaces the flood.
#[derive(Debug, Default)]
pub struct Holding {
    /// By number: in the order in which they came.
    held: BTreeMap<u64, Held>,
    number: u64,
    octets: usize,
    /// In order of appearance.
    shares: Vec<Share>,
}

impl Holding {
    /// Keep a datagram, of RTCP as of `RTCP_RING`: how many were given up for it, or 1 when there is no room.
    pub fn keep(&mut self, ring: Ring, data: &[u8], source: SocketAddr, now: f64) -> u64 {
        let mut lost = self.expire(now);
        let at = match self.shares.iter().position(|share| share.address == source.ip()) {
            Some(at) => at,
            None => {
                lost += self.make_room();
                self.shares.push(Share::new(source.ip()));
                self.shares.len() - 1
            }
        };
        let share = &mut self.shares[at];
        let Some(numbers) = share.ring(ring) else { return lost + 1 };
        self.number += 1;
        numbers.push_back(self.number);
        let displaced = if numbers.len() > HELD_PACKETS { numbers.front().copied() } else { None };
        share.packets += 1;
        share.octets += data.len();
        self.octets += data.len();
        self.held.insert(self.number, Held { at: now, ring, data: data.to_vec(), source });
        if let Some(number) = displaced {
            lost += self.drop(number);
        }
        while self.octets > HELD_OCTETS {
            let heaviest = self.shares.iter().min_by_key(|share| Reverse(share.octets));
            let Some(number) = heaviest.and_then(Share::oldest) else { break };
            lost += self.drop(number);
        }
        lost
    }

    /// Give up the address with the fewest datagrams if there are too many: how many it had.
    fn make_room(&mut self) -> u64 {
        if self.shares.len() < HELD_ADDRESSES {
            return 0;
        }
        let Some(least) = self.shares.iter().min_by_key(|share| share.packets) else { return 0 };
        let numbers: Vec<u64> = least.rings.iter().flat_map(|(_, numbers)| numbers.iter().copied()).collect();
        numbers.into_iter().map(|number| self.drop(number)).sum()
    }

    /// Give up the oldest datagram of a ring: how many that was.
    fn drop(&mut self, number: u64) -> u64 {
        let Some(held) = self.held.remove(&number) else { return 0 };
        self.octets -= held.data.len();
        if let Some(at) = self.shares.iter().position(|share| share.address == held.source.ip()) {
            let share = &mut self.shares[at];
            share.packets -= 1;
            share.octets -= held.data.len();
            if let Some(ring) = share.rings.iter().position(|(ring, _)| *ring == held.ring) {
                share.rings[ring].1.pop_front();
                if share.rings[ring].1.is_empty() {
                    share.rings.remove(ring);
                }
            }
            if share.rings.is_empty() {
                self.shares.remove(at);
            }
        }
        1
    }

    /// Give up what waited too long: how many.
    pub fn expire(&mut self, now: f64) -> u64 {
        let mut lost = 0;
        while let Some((&number, held)) = self.held.first_key_value() {
            if now - held.at <= HELD_SECONDS {
                break;
            }
            lost += self.drop(number);
        }
        lost
    }

    /// Everything, in the order in which it came. Nothing waits afterwards.
    pub fn release(&mut self) -> Vec<Held> {
        self.shares.clear();
        self.octets = 0;
        mem::take(&mut self.held).into_values().collect()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

/// For so many seconds an SSRC that keeps failing is not tried (TIM-05).
pub const IGNORED_SECONDS: f64 = 15.0;
/// So many failures in a row, and one packet in so many is tried all the same: nobody is locked out by another who
/// sends with his SSRC.
pub const FAILURES: u64 = 16;
/// Marks.
pub const MAX_FAILING: usize = 64;

#[derive(Debug)]
struct Failure {
    source: SocketAddr,
    ssrc: u32,
    times: u64,
    since: f64,
}

/// SSRCs that failed to authenticate with every key, each with who sent it. The oldest gives way.
#[derive(Debug, Default)]
pub struct Failing {
    marks: VecDeque<Failure>,
}

impl Failing {
    /// Whether a packet is not worth trying. It is counted as one more failure.
    pub fn ignores(&mut self, source: SocketAddr, ssrc: u32, now: f64) -> bool {
        let Some(at) = self.position(source, ssrc) else { return false };
        let mark = &mut self.marks[at];
        if now - mark.since > IGNORED_SECONDS {
            self.marks.remove(at);
            return false;
        }
        if mark.times < FAILURES || mark.times % FAILURES == 0 {
            return false;
        }
        mark.times += 1;
        true
    }

    /// Take in that a packet was tried in vain.
    pub fn failed(&mut self, source: SocketAddr, ssrc: u32, now: f64) {
        if let Some(at) = self.position(source, ssrc) {
            self.marks[at].times += 1;
            return;
        }
        if self.marks.len() >= MAX_FAILING {
            self.marks.pop_front();
        }
        self.marks.push_back(Failure { source, ssrc, times: 1, since: now });
    }

    fn position(&self, source: SocketAddr, ssrc: u32) -> Option<usize> {
        self.marks.iter().position(|mark| mark.ssrc == ssrc && mark.source == source)
    }

    /// Try everything again: there are other keys.
    pub fn clear(&mut self) {
        self.marks.clear();
    }
}
