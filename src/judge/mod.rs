//! What a failed call means, and what a client does now.
//!
//! [`decide`] is the procedure a client follows after an error: it looks at [`Facts`], asks for a
//! [`Probe`] while they do not suffice, and names exactly one decision. It is total and pure:
//! nothing here calls libvirt, and facts that do not fit together come to `investigate-escalate`,
//! which deletes nothing.
//!
//! ```
//! use backup_tck::judge::{Facts, Judgement, Probe, decide};
//! use backup_tck::model::{BitmapTable, Decision, DiskFormat, DomainState};
//!
//! // What the client knows by itself: the error, its request, its own books.
//! let mut facts: Facts = serde_json::from_str(
//!     r#"{
//!         "api": "virDomainBackupBegin",
//!         "error": { "code": 109, "domain": 10 },
//!         "request": { "disks": [{ "disk": "vda", "base": "monday" }] },
//!         "records": { "verified_checkpoints": ["monday"] }
//!     }"#,
//! )
//! .expect("the facts are in their form");
//! let decided = loop {
//!     match decide(&facts) {
//!         Judgement::Decided(decided) => break decided,
//!         // A client asks libvirt here.
//!         Judgement::Need(Probe::DomainState) => {
//!             facts.observed.domain_state = Some(DomainState::Running);
//!         }
//!         Judgement::Need(Probe::DiskFormats) => {
//!             facts.observed.disk_formats = Some([("vda".to_owned(), DiskFormat::Qcow2)].into());
//!         }
//!         Judgement::Need(Probe::Checkpoints) => {
//!             let monday = ("monday".to_owned(), vec!["vda".to_owned()]);
//!             facts.observed.checkpoints = Some([monday].into());
//!         }
//!         // The bitmap is gone.
//!         Judgement::Need(_) => facts.observed.bitmaps = Some(BitmapTable::default()),
//!     }
//! };
//! assert_eq!(decided.decision, Decision::FullBackupNewChain);
//! assert_eq!(decided.detail.clean_up[0].to_string(), "drop-checkpoint-metadata monday");
//! ```

mod asked;
mod chain;
mod clean_up;
mod decide;
mod decided;
mod facts;
mod function;
mod probe;
mod records;
mod rule;
mod rules;
mod schema;
#[cfg(test)]
mod tests;

pub use asked::BLOCK_JOB_TYPE_BACKUP;
pub use decide::decide;
pub use decided::{Decided, Detail, Judgement};
pub use facts::{BitmapHealth, CompletedJob, ErrorFacts, Facts, Observed, Place, RunningJob};
pub use function::Function;
pub use probe::{PROBES, Probe, ProbeText};
pub use records::Records;
pub use rule::Rule;
pub use rules::rules;
pub use schema::{answer_schema, facts_schema};
