//! BUNDLE: several medias of a browser on one secured port, each with a clear port of its own (contract 14).

mod rig;

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use ngdaemon_engine::plan::{Carries, Latch, Protection, Route, Selector, Socket, SocketId};

use rig::samples::{self, Rtp};
use rig::secured::*;
use rig::*;

const AUDIO_PORT: SocketId = 2;
const VIDEO_PORT: SocketId = 3;
/// Elements of header extensions with the number of the MID.
const AUDIO_MID: &[u8] = &[0x30, b'0', 0, 0];
const VIDEO_MID: &[u8] = &[0x31, b'v', b'1', 0];

fn bob_audio() -> SocketAddr {
    bob()
}

fn bob_video() -> SocketAddr {
    at("203.0.113.1", 5002)
}

fn media(mid: &[u8], ssrc: u32, payload_types: &[u8]) -> Option<Arc<Selector>> {
    let payload_types = payload_types.iter().copied().collect();
    Some(Arc::new(Selector { mid: mid.to_vec(), extension: 3, ssrcs: [ssrc].into(), payload_types }))
}

fn audio() -> Option<Arc<Selector>> {
    media(b"0", 100, &[111, 0])
}

fn video() -> Option<Arc<Selector>> {
    media(b"v1", 200, &[96])
}

fn packet(sequence: u16, ssrc: u32, payload_type: u8) -> Rtp<'static> {
    Rtp { ssrc, payload_type, ..Rtp::of(sequence) }
}

fn says(packet: Rtp<'static>, mid: &'static [u8]) -> Vec<u8> {
    Rtp { extension: Some(mid), ..packet }.packet()
}

/// A browser at port A; its audio and its video leave at ports of their own.
struct Bundled {
    rig: Rig,
    browser: Far,
}

impl Bundled {
    fn new() -> Self {
        let mut rig = Rig::default();
        for _ in 0..3 {
            rig.open(CALL);
        }
        let mut made = Self { rig, browser: Far::new(&hers(), &ours()) };
        made.plan();
        made
    }

    fn sockets(secured: bool) -> Vec<Socket> {
        let latch = Latch { plausible: Some(Arc::new([alice().ip(), bob().ip()].into())), ..immediate() };
        let socket =
            |id, peer| Socket { id, signalled: Some(peer), latch: latch.clone(), muxed: true, ..Socket::default() };
        let protection = Protection { receive: vec![hers()], send: Some(ours()), ..Protection::default() };
        vec![
            Socket { protection: secured.then_some(protection), ..socket(A, alice()) },
            socket(AUDIO_PORT, bob_audio()),
            socket(VIDEO_PORT, bob_video()),
        ]
    }

    fn plan(&mut self) {
        let mut routes = Vec::new();
        for carries in [Carries::Rtp, Carries::Rtcp] {
            for (port, selector) in [(AUDIO_PORT, audio()), (VIDEO_PORT, video())] {
                routes.extend([Route { selector, ..route(A, port, carries) }, route(port, A, carries)]);
            }
        }
        self.rig.apply(CALL, &Self::sockets(true), &routes);
    }

    /// The ports that an RTP packet of the browser leaves from, as it was before it was protected.
    fn say(&mut self, packet: &[u8]) -> Vec<SocketId> {
        let protected = self.browser.rtp(packet);
        let left = self.rig.receive(A, &protected, alice());
        assert!(left.iter().all(|item| item.data == packet));
        left.iter().map(|item| item.socket).collect()
    }

    fn report(&mut self, packet: &[u8]) -> Vec<SocketId> {
        let protected = self.browser.rtcp(packet);
        self.rig.receive(A, &protected, alice()).iter().map(|item| item.socket).collect()
    }

    /// What the browser makes of a packet of one of Bob's.
    fn hears(&mut self, port: SocketId, packet: &[u8]) -> Vec<u8> {
        let source = if port == AUDIO_PORT { bob_audio() } else { bob_video() };
        let left = self.rig.receive(port, packet, source);
        assert_eq!((left.len(), left[0].socket), (1, A));
        self.browser.open_rtp(&left[0].data).unwrap()
    }
}

#[test]
fn packets_go_to_their_media() {
    let mut call = Bundled::new();
    for number in 1..5 {
        assert_eq!(call.say(&packet(number, 1, 111).packet()), [AUDIO_PORT]);
        assert_eq!(call.say(&says(packet(number, 2, 96), VIDEO_MID)), [VIDEO_PORT]);
        call.plan();
    }
    assert_eq!(call.say(&packet(1, 3, 50).packet()), []);
    let counted = call.rig.count(A);
    assert_eq!((counted.packets_in, counted.errors_in), (9, 0));
}

#[test]
fn what_comes_back_shares_one_key() {
    let mut call = Bundled::new();
    for number in 1..4 {
        for (port, ssrc) in [(AUDIO_PORT, 52), (VIDEO_PORT, 53)] {
            let packet = packet(number, ssrc, 0).packet();
            assert_eq!(call.hears(port, &packet), packet);
        }
    }
}

#[test]
fn two_phones_with_one_ssrc_do_not_share_an_index_srtp_05() {
    let mut call = Bundled::new();
    let mut numbers = HashSet::new();
    for number in 1..200 {
        for port in [AUDIO_PORT, VIDEO_PORT] {
            let heard = call.hears(port, &packet(number, 50, 0).packet());
            numbers.insert([heard[2], heard[3]]);
        }
    }
    assert_eq!(numbers.len(), 2 * 199);
}

#[test]
fn reports_follow_their_sender() {
    let mut call = Bundled::new();
    call.say(&packet(1, 2, 96).packet());
    assert_eq!(call.report(&[samples::sender_report(2, &[]), samples::description(2)].concat()), [VIDEO_PORT]);
    assert_eq!(call.report(&samples::sender_report(100, &[])), [AUDIO_PORT]);
}

/// A browser that shows video and sends none reports with an SSRC that nobody knows.
#[test]
fn reports_of_one_who_only_receives_follow_what_they_are_about() {
    let mut call = Bundled::new();
    call.hears(AUDIO_PORT, &packet(1, 70, 0).packet());
    call.hears(VIDEO_PORT, &packet(1, 71, 0).packet());
    let about = |ssrc| samples::receiver_report(1, &[samples::block(ssrc, 0)]);
    assert_eq!(call.report(&about(71)), [VIDEO_PORT]);
    assert_eq!(call.report(&about(70)), [AUDIO_PORT]);
    let empty = samples::receiver_report(1, &[]);
    assert_eq!(call.report(&[empty.clone(), samples::payload_feedback(1, 71)].concat()), [VIDEO_PORT]);
    assert_eq!(call.report(&empty), [AUDIO_PORT]);
}

#[test]
fn an_ssrc_that_changes_its_media_is_followed_on_the_short_way() {
    let mut call = Bundled::new();
    for number in 0..9 {
        let is_video = number % 3 == 0;
        let packet = says(packet(number, 9, 0), if is_video { VIDEO_MID } else { AUDIO_MID });
        assert_eq!(call.say(&packet), [if is_video { VIDEO_PORT } else { AUDIO_PORT }]);
    }
}

/// Also by an SSRC that says what it belongs to only later.
#[test]
fn a_route_for_all_medias_is_followed_beside_those_of_one() {
    let mut call = Bundled::new();
    let of_video = Route { selector: video(), ..route(A, VIDEO_PORT, Carries::Rtp) };
    call.rig.apply(CALL, &Bundled::sockets(true), &[route(A, AUDIO_PORT, Carries::Rtp), of_video]);
    assert_eq!(call.say(&packet(1, 9, 50).packet()), [AUDIO_PORT]);
    assert_eq!(call.say(&packet(2, 9, 50).packet()), [AUDIO_PORT]);
    assert_eq!(call.say(&says(packet(3, 9, 0), VIDEO_MID)), [AUDIO_PORT, VIDEO_PORT]);
    assert_eq!(call.say(&packet(4, 9, 50).packet()), [AUDIO_PORT, VIDEO_PORT]);
}

#[test]
fn clear_bundles_bind_nothing_that_a_stranger_says() {
    let mut call = Bundled::new();
    let routes = [(AUDIO_PORT, audio()), (VIDEO_PORT, video())]
        .map(|(port, selector)| Route { selector, ..route(A, port, Carries::Rtp) });
    call.rig.apply(CALL, &Bundled::sockets(false), &routes);
    call.rig.receive(A, &says(packet(1, 9, 0), VIDEO_MID), stranger());
    for number in 1..4 {
        let (one, other) = (packet(number, 9, 111).packet(), says(packet(number, 8, 0), VIDEO_MID));
        assert_eq!(call.rig.receive(A, &one, alice()), [sent(AUDIO_PORT, &one, bob_audio())]);
        assert_eq!(call.rig.receive(A, &other, alice()), [sent(VIDEO_PORT, &other, bob_video())]);
    }
}
