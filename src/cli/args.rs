//! Arguments that several commands take.

use std::time::Duration;

use clap::{Args, ValueEnum};

/// How to run them.
#[derive(Args, Debug)]
pub(super) struct Running {
    /// How many scenarios run at once; default: one for each core on the mock, two for each
    /// core on real libvirt, which mostly waits. What libvirt itself holds for 30 s runs beside
    /// them, unless N is 1
    #[arg(long, short, value_name = "N", value_parser = positive)]
    pub(super) jobs: Option<usize>,

    /// Seconds that one scenario may take
    #[arg(long, value_name = "SECONDS", default_value = "120", value_parser = seconds)]
    pub(super) timeout: Duration,

    /// When to use colours; `auto` asks the terminal and `NO_COLOR`
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(super) color: When,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("at least 1".to_owned()),
        Ok(count) => Ok(count),
        Err(_) => Err("a whole number is wanted".to_owned()),
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text
        .parse()
        .map_err(|_| "a number of seconds is wanted".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Err(_) if seconds > 0.0 => Err("too large".to_owned()),
        Ok(_) | Err(_) => Err("more than 0 is wanted".to_owned()),
    }
}
