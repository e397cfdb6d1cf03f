//! The SRTP suites: one row each, under the names of SDES (RFC 4568 §6.2).

/// How the payload is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cipher {
    /// AES in counter mode, authenticated by HMAC-SHA1 (RFC 3711, RFC 6188).
    AesCm,
    /// AES-GCM (RFC 7714).
    AesGcm,
    /// Not at all, authenticated by HMAC-SHA1.
    Null,
}

/// A crypto-suite. Lengths are octets.
#[derive(Debug, PartialEq, Eq)]
pub struct Suite {
    /// As in `a=crypto`.
    pub name: &'static str,
    /// How the payload is encrypted.
    pub cipher: Cipher,
    /// Of the master key.
    pub key: usize,
    /// Of the master salt.
    pub salt: usize,
    /// Authentication tag of RTP packets.
    pub tag: usize,
    /// Authentication tag of RTCP packets: that of RTP is not always as long (RFC 5764 §4.1.2).
    pub rtcp_tag: usize,
}

const fn row(name: &'static str, cipher: Cipher, key: usize, salt: usize, tag: usize, rtcp_tag: usize) -> Suite {
    Suite { name, cipher, key, salt, tag, rtcp_tag }
}

/// All suites that packets can be protected with. F8 is not among them: it is never agreed on.
pub static SUITES: [Suite; 10] = [
    row("AEAD_AES_256_GCM", Cipher::AesGcm, 32, 12, 16, 16),
    row("AEAD_AES_128_GCM", Cipher::AesGcm, 16, 12, 16, 16),
    row("AES_256_CM_HMAC_SHA1_80", Cipher::AesCm, 32, 14, 10, 10),
    row("AES_256_CM_HMAC_SHA1_32", Cipher::AesCm, 32, 14, 4, 10),
    row("AES_192_CM_HMAC_SHA1_80", Cipher::AesCm, 24, 14, 10, 10),
    row("AES_192_CM_HMAC_SHA1_32", Cipher::AesCm, 24, 14, 4, 10),
    row("AES_CM_128_HMAC_SHA1_80", Cipher::AesCm, 16, 14, 10, 10),
    row("AES_CM_128_HMAC_SHA1_32", Cipher::AesCm, 16, 14, 4, 10),
    row("NULL_HMAC_SHA1_80", Cipher::Null, 16, 14, 10, 10),
    row("NULL_HMAC_SHA1_32", Cipher::Null, 16, 14, 4, 10),
];

/// The suite of that name, spelled as in the table.
pub fn suite_named(name: &str) -> Option<&'static Suite> {
    SUITES.iter().find(|suite| suite.name == name)
}
