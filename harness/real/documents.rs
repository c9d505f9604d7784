//! Which documents are valid: real libvirt and the mock accept the same ones.
//!
//! The domain is shut off, which libvirt finds only after it has read both documents: what is accepted
//! ends with that, and nothing is begun.

use std::fmt::Write as _;

use backup_tck::driver::libvirt::Connection;
use backup_tck::driver::mock::Mock;
use backup_tck::driver::{Driver, DriverError, Host, Libvirt};
use backup_tck::model::{
    Action, Answer, Api, Call, DiskFormat, ErrorCode, ErrorDomain, ImageRef, Place,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::bench::{Bench, DISK, domain_xml};

/// How many are compared; `BACKUP_TCK_DOCUMENTS` asks for another number.
const DOCUMENTS: usize = 2000;

/// How many through a daemon, which passes them on as they are.
const THROUGH_DAEMON: usize = 200;

pub(crate) fn mock_and_real_libvirt_accept_the_same_documents(connection: &Connection) {
    let asked = std::env::var("BACKUP_TCK_DOCUMENTS").ok();
    let default = match connection {
        Connection::Embed => DOCUMENTS,
        Connection::Libvirtd | Connection::Uri(_) => THROUGH_DAEMON,
    };
    let count = asked.map_or(default, |count| count.parse().unwrap());
    let mut real = Bench::new(connection);
    // One call after the other is made within it.
    real.driver.set_deadline(None);
    real.define(DiskFormat::Qcow2);
    let mut mock = Mock::newest();
    let place = mock.open_scenario().unwrap();
    define(&mut mock, &place);
    let chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), chance);
    let (mut accepted, mut refused, mut left_out) = (0, 0, 0);
    for _ in 0..count {
        let (is_checkpoint, document) = documents().new_tree(&mut runner).unwrap().current();
        let text = document.to_xml();
        let real_answer = real.driver.call(&call(&real.place, is_checkpoint, &text));
        let real_answer = verdict(real_answer.unwrap());
        match mock.call(&call(&place, is_checkpoint, &text)) {
            Ok(answer) => assert_eq!(verdict(answer), real_answer, "mock, real: {text}"),
            Err(DriverError::NotModelled(_)) => left_out += 1,
            Err(error) => panic!("{error}: {text}"),
        }
        if real_answer.0 == ErrorCode::OPERATION_UNSUPPORTED {
            accepted += 1;
        } else {
            refused += 1;
        }
    }
    println!("{accepted} accepted, {refused} refused, {left_out} not modelled");
    // Neither side is always right by chance, and the mock does not get out of it.
    assert!(accepted > count / 10 && refused > count / 10);
    assert!(left_out < count / 20, "{left_out} of {count} not modelled");
}

fn define(mock: &mut Mock, place: &Place) {
    let image = ImageRef {
        path: format!("{}/vda", place.directory),
        format: DiskFormat::Qcow2,
    };
    let create = Action::CreateImage {
        image: image.clone(),
        size: DISK,
    };
    mock.act(&create).unwrap();
    let call = Call {
        xml: Some(domain_xml(place, &image)),
        ..Call::new(Api::DomainDefine, &place.domain)
    };
    assert!(matches!(mock.call(&call).unwrap(), Answer::Returned(_)));
}

fn call(place: &Place, is_checkpoint: bool, text: &str) -> Call {
    const BACKUP: &str = "<domainbackup/>";
    let text = text.replace("[DIR]", &place.directory);
    let (xml, checkpoint_xml) = if is_checkpoint {
        (BACKUP.to_owned(), Some(text))
    } else {
        (text, None)
    };
    Call {
        xml: Some(xml),
        checkpoint_xml,
        ..Call::new(Api::DomainBackupBegin, &place.domain)
    }
}

/// What comes of a document; the words are libxml2's.
fn verdict(answer: Answer) -> (ErrorCode, ErrorDomain) {
    match answer {
        Answer::Refused(error) => (error.code, error.domain),
        Answer::Returned(value) => panic!("a domain that is off was backed up: {value:?}"),
    }
}

/// An element.
#[derive(Clone, Debug)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Self>,
    text: String,
}

impl Element {
    fn new(name: &str, attributes: &[(&str, &str)], children: Vec<Self>) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            name: name.to_owned(),
            attributes: attributes.iter().map(owned).collect(),
            children,
            text: String::new(),
        }
    }

    fn with_text(name: &str, text: &str) -> Self {
        Self {
            text: text.to_owned(),
            ..Self::new(name, &[], Vec::new())
        }
    }

    fn to_xml(&self) -> String {
        let mut attributes = String::new();
        for (name, value) in &self.attributes {
            let _ = write!(attributes, " {name}='{value}'");
        }
        let children: String = self.children.iter().map(Self::to_xml).collect();
        let (name, text) = (&self.name, &self.text);
        format!("<{name}{attributes}>{text}{children}</{name}>")
    }

    fn count(&self) -> usize {
        1 + self.children.iter().map(Self::count).sum::<usize>()
    }

    /// The element of this number, counted from the root.
    fn nth(&mut self, number: usize) -> Option<&mut Self> {
        if number == 0 {
            return Some(self);
        }
        let mut left = number - 1;
        for child in &mut self.children {
            let size = child.count();
            if left < size {
                return child.nth(left);
            }
            left -= size;
        }
        None
    }
}

/// What is done to a document that was sound.
#[derive(Clone, Debug)]
enum Mutation {
    DropAttribute(Index),
    SetAttribute(&'static str, &'static str),
    DropChild(Index),
    DoubleChild(Index),
    AddChild(Element),
    SetText(&'static str),
    Rename(&'static str),
    Reverse,
}

fn documents() -> impl Strategy<Value = (bool, Element)> {
    let document = prop_oneof![
        3 => backups().prop_map(|backup| (false, backup)),
        2 => checkpoints().prop_map(|checkpoint| (true, checkpoint)),
    ];
    let mutations = prop::collection::vec((any::<Index>(), mutations()), 0..3);
    (document, mutations).prop_map(|((is_checkpoint, mut document), mutations)| {
        for (place, mutation) in mutations {
            let number = place.index(document.count());
            if let Some(element) = document.nth(number) {
                mutate(element, mutation);
            }
        }
        (is_checkpoint, document)
    })
}

fn mutate(element: &mut Element, mutation: Mutation) {
    match mutation {
        Mutation::DropAttribute(at) if !element.attributes.is_empty() => {
            element
                .attributes
                .remove(at.index(element.attributes.len()));
        }
        Mutation::SetAttribute(name, value) => {
            element.attributes.retain(|(found, _)| found != name);
            element.attributes.push((name.to_owned(), value.to_owned()));
        }
        Mutation::DropChild(at) if !element.children.is_empty() => {
            element.children.remove(at.index(element.children.len()));
        }
        Mutation::DoubleChild(at) if !element.children.is_empty() => {
            let child = element.children[at.index(element.children.len())].clone();
            element.children.push(child);
        }
        Mutation::AddChild(child) => element.children.push(child),
        Mutation::SetText(text) => text.clone_into(&mut element.text),
        Mutation::Rename(name) => name.clone_into(&mut element.name),
        Mutation::Reverse => element.children.reverse(),
        Mutation::DropAttribute(_) | Mutation::DropChild(_) | Mutation::DoubleChild(_) => {}
    }
}

fn mutations() -> impl Strategy<Value = Mutation> {
    let names = || {
        select(vec![
            "name",
            "type",
            "mode",
            "file",
            "dev",
            "backup",
            "backupmode",
            "incremental",
            "index",
            "exportname",
            "exportbitmap",
            "transport",
            "socket",
            "port",
            "tls",
            "checkpoint",
            "bitmap",
            "size",
            "fdgroup",
            "extra",
        ])
    };
    let values = || {
        select(vec![
            "",
            "yes",
            "no",
            "vda",
            "vdb",
            "file",
            "block",
            "push",
            "pull",
            "full",
            "incremental",
            "tcp",
            "unix",
            "qcow2",
            "raw",
            "bitmap",
            "none",
            "0",
            "-1",
            "10809",
            "65536",
            "relative",
            "/a/b",
            " vda ",
            "a b",
            "a/b",
            "external",
        ])
    };
    let elements = || {
        select(vec![
            "name",
            "disks",
            "disk",
            "server",
            "incremental",
            "target",
            "scratch",
            "driver",
            "description",
            "parent",
            "creationTime",
            "domain",
            "extra",
            "seclabel",
        ])
    };
    prop_oneof![
        any::<Index>().prop_map(Mutation::DropAttribute),
        (names(), values()).prop_map(|(name, value)| Mutation::SetAttribute(name, value)),
        (names(), values()).prop_map(|(name, value)| Mutation::SetAttribute(name, value)),
        any::<Index>().prop_map(Mutation::DropChild),
        any::<Index>().prop_map(Mutation::DoubleChild),
        (elements(), values())
            .prop_map(|(name, text)| Mutation::AddChild(Element::with_text(name, text))),
        values().prop_map(Mutation::SetText),
        elements().prop_map(Mutation::Rename),
        Just(Mutation::Reverse),
    ]
}

/// Backups as libvirt's documentation writes them.
fn backups() -> impl Strategy<Value = Element> {
    let disk = (any::<bool>(), 0..3_u8, any::<bool>(), any::<bool>());
    let parts = (any::<bool>(), any::<bool>(), any::<bool>(), 0..4_u8);
    (disk, parts).prop_map(|((with_type, mode, with_driver, listed), parts)| {
        let (is_pull, is_incremental, is_tcp, exports) = parts;
        let store = if is_pull { "scratch" } else { "target" };
        let mut disk = Element::new("disk", &[("name", "vda")], Vec::new());
        if with_type {
            disk.attributes.push(("type".to_owned(), "file".to_owned()));
            let file = Element::new(store, &[("file", "[DIR]/store")], Vec::new());
            disk.children.push(file);
            if with_driver {
                disk.children
                    .push(Element::new("driver", &[("type", "qcow2")], Vec::new()));
            }
        }
        if mode > 0 {
            let mode = if mode == 1 { "full" } else { "incremental" };
            disk.attributes
                .push(("backupmode".to_owned(), mode.to_owned()));
        }
        if is_pull && exports & 1 != 0 {
            disk.attributes
                .push(("exportname".to_owned(), "vda".to_owned()));
        }
        if is_pull && exports & 2 != 0 {
            disk.attributes
                .push(("exportbitmap".to_owned(), "dirty".to_owned()));
        }
        let mut children = Vec::new();
        if is_incremental {
            children.push(Element::with_text("incremental", "c1"));
        }
        if is_pull {
            let server: &[(&str, &str)] = if is_tcp {
                &[
                    ("transport", "tcp"),
                    ("name", "localhost"),
                    ("port", "10809"),
                ]
            } else {
                &[("transport", "unix"), ("socket", "/run/nbd")]
            };
            children.push(Element::new("server", server, Vec::new()));
        }
        if listed {
            children.push(Element::new("disks", &[], vec![disk]));
        }
        let mode = if is_pull { "pull" } else { "push" };
        Element::new("domainbackup", &[("mode", mode)], children)
    })
}

/// Checkpoints as libvirt's documentation writes them.
fn checkpoints() -> impl Strategy<Value = Element> {
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(named, described, listed, with_bitmap, with_parent)| {
            let mut children = Vec::new();
            if named {
                children.push(Element::with_text("name", "c1"));
            }
            if described {
                children.push(Element::with_text("description", "of a test"));
            }
            if with_parent {
                let name = Element::with_text("name", "c0");
                children.push(Element::new("parent", &[], vec![name]));
                children.push(Element::with_text("creationTime", "1700000000"));
            }
            if listed {
                let kind = if with_bitmap { "bitmap" } else { "no" };
                let disk = &[("name", "vda"), ("checkpoint", kind)];
                let disk = Element::new("disk", disk, Vec::new());
                children.push(Element::new("disks", &[], vec![disk]));
            }
            Element::new("domaincheckpoint", &[], children)
        })
}
