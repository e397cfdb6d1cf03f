//! What the packet path needs of the world, handed in by the caller.

use std::net::SocketAddr;

use crate::report::Event;

/// A port in a pipeline: an index that is used again after the port was closed.
pub type Slot = usize;

/// Where packets and events go.
pub trait Outlet {
    /// Send a datagram from a port; false when the system refused it. Never blocks.
    fn transmit(&mut self, from: Slot, data: &[u8], to: SocketAddr) -> bool;

    /// Keep an event for control; false when there is no room.
    fn report(&mut self, event: Event) -> bool;
}
