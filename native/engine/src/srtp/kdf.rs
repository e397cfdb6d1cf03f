//! Session keys out of master keys (RFC 3711 §4.3, RFC 6188 §3, RFC 7714 §11).

use zeroize::Zeroizing;

use super::counter::{Aes, crypt};
use super::keys::Keys;

/// Octets of the key of HMAC-SHA1.
pub const AUTH_KEY: usize = 20;

const SALT: usize = 14;

/// What a derived key is for: the first of the three labels, which follow each other (RFC 3711 §4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// RTP packets.
    Rtp = 0,
    /// RTCP packets.
    Rtcp = 3,
}

/// What the packets of one kind are protected with.
pub struct SessionKeys {
    pub cipher: Zeroizing<Vec<u8>>,
    /// Of no use to AES-GCM.
    pub auth: Zeroizing<Vec<u8>>,
    /// 14 octets, 12 for AES-GCM.
    pub salt: Zeroizing<Vec<u8>>,
}

/// The three session keys of RTP or of RTCP, for packets whose index divided by the key derivation rate is `rate_index`.
pub fn session_keys(keys: &Keys, label: Label, rate_index: u64) -> SessionKeys {
    let first = label as u8;
    SessionKeys {
        cipher: derive(keys.key(), keys.salt(), first, keys.suite.key, rate_index),
        auth: derive(keys.key(), keys.salt(), first + 1, AUTH_KEY, rate_index),
        salt: derive(keys.key(), keys.salt(), first + 2, keys.suite.salt, rate_index),
    }
}

/// `length` octets of key material for a label.
pub fn derive(key: &[u8], salt: &[u8], label: u8, length: usize, rate_index: u64) -> Zeroizing<Vec<u8>> {
    // The 12 octets of AES-GCM stand at the left of the 14, where no RFC says so: at the right the keys would be wrong.
    let mut padded = [0; 16];
    padded[..SALT.min(salt.len())].copy_from_slice(salt);
    let block = u128::from_be_bytes(padded) ^ ((u128::from(label) << 48 | u128::from(rate_index)) << 16);
    let mut out = Zeroizing::new(vec![0; length]);
    crypt(&Aes::new(key), block, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::srtp::tests::hex;

    struct Row {
        key: &'static str,
        salt: &'static str,
        labels: &'static [(u8, &'static str)],
    }

    /// RFC 3711 B.3, RFC 6188 §7.2 and §7.4, and AES-GCM as libsrtp has it.
    const ROWS: [Row; 5] = [
        Row {
            key: "E1F97A0D3E018BE0D64FA32C06DE4139",
            salt: "0EC675AD498AFEEBB6960B3AABE6",
            labels: &[
                (0, "C61E7A93744F39EE10734AFE3FF7A087"),
                (
                    1,
                    "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF722709863",
                ),
                (2, "30CBBC08863D8C85D49DB34A9AE1"),
                (3, "4C1AA45A81F73D61C800BBB00FBB1EAA"),
                (4, "8D54534FEB49AE8E7993A6BD0B844FC323A93DFD"),
                (5, "9581C7AD87B3E530BF3E4454A8B3"),
            ],
        },
        Row {
            key: "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
            salt: "3b04803de51ee7c96423ab5b78d2",
            labels: &[
                (0, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4"),
                (1, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05"),
                (2, "fa31791685ca444a9e07c6c64e93"),
            ],
        },
        Row {
            key: "73edc66c4fa15776fb57f9505c17136550ffda71f3e8e5f1",
            salt: "c8522f3acd4ce86d5add78edbb11",
            labels: &[
                (0, "31874736a8f1143870c26e4857d8a5b2c4a354407faadabb"),
                (1, "355b10973cd95b9eacf4061c7e1a7151e7cfbfcb"),
                (2, "2372b82d639b6d8503a47adc0a6c"),
            ],
        },
        Row {
            key: "000102030405060708090a0b0c0d0e0f",
            salt: "a0a1a2a3a4a5a6a7a8a9aaab",
            labels: &[
                (0, "077c6143cb221bc355ff23d5f984a16e"),
                (2, "9af3e95364ebac9c99c5a7c4"),
                (5, "fcca937b9112a500dac72269"),
            ],
        },
        Row {
            key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            salt: "a0a1a2a3a4a5a6a7a8a9aaab",
            labels: &[
                (0, "b7a435ce454463b760dc82c838468a115c699625af4b93a0f8220a2a6119c5d0"),
                (2, "944bd21c268a962cd09c674a"),
            ],
        },
    ];

    #[test]
    fn keys_are_those_of_the_rfcs() {
        for row in &ROWS {
            for (label, wanted) in row.labels {
                let derived = derive(&hex(row.key), &hex(row.salt), *label, wanted.len() / 2, 0);
                assert_eq!(*derived, hex(wanted), "label {label} of {}", row.key);
            }
        }
    }
}
