//! The calls that move data between the layers of a disk.

use super::Mock;
use super::answer::{Ruled, not_modelled, refuse};
use super::blockjob::require_idle;
use crate::model::{Call, ErrorCode, ErrorDomain, Value, flags};
use crate::world::Work;

impl Mock {
    /// `src/qemu/qemu_driver.c:qemuDomainBlockCommit`, then `src/qemu/qemu_block.c:qemuBlockCommit`. 7.0.0
    /// looked for another job before it looked for the layers.
    pub(super) fn block_commit(&mut self, call: &Call) -> Ruled {
        const ACTIVE: u32 = flags::BLOCK_COMMIT_ACTIVE;
        if call.flags & !ACTIVE != 0 {
            return not_modelled("virDomainBlockCommit with flags other than ACTIVE");
        }
        let (domain, active, index) = self.disk_of(call)?;
        if self.rules.job_before_layers {
            require_idle(domain, active, index)?;
        }
        let disk = &domain.disks[index];
        let chain = self.world.chain(&disk.source);
        let top = match &call.top {
            None => 0,
            Some(path) => match chain.iter().position(|layer| layer == path) {
                Some(top) => top,
                None => return not_modelled("a commit from an image that is no layer"),
            },
        };
        if (top == 0) != (call.flags & ACTIVE != 0) {
            return not_modelled("a commit whose flags do not fit its upper end");
        }
        let base = match &call.base {
            None => Some(chain.len() - 1),
            Some(path) => chain.iter().position(|layer| layer == path),
        };
        let Some(base) = base.filter(|base| *base > top) else {
            if call.base.is_some() {
                return not_modelled("a commit into an image that is no layer below");
            }
            let text = format!("could not find base image in chain for '{}'", disk.target);
            return refuse(ErrorCode::INVALID_ARG, ErrorDomain::STORAGE, &text);
        };
        require_idle(domain, active, index)?;
        self.world
            .begin_block_job(&call.domain, index, Work::Commit { top, base })?;
        Ok(Value::Nothing)
    }

    /// `src/qemu/qemu_driver.c:qemuDomainBlockPull` and `qemuDomainBlockRebase`, which are one where no
    /// copy is wanted (`qemuDomainBlockPullCommon`).
    pub(super) fn block_pull(&mut self, call: &Call) -> Ruled {
        if call.flags != 0 {
            return not_modelled("pulling with flags");
        }
        let (domain, active, index) = self.disk_of(call)?;
        require_idle(domain, active, index)?;
        let chain = self.world.chain(&domain.disks[index].source);
        let base = match &call.base {
            None => None,
            Some(path) => match chain.iter().position(|layer| layer == path) {
                Some(base) if base > 0 => Some(base),
                Some(_) | None => {
                    return not_modelled("pulling from above an image that is no layer");
                }
            },
        };
        if chain.len() == 1 {
            return not_modelled("pulling into a disk of one layer");
        }
        self.world
            .begin_block_job(&call.domain, index, Work::Pull { base })?;
        Ok(Value::Nothing)
    }
}
