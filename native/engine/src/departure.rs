//! How packets leave a port: where to, whether they may, and what left.

use std::net::SocketAddr;

use crate::loops::LoopGuard;
use crate::outlet::{Outlet, Slot};
use crate::own::Own;

/// The sending side of one port.
///
/// A secured port has no way out for clear packets: what `send` is given there goes nowhere. Only a `Lane`, which
/// protects, hands packets to `emit`.
pub struct Departure {
    slot: Slot,
    /// Protected packets alone leave.
    pub secured: bool,
    /// Where packets to the peer go; `None` when nothing may be sent to it.
    pub peer: Option<SocketAddr>,
    /// Datagrams that left.
    pub packets_out: u64,
    /// Their octets.
    pub bytes_out: u64,
    /// Packets that the system, the loop guard or SRTP refused.
    pub errors_out: u64,
    /// Packets that did not leave because keys are awaited, or because they cannot be protected.
    pub withheld: u64,
    guard: Option<Box<LoopGuard>>,
}

impl Departure {
    /// The way out of the port with that slot; it leads nowhere yet.
    pub fn new(slot: Slot) -> Self {
        Self { slot, secured: false, peer: None, packets_out: 0, bytes_out: 0, errors_out: 0, withheld: 0, guard: None }
    }

    /// Send to that address from now on; protected packets alone if `secured`.
    pub fn direct(&mut self, peer: Option<SocketAddr>, secured: bool) {
        (self.peer, self.secured) = (peer, secured);
    }

    /// Send a packet to the peer as it is, if it may be sent to.
    pub fn send(&mut self, data: &[u8], now: f64, own: &Own, outlet: &mut impl Outlet) {
        let Some(address) = self.peer else { return };
        if self.secured {
            self.withheld += 1;
        } else if self.passes(data, address, now, own) {
            self.emit(data, address, outlet);
        }
    }

    /// Send a datagram that was made for there.
    pub fn emit(&mut self, data: &[u8], to: SocketAddr, outlet: &mut impl Outlet) {
        if outlet.transmit(self.slot, data, to) {
            self.packets_out += 1;
            self.bytes_out += data.len() as u64;
        } else {
            self.errors_out += 1;
        }
    }

    /// Whether a packet, clear as yet, may go there: to a port of ours once (contract 9). What may not is counted.
    pub fn passes(&mut self, data: &[u8], to: SocketAddr, now: f64, own: &Own) -> bool {
        if !own.contains(to) || self.guard.get_or_insert_default().passes(data, now) {
            return true;
        }
        self.errors_out += 1;
        false
    }
}
