//! What all ports of a pipeline have in common, as one datagram finds it.

use crate::departure::Departure;
use crate::outlet::{Outlet, Slot};
use crate::own::Own;
use crate::report::Event;

/// What all streams share.
pub struct Surroundings<'a, O> {
    /// How packets leave each port, by slot. Links name slots that are there, and no packet names any.
    pub departures: &'a mut [Departure],
    /// Where all open ports are.
    pub own: &'a Own,
    /// Room for a copy of a packet, where one is changed for a sink that is not the last.
    pub scratch: &'a mut Vec<u8>,
    /// Where packets and events go.
    pub outlet: &'a mut O,
    /// Monotonic seconds.
    pub now: f64,
}

impl<O: Outlet> Surroundings<'_, O> {
    /// Keep an event for control; false when there is no room.
    pub fn report(&mut self, event: Event) -> bool {
        self.outlet.report(event)
    }

    /// Send a packet from a port to its peer as it is, if it may be sent to.
    pub fn send(&mut self, from: Slot, data: &[u8]) {
        self.departures[from].send(data, self.now, self.own, self.outlet);
    }
}
