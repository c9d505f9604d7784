//! The tutorial is true: a reader who does what it says, block by block, sees what it shows.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};
use tempfile::TempDir;

use super::backup_tck;

/// `SNAPSHOTS=overwrite cargo test --test cli tutorial` writes what was printed into the tutorial.
#[test]
fn the_tutorial_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("TUTORIAL.md");
    let page = fs::read_to_string(&path).unwrap();
    let lived = Reader::new(records_here()).follow(&page);
    let page = Data::read_from(&path, Some(DataFormat::Text));
    Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .eq(lived, page);
}

/// True where snapshots can be recorded: with real libvirt of the reference version.
fn records_here() -> bool {
    if !cfg!(feature = "libvirt") {
        return false;
    }
    let arguments = ["run", "--driver", "embed", "seed/checkpoint-on-raw"];
    let output = backup_tck().args(arguments).output().unwrap();
    let reference = String::from_utf8_lossy(&output.stdout).contains("by libvirt 11.3.");
    if !reference {
        eprintln!("what needs libvirt is skipped: only libvirt 11.3 records snapshots");
    }
    reference
}

/// Somebody who follows a page, in a folder of their own.
struct Reader {
    folder: TempDir,
    working: PathBuf,
    records: bool,
}

impl Reader {
    fn new(records: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let working = folder.path().to_owned();
        Self {
            folder,
            working,
            records,
        }
    }

    /// The page with what really happened.
    fn follow(&mut self, page: &str) -> String {
        let mut lived = String::new();
        let mut end = 0;
        for (info, place) in blocks(page) {
            lived.push_str(&page[end..place.start]);
            lived.push_str(&self.block(&info, &page[place.clone()]));
            end = place.end;
        }
        lived + &page[end..]
    }

    /// What a block says decides what is done with it.
    #[expect(
        clippy::panic,
        reason = "a block that nobody tests is a failure of the test"
    )]
    fn block(&mut self, info: &str, block: &str) -> String {
        match info.split(' ').collect::<Vec<_>>()[..] {
            ["yaml", file] => fs::write(self.working.join(file), block).unwrap(),
            ["diff", file] => self.change(file, block),
            ["console"] => return self.commands(block, 0),
            ["console", "needs=libvirt"] if self.records => return self.commands(block, 0),
            ["console", "needs=libvirt"] => {}
            ["console", exit] => {
                let code = exit.strip_prefix("exit=").unwrap().parse().unwrap();
                return self.commands(block, code);
            }
            _ => panic!("nobody tests a block that says `{info}`"),
        }
        block.to_owned()
    }

    /// Replaces the lines with `-` by those with `+`.
    fn change(&self, file: &str, block: &str) {
        let side = |mark| {
            let lines = block
                .lines()
                .filter_map(move |line| line.strip_prefix(mark));
            lines.flat_map(|line| [line, "\n"]).collect::<String>()
        };
        let path = self.working.join(file);
        let text = fs::read_to_string(&path).unwrap();
        let (old, new) = (side('-'), side('+'));
        assert_eq!(text.matches(&old).count(), 1, "{file} has not once\n{old}");
        fs::write(path, text.replace(&old, &new)).unwrap();
    }

    /// Types what stands behind each `$`; the last command must end with `code`.
    fn commands(&mut self, block: &str, code: i32) -> String {
        let commands: Vec<&str> = block
            .lines()
            .filter_map(|line| line.strip_prefix("$ "))
            .collect();
        let mut lived = Vec::new();
        for (number, command) in (1..).zip(&commands) {
            let (output, ended) = self.command(command);
            let wanted = if number == commands.len() { code } else { 0 };
            assert_eq!(ended, wanted, "`{command}` printed\n{output}");
            lived.push(format!("$ {command}\n"));
            lived.extend(output.lines().map(|line| {
                let same = |shown: &&str| timeless(shown) == timeless(line);
                block.lines().find(same).unwrap_or(line).to_owned() + "\n"
            }));
        }
        lived.concat()
    }

    fn command(&mut self, command: &str) -> (String, i32) {
        if let Some(folder) = command.strip_prefix("cd ") {
            self.working = self.working.join(folder);
            assert!(self.working.starts_with(self.folder.path()));
            return (String::new(), 0);
        }
        let product = backup_tck();
        let installed = Path::new(product.get_program()).parent().unwrap();
        let others = std::env::var_os("PATH").unwrap();
        let path = [installed.to_owned()].into_iter();
        let path = path.chain(std::env::split_paths(&others));
        let output = std::process::Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("NO_COLOR", "1")
            .env_remove("CI")
            .stdin(std::process::Stdio::null())
            .current_dir(&self.working)
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        (text, output.status.code().unwrap())
    }
}

/// A line without the time at its end, which is another one in each run.
fn timeless(line: &str) -> &str {
    line.strip_suffix(" s").map_or(line, |line| {
        line.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')
    })
}

/// The fenced blocks of a page: what stands behind the fence, and where the content is.
fn blocks(page: &str) -> Vec<(String, Range<usize>)> {
    let mut blocks = Vec::new();
    for (event, place) in Parser::new(page).into_offset_iter() {
        if let Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) = event {
            let fenced = page[place.clone()].trim_end();
            let start = place.start + fenced.find('\n').unwrap() + 1;
            let end = place.start + fenced.rfind('\n').unwrap() + 1;
            blocks.push((info.into_string(), start..end));
        }
    }
    blocks
}

/// What a page claims, and what its reader sees.
fn lived(page: &str) -> String {
    Reader::new(false).follow(page)
}

#[test]
fn another_output_is_seen() {
    let typed = "$ mkdir a\n$ cd a\n$ basename \"$PWD\"; echo took 1.5 s >&2";
    let page = format!("```console\n{typed}\nb\ntook 0.3 s\n```\nAnd on.\n");
    let seen = format!("```console\n{typed}\na\ntook 0.3 s\n```\nAnd on.\n");
    assert_eq!(lived(&page), seen);
}

#[test]
fn files_are_written_and_changed() {
    let page = "\
```yaml x.yaml
a: 1
b: 2
```
```diff x.yaml
-b: 2
+b: 3
```
```console
$ cat x.yaml
a: 1
b: 3
```
";
    assert_eq!(lived(page), page);
}

#[test]
#[should_panic(expected = "`false` printed")]
fn another_exit_code_is_seen() {
    lived("```console\n$ true\n$ false\n```\n");
}

#[test]
#[should_panic(expected = "has not once")]
fn a_change_of_other_lines_is_seen() {
    lived("```yaml x.yaml\na: 1\n```\n```diff x.yaml\n-b: 2\n+b: 3\n```\n");
}

#[test]
#[should_panic(expected = "nobody tests a block")]
fn a_block_that_is_not_executed_is_seen() {
    lived("```sh\nfalse\n```\n");
}
