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
