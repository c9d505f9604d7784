//! After a refusal: decide, execute the decision, prove by data that it worked.
//!
//! The judge is asked, each probe it needs is fetched through the driver, and it is asked again
//! until it decides. The decision's own steps are then executed on the same domain, and the
//! result is shown by restored bytes. This module never reads a scenario; the operator's part
//! of a recovery (the remedy) is handed to it as planned steps.

mod backup;
mod clean_up;
mod consult;
mod done;
mod fix_request;
mod full_backup;
mod named_base;
mod probe;
mod prove;
mod recover;
mod redefine;
mod refused;
mod retry;
mod stuck_job;
mod work;

pub use backup::{backup_step, fresh_name, guest_writes};
pub use consult::{Consultation, conclude};
pub use recover::{execute, prove_backup, prove_older_backups};
pub use refused::Refused;
pub use work::{Parts, Recovery};
