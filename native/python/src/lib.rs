//! The native forwarder as Python sees it: `ngdaemon_native`, whose types are in `ngdaemon_native.pyi`.

mod call;
mod forwarder;
mod pipeline;
mod plan;
mod report;

/// The native forwarder of ngdaemon.
#[pyo3::pymodule]
mod ngdaemon_native {
    #[pymodule_export]
    use crate::forwarder::Forwarder;
    #[pymodule_export]
    use crate::pipeline::Pipeline;
    #[pymodule_export]
    const PLAN_VERSION: u32 = ngdaemon_engine::plan::PLAN_VERSION;
}
