//! A mock with a domain, and the documents that tests send it.

use crate::driver::mock::Mock;
use crate::driver::{Driver, Host, Libvirt};
use crate::model::{
    Action, Answer, Api, BitmapRow, Call, Content, DiskFormat, ErrorCode, ErrorDomain, ImageRef,
    JobEvent, LibvirtError, NbdServer, Observation, Place, Size, Value,
};
use crate::plan::{PlannedDisk, domain_xml};

pub(super) const SIZE: Size = Size(16 << 20);

/// A mock with a running domain: qcow2 `vda`, raw `vdb`.
pub(super) struct Bench {
    pub(super) mock: Mock,
    pub(super) place: Place,
    /// What defined the domain.
    pub(super) define: Call,
}

impl Bench {
    pub(super) fn defined() -> Self {
        Self::defined_on(Mock::newest())
    }

    pub(super) fn defined_on(mut mock: Mock) -> Self {
        let place = mock.open_scenario().unwrap();
        let disk = |target: &str, format: DiskFormat| PlannedDisk {
            target: target.to_owned(),
            image: ImageRef {
                path: format!("{}/{target}.{format}", place.directory),
                format,
            },
            below: Vec::new(),
            size: SIZE,
            compat: None,
        };
        let disks = [disk("vda", DiskFormat::Qcow2), disk("vdb", DiskFormat::Raw)];
        for disk in &disks {
            mock.act(&Action::CreateImage {
                image: disk.image.clone(),
                size: SIZE,
            })
            .unwrap();
        }
        let define = Call::new(Api::DomainDefine, &place.domain).xml(domain_xml(&place, &disks));
        let answer = mock.call(&define).unwrap();
        assert_eq!(answer, Answer::Returned(Value::Name(place.domain.clone())));
        Self {
            mock,
            place,
            define,
        }
    }

    /// An action that succeeds.
    pub(super) fn act(&mut self, action: &Action) -> Observation {
        self.mock.act(action).unwrap()
    }

    pub(super) fn write(&mut self, offset: u64, length: u64, pattern: u8) {
        let action = Action::GuestWrite {
            domain: self.place.domain.clone(),
            disk: "vda".to_owned(),
            offset: Size(offset),
            length: Size(length),
            pattern,
        };
        self.act(&action);
    }

    pub(super) fn path(&self, name: &str) -> String {
        format!("{}/{name}", self.place.directory)
    }

    pub(super) fn image(&self, name: &str) -> ImageRef {
        ImageRef {
            path: self.path(name),
            format: DiskFormat::Qcow2,
        }
    }

    pub(super) fn read(&mut self, names: &[String]) -> Content {
        let layers = names.iter().map(|name| self.image(name)).collect();
        let Observation::Content(content) = self.act(&Action::ReadChain { layers }) else {
            panic!("something else was seen")
        };
        content
    }

    pub(super) fn files(&mut self) -> Vec<String> {
        let directory = self.place.directory.clone();
        let Observation::Files(files) = self.act(&Action::ListFiles { directory }) else {
            panic!("something else was seen")
        };
        files
    }

    pub(super) fn bitmaps(&mut self) -> Vec<BitmapRow> {
        let domain = self.place.domain.clone();
        let Observation::Bitmaps(table) = self.act(&Action::LiveBitmaps { domain }) else {
            panic!("something else was seen")
        };
        table.0
    }

    pub(super) fn kill(&mut self) {
        let domain = self.place.domain.clone();
        self.act(&Action::KillEmulator { domain });
    }

    pub(super) fn await_backup(&mut self) -> Vec<JobEvent> {
        let action = Action::AwaitBackup {
            domain: self.place.domain.clone(),
            disks: vec!["vda".to_owned()],
        };
        let Observation::Events(events) = self.act(&action) else {
            panic!("something else was seen")
        };
        events
    }

    pub(super) fn read_export(&mut self, bitmap: Option<&str>, image: &str) {
        let action = Action::ReadExport {
            server: NbdServer::Socket(self.path("nbd")),
            export: "vda".to_owned(),
            bitmap: bitmap.map(str::to_owned),
            image: self.image(image),
        };
        self.act(&action);
    }

    pub(super) fn running() -> Self {
        let mut bench = Self::defined();
        bench.ok(&bench.call(Api::DomainCreate));
        bench
    }

    pub(super) fn call(&self, api: Api) -> Call {
        Call::new(api, &self.place.domain)
    }

    pub(super) fn create(&self, document: &str) -> Call {
        self.call(Api::CheckpointCreate).xml(document.to_owned())
    }

    pub(super) fn backup(&self, xml: &str, checkpoint: Option<&str>) -> Call {
        let mut call = self
            .call(Api::DomainBackupBegin)
            .xml(xml.replace("DIR", &self.place.directory));
        call.checkpoint_xml = checkpoint.map(str::to_owned);
        call
    }

    pub(super) fn ok(&mut self, call: &Call) -> Value {
        match self.mock.call(call).unwrap() {
            Answer::Returned(value) => value,
            Answer::Refused(error) => panic!("{}: {error}", call.api),
        }
    }

    pub(super) fn refused(&mut self, call: &Call) -> LibvirtError {
        match self.mock.call(call).unwrap() {
            Answer::Returned(value) => panic!("{} returned {value:?}", call.api),
            Answer::Refused(error) => error,
        }
    }
}

pub(super) const CP1: &str =
    "<domaincheckpoint><name>cp1</name><disks><disk name='vda'/></disks></domaincheckpoint>";
pub(super) const REDEFINE: &str = "<domaincheckpoint><name>cp1</name><creationTime>1</creationTime>\
    <disks><disk name='vda'/></disks></domaincheckpoint>";
pub(super) const FULL: &str = "<domainbackup><disks><disk name='vda' type='file'><target file='DIR/t1'/></disk></disks></domainbackup>";
pub(super) const FROM_CP1: &str = "<domainbackup><incremental>cp1</incremental><disks>\
    <disk name='vda' type='file'><target file='DIR/t2'/></disk></disks></domainbackup>";

pub(super) const PULL: &str = "<domainbackup mode='pull'><server transport='unix' socket='DIR/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='DIR/scratch'/></disk></disks></domainbackup>";
pub(super) const PULL_CP1: &str = "<domainbackup mode='pull'><incremental>cp1</incremental>\
    <server transport='unix' socket='DIR/nbd'/>\
    <disks><disk name='vda' type='file'><scratch file='DIR/scratch'/></disk></disks></domainbackup>";

pub(super) fn assert_refusal(
    error: &LibvirtError,
    code: ErrorCode,
    domain: ErrorDomain,
    message: &str,
    int1: i32,
) {
    assert_eq!(
        (error.code, error.domain, error.int1),
        (code, domain, int1),
        "{error}"
    );
    assert_eq!(error.message, message);
}
