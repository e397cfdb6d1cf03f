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
        if mark.times < FAILURES || mark.times.is_multiple_of(FAILURES) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Rng;

    const PHONE: SocketAddr = endpoint(1, 4000);
    const STRANGER: SocketAddr = endpoint(66, 6666);

    const fn endpoint(last: u8, port: u16) -> SocketAddr {
        SocketAddr::new(IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, last)), port)
    }

    fn sender(number: usize) -> SocketAddr {
        SocketAddr::new(IpAddr::V6((1 << 120 | number as u128).into()), 1)
    }

    fn from_phone(holding: &mut Holding) -> usize {
        holding.release().iter().filter(|held| held.source == PHONE).count()
    }

    #[test]
    fn reports_have_a_ring_of_their_own() {
        let mut holding = Holding::default();
        for ssrc in 0..HELD_SOURCES as u32 {
            assert_eq!(holding.keep(Some(ssrc), b"rtp", PHONE, 0.0), 0);
        }
        assert_eq!(holding.keep(Some(99), b"rtp", PHONE, 0.0), 1);
        assert_eq!(holding.keep(RTCP_RING, b"rtcp", PHONE, 0.0), 0);
        assert_eq!(holding.keep(Some(99), b"late", PHONE, HELD_SECONDS + 0.1), HELD_SOURCES as u64 + 1);
        assert_eq!(holding.release().iter().map(|held| &held.data[..]).collect::<Vec<_>>(), [b"late"]);
        assert!(holding.is_empty());
    }

    #[test]
    fn the_newest_of_each_ssrc_stay_in_order_mbx_06() {
        let mut holding = Holding::default();
        let lost: u64 = (0..200).map(|number| holding.keep(Some(number % 2), &[number as u8], PHONE, 0.0)).sum();
        assert_eq!(lost, 200 - 2 * HELD_PACKETS as u64);
        let left: Vec<u8> = holding.release().iter().map(|held| held.data[0]).collect();
        assert_eq!(left, (200 - 2 * HELD_PACKETS as u8..200).collect::<Vec<_>>());
    }

    #[test]
    fn it_lasts_a_second_mbx_06() {
        let mut holding = Holding::default();
        holding.keep(Some(1), b"a", PHONE, 0.0);
        holding.keep(Some(1), b"b", PHONE, 0.5);
        assert_eq!(holding.expire(HELD_SECONDS), 0);
        assert_eq!(holding.expire(HELD_SECONDS + 0.1), 1);
        assert_eq!((holding.len(), holding.expire(HELD_SECONDS + 0.6), holding.len()), (1, 1, 0));
        assert_eq!((holding.octets, holding.shares.len()), (0, 0));
    }

    #[test]
    fn strangers_that_are_first_do_not_keep_the_phone_out_mbx_09() {
        let mut holding = Holding::default();
        for number in 0..4 * HELD_ADDRESSES {
            holding.keep(Some(1), b"flood", sender(number), 0.0);
        }
        for _ in 0..10 {
            holding.keep(Some(1), b"media", PHONE, 0.0);
        }
        assert_eq!(from_phone(&mut holding), 10);
    }

    #[test]
    fn octets_are_bounded_and_those_who_send_the_most_lose_theirs_s06() {
        let (mut holding, mut lost) = (Holding::default(), 0);
        for number in 0..HELD_PACKETS {
            let now = 0.01 * number as f64;
            lost += holding.keep(Some(1), &[0; 200], PHONE, now);
            for ssrc in 0..8 {
                lost += holding.keep(Some(ssrc), &[0; 65_000], STRANGER, now);
            }
            assert_eq!(holding.held.values().map(|held| held.data.len()).sum::<usize>(), holding.octets);
            assert!(holding.octets <= HELD_OCTETS);
        }
        assert_eq!(lost, (9 * HELD_PACKETS - holding.len()) as u64);
        assert_eq!(from_phone(&mut holding), HELD_PACKETS);
    }

    #[test]
    fn ever_new_senders_displace_no_steady_one_and_let_it_begin_s06() {
        for rate in [10, 1000] {
            let mut holding = Holding::default();
            for number in 1..=5 * rate {
                let now = number as f64 / rate as f64;
                holding.keep(Some(number as u32), &[0; 200], sender(number), now);
                assert!(holding.shares.len() <= HELD_ADDRESSES);
                if now > 2.0 && number * 50 / rate != (number - 1) * 50 / rate {
                    holding.keep(Some(7), &[0; 200], PHONE, now);
                }
            }
            assert!(from_phone(&mut holding) >= rate.min(50) - 1, "{rate}");
        }
    }

    #[test]
    fn nothing_is_left_of_what_was_given_up() {
        let mut holding = Holding::default();
        for number in 0..1000 {
            holding.keep(Some(number as u32 % 3), &vec![0; number], sender(number % 100), 0.0);
        }
        assert!(holding.expire(HELD_SECONDS + 0.1) > 0);
        assert_eq!((holding.len(), holding.octets, holding.shares.len()), (0, 0, 0));
    }

    #[test]
    fn whatever_comes_is_held_lost_or_released_once() {
        for seed in 0..300 {
            let (mut rng, mut holding, mut now, mut lost, mut came) = (Rng::new(seed), Holding::default(), 0.0, 0, 0);
            let long = rng.one_in(3);
            for _ in 0..600 {
                now += rng.below(10) as f64 / 200.0 / if long { 20.0 } else { 1.0 };
                let (many, few, ssrc) = (sender(rng.below(200)), sender(rng.below(3)), rng.below(6) as u32);
                let source = rng.pick(&[PHONE, STRANGER, many, few]);
                let ring = rng.pick(&[RTCP_RING, Some(ssrc)]);
                let size = if long { rng.below(9000) } else { rng.below(300) };
                lost += holding.keep(ring, &vec![0; size], source, now);
                came += 1;
                assert_eq!(lost + holding.len() as u64, came, "{seed}");
                assert!(holding.octets <= HELD_OCTETS && holding.shares.len() <= HELD_ADDRESSES);
                let shared: usize = holding.shares.iter().map(|share| share.octets).sum();
                let packets: usize = holding.shares.iter().map(|share| share.packets).sum();
                assert_eq!((shared, packets), (holding.octets, holding.len()));
            }
            let released = holding.release();
            assert!(released.is_sorted_by_key(|held| held.at));
            assert_eq!(lost + released.len() as u64, came);
        }
    }

    #[test]
    fn an_ssrc_that_keeps_failing_is_tried_now_and_then_only_tim_05() {
        let (mut failing, mut tried) = (Failing::default(), 0);
        for number in 0..10 * FAILURES {
            if !failing.ignores(PHONE, 7, 0.001 * number as f64) {
                failing.failed(PHONE, 7, 0.001 * number as f64);
                tried += 1;
            }
        }
        assert_eq!(tried, FAILURES + 9);
        assert!(!failing.ignores(PHONE, 8, 1.0));
        assert!(!failing.ignores(STRANGER, 7, 1.0));
    }

    #[test]
    fn it_is_tried_again_after_a_while() {
        let mut failing = Failing::default();
        (0..=FAILURES).for_each(|_| failing.failed(PHONE, 7, 0.0));
        assert!(failing.ignores(PHONE, 7, IGNORED_SECONDS));
        assert!(!failing.ignores(PHONE, 7, IGNORED_SECONDS + 0.1));
        failing.failed(PHONE, 7, IGNORED_SECONDS + 0.1);
        assert!(!failing.ignores(PHONE, 7, IGNORED_SECONDS + 0.1));
    }

    #[test]
    fn the_list_is_short_and_other_keys_clear_it() {
        let mut failing = Failing::default();
        for ssrc in 0..=MAX_FAILING as u32 {
            (0..=FAILURES).for_each(|_| failing.failed(PHONE, ssrc, 0.0));
        }
        assert_eq!(failing.marks.len(), MAX_FAILING);
        assert_eq!([0, 1].map(|ssrc| failing.ignores(PHONE, ssrc, 0.0)), [false, true]);
        failing.clear();
        assert!(!failing.ignores(PHONE, 1, 0.0));
    }
}
