//! AES in counter mode, or no cipher, with HMAC-SHA1 (RFC 3711 §4.1.1, §4.2; RFC 6188).

use aes::cipher::{InnerIvInit, KeyInit, StreamCipher, StreamCipherCoreWrapper};
use aes::{Aes128, Aes192, Aes256};
use ctr::CtrCore;
use ctr::flavors::Ctr128BE;
use hmac::{Hmac, Mac};
use sha1::Sha1;

use super::header::{E_BIT, RTCP_FIXED, RTP_FIXED, WORD, header_length};
use super::kdf::SessionKeys;
use super::keys::Keys;
use super::suite::Cipher;

/// A block cipher with its key schedule, for all packets.
pub enum Aes {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
}

impl Aes {
    /// For a key of 16, 24 or 32 octets, which all suites have.
    pub fn new(key: &[u8]) -> Self {
        match key.len() {
            16 => Self::Aes128(Aes128::new(key.try_into().expect("16 octets"))),
            24 => Self::Aes192(Aes192::new(key.try_into().expect("24 octets"))),
            _ => Self::Aes256(Aes256::new(key.try_into().expect("32 octets"))),
        }
    }
}

/// Encrypt or decrypt `data` with the keystream that begins at `block`.
pub fn crypt(aes: &Aes, block: u128, data: &mut [u8]) {
    fn run<C: ctr::cipher::BlockCipherEncrypt<BlockSize = aes::cipher::consts::U16>>(
        cipher: C,
        block: u128,
        data: &mut [u8],
    ) {
        let core = CtrCore::<C, Ctr128BE>::inner_iv_init(cipher, &block.to_be_bytes().into());
        StreamCipherCoreWrapper::from_core(core).apply_keystream(data);
    }
    match aes {
        Aes::Aes128(cipher) => run(cipher, block, data),
        Aes::Aes192(cipher) => run(cipher, block, data),
        Aes::Aes256(cipher) => run(cipher, block, data),
    }
}

/// The parts that RTP and RTCP have in common.
struct Counter {
    /// None for the NULL cipher, and for `UNENCRYPTED_SRTP`.
    aes: Option<Aes>,
    /// The salt as the 16 octets of a counter block.
    salt: u128,
    mac: Hmac<Sha1>,
    mki: Vec<u8>,
    tag: usize,
}

impl Counter {
    fn new(keys: &Keys, session: &SessionKeys, encrypted: bool, tag: usize) -> Self {
        let mut salt = [0; 16];
        salt[..session.salt.len()].copy_from_slice(&session.salt);
        Self {
            aes: (encrypted && keys.suite.cipher != Cipher::Null).then(|| Aes::new(&session.cipher)),
            salt: u128::from_be_bytes(salt),
            mac: Hmac::new_from_slice(&session.auth).expect("HMAC takes keys of any length"),
            mki: keys.mki.clone(),
            tag,
        }
    }

    /// (salt × 2^16) XOR (SSRC × 2^64) XOR (index × 2^16), RFC 3711 §4.1.1.
    fn crypt(&self, ssrc: u32, index: u64, data: &mut [u8]) {
        if let Some(aes) = &self.aes {
            crypt(aes, self.salt ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16, data);
        }
    }

    fn tag_of(&self, body: &[u8], further: &[u8]) -> Hmac<Sha1> {
        let mut mac = self.mac.clone();
        mac.update(body);
        mac.update(further);
        mac
    }

    fn append_tag(&self, packet: &mut Vec<u8>, mac: Hmac<Sha1>) {
        let digest = mac.finalize().into_bytes();
        packet.extend_from_slice(&digest[..self.tag]);
    }
}

/// RTP packets: header, ciphertext, MKI, tag. The rollover counter is authenticated, though not sent.
pub struct CounterRtp(Counter);

impl CounterRtp {
    pub fn new(keys: &Keys, session: &SessionKeys) -> Self {
        let tag = if keys.authenticated { keys.suite.tag } else { 0 };
        Self(Counter::new(keys, session, keys.encrypted, tag))
    }

    pub fn shortest(&self) -> usize {
        RTP_FIXED + self.0.mki.len() + self.0.tag
    }

    /// Protect a packet where it lies. False when its header is not complete: it is as it was then.
    pub fn seal(&self, packet: &mut Vec<u8>, ssrc: u32, index: u64) -> bool {
        let Some(start) = header_length(packet) else { return false };
        self.0.crypt(ssrc, index, &mut packet[start..]);
        let mac = self.0.tag_of(packet, &rollover(index));
        packet.extend_from_slice(&self.0.mki);
        self.0.append_tag(packet, mac);
        true
    }

    /// Undo `seal`. False when the packet is not authentic or not complete: it is as it was then.
    pub fn open(&self, packet: &mut Vec<u8>, ssrc: u32, index: u64) -> bool {
        let Some(end) = packet.len().checked_sub(self.0.mki.len() + self.0.tag) else { return false };
        let (body, trailer) = packet.split_at(end);
        let (mki, tag) = trailer.split_at(self.0.mki.len());
        if mki != self.0.mki {
            return false;
        }
        if self.0.tag > 0 && self.0.tag_of(body, &rollover(index)).verify_truncated_left(tag).is_err() {
            return false;
        }
        let Some(start) = header_length(body) else { return false };
        packet.truncate(end);
        self.0.crypt(ssrc, index, &mut packet[start..]);
        true
    }
}

fn rollover(index: u64) -> [u8; 4] {
    ((index >> 16) as u32).to_be_bytes()
}

/// RTCP packets: eight octets, ciphertext, E bit with index, MKI, tag. Always authenticated (SRTP-09).
pub struct CounterRtcp {
    common: Counter,
    encrypted: bool,
}

impl CounterRtcp {
    pub fn new(keys: &Keys, session: &SessionKeys) -> Self {
        // RFC 3711 §3.4: the E bit of each packet says whether it is encrypted, so a receiver always has the cipher
        Self { common: Counter::new(keys, session, true, keys.suite.rtcp_tag), encrypted: keys.rtcp_encrypted }
    }

    /// Where the word with E bit and index begins, counted from the end of a protected packet.
    pub fn word_at(&self) -> usize {
        WORD + self.common.mki.len() + self.common.tag
    }

    pub fn shortest(&self) -> usize {
        RTCP_FIXED + self.word_at()
    }

    /// Protect a packet where it lies, under the 31-bit index.
    pub fn seal(&self, packet: &mut Vec<u8>, ssrc: u32, index: u32) {
        let mut word = index;
        if self.encrypted {
            self.common.crypt(ssrc, index.into(), &mut packet[RTCP_FIXED..]);
            word |= E_BIT;
        }
        packet.extend_from_slice(&word.to_be_bytes());
        let mac = self.common.tag_of(packet, &[]);
        packet.extend_from_slice(&self.common.mki);
        self.common.append_tag(packet, mac);
    }

    /// Undo `seal`; `word` is the one of `word_at`. False when it is not authentic: it is as it was then.
    pub fn open(&self, packet: &mut Vec<u8>, ssrc: u32, word: u32) -> bool {
        let signed = packet.len() - self.word_at() + WORD;
        let (body, trailer) = packet.split_at(signed);
        let (mki, tag) = trailer.split_at(self.common.mki.len());
        if mki != self.common.mki || self.common.tag_of(body, &[]).verify_truncated_left(tag).is_err() {
            return false;
        }
        packet.truncate(signed - WORD);
        if word & E_BIT != 0 {
            self.common.crypt(ssrc, (word & !E_BIT).into(), &mut packet[RTCP_FIXED..]);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::tests::hex;

    /// RFC 3711 B.2, RFC 6188 §7.1 and §7.3: the blocks 0 to 2, and those from FEFF.
    #[test]
    fn keystreams_are_those_of_the_rfcs() {
        let rows = [
            (
                "2B7E151628AED2A6ABF7158809CF4F3C",
                "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB41E95B3BB0A2E8DD477901E4FCA894C0",
                "EC8CDF7398607CB0F2D21675EA9EA1E4362B7C3C6773516318A077D7FC5073AE6A2CC3787889374FBEB4C81B17BA6C44",
            ),
            (
                "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
                "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac63c4868b7096d88421b563b8c94c9a31",
                "cea518c90fd91ced9cbb18c078a547113dbc4814f4da5f00a08772b63c6a046d6eb246913062a16891433e97dd01a57f",
            ),
            (
                "eab234764e517b2d3d160d587d8c86219740f65f99b6bcf7",
                "35096cba4610028dc1b57503804ce37c5de986291dcce161d5165ec4568f5c9a474a40c77894bc17180202272a4c264d",
                "d108d1a31a00bad6367ec23eb044b415c8f57129fdeb970b59f917b257662d4ca5dab625811034e8cebdfeb6dc158dd3",
            ),
        ];
        for (key, first, later) in rows {
            let mut stream = vec![0; 16 * 0xFF02];
            crypt(&Aes::new(&hex(key)), 0xF0F1_F2F3_F4F5_F6F7_F8F9_FAFB_FCFD_0000, &mut stream);
            assert_eq!(stream[..48], hex(first));
            assert_eq!(stream[16 * 0xFEFF..], hex(later));
        }
    }
}
