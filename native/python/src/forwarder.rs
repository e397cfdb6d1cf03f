//! The forwarder with its threads and sockets.

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

use ngdaemon_net::Engine;
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::plan::{self, Text};
use crate::{call, report};

/// Carries the packets of all calls, in threads that know nothing of Python.
///
/// Who waits for an answer of theirs does so without the interpreter's lock; ours is never held when that is asked for.
#[pyclass(frozen)]
pub struct Forwarder {
    engine: Mutex<Option<Engine>>,
}

#[pymethods]
impl Forwarder {
    #[new]
    #[pyo3(signature = (workers = 0))]
    fn new(workers: usize) -> PyResult<Self> {
        let workers = if workers > 0 { workers } else { available_parallelism().map_or(1, usize::from) };
        let engine = Engine::start(workers).map_err(failed)?;
        Ok(Self { engine: Mutex::new(Some(engine)) })
    }

    #[getter]
    fn event_descriptor(&self) -> PyResult<RawFd> {
        self.with(|engine| engine.as_fd().as_raw_fd()).ok_or_else(closed)
    }

    #[allow(unsafe_code)]
    fn bind(&self, call: &Bound<'_, PyString>, descriptor: RawFd) -> PyResult<u64> {
        // SAFETY: the caller gives this descriptor away, as the stub says: nobody else closes it.
        let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
        let name = call::from_python(call)?;
        self.with(|engine| engine.bind(&name, socket)).ok_or_else(closed)?.map_err(failed)
    }

    fn unbind(&self, py: Python<'_>, socket: u64) {
        py.detach(|| self.with(|engine| engine.unbind(socket)));
    }

    fn apply(&self, call: &Bound<'_, PyString>, plan: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, stated) = (call::from_python(call)?, plan::from_python(plan)?);
        call.py().detach(|| self.with(|engine| engine.apply(&name, stated)));
        Ok(())
    }

    fn send(&self, socket: u64, data: &[u8], address: Text, port: u16) {
        if let Some(to) = plan::address(&address, port) {
            self.with(|engine| engine.send(socket, data, to));
        }
    }

    fn acknowledge(&self) {
        self.with(|engine| engine.acknowledge());
    }

    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let notices = self.with(|engine| engine.drain()).unwrap_or_default();
        notices.into_iter().map(|notice| report::notice(py, notice)).collect()
    }

    fn counters<'py>(&self, call: &Bound<'py, PyString>) -> PyResult<Vec<(u64, Bound<'py, PyTuple>)>> {
        let (py, name) = (call.py(), call::from_python(call)?);
        let counted = py.detach(|| self.with(|engine| engine.counters(&name))).unwrap_or_default();
        counted.into_iter().map(|(socket, counters)| report::counters(py, socket, counters)).collect()
    }

    fn octets(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.with(|engine| engine.octets())).unwrap_or(0)
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| drop(self.lock().take()));
    }
}

impl Forwarder {
    /// Nothing happens when it is closed.
    fn with<R>(&self, work: impl FnOnce(&mut Engine) -> R) -> Option<R> {
        self.lock().as_mut().map(work)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Engine>> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> PyErr {
    PyRuntimeError::new_err("the forwarder is closed")
}

fn failed(error: std::io::Error) -> PyErr {
    PyOSError::new_err((error.raw_os_error(), error.to_string()))
}
