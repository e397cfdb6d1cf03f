//! The long way of a datagram, which alone decides what becomes of it.

use std::mem;
use std::net::SocketAddr;

use super::{MAX_WAYS, Stream, Way};
use crate::filters::{Passing, passing};
use crate::gate::{MOST_UNREADABLE, is_protected};
use crate::latching::Verdict;
use crate::links::{Following, Link};
use crate::outlet::Outlet;
use crate::plan::{Carries, Socket};
use crate::report::{Event, What};
use crate::rtp::demux::{Kind, classify};
use crate::rtp::packet::{Fixed, header_length, silence};
use crate::rtp::rtcp::without_feedback;
use crate::surroundings::Surroundings;

impl Stream {
    /// The long way.
    pub(super) fn receive_long(
        &mut self,
        packet: &mut Vec<u8>,
        source: SocketAddr,
        around: &mut Surroundings<impl Outlet>,
    ) {
        let Some(planned) = &self.planned else { return };
        let mut kind = Kind::Unknown;
        if !planned.socket.relay_only {
            kind = classify(packet);
            match kind {
                Kind::Stun | Kind::Dtls | Kind::Turn => return self.punt(packet, source, around),
                Kind::Unknown => return self.drop(source, around),
                Kind::Rtp if header_length(packet) > packet.len() => return self.drop(source, around),
                _ => {}
            }
        }
        let (arrived, verdict) = (packet.len(), planned.latching.check(source));
        let accepted = verdict == Verdict::Accepted;
        if let Some(gate) = self.gate.as_deref_mut().filter(|_| self.secured) {
            let fits = accepted || planned.socket.signalled.is_none();
            if gate.waits() && is_protected(kind) && gate.is_held(source, fits) {
                return gate.keep(packet, kind, source, around.now);
            }
            if accepted && !gate.open(packet, kind, source, around.now) {
                if is_protected(kind) && gate.complains() {
                    let at = around.now;
                    self.report(What::Unreadable { source, packets: MOST_UNREADABLE, at }, around);
                }
                return;
            }
        }
        if accepted {
            self.take(packet, arrived, kind, source, around);
        } else {
            self.drop(source, around);
        }
    }

    /// Count, learn from and forward a clear packet that may come in, and had `arrived` octets when it came.
    pub(super) fn take(
        &mut self,
        packet: &mut Vec<u8>,
        arrived: usize,
        kind: Kind,
        source: SocketAddr,
        around: &mut Surroundings<impl Outlet>,
    ) {
        if self.planned.is_none() || (kind == Kind::Rtp && header_length(packet) > packet.len()) {
            self.errors_in += 1;
            return;
        }
        if let Some(contexts) = self.contexts.as_ref().filter(|_| kind == Kind::Rtcp) {
            contexts.borrow().put_back(packet, self.sender.as_ref());
        }
        let following = self.links.of(packet, kind, carried_as(kind), self.sender.as_ref());
        let mut stripped = Vec::new();
        if kind == Kind::Rtcp && self.links.followed(following).any(|link| link.route.drop_feedback) {
            match without_feedback(packet) {
                Ok(kept) => stripped = kept,
                Err(_) => return self.drop(source, around),
            }
        }
        self.accept(packet, arrived, kind, source, around);
        if kind == Kind::Rtp || self.least == 0 {
            self.shorten(packet, source, following);
        }
        self.forward(packet, kind, &stripped, following, around);
    }

    fn punt(&mut self, packet: &[u8], source: SocketAddr, around: &mut Surroundings<impl Outlet>) {
        let what = What::Punted { source, data: packet.to_vec(), at: around.now };
        if !self.report(what, around) {
            self.errors_in += 1;
        }
    }

    fn drop(&mut self, source: SocketAddr, around: &mut Surroundings<impl Outlet>) {
        self.errors_in += 1;
        if self.planned.as_ref().is_none_or(|planned| planned.latching.is_plausible(source)) {
            return;
        }
        self.strangers += 1;
        self.stranger = Some(source);
        if !self.told {
            self.told = self.report(What::Stranger { source, at: around.now }, around);
        }
    }

    fn report(&self, what: What, around: &mut Surroundings<impl Outlet>) -> bool {
        around.report(Event { call: self.call.clone(), socket: self.id, what })
    }

    /// Count a packet, and learn from it.
    fn accept(
        &mut self,
        packet: &[u8],
        arrived: usize,
        kind: Kind,
        source: SocketAddr,
        around: &mut Surroundings<impl Outlet>,
    ) {
        let Some(planned) = &mut self.planned else { return };
        let verdict = planned.latching.judge(source, teaches(&planned.socket, kind), around.now);
        self.last_packet = Some(around.now);
        match Fixed::of(packet).filter(|_| kind == Kind::Rtp) {
            Some(fixed) => self.count_rtp(fixed, arrived),
            None => {
                self.other_packets += 1;
                self.other_bytes += arrived as u64;
            }
        }
        let learned = verdict == Verdict::Learned;
        if learned {
            (self.trusted, self.vouched) = (None, None);
            self.report_peer(around);
        }
        if learned || !self.heard {
            self.heard = true;
            self.readdress(around.departures);
        }
    }

    /// Let such packets take the short way, if they are always accepted, teach nothing, and have one sink.
    fn shorten(&mut self, packet: &[u8], source: SocketAddr, following: Following) {
        let Some(place) = self.links.only(following) else { return };
        let (Some(planned), Some(link)) = (&self.planned, self.links.at(place)) else { return };
        let bundled = self.links.bundle.is_some();
        let unusual = link.route.mirror || link.changes || (bundled && link.media.is_none());
        if unusual || !planned.latching.is_settled(source) {
            return;
        }
        if !self.secured {
            if !bundled {
                (self.trusted, self.deliver) = (Some(source), place);
            }
            return;
        }
        let media = link.media;
        let (Some(gate), Some(fixed)) = (&mut self.gate, Fixed::of(packet)) else { return };
        let Some(inbound) = gate.bound_to(fixed.ssrc) else { return };
        let way = Way { ssrc: fixed.ssrc, inbound, link: place, media };
        if self.vouched != Some(source) || self.ways.len() >= MAX_WAYS {
            self.ways.clear();
        }
        self.vouched = Some(source);
        match self.ways.iter_mut().find(|known| known.ssrc == fixed.ssrc) {
            Some(known) => *known = way,
            None => self.ways.push(way),
        }
    }

    fn forward(
        &self,
        packet: &mut Vec<u8>,
        kind: Kind,
        stripped: &[u8],
        following: Following,
        around: &mut Surroundings<impl Outlet>,
    ) {
        if self.links.followed(following).any(|link| link.route.mirror) {
            let (carries, at) = (following.carries, around.now);
            self.report(What::Tapped { carries, packet: packet.clone(), at }, around);
        }
        let mut links = self.links.followed(following).peekable();
        while let Some(link) = links.next() {
            let strips = kind == Kind::Rtcp && link.route.drop_feedback;
            if strips && stripped.is_empty() {
                continue;
            }
            let spares = links.peek().is_some() && (link.protects() || link.changes);
            if strips || spares {
                let mut copy = mem::take(around.scratch);
                copy.clear();
                copy.extend_from_slice(if strips { stripped } else { packet });
                lead(link, &mut copy, kind, around);
                *around.scratch = copy;
            } else {
                lead(link, packet, kind, around);
            }
        }
    }

    fn report_peer(&self, around: &mut Surroundings<impl Outlet>) {
        let Some(latching) = self.planned.as_ref().map(|planned| &planned.latching) else { return };
        if let Some(peer) = latching.learned {
            self.report(What::Learned { peer, confirmed: latching.confirmed }, around);
        }
    }
}

/// Lead a clear packet along a route, as it passes it.
fn lead(link: &Link, packet: &mut Vec<u8>, kind: Kind, around: &mut Surroundings<impl Outlet>) {
    match Fixed::of(packet) {
        // which lets nothing out of a secured port
        _ if kind == Kind::Zrtp => return around.send(link.sink(), packet),
        Some(fixed) if kind == Kind::Rtp && link.changes => match passing(&link.route, fixed.payload_type()) {
            Passing::Whole => {}
            Passing::Silenced(octet) => silence(packet, octet),
            Passing::Dropped => return,
        },
        _ => {}
    }
    link.deliver(packet, around);
}

/// What routes datagrams of this kind follow.
fn carried_as(kind: Kind) -> Carries {
    match kind {
        Kind::Rtp | Kind::Zrtp => Carries::Rtp,
        Kind::Rtcp => Carries::Rtcp,
        _ => Carries::Any,
    }
}

/// Whether peers are learned from packets of this kind at this socket.
fn teaches(socket: &Socket, kind: Kind) -> bool {
    match kind {
        _ if socket.relay_only => true,
        Kind::Rtcp => socket.rtcp || socket.muxed,
        Kind::Rtp => !socket.rtcp,
        _ => false,
    }
}
