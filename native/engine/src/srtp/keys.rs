//! Keys: what both ends of one direction share.

use std::fmt;

use zeroize::Zeroizing;

use super::suite::Suite;

/// Packets behind the newest that are still accepted once each (TIM-14).
pub const REPLAY_WINDOW: usize = 1024;

/// Master key and salt of one direction, with the session parameters that change the packets.
///
/// Never shown: `Debug` names the suite alone (S17). Key and salt are overwritten when they are dropped (KEY-07).
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// What they are for.
    pub suite: &'static Suite,
    key: Zeroizing<Vec<u8>>,
    salt: Zeroizing<Vec<u8>>,
    /// Master key identifier that each packet carries (RFC 3711 §3.1); empty for none.
    pub mki: Vec<u8>,
    /// RTP is encrypted; false is `UNENCRYPTED_SRTP` (RFC 4568 §6.3.2).
    pub encrypted: bool,
    /// RTCP is encrypted; false is `UNENCRYPTED_SRTCP`.
    pub rtcp_encrypted: bool,
    /// RTP is authenticated; false is `UNAUTHENTICATED_SRTP`. RTCP always is.
    pub authenticated: bool,
    /// Key derivation rate as the exponent of two, 1 to 24; 0 for a single derivation (RFC 4568 §6.3.1).
    pub kdr: u8,
    /// Packets behind the newest that are still accepted once each.
    pub window: usize,
}

/// Why keys cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum KeysError {
    /// Key or salt has not the length that the suite wants.
    Length,
    /// The key derivation rate is above 2^24.
    Rate,
    /// The master key identifier is longer than 128 octets (RFC 4568 §6.1).
    Mki,
}

impl fmt::Display for KeysError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Length => "key or salt has the wrong length",
            Self::Rate => "the key derivation rate is above 2^24",
            Self::Mki => "the master key identifier is longer than 128 octets",
        })
    }
}

impl std::error::Error for KeysError {}

impl Keys {
    /// Keys with the usual session parameters.
    pub fn new(suite: &'static Suite, key: &[u8], salt: &[u8]) -> Result<Self, KeysError> {
        if key.len() != suite.key || salt.len() != suite.salt {
            return Err(KeysError::Length);
        }
        Ok(Self {
            suite,
            key: Zeroizing::new(key.to_vec()),
            salt: Zeroizing::new(salt.to_vec()),
            mki: Vec::new(),
            encrypted: true,
            rtcp_encrypted: true,
            authenticated: true,
            kdr: 0,
            window: REPLAY_WINDOW,
        })
    }

    /// Whether the session parameters, which are set after `new`, can be obeyed.
    pub fn check(&self) -> Result<(), KeysError> {
        match self {
            Self { kdr: 25.., .. } => Err(KeysError::Rate),
            Self { mki, .. } if mki.len() > 128 => Err(KeysError::Mki),
            _ => Ok(()),
        }
    }

    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(super) fn salt(&self) -> &[u8] {
        &self.salt
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keys({})", self.suite.name)
    }
}
