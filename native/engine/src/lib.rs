//! What becomes of a packet, with no socket and no clock: the caller brings datagrams and the time.
//!
//! The contract is that of `ngdaemon/media/forwarder.py`, whose reference is the portable packet path in Python.

pub mod bundle;
pub mod contexts;
pub mod counting;
pub mod departure;
pub mod filters;
pub mod gate;
pub mod holding;
pub mod lane;
pub mod latching;
pub mod links;
pub mod loops;
pub mod numbering;
pub mod outlet;
pub mod own;
pub mod pipeline;
pub mod plan;
pub mod report;
pub mod reports;
pub mod rtp;
pub mod srtp;
pub mod stream;
pub mod surroundings;

#[cfg(test)]
mod samples;
