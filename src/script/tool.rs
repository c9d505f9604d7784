//! The command of `qemu-img` or `qemu-io` that does something to an image.
//!
//! Commands and options: `docs/tools/qemu-img.rst`, `qemu-io-cmds.c` in QEMU.

use serde_json::{Value, json};

use crate::model::{Action, BitmapChange, DiskFormat, ImageRef};

/// The words of the command that does it, the program first and not quoted; `None` where it is no
/// single command of these tools.
///
/// What is converted is put beside the image, with `.converted` behind its name.
#[must_use]
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is not named is not done by an image tool alone"
)]
pub fn tool_words(action: &Action) -> Option<Vec<String>> {
    Some(match action {
        Action::CreateImage { image, size } => {
            let size = size.bytes().to_string();
            qemu_img(&["create", "-q"], image, &[&image.path, &size])
        }
        Action::CreateOverlay {
            image,
            backing,
            bitmaps: false,
        } => {
            let below = [
                "create",
                "-q",
                "-F",
                backing.format.as_str(),
                "-b",
                &backing.path,
            ];
            qemu_img(&below, image, &[&image.path])
        }
        Action::CommitImage { image } => qemu_img(&["commit", "-q"], image, &[&image.path]),
        Action::ChangeBitmap {
            image,
            bitmap,
            change,
        } => change_bitmap(image, bitmap, *change),
        Action::MergeBitmaps {
            image,
            bitmap,
            from,
        } => qemu_img(&["bitmap", "--merge", from], image, &[&image.path, bitmap]),
        Action::AmendImage { image, compat } => {
            let option = format!("compat={compat}");
            qemu_img(&["amend", "-q", "-o", &option], image, &[&image.path])
        }
        Action::ResizeImage { image, size } => {
            let size = size.bytes().to_string();
            let command = ["resize", "-q", "--shrink"];
            qemu_img(&command, image, &[&image.path, &size])
        }
        Action::ConvertImage { image, bitmaps } => {
            let mut command = vec!["convert", "-q", "-O", image.format.as_str()];
            command.extend(bitmaps.then_some("--bitmaps"));
            qemu_img(&command, image, &[&image.path, &converted(image)])
        }
        Action::WriteImage {
            image,
            offset,
            length,
            pattern,
        } => {
            let (offset, length) = (offset.bytes(), length.bytes());
            qemu_io(image, &format!("write -P {pattern:#04x} {offset} {length}"))
        }
        Action::CheckImage { image } => about("check", image),
        _ => return None,
    })
}

/// Where a converted image is put.
pub(super) fn converted(image: &ImageRef) -> String {
    format!("{}.converted", image.path)
}

/// One command of `qemu-io` on an image.
pub(super) fn qemu_io(image: &ImageRef, command: &str) -> Vec<String> {
    let words = ["qemu-io", "-f", image.format.as_str(), "-c", command];
    let words = words.into_iter().chain([image.path.as_str()]);
    words.map(str::to_owned).collect()
}

/// An image by itself, as `qemu-img info` and `qemu-img check` open it.
fn about(command: &str, image: &ImageRef) -> Vec<String> {
    let alone = format!("json:{}", layer(image, Value::Null));
    let words = ["qemu-img", command, "--output=json", &alone];
    words.map(str::to_owned).to_vec()
}

/// One image over what lies behind it, each in its own format and never probed, as QEMU's pseudo
/// file names after `json:` describe it.
#[must_use]
pub fn layer(image: &ImageRef, backing: Value) -> Value {
    let mut options = json!({
        "driver": image.format.as_str(),
        "file": {"driver": "file", "filename": image.path},
    });
    if image.format == DiskFormat::Qcow2 {
        options["backing"] = backing;
    }
    options
}

fn change_bitmap(image: &ImageRef, bitmap: &str, change: BitmapChange) -> Vec<String> {
    let (option, granularity) = match change {
        BitmapChange::Add { granularity } => ("--add", granularity),
        BitmapChange::Remove => ("--remove", None),
        BitmapChange::Clear => ("--clear", None),
        BitmapChange::Enable => ("--enable", None),
        BitmapChange::Disable => ("--disable", None),
    };
    let granularity = granularity.map(|size| size.bytes().to_string());
    let mut command = vec!["bitmap", option];
    command.extend(granularity.iter().flat_map(|size| ["-g", size]));
    qemu_img(&command, image, &[&image.path, bitmap])
}

/// A command of `qemu-img` on an image of a known format.
fn qemu_img(command: &[&str], image: &ImageRef, rest: &[&str]) -> Vec<String> {
    let format = ["-f", image.format.as_str()];
    let words = [&["qemu-img"], command, &format, rest].concat();
    words.into_iter().map(str::to_owned).collect()
}
