//! The plan: the desired forwarding of one call, as a graph of sockets and routes.
//!
//! What each word means is written in `ngdaemon/media/plan.py`, field by field in the same order; this is the same data
//! in types that the packet path can use as they are.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::srtp::Keys;

/// Which plans this engine understands: `PLAN_VERSION` of `ngdaemon/media/plan.py`.
pub const PLAN_VERSION: u32 = 2;

/// Seconds after a signalling event in which learning stays open.
pub const LEARNING_WINDOW: f64 = 3.0;
/// Datagrams of one SSRC that wait for keys.
pub const HELD_PACKETS: usize = 64;
/// SSRCs of one address that wait for keys.
pub const HELD_SOURCES: usize = 4;
/// Seconds for which a datagram waits for keys.
pub const HELD_SECONDS: f64 = 1.0;
/// Addresses that may wait for keys, at one port.
pub const HELD_ADDRESSES: usize = 64;
/// Octets that may wait for keys, at one port.
pub const HELD_OCTETS: usize = 1 << 18;

/// A port that is open. Numbers are given once and never again.
pub type SocketId = u64;

/// How a peer's real address is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learning {
    /// The signalled endpoint only.
    Off,
    /// The first plausible packet confirms its source.
    Immediate,
    /// Each new plausible source is used at once; the first packet after the window confirms.
    Delayed,
    /// As delayed, but sources are ranked by how much of the signalled endpoint they share.
    Heuristic,
}

/// The rule by which a socket accepts packets and learns where its peer really is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latch {
    /// How.
    pub learning: Learning,
    /// Addresses that may be the peer's; `None` lifts the rule.
    pub plausible: Option<Arc<HashSet<IpAddr>>>,
    /// Changes with each offer/answer exchange.
    pub generation: u64,
    /// After confirmation packets from another source are dropped.
    pub strict: bool,
    /// After confirmation another plausible source becomes the peer at once.
    pub handover: bool,
    /// What was learned is never used as destination.
    pub asymmetric: bool,
    /// The only endpoints that packets are accepted from; `None` lifts the rule.
    pub sources: Option<Arc<HashSet<SocketAddr>>>,
}

impl Default for Latch {
    fn default() -> Self {
        Self {
            learning: Learning::Heuristic,
            plausible: Some(Arc::default()),
            generation: 0,
            strict: false,
            handover: false,
            asymmetric: false,
            sources: None,
        }
    }
}

/// Which packets wait at a socket whose receive keys are awaited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hold {
    /// Only from these; `None` for all that the latch lets pass, and for all whatever while nothing is signalled.
    pub sources: Option<Arc<HashSet<SocketAddr>>>,
}

/// SRTP at a socket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protection {
    /// Tried in this order for an SSRC that no key is bound to yet. Empty while awaited.
    pub receive: Vec<Arc<Keys>>,
    /// `None` while awaited: nothing leaves.
    pub send: Option<Arc<Keys>>,
    /// What waits while `receive` is empty; `None` for nothing.
    pub hold: Option<Hold>,
    /// SSRCs that start above 2^15 are renumbered.
    pub low_start: bool,
}

/// A bound local port, facing one peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Socket {
    /// Its number.
    pub id: SocketId,
    /// Where the peer's SDP says that it receives; `None` too for what is no numeric address.
    pub signalled: Option<SocketAddr>,
    /// Who is accepted, and how the peer is found.
    pub latch: Latch,
    /// TOS or traffic class octet of what is sent; `None` leaves the system's.
    pub tos: Option<u8>,
    /// The peer's RTP and RTCP both arrive here.
    pub muxed: bool,
    /// Only the peer's RTCP arrives here.
    pub rtcp: bool,
    /// The bytes are not RTP.
    pub relay_only: bool,
    /// Nothing is sent before a packet of the peer was accepted.
    pub nat_wait: bool,
    /// An empty RTP packet is sent every second until the peer sends.
    pub pierce: bool,
    /// `None` for clear media.
    pub protection: Option<Protection>,
}

/// Which packets follow a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// And ZRTP.
    Rtp,
    /// RTCP.
    Rtcp,
    /// Whatever arrives at a `relay_only` socket.
    Any,
}

/// Which packets of a BUNDLE transport belong to one of its medias.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// The value of the MID header extension; empty for none.
    pub mid: Vec<u8>,
    /// The number of that extension in the peer's packets; 0 for none.
    pub extension: u8,
    /// Signalled by `a=ssrc`.
    pub ssrcs: HashSet<u32>,
    /// Those that no other media of the group has.
    pub payload_types: HashSet<u8>,
}

/// A directed edge: packets of this kind that are accepted at `source` leave from `sink` to its peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where they arrive.
    pub source: SocketId,
    /// Where they leave.
    pub sink: SocketId,
    /// What.
    pub carries: Carries,
    /// RTCP only: take RTPFB and PSFB out of compound packets.
    pub drop_feedback: bool,
    /// RTP only: payload types that pass; `None` for all.
    pub only: Option<Vec<u8>>,
    /// RTP only: payload types that do not pass.
    pub dropped: Vec<u8>,
    /// RTP only: payload type and the octet that replaces each octet of its payload.
    pub silenced: Vec<(u8, u8)>,
    /// Report a copy of each packet.
    pub mirror: bool,
    /// Only packets of this media of a BUNDLE follow the route; equal selectors are one media.
    pub selector: Option<Arc<Selector>>,
}

impl Route {
    /// One that lets everything of its kind pass as it is.
    pub fn new(source: SocketId, sink: SocketId, carries: Carries) -> Self {
        Self {
            source,
            sink,
            carries,
            drop_feedback: false,
            only: None,
            dropped: Vec::new(),
            silenced: Vec::new(),
            mirror: false,
            selector: None,
        }
    }
}

/// The desired forwarding of one call. An empty plan ends it.
///
/// Control has checked it: no socket is named twice, and routes lead between its sockets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Nodes.
    pub sockets: Vec<Socket>,
    /// Edges.
    pub routes: Vec<Route>,
}
