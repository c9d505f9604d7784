//! What libvirt answers to a document that its schema has looked at.

use super::pattern::Fault;
use crate::driver::mock::answer::{Ruled, not_modelled, refuse};
use crate::model::{ErrorCode, ErrorDomain};

/// `src/util/virxml.c:virXMLValidatorValidate`; libxml2's report would follow.
pub(super) fn ruled(verdict: Result<(), Fault>, schema: &str) -> Ruled<()> {
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
