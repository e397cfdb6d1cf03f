//! The ports of one worker, by their slots in its pipeline: the world that packets leave to.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use ngdaemon_engine::outlet::{Outlet, Slot};
use ngdaemon_engine::plan::SocketId;
use ngdaemon_engine::report::Event;

use crate::events::{Events, Notice};
use crate::port::Port;

/// A port, and what its worker knows of it.
pub struct Seat {
    /// Itself.
    pub port: Arc<Port>,
    /// What TOS was asked for last; `None` for the system's.
    pub tos: Option<u8>,
    /// A plan has named it, and what arrives is read.
    pub watched: bool,
    /// The turn in which it could be read last.
    pub turn: u64,
    /// A bug was reported for it.
    pub failed: bool,
}

/// All ports of a worker.
pub struct Seats {
    seats: Vec<Option<Seat>>,
    slots: HashMap<SocketId, Slot>,
    events: Arc<Events>,
}

impl Seats {
    /// None yet.
    pub fn new(events: Arc<Events>) -> Self {
        Self { seats: Vec::new(), slots: HashMap::new(), events }
    }

    /// Add a port in its slot.
    pub fn add(&mut self, slot: Slot, port: Arc<Port>) {
        if self.seats.len() <= slot {
            self.seats.resize_with(slot + 1, || None);
        }
        self.slots.insert(port.id, slot);
        self.seats[slot] = Some(Seat { port, tos: None, watched: false, turn: 0, failed: false });
    }

    /// Let a port go.
    pub fn remove(&mut self, slot: Slot) {
        if let Some(seat) = self.seats.get_mut(slot).and_then(Option::take) {
            self.slots.remove(&seat.port.id);
        }
    }

    /// The port in a slot.
    pub fn at(&mut self, slot: Slot) -> Option<&mut Seat> {
        self.seats.get_mut(slot)?.as_mut()
    }

    /// The slot of a port of that call.
    pub fn slot_of(&self, socket: SocketId, call: &str) -> Option<Slot> {
        let slot = *self.slots.get(&socket)?;
        (*self.seats.get(slot)?.as_ref()?.port.call == *call).then_some(slot)
    }

    /// Have something written to the log.
    pub fn complain(&self, call: Arc<str>, socket: Option<SocketId>, text: String) {
        self.events.push(Notice::Trouble { call, socket, text });
    }
}

impl Outlet for Seats {
    fn transmit(&mut self, from: Slot, data: &[u8], to: SocketAddr) -> bool {
        self.seats.get(from).and_then(Option::as_ref).is_some_and(|seat| seat.port.send(data, to))
    }

    fn report(&mut self, event: Event) -> bool {
        self.events.push(Notice::Event(event))
    }
}
