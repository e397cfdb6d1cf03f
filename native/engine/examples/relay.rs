//! Nanoseconds that a packet of 172 octets takes from port to port: `cargo run --release --example relay`.
//!
//! Of 100 calls one after the other, without a network: what is sent goes nowhere.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ngdaemon_engine::outlet::{Outlet, Slot};
use ngdaemon_engine::own::Own;
use ngdaemon_engine::pipeline::Pipeline;
use ngdaemon_engine::plan::{Carries, Latch, Learning, Plan, Protection, Route, Socket};
use ngdaemon_engine::report::Event;
use ngdaemon_engine::srtp::{Keys, Outbound, suite_named};

const FLOWS: u64 = 100;
const PACKETS: u16 = 3000;
const ROUNDS: usize = 9;
const TO_CLEAR: &str = "SRTP to RTP";
const TO_SECURED: &str = "RTP to SRTP";

fn main() {
    println!("RTP to RTP: {:.0} ns", fastest(|| round(None, None)));
    for name in ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"] {
        let suite = suite_named(name).expect("a suite of ours");
        let keys = Arc::new(Keys::new(suite, &vec![1; suite.key], &vec![2; suite.salt]).expect("they fit"));
        let to_clear = fastest(|| round(Some(&keys), None));
        let to_secured = fastest(|| round(None, Some(&keys)));
        println!("{name}: {TO_CLEAR} {to_clear:.0} ns, {TO_SECURED} {to_secured:.0} ns");
    }
}

/// What else the machine does only makes it slower.
fn fastest(measure: impl Fn() -> f64) -> f64 {
    (0..ROUNDS).map(|_| measure()).fold(f64::INFINITY, f64::min)
}

/// A system that takes everything.
#[derive(Default)]
struct Nowhere {
    sent: u64,
}

impl Outlet for Nowhere {
    fn transmit(&mut self, _: Slot, _: &[u8], _: SocketAddr) -> bool {
        self.sent += 1;
        true
    }

    fn report(&mut self, _: Event) -> bool {
        true
    }
}

/// A call whose packets go from the first port to the second.
struct Flow {
    port: Slot,
    peer: SocketAddr,
    far: Option<Outbound>,
}

fn round(receive: Option<&Arc<Keys>>, send: Option<&Arc<Keys>>) -> f64 {
    let mut pipeline = Pipeline::new(Arc::new(Own::default()));
    let mut outlet = Nowhere::default();
    let mut flows: Vec<Flow> =
        (0..FLOWS).map(|number| flow(number, receive, send, &mut pipeline, &mut outlet)).collect();
    let mut spent = Duration::ZERO;
    let mut buffer = Vec::with_capacity(2048);
    for sequence in 1..=PACKETS {
        let arrivals: Vec<Vec<u8>> = flows.iter_mut().map(|flow| arrival(flow, sequence)).collect();
        let begun = Instant::now();
        for (flow, arrived) in flows.iter().zip(&arrivals) {
            buffer.clear();
            buffer.extend_from_slice(arrived);
            pipeline.receive(flow.port, &mut buffer, flow.peer, f64::from(sequence), &mut outlet);
        }
        spent += begun.elapsed();
    }
    assert_eq!(outlet.sent, FLOWS * u64::from(PACKETS), "each packet arrives");
    spent.as_secs_f64() * 1e9 / (FLOWS * u64::from(PACKETS)) as f64
}

fn flow(
    number: u64,
    receive: Option<&Arc<Keys>>,
    send: Option<&Arc<Keys>>,
    pipeline: &mut Pipeline,
    outlet: &mut Nowhere,
) -> Flow {
    let (first, second) = (2 * number, 2 * number + 1);
    let at = |address: [u8; 4], socket: u64| SocketAddr::from((address, 10000 + socket as u16));
    let peers = [at([198, 51, 100, 1], first), at([203, 0, 113, 1], second)];
    let call: Arc<str> = format!("call {number}").into();
    let port = pipeline.open(call.clone(), first, at([192, 0, 2, 1], first));
    pipeline.open(call.clone(), second, at([192, 0, 2, 1], second));
    let latch = |peer: SocketAddr| Latch {
        learning: Learning::Immediate,
        plausible: Some(Arc::new([peer.ip()].into())),
        ..Latch::default()
    };
    let socket = |id, peer: SocketAddr, keys: Option<&Arc<Keys>>| Socket {
        id,
        signalled: Some(peer),
        latch: latch(peer),
        protection: keys.map(|keys| Protection {
            receive: vec![keys.clone()],
            send: Some(keys.clone()),
            ..Protection::default()
        }),
        ..Socket::default()
    };
    let route = Route::new(first, second, Carries::Rtp);
    let plan =
        Plan { sockets: vec![socket(first, peers[0], receive), socket(second, peers[1], send)], routes: vec![route] };
    pipeline.apply(&call, &plan, 0.0, outlet);
    let far = receive.map(|keys| Outbound::new(Keys::clone(keys), u64::MAX).expect("they fit"));
    Flow { port, peer: peers[0], far }
}

fn arrival(flow: &mut Flow, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 8];
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 1, 2, 3, 4]);
    packet.resize(172, 0xAB);
    if let Some(far) = &mut flow.far {
        far.rtp(&mut packet).expect("it is new");
    }
    packet
}
