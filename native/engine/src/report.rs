//! What the packet path tells control: events and counters, as in `ngdaemon/media/forwarder.py`.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::plan::{Carries, SocketId};

/// Sources of one socket that are counted apart: the oldest gives way.
pub const MAX_SOURCES: usize = 16;

/// Something that control has to know.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Whose.
    pub call: Arc<str>,
    /// Where.
    pub socket: SocketId,
    /// What.
    pub what: What,
}

/// What happened. `at` is monotonic time in seconds.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A peer was found at another endpoint than before, or learning is over (`confirmed`).
    Learned {
        /// Where it is.
        peer: SocketAddr,
        /// Until the next generation.
        confirmed: bool,
    },
    /// A datagram that is neither media nor garbage, for control.
    Punted {
        /// Who sent it.
        source: SocketAddr,
        /// As it came.
        data: Vec<u8>,
        /// When.
        at: f64,
    },
    /// A copy of a packet that followed a route with `mirror`, as it was received (decrypted).
    Tapped {
        /// Its kind.
        carries: Carries,
        /// In clear.
        packet: Vec<u8>,
        /// When.
        at: f64,
    },
    /// The first datagram since the generation changed that was dropped because its source is not plausible.
    Stranger {
        /// Who sent it.
        source: SocketAddr,
        /// When.
        at: f64,
    },
    /// The first packets since the socket has its receive keys were all dropped: none authenticated.
    Unreadable {
        /// Of the newest one.
        source: SocketAddr,
        /// How many.
        packets: u64,
        /// When.
        at: f64,
    },
}

/// What one synchronisation source sent to a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsrcCounters {
    /// Which.
    pub ssrc: u32,
    /// How many.
    pub packets: u64,
    /// UDP payload octets.
    pub bytes: u64,
    /// Of the newest packet, by sequence number; so are the next two.
    pub last_timestamp: u32,
    /// Of that packet.
    pub last_sequence: u16,
    /// Of that packet.
    pub payload_type: u8,
    /// Sequence numbers never seen.
    pub lost: u64,
}

/// What passed a socket since it was bound: `SocketCounters` of `ngdaemon/media/forwarder.py`, field by field.
#[derive(Clone, Debug, Default, PartialEq)]
#[allow(missing_docs)]
pub struct SocketCounters {
    pub packets_in: u64,
    pub bytes_in: u64,
    pub errors_in: u64,
    pub packets_out: u64,
    pub bytes_out: u64,
    pub errors_out: u64,
    pub strangers: u64,
    pub last_packet: Option<f64>,
    pub peer: Option<SocketAddr>,
    pub confirmed: bool,
    pub sources: Vec<SsrcCounters>,
    pub stranger: Option<SocketAddr>,
    pub unauthenticated: u64,
    pub replayed: u64,
    pub withheld: u64,
    pub control_packets: u64,
    pub control_bytes: u64,
    pub unkeyed: u64,
}
