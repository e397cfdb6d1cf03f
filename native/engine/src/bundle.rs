//! Which media of a BUNDLE transport a packet belongs to (RFC 8843 §9.2, contract 14).

use std::iter;
use std::sync::Arc;

use crate::plan::Selector;
use crate::rtp::packet::{COUNT_MASK, EXTENSION_BIT, FIXED, Fixed, number, word};
use crate::rtp::rtcp::{self, BLOCK, FEEDBACK, FEEDBACK_HEADER, first_block};

/// SSRCs whose media is remembered. The oldest gives way: its next packet has to say again what it belongs to.
pub const MAX_BOUND: usize = 64;

/// The profile of header extensions whose elements have one octet of header (RFC 8285 §4.2).
const ONE_BYTE: u16 = 0xBEDE;
/// The same of two octets (RFC 8285 §4.3). The last four bits are free.
const TWO_BYTE: u16 = 0x1000;

/// A media: its place in `Bundle::medias`. Routes with equal selectors have the same.
pub type Media = usize;

/// The medias of one port, and the SSRCs that are bound to them.
#[derive(Debug)]
pub struct Bundle {
    /// Each once, in the order of the routes. The first of those that say the same of a packet has it.
    pub medias: Vec<Arc<Selector>>,
    by_payload_type: [Option<Media>; 128],
    extensions: Vec<u8>,
    /// In order of SSRC.
    signalled: Vec<(u32, Media)>,
    /// By the MID of a packet, or by its payload type; the oldest first.
    bound: Vec<(u32, Media)>,
}

impl Bundle {
    /// `before` is what the port had until now: SSRCs of medias that are still there stay bound.
    pub fn new(selectors: impl IntoIterator<Item = Arc<Selector>>, before: Option<&Self>) -> Self {
        let mut medias: Vec<Arc<Selector>> = Vec::new();
        for selector in selectors {
            if !medias.contains(&selector) {
                medias.push(selector);
            }
        }
        let mut by_payload_type = [None; 128];
        let mut signalled = Vec::new();
        for (media, selector) in medias.iter().enumerate().rev() {
            for number in &selector.payload_types {
                if let Some(place) = by_payload_type.get_mut(usize::from(*number)) {
                    *place = Some(media);
                }
            }
            signalled.extend(selector.ssrcs.iter().map(|ssrc| (*ssrc, media)));
        }
        signalled.sort_unstable();
        signalled.dedup_by_key(|(ssrc, _)| *ssrc);
        let extensions = medias.iter().map(|media| media.extension).filter(|number| *number != 0).collect();
        let mut bundle = Self { medias, by_payload_type, extensions, signalled, bound: Vec::new() };
        if let Some(before) = before {
            bundle.bound = before.bound.iter().filter_map(|bound| bundle.still(before, *bound)).collect();
        }
        bundle
    }

    /// An SSRC that was bound to a media that is still there.
    fn still(&self, before: &Self, (ssrc, media): (u32, Media)) -> Option<(u32, Media)> {
        let selector = before.medias.get(media)?;
        let same = if selector.mid.is_empty() { self.media(selector) } else { self.of_mid(&selector.mid) };
        Some((ssrc, same?))
    }

    /// The media that a route is for.
    pub fn media(&self, selector: &Selector) -> Option<Media> {
        self.medias.iter().position(|media| **media == *selector)
    }

    /// The media of an RTP packet with a complete header; `None` for none of these.
    pub fn of_rtp(&mut self, data: &[u8]) -> Option<Media> {
        let fixed = Fixed::of(data)?;
        if fixed.first & EXTENSION_BIT != 0 && !self.extensions.is_empty() {
            if let Some(mid) = extension_element(data, &self.extensions) {
                let media = self.of_mid(mid)?;
                self.bind(fixed.ssrc, media);
                return Some(media);
            }
        }
        if let Some(media) = self.of_ssrc(fixed.ssrc) {
            return Some(media);
        }
        let media = self.by_payload_type[usize::from(fixed.payload_type())]?;
        self.bind(fixed.ssrc, media);
        Some(media)
    }

    /// The media that an SSRC is bound to. What packets have said is newer than what was signalled.
    pub fn of_ssrc(&self, ssrc: u32) -> Option<Media> {
        if let Some((_, media)) = self.bound.iter().find(|(bound, _)| *bound == ssrc) {
            return Some(*media);
        }
        let at = self.signalled.binary_search_by_key(&ssrc, |(signalled, _)| *signalled).ok()?;
        Some(self.signalled[at].1)
    }

    fn of_mid(&self, mid: &[u8]) -> Option<Media> {
        self.medias.iter().position(|media| !mid.is_empty() && media.mid == mid)
    }

    fn bind(&mut self, ssrc: u32, media: Media) {
        if let Some((_, bound)) = self.bound.iter_mut().find(|(bound, _)| *bound == ssrc) {
            *bound = media;
            return;
        }
        if self.bound.len() >= MAX_BOUND {
            self.bound.remove(0);
        }
        self.bound.push((ssrc, media));
    }
}

/// The first element with one of those numbers in the header extension of an RTP packet (RFC 8285 §4.2, §4.3).
///
/// The packet has a complete header. What is no extension of this kind has no elements; one that is cut off is none.
pub fn extension_element<'a>(data: &'a [u8], numbers: &[u8]) -> Option<&'a [u8]> {
    let start = FIXED + 4 * usize::from(data.first()? & COUNT_MASK);
    let length = 4 * usize::from(number(data, start + 2)?);
    let one_byte = match number(data, start)? {
        ONE_BYTE => true,
        profile if profile & 0xFFF0 == TWO_BYTE => false,
        _ => return None,
    };
    let mut rest = data.get(start + 4..)?.get(..length)?;
    while let Some((&octet, after)) = rest.split_first() {
        if octet == 0 {
            rest = after; // padding
            continue;
        }
        let (number, length, body) = if one_byte {
            (octet >> 4, octet & 0x0F, after)
        } else {
            let (&length, body) = after.split_first()?;
            (octet, length, body)
        };
        if one_byte && (number == 0 || number == 15) {
            return None; // the extension ends here, whatever follows
        }
        let (element, after) = body.split_at_checked(usize::from(length) + usize::from(one_byte))?;
        if numbers.contains(&number) {
            return Some(element);
        }
        rest = after;
    }
    None
}

/// The sender of an RTCP datagram of 8 octets at least, and the sources that it is about where it is legible.
pub fn reporters(data: &[u8]) -> (u32, impl Iterator<Item = u32>) {
    (word(data, 4).unwrap_or(0), packets(data).flat_map(about))
}

/// The packets of a compound up to where it is malformed.
fn packets(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    iter::from_fn(move || {
        if rest.len() < 8 {
            return None;
        }
        let (packet, after) = rest.split_at_checked(rtcp::length(rest))?;
        rest = after;
        Some(packet)
    })
}

/// The sources that a packet is about.
fn about(packet: &[u8]) -> impl Iterator<Item = u32> {
    let (first, kind) = (packet.first().copied().unwrap_or(0), packet.get(1).copied().unwrap_or(0));
    let media = if FEEDBACK.contains(&kind) { packet.get(8..FEEDBACK_HEADER) } else { None };
    let start = first_block(kind).unwrap_or(packet.len());
    let blocks = packet.get(start..).unwrap_or_default().chunks_exact(BLOCK);
    let blocks = blocks.take(usize::from(first & rtcp::COUNT_MASK));
    media.into_iter().chain(blocks).filter_map(|place| word(place, 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtp::packet::header_length;
    use crate::samples::{Rng, Rtp, block, description, payload_feedback, receiver_report, sender_report};

    const AUDIO: Option<Media> = Some(0);
    const VIDEO: Option<Media> = Some(1);

    fn selector(mid: &[u8], ssrc: u32, payload_types: &[u8]) -> Arc<Selector> {
        let payload_types = payload_types.iter().copied().collect();
        Arc::new(Selector { mid: mid.to_vec(), extension: 3, ssrcs: [ssrc].into(), payload_types })
    }

    fn audio() -> Arc<Selector> {
        selector(b"0", 100, &[111, 0])
    }

    fn video() -> Arc<Selector> {
        selector(b"v1", 200, &[96])
    }

    fn bundle() -> Bundle {
        Bundle::new([audio(), video()], None)
    }

    fn filled(mut body: Vec<u8>) -> Vec<u8> {
        body.resize(body.len().next_multiple_of(4), 0);
        body
    }

    fn one_byte(elements: &[(u8, &[u8])]) -> Vec<u8> {
        filled(elements.iter().flat_map(|(n, value)| [&[n << 4 | (value.len() as u8 - 1)], *value].concat()).collect())
    }

    fn two_byte(elements: &[(u8, &[u8])]) -> Vec<u8> {
        filled(elements.iter().flat_map(|(n, value)| [&[*n, value.len() as u8], *value].concat()).collect())
    }

    fn plain(ssrc: u32, payload_type: u8) -> Vec<u8> {
        Rtp { ssrc, payload_type, ..Rtp::of(1) }.packet()
    }

    /// A packet that says its media.
    fn saying(ssrc: u32, payload_type: u8, mid: &[u8]) -> Vec<u8> {
        Rtp { ssrc, payload_type, extension: Some(&one_byte(&[(3, mid)])), ..Rtp::of(1) }.packet()
    }

    #[test]
    fn the_mid_decides_and_binds_the_ssrc() {
        let mut bundle = bundle();
        assert_eq!(bundle.of_rtp(&saying(7, 50, b"v1")), VIDEO);
        assert_eq!(bundle.of_rtp(&plain(7, 111)), VIDEO);
        assert_eq!(bundle.of_ssrc(7), VIDEO);
    }

    #[test]
    fn in_either_form_of_header_extension() {
        let mut bundle = bundle();
        let body = two_byte(&[(1, b""), (200, &[b'x'; 20]), (3, b"v1")]);
        let packet = Rtp { ssrc: 8, payload_type: 50, profile: 0x1000, extension: Some(&body), ..Rtp::of(1) };
        assert_eq!(bundle.of_rtp(&packet.packet()), VIDEO);
        let body = one_byte(&[(1, b"abc"), (3, b"0"), (4, b"z")]);
        let packet = Rtp { ssrc: 9, payload_type: 50, csrcs: 2, extension: Some(&body), ..Rtp::of(1) };
        assert_eq!(bundle.of_rtp(&packet.packet()), AUDIO);
    }

    #[test]
    fn the_mid_wins_over_what_was_signalled_and_bound() {
        let mut bundle = bundle();
        assert_eq!(bundle.of_rtp(&plain(100, 111)), AUDIO);
        assert_eq!(bundle.of_rtp(&saying(100, 111, b"v1")), VIDEO);
        assert_eq!(bundle.of_rtp(&plain(100, 111)), VIDEO);
    }

    #[test]
    fn an_unknown_mid_is_of_no_media() {
        assert_eq!(bundle().of_rtp(&saying(100, 111, b"zz")), None);
    }

    #[test]
    fn then_a_signalled_ssrc_then_the_payload_type() {
        let mut bundle = bundle();
        assert_eq!(bundle.of_rtp(&plain(200, 111)), VIDEO);
        assert_eq!(bundle.of_rtp(&plain(31, 96)), VIDEO);
        assert_eq!(bundle.of_rtp(&plain(31, 50)), VIDEO);
        assert_eq!(bundle.of_rtp(&plain(32, 50)), None);
    }

    #[test]
    fn equal_selectors_are_one_media_and_the_first_of_those_that_say_the_same_has_it() {
        let mut twice = Bundle::new([audio(), video(), audio(), selector(b"x", 100, &[96])], None);
        assert_eq!(twice.medias, [audio(), video(), selector(b"x", 100, &[96])]);
        assert_eq!([audio(), video()].map(|media| twice.media(&media)), [AUDIO, VIDEO]);
        assert_eq!((twice.of_ssrc(100), twice.of_rtp(&plain(5, 96))), (AUDIO, VIDEO));
    }

    #[test]
    fn bindings_outlast_a_new_plan_where_their_media_does() {
        let mut before = bundle();
        assert_eq!((before.of_rtp(&plain(31, 96)), before.of_rtp(&plain(32, 111))), (VIDEO, AUDIO));
        let mut after = Bundle::new([selector(b"v1", 200, &[97])], Some(&before));
        assert_eq!((after.of_rtp(&plain(31, 50)), after.of_rtp(&plain(32, 50))), (Some(0), None));
    }

    #[test]
    fn without_a_mid_a_media_is_the_same_only_where_it_is_equal() {
        let mut before = Bundle::new([selector(b"", 1, &[8]), selector(b"", 2, &[9])], None);
        assert_eq!((before.of_rtp(&plain(31, 8)), before.of_rtp(&plain(32, 9))), (AUDIO, VIDEO));
        let after = Bundle::new([selector(b"", 2, &[9]), selector(b"", 1, &[7])], Some(&before));
        assert_eq!((after.of_ssrc(31), after.of_ssrc(32)), (None, Some(0)));
    }

    #[test]
    fn few_ssrcs_are_remembered_and_the_oldest_gives_way() {
        let mut bundle = bundle();
        for ssrc in 1000..1001 + MAX_BOUND as u32 {
            assert_eq!(bundle.of_rtp(&plain(ssrc, 96)), VIDEO);
        }
        assert_eq!((bundle.bound.len(), bundle.of_ssrc(1000), bundle.of_ssrc(1001)), (MAX_BOUND, None, VIDEO));
    }

    fn element(profile: u16, body: &[u8]) -> Option<Vec<u8>> {
        let packet = Rtp { profile, extension: Some(&filled(body.to_vec())), payload: b"", ..Rtp::of(1) }.packet();
        assert_eq!(header_length(&packet), packet.len());
        extension_element(&packet, &[3]).map(<[u8]>::to_vec)
    }

    #[test]
    fn one_byte_elements() {
        for (body, found) in [
            (&b"\x32mid"[..], Some(&b"mid"[..])),
            (b"\x00\x00\x30v", Some(b"v")),
            (b"\x10a\x30v", Some(b"v")),
            (b"\xf0a\x30v", None), // 15 ends the extension
            (b"\x01a\x30v", None), // so does 0 that is no padding
            (b"\x33ab\x00", None), // cut off
            (b"", None),
            (b"\x00\x00\x00\x30", None),
        ] {
            assert_eq!(element(0xBEDE, body).as_deref(), found, "{body:?}");
        }
    }

    #[test]
    fn two_byte_elements() {
        for (body, found) in [
            (&b"\x03\x03mid"[..], Some(&b"mid"[..])),
            (b"\x00\x00\x03\x01v", Some(b"v")),
            (b"\x03\x00", Some(b"")),
            (b"\x03\x09ab", None),
            (b"\x00\x00\x00\x03", None),
        ] {
            assert_eq!(element(0x1000, body).as_deref(), found, "{body:?}");
            assert_eq!(element(0x100F, body).as_deref(), found, "{body:?}");
        }
    }

    #[test]
    fn another_profile_has_no_elements() {
        assert_eq!(element(0xABCD, b"\x300\x00\x00"), None);
    }

    #[test]
    fn no_bytes_lead_out_of_the_extension_s03() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let (profile, body) = (rng.pick(&[0xBEDE, 0x1000, 0x100F]), rng.octets(64));
            if let Some(found) = element(profile, &body) {
                let body = filled(body);
                assert!(found.is_empty() || body.windows(found.len()).any(|part| part == found));
            }
            let mut cut = Rtp { profile, extension: Some(&filled(rng.octets(64))), ..Rtp::of(1) }.packet();
            cut.truncate(rng.below(cut.len()));
            extension_element(&cut, &[3]);
        }
    }

    fn reported(data: &[u8]) -> (u32, Vec<u32>) {
        let (sender, about) = reporters(data);
        (sender, about.collect())
    }

    #[test]
    fn who_reports_on_what() {
        assert_eq!(reported(&sender_report(1, &[block(5, 0), block(6, 0)])), (1, vec![5, 6]));
        let compound = [receiver_report(1, &[block(5, 0)]), description(1), payload_feedback(1, 9)].concat();
        assert_eq!(reported(&compound), (1, vec![5, 9]));
        let cut = &compound[..compound.len() - 1];
        assert_eq!(reported(cut), (1, vec![5]));
    }

    #[test]
    fn any_bytes_are_survived_s03() {
        for seed in 0..20_000 {
            let mut rng = Rng::new(seed);
            let mut data = rng.octets(80);
            if data.len() > 3 && rng.one_in(2) {
                (data[1], data[2]) = (rng.pick(&[200, 201, 205, 206]), 0);
            }
            for ssrc in reported(&data).1 {
                assert!(data.windows(4).any(|part| part == ssrc.to_be_bytes()));
            }
        }
    }
}
