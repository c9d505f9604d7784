//! The C functions of libvirt, each behind a safe one; the only file with `unsafe`.
//!
//! The crate `virt` is used where it has a wrapper; here is what it lacks: checkpoints, backups,
//! jobs, events, NULL documents, and the whole of an error. No function here decides anything.
//! A refusal is returned as [`LibvirtError`], read on the thread of the call before another
//! libvirt function can reset it.

#![expect(
    unsafe_code,
    reason = "checkpoints and backups are reachable through C functions only"
)]

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::transmute;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Once};
use std::thread;

use nix::libc;
use virt::connect::Connect;
use virt::domain::Domain;
use virt_sys as sys;

use super::events::Events;

use crate::model::{ErrorCode, ErrorDomain, JobEnd, JobEvent, LibvirtError, Param};

/// A checkpoint's handle; libvirt keeps it valid after the checkpoint was deleted.
#[derive(Debug)]
pub(super) struct Checkpoint(NonNull<sys::virDomainCheckpoint>);

// SAFETY: libvirt's objects count their references atomically, and its functions may be called on
// one object from any thread (`docs/programming_languages.rst`: the API is thread-safe).
unsafe impl Send for Checkpoint {}

impl Drop for Checkpoint {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and is not used again.
        unsafe { sys::virDomainCheckpointFree(self.0.as_ptr()) };
    }
}

/// Opens a connection whose backup events go to `events`.
///
/// The first call registers libvirt's event loop and runs it on a thread of its own for the
/// rest of the process, and keeps libvirt from printing errors.
pub(super) fn open(uri: &str, events: &Arc<Events>) -> Result<Connect, LibvirtError> {
    static EVENT_LOOP: Once = Once::new();
    EVENT_LOOP.call_once(|| {
        virt::error::clear_error_callback();
        if virt::event::event_register_default_impl().is_ok() {
            thread::spawn(|| while virt::event::event_run_default_impl().is_ok() {});
        }
    });
    let connection = told(Connect::open(Some(uri)))?;
    // SAFETY: each event's callback is registered for that event, which is why the API takes them
    // all under one generic type (`VIR_DOMAIN_EVENT_CALLBACK`).
    unsafe {
        let callback = transmute::<
            sys::virConnectDomainEventJobCompletedCallback,
            sys::virConnectDomainEventGenericCallback,
        >(Some(job_completed));
        let event = sys::VIR_DOMAIN_EVENT_ID_JOB_COMPLETED;
        register(&connection, event, callback, events)?;
        let callback = transmute::<
            sys::virConnectDomainEventBlockJobCallback,
            sys::virConnectDomainEventGenericCallback,
        >(Some(block_job));
        let event = sys::VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2;
        register(&connection, event, callback, events)?;
    }
    Ok(connection)
}

/// The result of a wrapper of `virt`, with the whole error in place of the crate's part of it.
pub(super) fn told<T>(result: Result<T, virt::error::Error>) -> Result<T, LibvirtError> {
    result.map_err(|_| last_error())
}

/// `virDomainDefineXMLFlags`.
pub(super) fn define(
    connection: &Connect,
    xml: Option<&CStr>,
    flags: u32,
) -> Result<Domain, LibvirtError> {
    // SAFETY: the connection is alive; the text is NULL or ends with NUL and outlives the call;
    // the handle returned is owned by us.
    unsafe {
        let domain = sys::virDomainDefineXMLFlags(connection.as_ptr(), text(xml), flags);
        if domain.is_null() {
            return Err(last_error());
        }
        Ok(Domain::from_ptr(domain))
    }
}

/// `virDomainReset`.
pub(super) fn reset(domain: &Domain, flags: u32) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive.
    done(unsafe { sys::virDomainReset(domain.as_ptr(), flags) })
}

/// `virDomainGetState`: the numbers of state and reason.
pub(super) fn state(domain: &Domain, flags: u32) -> Result<(i32, i32), LibvirtError> {
    let (mut state, mut reason) = (0, 0);
    // SAFETY: the domain is alive and both numbers are written before the call returns.
    let result =
        unsafe { sys::virDomainGetState(domain.as_ptr(), &raw mut state, &raw mut reason, flags) };
    done(result).map(|()| (state, reason))
}

/// `virDomainAttachDeviceFlags`.
pub(super) fn attach_device(
    domain: &Domain,
    xml: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainAttachDeviceFlags(domain.as_ptr(), text(xml), flags) })
}

/// `virDomainDetachDeviceFlags`.
pub(super) fn detach_device(
    domain: &Domain,
    xml: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainDetachDeviceFlags(domain.as_ptr(), text(xml), flags) })
}

/// `virDomainSnapshotCreateXML`: the snapshot's name.
pub(super) fn create_snapshot(
    domain: &Domain,
    xml: Option<&CStr>,
    flags: u32,
) -> Result<String, LibvirtError> {
    // SAFETY: the domain is alive, the text is NULL or outlives the call; the snapshot is ours,
    // its name is copied before it is freed.
    unsafe {
        let snapshot = sys::virDomainSnapshotCreateXML(domain.as_ptr(), text(xml), flags);
        if snapshot.is_null() {
            return Err(last_error());
        }
        let name = copied(sys::virDomainSnapshotGetName(snapshot));
        sys::virDomainSnapshotFree(snapshot);
        Ok(name.unwrap_or_default())
    }
}

/// `virDomainBackupBegin`.
pub(super) fn backup_begin(
    domain: &Domain,
    xml: Option<&CStr>,
    checkpoint_xml: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    let (xml, checkpoint_xml) = (text(xml), text(checkpoint_xml));
    // SAFETY: the domain is alive; each text is NULL or outlives the call.
    done(unsafe { sys::virDomainBackupBegin(domain.as_ptr(), xml, checkpoint_xml, flags) })
}

/// `virDomainBackupGetXMLDesc`.
pub(super) fn backup_xml(domain: &Domain, flags: u32) -> Result<String, LibvirtError> {
    // SAFETY: the domain is alive; the text returned is ours.
    unsafe { taken(sys::virDomainBackupGetXMLDesc(domain.as_ptr(), flags)) }
}

/// `virDomainAbortJob`.
pub(super) fn abort_job(domain: &Domain) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive.
    done(unsafe { sys::virDomainAbortJob(domain.as_ptr()) })
}

/// `virDomainAbortJobFlags`.
pub(super) fn abort_job_flags(domain: &Domain, flags: u32) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive.
    done(unsafe { sys::virDomainAbortJobFlags(domain.as_ptr(), flags) })
}

/// `virDomainGetJobStats`: the job's type and its parameters.
pub(super) fn job_stats(
    domain: &Domain,
    flags: u32,
) -> Result<(i32, BTreeMap<String, Param>), LibvirtError> {
    let (mut kind, mut params, mut count) = (0, ptr::null_mut(), 0);
    // SAFETY: the domain is alive; on success the array holds `count` parameters and is ours.
    unsafe {
        done(sys::virDomainGetJobStats(
            domain.as_ptr(),
            &raw mut kind,
            &raw mut params,
            &raw mut count,
            flags,
        ))?;
        let found = parameters(params, count);
        sys::virTypedParamsFree(params, count);
        Ok((kind, found))
    }
}

/// `virDomainBlockCopy`, without parameters.
pub(super) fn block_copy(
    domain: &Domain,
    disk: Option<&CStr>,
    xml: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    let (disk, xml) = (text(disk), text(xml));
    // SAFETY: the domain is alive; each text is NULL or outlives the call; there are no parameters.
    done(unsafe { sys::virDomainBlockCopy(domain.as_ptr(), disk, xml, ptr::null_mut(), 0, flags) })
}

/// `virDomainBlockCommit`, without a limit to its speed.
pub(super) fn block_commit(
    domain: &Domain,
    disk: Option<&CStr>,
    (base, top): (Option<&CStr>, Option<&CStr>),
    flags: u32,
) -> Result<(), LibvirtError> {
    let (disk, base, top) = (text(disk), text(base), text(top));
    // SAFETY: the domain is alive; each text is NULL or outlives the call.
    done(unsafe { sys::virDomainBlockCommit(domain.as_ptr(), disk, base, top, 0, flags) })
}

/// `virDomainBlockPull`, without a limit to its speed.
pub(super) fn block_pull(
    domain: &Domain,
    disk: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainBlockPull(domain.as_ptr(), text(disk), 0, flags) })
}

/// `virDomainBlockRebase`, without a limit to its speed.
pub(super) fn block_rebase(
    domain: &Domain,
    disk: Option<&CStr>,
    base: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    let (disk, base) = (text(disk), text(base));
    // SAFETY: the domain is alive; each text is NULL or outlives the call.
    done(unsafe { sys::virDomainBlockRebase(domain.as_ptr(), disk, base, 0, flags) })
}

/// `virDomainBlockResize`.
pub(super) fn block_resize(
    domain: &Domain,
    disk: Option<&CStr>,
    size: u64,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainBlockResize(domain.as_ptr(), text(disk), size, flags) })
}

/// `virDomainBlockJobSetSpeed`.
pub(super) fn block_job_set_speed(
    domain: &Domain,
    disk: Option<&CStr>,
    speed: u64,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainBlockJobSetSpeed(domain.as_ptr(), text(disk), speed, flags) })
}

/// `virDomainSave`.
pub(super) fn save(domain: &Domain, to: Option<&CStr>) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainSave(domain.as_ptr(), text(to)) })
}

/// `virDomainCoreDump`.
pub(super) fn core_dump(
    domain: &Domain,
    to: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainCoreDump(domain.as_ptr(), text(to), flags) })
}

/// `virDomainRename`.
pub(super) fn rename(domain: &Domain, to: Option<&CStr>, flags: u32) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainRename(domain.as_ptr(), text(to), flags) })
}

/// `virDomainMigrateToURI3`, without parameters.
pub(super) fn migrate(domain: &Domain, to: Option<&CStr>, flags: u32) -> Result<(), LibvirtError> {
    let to = text(to);
    // SAFETY: the domain is alive; the text is NULL or outlives the call; there are no parameters.
    done(unsafe { sys::virDomainMigrateToURI3(domain.as_ptr(), to, ptr::null_mut(), 0, flags) })
}

/// `virDomainBlockJobAbort`.
pub(super) fn block_job_abort(
    domain: &Domain,
    disk: Option<&CStr>,
    flags: u32,
) -> Result<(), LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    done(unsafe { sys::virDomainBlockJobAbort(domain.as_ptr(), text(disk), flags) })
}

/// `virDomainGetBlockJobInfo`; `None` where the disk has no job.
pub(super) fn block_job_info(
    domain: &Domain,
    disk: Option<&CStr>,
    flags: u32,
) -> Result<Option<sys::virDomainBlockJobInfo>, LibvirtError> {
    let mut info = sys::virDomainBlockJobInfo {
        type_: 0,
        bandwidth: 0,
        cur: 0,
        end: 0,
    };
    // SAFETY: the domain is alive, the text is NULL or outlives the call, the structure is ours.
    let result =
        unsafe { sys::virDomainGetBlockJobInfo(domain.as_ptr(), text(disk), &raw mut info, flags) };
    done(result).map(|()| (result > 0).then_some(info))
}

/// `virDomainCheckpointCreateXML`.
pub(super) fn create_checkpoint(
    domain: &Domain,
    xml: Option<&CStr>,
    flags: u32,
) -> Result<Checkpoint, LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    let checkpoint =
        unsafe { sys::virDomainCheckpointCreateXML(domain.as_ptr(), text(xml), flags) };
    held(checkpoint)
}

/// `virDomainCheckpointLookupByName`.
pub(super) fn find_checkpoint(
    domain: &Domain,
    name: Option<&CStr>,
    flags: u32,
) -> Result<Checkpoint, LibvirtError> {
    // SAFETY: the domain is alive; the text is NULL or outlives the call.
    let checkpoint =
        unsafe { sys::virDomainCheckpointLookupByName(domain.as_ptr(), text(name), flags) };
    held(checkpoint)
}

/// `virDomainListAllCheckpoints`: their names, in libvirt's order.
pub(super) fn checkpoint_names(domain: &Domain, flags: u32) -> Result<Vec<String>, LibvirtError> {
    let mut list = ptr::null_mut();
    // SAFETY: the domain is alive; on success the list is ours and holds as many handles as the
    // call returned.
    unsafe {
        let count = sys::virDomainListAllCheckpoints(domain.as_ptr(), &raw mut list, flags);
        done(count).map(|()| names(list, count))
    }
}

impl Checkpoint {
    /// `virDomainCheckpointGetName`.
    pub(super) fn name(&self) -> String {
        // SAFETY: the handle is alive, and so is its name.
        unsafe { copied(sys::virDomainCheckpointGetName(self.0.as_ptr())) }.unwrap_or_default()
    }

    /// `virDomainCheckpointGetXMLDesc`.
    pub(super) fn xml(&self, flags: u32) -> Result<String, LibvirtError> {
        // SAFETY: the handle is alive; the text returned is ours.
        unsafe { taken(sys::virDomainCheckpointGetXMLDesc(self.0.as_ptr(), flags)) }
    }

    /// `virDomainCheckpointDelete`.
    pub(super) fn delete(&self, flags: u32) -> Result<(), LibvirtError> {
        // SAFETY: the handle is alive; deleting the checkpoint does not free it.
        done(unsafe { sys::virDomainCheckpointDelete(self.0.as_ptr(), flags) })
    }

    /// `virDomainCheckpointGetParent`.
    pub(super) fn parent(&self, flags: u32) -> Result<Self, LibvirtError> {
        // SAFETY: the handle is alive.
        held(unsafe { sys::virDomainCheckpointGetParent(self.0.as_ptr(), flags) })
    }

    /// `virDomainCheckpointListAllChildren`: their names, in libvirt's order.
    pub(super) fn children(&self, flags: u32) -> Result<Vec<String>, LibvirtError> {
        let mut list = ptr::null_mut();
        // SAFETY: the handle is alive; on success the list is ours and holds as many handles as
        // the call returned.
        unsafe {
            let count =
                sys::virDomainCheckpointListAllChildren(self.0.as_ptr(), &raw mut list, flags);
            done(count).map(|()| names(list, count))
        }
    }
}

/// Registers a callback for one event of every domain.
///
/// # Safety
///
/// The callback must have the signature of the event's own callback type.
unsafe fn register(
    connection: &Connect,
    event: sys::virDomainEventID,
    callback: sys::virConnectDomainEventGenericCallback,
    events: &Arc<Events>,
) -> Result<(), LibvirtError> {
    let queue = Arc::into_raw(Arc::clone(events));
    // SAFETY: the connection is alive; the queue stays alive until libvirt calls `release`.
    unsafe {
        done(sys::virConnectDomainEventRegisterAny(
            connection.as_ptr(),
            ptr::null_mut(),
            event.cast_signed(),
            callback,
            queue.cast_mut().cast(),
            Some(release),
        ))
    }
}

unsafe extern "C" fn release(queue: *mut c_void) {
    // SAFETY: libvirt gives back, once, what `register` gave it.
    drop(unsafe { Arc::from_raw(queue.cast::<Events>()) });
}

unsafe extern "C" fn job_completed(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    params: sys::virTypedParameterPtr,
    count: c_int,
    queue: *mut c_void,
) {
    // SAFETY: libvirt passes a live domain, its parameters, and the queue of `register`.
    let (name, params, queue) = unsafe {
        let name = copied(sys::virDomainGetName(domain)).unwrap_or_default();
        (name, parameters(params, count), &*queue.cast::<Events>())
    };
    let number = |key: &CStr| params.get(&*key.to_string_lossy());
    let backup = u64::from(sys::VIR_DOMAIN_JOB_OPERATION_BACKUP);
    if number(sys::VIR_DOMAIN_JOB_OPERATION) != Some(&Param::Unsigned(backup)) {
        return;
    }
    let success = number(sys::VIR_DOMAIN_JOB_SUCCESS) == Some(&Param::Bool(true));
    let message = number(sys::VIR_DOMAIN_JOB_ERRMSG).map(ToString::to_string);
    queue.push(&name, JobEvent::JobCompleted { success, message });
}

unsafe extern "C" fn block_job(
    _: sys::virConnectPtr,
    domain: sys::virDomainPtr,
    disk: *const c_char,
    kind: c_int,
    status: c_int,
    queue: *mut c_void,
) {
    // SAFETY: libvirt passes a live domain, the disk's target, and the queue of `register`.
    let (name, disk, queue) = unsafe {
        let name = copied(sys::virDomainGetName(domain)).unwrap_or_default();
        let disk = copied(disk).unwrap_or_default();
        (name, disk, &*queue.cast::<Events>())
    };
    let end = match status.cast_unsigned() {
        sys::VIR_DOMAIN_BLOCK_JOB_COMPLETED => JobEnd::Completed,
        sys::VIR_DOMAIN_BLOCK_JOB_FAILED => JobEnd::Failed,
        sys::VIR_DOMAIN_BLOCK_JOB_CANCELED => JobEnd::Cancelled,
        _ => return,
    };
    if kind.cast_unsigned() == sys::VIR_DOMAIN_BLOCK_JOB_TYPE_BACKUP {
        queue.push(&name, JobEvent::BlockJob { disk, end });
    }
}

/// The last error of this thread, whole. Where libvirt refused without one, code 0 says so.
fn last_error() -> LibvirtError {
    // SAFETY: the error is this thread's own, and is copied before another call.
    unsafe {
        let error = sys::virGetLastError().as_ref();
        LibvirtError {
            code: ErrorCode(error.map_or(0, |error| error.code)),
            domain: ErrorDomain(error.map_or(0, |error| error.domain)),
            level: error.map_or(0, |error| error.level.cast_signed()),
            message: error
                .and_then(|error| copied(error.message))
                .unwrap_or_default(),
            str1: error.and_then(|error| copied(error.str1)),
            str2: error.and_then(|error| copied(error.str2)),
            str3: error.and_then(|error| copied(error.str3)),
            int1: error.map_or(0, |error| error.int1),
            int2: error.map_or(0, |error| error.int2),
        }
    }
}

/// The outcome of a function that returns a negative number when it fails.
fn done(result: c_int) -> Result<(), LibvirtError> {
    if result < 0 {
        Err(last_error())
    } else {
        Ok(())
    }
}

fn held(checkpoint: sys::virDomainCheckpointPtr) -> Result<Checkpoint, LibvirtError> {
    NonNull::new(checkpoint)
        .map(Checkpoint)
        .ok_or_else(last_error)
}

fn text(text: Option<&CStr>) -> *const c_char {
    text.map_or(ptr::null(), CStr::as_ptr)
}

/// A copy of a C text; `None` for NULL.
///
/// # Safety
///
/// The pointer is NULL or points at a text that ends with NUL.
unsafe fn copied(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL; the rest is the caller's promise.
    let text = unsafe { CStr::from_ptr(text) };
    Some(text.to_string_lossy().into_owned())
}

/// A C text that libvirt has allocated for us; NULL is a refusal.
///
/// # Safety
///
/// The pointer is NULL or points at an allocated text that ends with NUL and is ours to free.
unsafe fn taken(text: *mut c_char) -> Result<String, LibvirtError> {
    // SAFETY: the caller's promise.
    unsafe {
        let copy = copied(text).ok_or_else(last_error)?;
        libc::free(text.cast());
        Ok(copy)
    }
}

/// Frees a list of checkpoints and its handles, and returns their names.
///
/// # Safety
///
/// The list is ours to free and holds `count` handles, which are ours too.
unsafe fn names(list: *mut sys::virDomainCheckpointPtr, count: c_int) -> Vec<String> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise; a `Checkpoint` frees its handle.
    unsafe {
        let handles = (0..count).filter_map(|at| NonNull::new(*list.add(at)));
        let names = handles.map(|handle| Checkpoint(handle).name()).collect();
        libc::free(list.cast());
        names
    }
}

/// A copy of an array of typed parameters.
///
/// # Safety
///
/// The pointer is NULL or points at `count` parameters that libvirt has filled in.
unsafe fn parameters(params: sys::virTypedParameterPtr, count: c_int) -> BTreeMap<String, Param> {
    if params.is_null() {
        return BTreeMap::new();
    }
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: the caller's promise.
    let params = unsafe { std::slice::from_raw_parts(params, count) };
    // SAFETY: libvirt has filled in name and value; the union's member is the one the type names.
    let pairs = params.iter().filter_map(|param| unsafe {
        let name = copied(param.field.as_ptr())?;
        let value = param.value;
        let signed =
            |number: i64| u64::try_from(number).map_or(Param::Signed(number), Param::Unsigned);
        let value = match param.type_.cast_unsigned() {
            sys::VIR_TYPED_PARAM_INT => signed(value.i.into()),
            sys::VIR_TYPED_PARAM_UINT => Param::Unsigned(value.ui.into()),
            sys::VIR_TYPED_PARAM_LLONG => signed(value.l),
            sys::VIR_TYPED_PARAM_ULLONG => Param::Unsigned(value.ul),
            sys::VIR_TYPED_PARAM_DOUBLE => Param::Double(value.d),
            sys::VIR_TYPED_PARAM_BOOLEAN => Param::Bool(value.b != 0),
            sys::VIR_TYPED_PARAM_STRING => Param::Text(copied(value.s)?),
            _ => return None,
        };
        Some((name, value))
    });
    pairs.collect()
}
