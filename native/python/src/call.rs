//! Names of calls. A Call-ID is whatever a proxy sent: what is no Unicode has surrogates in Python (PEP 383), for which
//! there is no room in a `str` of Rust. Such a name is written octet by octet behind a mark.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

const MARK: char = '\0';
const WITH_SURROGATES: (&str, &str) = ("utf-8", "surrogatepass");

/// The name as the engine has it.
pub fn from_python(name: &Bound<'_, PyString>) -> PyResult<String> {
    if let Ok(text) = name.to_str()
        && !text.starts_with(MARK)
    {
        return Ok(text.to_owned());
    }
    let encoded = name.call_method1("encode", WITH_SURROGATES)?;
    let octets = encoded.cast::<PyBytes>()?.as_bytes();
    Ok([MARK].into_iter().chain(octets.iter().copied().map(char::from)).collect())
}

/// The name as it was given to `from_python`.
pub fn to_python<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    match name.strip_prefix(MARK) {
        None => Ok(PyString::new(py, name).into_any()),
        Some(written) => {
            let octets: Vec<u8> = written.chars().map(|octet| octet as u8).collect();
            PyBytes::new(py, &octets).call_method1("decode", WITH_SURROGATES)
        }
    }
}
