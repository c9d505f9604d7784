//! What a client, and the runner beside it, can see without changing anything.

use std::collections::BTreeMap;

use super::Session;
use crate::driver::DriverError;
use crate::model::{
    Action, Answer, Api, BitmapTable, Call, Compat, Content, DiskFormat, DomainState, ErrorCode,
    ImageRef, LibvirtError, NbdServer, Observation, Param, Value, flags,
};
use crate::plan::PlannedDisk;
use crate::transcript::HostState;

impl Session<'_> {
    /// The state of the domain and of the scenario's directory.
    pub fn host_state(&mut self) -> Result<HostState, DriverError> {
        let domain = self.domain_state()?;
        if domain == DomainState::Gone {
            return Ok(HostState {
                domain,
                checkpoints: Vec::new(),
                backup: false,
                bitmaps: self.bitmaps()?,
                files: self.files()?,
            });
        }
        Ok(HostState {
            domain,
            checkpoints: self.checkpoints()?,
            backup: self.has_backup()?,
            bitmaps: self.bitmaps()?,
            files: self.files()?,
        })
    }

    /// `virDomainGetState`.
    pub fn domain_state(&mut self) -> Result<DomainState, DriverError> {
        let call = Call::new(Api::DomainGetState, &self.place().domain);
        match self.ask(&call)? {
            Answer::Returned(Value::State(state, _)) => Ok(state),
            Answer::Refused(error) if error.code == ErrorCode::NO_DOMAIN => Ok(DomainState::Gone),
            answer @ (Answer::Returned(_) | Answer::Refused(_)) => Err(unexpected(&call, &answer)),
        }
    }

    /// `virDomainListAllCheckpoints`, sorted.
    pub fn checkpoints(&mut self) -> Result<Vec<String>, DriverError> {
        let mut names = self.list_checkpoints(0)?;
        names.sort();
        Ok(names)
    }

    /// Lets libvirt end a backup that it has refused after its jobs had started.
    pub fn settle_backup(&mut self) -> Result<(), DriverError> {
        if self.has_backup()? {
            let domain = self.place().domain.clone();
            self.observe(&Action::SettleBackup { domain })?;
        }
        Ok(())
    }

    /// Issues a call that is not part of the story and ought to change nothing; its refusal.
    pub fn repeat(&mut self, call: &Call) -> Result<Option<LibvirtError>, DriverError> {
        Ok(match self.ask(call)? {
            Answer::Returned(_) => None,
            Answer::Refused(error) => Some(error),
        })
    }

    /// The same, parents before their children, and otherwise by name: libvirt promises no order of
    /// what has the same parent.
    pub fn checkpoints_from_the_root(&mut self) -> Result<Vec<String>, DriverError> {
        let mut left = self.checkpoints()?;
        let mut parents = BTreeMap::new();
        for name in &left {
            parents.insert(name.clone(), self.parent_of(name)?);
        }
        let mut ordered = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let is_next = |name: &String| {
                let parent = parents.get(name).and_then(Option::as_ref);
                parent.is_none_or(|parent| !left.contains(parent))
            };
            // A circle, which libvirt refuses to make, has no first one.
            let next = left.iter().position(is_next).unwrap_or_default();
            ordered.push(left.remove(next));
        }
        Ok(ordered)
    }

    fn parent_of(&mut self, name: &str) -> Result<Option<String>, DriverError> {
        let call = Call::new(Api::CheckpointGetParent, &self.place().domain).checkpoint(name);
        match self.ask(&call)? {
            Answer::Returned(Value::Name(parent)) => Ok(Some(parent)),
            Answer::Refused(error) if error.code == ErrorCode::NO_DOMAIN_CHECKPOINT => Ok(None),
            answer @ (Answer::Returned(_) | Answer::Refused(_)) => Err(unexpected(&call, &answer)),
        }
    }

    fn list_checkpoints(&mut self, bits: u32) -> Result<Vec<String>, DriverError> {
        let call = Call::new(Api::DomainListAllCheckpoints, &self.place().domain).flags(bits);
        let answer = self.ask(&call)?;
        let Answer::Returned(Value::Names(names)) = answer else {
            return Err(unexpected(&call, &answer));
        };
        Ok(names)
    }

    /// Whether `virDomainBackupGetXMLDesc` finds a backup; a domain that is gone has none.
    pub fn has_backup(&mut self) -> Result<bool, DriverError> {
        let call = Call::new(Api::DomainBackupGetXmlDesc, &self.place().domain);
        match self.ask(&call)? {
            Answer::Returned(_) => Ok(true),
            Answer::Refused(error)
                if [ErrorCode::NO_DOMAIN_BACKUP, ErrorCode::NO_DOMAIN].contains(&error.code) =>
            {
                Ok(false)
            }
            answer @ Answer::Refused(_) => Err(unexpected(&call, &answer)),
        }
    }

    /// The block job of each of the disks that has one, as a `virDomainBlockJobType`, by
    /// `virDomainGetBlockJobInfo`.
    pub fn block_jobs(&mut self, disks: &[String]) -> Result<BTreeMap<String, u64>, DriverError> {
        let mut jobs = BTreeMap::new();
        for disk in disks {
            let call = Call {
                disk: Some(disk.clone()),
                ..Call::new(Api::DomainGetBlockJobInfo, &self.place().domain)
            };
            match self.ask(&call)? {
                Answer::Returned(Value::Params(params)) if params.is_empty() => {}
                Answer::Returned(Value::Params(params)) => {
                    let Some(Param::Unsigned(job)) = params.get("type") else {
                        return Err(unexpected(&call, &Answer::Returned(Value::Params(params))));
                    };
                    jobs.insert(disk.clone(), *job);
                }
                // libvirt knows no such disk, so it has no job.
                Answer::Refused(_) => {}
                answer @ Answer::Returned(_) => return Err(unexpected(&call, &answer)),
            }
        }
        Ok(jobs)
    }

    /// The statistics of the running domain job, or of the one that ended last
    /// (`virDomainGetJobStats`), as far as libvirt has any.
    pub fn job_stats(&mut self, completed: bool) -> Result<BTreeMap<String, Param>, DriverError> {
        let bits = if completed {
            flags::JOB_STATS_COMPLETED | flags::JOB_STATS_KEEP_COMPLETED
        } else {
            0
        };
        let call = Call::new(Api::DomainGetJobStats, &self.place().domain).flags(bits);
        match self.ask(&call)? {
            Answer::Returned(Value::Params(params)) => Ok(params),
            // A domain that is off has no job.
            Answer::Refused(error) if error.code == ErrorCode::OPERATION_INVALID => {
                Ok(BTreeMap::new())
            }
            answer @ (Answer::Returned(_) | Answer::Refused(_)) => Err(unexpected(&call, &answer)),
        }
    }

    /// Why libvirt could not store the metadata of the domain's checkpoints; `None` if it can.
    pub fn probe_metadata_store(&mut self) -> Result<Option<String>, DriverError> {
        let domain = self.place().domain.clone();
        let action = Action::ProbeMetadataStore { domain };
        let Observation::Usable(reason) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(reason)
    }

    /// Those of the files that are there.
    pub fn find_files(&mut self, paths: Vec<String>) -> Result<Vec<String>, DriverError> {
        let action = Action::FindFiles { paths };
        let Observation::Files(files) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(files)
    }

    /// The formats of the domain's disks, by target device.
    pub fn disk_formats(&mut self) -> Result<BTreeMap<String, DiskFormat>, DriverError> {
        let domain = self.place().domain.clone();
        let action = Action::DiskFormats { domain };
        let Observation::Formats(formats) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(formats)
    }

    /// The versions of the domain's qcow2 images, by target device.
    pub fn image_versions(&mut self) -> Result<BTreeMap<String, Compat>, DriverError> {
        let disks = self.disks().iter();
        let disks = disks.map(|disk| (disk.target.clone(), disk.image.clone()));
        let action = Action::ImageVersions {
            disks: disks.collect(),
        };
        let Observation::Versions(versions) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(versions)
    }

    /// The document of a defined checkpoint, without its nested domain
    /// (`virDomainCheckpointGetXMLDesc`); `None` where libvirt gives none.
    pub fn checkpoint_document(&mut self, name: &str) -> Result<Option<String>, DriverError> {
        self.dump_checkpoint(name, flags::CHECKPOINT_XML_NO_DOMAIN)
    }

    /// The same whole, as a redefinition wants it to change nothing.
    pub fn whole_checkpoint(&mut self, name: &str) -> Result<Option<String>, DriverError> {
        self.dump_checkpoint(name, flags::CHECKPOINT_XML_SECURE)
    }

    fn dump_checkpoint(&mut self, name: &str, bits: u32) -> Result<Option<String>, DriverError> {
        let call = Call::new(Api::CheckpointGetXmlDesc, &self.place().domain);
        let call = call.checkpoint(name).flags(bits);
        match self.ask(&call)? {
            Answer::Returned(Value::Xml(xml)) => Ok(Some(xml)),
            Answer::Refused(_) => Ok(None),
            answer @ Answer::Returned(_) => Err(unexpected(&call, &answer)),
        }
    }

    /// Why an NBD server could not listen there; `None` if it can.
    pub fn probe_server(
        &mut self,
        server: &NbdServer,
        tls: bool,
    ) -> Result<Option<String>, DriverError> {
        let action = Action::ProbeServer {
            server: server.clone(),
            tls,
        };
        let Observation::Usable(reason) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(reason)
    }

    /// The bitmaps in memory of an active domain, else those stored in its images.
    pub fn bitmaps(&mut self) -> Result<BitmapTable, DriverError> {
        let action = if self.domain_state()?.is_active() {
            Action::LiveBitmaps {
                domain: self.place().domain.clone(),
            }
        } else {
            let stored = self.disks().iter().filter(|disk| disk.can_have_bitmaps());
            let layers = |disk: &PlannedDisk| {
                let target = disk.target.clone();
                let layers = disk.layers().map(|image| (target.clone(), image.clone()));
                layers.collect::<Vec<_>>()
            };
            Action::StoredBitmaps {
                disks: stored.flat_map(layers).collect(),
            }
        };
        let Observation::Bitmaps(table) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(table)
    }

    /// What a chain of images holds.
    pub fn read_chain(&mut self, layers: Vec<ImageRef>) -> Result<Content, DriverError> {
        let action = Action::ReadChain { layers };
        let Observation::Content(content) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(content)
    }

    /// What `qemu-img check` finds wrong with a closed image.
    pub fn check_image(&mut self, image: &ImageRef) -> Result<Option<String>, DriverError> {
        let action = Action::CheckImage {
            image: image.clone(),
        };
        let Observation::Check(report) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(report)
    }

    fn files(&mut self) -> Result<Vec<String>, DriverError> {
        let directory = self.place().directory.clone();
        let action = Action::ListFiles { directory };
        let Observation::Files(files) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        Ok(files)
    }
}

pub(super) fn unexpected(call: &Call, answer: &Answer) -> DriverError {
    match answer {
        Answer::Refused(error) => DriverError::Failed(format!(
            "the state could not be seen: {}: {error}",
            call.api
        )),
        Answer::Returned(value) => {
            DriverError::Failed(format!("{} returned {value:?}, which it cannot", call.api))
        }
    }
}

pub(super) fn strange(action: &Action) -> DriverError {
    DriverError::Failed(format!(
        "the driver answered {action:?} with something else"
    ))
}
