//! The packet path of all calls of one worker: streams by call, plans put into force, and the packets that time brings.
//!
//! What becomes of a datagram is in `stream.rs`.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use crate::contexts::{Contexts, Shared};
use crate::departure::Departure;
use crate::links::Line;
use crate::outlet::{Outlet, Slot};
use crate::own::Own;
use crate::plan::{Plan, Socket, SocketId};
use crate::report::SocketCounters;
use crate::stream::Stream;
use crate::surroundings::Surroundings;

/// Seconds between the packets that open a way through a NAT.
pub const PIERCE_INTERVAL: f64 = 1.0;
/// Seconds between two looks at what waits for keys.
pub const EXPIRY_INTERVAL: f64 = 1.0;

/// The ports of one call, in the order in which they were opened.
#[derive(Default)]
struct Call {
    slots: Vec<Slot>,
    /// Of a call that has or had secured ports.
    contexts: Option<Shared<Contexts>>,
}

/// All streams of one worker.
pub struct Pipeline {
    own: Arc<Own>,
    /// By slot; `None` where a port was closed.
    streams: Vec<Option<Stream>>,
    /// Of each slot, so that a stream can send from the ports of others.
    departures: Vec<Departure>,
    free: Vec<Slot>,
    slots: HashMap<SocketId, Slot>,
    calls: HashMap<Arc<str>, Call>,
    /// When each stream that opens a way through a NAT does so next.
    piercing: Vec<(Slot, f64)>,
    /// Streams where packets may wait for keys: many, while phones ring.
    holding: HashSet<Slot>,
    /// When they are looked at next.
    expires: f64,
    /// Sent by ports that are closed.
    octets: u64,
    scratch: Vec<u8>,
}

impl Pipeline {
    /// A worker without ports; `own` is where the ports of all workers are.
    pub fn new(own: Arc<Own>) -> Self {
        Self {
            own,
            streams: Vec::new(),
            departures: Vec::new(),
            free: Vec::new(),
            slots: HashMap::new(),
            calls: HashMap::new(),
            piercing: Vec::new(),
            holding: HashSet::new(),
            expires: 0.0,
            octets: 0,
            scratch: Vec::new(),
        }
    }

    /// Add a port. It stays silent until a plan names it: what arrives until then is not even counted.
    pub fn open(&mut self, call: Arc<str>, socket: SocketId, local: SocketAddr) -> Slot {
        let slot = self.free.pop().unwrap_or(self.streams.len());
        if slot == self.streams.len() {
            self.streams.push(None);
            self.departures.push(Departure::new(slot));
        }
        self.streams[slot] = Some(Stream::new(call.clone(), socket, local, slot));
        self.slots.insert(socket, slot);
        self.calls.entry(call).or_default().slots.push(slot);
        self.own.insert(local);
        slot
    }

    /// Take away a port that no plan has named; `None` for any other.
    pub fn close(&mut self, socket: SocketId) -> Option<Slot> {
        let slot = *self.slots.get(&socket)?;
        if self.streams[slot].as_ref()?.is_planned() {
            return None;
        }
        self.remove(slot);
        Some(slot)
    }

    /// Put a plan into force: the ports that it closes. Sockets that are not the call's are passed over.
    pub fn apply(&mut self, call: &str, plan: &Plan, now: f64, outlet: &mut impl Outlet) -> Vec<Slot> {
        let closed = self.close_unnamed(call, plan);
        let slot_of = |id: SocketId| self.slot_of(call, id);
        let planned: Vec<(&Socket, Slot)> =
            plan.sockets.iter().filter_map(|socket| Some((socket, slot_of(socket.id)?))).collect();
        for (socket, slot) in &planned {
            let contexts = socket.protection.is_some().then(|| self.contexts(call)).flatten();
            if let Some(stream) = &mut self.streams[*slot] {
                stream.restate(socket, now, contexts, &mut self.departures);
            }
        }
        self.link(call, plan, &planned);
        if let Some(contexts) = self.calls.get(call).and_then(|call| call.contexts.as_ref()) {
            contexts.borrow_mut().keep(plan);
        }
        for (socket, slot) in planned {
            if socket.protection.is_some() || socket.pierce {
                self.begin(slot, now, outlet);
            }
        }
        closed
    }

    /// Take in a datagram that arrived at a port. It is not the same afterwards.
    pub fn receive(
        &mut self,
        slot: Slot,
        packet: &mut Vec<u8>,
        source: SocketAddr,
        now: f64,
        outlet: &mut impl Outlet,
    ) {
        let Self { streams, departures, own, scratch, .. } = self;
        if let Some(Some(stream)) = streams.get_mut(slot) {
            stream.receive(packet, source, &mut Surroundings { departures, own, scratch, outlet, now });
        }
    }

    /// Count datagrams that the kernel dropped for want of room, or that could not be read or handled.
    pub fn missed(&mut self, slot: Slot, packets: u64) {
        if let Some(Some(stream)) = self.streams.get_mut(slot) {
            stream.errors_in += packets;
        }
    }

    /// Counters of the ports of a call, without control's datagrams; empty for an unknown call.
    pub fn counters(&self, call: &str) -> Vec<(SocketId, Slot, SocketCounters)> {
        let slots = self.calls.get(call).map_or(&[][..], |call| &call.slots);
        let counted = |slot: &Slot| {
            let stream = self.streams[*slot].as_ref()?;
            Some((stream.id, *slot, stream.counters(&self.departures[*slot])))
        };
        slots.iter().filter_map(counted).collect()
    }

    /// Octets sent since the start, all calls together, without control's datagrams.
    pub fn octets(&self) -> u64 {
        self.octets + self.departures.iter().map(|out| out.bytes_out).sum::<u64>()
    }

    /// When `handle_timer` wants to be called, in monotonic seconds; `None` for not at all.
    pub fn next_timeout(&self) -> Option<f64> {
        let expires = (!self.holding.is_empty()).then_some(self.expires);
        self.piercing.iter().map(|(_, due)| *due).chain(expires).reduce(f64::min)
    }

    /// Send what is due, and forget what waited too long.
    pub fn handle_timer(&mut self, now: f64, outlet: &mut impl Outlet) {
        let Self { streams, departures, own, scratch, .. } = self;
        let mut around = Surroundings { departures, own, scratch, outlet, now };
        self.piercing.retain_mut(|(slot, due)| {
            let Some(stream) = streams[*slot].as_ref().filter(|stream| stream.pierces()) else { return false };
            if *due <= now {
                stream.pierce(&mut around);
                *due = now + PIERCE_INTERVAL;
            }
            true
        });
        if !self.holding.is_empty() && self.expires <= now {
            self.expires = now + EXPIRY_INTERVAL;
            self.holding.retain(|slot| {
                let Some(stream) = streams[*slot].as_mut().filter(|stream| stream.holds()) else { return false };
                stream.expire(now);
                true
            });
        }
    }

    /// The port of that number, if it is the call's.
    fn slot_of(&self, call: &str, id: SocketId) -> Option<Slot> {
        let slot = *self.slots.get(&id)?;
        self.streams[slot].as_ref().filter(|stream| &*stream.call == call).map(|_| slot)
    }

    /// The SRTP state of a call that has ports.
    fn contexts(&mut self, call: &str) -> Option<Shared<Contexts>> {
        let call = self.calls.get_mut(call)?;
        Some(Rc::clone(call.contexts.get_or_insert_with(|| Rc::new(RefCell::default()))))
    }

    fn close_unnamed(&mut self, call: &str, plan: &Plan) -> Vec<Slot> {
        let Some(call) = self.calls.get(call) else { return Vec::new() };
        let named: HashSet<SocketId> = plan.sockets.iter().map(|socket| socket.id).collect();
        let unnamed = |slot: &&Slot| self.streams[**slot].as_ref().is_some_and(|stream| !named.contains(&stream.id));
        let closed: Vec<Slot> = call.slots.iter().filter(unnamed).copied().collect();
        closed.iter().for_each(|slot| self.remove(*slot));
        closed
    }

    /// Give each planned port its routes.
    fn link(&mut self, call: &str, plan: &Plan, planned: &[(&Socket, Slot)]) {
        let mut lines: HashMap<SocketId, Vec<Line>> = HashMap::new();
        for route in &plan.routes {
            let Some(sink) = self.slot_of(call, route.sink) else { continue };
            let sender = self.streams[sink].as_ref().and_then(|stream| stream.sender.clone());
            let secured = self.departures[sink].secured;
            lines.entry(route.source).or_default().push(Line { route, sink, sender, secured });
        }
        for (socket, slot) in planned {
            if let Some(stream) = &mut self.streams[*slot] {
                stream.link(lines.get(&socket.id).map_or(&[], Vec::as_slice));
            }
        }
    }

    /// Do what a new plan asks for at once: take in what waited, and open ways.
    fn begin(&mut self, slot: Slot, now: f64, outlet: &mut impl Outlet) {
        let Self { streams, departures, own, scratch, .. } = self;
        let Some(stream) = &mut streams[slot] else { return };
        let mut around = Surroundings { departures, own, scratch, outlet, now };
        stream.release(&mut around);
        if stream.holds() {
            if self.holding.is_empty() {
                self.expires = now + EXPIRY_INTERVAL;
            }
            self.holding.insert(slot);
        }
        if stream.pierces() && !self.piercing.iter().any(|(each, _)| *each == slot) {
            stream.pierce(&mut around);
            self.piercing.push((slot, now + PIERCE_INTERVAL));
        }
    }

    fn remove(&mut self, slot: Slot) {
        let Some(stream) = self.streams[slot].take() else { return };
        let departure = std::mem::replace(&mut self.departures[slot], Departure::new(slot));
        self.octets += departure.bytes_out;
        self.own.remove(stream.local);
        self.piercing.retain(|(each, _)| *each != slot);
        self.holding.remove(&slot);
        self.slots.remove(&stream.id);
        self.free.push(slot);
        if let Some(call) = self.calls.get_mut(&stream.call) {
            call.slots.retain(|each| *each != slot);
            if call.slots.is_empty() {
                self.calls.remove(&stream.call);
            }
        }
    }
}
