//! The TCP ports of a scenario, and who listens on them.

use std::net::{Ipv4Addr, TcpListener};

use crate::driver::DriverError;
use crate::model::PORTS;

/// Ports of the loopback address on which nobody listens now. They are asked for together, so
/// that no two are the same.
pub(super) fn free() -> Result<Vec<u16>, DriverError> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let listeners: Result<Vec<TcpListener>, _> = (0..PORTS).map(|_| listen()).collect();
    let ports = listeners.and_then(|listeners| {
        let addresses = listeners.iter().map(TcpListener::local_addr);
        addresses.map(|address| Ok(address?.port())).collect()
    });
    ports.map_err(|error: std::io::Error| {
        DriverError::Failed(format!("cannot find free TCP ports: {error}"))
    })
}
