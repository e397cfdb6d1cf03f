//! Keys of a secured port: which one an SSRC is taken in with, what is not tried any more, and what waits for keys.

mod rig;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use ngdaemon_engine::gate::{Gate, MOST_UNREADABLE};
use ngdaemon_engine::holding::FAILURES;
use ngdaemon_engine::plan::{HELD_PACKETS, HELD_SOURCES, Hold, Protection, Socket};
use ngdaemon_engine::report::What;
use ngdaemon_engine::rtp::demux::Kind;
use ngdaemon_engine::srtp::{Inbound, Outbound};

use rig::samples::{self, Rtp};
use rig::secured::*;
use rig::*;

fn new_hers() -> Arc<ngdaemon_engine::srtp::Keys> {
    keys(11)
}

fn renewed() -> Far {
    Far::new(&new_hers(), &ours())
}

fn of(number: u16, ssrc: u32) -> Vec<u8> {
    Rtp { ssrc, ..Rtp::of(number) }.packet()
}

fn unreadable(call: &mut SecuredCall) -> usize {
    call.rig.events().iter().filter(|what| matches!(what, What::Unreadable { .. })).count()
}

mod binding {
    use super::*;

    #[test]
    fn each_ssrc_is_taken_in_with_the_key_that_it_authenticated_with_dmx_04() {
        let mut call = secured_call();
        call.receive_with(&[hers(), new_hers()]);
        let mut other = renewed();
        for number in 1..6 {
            assert_eq!(call.say(&rtp(number)), [sent(B, &rtp(number), bob())]);
            let packet = of(number, 77);
            assert_eq!(call.rig.receive(A, &other.rtp(&packet), alice()), [sent(B, &packet, bob())]);
        }
        let forged = Far::new(&keys(12), &ours()).rtp(&of(9, 78));
        assert_eq!(call.rig.receive(A, &forged, alice()), []);
        assert_eq!(call.rig.count(A).unauthenticated, 1);
    }

    fn gate() -> (Gate, [Rc<RefCell<Inbound>>; 2]) {
        let inbounds =
            [hers(), new_hers()].map(|keys| Rc::new(RefCell::new(Inbound::new(keys.as_ref().clone()).unwrap())));
        let mut gate = Gate::default();
        gate.restate(&inbounds, None);
        (gate, inbounds)
    }

    fn opens(gate: &mut Gate, out: &mut Outbound, number: u16) {
        let mut packet = rtp(number);
        out.rtp(&mut packet).unwrap();
        assert!(gate.open(&mut packet, Kind::Rtp, alice(), 0.0));
        assert_eq!(packet, rtp(number));
    }

    #[test]
    fn the_other_key_is_not_tried_for_a_bound_ssrc() {
        let (mut gate, [first, second]) = gate();
        let mut out = Outbound::new(new_hers().as_ref().clone(), u64::MAX).unwrap();
        (0..3).for_each(|number| opens(&mut gate, &mut out, number));
        assert!(Rc::ptr_eq(&gate.bound_to(0x1234).unwrap(), &second));
        assert!(!first.borrow().knows(0x1234));
    }

    #[test]
    fn a_sender_that_takes_a_new_key_is_bound_to_it_from_then_on() {
        let (mut gate, [old, new]) = gate();
        for (number, (keys, inbound)) in [(hers(), old), (new_hers(), new)].into_iter().enumerate() {
            let mut out = Outbound::new(keys.as_ref().clone(), u64::MAX).unwrap();
            opens(&mut gate, &mut out, number as u16);
            assert!(Rc::ptr_eq(&gate.bound_to(0x1234).unwrap(), &inbound));
        }
    }

    #[test]
    fn a_sender_that_takes_a_new_key_is_followed() {
        for start in [6, 3, 1] {
            let mut call = secured_call();
            (1..6).for_each(|number| assert_eq!(call.say(&rtp(number)).len(), 1));
            call.receive_with(&[new_hers(), hers()]);
            assert_eq!(call.say(&rtp(6)), [sent(B, &rtp(6), bob())]);
            let mut renewed = renewed();
            for number in start..start + 5 {
                let packet = renewed.rtp(&rtp(number));
                assert_eq!(call.rig.receive(A, &packet, alice()), [sent(B, &rtp(number), bob())]);
            }
        }
    }

    #[test]
    fn a_sender_may_keep_its_rollover_counter_with_a_new_key_srtp_06() {
        for keeps in [false, true] {
            let mut call = secured_call();
            [65534, 65535, 0, 1].into_iter().for_each(|number| assert_eq!(call.say(&rtp(number)).len(), 1));
            call.receive_with(&[new_hers(), hers()]);
            let mut renewed = Outbound::new(new_hers().as_ref().clone(), u64::MAX).unwrap();
            if keeps {
                let mut before = Outbound::new(hers().as_ref().clone(), u64::MAX).unwrap();
                [65534, 65535, 0].into_iter().for_each(|number| before.rtp(&mut rtp(number)).unwrap());
                renewed.restore(&before.state());
            }
            for number in 2..9 {
                let mut packet = rtp(number);
                renewed.rtp(&mut packet).unwrap();
                assert_eq!(call.rig.receive(A, &packet, alice()), [sent(B, &rtp(number), bob())]);
            }
        }
    }

    #[test]
    fn a_key_that_is_gone_takes_nothing_in() {
        let mut call = secured_call();
        call.say(&rtp(1));
        call.receive_with(&[new_hers()]);
        assert_eq!(call.say(&rtp(2)), []);
        assert_eq!(call.rig.receive(A, &renewed().rtp(&rtp(1)), alice()), [sent(B, &rtp(1), bob())]);
    }
}

mod failing {
    use super::*;

    #[test]
    fn the_genuine_sender_is_not_locked_out() {
        let mut call = secured_call();
        (0..100).for_each(|number| drop(call.rig.receive(A, &rtp(number), alice())));
        let reached: Vec<usize> = (1..2 * FAILURES as u16).map(|number| call.say(&rtp(number)).len()).collect();
        assert!(reached[FAILURES as usize..].iter().all(|count| *count == 1));
        let report = samples::receiver_report(0x1234, &[]);
        (0..2 * FAILURES).for_each(|_| assert_eq!(call.report(&report).len(), 1));
    }

    #[test]
    fn new_keys_make_everything_worth_trying() {
        let mut call = secured_call();
        let mut renewed = renewed();
        for number in 0..3 * FAILURES as u16 + 5 {
            call.rig.receive(A, &renewed.rtp(&rtp(number)), alice());
        }
        call.receive_with(&[hers(), new_hers()]);
        assert_eq!(call.rig.receive(A, &renewed.rtp(&rtp(100)), alice()), [sent(B, &rtp(100), bob())]);
    }
}

mod complaints {
    use super::*;

    const MOST: u16 = MOST_UNREADABLE as u16;

    #[test]
    fn that_nothing_authenticates_is_reported_once() {
        let mut call = secured_call();
        let mut wrong = renewed();
        for number in 0..3 * MOST {
            call.rig.receive(A, &wrong.rtp(&rtp(number)), alice());
            assert_eq!(unreadable(&mut call), usize::from(number == MOST - 1), "{number}");
        }
        assert_eq!(call.rig.count(A).unauthenticated, 3 * MOST_UNREADABLE);
    }

    #[test]
    fn it_says_who_sends_and_how_much() {
        let mut call = secured_call();
        (0..MOST).for_each(|number| drop(call.rig.receive(A, &rtp(number), alice())));
        let told = What::Unreadable { source: alice(), packets: MOST_UNREADABLE, at: call.rig.now };
        assert_eq!(call.rig.events(), [told]);
    }

    #[test]
    fn not_after_something_did() {
        let mut call = secured_call();
        call.say(&rtp(0));
        let mut wrong = renewed();
        (0..3 * MOST).for_each(|number| drop(call.rig.receive(A, &wrong.rtp(&of(number, 9)), alice())));
        assert_eq!(unreadable(&mut call), 0);
    }

    #[test]
    fn zrtp_is_no_media_that_could_be_authentic() {
        let mut call = secured_call();
        (0..3 * MOST).for_each(|_| drop(call.rig.receive(A, ZRTP, alice())));
        assert_eq!(call.rig.count(A).unauthenticated, 3 * MOST_UNREADABLE);
        assert_eq!(call.rig.events(), []);
    }

    #[test]
    fn new_keys_are_judged_anew() {
        let mut call = secured_call();
        call.say(&rtp(0));
        call.receive_with(&[keys(13)]);
        (0..MOST).for_each(|number| drop(call.say(&rtp(1 + number))));
        assert_eq!(unreadable(&mut call), 1);
    }

    #[test]
    fn what_comes_before_there_are_keys_does_not_count() {
        let mut call = secured_call();
        call.receive_with(&[]);
        (0..3 * MOST).for_each(|number| drop(call.say(&rtp(number))));
        call.receive_with(&[new_hers()]);
        (1..MOST).for_each(|number| drop(call.say(&rtp(1000 + number))));
        let counted = call.rig.count(A);
        assert_eq!((counted.unkeyed, counted.unauthenticated), (3 * MOST_UNREADABLE, 4 * MOST_UNREADABLE - 1));
        assert_eq!(unreadable(&mut call), 0);
    }
}

mod hold {
    use super::*;

    /// A call whose receive keys are awaited.
    fn awaiting(hold: Option<Hold>, signalled: bool) -> SecuredCall {
        let mut call = secured_call();
        call.protection = Protection { hold, ..Protection::default() };
        let mut sockets = call.sockets();
        sockets[0].signalled = sockets[0].signalled.filter(|_| signalled);
        call.rig.apply(CALL, &sockets, &muxed_routes());
        call
    }

    fn all() -> Option<Hold> {
        Some(Hold::default())
    }

    fn left(call: &SecuredCall) -> Vec<Vec<u8>> {
        call.rig.world.sent.iter().map(|item| item.data.clone()).collect()
    }

    #[test]
    fn media_before_the_keys_is_taken_in_when_they_come_in_order_mbx_06_mbx_09() {
        let mut call = awaiting(all(), true);
        let far = &mut call.alice;
        let early = [far.rtp(&rtp(1)), far.rtp(&of(1, 5)), far.rtcp(&report()), far.rtp(&rtp(2))];
        for packet in &early {
            assert_eq!(call.rig.receive(A, packet, moved()), []);
        }
        assert_eq!((call.rig.count(A).packets_in, call.rig.count(A).errors_in), (0, 0));
        assert_eq!(call.rig.learned(), []);
        call.rig.wait(0.5);
        call.protection = Protection { receive: vec![hers()], send: Some(ours()), ..Protection::default() };
        call.plan();
        assert_eq!(left(&call), [rtp(1), of(1, 5), report(), rtp(2)]);
        assert_eq!(call.rig.learned(), [(moved(), true)]);
        let counted = call.rig.count(A);
        assert_eq!((counted.packets_in, counted.last_packet, counted.errors_in), (4, Some(call.rig.now), 0));
        assert_eq!(call.say(&rtp(3)), [sent(B, &rtp(3), bob())]);
    }

    #[test]
    fn without_a_hold_it_is_dropped() {
        let mut call = awaiting(None, true);
        assert_eq!(call.say(&rtp(1)), []);
        call.receive_with(&[hers()]);
        assert_eq!(call.rig.world.sent, []);
        assert_eq!((call.rig.count(A).unauthenticated, call.rig.count(A).errors_in), (1, 1));
    }

    #[test]
    fn when_the_hold_ends_without_keys_it_is_forgotten() {
        for protection in [Some(Protection::default()), None] {
            let mut call = awaiting(all(), true);
            call.say(&rtp(1));
            call.rig.receive(A, &rtp(2), alice());
            let mut sockets = call.sockets();
            sockets[0] = Socket { protection, ..sockets[0].clone() };
            call.rig.apply(CALL, &sockets, &muxed_routes());
            call.receive_with(&[hers()]);
            assert_eq!(call.rig.world.sent, []);
            assert_eq!(call.rig.count(A).unauthenticated, 2);
        }
    }

    #[test]
    fn it_lasts_a_second_mbx_06() {
        let mut call = awaiting(all(), true);
        call.say(&rtp(1));
        call.rig.now += 0.6;
        call.say(&rtp(2));
        call.rig.now += 0.5;
        call.receive_with(&[hers()]);
        assert_eq!(left(&call), [rtp(2)]);
    }

    #[test]
    fn what_waited_too_long_is_forgotten_without_anything_happening() {
        let mut call = awaiting(all(), true);
        call.say(&rtp(1));
        for _ in 0..4 {
            let due = call.rig.pipeline.next_timeout().unwrap();
            call.rig.wait(due - call.rig.now);
        }
        assert_eq!(call.rig.count(A).unauthenticated, 1);
        call.receive_with(&[hers()]);
        call.rig.wait(5.0);
        assert_eq!(call.rig.pipeline.next_timeout(), None);
    }

    #[test]
    fn the_newest_of_each_ssrc_stay_and_of_few_ssrcs_mbx_06() {
        let mut call = awaiting(all(), true);
        for number in 0..100 {
            (1..8).for_each(|ssrc| drop(call.say(&of(number, ssrc))));
        }
        assert_eq!(call.rig.count(A).unauthenticated, 7 * 100 - (HELD_SOURCES * HELD_PACKETS) as u64);
        call.receive_with(&[hers()]);
        let expected = (36..100).flat_map(|number| (1..5).map(move |ssrc| of(number, ssrc)));
        assert_eq!(left(&call), expected.collect::<Vec<_>>());
    }

    #[test]
    fn only_the_sources_that_it_names_wait() {
        let fork = at("203.0.113.99", 7000);
        let named = Arc::new([fork].into());
        let mut call = awaiting(Some(Hold { sources: Some(named) }), true);
        for (number, source) in [(1, fork), (2, alice()), (3, stranger())] {
            let packet = call.alice.rtp(&rtp(number));
            call.rig.receive(A, &packet, source);
        }
        let counted = call.rig.count(A);
        assert_eq!((counted.unauthenticated, counted.strangers, counted.errors_in), (1, 1, 2));
        call.latch.sources = Some(Arc::new([fork].into()));
        call.receive_with(&[hers()]);
        assert_eq!(left(&call), [rtp(1)]);
    }

    #[test]
    fn whoever_sends_before_the_peer_is_signalled_waits_and_the_latch_decides_then() {
        let mut call = awaiting(all(), false);
        for (number, source) in [(1, alice()), (2, stranger())] {
            let packet = call.alice.rtp(&rtp(number));
            call.rig.receive(A, &packet, source);
        }
        call.receive_with(&[hers()]);
        assert_eq!(left(&call), [rtp(1)]);
        assert_eq!(call.rig.count(A).strangers, 1);
    }

    #[test]
    fn strangers_do_not_wait_once_the_peer_is_signalled() {
        let mut call = awaiting(all(), true);
        call.rig.receive(A, &rtp(1), stranger());
        assert_eq!((call.rig.count(A).strangers, call.rig.count(A).errors_in), (1, 1));
    }

    #[test]
    fn what_waited_and_is_forged_is_dropped_then() {
        let mut call = awaiting(all(), true);
        call.rig.receive(A, &rtp(1), alice());
        call.receive_with(&[hers()]);
        assert_eq!(call.rig.world.sent, []);
        assert_eq!(call.rig.count(A).unauthenticated, 1);
    }

    #[test]
    fn strangers_that_are_first_do_not_keep_the_phone_out_mbx_09() {
        let mut call = awaiting(all(), false);
        for ssrc in 100..200 {
            call.rig.receive(A, &[of(1, ssrc), vec![0; 60_000]].concat(), stranger());
        }
        (1..11).for_each(|number| drop(call.say(&rtp(number))));
        call.receive_with(&[hers()]);
        assert_eq!(left(&call), (1..11).map(rtp).collect::<Vec<_>>());
    }
}
