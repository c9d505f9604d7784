//! The mock's names of a scenario's place, and the real ones.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use backup_tck::driver::DriverError;
use backup_tck::model::Place;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::by_hand::failed;

/// What the mock calls a thing, and what it is called here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    directory: PathBuf,
    domain: String,
    pairs: Vec<(String, String)>,
}

impl Places {
    /// A real place, below `root`, for the mock's one.
    pub(crate) fn of(mock: &Place, root: &Path, number: u32) -> Result<Self, DriverError> {
        let told = |error: std::io::Error| failed(&format!("no place for a scenario: {error}"));
        let directory = root.join(format!("s{number}"));
        fs::create_dir(&directory).map_err(told)?;
        let domain = format!("by-hand-{number}");
        let emulator = which::which("qemu-system-x86_64")
            .map_err(|error| failed(&format!("no qemu-system-x86_64: {error}")))?;
        let uuid = uuid::Uuid::new_v4().to_string();
        let mut pairs = vec![
            (mock.directory.clone(), directory.display().to_string()),
            (mock.uuid.clone(), uuid),
            (mock.domain.clone(), domain.clone()),
            (mock.emulator.clone(), emulator.display().to_string()),
        ];
        // All are held until each is known, so that no two are equal.
        let mut held = Vec::new();
        for from in &mock.ports {
            let listener = TcpListener::bind("127.0.0.1:0").map_err(told)?;
            let to = listener.local_addr().map_err(told)?.port();
            held.push(listener);
            for form in ["port='{}'", "\"port\":{}", "127.0.0.1:{}"] {
                let with = |port: u16| form.replace("{}", &port.to_string());
                pairs.push((with(*from), with(to)));
            }
        }
        Ok(Self {
            directory,
            domain,
            pairs,
        })
    }

    /// A text of the mock with the real names.
    pub(crate) fn real(&self, text: &str) -> String {
        let replaced = |text: String, (from, to): &(String, String)| text.replace(from, to);
        self.pairs.iter().fold(text.to_owned(), replaced)
    }

    /// A call or an action with the real names. None of them needs an escape in JSON.
    pub(crate) fn real_of<T: Serialize + DeserializeOwned>(
        &self,
        thing: &T,
    ) -> Result<T, DriverError> {
        let told = |error: serde_json::Error| failed(&format!("no JSON: {error}"));
        let text = serde_json::to_string(thing).map_err(told)?;
        serde_json::from_str(&self.real(&text)).map_err(told)
    }

    /// The real name of the domain.
    pub(crate) fn domain(&self) -> String {
        self.domain.clone()
    }

    /// Removes the directory.
    pub(crate) fn remove(&self) -> Result<(), DriverError> {
        fs::remove_dir_all(&self.directory).map_err(|error| {
            failed(&format!(
                "cannot remove {}: {error}",
                self.directory.display()
            ))
        })
    }
}
