//! The packet path alone, without sockets, threads and clock: what tests compare with the one in Python.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::Arc;

use ngdaemon_engine::outlet::{Outlet, Slot};
use ngdaemon_engine::own::Own;
use ngdaemon_engine::pipeline;
use ngdaemon_engine::report::Event;
use ngdaemon_engine::srtp::MAX_TRAILER;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::plan::{self, Text};
use crate::{call, report};

const DATAGRAM: usize = 65535;

/// A datagram that left: from which slot, what, and where to.
type Sent<'py> = (Slot, Bound<'py, PyBytes>, (String, u16));

#[derive(Default)]
struct Kept {
    sent: Vec<(Slot, Vec<u8>, SocketAddr)>,
    events: Vec<Event>,
    /// What the system would refuse to send to.
    refused: HashSet<SocketAddr>,
    /// Events that are kept until they are taken.
    room: usize,
}

impl Outlet for Kept {
    fn transmit(&mut self, from: Slot, data: &[u8], to: SocketAddr) -> bool {
        if self.refused.contains(&to) {
            return false;
        }
        self.sent.push((from, data.to_vec(), to));
        true
    }

    fn report(&mut self, event: Event) -> bool {
        if self.events.len() >= self.room {
            return false;
        }
        self.events.push(event);
        true
    }
}

/// The packet path of one worker.
#[pyclass(unsendable)]
pub struct Pipeline {
    pipeline: pipeline::Pipeline,
    kept: Kept,
    packet: Vec<u8>,
}

#[pymethods]
impl Pipeline {
    #[new]
    #[pyo3(signature = (room = 4096))]
    fn new(room: usize) -> Self {
        Self {
            pipeline: pipeline::Pipeline::new(Arc::new(Own::default())),
            kept: Kept { room, ..Kept::default() },
            packet: Vec::with_capacity(DATAGRAM + MAX_TRAILER),
        }
    }

    fn open(&mut self, call: &Bound<'_, PyString>, socket: u64, address: Text, port: u16) -> PyResult<Slot> {
        let local = numeric(&address, port)?;
        Ok(self.pipeline.open(call::from_python(call)?.into(), socket, local))
    }

    fn close(&mut self, socket: u64) -> Option<Slot> {
        self.pipeline.close(socket)
    }

    fn apply(&mut self, call: &Bound<'_, PyString>, plan: &Bound<'_, PyAny>, now: f64) -> PyResult<Vec<Slot>> {
        let (name, stated) = (call::from_python(call)?, plan::from_python(plan)?);
        Ok(self.pipeline.apply(&name, &stated, now, &mut self.kept))
    }

    fn receive(&mut self, slot: Slot, data: &[u8], address: Text, port: u16, now: f64) -> PyResult<()> {
        let source = numeric(&address, port)?;
        self.packet.clear();
        self.packet.extend_from_slice(data);
        self.pipeline.receive(slot, &mut self.packet, source, now, &mut self.kept);
        Ok(())
    }

    fn missed(&mut self, slot: Slot, packets: u64) {
        self.pipeline.missed(slot, packets);
    }

    fn refuse(&mut self, address: Text, port: u16) -> PyResult<()> {
        self.kept.refused.insert(numeric(&address, port)?);
        Ok(())
    }

    fn sent<'py>(&mut self, py: Python<'py>) -> Vec<Sent<'py>> {
        let sent = std::mem::take(&mut self.kept.sent);
        sent.into_iter().map(|(slot, data, to)| (slot, PyBytes::new(py, &data), report::endpoint(to))).collect()
    }

    fn drain<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let events = std::mem::take(&mut self.kept.events);
        events.into_iter().map(|event| report::event(py, event)).collect()
    }

    fn counters<'py>(&self, call: &Bound<'py, PyString>) -> PyResult<Vec<(u64, Bound<'py, PyTuple>)>> {
        let counted = self.pipeline.counters(&call::from_python(call)?);
        counted.into_iter().map(|(socket, _, counters)| report::counters(call.py(), socket, counters)).collect()
    }

    fn octets(&self) -> u64 {
        self.pipeline.octets()
    }

    fn next_timeout(&self) -> Option<f64> {
        self.pipeline.next_timeout()
    }

    fn handle_timer(&mut self, now: f64) {
        self.pipeline.handle_timer(now, &mut self.kept);
    }
}

fn numeric(address: &Text, port: u16) -> PyResult<SocketAddr> {
    plan::address(address, port).ok_or_else(|| PyValueError::new_err("no numeric address"))
}
