//! What plans make of a port, what it does by itself, and its counters.

use std::mem;

use super::{Planned, Stream};
use crate::contexts::{Contexts, Shared};
use crate::departure::Departure;
use crate::gate::Gate;
use crate::lane::{Lane, number};
use crate::latching::Latching;
use crate::links::{Line, Links};
use crate::outlet::Outlet;
use crate::plan::{Protection, Socket};
use crate::report::SocketCounters;
use crate::rtp::demux::RTP_LENGTH;
use crate::rtp::packet::EMPTY;
use crate::surroundings::Surroundings;

impl Stream {
    /// Whether a plan has named it.
    pub fn is_planned(&self) -> bool {
        self.planned.is_some()
    }

    /// Whether the way from the peer to us has to be opened by packets of ours.
    pub fn pierces(&self) -> bool {
        let pierces = |planned: &Planned| planned.socket.pierce && !planned.socket.relay_only;
        !self.heard && self.planned.as_ref().is_some_and(pierces)
    }

    /// Send a packet that carries nothing.
    pub fn pierce(&self, around: &mut Surroundings<impl Outlet>) {
        if !self.secured {
            return around.send(self.slot, &EMPTY);
        }
        let mut sequence = 0;
        if let Some(sender) = &self.sender {
            let pierced = &mut sender.borrow_mut().pierced;
            sequence = *pierced;
            *pierced += 1;
        }
        let mut packet = EMPTY.to_vec();
        number(&mut packet, sequence as i64);
        Lane::new(self.id, self.slot, self.sender.clone()).rtp(&mut packet, around);
    }

    /// Whether packets may wait for keys here.
    pub fn holds(&self) -> bool {
        self.secured && self.gate.as_ref().is_some_and(|gate| gate.holds())
    }

    /// Give up what waited too long for keys.
    pub fn expire(&mut self, now: f64) {
        if let Some(gate) = &mut self.gate {
            gate.expire(now);
        }
    }

    /// Take in what waited for the keys that are there now.
    pub fn release(&mut self, around: &mut Surroundings<impl Outlet>) {
        let held = self.gate.as_mut().map_or_else(Vec::new, |gate| gate.release(around.now));
        for mut each in held {
            self.receive(&mut each.data, each.source, around);
        }
    }

    /// Be as planned from now on. `contexts` is the SRTP state of the call, for a secured port.
    pub fn restate(
        &mut self,
        socket: &Socket,
        now: f64,
        contexts: Option<Shared<Contexts>>,
        departures: &mut [Departure],
    ) {
        match &mut self.planned {
            Some(planned) if planned.socket == *socket => return,
            Some(planned) => {
                let before = planned.latching.signalled;
                planned.latching.restate(socket.signalled, socket.latch.clone(), now);
                self.heard &= planned.latching.signalled == before;
                self.told &= planned.socket.latch.generation == socket.latch.generation;
                planned.socket = socket.clone();
            }
            None => {
                let latching = Latching::new(socket.signalled, socket.latch.clone(), now);
                self.planned = Some(Planned { socket: socket.clone(), latching });
            }
        }
        self.restated = true;
        self.secure(socket.protection.as_ref(), contexts);
        self.least = if socket.relay_only { 0 } else { RTP_LENGTH };
        self.readdress(departures);
    }

    /// Protect from now on, or do not.
    fn secure(&mut self, protection: Option<&Protection>, contexts: Option<Shared<Contexts>>) {
        self.secured = protection.is_some();
        match (protection, &contexts) {
            (Some(protection), Some(contexts)) => {
                let mut contexts = contexts.borrow_mut();
                self.receivers = contexts.receivers(protection, &self.receivers);
                self.sender = contexts.sender(protection, self.sender.as_ref());
                self.gate.get_or_insert_default();
            }
            _ => {
                self.receivers.clear();
                self.sender = None;
            }
        }
        self.contexts = contexts;
        if let Some(gate) = &mut self.gate {
            gate.restate(&self.receivers, protection.and_then(|protection| protection.hold.clone()));
        }
    }

    /// Forward along these routes from now on: after `restate`. The same as before change nothing.
    pub fn link(&mut self, lines: &[Line]) {
        if mem::take(&mut self.restated) || !self.links.are_of(lines) {
            self.links = Links::new(lines, &self.links);
            self.lengthen();
        }
    }

    /// Forget the short ways.
    fn lengthen(&mut self) {
        (self.trusted, self.vouched) = (None, None);
        self.ways.clear();
    }

    /// Work out where to send to.
    pub(super) fn readdress(&self, departures: &mut [Departure]) {
        let heard = |planned: &&Planned| self.heard || !planned.socket.nat_wait;
        let address = self.planned.as_ref().filter(heard).and_then(|planned| planned.latching.destination());
        departures[self.slot].direct(address, self.secured);
    }

    /// Packets that were dropped on arrival, for whatever reason.
    fn refused(&self) -> u64 {
        self.errors_in + self.gate.as_ref().map_or(0, |gate| gate.unauthenticated() + gate.replayed)
    }

    /// What passed so far, without control's datagrams.
    pub fn counters(&self, out: &Departure) -> SocketCounters {
        let (packets, octets) = self.sources.totals();
        let latching = self.planned.as_ref().map(|planned| &planned.latching);
        let gate = self.gate.as_deref();
        SocketCounters {
            packets_in: packets + self.other_packets,
            bytes_in: octets + self.other_bytes,
            errors_in: self.refused(),
            packets_out: out.packets_out,
            bytes_out: out.bytes_out,
            errors_out: out.errors_out,
            strangers: self.strangers,
            last_packet: self.last_packet,
            peer: latching.and_then(Latching::destination),
            confirmed: latching.is_some_and(|latching| latching.confirmed),
            sources: self.sources.report(),
            stranger: self.stranger,
            unauthenticated: gate.map_or(0, Gate::unauthenticated),
            replayed: gate.map_or(0, |gate| gate.replayed),
            withheld: out.withheld,
            control_packets: 0,
            control_bytes: 0,
            unkeyed: gate.map_or(0, |gate| gate.unkeyed),
        }
    }
}
