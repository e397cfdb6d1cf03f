//! What the packet path needs of the world, handed in by the caller.

use std::net::SocketAddr;

use crate::plan::SocketId;
use crate::report::Event;

/// Where packets and events go.
pub trait Outlet {
    /// Send a datagram from a port; false when the system refused it. Never blocks.
    fn transmit(&mut self, from: SocketId, data: &[u8], to: SocketAddr) -> bool;

    /// Keep an event for control; false when there is no room.
    fn report(&mut self, event: Event) -> bool;
}
