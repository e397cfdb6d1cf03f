//! One open port in operation: what becomes of a datagram that arrives, sentence by sentence as in
//! `ngdaemon/media/forwarder.py`.
//!
//! Most packets of a stream are alike: RTP (or bytes) from the peer that was learned, to one sink. For them there is a
//! short way: in `receive` for clear packets, in `receive_secured` for SRTP. It is taken only where the long way, which
//! alone decides, found with an earlier packet that all of this kind from this source are treated so (`shorten`); a new
//! plan or a new peer makes the way long again.

use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::bundle::Media;
use crate::contexts::{Contexts, Shared};
use crate::counting::Sources;
use crate::departure::Departure;
use crate::filters::{Passing, passing};
use crate::gate::{Gate, MOST_UNREADABLE, is_protected};
use crate::lane::{Lane, Sender, number};
use crate::latching::{Latching, Verdict};
use crate::links::{Following, Line, Link, Links};
use crate::outlet::{Outlet, Slot};
use crate::plan::{Carries, Protection, Socket, SocketId};
use crate::report::{Event, SocketCounters, What};
use crate::rtp::demux::{Kind, RTCP_FIRST, RTCP_LAST, RTP_LENGTH, classify};
use crate::rtp::packet::{EMPTY, EXTENSION_BIT, Fixed, PLAIN, VERSION, header_length, silence};
use crate::rtp::rtcp::without_feedback;
use crate::srtp::Inbound;
use crate::surroundings::Surroundings;

/// SSRCs with a short way through a secured port.
pub const MAX_WAYS: usize = 16;

/// The short way of one SSRC through a secured port.
struct Way {
    ssrc: u32,
    inbound: Shared<Inbound>,
    /// Its place among the links.
    link: usize,
    /// In a BUNDLE what the SSRC belongs to, unless a packet says otherwise.
    media: Option<Media>,
}

/// A port that faces one peer.
pub struct Stream {
    /// Whose it is.
    pub call: Arc<str>,
    /// Its number.
    pub id: SocketId,
    /// Where it is open.
    pub local: SocketAddr,
    slot: Slot,
    /// Without what the gate refused.
    pub errors_in: u64,
    strangers: u64,
    last_packet: Option<f64>,
    receivers: Vec<Shared<Inbound>>,
    /// What is sent with; `None` while keys are awaited, and for a clear port.
    pub sender: Option<Shared<Sender>>,
    contexts: Option<Shared<Contexts>>,
    planned: Option<Planned>,
    /// It is planned otherwise than when it was given its routes.
    restated: bool,
    links: Links,
    /// A packet of the peer was accepted since its endpoint was signalled.
    heard: bool,
    /// The newest one.
    stranger: Option<SocketAddr>,
    /// Control knows of a stranger of this generation.
    told: bool,
    sources: Sources,
    /// Received and not RTP; RTP is counted by its sources.
    other_packets: u64,
    other_bytes: u64,
    secured: bool,
    /// Of a port that is or was secured.
    gate: Option<Box<Gate>>,
    // the short ways
    trusted: Option<SocketAddr>,
    /// Octets of the shortest packet that may take it; 0 for anything whatever (`relay_only`).
    least: usize,
    /// The place of the link where it leads.
    deliver: usize,
    vouched: Option<SocketAddr>,
    ways: Vec<Way>,
}

/// What a plan makes of a port.
struct Planned {
    socket: Socket,
    latching: Latching,
}

impl Stream {
    /// A port that no plan has named yet.
    pub fn new(call: Arc<str>, id: SocketId, local: SocketAddr, slot: Slot) -> Self {
        Self {
            call,
            id,
            local,
            slot,
            errors_in: 0,
            strangers: 0,
            last_packet: None,
            receivers: Vec::new(),
            sender: None,
            contexts: None,
            planned: None,
            restated: false,
            links: Links::default(),
            heard: false,
            stranger: None,
            told: false,
            sources: Sources::default(),
            other_packets: 0,
            other_bytes: 0,
            secured: false,
            gate: None,
            trusted: None,
            least: RTP_LENGTH,
            deliver: 0,
            vouched: None,
            ways: Vec::new(),
        }
    }

    // arrivals

    /// Take in a datagram. It is not the same afterwards.
    pub fn receive(&mut self, packet: &mut Vec<u8>, source: SocketAddr, around: &mut Surroundings<impl Outlet>) {
        if self.trusted == Some(source) && self.is_short(packet) {
            if let Some(link) = self.links.at(self.deliver) {
                self.last_packet = Some(around.now);
                link.deliver(packet, around);
            }
        } else if self.secured {
            self.receive_secured(packet, source, around);
        } else {
            self.receive_long(packet, source, around);
        }
    }

    /// Whether a packet of the trusted source may take the short way of clear packets; it is counted then.
    fn is_short(&mut self, packet: &[u8]) -> bool {
        if self.least == 0 {
            self.other_packets += 1;
            self.other_bytes += packet.len() as u64;
            return true;
        }
        let Some(fixed) = Fixed::of(packet) else { return false };
        if !is_rtp(fixed) || (fixed.first != PLAIN && header_length(packet) > packet.len()) {
            return false;
        }
        self.count_rtp(fixed, packet.len());
        true
    }

    /// The short way of SRTP.
    fn receive_secured(&mut self, packet: &mut Vec<u8>, source: SocketAddr, around: &mut Surroundings<impl Outlet>) {
        let fixed = Fixed::of(packet).filter(|fixed| self.vouched == Some(source) && is_rtp(*fixed));
        let way = fixed.and_then(|fixed| Some((fixed, self.ways.iter().position(|way| way.ssrc == fixed.ssrc)?)));
        let Some((fixed, place)) = way else { return self.receive_long(packet, source, around) };
        let (arrived, way) = (packet.len(), &self.ways[place]);
        if way.inbound.borrow_mut().rtp(packet).is_err() {
            // another key may do; if not it is counted there
            return self.receive_long(packet, source, around);
        }
        let (link, media) = (way.link, way.media);
        if fixed.first != PLAIN && !self.is_usual(media, packet, fixed) {
            return self.take(packet, arrived, Kind::Rtp, source, around);
        }
        self.count_rtp(fixed, arrived);
        self.last_packet = Some(around.now);
        if let Some(link) = self.links.at(link) {
            link.deliver(packet, around);
        }
    }

    /// Whether a clear packet with more than the least header may go on along the short way to that media.
    fn is_usual(&mut self, media: Option<Media>, clear: &[u8], fixed: Fixed) -> bool {
        if header_length(clear) > clear.len() {
            return false;
        }
        match &mut self.links.bundle {
            Some(bundle) if fixed.first & EXTENSION_BIT != 0 => bundle.of_rtp(clear) == media,
            _ => true,
        }
    }

    /// The long way.
    fn receive_long(&mut self, packet: &mut Vec<u8>, source: SocketAddr, around: &mut Surroundings<impl Outlet>) {
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
    fn take(
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

    fn count_rtp(&mut self, fixed: Fixed, arrived: usize) {
        self.sources.of(fixed.ssrc, fixed.sequence).count(fixed.sequence, fixed.timestamp, fixed.kind, arrived);
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

    // plans

    /// Whether a plan has named it.
    pub fn is_planned(&self) -> bool {
        self.planned.is_some()
    }

    /// Whether the way from the peer to us has to be opened by packets of ours.
    pub fn pierces(&self) -> bool {
        let pierces = |planned: &Planned| planned.socket.pierce && !planned.socket.relay_only;
        !self.heard && self.planned.as_ref().is_some_and(pierces)
    }

    /// Send a packet that carries nothing.
    pub fn pierce(&self, around: &mut Surroundings<impl Outlet>) {
        if !self.secured {
            return around.send(self.slot, &EMPTY);
        }
        let mut sequence = 0;
        if let Some(sender) = &self.sender {
            let pierced = &mut sender.borrow_mut().pierced;
            sequence = *pierced;
            *pierced += 1;
        }
        let mut packet = EMPTY.to_vec();
        number(&mut packet, sequence as i64);
        Lane::new(self.id, self.slot, self.sender.clone()).rtp(&mut packet, around);
    }

    /// Whether packets may wait for keys here.
    pub fn holds(&self) -> bool {
        self.secured && self.gate.as_ref().is_some_and(|gate| gate.holds())
    }

    /// Give up what waited too long for keys.
    pub fn expire(&mut self, now: f64) {
        if let Some(gate) = &mut self.gate {
            gate.expire(now);
        }
    }

    /// Take in what waited for the keys that are there now.
    pub fn release(&mut self, around: &mut Surroundings<impl Outlet>) {
        let held = self.gate.as_mut().map_or_else(Vec::new, |gate| gate.release(around.now));
        for mut each in held {
            self.receive(&mut each.data, each.source, around);
        }
    }

    /// Be as planned from now on. `contexts` is the SRTP state of the call, for a secured port.
    pub fn restate(
        &mut self,
        socket: &Socket,
        now: f64,
        contexts: Option<Shared<Contexts>>,
        departures: &mut [Departure],
    ) {
        match &mut self.planned {
            Some(planned) if planned.socket == *socket => return,
            Some(planned) => {
                let before = planned.latching.signalled;
                planned.latching.restate(socket.signalled, socket.latch.clone(), now);
                self.heard &= planned.latching.signalled == before;
                self.told &= planned.socket.latch.generation == socket.latch.generation;
                planned.socket = socket.clone();
            }
            None => {
                let latching = Latching::new(socket.signalled, socket.latch.clone(), now);
                self.planned = Some(Planned { socket: socket.clone(), latching });
            }
        }
        self.restated = true;
        self.secure(socket.protection.as_ref(), contexts);
        self.least = if socket.relay_only { 0 } else { RTP_LENGTH };
        self.readdress(departures);
    }

    /// Protect from now on, or do not.
    fn secure(&mut self, protection: Option<&Protection>, contexts: Option<Shared<Contexts>>) {
        self.secured = protection.is_some();
        match (protection, &contexts) {
            (Some(protection), Some(contexts)) => {
                let mut contexts = contexts.borrow_mut();
                self.receivers = contexts.receivers(protection, &self.receivers);
                self.sender = contexts.sender(protection, self.sender.as_ref());
                self.gate.get_or_insert_default();
            }
            _ => {
                self.receivers.clear();
                self.sender = None;
            }
        }
        self.contexts = contexts;
        if let Some(gate) = &mut self.gate {
            gate.restate(&self.receivers, protection.and_then(|protection| protection.hold.clone()));
        }
    }

    /// Forward along these routes from now on: after `restate`. The same as before change nothing.
    pub fn link(&mut self, lines: &[Line]) {
        if mem::take(&mut self.restated) || !self.links.are_of(lines) {
            self.links = Links::new(lines, &self.links);
            self.lengthen();
        }
    }

    /// Forget the short ways.
    fn lengthen(&mut self) {
        (self.trusted, self.vouched) = (None, None);
        self.ways.clear();
    }

    /// Work out where to send to.
    fn readdress(&self, departures: &mut [Departure]) {
        let heard = |planned: &&Planned| self.heard || !planned.socket.nat_wait;
        let address = self.planned.as_ref().filter(heard).and_then(|planned| planned.latching.destination());
        departures[self.slot].direct(address, self.secured);
    }

    // counters

    /// Packets that were dropped on arrival, for whatever reason.
    fn refused(&self) -> u64 {
        self.errors_in + self.gate.as_ref().map_or(0, |gate| gate.unauthenticated() + gate.replayed)
    }

    /// What passed so far, without control's datagrams.
    pub fn counters(&self, out: &Departure) -> SocketCounters {
        let (packets, octets) = self.sources.totals();
        let latching = self.planned.as_ref().map(|planned| &planned.latching);
        let gate = self.gate.as_deref();
        SocketCounters {
            packets_in: packets + self.other_packets,
            bytes_in: octets + self.other_bytes,
            errors_in: self.refused(),
            packets_out: out.packets_out,
            bytes_out: out.bytes_out,
            errors_out: out.errors_out,
            strangers: self.strangers,
            last_packet: self.last_packet,
            peer: latching.and_then(Latching::destination),
            confirmed: latching.is_some_and(|latching| latching.confirmed),
            sources: self.sources.report(),
            stranger: self.stranger,
            unauthenticated: gate.map_or(0, Gate::unauthenticated),
            replayed: gate.map_or(0, |gate| gate.replayed),
            withheld: out.withheld,
            control_packets: 0,
            control_bytes: 0,
            unkeyed: gate.map_or(0, |gate| gate.unkeyed),
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

/// Whether a fixed header is that of RTP, not RTCP (RFC 5761 §4).
fn is_rtp(fixed: Fixed) -> bool {
    fixed.first >> 6 == VERSION && !(RTCP_FIRST..=RTCP_LAST).contains(&fixed.kind)
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
