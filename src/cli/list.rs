//! `list`: the scenarios, what they expect and what they show.

use clap::Args;

use super::exit_code::ExitCode;
use super::output::{fail, note, print};
use super::select::{Selection, select};
use crate::plan::unsupported;
use crate::scenario::{Expectation, Scenario};

#[derive(Args, Debug)]
pub(super) struct ListArgs {
    #[command(flatten)]
    selection: Selection,

    /// Only the names, one a line
    #[arg(long)]
    names: bool,

    /// Only the scenarios that no driver can execute yet, and what they lack
    #[arg(long, conflicts_with = "names")]
    unsupported: bool,
}

pub(super) fn execute(args: &ListArgs) -> Result<ExitCode, ExitCode> {
    let selected = select(&args.selection)?;
    selected.require_some()?;
    let cases = selected.cases;
    let mut text = String::new();
    let mut unsound = 0_usize;
    for case in &cases {
        if args.names {
            text.push_str(&case.name);
            text.push('\n');
            continue;
        }
        match &case.scenario {
            Ok(scenario) if args.unsupported => text.push_str(&lacking(&case.name, scenario)),
            Ok(scenario) => text.push_str(&entry(&case.name, scenario)),
            Err(diagnostics) => {
                unsound += 1;
                note(&format!("{diagnostics}\n{}", diagnostics.render(false)));
            }
        }
    }
    let code = print(&text);
    if unsound > 0 {
        return Err(fail(
            ExitCode::Broken,
            &format!("{unsound} of {} scenarios are not sound", cases.len()),
        ));
    }
    Ok(code)
}

/// What no driver can execute yet; nothing where all can be executed.
fn lacking(name: &str, scenario: &Scenario) -> String {
    let missing = unsupported(scenario);
    if missing.is_empty() {
        return String::new();
    }
    let lines = missing.iter().map(|what| format!("    {what}\n"));
    format!("{name}\n{}", lines.collect::<String>())
}

/// Columns beside the indent.
const WIDTH: usize = 74;

fn entry(name: &str, scenario: &Scenario) -> String {
    let expectation = match &scenario.then {
        Expectation::Success => "succeeds".to_owned(),
        Expectation::Refusal(refusal) => {
            let decision = refusal.decision;
            let decision = format!("-> {decision} ({})", decision.category());
            let one_line = format!("{} {decision}", refusal.error);
            if one_line.len() <= WIDTH {
                one_line
            } else {
                format!("{}\n    {decision}", refusal.error)
            }
        }
    };
    let mut lines = vec![name.to_owned(), format!("    {expectation}")];
    lines.extend(
        textwrap::wrap(&scenario.summary, WIDTH)
            .into_iter()
            .map(|line| format!("    {line}")),
    );
    lines.extend(scenario.refs.iter().map(|source| format!("    {source}")));
    lines.push(String::new());
    lines.join("\n") + "\n"
}
