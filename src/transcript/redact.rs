//! Words in brackets for what differs between two runs.

use super::Transcript;
use crate::model::Place;

/// A pipeline of small filters, applied in order.
#[derive(Clone, Debug)]
pub struct Redactions(Vec<Filter>);

#[derive(Clone, Debug)]
enum Filter {
    /// A text that is known when the scenario starts.
    Known { text: String, word: String },
    /// A number in a JSON document, which must stay one.
    Number {
        field: &'static str,
        from: u64,
        to: u64,
    },
    /// How a QEMU has ended that does not start, up to its own reason: whichever thread of libvirt
    /// notices it first words the message, and it holds the time and QEMU's options
    /// (`src/qemu/qemu_process.c:qemuProcessReportLogError`).
    NoStart,
    /// Seconds since the epoch at the end of a file's name: libvirt names so what it makes up
    /// (`src/qemu/qemu_snapshot.c:qemuSnapshotRevertExternalPrepare`).
    Seconds,
    /// A text and all up to another one, which not every driver tells.
    Dropped {
        before: &'static str,
        after: &'static str,
    },
    /// Whatever stands between two texts. Equal values get no word of their own: whether two
    /// checkpoints were made in the same second is a race.
    Between {
        before: &'static str,
        after: &'static str,
        word: &'static str,
    },
}

impl Redactions {
    /// The filters for a scenario in this place. Longer texts go first: the domain's name is
    /// also the name of files inside the directory.
    #[must_use]
    pub fn of(place: &Place) -> Self {
        let known = |text: &str, word: &str| Filter::Known {
            text: text.to_owned(),
            word: word.to_owned(),
        };
        let escaped = quick_xml::escape::escape(&place.directory);
        let mut filters = vec![
            known(&escaped, "[DIR]"),
            known(&place.directory, "[DIR]"),
            known(&place.uuid, "[UUID]"),
            known(&place.domain, "[DOMAIN]"),
            known(&place.emulator, "[EMULATOR]"),
            Filter::NoStart,
            Filter::Seconds,
            // A daemon names who holds a domain's lock; libvirt without one has no name to tell
            // (`src/conf/virdomainjob.c:virDomainObjBeginJobInternal`).
            Filter::Dropped {
                before: " (held by ",
                after: ")",
            },
            // Where QEMU looks for certificates is a matter of how libvirt was built and is run
            // (`src/qemu/qemu_conf.c:virQEMUDriverConfigNew`).
            Filter::Between {
                before: "Unable to access credentials ",
                after: "/ca-cert.pem",
                word: "[TLS]",
            },
            // QEMU counts the nodes whose names it makes up, with a random part.
            Filter::Between {
                before: "'#block",
                after: "'",
                word: "[NODE]",
            },
            Filter::Between {
                before: "<creationTime>",
                after: "</creationTime>",
                word: "[TIME]",
            },
        ];
        for (number, port) in (1..).zip(&place.ports) {
            filters.extend([
                known(&format!("port='{port}'"), &format!("port='[PORT{number}]'")),
                known(
                    &format!("127.0.0.1:{port}"),
                    &format!("127.0.0.1:[PORT{number}]"),
                ),
                Filter::Number {
                    field: "port",
                    from: (*port).into(),
                    to: number,
                },
            ]);
        }
        Self(filters)
    }

    /// The text with every redaction applied.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, filter| filter.apply(&text))
    }

    /// The transcript with every redaction applied to every text in it.
    ///
    /// # Errors
    /// It holds a number that JSON has no form for.
    pub fn apply_to(&self, transcript: &Transcript) -> serde_json::Result<Transcript> {
        let filters: Result<_, _> = self.0.iter().map(Filter::in_json).collect();
        let text = serde_json::to_string(transcript)?;
        serde_json::from_str(&Self(filters?).apply(&text))
    }
}

impl Filter {
    /// The filter for texts inside a JSON document.
    fn in_json(&self) -> serde_json::Result<Self> {
        let mut filter = self.clone();
        if let Self::Known { text, .. } = &mut filter {
            let quoted = serde_json::to_string(text)?;
            quoted[1..quoted.len() - 1].clone_into(text);
        }
        Ok(filter)
    }

    fn apply(&self, text: &str) -> String {
        match self {
            Self::Known { text: known, .. } if known.is_empty() => text.to_owned(),
            Self::Known { text: known, word } => text.replace(known, word),
            Self::Number { field, from, to } => {
                let mut text = text.to_owned();
                for end in [',', '}'] {
                    let with = |number| format!("\"{field}\":{number}{end}");
                    text = text.replace(&with(from), &with(to));
                }
                text
            }
            Self::NoStart => {
                // libvirt 9.0 does not name the domain.
                let closed = [
                    "QEMU unexpectedly closed the monitor (vm='[DOMAIN]'): ",
                    "qemu unexpectedly closed the monitor: ",
                ];
                let exited = "process exited while connecting to monitor: ";
                let same = closed
                    .iter()
                    .fold(text.to_owned(), |text, closed| text.replace(closed, exited));
                without_options(&same, exited)
            }
            Self::Seconds => without_seconds(text),
            Self::Dropped { before, after } => replaced(text, before, after, ""),
            Self::Between {
                before,
                after,
                word,
            } => replaced(text, before, after, &format!("{before}{word}{after}")),
        }
    }
}

/// The text without what stands between `exited` and QEMU's own reason: the time, the name of its
/// program, and the option that it is about, if it names one.
fn without_options(text: &str, exited: &str) -> String {
    const PROGRAM: &str = " qemu-system-x86_64: ";
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once(exited) {
        redacted.push_str(head);
        redacted.push_str(exited);
        rest = tail;
        let Some((time, said)) = tail.split_once(PROGRAM) else {
            continue;
        };
        if time.contains(' ') {
            continue;
        }
        let reason = if said.starts_with('-') {
            said.split_once("}: ").map(|(_, reason)| reason)
        } else {
            Some(said)
        };
        if let Some(reason) = reason {
            redacted.push_str("[...]: ");
            rest = reason;
        }
    }
    redacted + rest
}

/// The text with a word for each ten digits behind a name and a full stop.
fn without_seconds(text: &str) -> String {
    const DIGITS: usize = 10;
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('.') {
        redacted.push_str(head);
        redacted.push('.');
        rest = tail;
        let digits = tail.bytes().take_while(u8::is_ascii_digit).count();
        if digits == DIGITS && head.ends_with(|last: char| last.is_ascii_alphabetic()) {
            redacted.push_str("[TIME]");
            rest = &tail[DIGITS..];
        }
    }
    redacted + rest
}

/// The text with whatever stands between two texts, and these, replaced; where another element begins in
/// between, the two do not belong together.
fn replaced(text: &str, before: &str, after: &str, by: &str) -> String {
    let mut redacted = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once(before) {
        let Some((value, after_it)) = tail.split_once(after) else {
            break;
        };
        redacted.push_str(head);
        if value.contains('<') {
            redacted.push_str(before);
            rest = tail;
            continue;
        }
        redacted.push_str(by);
        rest = after_it;
    }
    redacted + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Action, Answer, Api, Call, Identity, Observation, Value, Version};
    use crate::transcript::{Exchange, Record};

    #[test]
    fn what_differs_becomes_a_word() {
        let place = Place {
            directory: "/var/w1/s2".to_owned(),
            domain: "d7".to_owned(),
            uuid: "u-u".to_owned(),
            emulator: String::new(),
            capabilities: Vec::new(),
            ports: vec![40_001, 40_002],
        };
        let text = "state change lock (held by monitor=remoteDispatchDomainBackupBegin)";
        assert_eq!(Redactions::of(&place).apply(text), "state change lock");
        let ends = [
            "internal error: QEMU unexpectedly closed the monitor (vm='d7'): 2026-01-01T00:00:00Z \
             qemu-system-x86_64: -blockdev {\"node-name\":\"libvirt-1-format\"}: Broken bitmap directory",
            "internal error: qemu unexpectedly closed the monitor: 2026-01-01T00:00:00Z \
             qemu-system-x86_64: -blockdev {\"node-name\":\"libvirt-1-format\"}: Broken bitmap directory",
            "internal error: process exited while connecting to monitor: 2026-01-01T00:00:00Z \
             qemu-system-x86_64: -blockdev {\"cache\":{\"direct\":true}}: Broken bitmap directory",
            "internal error: process exited while connecting to monitor: 2026-01-01T00:00:00Z \
             qemu-system-x86_64: Broken bitmap directory",
        ];
        for text in ends {
            assert_eq!(
                Redactions::of(&place).apply(text),
                "internal error: process exited while connecting to monitor: [...]: Broken bitmap \
                 directory"
            );
        }
        assert_eq!(
            Redactions::of(&place).apply("vda.1795666546 c.qcow2 7.1795666546 vda.17956665460"),
            "vda.[TIME] c.qcow2 7.1795666546 vda.17956665460"
        );
        let text = "<server port='40002'/> 40002";
        assert_eq!(
            Redactions::of(&place).apply(text),
            "<server port='[PORT2]'/> 40002"
        );
        let text = "d7: /var/w1/s2/a <creationTime>17</creationTime> <creationTime>18</creationTime> \
             <creationTime>17</creationTime>";
        let expected = "[DOMAIN]: [DIR]/a <creationTime>[TIME]</creationTime> \
                        <creationTime>[TIME]</creationTime> <creationTime>[TIME]</creationTime>";
        assert_eq!(Redactions::of(&place).apply(text), expected);
        assert_eq!(
            Redactions::of(&place).apply("<creationTime>17"),
            "<creationTime>17"
        );
        let text = "must have a <creationTime>: <a/><creationTime>17</creationTime>";
        assert_eq!(
            Redactions::of(&place).apply(text),
            "must have a <creationTime>: <a/><creationTime>[TIME]</creationTime>"
        );
    }

    #[test]
    fn every_text_of_a_transcript_is_redacted() {
        let place = Place {
            directory: "/var/w\"1/s2".to_owned(),
            domain: "d7".to_owned(),
            uuid: String::new(),
            emulator: String::new(),
            capabilities: Vec::new(),
            ports: vec![40_001, 40_002],
        };
        let identity = Identity {
            driver: "embed".to_owned(),
            real: true,
            libvirt: Version::new(11, 3, 0),
            qemu: "10.0.2".to_owned(),
        };
        let mut transcript = Transcript::new("seed/x", identity);
        let xml = "<source file='/var/w&quot;1/s2/a'/><creationTime>17</creationTime>";
        for api in [Api::DomainDefine, Api::DomainCreate] {
            let call = Call::new(api, "d7").xml(xml.to_owned());
            transcript.history.push(Record {
                label: "in /var/w\"1/s2".to_owned(),
                exchange: Exchange::Call {
                    call,
                    answer: Answer::Returned(Value::Name("d7".to_owned())),
                },
            });
        }
        transcript.history.push(Record {
            label: "occupy-port 2".to_owned(),
            exchange: Exchange::Action {
                action: Action::OccupyPort { port: 40_002 },
                observation: Observation::Done,
            },
        });
        let redacted = Redactions::of(&place).apply_to(&transcript).unwrap();
        let text = format!("{redacted:?}");
        assert!(!text.contains("d7") && !text.contains("/var"), "{text}");
        assert!(text.contains("OccupyPort { port: 2 }"), "{text}");
        assert_eq!(text.matches("<creationTime>[TIME]<").count(), 2, "{text}");
        assert_eq!(redacted.identity, transcript.identity);
    }
}
