//! One UDP port as the system gives it, shared by control, which sends from it, and the worker that its call belongs to.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use ngdaemon_engine::plan::SocketId;
use ngdaemon_engine::report::SocketCounters;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, getsockname, recvfrom, sendto, sockopt};

/// Octets of the longest datagram: none is cut.
pub const DATAGRAM: usize = 65535;
/// `SK_MEMINFO_DROPS`: which of the numbers of `SO_MEMINFO` counts dropped datagrams (linux/sock_diag.h).
const DROPS: usize = 8;

/// A bound socket that never blocks. It is closed when the last one lets it go.
pub struct Port {
    /// Whose.
    pub call: Arc<str>,
    /// Its number.
    pub id: SocketId,
    /// Where it is bound.
    pub local: SocketAddr,
    socket: OwnedFd,
    /// What control sent: STUN and DTLS.
    control_packets: AtomicU64,
    control_bytes: AtomicU64,
    control_errors: AtomicU64,
    /// What the kernel has dropped so far, as it says.
    drops: AtomicU32,
}

impl Port {
    /// Take over a socket that is bound and does not block.
    pub fn new(call: Arc<str>, id: SocketId, socket: OwnedFd) -> io::Result<Self> {
        let local = canonical(getsockname(&socket)?).ok_or(Errno::AFNOSUPPORT)?;
        Ok(Self {
            call,
            id,
            local,
            socket,
            control_packets: AtomicU64::new(0),
            control_bytes: AtomicU64::new(0),
            control_errors: AtomicU64::new(0),
            drops: AtomicU32::new(0),
        })
    }

    /// Read a datagram into the buffer, and say who sent it.
    pub fn receive(&self, packet: &mut Vec<u8>) -> rustix::io::Result<SocketAddr> {
        packet.clear();
        packet.reserve(DATAGRAM);
        let (_, _, source) = recvfrom(&self.socket, spare_capacity(packet), RecvFlags::empty())?;
        source.and_then(canonical).ok_or(Errno::AFNOSUPPORT)
    }

    /// Send a datagram; false when the system refused it.
    pub fn send(&self, data: &[u8], to: SocketAddr) -> bool {
        sendto(&self.socket, data, SendFlags::empty(), &to).is_ok()
    }

    /// Send a datagram of control's, which is counted apart: the octets that left.
    pub fn send_control(&self, data: &[u8], to: SocketAddr) -> u64 {
        if !self.send(data, to) {
            self.control_errors.fetch_add(1, Ordering::Relaxed);
            return 0;
        }
        let octets = data.len() as u64;
        self.control_packets.fetch_add(1, Ordering::Relaxed);
        self.control_bytes.fetch_add(octets, Ordering::Relaxed);
        octets
    }

    /// Add what control sent to what the packet path counted.
    pub fn add_control(&self, counters: &mut SocketCounters) {
        counters.control_packets = self.control_packets.load(Ordering::Relaxed);
        counters.control_bytes = self.control_bytes.load(Ordering::Relaxed);
        counters.packets_out += counters.control_packets;
        counters.bytes_out += counters.control_bytes;
        counters.errors_out += self.control_errors.load(Ordering::Relaxed);
    }

    /// Send with this TOS octet or traffic class from now on; `None` for the system's, which is 0.
    pub fn mark(&self, tos: Option<u8>) -> rustix::io::Result<()> {
        let tos = tos.unwrap_or(0);
        match self.local {
            SocketAddr::V4(_) => sockopt::set_ip_tos(&self.socket, tos),
            SocketAddr::V6(_) => sockopt::set_ipv6_tclass(&self.socket, tos.into()),
        }
    }

    /// Datagrams that the kernel dropped since the last call for want of room; 0 where it tells nothing.
    #[allow(unsafe_code)]
    pub fn take_drops(&self) -> u64 {
        let mut numbers = [0_u32; DROPS + 1];
        let mut length = size_of_val(&numbers) as libc::socklen_t;
        // SAFETY: the kernel writes at most `length` octets, and `numbers` has so many; any octets are numbers.
        let result = unsafe {
            libc::getsockopt(
                self.socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MEMINFO,
                numbers.as_mut_ptr().cast(),
                &mut length,
            )
        };
        if result != 0 {
            return 0;
        }
        let drops = numbers[DROPS];
        drops.wrapping_sub(self.drops.swap(drops, Ordering::Relaxed)).into()
    }
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The address as the packet path knows it: without flow label and scope.
fn canonical(address: SocketAddrAny) -> Option<SocketAddr> {
    let mut address = SocketAddr::try_from(address).ok()?;
    if let SocketAddr::V6(six) = &mut address {
        six.set_flowinfo(0);
        six.set_scope_id(0);
    }
    Some(address)
}
