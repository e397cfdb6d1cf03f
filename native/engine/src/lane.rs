//! The way of one source to a secured port: what comes clear along a route is numbered, protected and sent.

use crate::contexts::Shared;
use crate::numbering::Numbering;
use crate::outlet::{Outlet, Slot};
use crate::plan::SocketId;
use crate::rtp::packet::Fixed;
use crate::srtp::{Keys, KeysError, Outbound, Refused, SMALLEST_WINDOW};
use crate::surroundings::Surroundings;

/// What is sent with one key: its SRTP state and its numbers, for all sockets of a call.
pub struct Sender {
    /// Protects.
    pub outbound: Outbound,
    /// Numbers what is protected.
    pub numbering: Numbering,
    /// Packets that opened a way through a NAT.
    pub pierced: u64,
}

impl Sender {
    /// What is sent with these keys.
    pub fn new(keys: &Keys) -> Result<Self, KeysError> {
        Ok(Self {
            outbound: Outbound::new(keys.clone(), u64::MAX)?,
            numbering: Numbering::new(keys.window.max(SMALLEST_WINDOW)),
            pierced: 0,
        })
    }
}

/// From one source to one secured port. A packet leaves protected or not at all.
#[derive(Clone)]
pub struct Lane {
    source: SocketId,
    /// The port.
    pub sink: Slot,
    /// `None` while keys are awaited.
    pub sender: Option<Shared<Sender>>,
}

impl Lane {
    /// From that source to that port.
    pub fn new(source: SocketId, sink: Slot, sender: Option<Shared<Sender>>) -> Self {
        Self { source, sink, sender }
    }

    /// Send an RTP packet with a fixed header at least, which is protected where it lies.
    pub fn rtp(&self, packet: &mut Vec<u8>, around: &mut Surroundings<impl Outlet>) {
        self.send(packet, around, |sender, packet| match Fixed::of(packet) {
            Some(fixed) => protect(sender, self.source, fixed, packet),
            None => false,
        });
    }

    /// Send an RTCP packet, which is protected where it lies.
    pub fn rtcp(&self, packet: &mut Vec<u8>, around: &mut Surroundings<impl Outlet>) {
        self.send(packet, around, |sender, packet| sender.outbound.rtcp(packet).is_ok());
    }

    /// Send what `protect` makes of a packet, which says whether it may leave.
    fn send(
        &self,
        packet: &mut Vec<u8>,
        around: &mut Surroundings<impl Outlet>,
        protect: impl FnOnce(&mut Sender, &mut Vec<u8>) -> bool,
    ) {
        let departure = &mut around.departures[self.sink];
        let Some(address) = departure.peer else { return };
        let Some(sender) = &self.sender else {
            departure.withheld += 1;
            return;
        };
        if !departure.passes(packet, address, around.now, around.own) {
            return;
        }
        if protect(&mut sender.borrow_mut(), packet) {
            departure.emit(packet, address, around.outlet);
        } else {
            departure.errors_out += 1;
        }
    }
}

/// Number and protect an RTP packet; false when it must not leave.
fn protect(sender: &mut Sender, source: SocketId, fixed: Fixed, packet: &mut Vec<u8>) -> bool {
    let Sender { outbound, numbering, .. } = sender;
    let Some(track) = numbering.place(source, fixed.ssrc, fixed.sequence) else { return false };
    if track.shift != 0 {
        number(packet, i64::from(fixed.sequence) + track.shift);
    }
    match outbound.rtp(packet) {
        Ok(()) => true,
        // it and those before it may show that its source numbers anew
        Err(Refused::Replayed) => match numbering.repeated(source, fixed.ssrc, fixed.sequence) {
            Some(track) => {
                number(packet, i64::from(fixed.sequence) + track.shift);
                outbound.rtp(packet).is_ok()
            }
            None => false,
        },
        Err(_) => false,
    }
}

/// Give an RTP packet another (extended) sequence number.
pub fn number(packet: &mut [u8], sequence: i64) {
    if let Some(place) = packet.get_mut(2..4) {
        place.copy_from_slice(&(sequence as u16).to_be_bytes());
    }
}
