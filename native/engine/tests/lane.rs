//! The way out of a secured port: protected or not at all.

mod rig;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use ngdaemon_engine::contexts::Shared;
use ngdaemon_engine::departure::Departure;
use ngdaemon_engine::lane::{Lane, Sender, number};
use ngdaemon_engine::outlet::{Outlet, Slot};
use ngdaemon_engine::own::Own;
use ngdaemon_engine::report::Event;
use ngdaemon_engine::rtp::packet::header_length;
use ngdaemon_engine::srtp::Outbound;
use ngdaemon_engine::surroundings::Surroundings;

use rig::samples::Rtp;
use rig::secured::{Far, ours};
use rig::{A, B, alice, report, rtp, stranger};

#[derive(Default)]
struct System {
    sent: Vec<Vec<u8>>,
    fails: bool,
}

impl Outlet for System {
    fn transmit(&mut self, _: Slot, data: &[u8], _: SocketAddr) -> bool {
        if !self.fails {
            self.sent.push(data.to_vec());
        }
        !self.fails
    }

    fn report(&mut self, _: Event) -> bool {
        true
    }
}

/// A port that writes down what it sends. The stranger is at a port of ours.
struct Port {
    system: System,
    own: Own,
    departures: Vec<Departure>,
    sender: Option<Shared<Sender>>,
}

impl Port {
    fn new(sender: Option<Shared<Sender>>, peer: Option<SocketAddr>) -> Self {
        let own = Own::default();
        own.insert(stranger());
        let mut departure = Departure::new(0);
        departure.direct(peer, true);
        Self { system: System::default(), own, departures: vec![departure], sender }
    }

    fn around<T>(&mut self, run: impl FnOnce(&mut Surroundings<System>) -> T) -> T {
        let Self { system, own, departures, .. } = self;
        run(&mut Surroundings { departures, own, scratch: &mut Vec::new(), outlet: system, now: 0.0 })
    }

    fn rtp_from(&mut self, source: u64, packet: &[u8]) {
        let lane = Lane::new(source, 0, self.sender.clone());
        self.around(|around| lane.rtp(&mut packet.to_vec(), around));
    }

    fn rtp(&mut self, packet: &[u8]) {
        self.rtp_from(B, packet);
    }

    fn rtcp(&mut self, packet: &[u8]) {
        let lane = Lane::new(B, 0, self.sender.clone());
        self.around(|around| lane.rtcp(&mut packet.to_vec(), around));
    }

    fn out(&self) -> &Departure {
        &self.departures[0]
    }
}

fn sender() -> Option<Shared<Sender>> {
    Some(Rc::new(RefCell::new(Sender::new(&ours()).unwrap())))
}

fn far() -> Far {
    Far::new(&ours(), &ours())
}

#[test]
fn what_leaves_is_protected() {
    let (mut port, mut far) = (Port::new(sender(), Some(alice())), far());
    port.rtp(&rtp(1));
    port.rtcp(&report());
    assert_eq!(far.open_rtp(&port.system.sent[0]), Ok(rtp(1)));
    assert_eq!(far.open_rtcp(&port.system.sent[1]), Ok(report()));
    let octets: usize = port.system.sent.iter().map(Vec::len).sum();
    assert_eq!((port.out().packets_out, port.out().bytes_out), (2, octets as u64));
}

#[test]
fn without_keys_nothing_leaves_mbx_07() {
    let mut port = Port::new(None, Some(alice()));
    port.rtp(&rtp(1));
    port.rtcp(&report());
    port.around(|around| around.send(0, &rtp(1))); // there is no other way out either
    assert!(port.system.sent.is_empty());
    assert_eq!((port.out().withheld, port.out().errors_out), (3, 0));
}

#[test]
fn with_nobody_to_send_to_no_index_is_used() {
    let made = sender();
    let mut port = Port::new(made.clone(), None);
    port.rtp(&rtp(1));
    port.rtcp(&report());
    port.around(|around| around.send(0, &rtp(1)));
    assert_eq!(made.unwrap().borrow().outbound.state().sources, []);
    assert_eq!((port.system.sent.len(), port.out().withheld, port.out().errors_out), (0, 0, 0));
}

#[test]
fn an_exhausted_key_protects_nothing_more_key_06() {
    let made = sender();
    if let Some(sender) = &made {
        sender.borrow_mut().outbound = Outbound::new(ours().as_ref().clone(), 2).unwrap();
    }
    let mut port = Port::new(made, Some(alice()));
    for number in 1..20 {
        port.rtp(&rtp(number));
        port.rtcp(&report());
    }
    assert_eq!((port.system.sent.len(), port.out().errors_out), (4, 2 * 17));
}

#[test]
fn what_the_system_refuses_is_counted_and_its_index_is_gone() {
    let mut port = Port::new(sender(), Some(alice()));
    port.system.fails = true;
    port.rtp(&rtp(1));
    port.system.fails = false;
    port.rtp(&rtp(1));
    port.rtp(&rtp(2));
    assert_eq!(port.system.sent.len(), 1);
    assert_eq!(far().open_rtp(&port.system.sent[0]), Ok(rtp(2)));
    assert_eq!(port.out().errors_out, 2);
}

#[test]
fn a_loop_through_our_own_ports_is_cut_s14() {
    let mut port = Port::new(sender(), Some(stranger()));
    for _ in 0..5 {
        // a report is protected anew each time it comes round, so that it is the clear one that is known again
        port.rtcp(&report());
        port.rtp(&rtp(1));
    }
    assert_eq!((port.system.sent.len(), port.out().errors_out), (2, 8));
}

#[test]
fn two_sources_of_one_port_share_its_numbers() {
    let (mut port, mut far) = (Port::new(sender(), Some(alice())), far());
    for number in 0..5 {
        port.rtp_from(B, &rtp(number));
        port.rtp_from(A, &rtp(number));
    }
    let numbers: Vec<u8> = port.system.sent.iter().map(|packet| far.open_rtp(packet).unwrap()[3]).collect();
    assert_eq!(numbers, (0..10).collect::<Vec<_>>());
}

#[test]
fn a_source_that_numbers_anew_is_numbered_on() {
    let (mut port, mut far) = (Port::new(sender(), Some(alice())), far());
    for number in (0..100).chain(0..100) {
        port.rtp(&rtp(number));
    }
    let numbers: Vec<u8> = port.system.sent.iter().map(|packet| far.open_rtp(packet).unwrap()[3]).collect();
    let lost = port.out().errors_out;
    assert!((1..20).contains(&lost), "{lost} were taken for repeats");
    assert_eq!(numbers, (0..200 - lost as u8).collect::<Vec<_>>());
}

#[test]
fn a_number_is_replaced_and_nothing_else() {
    let packet = Rtp { marker: true, csrcs: 1, extension: Some(b"abcd"), padding: 4, ..Rtp::of(7) }.packet();
    for sequence in [0, 65535, 65536, -1, 1_000_000] {
        let mut changed = packet.clone();
        number(&mut changed, sequence);
        assert_eq!(i64::from(u16::from_be_bytes([changed[2], changed[3]])), sequence.rem_euclid(65536));
        assert_eq!((&changed[..2], &changed[4..]), (&packet[..2], &packet[4..]));
        assert_eq!(header_length(&changed), header_length(&packet));
    }
}
