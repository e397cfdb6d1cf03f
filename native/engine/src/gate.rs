//! What arrives at a secured port: kept while keys are awaited, authenticated, decrypted; or dropped and counted.

use std::net::SocketAddr;
use std::rc::Rc;

use crate::contexts::Shared;
use crate::holding::{Failing, Held, Holding};
use crate::plan::Hold;
use crate::rtp::demux::Kind;
use crate::srtp::{Inbound, Refused};

/// SSRCs whose key is remembered; of more the oldest is looked for again.
pub const MAX_BOUND: usize = 64;
/// Packets of which none authenticates, before that is reported: some may be of former keys, or of somebody else.
pub const MOST_UNREADABLE: u64 = 20;

/// Whether datagrams of this kind can be protected.
pub fn is_protected(kind: Kind) -> bool {
    matches!(kind, Kind::Rtp | Kind::Rtcp)
}

/// The receiving keys of one port, and what they made of its packets.
#[derive(Default)]
pub struct Gate {
    /// Packets that are not authentic.
    pub wrong: u64,
    /// Packets that came before there were keys, and could not wait for them.
    pub unkeyed: u64,
    /// Packets that were received before, or are too old to know.
    pub replayed: u64,
    inbounds: Vec<Shared<Inbound>>,
    /// The key that each SSRC authenticated with, by its place (DMX-04).
    bound: Vec<(u32, usize)>,
    failing: Failing,
    /// Packets that failed since there are these keys.
    unreadable: u64,
    /// One did not, or it was reported.
    told: bool,
    hold: Option<Hold>,
    holding: Option<Box<Holding>>,
}

impl Gate {
    /// Take in with these from now on. What waits is forgotten when neither keys nor `hold` are left.
    pub fn restate(&mut self, inbounds: &[Shared<Inbound>], hold: Option<Hold>) {
        let same = |one: &Shared<Inbound>, other: &Shared<Inbound>| Rc::ptr_eq(one, other);
        if inbounds.len() != self.inbounds.len() || !inbounds.iter().zip(&self.inbounds).all(|(a, b)| same(a, b)) {
            let before = std::mem::replace(&mut self.inbounds, inbounds.to_vec());
            let place = |old: usize| inbounds.iter().position(|each| same(each, &before[old]));
            self.bound = self.bound.iter().filter_map(|(ssrc, old)| Some((*ssrc, place(*old)?))).collect();
            self.failing.clear();
            (self.unreadable, self.told) = (0, false);
        }
        self.hold = hold;
        if self.waits() && self.hold.is_none() {
            self.forget();
        }
    }

    /// Drop what waits.
    pub fn forget(&mut self) {
        if let Some(holding) = self.holding.take() {
            self.unkeyed += holding.len() as u64;
        }
    }

    /// Packets that were dropped because no key fits, or there was none.
    pub fn unauthenticated(&self) -> u64 {
        self.wrong + self.unkeyed
    }

    /// Whether keys are awaited.
    pub fn waits(&self) -> bool {
        self.inbounds.is_empty()
    }

    /// Whether something may wait for keys.
    pub fn holds(&self) -> bool {
        self.hold.is_some() && self.waits()
    }

    /// Whether packets from there wait for keys; `plausible`: the latch would let them pass.
    pub fn is_held(&self, source: SocketAddr, plausible: bool) -> bool {
        let Some(hold) = &self.hold else { return false };
        hold.sources.as_ref().map_or(plausible, |sources| sources.contains(&source))
    }

    /// Have an RTP or RTCP packet wait.
    pub fn keep(&mut self, data: &[u8], kind: Kind, source: SocketAddr, now: f64) {
        let ring = (kind != Kind::Rtcp).then(|| ssrc_of(data, kind));
        self.unkeyed += self.holding.get_or_insert_default().keep(ring, data, source, now);
    }

    /// Drop what waited too long.
    pub fn expire(&mut self, now: f64) {
        if let Some(holding) = &mut self.holding {
            self.unkeyed += holding.expire(now);
        }
    }

    /// What waited for the keys that are there now.
    pub fn release(&mut self, now: f64) -> Vec<Held> {
        if self.waits() {
            return Vec::new();
        }
        self.expire(now);
        self.holding.take().map_or_else(Vec::new, |mut holding| holding.release())
    }

    /// Whether it has to be reported now, once, that no packet authenticates. To be asked after one did not.
    pub fn complains(&mut self) -> bool {
        if self.waits() || self.told {
            return false;
        }
        self.unreadable += 1;
        self.told = self.unreadable >= MOST_UNREADABLE;
        self.told
    }

    /// Make a packet what it says; false when it is dropped, which is counted here: it is as it was then.
    ///
    /// Only RTP and RTCP can be protected.
    pub fn open(&mut self, packet: &mut Vec<u8>, kind: Kind, source: SocketAddr, now: f64) -> bool {
        if self.waits() {
            self.unkeyed += 1;
            return false;
        }
        if !is_protected(kind) {
            self.wrong += 1;
            return false;
        }
        let ssrc = ssrc_of(packet, kind);
        let bound = self.place_of(ssrc);
        if bound.is_none() && self.failing.ignores(source, ssrc, now) {
            self.wrong += 1;
            return false;
        }
        let mut replayed = false;
        // the key that the SSRC is bound to, then the others: its sender may have taken a new one (a re-offer)
        for place in bound.into_iter().chain((0..self.inbounds.len()).filter(|place| Some(*place) != bound)) {
            let mut inbound = self.inbounds[place].borrow_mut();
            let opened = if kind == Kind::Rtcp { inbound.rtcp(packet) } else { inbound.rtp(packet) };
            drop(inbound);
            match opened {
                Ok(()) => {
                    if Some(place) != bound {
                        self.bind(ssrc, place);
                    }
                    self.told = true;
                    return true;
                }
                Err(refused) => replayed |= refused == Refused::Replayed,
            }
        }
        if replayed {
            self.replayed += 1;
            self.told = true;
        } else {
            self.wrong += 1;
            if bound.is_none() {
                self.failing.failed(source, ssrc, now);
            }
        }
        false
    }

    /// The key that packets of an SSRC are taken in with; `None` while none has authenticated one.
    pub fn bound_to(&mut self, ssrc: u32) -> Option<Shared<Inbound>> {
        self.place_of(ssrc).map(|place| self.inbounds[place].clone())
    }

    fn place_of(&mut self, ssrc: u32) -> Option<usize> {
        if let Some((_, place)) = self.bound.iter().find(|(bound, _)| *bound == ssrc) {
            return Some(*place);
        }
        let place = self.inbounds.iter().position(|inbound| inbound.borrow().knows(ssrc))?;
        self.bind(ssrc, place);
        Some(place)
    }

    fn bind(&mut self, ssrc: u32, place: usize) {
        match self.bound.iter_mut().find(|(bound, _)| *bound == ssrc) {
            Some(found) => found.1 = place,
            None => {
                if self.bound.len() >= MAX_BOUND {
                    self.bound.remove(0);
                }
                self.bound.push((ssrc, place));
            }
        }
    }
}

/// The SSRC of an RTP packet, or of the sender of an RTCP packet; 0 where there is none.
fn ssrc_of(packet: &[u8], kind: Kind) -> u32 {
    let at = if kind == Kind::Rtcp { 4 } else { 8 };
    packet.get(at..at + 4).and_then(|octets| octets.try_into().ok()).map_or(0, u32::from_be_bytes)
}
