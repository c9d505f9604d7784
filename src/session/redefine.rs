//! Asking libvirt about one bitmap by redefining its checkpoint, and putting that back.

use std::collections::BTreeMap;

use super::Session;
use super::observe::unexpected;
use crate::driver::DriverError;
use crate::model::{Answer, Api, Call, ErrorCode, flags};
use crate::plan::SavedCheckpoint;

impl Session<'_> {
    /// Whether libvirt takes each of these disks' bitmaps of a checkpoint for good: it is redefined
    /// with `VIR_DOMAIN_CHECKPOINT_CREATE_REDEFINE_VALIDATE` on one disk at a time. Afterwards the
    /// definition is what it was: the whole document is put back, or, where there was none, goes.
    pub fn bitmap_health(
        &mut self,
        name: &str,
        disks: &[String],
    ) -> Result<BTreeMap<String, bool>, DriverError> {
        let before = self.whole_checkpoint(name)?;
        let asked = self.redefine_on_each(name, before.as_deref(), disks);
        let undone = self.put_back(name, before.as_deref());
        let health = asked?;
        undone.map(|()| health)
    }

    fn redefine_on_each(
        &mut self,
        name: &str,
        before: Option<&str>,
        disks: &[String],
    ) -> Result<BTreeMap<String, bool>, DriverError> {
        let known = before.and_then(SavedCheckpoint::of);
        let mut document = known.unwrap_or_else(|| SavedCheckpoint::named(name));
        // The parent is put back with the whole document; it may not be defined any more.
        document.parent = None;
        let bits = flags::CHECKPOINT_CREATE_REDEFINE | flags::CHECKPOINT_CREATE_REDEFINE_VALIDATE;
        let mut health = BTreeMap::new();
        for disk in disks {
            document.disks = vec![(disk.clone(), name.to_owned())];
            let call = Call::new(Api::CheckpointCreate, &self.place().domain);
            let call = call.flags(bits).xml(document.to_xml());
            let is_good = match self.ask(&call)? {
                Answer::Returned(_) => true,
                Answer::Refused(error) if error.code == ErrorCode::CHECKPOINT_INCONSISTENT => false,
                answer @ Answer::Refused(_) => return Err(unexpected(&call, &answer)),
            };
            health.insert(disk.clone(), is_good);
        }
        Ok(health)
    }

    /// Makes the definition of a checkpoint what it was; without one, there is none afterwards.
    pub fn put_back(&mut self, name: &str, before: Option<&str>) -> Result<(), DriverError> {
        let now = self.whole_checkpoint(name)?;
        if now.as_deref() == before {
            return Ok(());
        }
        let domain = &self.place().domain;
        let call = if let Some(xml) = before {
            let call = Call::new(Api::CheckpointCreate, domain).xml(xml.to_owned());
            call.flags(flags::CHECKPOINT_CREATE_REDEFINE)
        } else {
            let call = Call::new(Api::CheckpointDelete, domain).checkpoint(name);
            call.flags(flags::CHECKPOINT_DELETE_METADATA_ONLY)
        };
        if let answer @ Answer::Refused(_) = self.ask(&call)? {
            return Err(unexpected(&call, &answer));
        }
        if self.whole_checkpoint(name)?.as_deref() == before {
            return Ok(());
        }
        let text = format!("the definition of checkpoint {name} is not what it was");
        Err(DriverError::Failed(text))
    }
}
