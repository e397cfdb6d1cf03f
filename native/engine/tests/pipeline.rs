//! Plans put into force.

mod rig;

use ngdaemon_engine::plan::{Carries, Latch, Learning, Socket};

use rig::*;

fn plain() -> Rig {
    plain_call(&Latch::default(), &routes())
}

fn planned() -> Vec<Socket> {
    sockets(&Latch::default())
}

fn open_ports(rig: &Rig) -> Vec<u64> {
    rig.pipeline.counters(CALL).into_iter().map(|(id, _, _)| id).collect()
}

#[test]
fn a_port_is_silent_until_a_plan_names_it() {
    let mut rig = Rig::default();
    let number = rig.open(CALL);
    assert_eq!(rig.receive(number, &rtp(1), alice()), []);
    assert_eq!(rig.count(number).errors_in, 0);
}

#[test]
fn what_is_not_named_is_closed() {
    let mut rig = plain();
    assert_eq!(rig.apply(CALL, &planned()[..2], &routes()), [B, B_RTCP]);
    assert_eq!(open_ports(&rig), [A, A_RTCP]);
}

#[test]
fn an_empty_plan_ends_the_call() {
    let mut rig = plain();
    assert_eq!(rig.apply(CALL, &[], &[]), [A, A_RTCP, B, B_RTCP]);
    assert_eq!(open_ports(&rig), []);
    assert_eq!(rig.apply(CALL, &[], &[]), []);
    assert_eq!(rig.receive(A, &rtp(1), alice()), []);
}

#[test]
fn a_slot_that_is_used_again_knows_nothing_of_the_port_before() {
    let mut rig = plain();
    rig.receive(A, &rtp(1), alice());
    rig.apply(CALL, &[], &[]);
    let again: Vec<u64> = (0..4).map(|_| rig.open(OTHER)).collect();
    assert!(again.iter().all(|number| *number > B_RTCP));
    assert!(again.iter().all(|number| rig.receive(*number, &rtp(2), alice()).is_empty()));
    for (_, _, counted) in rig.pipeline.counters(OTHER) {
        assert_eq!((counted.packets_in, counted.packets_out, counted.peer), (0, 0, None));
    }
    assert_eq!(rig.pipeline.octets(), 172);
}

#[test]
fn the_same_plan_again_changes_nothing() {
    let delayed = Latch { learning: Learning::Delayed, ..Latch::default() };
    let mut rig = plain_call(&delayed, &routes());
    rig.receive(A, &rtp(1), moved());
    rig.wait(2.0);
    assert_eq!(rig.apply(CALL, &sockets(&delayed), &routes()), []);
    rig.wait(1.0);
    rig.receive(A, &rtp(2), moved());
    assert_eq!(rig.learned(), [(moved(), false), (moved(), true)]);
    assert_eq!(rig.count(A).packets_in, 2);
}

#[test]
fn counters_outlast_new_generations() {
    let mut rig = plain();
    rig.receive(A, &rtp(1), alice());
    let before = rig.count(A);
    rig.apply(CALL, &sockets(&Latch { generation: 7, ..Latch::default() }), &routes());
    let mut after = rig.count(A);
    after.confirmed = true;
    assert_eq!(after, before);
    rig.receive(A, &rtp(2), alice());
    assert_eq!(rig.count(A).packets_in, 2);
}

#[test]
fn routes_change_between_two_packets() {
    let mut rig = plain();
    rig.receive(A, &rtp(1), alice());
    rig.apply(CALL, &planned(), &[]);
    assert_eq!(rig.receive(A, &rtp(2), alice()), []);
    rig.apply(CALL, &planned(), &[route(A, B_RTCP, Carries::Rtp)]);
    assert_eq!(rig.receive(A, &rtp(3), alice()), [sent(B_RTCP, &rtp(3), bob_rtcp())]);
}

#[test]
fn sockets_of_others_are_passed_over() {
    let mut rig = plain();
    let foreign = rig.open(OTHER);
    let mut named = planned();
    named.extend([foreign, 99].map(|id| Socket { id, signalled: Some(bob()), ..Socket::default() }));
    let mut routes = routes();
    routes.extend([route(A, foreign, Carries::Rtp), route(99, A, Carries::Rtp)]);
    assert_eq!(rig.apply(CALL, &named, &routes), []);
    assert_eq!(rig.receive(A, &rtp(1), alice()), [sent(B, &rtp(1), bob())]);
    assert!(rig.close(foreign), "no plan has named it");
}

#[test]
fn a_plan_for_a_call_without_ports_does_nothing() {
    assert_eq!(Rig::default().apply(OTHER, &planned(), &routes()), []);
}

#[test]
fn only_ports_that_no_plan_has_named_can_be_closed_alone() {
    let mut rig = plain();
    let extra = rig.open(CALL);
    assert!(rig.close(extra));
    assert!(!rig.close(extra));
    assert!(!rig.close(A));
    assert_ne!(rig.receive(A, &rtp(1), alice()), []);
}

#[test]
fn octets_are_summed_over_all_calls_that_were() {
    let mut rig = plain();
    rig.receive(A, &rtp(1), alice());
    rig.receive(B, &rtp(1), bob());
    assert_eq!(rig.pipeline.octets(), 344);
    rig.apply(CALL, &[], &[]);
    assert_eq!(rig.pipeline.octets(), 344);
}
