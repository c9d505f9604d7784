//! Changes to a text.

/// The text with each of the replacements made, one after the other and everywhere. What is to be
/// replaced must be there: the first that is not is the error.
pub(crate) fn edited(text: &str, edits: &[(String, String)]) -> Result<String, String> {
    edits.iter().try_fold(text.to_owned(), |text, (old, new)| {
        if text.contains(old) {
            Ok(text.replace(old, new))
        } else {
            Err(old.clone())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_edit_works_on_what_the_one_before_has_made() {
        let edit = |old: &str, new: &str| (old.to_owned(), new.to_owned());
        let edits = [edit("a", "b"), edit("bb", "c")];
        assert_eq!(edited("aba", &edits), Ok("cb".to_owned()));
        assert_eq!(edited("b", &edits), Err("a".to_owned()));
    }
}
