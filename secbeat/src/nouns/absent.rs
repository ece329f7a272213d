//! What later versions have. Who asks for it is told so by its name, and what there is instead.

use crate::failure::Failure;
use clap::{Args, Subcommand};

/// Whatever follows the word.
#[derive(Args)]
pub struct Anything {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    _words: Vec<String>,
}

macro_rules! absent {
    ($($variant:ident $name:literal $instead:literal,)+) => {
        /// The words of later versions; not in the help.
        #[derive(Subcommand)]
        #[allow(missing_docs)]
        pub enum Absent { $(#[command(name = $name, hide = true, disable_help_flag = true)] $variant(Anything)),+ }

        impl Absent {
            /// Says that it is not there.
            pub fn refuse(&self) -> Failure {
                let (name, instead) = match self { $(Absent::$variant(_) => ($name, $instead)),+ };
                let mut message = format!("`secbeat {name}` is not built in this version");
                if !instead.is_empty() {
                    message.push_str("; ");
                    message.push_str(instead);
                }
                Failure::usage(message)
            }
        }
    };
}

absent! {
    Incident "incident" "`secbeat event list --type attack` lists attacks one by one",
    Feed "feed" "`secbeat decision add` blocks what a list names",
    Rollout "rollout" "`secbeat node reload` brings one node up to its files",
    Webhook "webhook" "`secbeat event follow -o json` prints each event as it happens",
    Token "token" "tokens are set by metrics.api_token and metrics.viewer_token",
    Audit "audit" "`secbeat event list --type policy` lists who changed what",
    Db "db" "a node keeps all it has in server.data_dir: copy the folder",
    Capture "capture" "`secbeat record list` shows recorded requests",
    Kernel "kernel" "",
    Init "init" "docs/operating.md says what a first start needs",
    Doctor "doctor" "`secbeat validate` checks a configuration, `secbeat node status` a running node",
    Top "top" "`secbeat node status` and `secbeat event follow` show what goes on",
    SupportDump "support-dump" "`secbeat policy show --origin` and `secbeat node status -o json` show what is in force",
}
