//! Ways through NATs, and loops through our own ports.

mod rig;

use ngdaemon_engine::plan::{Carries, Latch, Learning, Socket};

use rig::*;

const EMPTY: [u8; 12] = [0x80, 0x7F, 0xFF, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0];

fn planned() -> Vec<Socket> {
    sockets(&Latch::default())
}

fn plain() -> Rig {
    plain_call(&Latch::default(), &routes())
}

/// The socket B that waits for Bob.
fn waiting() -> Vec<Socket> {
    let mut planned = planned();
    planned[2].nat_wait = true;
    planned
}

#[test]
fn nothing_is_sent_to_a_peer_that_has_to_send_first() {
    let mut rig = plain();
    rig.apply(CALL, &waiting(), &routes());
    assert_eq!(rig.receive(A, &rtp(1), alice()), []);
    assert_eq!(rig.receive(B, &rtp(1), stranger()), []);
    assert_eq!(rig.receive(A, &rtp(2), alice()), []);
    rig.receive(B, &rtp(1), bob());
    assert_eq!(rig.receive(A, &rtp(3), alice()), [sent(B, &rtp(3), bob())]);
    rig.apply(CALL, &waiting(), &routes());
    assert_eq!(rig.receive(A, &rtp(4), alice()).len(), 1);
}

#[test]
fn another_endpoint_has_to_send_first_again() {
    let mut rig = plain();
    rig.apply(CALL, &waiting(), &routes());
    rig.receive(B, &rtp(1), bob());
    let mut planned = waiting();
    planned[2].signalled = Some(at("203.0.113.1", 7000));
    planned[2].latch.generation = 2;
    rig.apply(CALL, &planned, &routes());
    assert_eq!(rig.receive(A, &rtp(1), alice()), []);
}

#[test]
fn a_way_is_opened_every_second_until_the_peer_sends() {
    let mut rig = plain();
    let mut planned = planned();
    planned[0].pierce = true;
    rig.apply(CALL, &planned, &routes());
    assert_eq!(rig.world.sent, [sent(A, &EMPTY, alice())]);
    rig.apply(CALL, &planned, &routes());
    assert_eq!(rig.world.sent.len(), 1);
    for _ in 0..3 {
        assert_eq!(rig.pipeline.next_timeout(), Some(rig.now + 1.0));
        rig.wait(0.5);
        rig.wait(0.5);
    }
    assert_eq!(rig.world.sent, vec![sent(A, &EMPTY, alice()); 4]);
    assert_eq!(rig.count(A).packets_out, 4);
    rig.receive(A, &rtp(1), alice());
    rig.wait(1.0);
    assert_eq!((rig.pipeline.next_timeout(), rig.world.sent.len()), (None, 5));
}

#[test]
fn a_call_that_ends_opens_no_ways() {
    let mut rig = plain();
    let mut planned = planned();
    planned[0].pierce = true;
    rig.apply(CALL, &planned[..1], &[]);
    rig.apply(CALL, &[], &[]);
    assert_eq!(rig.pipeline.next_timeout(), None);
}

/// A call whose both peers are our own ports: A's packets go to B's port, and B's to A's (security case S14).
fn looped() -> Rig {
    let mut rig = plain();
    let here = rig.local(A);
    let latch = for_peer(&Latch { learning: Learning::Off, ..Latch::default() }, here);
    let socket = |id, peer| Socket { id, signalled: Some(peer), latch: latch.clone(), ..Socket::default() };
    let sockets = [socket(A, rig.local(B)), socket(B, rig.local(A))];
    rig.apply(CALL, &sockets, &routes()[..2]);
    rig
}

/// How often the packet was sent before it came to rest; the network takes each packet to the port it is for.
fn run(rig: &mut Rig, data: &[u8]) -> usize {
    let mut pending = rig.receive(A, data, rig.local(B));
    let mut count = 0;
    while let Some(hop) = pending.pop() {
        count += 1;
        assert!(count < 100);
        pending.extend(rig.receive(rig.owner(hop.to), &hop.data, rig.local(hop.socket)));
    }
    count
}

#[test]
fn a_loop_is_cut_s14() {
    let mut rig = looped();
    for number in 0..20 {
        assert_eq!(run(&mut rig, &rtp(number)), 1);
    }
    assert_eq!(rig.count(B).errors_out, 20);
}

#[test]
fn calls_that_are_chained_through_us_are_no_loop() {
    let mut rig = plain();
    let (next_a, next_b) = (rig.open(OTHER), rig.open(OTHER));
    let mut chained = planned();
    chained[2].signalled = Some(rig.local(next_a));
    rig.apply(CALL, &chained, &routes());
    let off = Latch { learning: Learning::Off, ..Latch::default() };
    let before = rig.local(B);
    let sockets = [
        Socket { id: next_a, signalled: Some(before), latch: for_peer(&off, before), ..Socket::default() },
        Socket { id: next_b, signalled: Some(bob()), latch: off, ..Socket::default() },
    ];
    rig.apply(OTHER, &sockets, &[route(next_a, next_b, Carries::Rtp)]);
    for number in 0..50 {
        let hops = rig.receive(A, &rtp(number), alice());
        assert_eq!(hops, [sent(B, &rtp(number), rig.local(next_a))]);
        assert_eq!(rig.receive(next_a, &hops[0].data, before), [sent(next_b, &rtp(number), bob())]);
    }
}

#[test]
fn a_port_that_is_opened_later_is_our_own_too() {
    let mut rig = plain();
    let mut planned = planned();
    planned[2].signalled = Some(rig.local(5));
    rig.apply(CALL, &planned, &routes());
    assert_eq!(rig.receive(A, &rtp(1), alice()).len(), 1);
    assert_eq!(rig.open(CALL), 5);
    assert_eq!(rig.receive(A, &rtp(2), alice()).len(), 1);
    assert_eq!(rig.receive(A, &rtp(2), alice()), []);
}

#[test]
fn a_port_that_was_closed_is_not_our_own_any_more() {
    let mut rig = plain();
    let later = rig.open(OTHER);
    let mut planned = planned();
    planned[2].signalled = Some(rig.local(later));
    rig.apply(CALL, &planned, &routes());
    assert_eq!([1, 0].map(|_| rig.receive(A, &rtp(1), alice()).len()), [1, 0]);
    rig.apply(OTHER, &[], &[]);
    assert_eq!(rig.receive(A, &rtp(1), alice()).len(), 1);
}

#[test]
fn elsewhere_doubled_packets_pass() {
    let mut rig = plain();
    assert_eq!(rig.receive(A, &rtp(1), alice()).len(), 1);
    assert_eq!(rig.receive(A, &rtp(1), alice()).len(), 1);
}
