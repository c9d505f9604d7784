//! A backup request: what fits its mode.

use crate::scenario::diagnostic::Problem;
use crate::scenario::syntax::{BackupBegin, BackupDisk, BackupDiskMode, BackupMode, Spanned};

pub(super) fn check_backup(body: &BackupBegin, problems: &mut Vec<Problem>) {
    let mode = body.mode.value;
    for (disk, part) in &body.disks.0 {
        check_files(disk, part, mode, problems);
        if let Some(kind) = &part.backupmode {
            let has_base = part.incremental.is_some() || body.incremental.is_some();
            if kind.value == BackupDiskMode::Incremental && !has_base {
                problems.push(
                    Problem::new(
                        "scenario::no_base",
                        kind.span.clone(),
                        "an incremental backup without a base",
                    )
                    .label("since which checkpoint?")
                    .help("add `incremental: CHECKPOINT` here or to the backup"),
                );
            }
            if let (BackupDiskMode::Full, Some(base)) = (kind.value, &part.incremental) {
                problems.push(
                    Problem::new(
                        "scenario::no_base",
                        base.span.clone(),
                        "a full backup has no base",
                    )
                    .help("remove `incremental`, or write `backupmode: incremental`"),
                );
            }
        }
    }
    let Some(server) = &body.server else {
        return;
    };
    if mode == BackupMode::Push {
        problems.push(
            Problem::new(
                "scenario::server",
                server.span.clone(),
                "a push backup has no NBD server",
            )
            .help("remove `server`, or write `mode: pull`"),
        );
    }
    if server.value.socket.is_some() == server.value.port.is_some() {
        problems.push(
            Problem::new(
                "scenario::server",
                server.span.clone(),
                "an NBD server listens on a socket or on a port",
            )
            .help("write either `socket: NAME` or `port: 1`"),
        );
    }
}

fn check_files(
    disk: &Spanned<String>,
    part: &BackupDisk,
    mode: BackupMode,
    problems: &mut Vec<Problem>,
) {
    let wrong = match mode {
        BackupMode::Push => part
            .scratch
            .as_ref()
            .map(|file| ("scratch", "target", file)),
        BackupMode::Pull => part.target.as_ref().map(|file| ("target", "scratch", file)),
    };
    let word = match mode {
        BackupMode::Push => "push",
        BackupMode::Pull => "pull",
    };
    let exported = part.exportname.as_ref().or(part.exportbitmap.as_ref());
    if mode == BackupMode::Push && exported.is_some() {
        problems.push(
            Problem::new(
                "scenario::backup_file",
                disk.span.clone(),
                "a push backup exports nothing",
            )
            .help("remove `exportname` and `exportbitmap`, or write `mode: pull`"),
        );
    }
    if let Some((given, right, file)) = wrong {
        problems.push(
            Problem::new(
                "scenario::backup_file",
                file.span.clone(),
                format!("a {word} backup has no `{given}`"),
            )
            .help(format!("write `{right}`")),
        );
    } else if mode == BackupMode::Push && part.target.is_none() {
        problems.push(
            Problem::new(
                "scenario::backup_file",
                disk.span.clone(),
                format!("where is the backup of `{}` written to?", disk.value),
            )
            .label("`target` is missing for this disk")
            .help("add `target: FILE`; a scenario must find its backup again"),
        );
    }
}
