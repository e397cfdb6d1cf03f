//! Secured ports: what comes in is authenticated first, what leaves is protected or does not leave (contract 11).

mod rig;

use std::sync::Arc;

use ngdaemon_engine::plan::{Carries, Hold, Latch, Learning, Protection, Route, Socket};
use ngdaemon_engine::report::{SocketCounters, What};
use ngdaemon_engine::rtp::demux::{Kind, classify};

use rig::samples::{self, Rng, Rtp};
use rig::secured::*;
use rig::*;

mod both_directions {
    use super::*;

    #[test]
    fn media_and_reports_are_decrypted_and_encrypted() {
        for suite in SUITES {
            let mut call = secured_call_of(suite, &immediate(), &muxed_routes());
            for number in 1..6 {
                assert_eq!(call.say(&rtp(number)), [sent(B, &rtp(number), bob())]);
                let back = Rtp { ssrc: 9, ..Rtp::of(number) }.packet();
                assert_eq!(call.hears(&back), [back]);
                assert_eq!(call.report(&report()), [sent(B, &report(), bob())]);
                let sent = call.rig.receive(B, &report(), bob());
                assert_eq!(call.alice.open_rtcp(&sent[0].data), Ok(report()));
            }
        }
    }

    #[test]
    fn srtp_11_a_hop_that_only_rekeys_changes_nothing_else() {
        let plain = Rtp::of(1);
        let packets = [
            Rtp { marker: true, payload_type: 111, ..plain },
            Rtp { csrcs: 2, extension: Some(&[0, 1, 2, 3, 4, 5, 6, 7]), padding: 4, ..plain },
            Rtp { payload: b"", ..plain },
            Rtp { ssrc: u32::MAX, ..Rtp::of(65535) },
            Rtp { payload: &[0; 1500], ..plain },
        ];
        for packet in packets.map(|packet| packet.packet()) {
            let mut call = secured_call();
            call.bob_protection =
                Some(Protection { receive: vec![keys(8)], send: Some(keys(7)), ..Protection::default() });
            call.plan();
            let arrived = call.alice.rtp(&packet);
            let sent = call.rig.receive(A, &arrived, alice());
            assert_eq!(sent.len(), 1);
            assert!(sent[0].data != packet && sent[0].data != arrived);
            assert_eq!(Far::new(&keys(8), &keys(7)).open_rtp(&sent[0].data), Ok(packet));
        }
    }

    #[test]
    fn counters_are_of_what_was_on_the_wire() {
        let mut call = secured_call();
        for number in 1..4 {
            call.say(&rtp(number));
            call.hears(&rtp(number));
        }
        let counted = call.rig.count(A);
        assert_eq!((counted.packets_in, counted.bytes_in), (3, 3 * (172 + 10)));
        assert_eq!((counted.packets_out, counted.bytes_out), (3, 3 * (172 + 10)));
        let source = counted.sources[0];
        assert_eq!((source.packets, source.bytes, source.lost), (3, 3 * 182, 0));
    }

    #[test]
    fn taps_blocking_silence_and_feedback_see_clear_packets() {
        let routes = [
            Route { mirror: true, dropped: vec![101], silenced: vec![(0, 0xFF)], ..route(A, B, Carries::Rtp) },
            Route { drop_feedback: true, mirror: true, ..route(A, B, Carries::Rtcp) },
        ];
        let mut call = secured_call_of(CM_80, &immediate(), &routes);
        let compound = [report(), samples::transport_feedback(1, 2, &[])].concat();
        let blocked = Rtp { payload_type: 101, ..Rtp::of(1) }.packet();
        let silent = Rtp { payload: &[0xFF; 160], ..Rtp::of(2) }.packet();
        assert_eq!(call.say(&blocked), []);
        assert_eq!(call.say(&rtp(2)), [sent(B, &silent, bob())]);
        assert_eq!(call.report(&compound), [sent(B, &report(), bob())]);
        assert_eq!(call.rig.tapped(), [blocked, rtp(2), compound]);
    }

    #[test]
    fn several_sinks_get_what_they_can_read() {
        let routes = [A, B, A, B].map(|sink| route(A, sink, Carries::Rtp));
        let mut call = secured_call_of(CM_80, &immediate(), &routes);
        for number in 1..4 {
            let left = call.say(&rtp(number));
            assert_eq!(left.iter().map(|item| item.socket).collect::<Vec<_>>(), [A, B, B], "no index is used twice");
            assert_eq!((&left[1].data, &left[2].data), (&rtp(number), &rtp(number)));
            assert_eq!(call.alice.open_rtp(&left[0].data), Ok(rtp(number)));
        }
    }

    #[test]
    fn rtcp_mux_on_one_side_alone() {
        let mut call = secured_call();
        call.rig.open(CALL);
        let mut planned = call.sockets();
        let anyone = Latch { plausible: None, ..Latch::default() };
        planned.push(Socket { id: B_RTCP, signalled: Some(bob()), latch: anyone, rtcp: true, ..Socket::default() });
        let routes = [route(A, B_RTCP, Carries::Rtcp), route(B_RTCP, A, Carries::Rtcp)];
        call.rig.apply(CALL, &planned, &routes);
        assert_eq!(call.report(&report()), [sent(B_RTCP, &report(), bob())]);
        let sent = call.rig.receive(B_RTCP, &report(), bob());
        assert_eq!(call.alice.open_rtcp(&sent[0].data), Ok(report()));
    }
}

mod nothing_clear {
    use super::*;

    #[test]
    fn clear_packets_never_come_in_and_never_move_a_latch_mbx_04() {
        for data in [rtp(1).as_slice(), &report(), ZRTP] {
            let mut call = secured_call();
            let before = call.rig.count(A);
            for source in [alice(), moved()] {
                assert_eq!(call.rig.receive(A, data, source), []);
            }
            assert_eq!(call.rig.count(A), SocketCounters { errors_in: 2, unauthenticated: 2, ..before });
            assert_eq!(call.rig.learned(), []);
            assert_eq!(call.hears(&rtp(1)), [rtp(1)]);
            assert_eq!(call.rig.world.sent.last().map(|item| item.to), Some(alice()));
        }
    }

    #[test]
    fn what_is_sent_before_there_are_keys_does_not_leave_mbx_07_mbx_08() {
        let mut call = secured_call();
        call.protection.send = None;
        call.plan();
        for data in [rtp(1).as_slice(), &report(), ZRTP] {
            assert_eq!(call.rig.receive(B, data, bob()), []);
        }
        let counted = call.rig.count(A);
        assert_eq!((counted.withheld, counted.errors_out, counted.packets_out), (3, 0, 0));
        call.protection.send = Some(ours());
        call.plan();
        assert_eq!(call.hears(&rtp(2)), [rtp(2)]);
    }

    #[test]
    fn zrtp_of_a_clear_peer_does_not_leave_a_secured_port() {
        let mut call = secured_call();
        assert_eq!(call.rig.receive(B, ZRTP, bob()), []);
        assert_eq!(call.rig.count(A).withheld, 1);
    }

    #[test]
    fn bytes_that_are_no_rtp_pass_neither_way() {
        let mut call = secured_call();
        let mut planned = call.sockets();
        planned.iter_mut().for_each(|socket| socket.relay_only = true);
        call.rig.apply(CALL, &planned, &[route(A, B, Carries::Any), route(B, A, Carries::Any)]);
        assert_eq!(call.rig.receive(A, b"T.38", alice()), []);
        assert_eq!(call.rig.receive(B, b"T.38", bob()), []);
        assert_eq!(call.say(&rtp(1)), []);
        assert_eq!((call.rig.count(A).unauthenticated, call.rig.count(A).withheld), (2, 1));
    }

    #[test]
    fn the_packet_that_opens_a_way_waits_for_keys_and_is_protected() {
        let mut call = secured_call();
        let mut planned = call.sockets();
        planned[0].pierce = true;
        planned[0].protection = Some(Protection::default());
        call.rig.apply(CALL, &planned, &muxed_routes());
        call.rig.wait(1.0);
        assert_eq!(call.rig.world.sent, []);
        planned[0].protection = Some(call.protection.clone());
        call.rig.apply(CALL, &planned, &muxed_routes());
        (0..3).for_each(|_| call.rig.wait(1.0));
        let left = &call.rig.world.sent;
        let opened: Vec<_> = left.iter().map(|item| call.alice.open_rtp(&item.data).unwrap()).collect();
        assert_eq!(opened.len(), 3);
        assert!(opened.iter().all(|data| classify(data) == Kind::Rtp && data.len() == 12));
    }

    #[test]
    fn a_leg_that_becomes_secure_takes_nothing_clear_any_more() {
        let mut call = secured_call();
        let mut planned = call.sockets();
        planned[0].protection = None;
        call.rig.apply(CALL, &planned, &muxed_routes());
        assert_ne!(call.rig.receive(A, &rtp(1), alice()), []);
        assert_ne!(call.rig.receive(A, &rtp(2), alice()), []);
        call.plan();
        assert_eq!(call.rig.receive(A, &rtp(3), alice()), []);
        assert_eq!(call.say(&rtp(4)), [sent(B, &rtp(4), bob())]);
    }
}

mod strangers {
    use super::*;

    #[test]
    fn forged_packets_move_a_counter_and_nothing_else_s06() {
        let mut call = secured_call();
        call.say(&rtp(65000));
        call.rig.events();
        let before = call.rig.count(A);
        call.rig.wait(5.0);
        let (mut rng, mut total) = (Rng::new(6), 0);
        for ssrc in [0x1234, 0x1234, 0x9999] {
            for number in [0, 1, 64999, 65001, 65535, 32000] {
                let payload: Vec<u8> = (0..20).map(|_| rng.draw() as u8).collect();
                let forged = Rtp { ssrc, payload: &payload, ..Rtp::of(number) }.packet();
                for _ in 0..500 {
                    assert_eq!(call.rig.receive(A, &forged, alice()), []);
                    total += 1;
                }
            }
        }
        let counted = call.rig.count(A);
        let (unauthenticated, replayed) = (counted.unauthenticated, counted.replayed);
        assert_eq!(unauthenticated + replayed, total);
        assert_eq!(counted, SocketCounters { errors_in: total, unauthenticated, replayed, ..before });
        assert_eq!(call.rig.events(), []);
        assert_eq!(call.say(&rtp(65001)), [sent(B, &rtp(65001), bob())]);
        assert_eq!(call.say(&rtp(3)), [sent(B, &rtp(3), bob())]);
    }

    #[test]
    fn the_same_packet_five_times_comes_out_once_srtp_03() {
        let mut call = secured_call();
        let far = &mut call.alice;
        for packet in [far.rtp(&rtp(1)), far.rtp(&rtp(2)), far.rtcp(&report())] {
            let left = [(); 5].map(|()| call.rig.receive(A, &packet, alice()).len());
            assert_eq!(left, [1, 0, 0, 0, 0]);
        }
        let counted = call.rig.count(A);
        assert_eq!((counted.packets_in, counted.replayed), (3, 12));
        assert_eq!((counted.unauthenticated, counted.errors_in), (0, 12));
    }

    #[test]
    fn one_who_replays_gets_nothing_and_moves_nothing_s02() {
        let mut call = secured_call();
        let packet = call.alice.rtp(&rtp(1));
        call.rig.receive(A, &packet, alice());
        assert_eq!(call.rig.receive(A, &packet, moved()), []);
        assert_eq!(call.rig.count(A).peer, Some(alice()));
    }

    #[test]
    fn an_implausible_source_is_a_stranger_whatever_keys_it_has() {
        let mut call = secured_call();
        let packet = call.alice.rtp(&rtp(1));
        assert_eq!(call.rig.receive(A, &packet, stranger()), []);
        let counted = call.rig.count(A);
        assert_eq!((counted.strangers, counted.errors_in, counted.unauthenticated), (1, 1, 0));
        assert_eq!(call.rig.events(), [What::Stranger { source: stranger(), at: call.rig.now }]);
    }

    #[test]
    fn authentic_media_moves_the_latch_once_for_each_exchange_mbx_05() {
        let mut call = secured_call();
        let third = at("198.51.100.1", 5555);
        let [one, two, three] = [1, 2, 3].map(|number| call.alice.rtp(&rtp(number)));
        call.rig.receive(A, &one, moved());
        call.rig.receive(A, &two, third);
        assert_eq!(call.rig.learned(), [(moved(), true)]);
        assert_eq!(call.rig.count(A).peer, Some(moved()));
        call.latch.generation = 2;
        call.plan();
        call.rig.receive(A, &three, third);
        assert_eq!(call.rig.learned(), [(third, true)]);
    }

    #[test]
    fn a_peer_that_moves_back_and_forth_is_followed_with_handover() {
        let mut call = secured_call_of(CM_80, &Latch { handover: true, ..immediate() }, &muxed_routes());
        for number in 1..9 {
            let packet = call.alice.rtp(&rtp(number));
            call.rig.receive(A, &packet, if [3, 4, 7].contains(&number) { moved() } else { alice() });
        }
        let peers: Vec<_> = call.rig.learned().into_iter().map(|(peer, _)| peer).collect();
        assert_eq!(peers, [alice(), moved(), alice(), moved(), alice()]);
        let (report, packet) = (call.alice.rtcp(&report()), call.alice.rtp(&rtp(9)));
        call.rig.receive(A, &report, moved());
        call.rig.receive(A, &packet, alice());
        let peers: Vec<_> = call.rig.learned().into_iter().map(|(peer, _)| peer).collect();
        assert_eq!(peers, [moved(), alice()]);
    }

    #[test]
    fn with_a_selected_pair_nothing_else_is_taken_in_or_sent_to_s08() {
        let latch = Latch { sources: Some(Arc::new([alice()].into())), ..immediate() };
        let mut call = secured_call_of(CM_80, &latch, &muxed_routes());
        assert_eq!(call.say(&rtp(1)), [sent(B, &rtp(1), bob())]);
        for (number, source) in [(2, moved()), (3, stranger())] {
            let packet = call.alice.rtp(&rtp(number));
            assert_eq!(call.rig.receive(A, &packet, source), []);
        }
        let counted = call.rig.count(A);
        assert_eq!((counted.strangers, counted.peer, counted.confirmed), (2, Some(alice()), true));
        assert_eq!(call.rig.learned(), []);
    }

    #[test]
    fn a_refused_source_does_not_use_up_a_packet() {
        let mut call = secured_call_of(CM_80, &Latch { strict: true, ..immediate() }, &muxed_routes());
        call.say(&rtp(1));
        let packet = call.alice.rtp(&rtp(2));
        assert_eq!(call.rig.receive(A, &packet, moved()), []);
        assert_eq!(call.rig.receive(A, &packet, alice()), [sent(B, &rtp(2), bob())]);
    }

    /// A sprayer from elsewhere and one from behind the peer's own address: clear, forged and replayed.
    fn spray(call: &mut SecuredCall, seen: &[Vec<u8>]) {
        let forged = Rtp { payload: &[0; 170], ..Rtp::of(2) }.packet();
        let newest = &seen[seen.len().saturating_sub(20)..];
        for source in [stranger(), moved()] {
            for data in [rtp(1), forged.clone(), report(), ZRTP.to_vec()].iter().chain(newest) {
                call.rig.receive(A, data, source);
            }
        }
    }

    fn story(latch: Latch, anyone: bool) {
        let mut call = secured_call_of(CM_80, &latch, &muxed_routes());
        if anyone {
            call.latch.plausible = None;
        }
        call.protection = Protection { hold: Some(Hold::default()), ..Protection::default() };
        let mut planned = call.sockets();
        planned[0].signalled = None;
        call.rig.apply(CALL, &planned, &muxed_routes());
        let (mut seen, mut said) = (Vec::new(), Vec::new());
        spray(&mut call, &seen);
        call.rig.wait(2.0);
        for generation in [1, 2] {
            call.latch.generation = generation;
            call.protection = Protection { receive: vec![hers()], send: Some(ours()), ..Protection::default() };
            call.plan();
            for step in 0..5 {
                spray(&mut call, &seen);
                let number = 10 * (5 * generation as u16 + step);
                for item in [number, number + 1] {
                    seen.push(call.alice.rtp(&rtp(item)));
                    said.push(rtp(item));
                    call.rig.receive(A, &seen[seen.len() - 1], alice());
                }
                call.rig.receive(B, &rtp(number), bob());
                spray(&mut call, &seen);
                call.rig.wait(0.9);
            }
        }
        let left = &call.rig.world.sent;
        let heard: Vec<_> = left.iter().filter(|item| item.socket == B).map(|item| item.data.clone()).collect();
        assert_eq!(heard, said);
        assert!(left.iter().filter(|item| item.socket == A).all(|item| item.to == alice()));
        assert!(call.rig.learned().iter().all(|(peer, _)| [alice(), bob()].contains(peer)));
    }

    #[test]
    fn a_sprayer_gets_and_gives_nothing_s01_s02() {
        for learning in [Learning::Off, Learning::Immediate, Learning::Delayed, Learning::Heuristic] {
            for flags in 0..8 {
                let (strict, handover) = (flags & 1 != 0, flags & 2 != 0);
                story(Latch { learning, strict, handover, ..Latch::default() }, flags & 4 != 0);
            }
        }
    }
}

mod classes {
    use super::*;

    /// What became of a datagram that is neither media nor bad: no counter knows of it.
    fn judge(call: &mut SecuredCall, data: &[u8], secured: bool) {
        let before = call.rig.count(A);
        let left = call.rig.receive(A, data, alice());
        let (after, events) = (call.rig.count(A), call.rig.events());
        match classify(data) {
            Kind::Stun | Kind::Dtls | Kind::Turn => {
                assert_eq!(events, [What::Punted { source: alice(), data: data.to_vec(), at: call.rig.now }]);
                assert_eq!((after, left), (before, vec![]));
            }
            kind if secured || kind == Kind::Unknown || after.packets_in == before.packets_in => {
                assert_eq!((after.errors_in, after.packets_in), (before.errors_in + 1, before.packets_in));
                assert_eq!(left, []);
                assert!(events.iter().all(|what| matches!(what, What::Unreadable { .. })));
            }
            kind => {
                assert_eq!(left, [sent(B, data, bob())]);
                assert!(matches!(kind, Kind::Rtp | Kind::Zrtp));
            }
        }
    }

    #[test]
    fn every_first_octet_and_length_is_of_its_class_dmx_01() {
        for secured in [false, true] {
            let mut call = secured_call();
            let mut planned = call.sockets();
            if !secured {
                planned[0].protection = None;
            }
            call.rig.apply(CALL, &planned, &muxed_routes());
            for first in 0..=255 {
                let mut data = [0; 64];
                data[0] = first;
                (0..=data.len()).for_each(|length| judge(&mut call, &data[..length], secured));
            }
        }
    }

    #[test]
    fn protected_packets_of_any_length_do_no_harm_s03() {
        let mut call = secured_call();
        call.report(&report());
        call.say(&rtp(1));
        let long = Rtp { csrcs: 15, extension: Some(&[0; 8]), ..Rtp::of(2) }.packet();
        for packet in [call.alice.rtcp(&report()), call.alice.rtp(&long)] {
            for length in 0..packet.len() {
                assert_eq!(call.rig.receive(A, &packet[..length], alice()), []);
            }
            assert_eq!(call.rig.receive(A, &packet, alice()).len(), 1);
        }
        assert_eq!(call.rig.count(A).packets_in, 4);
    }

    #[test]
    fn a_report_that_is_authentic_and_malformed_is_dropped() {
        let routes = [Route { drop_feedback: true, ..route(A, B, Carries::Rtcp) }];
        let mut call = secured_call_of(CM_80, &immediate(), &routes);
        assert_eq!(call.report(&[report(), vec![0x80, 0xC9, 0, 0x63]].concat()), []);
        assert_eq!((call.rig.count(A).errors_in, call.rig.count(A).packets_in), (1, 0));
    }

    #[test]
    fn handshakes_and_checks_are_punted_while_keys_are_awaited() {
        let mut call = secured_call();
        call.protection = Protection::default();
        call.plan();
        for data in [STUN, DTLS] {
            call.rig.receive(A, data, stranger());
            let punted = What::Punted { source: stranger(), data: data.to_vec(), at: call.rig.now };
            assert_eq!(call.rig.events(), [punted]);
        }
    }
}
