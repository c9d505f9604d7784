//! Scenario to plan.

use std::collections::BTreeSet;

use super::steps::Lowering;
use super::xml::Machine;
use super::{NotSupported, Plan, PlannedDisk, Step};
use crate::model::{ImageRef, Place};
use crate::scenario::syntax::{Device, Disk};
use crate::scenario::{Scenario, Spanned, Step as Told};

/// Plans `scenario` for one place. In raw calls the words of the snapshots stand for what the place
/// gives: `[DIR]`, `[DOMAIN]`, `[UUID]` and `[EMULATOR]`.
///
/// # Errors
/// Everything of the scenario that no driver can execute yet.
pub fn lower(scenario: &Scenario, place: &Place) -> Result<Plan, NotSupported> {
    let mut missing = Vec::new();
    let mut disks = Vec::new();
    for (target, disk) in &scenario.disks.0 {
        match planned_disk(&target.value, disk, place) {
            Ok(disk) => disks.push(disk),
            Err(what) => missing.push(format!("disk `{}`: {what}", target.value)),
        }
    }
    let mut lowering = Lowering {
        place,
        defined: &disks,
        disks: disks.clone(),
        is_active: false,
        machine: machine(scenario),
    };
    let setup = lowering.setup();
    let mut all = |lowering: &mut Lowering<'_>, steps: &[Spanned<Told>]| -> Vec<Step> {
        let mut planned = Vec::new();
        for step in steps {
            match lowering.step(&step.value) {
                Ok(step) => planned.push(step),
                Err(what) => missing.push(format!("step `{what}`")),
            }
            lowering.follow(&step.value);
        }
        planned
    };
    let history = all(&mut lowering, &scenario.history);
    let call = lowering.call_under_test(&scenario.when.value);
    let remedy = all(&mut lowering, scenario.remedy());
    let when = match call {
        Ok(when) => Some(when),
        Err(what) => {
            missing.push(format!("step `{what}`"));
            None
        }
    };
    let mut seen = BTreeSet::new();
    missing.retain(|what| seen.insert(what.clone()));
    match when {
        Some(when) if missing.is_empty() => Ok(Plan {
            disks,
            setup,
            history,
            when,
            remedy,
        }),
        Some(_) | None => Err(NotSupported { missing }),
    }
}

/// What the scenario's domain has to have beside its disks.
fn machine(scenario: &Scenario) -> Machine {
    let steps = || scenario.history.iter().chain(scenario.remedy());
    let mut targets: Vec<&str> = Vec::new();
    targets.extend(
        scenario
            .disks
            .0
            .iter()
            .map(|(target, _)| target.value.as_str()),
    );
    targets.extend(steps().filter_map(|step| {
        let Told::AttachDisk(body) = &step.value else {
            return None;
        };
        Some(body.disk.value.0.0.as_str())
    }));
    Machine {
        acpi: steps().any(|step| step.value == Told::Shutdown),
        scsi: targets.iter().any(|target| target.starts_with("sd")),
    }
}

/// What of a scenario no driver can execute yet, in the order of the file.
#[must_use]
pub fn unsupported(scenario: &Scenario) -> Vec<String> {
    let nowhere = Place {
        directory: String::new(),
        domain: String::new(),
        uuid: String::new(),
        emulator: String::new(),
        capabilities: Vec::new(),
        ports: Vec::new(),
    };
    lower(scenario, &nowhere).map_or_else(|error| error.missing, |_| Vec::new())
}

fn planned_disk(target: &str, disk: &Disk, place: &Place) -> Result<PlannedDisk, &'static str> {
    let beyond = [
        ("cluster-size", disk.cluster_size.is_some()),
        (
            "backing",
            disk.backing.iter().any(|layer| layer.value.size.is_some()),
        ),
        ("read-only", disk.read_only),
        ("empty", disk.empty),
        (
            "device",
            matches!(&disk.device, Some(device) if device.value != Device::Disk),
        ),
    ];
    if let Some((key, _)) = beyond.into_iter().find(|(_, given)| *given) {
        return Err(key);
    }
    let (Some(format), Some(size)) = (&disk.format, &disk.size) else {
        return Err("a disk without an image");
    };
    let below = (1..).zip(&disk.backing).map(|(number, layer)| ImageRef {
        path: format!(
            "{}/{target}-{number}.{}",
            place.directory, layer.value.format
        ),
        format: layer.value.format,
    });
    Ok(PlannedDisk {
        target: target.to_owned(),
        below: below.collect(),
        image: ImageRef {
            path: format!("{}/{target}.{}", place.directory, format.value),
            format: format.value,
        },
        size: size.value.0,
        compat: disk.compat.as_ref().map(|compat| compat.value),
    })
}
