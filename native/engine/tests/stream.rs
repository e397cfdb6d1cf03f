//! What becomes of a datagram: classes, routes, counters, events.

mod rig;

use std::net::SocketAddr;

use ngdaemon_engine::plan::{Carries, Latch, Learning, Route, Socket};
use ngdaemon_engine::report::{SocketCounters, What};

use rig::samples::{self, Rtp};
use rig::*;

fn plain() -> Rig {
    plain_call(&Latch::default(), &routes())
}

fn plain_with(routes: &[Route]) -> Rig {
    plain_call(&Latch::default(), routes)
}

fn with(learning: Learning) -> Latch {
    Latch { learning, ..Latch::default() }
}

mod ways {
    use super::*;

    #[test]
    fn rtp_and_rtcp_of_either_leg_reach_the_other() {
        let mut rig = plain();
        let (packet, report) = (rtp(1), report());
        assert_eq!(rig.receive(A, &packet, alice()), [sent(B, &packet, bob())]);
        assert_eq!(rig.receive(B, &packet, bob()), [sent(A, &packet, alice())]);
        assert_eq!(rig.receive(A_RTCP, &report, alice_rtcp()), [sent(B_RTCP, &report, bob_rtcp())]);
        assert_eq!(rig.receive(B_RTCP, &report, bob_rtcp()), [sent(A_RTCP, &report, alice_rtcp())]);
    }

    #[test]
    fn a_packet_without_a_route_counts_as_received_and_is_no_error() {
        let mut rig = plain_with(&[]);
        assert_eq!(rig.receive(A, &rtp(1), alice()), []);
        assert_eq!((rig.count(A).packets_in, rig.count(A).errors_in), (1, 0));
    }

    #[test]
    fn on_hold_rtcp_flows_on_without_rtp() {
        let mut rig = plain_with(&routes()[2..]);
        assert_eq!(rig.receive(A, &rtp(1), alice()), []);
        assert_eq!(rig.receive(A_RTCP, &report(), alice_rtcp()), [sent(B_RTCP, &report(), bob_rtcp())]);
    }

    #[test]
    fn a_sink_that_may_not_be_sent_to_gets_nothing_and_counts_no_error() {
        let mut rig = plain();
        let mut planned = sockets(&Latch::default());
        planned[2].signalled = None;
        rig.apply(CALL, &planned, &routes());
        assert_eq!(rig.receive(A, &rtp(1), alice()), []);
        assert_eq!(rig.count(A).packets_in, 1);
        assert_eq!((rig.count(B).packets_out, rig.count(B).errors_out), (0, 0));
    }

    #[test]
    fn several_sinks_get_a_copy_each() {
        let mut rig = plain_with(&[route(A, B, Carries::Rtp), route(A, B_RTCP, Carries::Rtp)]);
        for number in 0..3 {
            let packet = rtp(number);
            assert_eq!(rig.receive(A, &packet, alice()), [sent(B, &packet, bob()), sent(B_RTCP, &packet, bob_rtcp())]);
        }
    }

    #[test]
    fn a_port_may_send_back_to_its_own_peer() {
        let mut rig = plain_with(&[route(A, A, Carries::Rtp)]);
        for number in 0..3 {
            assert_eq!(rig.receive(A, &rtp(number), alice()), [sent(A, &rtp(number), alice())]);
        }
    }

    #[test]
    fn rtcp_on_the_rtp_port_goes_where_the_routes_say() {
        let mut rig = plain_with(&[route(A, B, Carries::Rtp), route(A, B_RTCP, Carries::Rtcp)]);
        assert_eq!(rig.receive(A, &report(), alice()), [sent(B_RTCP, &report(), bob_rtcp())]);
        assert_eq!(rig.receive(A, &rtp(1), alice()), [sent(B, &rtp(1), bob())]);
    }

    #[test]
    fn a_leg_with_mux_gets_rtcp_from_the_rtp_port() {
        let mut rig = plain_with(&[route(A_RTCP, B, Carries::Rtcp)]);
        assert_eq!(rig.receive(A_RTCP, &report(), alice_rtcp()), [sent(B, &report(), bob())]);
    }

    #[test]
    fn zrtp_follows_rtp() {
        let mut rig = plain();
        assert_eq!(rig.receive(A, ZRTP, alice()), [sent(B, ZRTP, bob())]);
        assert_eq!(rig.count(A).sources, []);
    }

    #[test]
    fn relay_only_carries_any_bytes_as_they_are() {
        for data in [b"".as_slice(), b"\x00", STUN, DTLS, &report(), &rtp(1), &[0; 1400]] {
            let mut rig = plain();
            let mut planned = sockets(&Latch::default());
            planned.iter_mut().for_each(|socket| socket.relay_only = true);
            rig.apply(CALL, &planned, &[route(A, B, Carries::Any)]);
            for count in 1..3 {
                assert_eq!(rig.receive(A, data, alice()), [sent(B, data, bob())]);
                assert_eq!((rig.count(A).packets_in, rig.count(A).bytes_in), (count, count * data.len() as u64));
            }
            assert_eq!(rig.events(), [What::Learned { peer: alice(), confirmed: true }]);
        }
    }
}

mod classes {
    use super::*;

    #[test]
    fn what_is_not_media_is_punted_whoever_sent_it() {
        for source in [alice(), stranger()] {
            for data in [STUN, DTLS, TURN] {
                let mut rig = plain();
                assert_eq!(rig.receive(A, data, source), []);
                assert_eq!(rig.events(), [What::Punted { source, data: data.to_vec(), at: rig.now }]);
                assert_eq!(rig.count(A), SocketCounters { peer: Some(alice()), ..SocketCounters::default() });
            }
        }
    }

    #[test]
    fn what_is_of_no_class_is_dropped_and_counted() {
        for octet in [4, 15, 80, 127, 192, 255] {
            let mut rig = plain();
            assert_eq!(rig.receive(A, &[octet; 40], alice()), []);
            assert_eq!(rig.events(), []);
            let counted = SocketCounters { errors_in: 1, peer: Some(alice()), ..SocketCounters::default() };
            assert_eq!(rig.count(A), counted);
        }
    }

    #[test]
    fn no_length_does_harm_s03() {
        let many = Rtp { csrcs: 15, payload: b"", ..Rtp::of(1) }.packet();
        for packet in [many.as_slice(), &report(), STUN, DTLS] {
            for length in 0..=packet.len().min(64) {
                let mut rig = plain();
                rig.receive(A, &rtp(1), alice());
                rig.receive(A, &packet[..length], alice());
                rig.receive(A_RTCP, &packet[..length], alice_rtcp());
                let punted = rig.events().iter().filter(|what| matches!(what, What::Punted { .. })).count();
                let counted = [A, A_RTCP].map(|socket| rig.count(socket));
                let counted: u64 = counted.iter().map(|each| each.packets_in + each.errors_in).sum();
                assert_eq!(counted + punted as u64, 3);
            }
        }
    }

    #[test]
    fn rtp_that_is_cut_off_in_its_header_is_dropped() {
        let whole = Rtp { csrcs: 2, extension: Some(&[0; 40]), payload: b"", ..Rtp::of(2) }.packet();
        for cut in 1..=whole.len() - 12 {
            let mut rig = plain();
            rig.receive(A, &rtp(1), alice());
            assert_eq!(rig.receive(A, &whole[..whole.len() - cut], alice()), []);
            assert_eq!((rig.count(A).packets_in, rig.count(A).errors_in), (1, 1));
        }
    }
}

mod strangers {
    use super::*;

    #[test]
    fn they_reach_nobody_and_are_counted() {
        for data in [rtp(1).as_slice(), &report(), ZRTP, b"\x80"] {
            let mut rig = plain();
            for socket in [A, A_RTCP, B, B_RTCP] {
                assert_eq!(rig.receive(socket, data, stranger()), []);
                let counted = rig.count(socket);
                assert_eq!((counted.strangers, counted.errors_in, counted.packets_in), (1, 1, 0));
                assert_eq!((counted.last_packet, counted.stranger), (None, Some(stranger())));
            }
        }
    }

    #[test]
    fn the_first_of_a_generation_is_reported() {
        let mut rig = plain();
        let told = What::Stranger { source: stranger(), at: rig.now };
        for generation in [0, 0, 7] {
            rig.apply(CALL, &sockets(&Latch { generation, ..Latch::default() }), &routes());
            rig.receive(A, &rtp(1), stranger());
            rig.receive(A, &rtp(2), stranger());
        }
        assert_eq!(rig.events(), [told.clone(), told]);
    }

    #[test]
    fn they_reach_nobody_before_the_answer_s01() {
        let mut rig = plain();
        let mut offered = sockets(&Latch::default());
        offered[2] = Socket { id: B, ..Socket::default() };
        offered[3] = Socket { id: B_RTCP, rtcp: true, ..Socket::default() };
        rig.apply(CALL, &offered, &routes());
        assert_eq!(rig.receive(B, &rtp(1), stranger()), []);
        assert_eq!(rig.receive(B, &rtp(1), bob()), []);
        assert_eq!(rig.count(B).strangers, 2);
    }

    #[test]
    fn refused_sources_are_errors_but_no_strangers() {
        let mut rig = plain_call(&Latch { strict: true, ..with(Learning::Immediate) }, &routes());
        rig.receive(A, &rtp(1), alice());
        assert_eq!(rig.receive(A, &rtp(2), moved()), []);
        assert_eq!((rig.count(A).errors_in, rig.count(A).strangers), (1, 0));
    }
}

mod learning {
    use super::*;

    #[test]
    fn a_new_peer_is_sent_to_and_reported_once() {
        let mut rig = plain_call(&with(Learning::Immediate), &routes());
        for number in 0..3 {
            rig.receive(A, &rtp(number), moved());
        }
        assert_eq!(rig.learned(), [(moved(), true)]);
        assert_eq!(rig.receive(B, &rtp(1), bob()), [sent(A, &rtp(1), moved())]);
        assert_eq!((rig.count(A).peer, rig.count(A).confirmed), (Some(moved()), true));
    }

    #[test]
    fn each_change_is_reported_in_order() {
        let mut rig = plain_call(&with(Learning::Delayed), &routes());
        for source in [alice(), alice(), moved()] {
            rig.receive(A, &rtp(1), source);
        }
        rig.wait(3.0);
        rig.receive(A, &rtp(1), moved());
        assert_eq!(rig.learned(), [(alice(), false), (moved(), false), (moved(), true)]);
    }

    #[test]
    fn rtp_and_rtcp_are_learned_separately() {
        let mut rig = plain_call(&with(Learning::Immediate), &routes());
        rig.receive(A, &rtp(1), moved());
        assert_eq!((rig.count(A).peer, rig.count(A_RTCP).peer), (Some(moved()), Some(alice_rtcp())));
        let beside = SocketAddr::new(alice().ip(), 4445);
        rig.receive(A_RTCP, &report(), beside);
        assert_eq!(rig.count(A_RTCP).peer, Some(beside));
    }

    #[test]
    fn stray_packets_of_the_other_kind_teach_nothing() {
        let mut rig = plain_call(&with(Learning::Immediate), &routes());
        rig.receive(A, &report(), moved());
        rig.receive(A, ZRTP, moved());
        rig.receive(A_RTCP, &rtp(1), moved());
        assert_eq!(rig.learned(), []);
        assert_eq!(rig.count(A).packets_in, 2);
    }

    #[test]
    fn with_mux_both_kinds_teach() {
        let mut rig = plain();
        let mut planned = sockets(&with(Learning::Immediate));
        planned[0].muxed = true;
        rig.apply(CALL, &planned, &routes());
        rig.receive(A, &report(), moved());
        assert_eq!(rig.learned(), [(moved(), true)]);
    }

    #[test]
    fn what_was_learned_is_reported_but_not_sent_to_with_asymmetric() {
        let mut rig = plain_call(&Latch { asymmetric: true, ..with(Learning::Immediate) }, &routes());
        rig.receive(A, &rtp(1), moved());
        assert_eq!(rig.learned(), [(moved(), true)]);
        assert_eq!(rig.receive(B, &rtp(1), bob()), [sent(A, &rtp(1), alice())]);
        assert_eq!(rig.count(A).peer, Some(alice()));
    }

    #[test]
    fn a_new_peer_also_ends_the_short_way_of_the_old_one() {
        for teacher in [rtp(2), report()] {
            let mut rig = plain();
            let mut planned = sockets(&Latch { handover: true, generation: 1, ..with(Learning::Immediate) });
            planned[0].muxed = true;
            rig.apply(CALL, &planned, &routes());
            rig.receive(A, &rtp(1), alice());
            rig.receive(A, &teacher, moved());
            rig.receive(A, &rtp(3), alice());
            assert_eq!(rig.learned(), [(alice(), true), (moved(), true), (alice(), true)]);
        }
    }
}

mod counters {
    use super::*;

    #[test]
    fn packets_octets_and_time() {
        let mut rig = plain();
        for number in 0..3 {
            rig.receive(A, &rtp(number), alice());
            rig.wait(0.02);
        }
        rig.receive(A, &report(), alice());
        let counted = rig.count(A);
        assert_eq!((counted.packets_in, counted.bytes_in), (4, 3 * 172 + report().len() as u64));
        assert_eq!(counted.last_packet, Some(rig.now));
        assert_eq!((rig.count(B).packets_out, rig.count(B).bytes_out), (3, 3 * 172));
        let [source] = counted.sources[..] else { panic!("{:?}", counted.sources) };
        assert_eq!((source.ssrc, source.packets, source.bytes, source.last_sequence), (0x1234, 3, 3 * 172, 2));
    }

    #[test]
    fn losses_are_counted_on_the_short_way_too() {
        let mut rig = plain();
        for number in [65533, 65534, 1, 2, 4, 3] {
            rig.receive(A, &rtp(number), alice());
        }
        let source = rig.count(A).sources[0];
        assert_eq!((source.packets, source.lost, source.last_sequence, source.last_timestamp), (6, 2, 4, 640));
    }

    #[test]
    fn a_new_source_is_counted_apart() {
        let mut rig = plain();
        for (number, ssrc) in [1, 1, 2, 1, 2].into_iter().enumerate() {
            rig.receive(A, &Rtp { ssrc, ..Rtp::of(number as u16) }.packet(), alice());
        }
        let counted: Vec<_> = rig.count(A).sources.iter().map(|item| (item.ssrc, item.packets)).collect();
        assert_eq!(counted, [(1, 3), (2, 2)]);
    }

    #[test]
    fn what_the_system_refuses_is_an_error_of_the_sending_side() {
        let mut rig = plain();
        rig.world.refuse.insert(bob());
        assert_eq!(rig.receive(A, &rtp(1), alice()), []);
        assert_eq!(rig.receive(A, &rtp(2), alice()), []);
        assert_eq!((rig.count(B).errors_out, rig.count(B).packets_out, rig.count(A).errors_in), (2, 0, 0));
        rig.world.refuse.clear();
        assert_eq!(rig.receive(A, &rtp(3), alice()).len(), 1);
    }

    #[test]
    fn what_the_kernel_dropped_is_among_the_errors() {
        let mut rig = plain();
        rig.missed(A, 5);
        assert_eq!(rig.count(A).errors_in, 5);
    }

    #[test]
    fn events_do_not_grow_without_end() {
        let mut rig = plain();
        for _ in 0..MAX_EVENTS + 10 {
            rig.receive(A, STUN, stranger());
        }
        assert_eq!((rig.count(A).errors_in, rig.events().len()), (10, MAX_EVENTS));
        rig.receive(A, STUN, stranger());
        assert_eq!(rig.events().len(), 1);
    }
}

mod changed {
    use super::*;

    fn feedback() -> Vec<u8> {
        samples::transport_feedback(1, 2, &[])
    }

    fn stripping() -> Route {
        Route { drop_feedback: true, ..route(A_RTCP, B_RTCP, Carries::Rtcp) }
    }

    #[test]
    fn feedback_is_taken_out_for_a_peer_without_avpf() {
        let mut rig = plain_with(&[stripping()]);
        let compound = [report(), feedback()].concat();
        assert_eq!(rig.receive(A_RTCP, &compound, alice_rtcp()), [sent(B_RTCP, &report(), bob_rtcp())]);
    }

    #[test]
    fn a_packet_that_is_left_empty_goes_nowhere_and_is_no_error() {
        let mut rig = plain_with(&[stripping()]);
        assert_eq!(rig.receive(A_RTCP, &feedback(), alice_rtcp()), []);
        assert_eq!((rig.count(A_RTCP).packets_in, rig.count(A_RTCP).errors_in), (1, 0));
    }

    #[test]
    fn what_cannot_be_taken_apart_is_dropped_and_teaches_nothing() {
        let mut rig = plain_call(&with(Learning::Immediate), &[stripping()]);
        assert_eq!(rig.receive(A_RTCP, &[report(), vec![0x80]].concat(), moved()), []);
        assert_eq!((rig.count(A_RTCP).packets_in, rig.count(A_RTCP).errors_in), (0, 1));
        assert_eq!(rig.learned(), []);
    }

    #[test]
    fn another_route_gets_it_whole() {
        for routes in [[stripping(), route(A_RTCP, B, Carries::Rtcp)], [route(A_RTCP, B, Carries::Rtcp), stripping()]] {
            let mut rig = plain_with(&routes);
            let compound = [report(), feedback()].concat();
            let sent = rig.receive(A_RTCP, &compound, alice_rtcp());
            let to = |socket| sent.iter().find(|item| item.socket == socket).map(|item| &item.data);
            assert_eq!((sent.len(), to(B_RTCP), to(B)), (2, Some(&report()), Some(&compound)));
        }
    }

    #[test]
    fn payload_types_pass_or_do_not() {
        let plain = route(A, B, Carries::Rtp);
        let rows: [(Route, &[u8]); 4] = [
            (plain.clone(), &[0, 8, 101]),
            (Route { only: Some(vec![101]), ..plain.clone() }, &[101]),
            (Route { only: Some(vec![]), ..plain.clone() }, &[]),
            (Route { dropped: vec![101], ..plain }, &[0, 8]),
        ];
        for (route, passing) in rows {
            let mut rig = plain_with(&[route]);
            let mut seen = Vec::new();
            for (number, payload_type) in [0, 8, 101, 0, 8, 101].into_iter().enumerate() {
                let packet = Rtp { payload_type, marker: number == 2, ..Rtp::of(number as u16) }.packet();
                seen.extend(rig.receive(A, &packet, alice()).iter().map(|item| item.data[1] & 0x7F));
            }
            assert_eq!(seen, passing.repeat(2));
            assert_eq!((rig.count(A).packets_in, rig.count(A).errors_in), (6, 0));
        }
    }

    #[test]
    fn media_is_silenced_for_the_sink_that_wants_it() {
        let silenced = Route { silenced: vec![(0, 0xFF), (8, 0xD5)], ..route(A, B, Carries::Rtp) };
        let mut rig = plain_with(&[silenced, route(A, B_RTCP, Carries::Rtp)]);
        for (number, (payload_type, octet)) in [(0, 0xFF), (8, 0xD5), (9, 0x55)].into_iter().enumerate() {
            let spoken = Rtp { payload_type, ..Rtp::of(number as u16) };
            let silent = Rtp { payload: &[octet; 160], ..spoken }.packet();
            let left = rig.receive(A, &spoken.packet(), alice());
            assert_eq!(left, [sent(B, &silent, bob()), sent(B_RTCP, &spoken.packet(), bob_rtcp())]);
        }
    }
}

mod taps {
    use super::*;

    #[test]
    fn a_copy_is_reported_as_received() {
        let mirrored = Route { drop_feedback: true, mirror: true, ..route(A_RTCP, B_RTCP, Carries::Rtcp) };
        let mut rig = plain_with(&[mirrored]);
        let data = [report(), samples::transport_feedback(1, 2, &[])].concat();
        rig.receive(A_RTCP, &data, alice_rtcp());
        let tapped = What::Tapped { carries: Carries::Rtcp, packet: data, at: rig.now };
        assert!(rig.events().contains(&tapped));
    }

    #[test]
    fn every_packet_is_reported_once() {
        for sinks in [&[B][..], &[B, B_RTCP]] {
            let mirrored = |sink: &u64| Route { mirror: true, ..route(A, *sink, Carries::Rtp) };
            let mut rig = plain_with(&sinks.iter().map(mirrored).collect::<Vec<_>>());
            for number in 0..3 {
                assert_eq!(rig.receive(A, &rtp(number), alice()).len(), sinks.len());
            }
            assert_eq!(rig.tapped(), [rtp(0), rtp(1), rtp(2)]);
        }
    }

    #[test]
    fn also_when_the_sink_may_not_be_sent_to() {
        let mut rig = plain();
        let mut planned = sockets(&Latch::default());
        planned[3] = Socket { id: B_RTCP, rtcp: true, ..Socket::default() };
        rig.apply(CALL, &planned, &[Route { mirror: true, ..route(A_RTCP, B_RTCP, Carries::Rtcp) }]);
        assert_eq!(rig.receive(A_RTCP, &report(), alice_rtcp()), []);
        assert_eq!(rig.tapped(), [report()]);
    }

    #[test]
    fn strangers_are_not_tapped() {
        let mut rig = plain_with(&[Route { mirror: true, ..route(A_RTCP, B_RTCP, Carries::Rtcp) }]);
        rig.receive(A_RTCP, &report(), stranger());
        assert_eq!(rig.tapped(), Vec::<Vec<u8>>::new());
    }
}
