//! A pipeline with ports that write down what they send: two legs, A and B, each with an RTP and an RTCP port.

#![allow(dead_code)] // each test file takes what it needs

#[path = "../../src/samples.rs"]
pub mod samples;
pub mod secured;

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use ngdaemon_engine::outlet::{Outlet, Slot};
use ngdaemon_engine::own::Own;
use ngdaemon_engine::pipeline::Pipeline;
use ngdaemon_engine::plan::{Carries, Latch, Plan, Route, Socket, SocketId};
use ngdaemon_engine::report::{Event, SocketCounters, What};

use samples::Rtp;

pub const CALL: &str = "call";
pub const OTHER: &str = "another call";
pub const A: SocketId = 1;
pub const A_RTCP: SocketId = 2;
pub const B: SocketId = 3;
pub const B_RTCP: SocketId = 4;
/// Events that wait for control.
pub const MAX_EVENTS: usize = 4096;

pub const STUN: &[u8] = &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
pub const DTLS: &[u8] = &[0x16, 0xFE, 0xFD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
pub const TURN: &[u8] = &[0x40, 0, 0, 0];
pub const ZRTP: &[u8] = b"\x10\x00\x00\x01ZRTP\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

pub fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

pub fn alice() -> SocketAddr {
    at("198.51.100.1", 4000)
}

pub fn alice_rtcp() -> SocketAddr {
    at("198.51.100.1", 4001)
}

/// Alice at another port.
pub fn moved() -> SocketAddr {
    at("198.51.100.1", 4444)
}

pub fn bob() -> SocketAddr {
    at("203.0.113.1", 5000)
}

pub fn bob_rtcp() -> SocketAddr {
    at("203.0.113.1", 5001)
}

pub fn stranger() -> SocketAddr {
    at("192.0.2.66", 6666)
}

pub fn rtp(sequence: u16) -> Vec<u8> {
    Rtp::of(sequence).packet()
}

/// A compound of RR and SDES.
pub fn report() -> Vec<u8> {
    [samples::receiver_report(1, &[]), samples::description(1)].concat()
}

/// A datagram that left a port.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub socket: SocketId,
    pub data: Vec<u8>,
    pub to: SocketAddr,
}

pub fn sent(socket: SocketId, data: &[u8], to: SocketAddr) -> Sent {
    Sent { socket, data: data.to_vec(), to }
}

/// The system and control.
#[derive(Default)]
pub struct World {
    pub sent: Vec<Sent>,
    pub events: Vec<Event>,
    /// Where the system refuses to send to.
    pub refuse: HashSet<SocketAddr>,
    ids: HashMap<Slot, SocketId>,
}

impl Outlet for World {
    fn transmit(&mut self, from: Slot, data: &[u8], to: SocketAddr) -> bool {
        let takes = !self.refuse.contains(&to);
        if takes {
            self.sent.push(Sent { socket: self.ids[&from], data: data.to_vec(), to });
        }
        takes
    }

    fn report(&mut self, event: Event) -> bool {
        let room = self.events.len() < MAX_EVENTS;
        if room {
            self.events.push(event);
        }
        room
    }
}

/// Ports are numbered from 1, at 192.0.2.1 and 30000 plus their number.
pub struct Rig {
    pub now: f64,
    pub pipeline: Pipeline,
    pub world: World,
    slots: HashMap<SocketId, Slot>,
    buffer: Vec<u8>,
    last: SocketId,
}

impl Default for Rig {
    fn default() -> Self {
        Self {
            now: 1000.0,
            pipeline: Pipeline::new(Arc::new(Own::default())),
            world: World::default(),
            slots: HashMap::new(),
            buffer: Vec::new(),
            last: 0,
        }
    }
}

impl Rig {
    pub fn open(&mut self, call: &str) -> SocketId {
        self.last += 1;
        let slot = self.pipeline.open(call.into(), self.last, self.local(self.last));
        self.slots.insert(self.last, slot);
        self.world.ids.insert(slot, self.last);
        self.last
    }

    pub fn local(&self, socket: SocketId) -> SocketAddr {
        at("192.0.2.1", 30000 + socket as u16)
    }

    pub fn owner(&self, local: SocketAddr) -> SocketId {
        SocketId::from(local.port()) - 30000
    }

    pub fn close(&mut self, socket: SocketId) -> bool {
        self.pipeline.close(socket).is_some()
    }

    /// State a call: the ports that were closed.
    pub fn apply(&mut self, call: &str, sockets: &[Socket], routes: &[Route]) -> Vec<SocketId> {
        let plan = Plan { sockets: sockets.to_vec(), routes: routes.to_vec() };
        let closed = self.pipeline.apply(call, &plan, self.now, &mut self.world);
        closed.into_iter().map(|slot| self.world.ids[&slot]).collect()
    }

    /// Have a datagram arrive: what left because of it.
    pub fn receive(&mut self, socket: SocketId, data: &[u8], source: SocketAddr) -> Vec<Sent> {
        let before = self.world.sent.len();
        self.buffer.clear();
        self.buffer.extend_from_slice(data);
        let slot = self.slots[&socket];
        self.pipeline.receive(slot, &mut self.buffer, source, self.now, &mut self.world);
        self.world.sent[before..].to_vec()
    }

    pub fn missed(&mut self, socket: SocketId, packets: u64) {
        self.pipeline.missed(self.slots[&socket], packets);
    }

    /// Let time pass.
    pub fn wait(&mut self, seconds: f64) {
        self.now += seconds;
        self.pipeline.handle_timer(self.now, &mut self.world);
    }

    pub fn count(&self, socket: SocketId) -> SocketCounters {
        let counters = self.pipeline.counters(CALL);
        counters.into_iter().find(|(id, _, _)| *id == socket).map(|(_, _, counted)| counted).unwrap()
    }

    /// What happened since the last look.
    pub fn events(&mut self) -> Vec<What> {
        self.world.events.drain(..).map(|event| event.what).collect()
    }

    /// The peers that were reported since the last look, each with whether it was confirmed.
    pub fn learned(&mut self) -> Vec<(SocketAddr, bool)> {
        let learned = |what| match what {
            What::Learned { peer, confirmed } => Some((peer, confirmed)),
            _ => None,
        };
        self.events().into_iter().filter_map(learned).collect()
    }

    /// The copies that were reported since the last look.
    pub fn tapped(&mut self) -> Vec<Vec<u8>> {
        let tapped = |what| match what {
            What::Tapped { packet, .. } => Some(packet),
            _ => None,
        };
        self.events().into_iter().filter_map(tapped).collect()
    }
}

pub fn route(source: SocketId, sink: SocketId, carries: Carries) -> Route {
    Route::new(source, sink, carries)
}

pub fn routes() -> Vec<Route> {
    vec![
        route(A, B, Carries::Rtp),
        route(B, A, Carries::Rtp),
        route(A_RTCP, B_RTCP, Carries::Rtcp),
        route(B_RTCP, A_RTCP, Carries::Rtcp),
    ]
}

/// The latch with that peer's address as what is plausible.
pub fn for_peer(latch: &Latch, peer: SocketAddr) -> Latch {
    Latch { plausible: Some(Arc::new([peer.ip()].into())), ..latch.clone() }
}

/// The four sockets of a plain call; `latch` is A's, with what is plausible filled in.
pub fn sockets(latch: &Latch) -> Vec<Socket> {
    let socket = |id, peer, latch: &Latch, rtcp| Socket {
        id,
        signalled: Some(peer),
        latch: for_peer(latch, peer),
        rtcp,
        ..Socket::default()
    };
    vec![
        socket(A, alice(), latch, false),
        socket(A_RTCP, alice_rtcp(), latch, true),
        socket(B, bob(), &Latch::default(), false),
        socket(B_RTCP, bob_rtcp(), &Latch::default(), true),
    ]
}

/// A call that was answered.
pub fn plain_call(latch: &Latch, routes: &[Route]) -> Rig {
    let mut rig = Rig::default();
    for _ in 0..4 {
        rig.open(CALL);
    }
    rig.apply(CALL, &sockets(latch), routes);
    rig
}
