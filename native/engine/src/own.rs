//! Where the ports of this process are (contract 9): asked for each packet, by all workers, without a lock.

use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Local addresses that ports are opened at. A host has a handful; what comes after is not looked for.
const MAX_ADDRESSES: usize = 256;
const WORDS: usize = 65536 / 64;

struct Ports {
    address: IpAddr,
    bits: Box<[AtomicU64; WORDS]>,
}

/// A set of local endpoints: a bit for each port of an address, and addresses that are never taken away.
pub struct Own {
    addresses: [OnceLock<Ports>; MAX_ADDRESSES],
}

impl Default for Own {
    fn default() -> Self {
        Self { addresses: [const { OnceLock::new() }; MAX_ADDRESSES] }
    }
}

impl Own {
    /// A port was opened there.
    pub fn insert(&self, local: SocketAddr) {
        for slot in &self.addresses {
            let ports = slot.get_or_init(|| Ports {
                address: local.ip(),
                bits: (0..WORDS)
                    .map(|_| AtomicU64::new(0))
                    .collect::<Vec<_>>()
                    .try_into()
                    .expect("as many as there are"),
            });
            if ports.address == local.ip() {
                ports.word(local).fetch_or(bit(local), Ordering::Relaxed);
                return;
            }
        }
    }

    /// The port there was closed.
    pub fn remove(&self, local: SocketAddr) {
        if let Some(ports) = self.of(local.ip()) {
            ports.word(local).fetch_and(!bit(local), Ordering::Relaxed);
        }
    }

    /// Whether a port of ours is there.
    pub fn contains(&self, there: SocketAddr) -> bool {
        self.of(there.ip()).is_some_and(|ports| ports.word(there).load(Ordering::Relaxed) & bit(there) != 0)
    }

    fn of(&self, address: IpAddr) -> Option<&Ports> {
        self.addresses.iter().map_while(OnceLock::get).find(|ports| ports.address == address)
    }
}

impl Ports {
    fn word(&self, local: SocketAddr) -> &AtomicU64 {
        &self.bits[usize::from(local.port()) / 64]
    }
}

fn bit(local: SocketAddr) -> u64 {
    1 << (local.port() % 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_while_it_is_open() {
        let own = Own::default();
        let [here, beside, elsewhere]: [SocketAddr; 3] =
            ["127.0.0.1:4000", "127.0.0.1:4001", "[::1]:4000"].map(|text| text.parse().unwrap());
        assert!(!own.contains(here));
        own.insert(here);
        own.insert(elsewhere);
        assert!(own.contains(here) && own.contains(elsewhere) && !own.contains(beside));
        own.remove(here);
        assert!(!own.contains(here) && own.contains(elsewhere));
    }
}
