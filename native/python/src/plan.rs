//! Plans out of those of `ngdaemon/media/plan.py`, field by field.

use std::collections::HashSet;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ngdaemon_engine::plan;
use ngdaemon_engine::srtp::{self, suite_named};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// The plan that is meant.
pub fn from_python(given: &Bound<'_, PyAny>) -> PyResult<plan::Plan> {
    given.extract::<Plan>()?.built()
}

/// Where an endpoint is; `None` for what is no numeric address. Nothing is ever looked up.
pub fn address(host: &Text, port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::new(host.0.parse().ok()?, port))
}

/// Text that may have surrogates in it, as what came from a peer may: those make no address, and harm nothing.
#[derive(PartialEq, Eq, Hash)]
pub struct Text(String);

#[derive(FromPyObject, PartialEq, Eq, Hash)]
struct Endpoint {
    address: Text,
    port: u16,
}

#[derive(FromPyObject)]
struct Named {
    name: String,
}

#[derive(FromPyObject)]
struct Latch {
    learning: Named,
    plausible: Option<HashSet<Text>>,
    generation: u64,
    strict: bool,
    handover: bool,
    asymmetric: bool,
    sources: Option<HashSet<Endpoint>>,
}

#[derive(FromPyObject)]
struct Hold {
    sources: Option<HashSet<Endpoint>>,
}

#[derive(FromPyObject)]
struct Keys {
    suite: Named,
    key: Vec<u8>,
    salt: Vec<u8>,
    mki: Vec<u8>,
    encrypted: bool,
    rtcp_encrypted: bool,
    authenticated: bool,
    kdr: u8,
    window: usize,
}

#[derive(FromPyObject)]
struct Protection {
    receive: Vec<Keys>,
    send: Option<Keys>,
    hold: Option<Hold>,
    low_start: bool,
}

#[derive(FromPyObject)]
struct Socket {
    id: u64,
    signalled: Option<Endpoint>,
    latch: Latch,
    tos: Option<u8>,
    muxed: bool,
    rtcp: bool,
    relay_only: bool,
    nat_wait: bool,
    pierce: bool,
    protection: Option<Protection>,
}

#[derive(FromPyObject)]
struct Selector {
    mid: Vec<u8>,
    extension: u64,
    ssrcs: HashSet<u64>,
    payload_types: HashSet<u64>,
}

#[derive(FromPyObject)]
struct Route {
    source: u64,
    sink: u64,
    carries: Named,
    drop_feedback: bool,
    only: Option<HashSet<u64>>,
    dropped: HashSet<u64>,
    silenced: Vec<(u64, u8)>,
    mirror: bool,
    selector: Option<Selector>,
}

#[derive(FromPyObject)]
struct Plan {
    sockets: Vec<Socket>,
    routes: Vec<Route>,
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(given.cast::<PyString>()?.to_string_lossy().into_owned()))
    }
}

impl Endpoint {
    fn built(&self) -> Option<SocketAddr> {
        address(&self.address, self.port)
    }
}

impl Latch {
    fn built(self) -> PyResult<plan::Latch> {
        let learning = match self.learning.name.as_str() {
            "OFF" => plan::Learning::Off,
            "IMMEDIATE" => plan::Learning::Immediate,
            "DELAYED" => plan::Learning::Delayed,
            "HEURISTIC" => plan::Learning::Heuristic,
            other => return Err(PyValueError::new_err(format!("unknown learning {other}"))),
        };
        let plausible = |names: HashSet<Text>| names.iter().filter_map(|name| name.0.parse::<IpAddr>().ok()).collect();
        Ok(plan::Latch {
            learning,
            plausible: self.plausible.map(|names| Arc::new(plausible(names))),
            generation: self.generation,
            strict: self.strict,
            handover: self.handover,
            asymmetric: self.asymmetric,
            sources: endpoints(self.sources),
        })
    }
}

impl Keys {
    /// Key and salt are overwritten by the engine when they are dropped; this copy of them is overwritten here.
    fn built(self) -> PyResult<Arc<srtp::Keys>> {
        let suite = suite_named(&self.suite.name)
            .ok_or_else(|| PyValueError::new_err(format!("{} cannot be carried", self.suite.name)))?;
        let (key, salt) = (zeroize::Zeroizing::new(self.key), zeroize::Zeroizing::new(self.salt));
        let mut keys = srtp::Keys::new(suite, &key, &salt).map_err(unusable)?;
        keys.mki = self.mki;
        keys.encrypted = self.encrypted;
        keys.rtcp_encrypted = self.rtcp_encrypted;
        keys.authenticated = self.authenticated;
        keys.kdr = self.kdr;
        keys.window = self.window;
        keys.check().map_err(unusable)?;
        Ok(Arc::new(keys))
    }
}

impl Protection {
    fn built(self) -> PyResult<plan::Protection> {
        Ok(plan::Protection {
            receive: self.receive.into_iter().map(Keys::built).collect::<PyResult<_>>()?,
            send: self.send.map(Keys::built).transpose()?,
            hold: self.hold.map(|hold| plan::Hold { sources: endpoints(hold.sources) }),
            low_start: self.low_start,
        })
    }
}

impl Socket {
    fn built(self) -> PyResult<plan::Socket> {
        Ok(plan::Socket {
            id: self.id,
            signalled: self.signalled.as_ref().and_then(Endpoint::built),
            latch: self.latch.built()?,
            tos: self.tos,
            muxed: self.muxed,
            rtcp: self.rtcp,
            relay_only: self.relay_only,
            nat_wait: self.nat_wait,
            pierce: self.pierce,
            protection: self.protection.map(Protection::built).transpose()?,
        })
    }
}

impl Selector {
    fn built(self) -> plan::Selector {
        plan::Selector {
            mid: self.mid,
            extension: u8::try_from(self.extension).unwrap_or(0),
            ssrcs: fitting(self.ssrcs).collect(),
            payload_types: fitting(self.payload_types).collect(),
        }
    }
}

impl Route {
    fn built(self) -> PyResult<plan::Route> {
        let carries = match self.carries.name.as_str() {
            "RTP" => plan::Carries::Rtp,
            "RTCP" => plan::Carries::Rtcp,
            "ANY" => plan::Carries::Any,
            other => return Err(PyValueError::new_err(format!("unknown kind of packets {other}"))),
        };
        Ok(plan::Route {
            source: self.source,
            sink: self.sink,
            carries,
            drop_feedback: self.drop_feedback,
            only: self.only.map(payload_types),
            dropped: payload_types(self.dropped),
            silenced: self
                .silenced
                .into_iter()
                .filter_map(|(kind, octet)| Some((u8::try_from(kind).ok()?, octet)))
                .collect(),
            mirror: self.mirror,
            selector: self.selector.map(|selector| Arc::new(selector.built())),
        })
    }
}

impl Plan {
    fn built(self) -> PyResult<plan::Plan> {
        Ok(plan::Plan {
            sockets: self.sockets.into_iter().map(Socket::built).collect::<PyResult<_>>()?,
            routes: self.routes.into_iter().map(Route::built).collect::<PyResult<_>>()?,
        })
    }
}

fn endpoints(given: Option<HashSet<Endpoint>>) -> Option<Arc<HashSet<SocketAddr>>> {
    given.map(|endpoints| Arc::new(endpoints.iter().filter_map(Endpoint::built).collect()))
}

/// In one order, so that equal sets make equal routes.
fn payload_types(given: HashSet<u64>) -> Vec<u8> {
    let mut kinds: Vec<u8> = fitting(given).collect();
    kinds.sort_unstable();
    kinds
}

/// The numbers that there are in packets: SDP may speak of others, and those never come.
fn fitting<T: TryFrom<u64> + Eq + Hash>(given: HashSet<u64>) -> impl Iterator<Item = T> {
    given.into_iter().filter_map(|number| T::try_from(number).ok())
}

fn unusable(error: impl std::error::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}
