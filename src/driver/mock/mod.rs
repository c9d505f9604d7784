//! The mock driver.
