//! One open port in operation: what becomes of a datagram that arrives, sentence by sentence as in
//! `ngdaemon/media/forwarder.py`.
//!
//! Most packets of a stream are alike: RTP (or bytes) from the peer that was learned, to one sink. For them there is a
//! short way: in `receive` for clear packets, in `receive_secured` for SRTP. It is taken only where the long way, which
//! alone decides, found with an earlier packet that all of this kind from this source are treated so (`shorten`); a new
//! plan or a new peer makes the way long again.

mod arrivals;
mod plans;

use std::net::SocketAddr;
use std::sync::Arc;

use crate::bundle::Media;
use crate::contexts::{Contexts, Shared};
use crate::counting::Sources;
use crate::gate::Gate;
use crate::lane::Sender;
use crate::latching::Latching;
use crate::links::Links;
use crate::outlet::{Outlet, Slot};
use crate::plan::{Socket, SocketId};
use crate::rtp::demux::{Kind, RTCP_FIRST, RTCP_LAST, RTP_LENGTH};
use crate::rtp::packet::{EXTENSION_BIT, Fixed, PLAIN, VERSION, header_length};
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
        let is_new = self.sources.position(fixed.ssrc).is_none();
        if is_new || (fixed.first != PLAIN && !self.is_usual(media, packet, fixed)) {
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

    fn count_rtp(&mut self, fixed: Fixed, arrived: usize) {
        self.sources.of(fixed.ssrc, fixed.sequence).count(fixed.sequence, fixed.timestamp, fixed.kind, arrived);
    }
}

/// Whether a fixed header is that of RTP, not RTCP (RFC 5761 §4).
fn is_rtp(fixed: Fixed) -> bool {
    fixed.first >> 6 == VERSION && !(RTCP_FIRST..=RTCP_LAST).contains(&fixed.kind)
}
