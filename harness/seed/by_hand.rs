//! A driver that does by hand what it is asked: with one `virsh`, `qemu-img` and `qemu-io`.
//!
//! The mock beside it knows what must come, and gives the answers that the runner goes on with.
//! What really comes is held against it: whether libvirt refuses and in which words, names,
//! states, files, bitmaps, and every byte of an image. Where they differ the scenario ends, for the time of
//! other steps than the run's own would say nothing.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{
    Action, Answer, Api, Call, Identity, Observation, Place, Raised, Value, flags,
};
use backup_tck::script::{only_looks, virsh_words};

use crate::places::Places;
use crate::tools::Taken;
use crate::virsh::{Collector, Virsh, quoted};

pub(crate) struct ByHand {
    pub(crate) oracle: Mock,
    pub(crate) virsh: Virsh,
    root: PathBuf,
    stop: Arc<AtomicBool>,
    pub(crate) places: Places,
    scenarios: u32,
    documents: u32,
    /// Ports that the scenario listens on.
    pub(crate) occupied: BTreeMap<u16, TcpListener>,
    /// The state was told, and nothing has happened since.
    knows_state: bool,
    /// The scenario has come to the state before its call under test.
    is_shown: bool,
    /// What counts.
    pub(crate) taken: Taken,
}

impl ByHand {
    /// A `virsh` in a directory of its own, which must be empty. Once `stop` is set no step is
    /// begun; the scenario's end still is.
    pub(crate) fn open(
        root: &Path,
        oracle: Mock,
        collector: Collector,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, DriverError> {
        let virsh =
            Virsh::open(root, collector).map_err(|error| failed(&format!("no virsh: {error}")))?;
        Ok(Self {
            oracle,
            virsh,
            root: root.to_owned(),
            stop,
            places: Places::default(),
            scenarios: 0,
            documents: 0,
            occupied: BTreeMap::new(),
            knows_state: false,
            is_shown: false,
            taken: Taken::default(),
        })
    }

    /// Sends a line; what it printed and whether that was an error.
    pub(crate) fn send(&mut self, line: &str) -> Result<(String, bool), DriverError> {
        let reply = self
            .virsh
            .line(line)
            .map_err(|error| failed(&error.to_string()))?;
        self.taken.add(reply.took);
        Ok((reply.text, reply.is_refusal))
    }

    /// Sends a line that virsh must not refuse; what it printed.
    pub(crate) fn succeed(&mut self, line: &str) -> Result<String, DriverError> {
        match self.send(line)? {
            (text, false) => Ok(text),
            (text, true) => Err(failed(&format!("virsh refused `{line}`:\n{text}"))),
        }
    }

    fn go_on(&self) -> Result<(), DriverError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(DriverError::Interrupted);
        }
        Ok(())
    }

    fn expect(&mut self, call: &Call, answer: &Answer) -> Result<(), DriverError> {
        let (root, number) = (self.root.clone(), &mut self.documents);
        let document = |text: &str| {
            *number += 1;
            let path = root.join(format!("{number}.xml"));
            let written = fs::write(&path, text);
            written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            Ok(path.to_string_lossy().into_owned())
        };
        let line = line(call, document)?;
        let (text, is_refusal) = self.send(&line)?;
        let differs = |expected: &str| {
            failed(&format!(
                "`{line}`: expected {expected}, and virsh printed:\n{text}"
            ))
        };
        match answer {
            Answer::Refused(error) => {
                let message = self.places.real(&error.message);
                // This pair of options virsh refuses itself, before libvirt would the flags.
                let is_own = text.contains("is required by option");
                if !is_refusal || !(is_own || text.contains(message.trim())) {
                    return Err(differs(&format!("the refusal `{message}`")));
                }
            }
            Answer::Returned(_) if is_refusal => return Err(differs("success")),
            Answer::Returned(Value::State(state, _)) => {
                if !text.lines().any(|line| line == state.to_string()) {
                    return Err(differs(&format!("the state `{state}`")));
                }
            }
            Answer::Returned(Value::Names(names)) => {
                let found = text
                    .lines()
                    .filter(|line| !line.is_empty() && !line.contains("virsh #"));
                if !found.eq(names.iter()) {
                    return Err(differs(&format!("the names {names:?}")));
                }
            }
            Answer::Returned(_) => {}
        }
        Ok(())
    }

    /// What a file of another name in the virsh's root is called.
    pub(crate) fn passing_file(&self) -> PathBuf {
        self.root.join("flat.raw")
    }

    /// The file in which libvirt keeps the number of a domain's QEMU process.
    pub(crate) fn pid_file(&self, domain: &str) -> PathBuf {
        self.root.join(format!("run/qemu/{domain}.pid"))
    }
}

impl Libvirt for ByHand {
    fn call(&mut self, call: &Call) -> Result<Answer, DriverError> {
        self.go_on()?;
        let answer = self.oracle.call(call)?;
        // The runner asks for the state twice where once is enough.
        if call.api == Api::DomainGetState && self.knows_state {
            return Ok(answer);
        }
        self.knows_state =
            call.api == Api::DomainGetState || self.knows_state && only_looks(call.api);
        let call = self.places.real_of(call)?;
        self.expect(&call, &answer)?;
        Ok(answer)
    }
}

impl Host for ByHand {
    fn act(&mut self, action: &Action) -> Result<Observation, DriverError> {
        self.go_on()?;
        let observation = self.oracle.act(action)?;
        let action = self.places.real_of(action)?;
        self.knows_state &= matches!(
            action,
            Action::LiveBitmaps { .. } | Action::StoredBitmaps { .. } | Action::ListFiles { .. }
        );
        self.is_shown |= matches!(action, Action::ListFiles { .. });
        let before = self.taken;
        self.perform(&action, &observation)?;
        // That each backup of the history restores is the runner's own care: no transcript shows
        // it, and nobody would be asked to do it by hand.
        if matches!(action, Action::ReadChain { .. }) && !self.is_shown {
            self.taken = before;
        }
        Ok(observation)
    }
}

impl Driver for ByHand {
    fn identity(&mut self) -> Result<Identity, DriverError> {
        self.oracle.identity()
    }

    fn open_scenario(&mut self) -> Result<Place, DriverError> {
        self.scenarios += 1;
        let place = self.oracle.open_scenario()?;
        self.places = Places::of(&place, &self.root, self.scenarios)?;
        (self.knows_state, self.is_shown) = (false, false);
        Ok(place)
    }

    fn raised(&mut self) -> Result<Option<Vec<Raised>>, DriverError> {
        Ok(None)
    }

    fn close_scenario(&mut self, place: &Place) -> Result<(), DriverError> {
        self.occupied.clear();
        let state = Call::new(Api::DomainGetState, &place.domain);
        let state = self.oracle.call(&state);
        self.oracle.close_scenario(place)?;
        let domain = self.places.domain();
        if let Ok(Answer::Returned(Value::State(state, _))) = state {
            if state.is_active() {
                self.succeed(&format!("destroy {domain}"))?;
            }
            let metadata = flags::UNDEFINE_MANAGED_SAVE
                | flags::UNDEFINE_SNAPSHOTS_METADATA
                | flags::UNDEFINE_CHECKPOINTS_METADATA;
            let undefine = Call::new(Api::DomainUndefine, &domain).flags(metadata);
            let nothing = |_: &str| Ok(String::new());
            let line = line(&undefine, nothing)?;
            self.succeed(&line)?;
        }
        self.places.remove()
    }

    fn set_deadline(&mut self, _: Option<Instant>) {}
}

/// The line for a call, as virsh reads one.
fn line(
    call: &Call,
    document: impl FnMut(&str) -> Result<String, String>,
) -> Result<String, DriverError> {
    let words = virsh_words(call, document).map_err(|why| failed(&why))?;
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    Ok(words.join(" "))
}

pub(crate) fn failed(text: &str) -> DriverError {
    DriverError::Failed(text.to_owned())
}
