//! Events and counters as tuples, which `ngdaemon/shell/native.py` makes those of `ngdaemon/media/forwarder.py` of.

use std::net::SocketAddr;

use ngdaemon_engine::plan::{Carries, SocketId};
use ngdaemon_engine::report::{Event, SocketCounters, SsrcCounters, What};
use ngdaemon_net::Notice;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::call;

type Endpoint = (String, u16);

/// The class that it is for, whose it is, and the other fields of that class in their order.
pub fn notice(py: Python<'_>, notice: Notice) -> PyResult<Bound<'_, PyTuple>> {
    match notice {
        Notice::Event(item) => event(py, item),
        Notice::Trouble { call, socket, text } => {
            ("Trouble", call::to_python(py, &call)?, socket, text).into_pyobject(py)
        }
    }
}

/// As `notice`.
pub fn event(py: Python<'_>, event: Event) -> PyResult<Bound<'_, PyTuple>> {
    let (name, socket) = (call::to_python(py, &event.call)?, event.socket);
    match event.what {
        What::Learned { peer, confirmed } => ("Learned", name, socket, endpoint(peer), confirmed).into_pyobject(py),
        What::Punted { source, data, at } => {
            ("Punted", name, socket, endpoint(source), PyBytes::new(py, &data), at).into_pyobject(py)
        }
        What::Tapped { carries, packet, at } => {
            ("Tapped", name, socket, carried(carries), PyBytes::new(py, &packet), at).into_pyobject(py)
        }
        What::Stranger { source, at } => ("Stranger", name, socket, endpoint(source), at).into_pyobject(py),
        What::Unreadable { source, packets, at } => {
            ("Unreadable", name, socket, endpoint(source), packets, at).into_pyobject(py)
        }
    }
}

/// The socket, and the fields of `SocketCounters` in their order.
pub fn counters(py: Python<'_>, socket: SocketId, counted: SocketCounters) -> PyResult<(SocketId, Bound<'_, PyTuple>)> {
    let SocketCounters { packets_in, bytes_in, errors_in, packets_out, bytes_out, errors_out, .. } = counted;
    let sources = PyTuple::new(py, counted.sources.iter().map(source))?;
    let fields = [
        packets_in.into_bound_py_any(py)?,
        bytes_in.into_bound_py_any(py)?,
        errors_in.into_bound_py_any(py)?,
        packets_out.into_bound_py_any(py)?,
        bytes_out.into_bound_py_any(py)?,
        errors_out.into_bound_py_any(py)?,
        counted.strangers.into_bound_py_any(py)?,
        counted.last_packet.into_bound_py_any(py)?,
        counted.peer.map(endpoint).into_bound_py_any(py)?,
        counted.confirmed.into_bound_py_any(py)?,
        sources.into_any(),
        counted.stranger.map(endpoint).into_bound_py_any(py)?,
        counted.unauthenticated.into_bound_py_any(py)?,
        counted.replayed.into_bound_py_any(py)?,
        counted.withheld.into_bound_py_any(py)?,
        counted.control_packets.into_bound_py_any(py)?,
        counted.control_bytes.into_bound_py_any(py)?,
        counted.unkeyed.into_bound_py_any(py)?,
    ];
    Ok((socket, PyTuple::new(py, fields)?))
}

fn source(counted: &SsrcCounters) -> (u32, u64, u64, u32, u16, u8, u64) {
    let SsrcCounters { ssrc, packets, bytes, last_timestamp, last_sequence, payload_type, lost } = *counted;
    (ssrc, packets, bytes, last_timestamp, last_sequence, payload_type, lost)
}

/// As Python spells it.
pub fn endpoint(address: SocketAddr) -> Endpoint {
    (address.ip().to_string(), address.port())
}

fn carried(carries: Carries) -> &'static str {
    match carries {
        Carries::Rtp => "RTP",
        Carries::Rtcp => "RTCP",
        Carries::Any => "ANY",
    }
}
