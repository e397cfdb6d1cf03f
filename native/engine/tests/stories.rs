//! Whole calls with a secured side, plan by plan and packet by packet, by chance: the short way held against the long
//! one, and what must be true whatever happens.

mod rig;

use std::net::SocketAddr;
use std::sync::Arc;

use ngdaemon_engine::plan::{Carries, Hold, Latch, Learning, Protection, Route, Selector, Socket, SocketId};
use ngdaemon_engine::report::{SocketCounters, What};
use ngdaemon_engine::rtp::demux::{Kind, classify};
use ngdaemon_engine::srtp::{Inbound, Keys, Outbound};

use rig::samples::{self, Rng, Rtp};
use rig::secured::*;
use rig::*;

const STORIES: u64 = 150;
const STEPS: usize = 40;
/// Another port of Bob's, for a second media.
const C: SocketId = 2;

/// What Alice may send with.
fn her_keys() -> [Arc<Keys>; 2] {
    [keys(1), keys(2)]
}

/// What may be sent to her with.
fn our_keys() -> [Arc<Keys>; 2] {
    [keys(3), keys(4)]
}

/// The routes of one media of a BUNDLE.
fn of_media(sink: SocketId, mid: &[u8], ssrc: u32, payload_type: u8) -> [Route; 2] {
    let (ssrcs, payload_types) = ([ssrc].into(), [payload_type].into());
    let selector = Some(Arc::new(Selector { mid: mid.to_vec(), extension: 3, ssrcs, payload_types }));
    [Carries::Rtp, Carries::Rtcp].map(|kind| Route { selector: selector.clone(), ..route(A, sink, kind) })
}

struct Story {
    rig: Rig,
    rng: Rng,
    alice: [Outbound; 2],
    sockets: Vec<Socket>,
    routes: Vec<Route>,
    arrived: u64,
    /// State the same again before each packet, but for the TOS: each takes the long way then.
    long: bool,
}

impl Story {
    fn new(seed: u64, long: bool) -> Self {
        let mut rig = Rig::default();
        for _ in 0..3 {
            rig.open(CALL);
        }
        let alices = her_keys().map(|keys| Outbound::new(keys.as_ref().clone(), u64::MAX).unwrap());
        let mut story =
            Self { rig, rng: Rng::new(seed), alice: alices, sockets: vec![], routes: vec![], arrived: 0, long };
        let protection = Protection { receive: her_keys().to_vec(), send: Some(keys(3)), ..Protection::default() };
        story.plan(for_peer(&immediate(), alice()), protection);
        story
    }

    fn plan(&mut self, latch: Latch, protection: Protection) {
        let socket = |id, peer, latch, protection| Socket {
            id,
            signalled: Some(peer),
            latch,
            muxed: true,
            protection,
            ..Socket::default()
        };
        let anyone = Latch { plausible: None, ..Latch::default() };
        self.sockets = vec![
            socket(A, alice(), latch, Some(protection)),
            socket(B, bob(), anyone.clone(), None),
            socket(C, bob(), anyone, None),
        ];
        self.routes = self.some_routes();
        self.rig.apply(CALL, &self.sockets, &self.routes);
    }

    fn some_routes(&mut self) -> Vec<Route> {
        let (rtp, rtcp) = (route(A, B, Carries::Rtp), route(A, B, Carries::Rtcp));
        let mut routes = match self.rng.below(6) {
            0 => [of_media(B, b"a", 1, 0), of_media(C, b"b", 7, 101)].concat(),
            1 => vec![Route { dropped: vec![101], ..rtp }, Route { drop_feedback: true, ..rtcp }],
            2 => vec![Route { mirror: true, ..rtp }, Route { mirror: true, ..rtcp }],
            3 => vec![rtp, route(A, C, Carries::Rtp)],
            _ => vec![rtp, rtcp],
        };
        routes.extend([route(B, A, Carries::Rtp), route(B, A, Carries::Rtcp)]);
        routes
    }

    fn another_plan(&mut self) {
        self.rig.wait(self.rng.pick(&[0.0, 0.5, 3.0]));
        let rng = &mut self.rng;
        let latch = Latch {
            learning: rng.pick(&[Learning::Off, Learning::Immediate, Learning::Delayed, Learning::Heuristic]),
            generation: 1 + rng.below(2) as u64,
            strict: rng.one_in(3),
            handover: rng.one_in(3),
            asymmetric: rng.one_in(3),
            sources: rng.one_in(4).then(|| Arc::new([alice()].into())),
            ..for_peer(&Latch::default(), alice())
        };
        let sources = rng.one_in(2).then(|| Arc::new([alice()].into()));
        let protection = Protection {
            receive: her_keys().into_iter().filter(|_| !rng.one_in(3)).collect(),
            send: our_keys().into_iter().find(|_| !rng.one_in(3)),
            hold: (!rng.one_in(3)).then_some(Hold { sources }),
            low_start: rng.one_in(3),
        };
        self.plan(latch, protection);
    }

    fn clear(&mut self) -> Vec<u8> {
        let ssrc = 1 + self.rng.below(2) as u32;
        match self.rng.below(8) {
            0 => samples::receiver_report(ssrc, &[samples::block(2, 40_000)]),
            1 => samples::sender_report(ssrc, &[]),
            2 => [samples::receiver_report(ssrc, &[]), samples::transport_feedback(1, 2, &[0, 5, 0, 0])].concat(),
            _ => {
                let sequence = match self.rng.below(3) {
                    0 => self.rng.below(7) as u16,
                    1 => 65530_u16.wrapping_add(self.rng.below(12) as u16),
                    _ => self.rng.draw() as u16,
                };
                let payload_type = self.rng.pick(&[0, 101]);
                let extension = self.rng.pick(&[None, None, Some(b"\x30a\0\0"), Some(b"\x30b\0\0")]);
                let extension = extension.map(|octets| octets.as_slice());
                Rtp { ssrc, payload_type, extension, payload: b"CLEAR as nothing may leave", ..Rtp::of(sequence) }
                    .packet()
            }
        }
    }

    fn arrive(&mut self, socket: SocketId, data: &[u8], source: SocketAddr) -> Vec<Sent> {
        if self.long {
            for socket in &mut self.sockets {
                socket.tos = socket.tos.xor(Some(8));
            }
            self.rig.apply(CALL, &self.sockets, &self.routes);
        }
        self.arrived += 1;
        self.rig.receive(socket, data, source)
    }

    /// Alice sends a packet; perhaps it is changed on its way, or doubled.
    fn alice_sends(&mut self, packet: &[u8], key: usize, source: SocketAddr) {
        let mut data = packet.to_vec();
        let protected = match classify(packet) {
            Kind::Rtcp => self.alice[key].rtcp(&mut data),
            _ => self.alice[key].rtp(&mut data),
        };
        if protected.is_err() {
            return;
        }
        if let Some(last) = data.last_mut().filter(|_| self.rng.one_in(8)) {
            *last ^= 1;
        }
        for _ in 0..1 + usize::from(self.rng.one_in(8)) {
            self.arrive(A, &data, source);
        }
    }

    fn step(&mut self) {
        let source = self.rng.pick(&[alice(), alice(), alice(), moved(), stranger()]);
        match self.rng.below(8) {
            0 => self.another_plan(),
            1 | 2 => {
                let (packet, key) = (self.clear(), usize::from(self.rng.one_in(4)));
                self.alice_sends(&packet, key, source);
            }
            3 | 4 => {
                let (start, ssrc, key) = (self.rng.below(60) as u16, 1 + self.rng.below(2) as u32, self.rng.below(2));
                for number in start..=start + self.rng.below(8) as u16 {
                    let packet = Rtp { ssrc, payload: b"CLEAR as nothing may leave", ..Rtp::of(number) }.packet();
                    self.alice_sends(&packet, key, alice());
                }
            }
            5 | 6 => {
                let packet = self.clear();
                for sent in self.arrive(B, &packet, bob()) {
                    assert_eq!(sent.socket, A);
                    assert!(self.sockets[0].protection.as_ref().is_some_and(|protection| protection.send.is_some()));
                    assert!(sent.data != packet && !sent.data.windows(5).any(|octets| octets == b"CLEAR"));
                }
            }
            _ => {
                let data = if self.rng.one_in(2) { self.clear() } else { self.rng.octets(40) };
                assert_eq!(self.arrive(A, &data, source), []);
            }
        }
    }

    fn play(mut self) -> Self {
        (0..STEPS).for_each(|_| self.step());
        self
    }

    fn counted(&self) -> Vec<SocketCounters> {
        self.rig.pipeline.counters(CALL).into_iter().map(|(_, _, counted)| counted).collect()
    }
}

#[test]
fn the_short_way_leads_where_the_long_way_does_s07() {
    for seed in 0..STORIES {
        let (short, long) = (Story::new(seed, false).play(), Story::new(seed, true).play());
        assert_eq!(short.rig.world.sent, long.rig.world.sent, "story {seed}");
        assert_eq!(short.rig.world.events, long.rig.world.events, "story {seed}");
        assert_eq!(short.counted(), long.counted(), "story {seed}");
    }
}

/// Once nothing waits any more each packet was received, dropped and counted, or punted.
#[test]
fn no_packet_is_lost_from_the_count() {
    for seed in 0..STORIES {
        let mut story = Story::new(seed, false).play();
        story.plan(Latch::default(), Protection::default());
        let counted = story.counted();
        let punted = story.rig.world.events.iter().filter(|event| matches!(event.what, What::Punted { .. })).count();
        let received: u64 = counted.iter().map(|each| each.packets_in + each.errors_in).sum();
        assert_eq!(received + punted as u64, story.arrived, "story {seed}");
        assert!(counted.iter().all(|each| each.unauthenticated + each.replayed <= each.errors_in));
        let left: u64 = counted.iter().map(|each| each.packets_out).sum();
        assert_eq!(left, story.rig.world.sent.len() as u64, "story {seed}");
        assert!(story.rig.world.sent.iter().all(|sent| sent.to != stranger()));
    }
}

#[test]
fn what_leaves_can_be_read_with_one_key_of_ours_alone() {
    for seed in 0..STORIES {
        let story = Story::new(seed, false).play();
        let mut readers = our_keys().map(|keys| Inbound::new(keys.as_ref().clone()).unwrap());
        for sent in story.rig.world.sent.iter().filter(|sent| sent.socket == A) {
            let reads = |reader: &mut Inbound| match classify(&sent.data) {
                Kind::Rtcp => reader.rtcp(&mut sent.data.clone()).is_ok(),
                _ => reader.rtp(&mut sent.data.clone()).is_ok(),
            };
            assert_eq!(readers.iter_mut().map(reads).filter(|read| *read).count(), 1, "story {seed}");
        }
    }
}
