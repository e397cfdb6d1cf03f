//! SRTP state of a call: shared by equal keys, lasting as long as plans have them, never shared between calls.

mod rig;

use std::rc::Rc;
use std::sync::Arc;

use ngdaemon_engine::contexts::{Contexts, MAX_RETIRED};
use ngdaemon_engine::plan::{Carries, Hold, Plan, Protection, Selector, Socket};

use rig::samples::{self, Rtp};
use rig::secured::*;
use rig::*;

fn sends(seed: u8) -> Protection {
    Protection { send: Some(keys(seed)), ..Protection::default() }
}

fn with(protection: &Protection) -> Plan {
    let socket = Socket { id: A, protection: Some(protection.clone()), ..Socket::default() };
    Plan { sockets: vec![socket], routes: vec![] }
}

#[test]
fn a_change_of_port_is_no_new_start() {
    let mut call = secured_call();
    for number in [65534, 65535, 0] {
        assert_eq!(call.say(&rtp(number)).len(), 1);
        assert_eq!(call.hears(&rtp(number)).len(), 1);
    }
    let replayed = call.alice.rtp(&rtp(1));
    call.rig.receive(A, &replayed, alice());
    let elsewhere = call.rig.open(CALL);
    let mut planned = call.sockets();
    planned.push(Socket { id: elsewhere, ..planned[0].clone() });
    let routes = [route(elsewhere, B, Carries::Rtp), route(B, elsewhere, Carries::Rtp)];
    call.rig.apply(CALL, &planned, &routes);
    call.rig.apply(CALL, &planned[1..], &routes);
    assert_eq!(call.rig.receive(elsewhere, &replayed, alice()), []);
    assert_eq!(call.rig.count(elsewhere).replayed, 1);
    let packet = call.alice.rtp(&rtp(2));
    assert_eq!(call.rig.receive(elsewhere, &packet, alice()), [sent(B, &rtp(2), bob())]);
    let left = call.rig.receive(B, &rtp(1), bob());
    assert_eq!((left[0].socket, call.alice.open_rtp(&left[0].data)), (elsewhere, Ok(rtp(1))));
}

#[test]
fn the_same_plan_again_changes_nothing() {
    let mut call = secured_call();
    for number in (65530..=65535).chain(0..10) {
        call.plan();
        assert_eq!(call.say(&rtp(number)), [sent(B, &rtp(number), bob())]);
        assert_eq!(call.hears(&rtp(number)), [rtp(number)]);
    }
}

#[test]
fn rtp_and_rtcp_ports_with_equal_keys_share_them() {
    let mut contexts = Contexts::default();
    let protection = Protection { receive: vec![hers()], ..sends(2) };
    let again = Protection { receive: vec![keys(1)], ..sends(2) };
    let (first, second) = (contexts.receivers(&protection, &[]), contexts.receivers(&again, &[]));
    assert!(Rc::ptr_eq(&first[0], &second[0]));
    let (first, second) = (contexts.sender(&protection, None).unwrap(), contexts.sender(&again, None).unwrap());
    assert!(Rc::ptr_eq(&first, &second));
}

#[test]
fn calls_do_not_share_state() {
    let mut call = secured_call();
    let number = call.rig.open(OTHER);
    let planned = Socket { id: number, ..call.sockets()[0].clone() };
    call.rig.apply(OTHER, &[planned], &[]);
    let packet = call.alice.rtp(&rtp(1));
    call.rig.receive(A, &packet, alice());
    call.rig.receive(number, &packet, alice());
    let counted = call.rig.pipeline.counters(OTHER);
    assert_eq!((counted[0].2.packets_in, counted[0].2.replayed), (1, 0));
}

/// SDES-11, SRTP-03: a phone that goes on with its key and rollover counter is heard, and nobody can replay it.
#[test]
fn what_was_received_with_a_key_that_comes_back_is_remembered() {
    let mut call = secured_call();
    for number in [65535, 0] {
        assert_eq!(call.say(&rtp(number)).len(), 1);
    }
    let overheard = call.alice.rtp(&rtp(1));
    assert_eq!(call.rig.receive(A, &overheard, alice()).len(), 1);
    let mut planned = call.sockets();
    planned[0].protection = None;
    call.rig.apply(CALL, &planned, &[]);
    call.plan();
    assert_eq!(call.rig.receive(A, &overheard, alice()), []);
    assert_eq!(call.rig.count(A).replayed, 1);
    assert_eq!(call.say(&rtp(2)), [sent(B, &rtp(2), bob())]);
}

#[test]
fn what_was_sent_with_a_key_that_comes_back_is_remembered_s15() {
    let mut call = secured_call();
    assert_eq!(call.rig.receive(B, &rtp(1), bob()).len(), 1);
    let mut planned = call.sockets();
    planned[0].protection = None;
    call.rig.apply(CALL, &planned, &muxed_routes());
    call.plan();
    let other = Rtp { payload: b"other", ..Rtp::of(1) }.packet();
    assert_eq!(call.rig.receive(B, &other, bob()), []);
    assert_eq!(call.rig.receive(B, &rtp(2), bob()).len(), 1);
}

#[test]
fn few_keys_are_remembered() {
    let mut contexts = Contexts::default();
    let protections: Vec<_> = (0..3 * MAX_RETIRED as u8).map(sends).collect();
    let mut senders = Vec::new();
    for protection in &protections {
        senders.push(contexts.sender(protection, None).unwrap());
        contexts.keep(&with(protection));
    }
    contexts.keep(&Plan::default());
    for (place, (protection, before)) in protections.iter().zip(&senders).enumerate() {
        let again = contexts.sender(protection, None).unwrap();
        assert_eq!(Rc::ptr_eq(&again, before), place >= 2 * MAX_RETIRED, "{place}");
    }
}

#[test]
fn awaited_keys_make_nothing() {
    let mut contexts = Contexts::default();
    assert!(contexts.receivers(&Protection::default(), &[]).is_empty());
    assert!(contexts.sender(&Protection::default(), None).is_none());
}

#[test]
fn keys_that_cannot_be_used_let_nothing_through() {
    let mut contexts = Contexts::default();
    let mut bad = hers().as_ref().clone();
    bad.mki = vec![0; 129];
    let bad = Arc::new(bad);
    let protection = Protection { receive: vec![bad.clone()], send: Some(bad), ..Protection::default() };
    assert!(contexts.receivers(&protection, &[]).is_empty());
    assert!(contexts.sender(&protection, None).is_none());
}

#[test]
fn equal_keys_for_both_directions_do_not_share() {
    let mut call = secured_call();
    call.receive_with(&[ours()]);
    let mut echo = Far::new(&ours(), &ours());
    assert_eq!(call.rig.receive(A, &echo.rtp(&rtp(1)), alice()), [sent(B, &rtp(1), bob())]);
    let packet = Rtp { ssrc: 5, ..Rtp::of(1) }.packet();
    let left = call.rig.receive(B, &packet, bob());
    assert_eq!(echo.open_rtp(&left[0].data), Ok(packet));
}

#[test]
fn reports_on_what_was_renumbered_name_the_numbers_of_its_sender_srtp_04() {
    let mut call = secured_call();
    call.protection.low_start = true;
    call.plan();
    let heard = call.hears(&Rtp { ssrc: 9, ..Rtp::of(40000) }.packet());
    assert_eq!(heard[0][2..4], (40000u16 - 32768).to_be_bytes());
    let about = |highest: u32| samples::receiver_report(1, &[samples::block(9, highest)]);
    assert_eq!(call.report(&about(40000 - 32768)), [sent(B, &about(40000), bob())]);
}

/// Its keys too (GATE-05): nothing holds on to itself.
#[test]
fn a_secured_call_that_ended_is_freed() {
    let mut call = secured_call();
    let hold = Some(Hold::default());
    call.protection = Protection { hold, ..Protection::default() };
    call.plan();
    call.say(&rtp(0));
    let (hers, ours) = (keys(21), keys(22));
    let (her_keys, our_keys) = (Arc::downgrade(&hers), Arc::downgrade(&ours));
    call.alice = Far::new(&hers, &ours);
    call.protection = Protection { receive: vec![hers], send: Some(ours), ..Protection::default() };
    let selector = Some(Arc::new(Selector { ssrcs: [0x1234].into(), ..Selector::default() }));
    let mut routes = muxed_routes();
    routes[0].selector = selector;
    call.plan_with(&routes);
    for number in 1..3 {
        call.say(&rtp(number));
        call.hears(&rtp(number));
    }
    assert_eq!(call.rig.count(A).packets_in, 2);
    call.rig.apply(CALL, &[], &[]);
    call.protection = Protection::default();
    assert_eq!((her_keys.strong_count(), our_keys.strong_count()), (0, 0));
}
