//! The errors that libvirt's log tells of, each with the C function and line that raised it.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::log::LOG;
use crate::model::Raised;

/// The part of a worker's log that its scenario's calls have written.
pub(super) struct ErrorLog {
    path: PathBuf,
    /// What is before this byte was read, or is no call's.
    position: u64,
    raised: Vec<Raised>,
    /// Why the log cannot tell what the scenario's calls have raised.
    problem: Option<String>,
}

impl ErrorLog {
    /// The log in a worker's directory.
    pub(super) fn in_directory(directory: &Path) -> Self {
        Self {
            path: directory.join(LOG),
            position: 0,
            raised: Vec::new(),
            problem: None,
        }
    }

    /// A scenario begins.
    pub(super) fn begin(&mut self) {
        self.raised.clear();
        self.problem = None;
    }

    /// A scenario goes on whose calls have raised this.
    pub(super) fn go_on(&mut self, raised: Vec<Raised>) {
        self.raised = raised;
    }

    /// A call begins: what was logged until now is not its own.
    pub(super) fn before_call(&mut self) {
        match fs::metadata(&self.path) {
            Ok(found) => self.position = found.len(),
            Err(error) => self.note(&error),
        }
    }

    /// The call has ended. libvirt logs an error before it returns it.
    pub(super) fn after_call(&mut self) {
        match self.rest() {
            Ok(text) => self.raised.extend(text.lines().filter_map(parse)),
            Err(error) => self.note(&error),
        }
    }

    /// What the scenario's calls have raised so far; or why the log cannot tell.
    pub(super) fn told(&self) -> Result<Vec<Raised>, String> {
        match &self.problem {
            None => Ok(self.raised.clone()),
            Some(problem) => Err(problem.clone()),
        }
    }

    fn rest(&mut self) -> io::Result<String> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        if length < self.position {
            return Err(io::Error::other("it was cut while a call was under way"));
        }
        file.seek(SeekFrom::Start(self.position))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.position = length;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn note(&mut self, error: &io::Error) {
        let path = self.path.display();
        let text = || format!("cannot read libvirt's log {path}: {error}");
        self.problem.get_or_insert_with(text);
    }
}

/// One line of the log: `TIME: THREAD: error : FUNCTION:LINE : MESSAGE`.
fn parse(line: &str) -> Option<Raised> {
    let (_time, rest) = line.split_once("+0000: ")?;
    let (thread, rest) = rest.split_once(": error : ")?;
    let _: u32 = thread.parse().ok()?;
    let (place, message) = rest.split_once(" : ")?;
    let (function, line) = place.rsplit_once(':')?;
    Some(Raised {
        function: function.to_owned(),
        line: line.parse().ok()?,
        message: message.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "2026-11-26 00:23:01.123+0000: 4711: error : qemuBackupBegin:804 : \
                        Operation not supported: backing up: an inactive domain\n";

    #[test]
    fn a_line_tells_function_line_and_message() {
        let expected = Raised {
            function: "qemuBackupBegin".to_owned(),
            line: 804,
            message: "Operation not supported: backing up: an inactive domain".to_owned(),
        };
        assert_eq!(parse(LINE.trim_end()), Some(expected));
    }

    #[test]
    fn what_is_no_error_is_none() {
        let warning = LINE.replace("error", "warning");
        for line in ["", "Domain id=1 is tainted: custom-monitor", &warning] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn only_what_a_call_has_logged_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOG);
        let mut log = ErrorLog::in_directory(directory.path());
        log.begin();
        fs::write(&path, LINE).unwrap();
        log.before_call();
        log.after_call();
        assert_eq!(log.told(), Ok(Vec::new()));
        log.before_call();
        fs::write(&path, LINE.repeat(3)).unwrap();
        log.after_call();
        assert_eq!(log.told().unwrap().len(), 2);
    }

    #[test]
    fn a_log_that_was_cut_or_is_gone_tells_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOG);
        let mut log = ErrorLog::in_directory(directory.path());
        fs::write(&path, LINE).unwrap();
        log.before_call();
        fs::write(&path, "").unwrap();
        log.after_call();
        assert!(log.told().unwrap_err().contains("it was cut"));
        log.begin();
        assert_eq!(log.told(), Ok(Vec::new()));
        fs::remove_file(&path).unwrap();
        log.before_call();
        assert!(log.told().unwrap_err().contains("No such file"));
    }
}
