//! Packets of a BUNDLE transport, each with its length in front: an element lies in its packet, and a media is bound.

use std::sync::Arc;

use ngdaemon_engine::bundle::{Bundle, extension_element};
use ngdaemon_engine::plan::Selector;
use ngdaemon_engine::rtp::packet::{Fixed, header_length};

/// Whatever the octets.
pub fn holds(data: &[u8]) {
    let selector = |mid: &[u8], extension, payload_type| {
        Arc::new(Selector {
            mid: mid.to_vec(),
            extension,
            ssrcs: [extension.into()].into(),
            payload_types: [payload_type].into(),
        })
    };
    let mut bundle = Bundle::new([selector(b"0", 3, 0), selector(b"v1", 5, 96), selector(b"", 0, 8)], None);
    let mut rest = data;
    while let Some((&length, after)) = rest.split_first() {
        let (packet, after) = after.split_at(usize::from(length).min(after.len()));
        rest = after;
        let element = extension_element(packet, &[3, 5]).unwrap_or_default();
        assert!(element.is_empty() || packet.as_ptr_range().contains(&element.as_ptr()));
        let (Some(fixed), true) = (Fixed::of(packet), header_length(packet) <= packet.len()) else { continue };
        if let Some(media) = bundle.of_rtp(packet) {
            assert_eq!(bundle.of_ssrc(fixed.ssrc), Some(media));
        }
    }
    let again = Bundle::new(bundle.medias.iter().cloned(), Some(&bundle));
    assert!((0..64).all(|ssrc| again.of_ssrc(ssrc) == bundle.of_ssrc(ssrc)));
}
