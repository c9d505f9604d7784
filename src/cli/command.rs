//! The command line as a whole: every command, and what its help says beside its arguments.

use clap::{Parser, Subcommand};

use super::bless::BlessArgs;
use super::check::CheckArgs;
use super::compare::{self, CompareArgs};
use super::completions::CompletionsArgs;
use super::coverage::{self, CoverageArgs};
use super::decide::{self, DecideArgs};
use super::explain::{self, ExplainArgs};
use super::export::ExportArgs;
use super::format::FormatArgs;
#[cfg(feature = "libvirt")]
use super::hidden::HiddenArgs;
use super::list::ListArgs;
use super::man::ManArgs;
use super::new::NewArgs;
use super::policies::{self, PoliciesArgs};
use super::replay::{self, ReplayArgs};
use super::run::RunArgs;
use super::schema::SchemaArgs;
use super::script::{self, ScriptArgs};

const EXIT_CODES: &str = "\
Exit codes:
  0    all as expected
  1    a scenario failed, or a known difference did not happen
  2    wrong usage
  3    a scenario or its set-up could not run
  4    a driver's process crashed or did not answer in time
  5    no scenario was selected
  6    the driver cannot be used here: see `backup-tck doctor`
  130  interrupted";

/// Conformance kit and simulator for the error semantics of libvirt's backup and checkpoint
/// APIs.
///
/// A scenario describes disks, a checkpoint history and damage; a run executes it against real
/// libvirt or against an in-process mock of libvirt's QEMU driver, compares every answer with
/// the recorded one, and executes and proves the documented recovery.
#[derive(Debug, Parser)]
#[command(name = "backup-tck", version, after_help = EXIT_CODES, max_term_width = 80)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run scenarios
    #[command(after_help = "\
Examples:
  backup-tck run                         every scenario on the mock
  backup-tck run '*raw*' -d embed        those that match, on real libvirt
  backup-tck run --code 109 --area seed  those of an area that expect an error
  backup-tck run --failed --fail-fast    mend one after the other
  backup-tck run --partition hash:1/4    on the first of four machines
  backup-tck run --report junit=out.xml  the text, and a file for a CI server
  backup-tck run --record monday.jsonl   kept, to replay and to compare

Exits with 0 where all is as expected, 1 where something failed, 3 where
something is broken; all exit codes: backup-tck --help")]
    Run(RunArgs),
    /// Show a recorded run again, in any report
    #[command(after_help = replay::EXAMPLES)]
    Replay(ReplayArgs),
    /// Compare two recorded runs, answer by answer
    #[command(after_help = compare::EXAMPLES)]
    Compare(CompareArgs),
    /// Tell where in libvirt's source the scenarios raise errors, and what of the catalogue none raises
    ///
    /// Runs them on real libvirt, or reads a recorded run, and takes the function and line of each
    /// error from libvirt's own log.
    #[command(after_help = coverage::EXAMPLES)]
    Coverage(CoverageArgs),
    /// List scenarios, what they expect and what they show
    #[command(after_help = "\
Examples:
  backup-tck list                                every scenario
  backup-tck list --decision full-backup-new-chain
  backup-tck list --names --reference 1874846    names only, for scripts")]
    List(ListArgs),
    /// Check scenario files and tell every problem of them
    #[command(after_help = "\
Examples:
  backup-tck check                      every file of the suite
  backup-tck check seed/ my.yaml        an area, and a file that lies elsewhere
  backup-tck check --format json        one problem a line, for other tools

Exits with 0 where all is well, and with 3 where a file has problems; all exit
codes: backup-tck --help")]
    Check(CheckArgs),
    /// Bring scenario files into their canonical form
    ///
    /// Every comment is kept. A file in which one cannot be kept is left as it is, and told.
    #[command(after_help = "\
Examples:
  backup-tck format                     every file of the suite
  backup-tck format --check             change nothing, exit with 1 if there is something to do
  backup-tck format scenarios/seed/my-new-scenario.yaml

Exits with 0 where all is in the form, with 1 where --check finds something to
do, and with 3 where a file has problems or cannot be kept whole; all exit
codes: backup-tck --help")]
    Format(FormatArgs),
    /// Print the JSON Schema of scenario files, for editors
    #[command(after_help = "\
Examples:
  backup-tck schema > scenarios/scenario.schema.json
  backup-tck schema --reference         the same as a Markdown page

An editor with the YAML language server completes and checks a file that starts with
  # yaml-language-server: $schema=../scenario.schema.json")]
    Schema(SchemaArgs),
    /// Record snapshots from real libvirt of the reference version
    ///
    /// Runs the scenarios on real libvirt and writes what it answers into `snapshots/`. A
    /// scenario whose expectations do not hold is not recorded, and the mock never records.
    #[command(after_help = "\
Examples:
  backup-tck bless seed/my-new-scenario
  git diff snapshots/                   then look at what was recorded

Exits with 0 where all is recorded, 1 where an answer is not, 6 where real
libvirt cannot be used; all exit codes: backup-tck --help")]
    Bless(BlessArgs),
    /// Decide what a client does after an error
    ///
    /// Reads what the client knows as JSON, and answers with one decision, or with the question
    /// that must be answered first. It calls nothing and changes nothing.
    #[command(after_help = decide::EXAMPLES)]
    Decide(DecideArgs),
    /// Tell what a code, a decision, a problem or a scenario means, and why a run failed
    #[command(after_help = explain::EXAMPLES)]
    Explain(ExplainArgs),
    /// Compare what products do after the same error: who recovers, and who loses data
    ///
    /// Each product's rules are data, with the files they come from. They are played on the mock,
    /// and what comes of them is shown by restoring what the client has.
    #[command(after_help = policies::EXAMPLES)]
    Policies(PoliciesArgs),
    /// Copy the suite inside this binary into a folder
    ///
    /// It is written beside and then moved. If that fails, nothing new stays; a file that --force
    /// has replaced by then is the new one, and whole.
    #[command(after_help = "\
Examples:
  backup-tck export my-suite            then: cd my-suite; backup-tck run
  backup-tck export . --force           bring the files here up to date")]
    Export(ExportArgs),
    /// Begin a scenario: a commented example, or a copy of another one
    #[command(after_help = "\
Examples:
  backup-tck new bitmaps/lost-bitmap-needs-full-backup
  backup-tck new bitmaps/raw-and-qcow2 --from on-raw-disk   a copy to change")]
    New(NewArgs),
    /// Print a scenario as a shell script of plain virsh and qemu-img, to hand upstream
    ///
    /// The script makes the domain and its images, does what the scenario does, prints what came of
    /// the call under test and the state after it, and cleans up. Nothing is run here: the answers
    /// that it is told with are those of the mock, which are recorded from real libvirt.
    #[command(after_help = script::EXAMPLES)]
    Script(ScriptArgs),
    /// Tell what is installed, what is missing, and how to get it
    #[command(after_help = "\
Examples:
  backup-tck doctor                          exits with 0 if real libvirt works
  backup-tck doctor && backup-tck run -d embed")]
    Doctor,
    /// Print a script that lets a shell complete the command
    #[command(after_help = "\
Examples:
  source <(backup-tck completions bash)    for this shell
  backup-tck completions fish > ~/.config/fish/completions/backup-tck.fish")]
    Completions(CompletionsArgs),
    /// Print the manual page, or write the pages of every command
    #[command(after_help = "\
Examples:
  backup-tck man | man -l -                the main page
  backup-tck man ~/.local/share/man/man1   then: man backup-tck-run")]
    Man(ManArgs),
    /// Serve driver calls over standard input and output
    #[cfg(feature = "libvirt")]
    #[command(hide = true)]
    Worker(HiddenArgs),
    /// Stand above a worker and end what it leaves
    #[cfg(feature = "libvirt")]
    #[command(hide = true)]
    Reaper(HiddenArgs),
    /// Remove the domains that a worker has left on a daemon
    #[cfg(feature = "libvirt")]
    #[command(hide = true)]
    Clear(HiddenArgs),
}
