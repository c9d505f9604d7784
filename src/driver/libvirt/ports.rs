//! The TCP ports of a scenario, and who listens on them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;
use std::{fs, io, iter};

use uuid::Uuid;

use crate::driver::DriverError;
use crate::model::PORTS;

/// Where ports are looked for: below, services have theirs.
const RANGE: RangeInclusive<u16> = 20_000..=65_535;

/// How many ports are tried before the kernel is asked for one.
const TRIES: usize = 64;

/// Ports of the loopback address on which nobody listens now. They are asked for together, so
/// that no two are the same.
///
/// Nobody keeps them until the scenario uses them. So they are taken at random from those that
/// the kernel gives to nobody by itself; another program may still ask for the very same.
pub(super) fn free() -> Result<Vec<u16>, DriverError> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range");
    let given = range.ok().and_then(|text| given_by_kernel(&text));
    let mut candidates = random().filter(|port| {
        let is_given = given.as_ref().is_some_and(|given| given.contains(port));
        RANGE.contains(port) && !is_given
    });
    let mut tried = candidates.by_ref().take(TRIES);
    let listeners: Result<Vec<TcpListener>, _> = (0..PORTS)
        .map(|_| {
            let found = tried.find_map(|port| listen(port).ok());
            found.map_or_else(|| listen(0), Ok)
        })
        .collect();
    let ports = listeners.and_then(|listeners| {
        let addresses = listeners.iter().map(TcpListener::local_addr);
        addresses.map(|address| Ok(address?.port())).collect()
    });
    ports.map_err(|error: io::Error| {
        DriverError::Failed(format!("cannot find free TCP ports: {error}"))
    })
}

/// The ports that the kernel gives to whoever asks for none (`ip_local_port_range`, ip(7)).
fn given_by_kernel(text: &str) -> Option<RangeInclusive<u16>> {
    let mut numbers = text.split_whitespace().map(str::parse);
    Some(numbers.next()?.ok()?..=numbers.next()?.ok()?)
}

/// Numbers by chance, not for ever: the kernel may give every port there is.
fn random() -> impl Iterator<Item = u16> {
    let number = || {
        let [.., high, low] = Uuid::new_v4().into_bytes();
        u16::from_be_bytes([high, low])
    };
    iter::repeat_with(number).take(TRIES * TRIES)
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

    /// The ports that it listens on.
    pub(super) fn ports(&self) -> Vec<u16> {
        self.0.keys().copied().collect()
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
    fn ports_are_none_that_the_kernel_gives() {
        assert_eq!(given_by_kernel("32768\t60999\n"), Some(32_768..=60_999));
        assert_eq!(given_by_kernel(""), None);
        let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap();
        let given = given_by_kernel(&range).unwrap();
        // Where it gives them all, there is nothing to show.
        if RANGE.clone().any(|port| !given.contains(&port)) {
            let ports = free().unwrap();
            assert!(ports.iter().all(|port| !given.contains(port)), "{ports:?}");
        }
    }

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
