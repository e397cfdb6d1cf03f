//! The forwarder between real sockets on loopback. What it owes to control in full is in `tests/conformance/`.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use ngdaemon_engine::plan::{Carries, Latch, Learning, Plan, Route, Socket, SocketId};
use ngdaemon_engine::report::{Event, SocketCounters, What};
use ngdaemon_net::{Engine, Notice};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

const CALL: &str = "call";

fn phone() -> UdpSocket {
    let made = UdpSocket::bind("127.0.0.1:0").unwrap();
    made.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    made
}

fn bind(engine: &mut Engine, call: &str) -> (SocketId, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let local = socket.local_addr().unwrap();
    (engine.bind(call, socket.into()).unwrap(), local)
}

fn socket(id: SocketId, signalled: Option<SocketAddr>) -> Socket {
    let latch = Latch { learning: Learning::Off, plausible: None, ..Latch::default() };
    Socket { id, signalled, latch, ..Socket::default() }
}

fn route(source: SocketId, sink: SocketId) -> Route {
    Route::new(source, sink, Carries::Rtp)
}

fn rtp(sequence: u8) -> [u8; 172] {
    let mut packet = [0; 172];
    (packet[0], packet[3]) = (0x80, sequence);
    packet
}

fn counters(engine: &Engine, id: SocketId) -> SocketCounters {
    engine.counters(CALL).into_iter().find(|(socket, _)| *socket == id).unwrap().1
}

fn readable(engine: &Engine) -> bool {
    let mut fds = [PollFd::new(engine, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec { tv_sec: 5, tv_nsec: 0 })).unwrap() == 1
}

#[test]
fn packets_of_a_call_are_relayed_and_counted() {
    let mut engine = Engine::start(2).unwrap();
    let (alice, bob) = (phone(), phone());
    let ((a, at), (b, _)) = (bind(&mut engine, CALL), bind(&mut engine, CALL));
    let sockets = vec![socket(a, None), socket(b, Some(bob.local_addr().unwrap()))];
    engine.apply(CALL, Plan { sockets, routes: vec![route(a, b)] });
    for sequence in 1..=20 {
        alice.send_to(&rtp(sequence), at).unwrap();
        let mut got = [0; 200];
        let (length, _) = bob.recv_from(&mut got).unwrap();
        assert_eq!(got[..length], rtp(sequence));
    }
    assert_eq!(counters(&engine, a).packets_in, 20);
    assert_eq!((counters(&engine, b).packets_out, engine.octets()), (20, 20 * 172));
}

#[test]
fn a_port_is_free_when_the_plan_without_it_was_applied() {
    let mut engine = Engine::start(1).unwrap();
    let ((a, first), (b, second)) = (bind(&mut engine, CALL), bind(&mut engine, CALL));
    engine.apply(CALL, Plan { sockets: vec![socket(a, None)], routes: Vec::new() });
    UdpSocket::bind(second).unwrap();
    engine.unbind(a);
    UdpSocket::bind(first).unwrap_err();
    engine.apply(CALL, Plan::default());
    UdpSocket::bind(first).unwrap();
    assert_eq!(engine.counters(CALL), []);
    engine.send(b, b"nobody has it any more", first);
    assert_eq!(engine.octets(), 0);
}

#[test]
fn control_is_woken_by_what_is_punted_and_its_datagrams_are_counted() {
    let mut engine = Engine::start(1).unwrap();
    let alice = phone();
    let (a, at) = bind(&mut engine, CALL);
    engine.apply(CALL, Plan { sockets: vec![socket(a, None)], routes: Vec::new() });
    let stun = [&[0, 1, 0, 0][..], &[0; 16]].concat();
    alice.send_to(&stun, at).unwrap();
    assert!(readable(&engine));
    let Some(Notice::Event(Event { what: What::Punted { source, data, .. }, .. })) = engine.drain().pop_front() else {
        panic!("nothing was punted");
    };
    engine.send(a, &data, source);
    assert_eq!(alice.recv(&mut [0; 100]).unwrap(), stun.len());
    let counted = counters(&engine, a);
    assert_eq!((counted.control_packets, counted.packets_out, engine.octets()), (1, 1, 20));
}

#[test]
fn what_the_kernel_drops_is_counted() {
    let mut engine = Engine::start(1).unwrap();
    let alice = phone();
    let (a, at) = bind(&mut engine, CALL);
    for _ in 0..3000 {
        alice.send_to(&rtp(1), at).unwrap();
    }
    engine.apply(CALL, Plan { sockets: vec![socket(a, None)], routes: Vec::new() });
    for _ in 0..500 {
        let counted = counters(&engine, a);
        if counted.packets_in + counted.errors_in == 3000 {
            assert!(counted.errors_in > 0);
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{:?}", counters(&engine, a));
}

#[test]
fn its_threads_and_descriptors_end_with_it() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let engine = Engine::start(3).unwrap();
    assert!(engine.as_fd().try_clone_to_owned().is_ok());
    drop(engine);
    let before = descriptors();
    for _ in 0..20 {
        let mut engine = Engine::start(3).unwrap();
        bind(&mut engine, CALL);
    }
    assert!(descriptors() < before + 20); // other tests of this process have some too
}
