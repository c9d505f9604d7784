//! The TCP ports of a scenario, and who listens on them.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use crate::driver::DriverError;
use crate::model::PORTS;

/// Ports of the loopback address on which nobody listens now. They are asked for together, so
/// that no two are the same.
pub(super) fn free() -> Result<Vec<u16>, DriverError> {
    let listeners: Result<Vec<TcpListener>, _> = (0..PORTS).map(|_| listen(0)).collect();
    let ports = listeners.and_then(|listeners| {
        let addresses = listeners.iter().map(TcpListener::local_addr);
        addresses.map(|address| Ok(address?.port())).collect()
    });
    ports.map_err(|error: io::Error| {
        DriverError::Failed(format!("cannot find free TCP ports: {error}"))
    })
}

/// Listens on a port of the loopback address, with `SO_REUSEADDR` as QEMU does: a connection
/// that has ended is in nobody's way.
pub(super) fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// The ports that a scenario listens on, until they are released or this is dropped.
#[derive(Debug, Default)]
pub(super) struct Occupied(BTreeMap<u16, TcpListener>);

impl Occupied {
    /// Listens on a port, so that nobody else can.
    pub(super) fn occupy(&mut self, port: u16) -> Result<(), DriverError> {
        let listener = listen(port)
            .map_err(|error| DriverError::Failed(format!("cannot occupy port {port}: {error}")))?;
        self.0.insert(port, listener);
        Ok(())
    }

    /// Stops listening on a port.
    pub(super) fn release(&mut self, port: u16) -> Result<(), DriverError> {
        let released = self.0.remove(&port).map(drop);
        released.ok_or_else(|| {
            DriverError::Failed(format!("cannot release port {port}: it is not occupied"))
        })
    }

    /// Stops listening.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_occupied_port_is_nobody_elses() {
        let [port, ..] = free().unwrap()[..] else {
            panic!("no ports")
        };
        let mut occupied = Occupied::default();
        occupied.occupy(port).unwrap();
        assert!(listen(port).is_err());
        assert!(occupied.occupy(port).is_err());
        occupied.release(port).unwrap();
        listen(port).unwrap();
        assert!(occupied.release(port).is_err());
    }
}
