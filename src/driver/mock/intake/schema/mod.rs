//! Libvirt's schemas of the documents that the mock is given: what they refuse is refused by
//! `VIR_ERR_XML_INVALID_SCHEMA`, before anything in the document is looked at.
//!
//! Each module follows one file of `src/conf/schemas`, pattern by pattern. Where a schema lets
//! through what is not followed here, the document is not modelled, and neither good nor bad.

mod backup;
mod checkpoint;
mod pattern;

pub(super) use backup::validate as validate_backup;
pub(super) use checkpoint::validate as validate_checkpoint;

use pattern::Fault;

use crate::driver::mock::answer::{Ruled, not_modelled, refuse};
use crate::model::{ErrorCode, ErrorDomain};

/// `src/util/virxml.c:virXMLValidatorValidate`; libxml2's report would follow.
fn ruled(verdict: Result<(), Fault>, schema: &str) -> Ruled<()> {
    match verdict {
        Ok(()) => Ok(()),
        Err(Fault::NotModelled(what)) => not_modelled(what),
        Err(Fault::Invalid(what)) => {
            let text = format!(
                "Unable to validate doc against /usr/share/libvirt/schemas/{schema}\n{what}"
            );
            refuse(ErrorCode::XML_INVALID_SCHEMA, ErrorDomain::XML, &text)
        }
    }
}
