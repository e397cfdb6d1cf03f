//! The native forwarder: the packet path of `ngdaemon-engine` between real sockets, in threads of its own.
//!
//! Control speaks to an `Engine`. Each call belongs to one of its workers, which alone touches what becomes of its
//! packets: plans reach it as messages and take effect between two packets, events come back through one queue.

mod clock;
mod engine;
mod events;
mod guard;
mod inbox;
mod port;
mod seats;
mod worker;

pub use engine::Engine;
pub use events::{MAX_EVENTS, Notice};
