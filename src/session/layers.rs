//! Which images the disks have.
//!
//! The scenario says only which they have at first. After what may have changed that, the domain is
//! asked, as a client would ask it: a plan that reckoned them out would have to know what each version
//! of libvirt makes of a snapshot that is deleted or gone back to.

use super::Session;
use super::observe::strange;
use crate::driver::DriverError;
use crate::model::{Action, Api, Call, ImageRef, Observation};
use crate::plan::{Ends, domain_xml};
use crate::transcript::Record;

impl Session<'_> {
    /// After a call that has succeeded: what it may have done to the layers.
    pub(super) fn follow_call(&mut self, api: Api) -> Result<(), DriverError> {
        let changes_layers = matches!(
            api,
            Api::DomainSnapshotCreate
                | Api::DomainSnapshotDelete
                | Api::DomainRevertToSnapshot
                | Api::DomainBlockJobAbort
        );
        let is_as_planned = self.disks == self.planned;
        if changes_layers || (api == Api::DomainDefine && !is_as_planned) {
            self.follow_layers()?;
        }
        Ok(())
    }

    /// After an action: a block job that was waited for may have ended by itself.
    pub(super) fn follow_action(&mut self, action: &Action) -> Result<(), DriverError> {
        if matches!(action, Action::AwaitBlockJob { .. }) {
            self.follow_layers()?;
        }
        Ok(())
    }

    fn follow_layers(&mut self) -> Result<(), DriverError> {
        let domain = self.place().domain.clone();
        let action = Action::DiskLayers { domain };
        let Observation::Layers(mut found) = self.observe(&action)? else {
            return Err(strange(&action));
        };
        for disk in &mut self.disks {
            let layers = found.remove(&disk.target).unwrap_or_default();
            let mut layers = layers.into_iter();
            let Some(top) = layers.next() else {
                continue;
            };
            if top != disk.image {
                // What libvirt and the tools make is of the newest version.
                disk.compat = None;
                disk.image = top;
            }
            disk.below = layers.collect();
        }
        Ok(())
    }

    /// An image of a disk; layer 0 is the top one.
    pub(super) fn layer_of(&self, disk: &str, layer: u32) -> Result<ImageRef, DriverError> {
        let mut disks = self.disks().iter();
        let found = disks.find(|found| found.target == disk);
        let found = found.and_then(|disk| disk.layers().nth(usize::try_from(layer).ok()?));
        found.cloned().ok_or_else(|| {
            DriverError::Failed(format!("disk {disk} has no layer {layer} at this point"))
        })
    }

    /// The paths of a block job's ends.
    pub(super) fn set_ends(&self, call: &mut Call, ends: Ends) -> Result<(), DriverError> {
        let disk = call.disk.clone().unwrap_or_default();
        if let Some(layer) = ends.base {
            call.base = Some(self.layer_of(&disk, layer)?.path);
        }
        if let Some(layer) = ends.top {
            call.top = Some(self.layer_of(&disk, layer)?.path);
        }
        Ok(())
    }

    /// An overlay on a disk's image that libvirt has not made: then the domain is defined with it.
    pub(super) fn put_overlay(
        &mut self,
        label: &str,
        disk: &str,
        (image, bitmaps): (&ImageRef, bool),
    ) -> Result<Vec<Record>, DriverError> {
        let action = Action::CreateOverlay {
            image: image.clone(),
            backing: self.layer_of(disk, 0)?,
            bitmaps,
        };
        let made = self.act(label, &action)?;
        Ok(vec![made, self.define_with(disk, image)?])
    }

    /// The other way round: the overlay is committed and removed.
    pub(super) fn commit_overlay(
        &mut self,
        label: &str,
        disk: &str,
    ) -> Result<Vec<Record>, DriverError> {
        let (image, below) = (self.layer_of(disk, 0)?, self.layer_of(disk, 1)?);
        let path = image.path.clone();
        let committed = self.act(label, &Action::CommitImage { image })?;
        self.observe(&Action::RemoveFile { path })?;
        Ok(vec![committed, self.define_with(disk, &below)?])
    }

    fn define_with(&mut self, disk: &str, image: &ImageRef) -> Result<Record, DriverError> {
        let mut disks = self.disks().to_vec();
        for found in disks.iter_mut().filter(|found| found.target == disk) {
            found.image = image.clone();
        }
        let place = self.place().clone();
        let define = Call::new(Api::DomainDefine, &place.domain);
        let record = self.call("define", &define.xml(domain_xml(&place, &disks)))?;
        self.follow_layers()?;
        Ok(record)
    }
}
