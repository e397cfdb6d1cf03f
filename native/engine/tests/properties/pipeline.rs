//! A call with secured, clear and bundled ports, whatever arrives and however it is planned anew: each datagram is
//! counted once (contract 8), and what leaves a secured port opens at its peer, once (contract 11, SRTP-05).
//!
//! An input is a list of steps: a plan, a pause, or a datagram with its port, its source and its length in front.

use std::sync::Arc;

use ngdaemon_engine::outlet::{Outlet, Slot};
use ngdaemon_engine::own::Own;
use ngdaemon_engine::pipeline::Pipeline;
use ngdaemon_engine::plan::{Carries, Hold, Latch, Learning, Plan, Protection, Route, Selector, Socket, SocketId};
use ngdaemon_engine::report::{Event, What};
use ngdaemon_engine::rtp::demux::{Kind, classify};
use ngdaemon_engine::srtp::{Inbound, Keys, Outbound, suite_named};

const CALL: &str = "call";
/// Alice is secured, and so is the browser whose medias are bundled; Bob and Carol are not; the fax is not RTP.
const ALICE: SocketId = 1;
const BROWSER: SocketId = 2;
const BOB: SocketId = 3;
const CAROL: SocketId = 4;
const FAX: SocketId = 5;
const PORTS: usize = 5;
/// Events that control takes.
const ROOM: usize = 100;

fn keys(seed: u8) -> Arc<Keys> {
    let suite =
        suite_named(if seed.is_multiple_of(2) { "AEAD_AES_128_GCM" } else { "AES_CM_128_HMAC_SHA1_80" }).expect("ours");
    Arc::new(Keys::new(suite, &vec![seed; suite.key], &vec![!seed; suite.salt]).expect("they fit"))
}

/// What the secured peers hear, and what all are told.
struct World {
    /// By port, and by the key that is sent with.
    hears: [[Inbound; 2]; 2],
    sending: usize,
    sent: [u64; PORTS],
    punted: [u64; PORTS],
    events: usize,
}

impl Outlet for World {
    fn transmit(&mut self, from: Slot, data: &[u8], _: std::net::SocketAddr) -> bool {
        if from < 2 {
            let (mut packet, inbound) = (data.to_vec(), &mut self.hears[from][self.sending]);
            // the first packet that is left of a compound may be of a type that looks like RTP
            assert!(inbound.rtcp(&mut packet).is_ok() || inbound.rtp(&mut packet).is_ok(), "{data:02x?}");
        } else if data.len().is_multiple_of(7) {
            return false;
        }
        self.sent[from] += 1;
        true
    }

    fn report(&mut self, event: Event) -> bool {
        if self.events == ROOM {
            return false;
        }
        self.events += 1;
        if let What::Punted { .. } = event.what {
            self.punted[event.socket as usize - 1] += 1;
        }
        true
    }
}

/// Bits of a plan.
struct Options(u8);

impl Options {
    fn has(&self, bit: u8) -> bool {
        self.0 >> bit & 1 == 1
    }

    fn sending(&self) -> usize {
        self.has(1).into()
    }

    fn protection(&self, id: SocketId) -> Option<Protection> {
        Some(Protection {
            receive: if self.has(0) { vec![keys(1), keys(2)] } else { vec![] },
            send: if self.0 & 0x0F == 0x0F { None } else { Some(keys(2 * id as u8 + self.sending() as u8 + 1)) },
            hold: if self.has(2) { Some(Hold::default()) } else { None },
            low_start: self.has(3),
        })
    }

    fn socket(&self, id: SocketId) -> Socket {
        let latch = Latch {
            learning: if self.has(4) { Learning::Heuristic } else { Learning::Immediate },
            plausible: Some(Arc::new([endpoint(id as u8).ip(), endpoint(9).ip()].into())),
            generation: self.0.into(),
            strict: self.has(5),
            handover: self.has(6),
            ..Latch::default()
        };
        let protection = if id <= BROWSER { self.protection(id) } else { None };
        let signalled = if self.has(7) && id == BOB { local(CAROL) } else { endpoint(id as u8) };
        let muxed = id != FAX;
        Socket { id, signalled: Some(signalled), latch, muxed, relay_only: !muxed, protection, ..Socket::default() }
    }

    fn plan(&self) -> Plan {
        let media = |mid: &[u8], payload_type: u8| {
            let (mid, payload_types) = (mid.to_vec(), [payload_type].into());
            Some(Arc::new(Selector { mid, extension: 3, ssrcs: [payload_type.into()].into(), payload_types }))
        };
        let (audio, video) = (media(b"0", 0), media(b"v1", 96));
        let route = |source, sink, carries| Route {
            source,
            sink,
            carries,
            drop_feedback: carries == Carries::Rtcp && self.has(4),
            only: None,
            dropped: if self.has(5) && sink == BOB { vec![96] } else { vec![] },
            silenced: if self.has(6) { vec![(0, 0xFF)] } else { vec![] },
            mirror: self.has(7),
            selector: None,
        };
        let mut routes = vec![route(FAX, ALICE, Carries::Any), route(FAX, BOB, Carries::Any)];
        for carries in [Carries::Rtp, Carries::Rtcp] {
            for (one, other) in [(ALICE, BOB), (ALICE, BROWSER), (BOB, ALICE), (BOB, BROWSER), (CAROL, ALICE)] {
                routes.push(route(one, other, carries));
            }
            routes.push(route(CAROL, BROWSER, carries));
            routes.push(Route { selector: audio.clone(), ..route(BROWSER, BOB, carries) });
            routes.push(Route { selector: video.clone(), ..route(BROWSER, CAROL, carries) });
        }
        Plan { sockets: (ALICE..=FAX).map(|id| self.socket(id)).collect(), routes }
    }
}

fn endpoint(last: u8) -> std::net::SocketAddr {
    ([198, 51, 100, last], 4000).into()
}

fn local(id: SocketId) -> std::net::SocketAddr {
    ([192, 0, 2, 1], 30_000 + id as u16).into()
}

struct Call {
    pipeline: Pipeline,
    world: World,
    now: f64,
    /// What the secured peers protect with.
    peers: [Outbound; 2],
    arrived: [u64; PORTS],
}

impl Call {
    fn new() -> Self {
        let inbound = |seed| Inbound::new(Keys::clone(&keys(seed))).expect("they fit");
        let outbound = |seed| Outbound::new(Keys::clone(&keys(seed)), u64::MAX).expect("they fit");
        let mut pipeline = Pipeline::new(Arc::new(Own::default()));
        for id in ALICE..=FAX {
            assert_eq!(pipeline.open(CALL.into(), id, local(id)), id as usize - 1);
        }
        let world = World {
            hears: [[inbound(3), inbound(4)], [inbound(5), inbound(6)]],
            sending: 0,
            sent: [0; PORTS],
            punted: [0; PORTS],
            events: 0,
        };
        let peers = [outbound(1), outbound(2)];
        Self { pipeline, world, now: 1000.0, peers, arrived: [0; PORTS] }
    }

    fn apply(&mut self, options: Options) {
        self.world.sending = options.sending();
        self.pipeline.apply(CALL, &options.plan(), self.now, &mut self.world);
    }

    fn wait(&mut self, seconds: f64) {
        self.now += seconds;
        self.pipeline.handle_timer(self.now, &mut self.world);
    }

    /// A datagram arrives at a port, as it is or protected.
    fn receive(&mut self, [how, from]: [u8; 2], data: &[u8]) {
        let (slot, mut packet) = (usize::from(how) % PORTS, data.to_vec());
        if let Some(peer) = self.peers.get_mut(usize::from(how / 8 % 4)) {
            // what it cannot protect arrives as it is
            let _ = if classify(data) == Kind::Rtcp { peer.rtcp(&mut packet) } else { peer.rtp(&mut packet) };
        }
        let mut source = endpoint(if from % 4 == 3 { from / 4 } else { slot as u8 + 1 });
        source.set_port(4000 + u16::from(from % 4 == 2));
        self.arrived[slot] += 1;
        self.pipeline.receive(slot, &mut packet, source, self.now, &mut self.world);
    }

    /// Nothing waits any more: everything was counted.
    fn check(&mut self) {
        self.apply(Options(0));
        for (id, slot, counted) in self.pipeline.counters(CALL) {
            let taken = counted.packets_in + counted.errors_in + self.world.punted[slot];
            assert_eq!(taken, self.arrived[slot], "port {id}");
            assert_eq!(counted.packets_out, self.world.sent[slot], "port {id}");
            assert!(counted.strangers + counted.unauthenticated + counted.replayed <= counted.errors_in, "port {id}");
            assert!(counted.sources.iter().map(|source| source.packets).sum::<u64>() <= counted.packets_in);
        }
    }
}

/// Whatever the octets.
pub fn holds(data: &[u8]) {
    let (mut call, mut rest) = (Call::new(), data);
    call.apply(Options(1));
    while let Some((&[step, value], after)) = rest.split_first_chunk() {
        rest = after;
        match step {
            0..16 => call.apply(Options(value)),
            16..32 => call.wait(f64::from(value) / 50.0),
            _ => {
                let Some((&length, after)) = rest.split_first() else { break };
                let (datagram, after) = after.split_at(usize::from(length).min(after.len()));
                rest = after;
                call.receive([step, value], datagram);
            }
        }
    }
    call.check();
}
