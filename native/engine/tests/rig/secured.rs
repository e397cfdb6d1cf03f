//! A call of which Alice's side is secured, Bob's is clear.

use std::sync::Arc;

use ngdaemon_engine::plan::{Carries, Latch, Learning, Protection, Route, Socket};
use ngdaemon_engine::srtp::{Inbound, Keys, Outbound, Refused, suite_named};

use super::{A, B, CALL, Rig, Sent, alice, bob, for_peer, route};

pub const CM_80: &str = "AES_CM_128_HMAC_SHA1_80";
pub const SUITES: [&str; 4] = [CM_80, "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"];

/// Other keys for each seed.
pub fn keys_of(seed: u8, suite: &str) -> Arc<Keys> {
    let suite = suite_named(suite).unwrap();
    Arc::new(Keys::new(suite, &vec![seed; suite.key], &vec![!seed; suite.salt]).unwrap())
}

pub fn keys(seed: u8) -> Arc<Keys> {
    keys_of(seed, CM_80)
}

/// What Alice sends with.
pub fn hers() -> Arc<Keys> {
    keys(1)
}

/// What is sent to her with.
pub fn ours() -> Arc<Keys> {
    keys(2)
}

/// One end: protects with `sends`, takes in with `receives`.
pub struct Far {
    out: Outbound,
    inbound: Inbound,
}

impl Far {
    pub fn new(sends: &Keys, receives: &Keys) -> Self {
        Self { out: Outbound::new(sends.clone(), u64::MAX).unwrap(), inbound: Inbound::new(receives.clone()).unwrap() }
    }

    /// The RTP packet protected.
    pub fn rtp(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut packet = packet.to_vec();
        self.out.rtp(&mut packet).unwrap();
        packet
    }

    /// The RTCP packet protected.
    pub fn rtcp(&mut self, packet: &[u8]) -> Vec<u8> {
        let mut packet = packet.to_vec();
        self.out.rtcp(&mut packet).unwrap();
        packet
    }

    /// What an RTP packet of ours says.
    pub fn open_rtp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut packet = packet.to_vec();
        self.inbound.rtp(&mut packet).map(|()| packet)
    }

    /// What an RTCP packet of ours says.
    pub fn open_rtcp(&mut self, packet: &[u8]) -> Result<Vec<u8>, Refused> {
        let mut packet = packet.to_vec();
        self.inbound.rtcp(&mut packet).map(|()| packet)
    }
}

/// Alice with SRTP at port A, Bob at port B.
pub struct SecuredCall {
    pub rig: Rig,
    pub alice: Far,
    pub protection: Protection,
    pub latch: Latch,
    pub bob_protection: Option<Protection>,
}

impl SecuredCall {
    pub fn sockets(&self) -> Vec<Socket> {
        let socket = |id, peer, latch: &Latch, protection: &Option<Protection>| Socket {
            id,
            signalled: Some(peer),
            latch: latch.clone(),
            muxed: true,
            protection: protection.clone(),
            ..Socket::default()
        };
        vec![
            socket(A, alice(), &self.latch, &Some(self.protection.clone())),
            socket(B, bob(), &for_peer(&immediate(), bob()), &self.bob_protection),
        ]
    }

    /// State the call with those routes.
    pub fn plan_with(&mut self, routes: &[Route]) {
        let sockets = self.sockets();
        self.rig.apply(CALL, &sockets, routes);
    }

    /// State the call.
    pub fn plan(&mut self) {
        self.plan_with(&muxed_routes());
    }

    /// Take in with other keys.
    pub fn receive_with(&mut self, receive: &[Arc<Keys>]) {
        self.protection.receive = receive.to_vec();
        self.plan();
    }

    /// Alice sends a clear RTP packet protected: what left because of it.
    pub fn say(&mut self, packet: &[u8]) -> Vec<Sent> {
        let packet = self.alice.rtp(packet);
        self.rig.receive(A, &packet, alice())
    }

    /// Alice sends an RTCP packet protected.
    pub fn report(&mut self, packet: &[u8]) -> Vec<Sent> {
        let packet = self.alice.rtcp(packet);
        self.rig.receive(A, &packet, alice())
    }

    /// Bob sends a clear RTP packet: what Alice makes of what reaches her.
    pub fn hears(&mut self, packet: &[u8]) -> Vec<Vec<u8>> {
        let sent = self.rig.receive(B, packet, bob());
        sent.iter().filter(|item| item.socket == A).map(|item| self.alice.open_rtp(&item.data).unwrap()).collect()
    }
}

pub fn immediate() -> Latch {
    Latch { learning: Learning::Immediate, generation: 1, ..Latch::default() }
}

/// Each port carries RTP and RTCP (rtcp-mux).
pub fn muxed_routes() -> Vec<Route> {
    vec![route(A, B, Carries::Rtp), route(B, A, Carries::Rtp), route(A, B, Carries::Rtcp), route(B, A, Carries::Rtcp)]
}

/// A call that was answered.
pub fn secured_call_of(suite: &str, latch: &Latch, routes: &[Route]) -> SecuredCall {
    let (hers, ours) = (keys_of(1, suite), keys_of(2, suite));
    let mut rig = Rig::default();
    for _ in 0..3 {
        rig.open(CALL); // the second of which is not used
    }
    let alice_end = Far::new(&hers, &ours);
    let protection = Protection { receive: vec![hers], send: Some(ours), ..Protection::default() };
    let latch = for_peer(latch, alice());
    let mut call = SecuredCall { rig, alice: alice_end, protection, latch, bob_protection: None };
    call.plan_with(routes);
    call
}

pub fn secured_call() -> SecuredCall {
    secured_call_of(CM_80, &immediate(), &muxed_routes())
}
