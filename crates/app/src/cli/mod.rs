//! The command line: one file a command, one list of them. Names and shapes are DESIGN §5's and are checked from outside.
//!
//! A command is `Args` (clap), `run(args, &Globals) -> anyhow::Result<Done>`. Nothing here knows how a command works.

mod output;
mod records;
mod source_args;
mod stores;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use output::{Format, Output};

/// How a command ended when nothing failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Exit 0.
    Ok,
    /// Exit 1: findings, failed tests, tampering.
    Findings,
}

/// Watches TiDB and Milvus: collects their logs, keeps them as tamper-evident evidence, finds attacks and tells people.
#[derive(Debug, Parser)]
#[command(
    name = "bartizan",
    version,
    about,
    max_term_width = 120,
    infer_subcommands = false,
    subcommand_required = true,
    arg_required_else_help = true
)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
pub struct Globals {
    /// Shape of the data on standard output (default: table on a terminal, else jsonl)
    #[arg(long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Say less on standard error
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

macro_rules! commands {
    ($($(#[doc = $doc:literal])+ $variant:ident => $module:ident,)*) => {
        $(mod $module;)*
        #[derive(Debug, Subcommand)]
        enum Command {
            $($(#[doc = $doc])+ $variant($module::Args),)*
        }
        impl Command {
            fn run(self, globals: &Globals) -> anyhow::Result<Done> {
                match self {
                    $(Self::$variant(args) => $module::run(args, globals),)*
                }
            }
        }
    };
}

// The one list of commands: add a command = one file beside this one, one line here.
commands! {
    /// Everything on one machine, nothing to configure: a simulated cluster is attacked and watched
    Demo => demo,
    /// Watch: follow the configured files, detect, tell, answer on the console
    Serve => serve,
    /// Make a new store
    Init => init,
    /// Read whole log files into a store
    Import => import,
    /// Ask a store in SQL
    Query => query,
    /// Find lines in a store by words and fields
    Search => search,
    /// Find attacks and failures in log files, without a store
    Detect => detect,
    /// Print logs as events: one JSON object a record
    Parse => parse,
    /// List, check and test rules
    Rules => rules,
    /// List, acknowledge and close alerts; test the channels
    Alert => alert,
    /// Accounts of the console
    User => user,
    /// Check and show a configuration
    Config => config,
    /// Write the logs of a made-up cluster under attack, with the truth beside them
    Simulate => simulate,
    /// Print the shell's completions
    Completions => completions,
    /// Show the version
    Version => version,
}

/// The command line as clap knows it: for completions.
fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Our own log on standard error: warnings, or what BARTIZAN_LOG asks for. A second call changes nothing.
fn logging(globals: &Globals) {
    // The query engine warns of statistics that it cannot use: nothing that a person could mend.
    let default = if globals.quiet { "error" } else { "warn,datafusion_common=error" };
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("BARTIZAN_LOG").unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(output::colors(&std::io::stderr()))
        .with_target(false)
        .log_internal_errors(false)
        .try_init();
}

/// Problems of rules as one error: exit 78.
fn rule_problems<T>(problems: Vec<::detect::RuleProblem>) -> anyhow::Result<T> {
    use crate::exit::{Exit, ExitExt as _};
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(anyhow::anyhow!("reading rules: {} problems\n  {}", lines.len(), lines.join("\n  "))).exit(Exit::Config)
}

/// What a running server said, with the exit code that fits.
fn ctl_failed<T>(error: server::ctl::CtlError) -> anyhow::Result<T> {
    use crate::exit::{Exit, ExitExt as _};
    use server::ctl::CtlError;
    let exit = match &error {
        CtlError::Broken { .. } => Exit::Unavailable,
        CtlError::Said { exit: Some(65), .. } => Exit::BadData,
        CtlError::Said { exit: Some(77), .. } => Exit::Refused,
        CtlError::Said { exit: Some(2), .. } => Exit::Usage,
        CtlError::Said { .. } => Exit::Io,
    };
    Err(error).exit(exit)
}

/// Reads the command line and runs the command. The exit code is DESIGN §5's.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(u8::from(e.use_stderr()) * crate::exit::Exit::Usage as u8);
        }
    };
    match cli.command.run(&cli.globals) {
        Ok(Done::Ok) => ExitCode::SUCCESS,
        Ok(Done::Findings) => ExitCode::from(crate::exit::Exit::Findings as u8),
        Err(e) if output::is_broken_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            say!("bartizan: {}", crate::exit::told(&e));
            ExitCode::from(crate::exit::code(&e))
        }
    }
}
