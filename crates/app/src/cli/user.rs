//! `bartizan user`: for who locked himself out: a new one-use link, for whoever may read the data folder.

use event::{Clock as _, clock::SystemClock};
use serde_json::{Value, json};
use server::{auth, ctl::Client};

use super::{
    Done, Globals, Output,
    alert::{look_at_state, open_state},
    stores::{self, At},
};
use crate::exit::{Exit, ExitExt as _};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Print a one-use link (15 minutes) in which an account is made, or gets a new password
    Reset {
        #[command(flatten)]
        at: At,
        /// Where the console answers, if no server runs now
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7700")]
        listen: std::net::SocketAddr,
    },
    /// Remove an account; its sessions end
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        at: At,
    },
    /// List the accounts
    List {
        #[command(flatten)]
        at: At,
    },
}

/// Makes the link or lists.
pub fn run(args: Args, globals: &Globals) -> anyhow::Result<Done> {
    let mut out = Output::new(globals.format(), Vec::new());
    stores::wait(async {
        match args.what {
            What::Reset { at, listen } => {
                let link = match Client::find(&at.data) {
                    Some(client) => client.post("/ctl/user-reset", &json!({})).await.or_else(super::ctl_failed)?["link"].clone(),
                    None => {
                        let state = open_state(&at.data).await?;
                        let (token, hash) = auth::new_token().map_err(anyhow::Error::msg)?;
                        state.put_setup(&hash, SystemClock.now() + auth::SETUP_US).await?;
                        format!("http://{listen}/setup#{token}").into()
                    }
                };
                row(&mut out, json!({"link": link}))?;
            }
            What::Remove { name, at } => {
                if !open_state(&at.data).await?.remove_account(&name).await? {
                    return Err(anyhow::anyhow!("removing the account {name:?}: there is none; `bartizan user list` shows them")).exit(Exit::Usage);
                }
            }
            What::List { at } => {
                for name in look_at_state(&at.data).await?.account_names().await? {
                    row(&mut out, json!({"user": name}))?;
                }
            }
        }
        Ok(())
    })?;
    out.finish()?;
    Ok(Done::Ok)
}

fn row(out: &mut Output, value: Value) -> anyhow::Result<()> {
    match value {
        Value::Object(row) => out.row(row),
        _ => Ok(()),
    }
}
