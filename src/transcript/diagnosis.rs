//! The words of libxml2 in libvirt's errors. They differ between its versions and builds and are
//! none of libvirt's own, so a transcript holds only what libvirt puts before them.

use super::{Exchange, Record, Transcript};
use crate::model::{Answer, ErrorCode, LibvirtError};

/// What libvirt says before the path of the schema and libxml2's report
/// (`src/util/virxml.c:virXMLValidatorValidate`).
const VALIDATE: &str = "Unable to validate doc against ";

/// The transcript without what libxml2 says of documents.
#[must_use]
pub fn without_diagnoses(mut transcript: Transcript) -> Transcript {
    let Transcript {
        history,
        when,
        recovery,
        ..
    } = &mut transcript;
    for record in history.iter_mut().chain(when).chain(recovery) {
        redact(record);
    }
    transcript
}

fn redact(record: &mut Record) {
    let Exchange::Call {
        answer: Answer::Refused(error),
        ..
    } = &mut record.exchange
    else {
        return;
    };
    shorten(error);
}

/// The error without what libxml2 says of a document.
#[must_use]
pub fn without_diagnosis(mut error: LibvirtError) -> LibvirtError {
    shorten(&mut error);
    error
}

fn shorten(error: &mut LibvirtError) {
    let redacted = match error.code {
        ErrorCode::XML_INVALID_SCHEMA => against_schema,
        ErrorCode::XML_DETAIL => at_line,
        _ => return,
    };
    let LibvirtError {
        message,
        str1,
        str2,
        str3,
        ..
    } = error;
    let texts = [str1, str2, str3].into_iter().flatten();
    for text in texts.chain([message]) {
        if let Some(short) = redacted(text) {
            *text = short;
        }
    }
}

/// The name of the schema stays: it tells which document was looked at. The rest is a list of
/// complaints.
fn against_schema(text: &str) -> Option<String> {
    let (before, after) = text.split_once(VALIDATE)?;
    let path = after.lines().next()?;
    let (_, schema) = path.rsplit_once('/')?;
    Some(format!("{before}{VALIDATE}[SCHEMAS]/{schema}\n[LIBXML2]"))
}

/// `src/util/virxml.c:catchXMLError`: a place, libxml2's message, the line and a pointer into it. Up to
/// libvirt 9.0 the place names the document too, `(domain_backup):1: …`.
fn at_line(text: &str) -> Option<String> {
    let is_place = text.starts_with("at line ") || is_place_in_document(text);
    is_place.then(|| "at line [LINE]: [LIBXML2]".to_owned())
}

/// `(DOCUMENT):LINE: `; before a document that is empty too.
fn is_place_in_document(text: &str) -> bool {
    let place = text
        .strip_prefix('(')
        .and_then(|rest| rest.split_once("):"));
    let Some((document, rest)) = place else {
        return false;
    };
    let line = rest.split_once(": ").map_or("", |(line, _)| line);
    let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
    !document.is_empty() && document.chars().all(is_word) && line.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Api, Call, ErrorDomain, Identity, Version};

    fn shown(code: ErrorCode, text: &str) -> LibvirtError {
        let identity = Identity {
            driver: "embed".to_owned(),
            real: true,
            libvirt: Version::new(11, 3, 0),
            qemu: "10.0.2".to_owned(),
        };
        let mut transcript = Transcript::new("seed/x", identity);
        let error = LibvirtError::reported(code, ErrorDomain::DOMAIN, text);
        transcript.when = Some(Record {
            label: "x".to_owned(),
            exchange: Exchange::Call {
                call: Call::new(Api::DomainBackupBegin, "d"),
                answer: Answer::Refused(error),
            },
        });
        let when = without_diagnoses(transcript).when.unwrap();
        when.refusal().unwrap().clone()
    }

    #[test]
    fn what_libxml2_says_is_left_out() {
        let text = "Unable to validate doc against /usr/share/libvirt/schemas/domainbackup.rng\n\
                    Extra element disks in interleave\nElement disk failed to validate content";
        let error = shown(ErrorCode::XML_INVALID_SCHEMA, text);
        let left = "Unable to validate doc against [SCHEMAS]/domainbackup.rng\n[LIBXML2]";
        assert!(error.message.ends_with(left), "{}", error.message);
        assert_eq!(error.str2.as_deref(), Some(left));
        let error = shown(ErrorCode::XML_DETAIL, "at line 7: Document is empty\n<\n-^");
        assert_eq!(error.message, "at line [LINE]: [LIBXML2]");
    }

    #[test]
    fn the_place_has_an_older_form() {
        let text = "(domain_backup):1: Document is empty\n<\n-^";
        let error = shown(ErrorCode::XML_DETAIL, text);
        assert_eq!(error.message, "at line [LINE]: [LIBXML2]");
        for other in [
            "(domain_backup): no line",
            "(a b):1: x",
            "(a):b: x",
            "():1: x",
        ] {
            let error = shown(ErrorCode::XML_DETAIL, other);
            assert_eq!(error.message, other);
        }
    }

    #[test]
    fn every_other_text_stays() {
        let text = "at line 1: of the script";
        let error = shown(ErrorCode::OPERATION_FAILED, text);
        assert_eq!(error.str2.as_deref(), Some(text));
        let error = shown(ErrorCode::XML_INVALID_SCHEMA, "of another kind");
        assert_eq!(error.str2.as_deref(), Some("of another kind"));
    }
}
