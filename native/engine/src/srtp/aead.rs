//! AES-GCM (RFC 7714).

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes128Gcm, Aes256Gcm};

use super::header::{E_BIT, RTCP_FIXED, RTP_FIXED, WORD, header_length};
use super::kdf::SessionKeys;
use super::keys::Keys;

/// RFC 7714 §13.2 has no shorter ones (SRTP-14).
const TAG: usize = 16;
const NONCE: usize = 12;

enum Gcm {
    Aes128(Box<Aes128Gcm>),
    Aes256(Box<Aes256Gcm>),
}

struct Aead {
    gcm: Gcm,
    salt: u128,
    mki: Vec<u8>,
}

impl Aead {
    fn new(keys: &Keys, session: &SessionKeys) -> Self {
        let mut salt = [0; 16];
        salt[16 - NONCE..].copy_from_slice(&session.salt);
        let gcm = match session.cipher.len() {
            16 => Gcm::Aes128(Box::new(Aes128Gcm::new_from_slice(&session.cipher).expect("16 octets"))),
            _ => Gcm::Aes256(Box::new(Aes256Gcm::new_from_slice(&session.cipher).expect("32 octets"))),
        };
        Self { gcm, salt: u128::from_be_bytes(salt), mki: keys.mki.clone() }
    }

    /// RFC 7714 §8.1, §9.1.
    fn nonce(&self, ssrc: u32, index: u64) -> [u8; NONCE] {
        let block = (self.salt ^ u128::from(ssrc) << 48 ^ u128::from(index)).to_be_bytes();
        block[16 - NONCE..].try_into().expect("12 octets")
    }

    fn seal(&self, nonce: [u8; NONCE], header: &[u8], text: &mut [u8]) -> [u8; TAG] {
        let (nonce, text) = (&nonce.into(), InOutBuf::from(text));
        match &self.gcm {
            Gcm::Aes128(gcm) => gcm.encrypt_inout_detached(nonce, header, text),
            Gcm::Aes256(gcm) => gcm.encrypt_inout_detached(nonce, header, text),
        }
        .expect("a datagram is shorter than what GCM takes")
        .into()
    }

    /// Decrypt; false when it is not authentic, and nothing is changed then.
    fn open(&self, nonce: [u8; NONCE], header: &[u8], text: &mut [u8], tag: [u8; TAG]) -> bool {
        let (nonce, text, tag) = (&nonce.into(), InOutBuf::from(text), &tag.into());
        match &self.gcm {
            Gcm::Aes128(gcm) => gcm.decrypt_inout_detached(nonce, header, text, tag),
            Gcm::Aes256(gcm) => gcm.decrypt_inout_detached(nonce, header, text, tag),
        }
        .is_ok()
    }
}

/// RTP packets: header, ciphertext, tag, MKI. Authenticated whatever `Keys::authenticated` says: GCM has no less.
pub struct AeadRtp {
    aead: Aead,
    encrypted: bool,
}

impl AeadRtp {
    pub fn new(keys: &Keys, session: &SessionKeys) -> Self {
        Self { aead: Aead::new(keys, session), encrypted: keys.encrypted }
    }

    pub fn shortest(&self) -> usize {
        RTP_FIXED + TAG + self.aead.mki.len()
    }

    /// Protect a packet where it lies. False when its header is not complete: it is as it was then.
    pub fn seal(&self, packet: &mut Vec<u8>, ssrc: u32, index: u64) -> bool {
        let Some(start) = header_length(packet) else { return false };
        let start = if self.encrypted { start } else { packet.len() };
        let (header, text) = packet.split_at_mut(start);
        let tag = self.aead.seal(self.aead.nonce(ssrc, index), header, text);
        packet.extend_from_slice(&tag);
        packet.extend_from_slice(&self.aead.mki);
        true
    }

    /// Undo `seal`. False when the packet is not authentic or not complete: it is as it was then.
    pub fn open(&self, packet: &mut Vec<u8>, ssrc: u32, index: u64) -> bool {
        let Some(end) = packet.len().checked_sub(self.aead.mki.len()) else { return false };
        let Some(text_end) = end.checked_sub(TAG) else { return false };
        if packet[end..] != self.aead.mki {
            return false;
        }
        let Some(start) = header_length(&packet[..text_end]) else { return false };
        let start = if self.encrypted { start } else { text_end };
        let tag = packet[text_end..end].try_into().expect("16 octets");
        let (header, text) = packet[..text_end].split_at_mut(start);
        if !self.aead.open(self.aead.nonce(ssrc, index), header, text, tag) {
            return false;
        }
        packet.truncate(text_end);
        true
    }
}

/// RTCP packets: eight octets, ciphertext, tag, E bit with index, MKI.
///
/// The word with the index is authenticated too; without encryption so is the whole packet (RFC 7714 §9.3).
pub struct AeadRtcp {
    aead: Aead,
    encrypted: bool,
}

impl AeadRtcp {
    pub fn new(keys: &Keys, session: &SessionKeys) -> Self {
        Self { aead: Aead::new(keys, session), encrypted: keys.rtcp_encrypted }
    }

    /// Where the word with E bit and index begins, counted from the end of a protected packet.
    pub fn word_at(&self) -> usize {
        WORD + self.aead.mki.len()
    }

    pub fn shortest(&self) -> usize {
        RTCP_FIXED + TAG + self.word_at()
    }

    /// Protect a packet where it lies, under the 31-bit index.
    pub fn seal(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) {
        let nonce = self.aead.nonce(ssrc, index.into());
        let word = (if self.encrypted { index | E_BIT } else { index }).to_be_bytes();
        let tag = if self.encrypted {
            let (header, text) = packet.split_at_mut(RTCP_FIXED);
            let authenticated = with_word(header, word);
            self.aead.seal(nonce, &authenticated, text)
        } else {
            packet.extend_from_slice(&word);
            let tag = self.aead.seal(nonce, packet, &mut []);
            packet.truncate(packet.len() - WORD);
            tag
        };
        packet.extend_from_slice(&tag);
        packet.extend_from_slice(&word);
        packet.extend_from_slice(&self.aead.mki);
    }

    /// Undo `seal`; `word` is the one of `word_at`. False when it is not authentic: it is as it was then.
    pub fn open(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) -> bool {
        let end = packet.len() - self.word_at();
        let text_end = end - TAG;
        if packet[end + WORD..] != self.aead.mki {
            return false;
        }
        let nonce = self.aead.nonce(ssrc, (word & !E_BIT).into());
        let tag = packet[text_end..end].try_into().expect("16 octets");
        let authentic = if word & E_BIT != 0 {
            let (header, text) = packet[..text_end].split_at_mut(RTCP_FIXED);
            let authenticated = with_word(header, word.to_be_bytes());
            self.aead.open(nonce, &authenticated, text, tag)
        } else {
            // the word belongs right behind the text here, where the tag lies
            packet[text_end..text_end + WORD].copy_from_slice(&word.to_be_bytes());
            let authentic = self.aead.open(nonce, &packet[..text_end + WORD], &mut [], tag);
            packet[text_end..text_end + WORD].copy_from_slice(&tag[..WORD]);
            authentic
        };
        if authentic {
            packet.truncate(text_end);
        }
        authentic
    }
}

fn with_word(header: &[u8], word: [u8; WORD]) -> [u8; RTCP_FIXED + WORD] {
    let mut authenticated = [0; RTCP_FIXED + WORD];
    authenticated[..RTCP_FIXED].copy_from_slice(header);
    authenticated[RTCP_FIXED..].copy_from_slice(&word);
    authenticated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::kdf::SessionKeys;
    use crate::srtp::suite::suite_named;
    use crate::srtp::tests::hex;
    use zeroize::Zeroizing;

    const RTP: &str =
        "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e69732064697669736120696e207061727465732074726573";
    const RTCP: &str =
        "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";
    const INDEX: u32 = 0x5D4;

    struct Row {
        suite: &'static str,
        key: &'static str,
        rtp: &'static str,
        rtp_tag: &'static str,
        rtcp: &'static str,
        rtcp_tag: &'static str,
    }

    /// RFC 7714 §16 and §17. These are session keys, not master keys.
    const ROWS: [Row; 2] = [
        Row {
            suite: "AEAD_AES_128_GCM",
            key: "000102030405060708090a0b0c0d0e0f",
            rtp: "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf\
                  8833899d7f27beb16a9152cf765ee4390cce",
            rtp_tag: "22493f82d2bce397e9d79e3b19aa4216",
            rtcp: "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1730d6fda4ce09b4686303ded\
                   0bb9275bc84aa45896cf4d2fc5abf87245d9eade800005d4",
            rtcp_tag: "841dd9683dd78ec92ae58790125f62b3",
        },
        Row {
            suite: "AEAD_AES_256_GCM",
            key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            rtp: "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799\
                  b87b7aa3db36dfffd6b0f9bb7878d7a76c13",
            rtp_tag: "a866d5910f887463067ceefec45215d4",
            rtcp: "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1110555be8415f658c61de047\
                   6f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be800005d4",
            rtcp_tag: "91db4afbfeee5a978fab4393ed2615fe",
        },
    ];

    fn keys_of(row: &Row, encrypted: bool) -> (Keys, SessionKeys) {
        let suite = suite_named(row.suite).unwrap();
        let mut keys = Keys::new(suite, &vec![0; suite.key], &[0; 12]).unwrap();
        (keys.encrypted, keys.rtcp_encrypted) = (encrypted, encrypted);
        let session = SessionKeys {
            cipher: Zeroizing::new(hex(row.key)),
            auth: Zeroizing::new(Vec::new()),
            salt: Zeroizing::new(hex("517569642070726f2071756f")),
        };
        (keys, session)
    }

    #[test]
    fn packets_are_those_of_the_rfc() {
        for row in &ROWS {
            let (keys, session) = keys_of(row, true);
            let (rtp, rtcp) = (AeadRtp::new(&keys, &session), AeadRtcp::new(&keys, &session));
            let mut packet = hex(RTP);
            assert!(rtp.seal(&mut packet, 0x5501_A0B2, 0xF17B));
            assert_eq!(packet, hex(row.rtp));
            assert!(rtp.open(&mut packet, 0x5501_A0B2, 0xF17B));
            assert_eq!(packet, hex(RTP));
            let mut packet = hex(RTCP);
            rtcp.seal(&mut packet, 0x4D61_7273, INDEX);
            assert_eq!(packet, hex(row.rtcp));
            assert!(rtcp.open(&mut packet, 0x4D61_7273, INDEX | E_BIT));
            assert_eq!(packet, hex(RTCP));
        }
    }

    #[test]
    fn packets_that_are_only_authenticated_are_those_of_the_rfc() {
        for row in &ROWS {
            let (keys, session) = keys_of(row, false);
            let (rtp, rtcp) = (AeadRtp::new(&keys, &session), AeadRtcp::new(&keys, &session));
            let mut packet = hex(RTP);
            assert!(rtp.seal(&mut packet, 0x5501_A0B2, 0xF17B));
            assert_eq!(packet, [hex(RTP), hex(row.rtp_tag)].concat());
            assert!(rtp.open(&mut packet, 0x5501_A0B2, 0xF17B));
            let mut packet = hex(RTCP);
            rtcp.seal(&mut packet, 0x4D61_7273, INDEX);
            assert_eq!(packet, [hex(RTCP), hex(row.rtcp_tag), INDEX.to_be_bytes().to_vec()].concat());
            assert!(rtcp.open(&mut packet, 0x4D61_7273, INDEX));
            assert_eq!(packet, hex(RTCP));
        }
    }
}
